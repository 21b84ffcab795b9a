import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authentication } from '../../src/tlsrpt/authenticate.ts'
import { judge, policyMode, primaryPolicyType, type Evidence, type JudgeSettings } from '../../src/tlsrpt/judge.ts'
import { makeOwnership } from '../../src/tlsrpt/ownership.ts'
import type { Policy, Report } from '../../src/tlsrpt/report.ts'
import type { Provenance } from '../../src/tlsrpt/submission.ts'

const arrivedAt = new Date('2026-03-02T03:00:00Z')
const policy = (more: Partial<Policy> = {}): Policy => ({
  policyType: 'sts',
  policyString: ['version: STSv1', 'mode: Testing'],
  policyDomain: 'ours.example',
  mxHost: [],
  totalSuccessfulSessionCount: 10,
  totalFailureSessionCount: 2,
  failureDetails: [{ resultType: 'certificate-expired', failedSessionCount: 2 }],
  ...more,
})
/** A policy whose domain the sender left out. */
const nameless = (more: Partial<Policy> = {}): Policy => {
  const { policyDomain: _, ...rest } = policy(more)
  return rest
}
const report = (policies: Policy[], more: Partial<Report> = {}): Report => ({
  organizationName: 'Sender',
  contactInfo: 't@sender.example',
  reportId: 'r-1',
  dateRange: { start: new Date('2026-03-01T00:00:00Z'), end: new Date('2026-03-01T23:59:59Z') },
  policies,
  ...more,
})
const smtp: Provenance = {
  transport: 'smtp',
  peerAddress: '192.0.2.1',
  helo: 'x',
  mailFrom: '',
  rcptTo: [],
  tls: false,
}
const https = (domains?: string[]): Provenance => ({
  transport: 'https',
  peerAddress: '192.0.2.1',
  ...(domains && { token: { key: 'k', domains } }),
})
const verified: Authentication = {
  kind: 'verified',
  reporter: 'sender.example',
  signature: { result: 'pass', domain: 'sender.example', unacceptable: [], signedHeaders: [] },
  anomalies: [],
}
const failed: Authentication = {
  kind: 'failed',
  code: 'signature-not-aligned',
  reason: 'signature-not-aligned',
  message: 'signed by somebody else',
}

const settings = (more: Partial<JudgeSettings> = {}): JudgeSettings => ({
  ownership: makeOwnership(
    [
      { domain: 'ours.example', includeSubdomains: true, mx: ['mx.host.example'] },
      { domain: 'also.example', includeSubdomains: true, mx: [] },
    ],
    false,
  ),
  dkimPolicy: 'require',
  reportRetentionDays: 400,
  plausibleSessions: 1_000_000_000,
  ...more,
})
const byMail = (of: Report, more: Partial<Evidence> = {}): Evidence => ({
  submission: { raw: Buffer.alloc(0), form: 'message', arrivedAt, provenance: smtp },
  report: of,
  anomalies: [],
  authentication: verified,
  hints: {},
  ...more,
})
const byPost = (of: Report, provenance = https(), hints: Evidence['hints'] = {}): Evidence => ({
  submission: { raw: Buffer.alloc(0), form: 'report', arrivedAt, provenance },
  report: of,
  anomalies: [],
  hints,
})
const accepted = (evidence: Evidence, more: Partial<JudgeSettings> = {}) => {
  const judgement = judge(evidence, settings(more))
  assert.ok(judgement.kind === 'accepted', judgement.kind)
  return judgement
}
const codes = (evidence: Evidence, more: Partial<JudgeSettings> = {}) =>
  accepted(evidence, more).anomalies.map((anomaly) => anomaly.code)

test('signed mail is verified and says by whom', () => {
  const judgement = accepted(byMail(report([policy()])))
  assert.equal(judgement.trust, 'verified')
  assert.equal(judgement.reporter, 'sender.example')
})

test('a post proves nothing, whatever the token', () => {
  for (const provenance of [https(), https(['ours.example'])])
    assert.equal(accepted(byPost(report([policy()]), provenance)).trust, 'unverified')
})

test('unauthenticated mail is refused with the way it failed, or taken as unverified under DKIM_POLICY=mark', () => {
  const evidence = byMail(report([policy()]), { authentication: failed })
  const refusal = judge(evidence, settings())
  assert.ok(refusal.kind === 'unauthenticated')
  assert.equal(refusal.problems[0]?.code, 'signature-not-aligned')
  assert.equal(accepted(evidence, { dkimPolicy: 'mark' }).trust, 'unverified')
  assert.ok(codes(evidence, { dkimPolicy: 'mark' }).includes('unauthenticated'))
})

test('where DNS cannot tell now the answer is to come again', () => {
  const waiting = byMail(report([policy()]), { authentication: { kind: 'temporary', reason: 'dns-servfail' } })
  assert.deepEqual(judge(waiting, settings()), { kind: 'deferred', reason: 'dns-servfail' })
  assert.deepEqual(judge(waiting, settings({ dkimPolicy: 'mark' })), { kind: 'deferred', reason: 'dns-servfail' })
})

test('a file is vouched for by the operator: failing DKIM never refuses it, and it is unverified', () => {
  const submission = {
    raw: Buffer.alloc(0),
    form: 'message' as const,
    arrivedAt,
    provenance: { transport: 'file' as const, fileName: 'a.eml' },
  }
  for (const authentication of [failed, { kind: 'temporary', reason: 'x' } as const]) {
    const evidence = byMail(report([policy()]), { submission, authentication })
    assert.equal(accepted(evidence).trust, 'unverified')
    assert.ok(codes(evidence).includes('imported-unverified'))
  }
  assert.equal(accepted(byMail(report([policy()]), { submission })).trust, 'verified')
})

test('what is ours is kept, what is not is dropped and noted', () => {
  const judgement = accepted(
    byMail(report([policy({ policyDomain: 'theirs.example' }), policy({ policyDomain: 'sub.ours.example' })])),
  )
  assert.deepEqual(
    judgement.domainReports.map((part) => [part.domain, part.policies.map((p) => p.policyDomain)]),
    [['ours.example', ['sub.ours.example']]],
  )
  assert.deepEqual(judgement.anomalies, [{ code: 'policy-dropped', pointer: '/policies/0/policy/policy-domain' }])
})

test('a report about none of our domains is not ours, and says whose it is', () => {
  const refusal = judge(byMail(report([policy({ policyDomain: 'theirs.example' })])), settings())
  assert.ok(refusal.kind === 'not-ours')
  assert.match(refusal.problems[0]!.message, /theirs\.example/)
})

test('a report for two of our domains makes a part for each, sorted', () => {
  const judgement = accepted(byMail(report([policy(), policy({ policyDomain: 'also.example' })])))
  assert.deepEqual(
    judgement.domainReports.map((part) => part.domain),
    ['also.example', 'ours.example'],
  )
  assert.notDeepEqual(judgement.domainReports[0]!.identity, judgement.domainReports[1]!.identity)
})

test('a missing policy domain comes from the signed TLS-Report-Domain, else file name, else Subject, else the token', () => {
  const hints = { signedReportDomain: 'ours.example', fileName: 'also.example', subject: 'also.example' }
  const domainOf = (evidence: Evidence) => accepted(evidence).domainReports[0]!.domain
  assert.equal(domainOf(byMail(report([nameless()]), { hints })), 'ours.example')
  assert.equal(
    domainOf(byMail(report([nameless()]), { hints: { fileName: 'also.example', subject: 'ours.example' } })),
    'also.example',
  )
  assert.equal(domainOf(byMail(report([nameless()]), { hints: { subject: 'ours.example' } })), 'ours.example')
  assert.equal(domainOf(byPost(report([nameless()]), https(['also.example']))), 'also.example')
  assert.ok(codes(byMail(report([nameless()]), { hints })).includes('policy-domain-recovered'))
  assert.equal(judge(byPost(report([nameless()])), settings()).kind, 'not-ours')
})

test('a report without policies is kept when its domain is known from elsewhere', () => {
  assert.deepEqual(
    accepted(byMail(report([]), { hints: { subject: 'ours.example' } })).domainReports.map((part) => part.policies),
    [[]],
  )
  assert.equal(judge(byMail(report([])), settings()).kind, 'not-ours')
})

test('a token ties the post to its domains', () => {
  assert.equal(judge(byPost(report([policy()]), https(['also.example'])), settings()).kind, 'not-ours')
  assert.equal(accepted(byPost(report([policy()]), https(['ours.example']))).domainReports.length, 1)
  assert.equal(accepted(byPost(report([policy()]), https([]))).domainReports.length, 1)
})

test('DANE names the MX host: it belongs to the domain the host is listed for', () => {
  const judgement = accepted(byMail(report([policy({ policyType: 'tlsa', policyDomain: 'mx.host.example' })])))
  assert.equal(judgement.domainReports[0]!.domain, 'ours.example')
  assert.deepEqual(
    judgement.anomalies.map((anomaly) => anomaly.code),
    ['policy-domain-is-mx'],
  )
})

test('an unlisted MX host belongs to the signed TLS-Report-Domain or the token, but only where the policy names a host', () => {
  const host = policy({ policyType: 'tlsa', policyDomain: 'mx9.host.example' })
  assert.equal(
    accepted(byMail(report([host]), { hints: { signedReportDomain: 'also.example' } })).domainReports[0]!.domain,
    'also.example',
  )
  assert.equal(accepted(byPost(report([host]), https(['also.example']))).domainReports[0]!.domain, 'also.example')
  assert.equal(judge(byMail(report([host]), { hints: { subject: 'also.example' } }), settings()).kind, 'not-ours')
  const recipient = policy({ policyType: 'tlsa', policyDomain: 'theirs.example', mxHost: ['mx9.host.example'] })
  assert.equal(
    judge(byMail(report([recipient]), { hints: { signedReportDomain: 'also.example' } }), settings()).kind,
    'not-ours',
  )
  const sts = policy({ policyDomain: 'mx9.host.example' })
  assert.equal(
    judge(byMail(report([sts]), { hints: { signedReportDomain: 'also.example' } }), settings()).kind,
    'not-ours',
  )
})

test('of a host listed for several domains the one the mail names is taken', () => {
  const ownership = makeOwnership(
    [
      { domain: 'a.example', includeSubdomains: true, mx: ['mx.h.example'] },
      { domain: 'b.example', includeSubdomains: true, mx: ['mx.h.example'] },
    ],
    false,
  )
  const of = report([policy({ policyType: 'tlsa', policyDomain: 'mx.h.example' })])
  assert.equal(
    accepted(byMail(of, { hints: { signedReportDomain: 'b.example' } }), { ownership }).domainReports[0]!.domain,
    'b.example',
  )
  assert.equal(accepted(byMail(of), { ownership }).domainReports[0]!.domain, 'a.example')
})

test('one policy type is primary: most sessions, then most failures, then sts, tlsa, no-policy-found', () => {
  const of = (policyType: string, ok: number, bad: number) =>
    policy({ policyType, totalSuccessfulSessionCount: ok, totalFailureSessionCount: bad })
  assert.equal(primaryPolicyType([of('sts', 5, 0), of('tlsa', 6, 0)]), 'tlsa')
  assert.equal(primaryPolicyType([of('sts', 5, 1), of('tlsa', 4, 2)]), 'tlsa')
  assert.equal(
    primaryPolicyType([of('future', 5, 1), of('no-policy-found', 5, 1), of('tlsa', 5, 1), of('sts', 5, 1)]),
    'sts',
  )
  assert.equal(primaryPolicyType([of('future', 5, 1), of('no-policy-found', 5, 1)]), 'no-policy-found')
  assert.equal(primaryPolicyType([of('tlsa', 3, 0), of('tlsa', 3, 0), of('sts', 5, 0)]), 'tlsa')
  assert.equal(primaryPolicyType([]), undefined)
})

test('only primary policies make the totals; several of the type add up', () => {
  const [part] = accepted(
    byMail(
      report([
        policy(),
        policy({ policyDomain: 'a.ours.example' }),
        policy({ policyType: 'tlsa', totalSuccessfulSessionCount: 9, totalFailureSessionCount: 9 }),
      ]),
    ),
  ).domainReports
  assert.deepEqual([part!.successful, part!.failed], [20n, 4n])
  assert.deepEqual(
    part!.policies.map((p) => p.primary),
    [true, true, false],
  )
})

test('a report counts on the UTC day its range starts', () => {
  const dateRange = { start: new Date('2026-02-28T23:00:00Z'), end: new Date('2026-03-01T22:59:59Z') }
  assert.equal(accepted(byMail(report([policy()], { dateRange }))).domainReports[0]!.day, '2026-02-28')
})

test('older than the retention: accepted and noted, kept as bytes, not counted', () => {
  const judgement = accepted(byMail(report([policy()])), { reportRetentionDays: 1 })
  assert.deepEqual(judgement.domainReports, [])
  assert.deepEqual(judgement.domains, ['ours.example'])
  assert.ok(judgement.anomalies.some((anomaly) => anomaly.code === 'older-than-retention'))
})

test('late reports and long ranges are noted', () => {
  const old = { start: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-01-07T23:59:59Z') }
  assert.deepEqual(codes(byMail(report([policy()], { dateRange: old }))), ['long-date-range', 'late'])
})

test('a count too large to believe is accepted and said to be implausible', () => {
  assert.ok(
    !accepted(byMail(report([policy({ totalSuccessfulSessionCount: 1_000_000_000 })]))).domainReports[0]!.implausible,
  )
  assert.ok(
    accepted(byMail(report([policy({ totalSuccessfulSessionCount: 1_000_000_001 })]))).domainReports[0]!.implausible,
  )
})

test('the mode is read from the policy string of an STS policy', () => {
  assert.equal(policyMode(policy()), 'testing')
  assert.equal(policyMode(policy({ policyString: [] })), undefined)
  assert.equal(policyMode(policy({ policyType: 'tlsa' })), undefined)
})
