/** Root causes and their live proof: reports and checks as values, the sentence and the state out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../src/checks/check.ts'
import { becauseOf, cacheUntil, comparedToPublished, stateByCheck, stateByHistory, type CauseFacts, type LiveState, type PastCheck, type Surroundings } from '../../src/checks/explain.ts' // prettier-ignore
import type { FindingCode } from '../../src/checks/findings/codes.ts'
import { finding } from '../../src/checks/findings/finding.ts'
import { formatPolicy, type StsPolicy } from '../../src/mtasts/policy.ts'

const domain = 'ours.example'
const mx1 = 'mx1.ours.example'
const now = new Date('2026-03-20T12:00:00Z')
const live: StsPolicy = { mode: 'testing', maxAge: 604_800, mx: [mx1, '*.mail.ours.example'] }
const stringOf = (policy: StsPolicy) => formatPolicy(policy).trim().split('\r\n')

type Seen = { found?: [FindingCode, string][]; mx?: string[] | undefined; policy?: StsPolicy; at?: string }

const checked = ({ found = [], mx = [mx1], policy = live, at = '2026-03-20T06:00:00.000Z' }: Seen = {}): Check => ({
  domain,
  startedAt: at,
  endedAt: at,
  severity: 'ok',
  findings: found.map(([code, subject]) => finding(code, subject, 'A sentence.')),
  observed: {
    policyHost: { host: `mta-sts.${domain}` },
    policy: { text: formatPolicy(policy), sha256: '', fetched: true, valid: true, ...policy },
    mx: mx.map((host) => ({ host, preference: 10, patterns: [], enforce: 'delivers', addresses: [] })),
  },
})

const facts = (given: Partial<CauseFacts & Surroundings> = {}): CauseFacts & Surroundings => ({
  domain,
  resultType: 'certificate-expired',
  receivingMxHostname: mx1,
  reasonCodes: [],
  lastSeen: '2026-03-19',
  senders: 2,
  policies: [{ policyString: stringOf(live), lastDay: '2026-03-19' }],
  networks: 3,
  othersSucceed: 0,
  ...given,
})

const under = (policy: Partial<StsPolicy>, lastDay = '2026-03-19') => ({ policies: [{ policyString: stringOf({ ...live, ...policy }), lastDay }] }) // prettier-ignore

test('of what is covered, published and without a known reason there is nothing more to say', () => {
  assert.equal(becauseOf(facts(), checked()), undefined)
  assert.equal(becauseOf(facts({ reasonCodes: ['a word of his own'] }), checked()), undefined)
})

for (const [mx, patterns, words] of [
  ['a.b.mail.ours.example', ['*.mail.ours.example'], /lists "\*\.mail\.ours\.example", which stands for exactly one label.*"a\.b\.mail\.ours\.example" is a label too long/],
  ['mail.ours.example', ['*.mail.ours.example'], /"mail\.ours\.example" is one label too short/],
  ['mx9.ours.example', ['mx1.ours.example'], /does not list "mx9\.ours\.example"/],
] as const) {
  test(`${mx} under ${patterns.join()} is told with the wildcard that was meant`, () => {
    const policy = { ...live, mx: [...patterns] }
    const told = becauseOf(facts({ resultType: 'validation-failure', receivingMxHostname: mx, ...under({ mx: [...patterns] }) }), checked({ policy, mx: [mx] })) // prettier-ignore
    assert.match(told ?? '', words)
  })
} // prettier-ignore

test('a wildcard that covers the host says nothing, and of a policy that was not fetched the MX host is no matter', () => {
  const covered = { resultType: 'validation-failure', receivingMxHostname: 'a.mail.ours.example' }
  assert.equal(becauseOf(facts(covered), checked({ mx: ['a.mail.ours.example'] })), undefined)
  const fetch = { resultType: 'sts-policy-fetch-error', receivingMxHostname: 'mx9.ours.example' }
  assert.equal(becauseOf(facts(fetch), checked()), undefined)
})

test('a host that no live MX record names is an old one; where the DNS could not tell, nobody knows', () => {
  const old = facts({ receivingMxHostname: 'mx1.ours.example' })
  assert.match(becauseOf(old, checked({ mx: ['mx2.ours.example'] })) ?? '', /"mx1\.ours\.example" is no MX host of ours\.example any more/) // prettier-ignore
  assert.equal(becauseOf(old, checked({ mx: [] })), undefined)
  assert.equal(becauseOf(old, checked({ mx: ['mx2.ours.example'], found: [['mx-too-many', domain]] })), undefined)
})

test('a policy other than the published one is an older one, with what differs and when caches run out', () => {
  const told = becauseOf(facts(under({ mode: 'enforce', mx: [mx1], maxAge: 86_400 })), checked())
  assert.match(told ?? '', /applies an older policy.*mode was enforce, max_age was 86400, it does not list "\*\.mail\.ours\.example"\); its cache runs out by 2026-03-20/) // prettier-ignore
  const long = becauseOf(facts(under({ maxAge: 86_400 }, '2026-03-10')), checked())
  assert.match(long ?? '', /its cache ran out by 2026-03-11/)
})

test('the same policy in another order is the same, and one that was seen after the check may be the newer one', () => {
  const version = (policy: Partial<StsPolicy>, lastDay: string) => under(policy, lastDay).policies[0]!
  assert.equal(comparedToPublished(version({ mx: live.mx.toReversed() }, '2026-03-19'), checked()), 'same')
  assert.equal(comparedToPublished(version({ mode: 'none' }, '2026-03-20'), checked()), 'older')
  assert.equal(comparedToPublished(version({ mode: 'none' }, '2026-03-21'), checked()), undefined)
  assert.equal(comparedToPublished({ policyString: [], lastDay: '2026-03-19' }, checked()), undefined)
  assert.equal(comparedToPublished(version({}, '2026-03-19'), undefined), undefined)
})

test('a cache runs out on the day on which max_age does, counted from the end of the last day', () => {
  assert.equal(cacheUntil('2026-03-19', 604_800), '2026-03-26')
  assert.equal(cacheUntil('2026-03-19', 60), '2026-03-20')
  assert.equal(cacheUntil('2026-02-28', 86_400), '2026-03-01')
})

test('reason codes are put into words, the most frequent first, two at most, and quoted without what could deceive', () => {
  const told = becauseOf(facts({ reasonCodes: ['X509_V_ERR_CERT_HAS_EXPIRED', 'none that is known', 'unknown_ca', 'bad certificate'] }), checked()) // prettier-ignore
  assert.match(told ?? '', /^The reason given is "X509_V_ERR_CERT_HAS_EXPIRED", that is: .*expired\. The reason given is "unknown_ca"/) // prettier-ignore
  assert.doesNotMatch(told ?? '', /bad certificate/)
  assert.doesNotMatch(becauseOf(facts({ resultType: 'validation-failure', receivingMxHostname: 'mx\u202e"9\n' }), checked({ mx: [] })) ?? '', /[\u202e\n]/) // prettier-ignore
})

const fault: [FindingCode, string] = ['mx-certificate-expired', `${mx1} [192.0.2.1]`]
const past = (day: string, found: [FindingCode, string][] = [], mx = [mx1]): PastCheck => ({
  startedAt: `${day}T06:00:00.000Z`,
  found: found.map(([code, subject]) => ({ code, subject })),
  mx,
})
const broken = past('2026-03-01', [fault])

type Case = [name: string, state: LiveState, given: Partial<CauseFacts & Surroundings>, seen?: Seen, history?: PastCheck[], since?: string] // prettier-ignore

const cases: Case[] = [
  ['the check shows it', 'still-broken', {}, { found: [fault] }, [broken]],
  ['the check shows it on another host', 'cannot-be-reproduced', { senders: 1 }, { found: [['mx-certificate-expired', 'mx2.ours.example [192.0.2.2]']] }, [past('2026-03-01')]],
  ['the check shows it, and the sender named no host', 'still-broken', { receivingMxHostname: null }, { found: [fault] }],
  ['a name that begins like the host is another', 'cannot-be-reproduced', { senders: 1 }, { found: [['mx-certificate-expired', `${mx1}.elsewhere.example [192.0.2.1]`]] }, [past('2026-03-01')]],
  ['an earlier check showed it', 'fixed', {}, {}, [broken, past('2026-03-19')], '2026-03-19'],
  ['it came back and went', 'fixed', {}, {}, [broken, past('2026-03-05'), past('2026-03-08', [fault]), past('2026-03-19')], '2026-03-19'],
  ['a check between saw nothing at all', 'fixed', {}, {}, [broken, past('2026-03-10', [['mx-none-answers', domain]]), past('2026-03-19')], '2026-03-19'],
  ['an earlier check showed it, and reports go on', 'cannot-be-reproduced', { lastSeen: '2026-03-19' }, {}, [broken, past('2026-03-10')]],
  ['no check showed it, several told of it before the first one', 'fixed', { lastSeen: '2026-03-08' }, {}, [past('2026-03-10')], '2026-03-10'],
  ['no check showed it, one sender alone told of it', 'cannot-be-reproduced', { lastSeen: '2026-03-08', senders: 1 }, {}, [past('2026-03-10')]],
  ['the check is of last week', 'unknown', {}, { found: [fault], at: '2026-03-13T06:00:00.000Z' }, [broken]],
  ['the check is older than the failure', 'unknown', { lastSeen: '2026-03-20' }, { at: '2026-03-19T06:00:00.000Z' }, [past('2026-03-01')]],
  ['the check could not look', 'unknown', {}, { found: [['mx-none-answers', domain]] }, [broken]],
  ['the host could not be looked at', 'unknown', {}, { found: [['mx-enforce-unknown', mx1]] }, [broken]],
  ['a type that no check can show', 'unknown', { resultType: 'dnssec-invalid' }, {}],
  ['a word of the sender’s own', 'unknown', { resultType: 'made-up' }, {}],
  ['a host that is no MX host any more', 'fixed', { receivingMxHostname: 'old.ours.example' }, {}, [past('2026-03-01', [], [mx1, 'old.ours.example']), past('2026-03-12')], '2026-03-12'],
  ['STARTTLS is missing from one network, others succeed', 'suspicious', { resultType: 'starttls-not-supported', networks: 1, othersSucceed: 3 }, {}, [past('2026-03-01')]],
  ['STARTTLS is missing from one network, and the check misses it too', 'still-broken', { resultType: 'starttls-not-supported', networks: 1, othersSucceed: 3 }, { found: [['mx-no-starttls', `${mx1} [192.0.2.1]`]] }],
  ['STARTTLS is missing from several networks', 'cannot-be-reproduced', { resultType: 'starttls-not-supported', networks: 4, othersSucceed: 3 }, {}, [past('2026-03-01')]],
  ['STARTTLS is missing from one network, nobody else tells of the domain', 'cannot-be-reproduced', { resultType: 'starttls-not-supported', networks: 1, senders: 1 }, {}, [past('2026-03-01')]],
  ['STARTTLS was missing, and was turned on', 'fixed', { resultType: 'starttls-not-supported', networks: 1, othersSucceed: 3, lastSeen: '2026-03-09' }, {}, [past('2026-03-01', [['mx-no-starttls', `${mx1} [192.0.2.1]`]]), past('2026-03-10')], '2026-03-10'],
  ['the policy of then did not list the host, the one of now does', 'fixed', { resultType: 'validation-failure', ...under({ mx: ['mx2.ours.example'] }) }, {}, [past('2026-03-01', [['mx-not-covered', mx1]]), past('2026-03-10')], '2026-03-10'],
  ['the policy host redirects', 'still-broken', { resultType: 'sts-policy-fetch-error', receivingMxHostname: null }, { found: [['policy-redirect', 'mta-sts.ours.example']] }],
  ['the policy host could not be looked at', 'unknown', { resultType: 'sts-policy-fetch-error', receivingMxHostname: null }, { found: [['policy-not-seen', 'mta-sts.ours.example']] }],
  ['the policy has no mode', 'still-broken', { resultType: 'sts-policy-invalid', receivingMxHostname: null }, { found: [['policy-mode-missing', 'https://mta-sts.ours.example/']] }],
  ['the policy could not be read for another reason', 'unknown', { resultType: 'sts-policy-invalid', receivingMxHostname: null }, { found: [['policy-status', 'mta-sts.ours.example']] }],
  ['the policy host shows a certificate for another name', 'still-broken', { resultType: 'sts-webpki-invalid', receivingMxHostname: null }, { found: [['policy-certificate-host-mismatch', 'mta-sts.ours.example']] }],
  ['no TLSA record matches', 'still-broken', { resultType: 'tlsa-invalid' }, { found: [['dane-mismatch', `_25._tcp.${mx1}`]] }],
  ['no TLSA record at the end of the alias matches', 'still-broken', { resultType: 'tlsa-invalid' }, { found: [['dane-mismatch', `${mx1} [_25._tcp.real.example]`]] }],
  ['no TLSA record of another host matches', 'cannot-be-reproduced', { resultType: 'tlsa-invalid', senders: 1 }, { found: [['dane-mismatch', '_25._tcp.mx2.ours.example']] }, [past('2026-03-01')]],
] // prettier-ignore

for (const [name, state, given, seen, history = [], since] of cases) {
  test(`${name}: ${state}`, () => {
    const check = checked(seen)
    const found = check.findings.map(({ code, subject }) => ({ code, subject }))
    const whole = [...history, { startedAt: check.startedAt, found, mx: [mx1] }]
    const told = stateByCheck(facts(given), check, now) ?? stateByHistory(facts(given), check, whole)
    assert.equal(told.state, state, told.sentence)
    assert.equal(told.since, since)
    assert.equal(told.checkedAt, check.endedAt)
  })
}
