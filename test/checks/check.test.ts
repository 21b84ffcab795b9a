/** A whole check, of domains on loopback: real DNS, HTTPS and SMTP, as five public guides and five mistakes have them. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { makeTrust } from '../../src/checks/certificate-seen.ts'
import { runCheck, type Check } from '../../src/checks/check.ts'
import { diffChecks } from '../../src/checks/diff.ts'
import { makeSeeRua } from '../../src/checks/own-listeners.ts'
import { makeResolveAddresses } from '../../src/checks/resolve-addresses.ts'
import { makeLookUp } from '../../src/dns/look-up.ts'
import { defaultLimits, type Limits } from '../../src/limits.ts'
import type { MailWorld, WorldDomain } from '../support/mail-world.ts'
import { flood, probesOf, startWorld } from './fixtures.ts'

const record = 'v=STSv1; id=20250601T000000;'
const policyOf = (mode: string, ...mx: string[]) => ['version: STSv1', `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`), 'max_age: 1209600', ''].join('\r\n') // prettier-ignore

function checkerOf(world: MailWorld, ownAddresses: string[] = [], change: Partial<Limits> = {}) {
  const lookUp = makeLookUp([world.dns.address], { ...defaultLimits, dnsTimeoutMs: 60_000, ...change })
  const resolveAddresses = makeResolveAddresses(lookUp)
  const limits = { ...defaultLimits, checkMs: 600_000, ...change }
  const { seePolicy, seeMx, outgoing } = probesOf(world, { resolveAddresses, limits: { ...change } })
  const seeRua = makeSeeRua({ lookUp, seeMx, resolveAddresses, outgoing, trust: makeTrust(), limits })
  const deps = { lookUp, seePolicy, seeMx, seeRua, ownAddresses, limits, now: () => new Date() }
  return (domain: string) => runCheck(domain, { ...deps, onProgress: () => undefined })
}

async function checkOne(t: TestContext, domain: WorldDomain, ownAddresses: string[] = []): Promise<Check> {
  return checkerOf(await startWorld(t, { 'it.example': domain }), ownAddresses)('it.example')
}

const codesOf = ({ findings }: Check) => findings.map(({ code }) => code)
const notOk = ({ findings }: Check) => findings.filter(({ severity }) => severity !== 'ok').map(({ code }) => code)

test('a domain as it should be is ok, and all of it is kept as JSON', async (t) => {
  const check = await checkOne(
    t,
    {
      sts: record,
      tlsRpt: 'v=TLSRPTv1; rua=mailto:tls@reports.example',
      policy: policyOf('enforce', 'mx1.it.example', '*.backup.example'),
      mx: { 'mx1.it.example': {}, 'a.backup.example': {} },
    },
    ['mailto:tls@reports.example'],
  )
  assert.deepEqual(notOk(check), ['tlsrpt-rua-not-reached']) // reports.example is not in this world.
  assert.equal(check.severity, 'warning')
  assert.deepEqual(JSON.parse(JSON.stringify(check)), check)
  const { observed } = check
  assert.equal(observed.stsRecord?.id, '20250601T000000')
  assert.partialDeepStrictEqual(observed.policy, { mode: 'enforce', maxAge: 1_209_600, fetched: true, valid: true })
  assert.deepEqual(observed.mx?.map(({ host, enforce, patterns }) => [host, enforce, patterns]), [['mx1.it.example', 'delivers', ['mx1.it.example']], ['a.backup.example', 'delivers', ['*.backup.example']]]) // prettier-ignore
  assert.match(observed.mx[0]!.addresses[0]!.certificate!.fingerprint, /^[0-9a-f]{64}$/)
  assert.deepEqual(observed.tlsrptRecord?.rua, ['mailto:tls@reports.example'])
})

test('a minimal policy in testing, as guides begin, is advised on and not blamed', async (t) => {
  const check = await checkOne(t, {
    sts: record,
    tlsRpt: 'v=TLSRPTv1; rua=mailto:tls@reports.example',
    policy: policyOf('testing', 'mx1.it.example'),
    mx: { 'mx1.it.example': {} },
  })
  assert.deepEqual(notOk(check), ['policy-mode-testing'])
  assert.equal(check.severity, 'advice')
})

test('Google Workspace: its five hosts are covered by its two patterns', async (t) => {
  const hosts = ['aspmx.l.google.com', ...[1, 2, 3, 4].map((n) => `alt${n}.aspmx.l.google.com`)]
  const check = await checkOne(t, {
    sts: record,
    policy: policyOf('enforce', 'aspmx.l.google.com', '*.aspmx.l.google.com'),
    mx: Object.fromEntries(hosts.map((host) => [host, {}])),
  })
  assert.deepEqual(notOk(check), ['tlsrpt-record-missing'])
  assert.equal(codesOf(check).filter((code) => code === 'mx-enforce-delivers').length, 5)
})

test('Microsoft 365: the wildcard covers the one host, whose certificate is for the wildcard, too', async (t) => {
  const check = await checkOne(t, {
    sts: record,
    policy: policyOf('enforce', '*.mail.protection.outlook.com'),
    mx: { 'it-example.mail.protection.outlook.com': { certificate: { names: ['*.mail.protection.outlook.com'] } } },
  })
  assert.deepEqual(notOk(check), ['tlsrpt-record-missing'])
})

test('two MX of which one is not listed: the one is refused, and the line to add is given', async (t) => {
  const check = await checkOne(t, {
    sts: record,
    policy: policyOf('enforce', 'mx1.it.example'),
    mx: { 'mx1.it.example': {}, 'mx2.it.example': {} },
  })
  assert.equal(check.severity, 'error')
  assert.equal(check.findings.find(({ code }) => code === 'mx-not-covered')?.value, 'mx: mx2.it.example')
  assert.deepEqual(check.observed.mx?.map(({ enforce }) => enforce), ['delivers', 'refuses']) // prettier-ignore
})

test('a redirecting policy host is named with its Location, and a record without a policy is what is left', async (t) => {
  const check = await checkOne(t, {
    sts: record,
    policy: { status: 301, headers: { location: 'https://www.it.example/' }, body: '' },
    mx: { 'mx1.it.example': {} },
  })
  assert.deepEqual(notOk(check), ['sts-record-without-policy', 'policy-redirect', 'tlsrpt-record-missing'])
  assert.ok(check.findings.find(({ code }) => code === 'policy-redirect')?.sentence.includes('https://www.it.example/'))
})

test('every way in which an MX fails has its name', async (t) => {
  const check = await checkOne(t, {
    sts: record,
    policy: policyOf('testing', '*.it.example'),
    mx: {
      'plain.it.example': { starttls: 'missing' },
      'old.it.example': { tls: 'TLSv1.1' },
      'expired.it.example': { certificate: { days: [-90, -5] } },
      'name.it.example': { certificate: { names: ['other.example'] } },
      'stranger.it.example': { certificate: { signer: 'stranger' } },
      'rude.it.example': (socket) => socket.write('554 not you\r\n'),
      'flood.it.example': (socket) => {
        flood(socket, 'x')
      },
      'soon.it.example': { certificate: { days: [-80, 3] } },
    },
  })
  const of = (host: string) => check.findings.filter(({ subject, severity, code }) => subject.startsWith(host) && severity !== 'ok' && !code.startsWith('mx-enforce')).map(({ code }) => code) // prettier-ignore
  assert.deepEqual(of('plain'), ['mx-no-starttls'])
  assert.deepEqual(of('old'), ['mx-tls-too-old'])
  assert.deepEqual(of('expired'), ['mx-certificate-expired'])
  assert.deepEqual(of('name'), ['mx-certificate-host-mismatch'])
  assert.deepEqual(of('stranger'), ['mx-certificate-not-trusted'])
  assert.deepEqual(of('rude'), ['mx-turns-us-away'])
  assert.deepEqual(of('flood'), ['mx-bad-reply'])
  assert.deepEqual(of('soon'), ['mx-certificate-ends-soon'])
  const verdicts = Object.fromEntries(check.observed.mx!.map(({ host, enforce }) => [host.split('.')[0]!, enforce]))
  assert.deepEqual(verdicts, { plain: 'refuses', old: 'refuses', expired: 'refuses', name: 'refuses', stranger: 'refuses', rude: 'unknown', flood: 'refuses', soon: 'delivers' }) // prettier-ignore
})

test('this instance is reached by its published names, by mail and by https', async (t) => {
  const own = ['mailto:tls@reports.example', 'https://mta-sts.reports.example/v1/tlsrpt']
  const world = await startWorld(t, {
    'it.example': { tlsRpt: `v=TLSRPTv1; rua=${own.join(',')}` },
    'reports.example': { policy: '', mx: { 'mx.reports.example': { starttls: 'missing' } } },
  })
  const check = await checkerOf(world, own)('it.example')
  assert.equal(codesOf(check).filter((code) => code === 'tlsrpt-rua-reached').length, 2)
  await world.mx.get('mx.reports.example')!.close()
  world.mx.delete('mx.reports.example')
  delete world.dns.zone['mta-sts.reports.example']
  assert.equal(codesOf(await checkerOf(world, own)('it.example')).filter((code) => code === 'tlsrpt-rua-not-reached').length, 2) // prettier-ignore
})

test('214: what a stranger puts into the DNS is told by its name, and shown without what could deceive', async (t) => {
  const world = await startWorld(t, { 'it.example': {}, 'alias.example': {} })
  const evil = 'e\u0000v\u001b[31mil.<b>.example'
  world.dns.zone['_mta-sts.it.example'] = ['v=STSv1; id=1;', 'v=STSv1; id=<script>\u001b[31m</script>;']
  world.dns.zone['_smtp._tls.it.example'] = `v=TLSRPTv1; rua=mailto:${'x'.repeat(60_000)}@it.example`
  world.dns.zone['_mta-sts.alias.example'] = { cname: evil }
  const check = checkerOf(world)
  const [own, alias] = [await check('it.example'), await check('alias.example')]
  const evidenceOf = ({ findings }: Check, code: string) => findings.find((finding) => finding.code === code)?.evidence
  assert.deepEqual(evidenceOf(own, 'sts-record-several'), ['TXT v=STSv1; id=1;', 'TXT v=STSv1; id=<script>\ufffd[31m</script>;']) // prettier-ignore
  assert.deepEqual(evidenceOf(own, 'tlsrpt-record-unreachable'), ['dns-too-large'])
  assert.match(evidenceOf(alias, 'sts-record-alias-dangling')![0]!, /^CNAME e\ufffdv\ufffd\[31mil\.<b>\.example$/)
  assert.doesNotMatch(JSON.stringify([own, alias]), /\\u00[01]/)
})

test('a domain that keeps us waiting is told of in time', async (t) => {
  const silent = () => undefined
  const world = await startWorld(t, {
    'it.example': { sts: record, policy: silent, mx: { 'mx1.it.example': silent, 'mx2.it.example': {} } },
  })
  world.dns.zone['_smtp._tls.it.example'] = { drop: true }
  const never = 600_000 // So that nothing but the time for the whole check can end it.
  const check = await checkerOf(world, [], { checkMs: 3_000, dnsTimeoutMs: 6_000, checkReplyMs: never, checkTlsMs: never, checkFetchMs: never })('it.example') // prettier-ignore
  const codes = codesOf(check)
  for (const code of ['policy-not-seen', 'mx-not-seen', 'tlsrpt-record-unreachable'] as const) {
    assert.ok(codes.includes(code), code)
  }
})

test('after the fix the next check is green, and says what changed', async (t) => {
  const world = await startWorld(t, {
    'it.example': {
      sts: record,
      policy: policyOf('testing', 'mx1.it.example'),
      mx: { 'mx1.it.example': { certificate: { days: [-90, -5] } } },
    },
  })
  const check = checkerOf(world)
  const before = await check('it.example')
  await world.mx.get('mx1.it.example')!.become({})
  world.sites.set('mta-sts.it.example', { body: policyOf('enforce', 'mx1.it.example') })
  world.dns.zone['_mta-sts.it.example'] = 'v=STSv1; id=2;'
  const after = await check('it.example')
  assert.equal(before.severity, 'error')
  assert.deepEqual(notOk(after), ['tlsrpt-record-missing'])
  const changes = diffChecks(before, after)
  const sentences = changes.map(({ sentence }) => sentence).join('\n')
  assert.match(sentences, /The id changed from 20250601T000000 to 2\./)
  assert.match(sentences, /mode from testing to enforce/)
  assert.match(
    sentences,
    /The certificate of mx1\.it\.example was renewed, now until \d{4}-\d\d-\d\d, with the same key\./,
  )
  assert.match(sentences, /was not delivered to and is now delivered to/)
  assert.ok(
    changes.some(({ code, sentence }) => code === 'finding-gone' && sentence.includes('The certificate is not valid')),
  )
  assert.deepEqual(diffChecks(after, after), [])
})
