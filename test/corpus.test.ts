/** Every file of the shared corpus through the sockets of a running service: the outcome and the yield that its README says. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createToken } from '../src/store/tokens.ts'
import { runService, type MailReply, type PostReply, type RunningService } from './support/running-service.ts'

const corpus = new URL('../../shared/corpus/', import.meta.url)
const isThere = existsSync(corpus)
const read = (file: string) => readFileSync(new URL(file, corpus))
const readJson = (file: string): unknown => JSON.parse(read(file).toString())

/** What a receiver must get out of a report. */
type Yield = {
  org: string
  contact: string | null
  reportId: string
  begin: string
  end: string
  policies: PolicyYield[]
}
type PolicyYield = {
  type: string
  domain: string
  mxHost: string[]
  policyStrings: number
  success: number
  failure: number
  /** [result type, sessions] */
  failures: [string, number][]
}

/** json/good-baseline.json, and whatever tells the same in another way. */
const baseline: Yield = {
  org: 'Sender Example',
  contact: 'tlsrpt@sender.example',
  reportId: 'r-1',
  begin: '2026-03-01T00:00:00Z',
  end: '2026-03-01T23:59:59Z',
  policies: [
    {
      type: 'sts',
      domain: 'rcpt.example',
      mxHost: ['mx.rcpt.example'],
      policyStrings: 4,
      success: 10,
      failure: 2,
      failures: [['certificate-expired', 2]],
    },
  ],
}
const baselineBut = (report: Partial<Yield>, policy: Partial<PolicyYield> = {}): Yield => ({
  ...baseline,
  ...report,
  policies: [{ ...baseline.policies[0]!, ...policy }],
})

/** The report that most of shapes/ are built around. */
const shape = (policy: Partial<PolicyYield>, report: Partial<Yield> = {}): Yield => ({
  org: 'Google Inc.',
  contact: 'smtp-tls-reporting@google.com',
  reportId: '2026-05-01T00:00:00Z_example.com',
  begin: '2026-05-01T00:00:00Z',
  end: '2026-05-01T23:59:59Z',
  policies: [
    {
      type: 'sts',
      domain: 'example.com',
      mxHost: ['mx1.example.com'],
      policyStrings: 4,
      success: 3,
      failure: 0,
      failures: [],
      ...policy,
    },
  ],
  ...report,
})

const tlsaBesideSts: PolicyYield = {
  ...shape({}).policies[0]!,
  type: 'tlsa',
  policyStrings: 1,
  success: 4,
  failure: 2,
  failures: [['tlsa-invalid', 2]],
}

/** Nothing in these names a policy domain, so they are posted to the token of one. */
const tokenDomains: Record<string, string> = {
  'shapes/07-sys4-no-policy-domain.json': 'example.com',
  'real/mail-auth-rpt03.json': 'example.org',
}

/** What a receiver must get out of each file that is a report. */
const accepted: Record<string, Yield> = {
  'json/good-baseline.json': baseline,
  'json/utf8-bom.json': baseline,
  'json/count-float-exp.json': baseline,
  'json/bad-ips.json': baseline,
  'json/tlsa-semicolon-joined.json': baselineBut({}, { type: 'tlsa', policyStrings: 2 }),
  'json/unknown-types.json': baselineBut({}, { type: 'future-policy', failures: [['quantum-handshake-failure', 2]] }),
  'json/policy-domain-ulabel-upper-dot.json': baselineBut({}, { domain: 'xn--mnchen-3ya.example' }),
  'json/date-space-lowercase-leapsecond.json': baselineBut({ begin: '2026-02-28T23:00:00Z' }),
  'json/hostile-strings.json': baselineBut({ org: '<img src=x onerror=alert(1)>\u202e' }),
  'gzip/good.json.gz': baseline,
  'gzip/trailing-zeros.json.gz': baseline,
  'derived/mail-tlsrpt-perl-underscore-key.json': baselineBut({}, { mxHost: [] }),
  'derived/microsoft-mx-hosts-mismatch.json': baselineBut(
    {
      org: 'Microsoft Corporation',
      contact: 'tlsrpt-noreply@microsoft.com',
      reportId: '134232617934286399+rcpt.example',
    },
    {
      mxHost: [],
      failures: [
        ['validation-failure', 1],
        ['validation-failure', 1],
      ],
    },
  ),
  'derived/stalwart-null-failure-fields.json': baselineBut(
    {
      contact: null,
      reportId: '1772323200_123456789012345678',
      begin: '2026-03-01T09:13:44Z',
      end: '2026-03-02T09:13:44Z',
    },
    { failures: [['certificate-not-trusted', 2]] },
  ),
  'shapes/01-rfc8460-appendix-b.json': shape(
    {
      domain: 'company-y.example',
      mxHost: ['*.mail.company-y.example'],
      success: 5326,
      failure: 303,
      failures: [
        ['certificate-expired', 100],
        ['starttls-not-supported', 200],
        ['validation-failure', 3],
      ],
    },
    {
      org: 'Company-X',
      contact: 'sts-reporting@company-x.example',
      reportId: '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
    },
  ),
  'shapes/03-google-empty-sending-ip.json': shape({
    mxHost: ['*.mx.microsoft'],
    success: 0,
    failure: 10,
    failures: [['validation-failure', 10]],
  }),
  'shapes/05-microsoft-fetch-error-minimal.json': shape(
    { mxHost: [], policyStrings: 0, success: 0, failure: 3, failures: [['sts-policy-fetch-error', 3]] },
    { org: 'Microsoft Corporation', contact: 'tlsrpt-noreply@microsoft.com', reportId: '133944884956529435+' },
  ),
  'shapes/07-sys4-no-policy-domain.json': shape(
    { type: 'no-policy-found', mxHost: [], policyStrings: 0, success: 1 },
    {
      org: 'mail.sender.example',
      contact: 'smtp-tls-reporting@mail.sender.example',
      reportId: '2026-05-01T00:00:00Z_idx1_example.com',
    },
  ),
  'shapes/09-sts-and-tlsa-same-domain.json': shape(
    {},
    { policies: [{ ...shape({}).policies[0]!, success: 10 }, tlsaBesideSts] },
  ),
  'shapes/11-unknown-result-type.json': shape({ success: 1, failure: 1, failures: [['ech-required', 1]] }),
  'shapes/13-counts-as-strings.json': shape({ success: 10, failure: 2, failures: [['certificate-expired', 2]] }),
  'shapes/15-null-policy-string.json': shape({ policyStrings: 0 }),
  'shapes/17-mx-host-pattern-key.json': shape({ mxHost: ['*.example.com'] }),
  'shapes/19-missing-contact-info.json': shape({}, { contact: null }),
  'shapes/21-utf8-bom.json': shape({}),
  ...readReal(),
}

const refused: Record<string, [status: number, verdict: string]> = {
  'json/truncated.json': [400, 'malformed'],
  'json/empty.json': [400, 'malformed'],
  'json/deep-nesting.json': [400, 'malformed'],
  'json/count-negative.json': [422, 'unreadable'],
  'json/date-epoch-numbers.json': [422, 'unreadable'],
  'json/policies-empty.json': [422, 'not-ours'],
  'gzip/bad-crc.json.gz': [400, 'malformed'],
  'gzip/zip-instead.json.zip': [400, 'malformed'],
  'gzip/bomb-64MiB.json.gz': [413, 'too-large'],
  'real/tls-rpt-monitor-dmarc.xml': [400, 'malformed'],
}

/** RFC 7372: none passes, one passes and is not acceptable, one passes for somebody else. */
const ignored: Record<string, '5.7.20' | '5.7.21' | '5.7.22'> = {
  'signed/bad-body-modified.eml': '5.7.20',
  'signed/bad-header-modified.eml': '5.7.20',
  'signed/bad-no-key.eml': '5.7.20',
  'signed/bad-unsigned.eml': '5.7.20',
  'signed/bad-foreign-domain.eml': '5.7.22',
  'signed/bad-i-subdomain-with-t-s.eml': '5.7.21',
  'signed/bad-l-tag.eml': '5.7.21',
  'signed/bad-service-email-only.eml': '5.7.21',
  'signed/warn-test-flag.eml': '5.7.21',
}

const isMail = (file: string) => file.endsWith('.eml')
const files = isThere
  ? globSync(['json/*', 'gzip/*', 'mail/*', 'signed/*.eml', 'real/*', 'derived/*', 'shapes/*'], {
      cwd: corpus,
      exclude: ['real/expected.json', 'real/dkim-zone.json'],
    }).sort()
  : []

if (isThere) {
  const zone = {
    ...(readJson('signed/zone.json') as Record<string, string>),
    ...(readJson('real/dkim-zone.json') as Record<string, string>),
  }
  const options = { zone, now: () => new Date('2026-05-02T12:00:00Z') }
  const env = { POLICY_DOMAINS: '*', REPORT_RETENTION_DAYS: '36500' }
  const requiring = await runService({ ...options, env })
  const marking = await runService({ ...options, env: { ...env, DKIM_POLICY: 'mark' } })
  for (const domain of Object.values(tokenDomains)) {
    const scopes = ['ingest'] as const
    await createToken(requiring.database.db, { name: domain, scopes, domains: [domain] }, randomUUID(), tokenOf(domain))
  }

  for (const file of files.filter((file) => !isMail(file))) testPost(file, requiring)
  for (const file of files.filter((file) => file.startsWith('signed/'))) testSigned(file, requiring)
  for (const file of files.filter((file) => file.startsWith('mail/'))) testUnsigned(file, requiring, marking)
  for (const file of files.filter((file) => file.startsWith('real/') && isMail(file)))
    testReal(file, requiring, marking)
}

test(
  'the corpus',
  { skip: isThere ? false : 'the shared corpus is not beside this repository: nothing of it was tested' },
  () => {
    assert.ok(files.length > 50)
  },
)

function testPost(file: string, service: RunningService): void {
  const refusal = refused[file]
  test(`${file} is ${refusal ? 'refused' : 'accepted'}`, async () => {
    await forget(service)
    const answer = await post(service, file)
    if (refusal) {
      assert.deepEqual([answer.status, await verdictOf(service, answer.body['submission_key'] as string)], refusal)
      assert.match(answer.mediaType ?? '', /^application\/problem\+json/)
    } else {
      assert.deepEqual([answer.status, answer.body['verdict']], [200, 'accepted'], JSON.stringify(answer.body))
      assert.deepEqual(await readYield(service, answer.body['submission_key'] as string), accepted[file])
      await extras[file]?.(service, answer)
    }
  })
}

function testSigned(file: string, service: RunningService): void {
  const { verdict, why } = (readJson('signed/expected.json') as Record<string, { verdict: string; why: string }>)[
    file.slice('signed/'.length, -'.eml'.length)
  ]!
  test(`${file}, ${verdict}: ${why}`, async () => {
    await forget(service)
    const reply = await service.sendMail(read(file))
    if (verdict === 'ignore') return assertRefused(service, reply, '550', ignored[file]!, 'unauthenticated')
    assert.match(reply.text, /^250 2\.6\.0 accepted /)
    assert.deepEqual(await readYield(service, reply.submissionKey!), baseline)
    const { trust, reporter } = await service.get<Record<string, string>>(`/v1/submissions/${reply.submissionKey!}`)
    assert.deepEqual({ trust, reporter }, { trust: 'verified', reporter: 'sender.example' })
  })
}

/** Judged by what is unwrapped: refused where signatures are required, taken for what they are where not. */
function testUnsigned(file: string, requiring: RunningService, marking: RunningService): void {
  test(`${file}: unwrapped, and refused for want of a signature`, async () => {
    await forget(marking)
    const [reply, marked] = [await requiring.sendMail(read(file)), await marking.sendMail(read(file))]
    if (file === 'mail/dmarc-xml-not-tlsrpt.eml') {
      for (const each of [reply, marked]) assert.match(each.text, /^554 5\.6\.0 no-report /)
      return
    }
    await assertRefused(requiring, reply, '550', '5.7.20', 'unauthenticated')
    assert.match(marked.text, /^250 2\.6\.0 accepted /)
    assert.deepEqual(await readYield(marking, marked.submissionKey!), baseline)
  })
}

/** Of the real mails only one has a key that still stands in a zone. */
function testReal(file: string, requiring: RunningService, marking: RunningService): void {
  test(`${file}: unwrapped, and judged by its signature`, async () => {
    await forget(requiring)
    await forget(marking)
    const reply = await requiring.sendMail(read(file))
    if (file === 'real/mox-example.eml') {
      assert.match(reply.text, /^250 2\.6\.0 accepted /)
      assert.deepEqual(await readYield(requiring, reply.submissionKey!), accepted[file])
      const { reporter } = await requiring.get<{ reporter: string }>(`/v1/submissions/${reply.submissionKey!}`)
      assert.equal(reporter, 'google.com')
    } else {
      await assertRefused(requiring, reply, '550', '5.7.20', 'unauthenticated')
      const marked = await marking.sendMail(read(file))
      assert.match(marked.text, /^250 2\.6\.0 accepted /)
      assert.deepEqual(await readYield(marking, marked.submissionKey!), accepted[file])
    }
  })
}

/** What a README says beyond the yield. */
const extras: Record<string, (service: RunningService, answer: PostReply) => void | Promise<void>> = {
  'json/utf8-bom.json': (_, { body }) => {
    const [first] = body['anomalies'] as { code: string }[]
    assert.equal(first?.code, 'byte-order-mark')
  },
  'json/bad-ips.json': async (service, answer) => {
    const { failure_details } = (await readReport(service, answer.body['submission_key'] as string)).policies[0]!
    const { sending_mta_ip, receiving_ip, receiving_mx_hostname } = failure_details[0]!
    assert.deepEqual(
      [sending_mta_ip, receiving_ip, receiving_mx_hostname],
      ['2001:db8::1', 'not-an-ip', 'mx.rcpt.example'],
    )
  },
  'json/hostile-strings.json': async (service, answer) => {
    const { failure_details } = (await readReport(service, answer.body['submission_key'] as string)).policies[0]!
    assert.equal(failure_details[0]!.failure_reason_code?.length, 4096)
  },
  'json/tlsa-semicolon-joined.json': async (service, answer) => {
    const { policy_string } = (await readReport(service, answer.body['submission_key'] as string)).policies[0]!
    assert.deepEqual(policy_string, ['3 1 1 AABB', '3 1 1 CCDD'])
  },
}

async function assertRefused(
  service: RunningService,
  reply: MailReply,
  code: string,
  enhanced: string,
  verdict: string,
) {
  assert.equal(reply.text.split(' ').slice(0, 2).join(' '), `${code} ${enhanced}`, reply.text)
  assert.equal(await verdictOf(service, reply.submissionKey!), verdict)
}

const verdictOf = async ({ get }: RunningService, submissionKey: string) =>
  (await get<{ verdict: string }>(`/v1/submissions/${submissionKey}`)).verdict

/** Many files tell of one report, by one identity; each is to meet an empty store. */
async function forget({ database }: RunningService): Promise<void> {
  await database.db.query('truncate submission, submission_raw, report, policy, failure_detail, day_total')
}

function post(service: RunningService, file: string): Promise<PostReply> {
  const domain = tokenDomains[file]
  const path = domain === undefined ? '/v1/tlsrpt' : `/v1/tlsrpt/${tokenOf(domain)}`
  const mediaType = file.endsWith('.json') ? 'application/tlsrpt+json' : 'application/tlsrpt+gzip'
  return service.post(read(file), { 'content-type': mediaType }, path)
}

function tokenOf(domain: string): string {
  return `intake-token-of-${domain.replace('.', '-')}`
}

type Report = {
  organization: string
  contact_info: string | null
  report_id: string
  start_datetime: string
  end_datetime: string
  policies: {
    policy_type: string
    policy_domain: string
    policy_string: string[]
    mx_host: string[]
    successful: number
    failed: number
    failure_details: (Record<
      'sending_mta_ip' | 'receiving_ip' | 'receiving_mx_hostname' | 'failure_reason_code',
      string | null
    > & { result_type: string; failed_session_count: number })[]
  }[]
}

/** Of a submission that made one report. */
async function readReport({ get }: RunningService, submissionKey: string): Promise<Report> {
  const { reports } = await get<{ reports: { key: string }[] }>(`/v1/submissions/${submissionKey}`)
  assert.equal(reports.length, 1)
  return get(`/v1/reports/${reports[0]!.key}`)
}

async function readYield(service: RunningService, submissionKey: string): Promise<Yield> {
  const report = await readReport(service, submissionKey)
  const wholeSeconds = (instant: string) => new Date(instant).toISOString().replace('.000Z', 'Z')
  return {
    org: report.organization,
    contact: report.contact_info,
    reportId: report.report_id,
    begin: wholeSeconds(report.start_datetime),
    end: wholeSeconds(report.end_datetime),
    policies: report.policies.map((policy) => ({
      type: policy.policy_type,
      domain: policy.policy_domain,
      mxHost: policy.mx_host,
      policyStrings: policy.policy_string.length,
      success: policy.successful,
      failure: policy.failed,
      failures: policy.failure_details.map((detail) => [detail.result_type, detail.failed_session_count]),
    })),
  }
}

/** real/expected.json, which has null for what a sender left out, and member values as written. */
function readReal(): Record<string, Yield> {
  if (!isThere) return {}
  type Raw = { type: string; domain: string | null; mxHost: string | string[] | null; policyStrings: number | null }
  type Entry = { expected?: { report: Omit<Yield, 'policies'> & { policies: (Omit<PolicyYield, keyof Raw> & Raw)[] } } }
  const entries = Object.entries(readJson('real/expected.json') as Record<string, Entry>)
  return Object.fromEntries(
    entries.flatMap(([name, { expected }]) => {
      if (!expected) return []
      const policies = expected.report.policies.map((policy) => ({
        ...policy,
        domain: policy.domain ?? tokenDomains[`real/${name}`]!,
        mxHost: [policy.mxHost ?? []].flat().map((host) => host.replace(/^mx: /, '')),
        policyStrings: policy.policyStrings ?? 0,
      }))
      return [[`real/${name}`, { ...expected.report, policies }]]
    }),
  )
}
