/** GET /v1/domains/{domain}/readiness over the real store: whose word counts, under which policy, and when it says yes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../src/checks/check.ts'
import type { EnforceVerdict } from '../../src/checks/findings/mx-hosts.ts'
import { formatPolicy, parsePolicy, type StsPolicy } from '../../src/mtasts/policy.ts'
import { keyAt } from '../../src/keys.ts'
import { recordCheck } from '../../src/store/checks.ts'
import { adminToken, call, noon, startApi, tokenFor, type Body } from '../support/api.ts'
import { aDetail, aPolicy, aReport, insertReports, type PolicyFact, type ReportFact } from '../support/rows.ts'

const live: StsPolicy = { mode: 'testing', maxAge: 604_800, mx: ['mx1.ours.example', 'mx2.ours.example'] }
const stringOf = (policy: StsPolicy) => formatPolicy(policy).trim().split('\r\n')

const api = await startApi({ any: true })

/** A domain of its own in the one store; what is said of ours.example is said of it. */
type World = {
  name: string
  tell: (reports: readonly ReportFact[]) => Promise<void>
  look: (mx2?: EnforceVerdict, at?: Date, policy?: StsPolicy) => Promise<void>
  /** What the service says now. */
  ask: (query?: string) => Promise<Body>
  blockers: (query?: string) => Promise<string[]>
}

let worlds = 0

function startWorld(): World {
  const name = `ours${++worlds}.example`
  const ask = async (query = '') => {
    const { status, json, body } = await api.get(`/v1/domains/${name}/readiness${query}`)
    assert.equal(status, 200, body)
    return json
  }
  const moved = ({ policies, ...report }: ReportFact): ReportFact => ({
    ...report,
    domain: name,
    policies: policies.map((policy) => ({
      ...policy,
      policyDomain: policy.policyDomain.replace(/ours\.example$/, name),
    })),
  })
  return {
    name,
    ask,
    blockers: async (query = '') => ((await ask(query))['blockers'] as { code: string }[]).map(({ code }) => code),
    tell: (reports) => insertReports(api.db, reports.map(moved)),
    look: (mx2 = 'delivers', at = noon, policy = live) => recordCheck(api.db, { key: keyAt(at), askedBy: null, check: checkOf(name, mx2, at, policy) }), // prettier-ignore
  }
}

/** Days are those of November 2026. */
const told = (day: number, reporter: string, given: Partial<PolicyFact> = {}, of: Partial<ReportFact> = {}) =>
  aReport({ day: `2026-11-${day}`, reporter, policies: [aPolicy({ policyString: stringOf(live), successful: 60n, ...given })], ...of }) // prettier-ignore

const clean = [told(18, 'google.com'), told(19, 'microsoft.com'), told(20, 'google.com')]
const expired = aDetail({ receivingMxHostname: 'mx2.ours.example', failed: 4n })

function checkOf(domain: string, mx2: EnforceVerdict, at: Date, policy: StsPolicy): Check {
  const mx = (host: string, enforce: EnforceVerdict) => ({ host, preference: 10, patterns: [host], enforce, addresses: [] }) // prettier-ignore
  return {
    domain,
    startedAt: at.toISOString(),
    endedAt: at.toISOString(),
    severity: 'ok',
    findings: [],
    observed: {
      stsRecord: { records: [], aliases: [], id: 'now1' },
      policy: { text: formatPolicy(policy), sha256: '', fetched: true, valid: true, ...policy },
      policyHost: { host: `mta-sts.${domain}` },
      mx: [mx('mx1.ours.example', 'delivers'), mx('mx2.ours.example', mx2)],
    },
  }
}

const stand = (reporter: string, standing: string) =>
  call(api.api, 'PATCH', `/v1/reporters/${reporter}`, { body: { standing }, headers: { authorization: `Bearer ${adminToken}` } }) // prettier-ignore

test('two known reporters, enough sessions, and a clean check of today: ready, and what was asked is stated', async () => {
  const world = startWorld()
  await world.tell(clean)
  await world.look()
  const answer = await world.ask()
  assert.equal(answer['verdict'], 'ready', JSON.stringify(answer['blockers']))
  assert.deepEqual(answer['clean'], { since: '2026-10-23', sessions: 180, reporters: ['google.com', 'microsoft.com'] })
  assert.deepEqual(answer['thresholds'], { min_sessions: 100, min_reporters: 2 })
  assert.deepEqual([answer['mode'], answer['checked_at'], answer.window], ['testing', noon.toISOString(), { from: '2026-10-23', to: '2026-11-22' }]) // prettier-ignore
  const edits = answer['edits'] as { policy: string; record: string }
  const read = parsePolicy(edits.policy)
  assert.deepEqual(read.kind === 'valid' && read.policy, { ...live, mode: 'enforce' })
  assert.match(edits.record, /^v=STSv1; id=[0-9a-zA-Z]{1,32};$/)
  assert.doesNotMatch(edits.record, /now1/)
})

test('the thresholds and the window are those that are asked for', async () => {
  const world = startWorld()
  await world.tell(clean)
  await world.look()
  assert.deepEqual(await world.blockers('?min_sessions=181'), ['too-few-sessions'])
  assert.deepEqual(await world.blockers('?min_sessions=180&min_reporters=3'), ['too-few-reporters'])
  assert.deepEqual(await world.blockers('?from=2026-11-20&min_reporters=1&min_sessions=60'), [])
  for (const query of ['?min_sessions=0', '?min_reporters=x', '?from=2026-11-22&to=2026-11-20', '?what=1'])
    assert.equal((await api.get(`/v1/domains/${world.name}/readiness${query}`)).status, 400, query)
})

test('only verified reports of reporters that are known count, as their standing is now', async (t) => {
  const world = startWorld()
  await world.look()
  await world.tell([
    told(19, 'google.com'),
    told(19, 'stranger.example'),
    told(19, 'nobody', {}, { trust: 'unverified', reporter: null, organization: 'google.com' }),
    told(19, 'google.com', {}, { standing: 'excluded' }),
  ])
  const reporters = async () => ((await world.ask())['clean'] as { reporters: string[] }).reporters
  assert.deepEqual(await reporters(), ['google.com'])
  await stand('stranger.example', 'known')
  assert.deepEqual(await reporters(), ['google.com', 'stranger.example'])
  assert.equal((await world.ask())['verdict'], 'ready')
  t.after(async () => {
    await stand('google.com', 'known')
    await stand('stranger.example', 'new')
  })
  await stand('google.com', 'new')
  assert.deepEqual(await reporters(), ['stranger.example'])
  assert.equal((await world.ask())['verdict'], 'not-enough-evidence')
  await stand('stranger.example', 'blocked')
  assert.deepEqual(await reporters(), [])
})

test('a failure that a stranger tells of stands in nobody’s way', async () => {
  const world = startWorld()
  await world.look()
  await world.tell([...clean, told(20, 'stranger.example', { failed: 4n, details: [expired] })])
  assert.deepEqual(await world.blockers(), [])
})

test('only sessions under the policy published now are evidence, and failures under an older one are over', async () => {
  const world = startWorld()
  const older = { policyString: stringOf({ ...live, mx: ['mx1.ours.example'] }) }
  await world.look()
  await world.tell([
    told(18, 'google.com', { ...older, failed: 4n, details: [expired] }),
    told(18, 'microsoft.com', older),
  ])
  assert.deepEqual(await world.blockers(), ['too-few-sessions', 'too-few-reporters'])
  await world.tell([told(19, 'google.com'), told(19, 'microsoft.com', { policyString: stringOf({ ...live, mx: live.mx.toReversed() }) })]) // prettier-ignore
  assert.deepEqual(await world.blockers(), [])
  const refused = (await world.ask())['would_have_been_refused']
  assert.deepEqual(refused, { sessions: 4, of: [{ result_type: 'certificate-expired', mx: 'mx2.ours.example', sessions: 4, reporters: ['google.com'], last_seen: '2026-11-18' }] }) // prettier-ignore
})

test('a policy of a subdomain is another one', async () => {
  const world = startWorld()
  await world.look()
  const ofSub = { policyDomain: 'sub.ours.example', policyType: 'no-policy-found', policyString: [], policyMode: null }
  await world.tell([...clean, told(20, 'google.com', { ...ofSub, failed: 4n, details: [expired] })])
  assert.deepEqual(await world.blockers(), [])
})

for (const [policyType, resultType, stands] of [
  ['sts', 'starttls-not-supported', true],
  ['sts', 'validation-failure', true],
  ['sts', 'sts-webpki-invalid', true],
  ['sts', 'a-word-of-the-senders-own', true],
  ['no-policy-found', 'starttls-not-supported', true],
  ['no-policy-found', 'certificate-host-mismatch', true],
  ['tlsa', 'starttls-not-supported', true],
  ['tlsa', 'certificate-expired', true],
  ['tlsa', 'tlsa-invalid', false],
  ['tlsa', 'certificate-not-trusted', false],
] as const) {
  test(`${resultType} under ${policyType} ${stands ? 'stands' : 'does not stand'} in the way`, async () => {
    const world = startWorld()
    await world.look()
    const given = policyType === 'sts' ? {} : { policyType, policyString: [], policyMode: null, ...(policyType === 'tlsa' && { policyDomain: 'mx2.ours.example' }) } // prettier-ignore
    const details = [{ ...expired, resultType }]
    await world.tell([...clean, told(20, 'google.com', { ...given, failed: 4n, details })])
    assert.equal((await world.blockers()).includes('failing'), stands)
  })
}

test('failures that no detail tells of are told, and stand in the way', async () => {
  const world = startWorld()
  await world.look()
  await world.tell([...clean, told(20, 'microsoft.com', { failed: 6n, details: [expired] })])
  const answer = await world.ask()
  const refused = answer['would_have_been_refused'] as { sessions: number; of: { result_type: string; sessions: number }[] } // prettier-ignore
  assert.deepEqual([refused.sessions, refused.of.map(({ result_type, sessions }) => [result_type, sessions])], [6, [['certificate-expired', 4], ['unattributed', 2]]]) // prettier-ignore
  assert.match(JSON.stringify(answer['blockers']), /Failures that no report gives a detail of: 2 sessions of microsoft\.com failed/) // prettier-ignore
})

test('what a report tells under DANE and under MTA-STS may be the same sessions, and is not added up', async () => {
  const world = startWorld()
  await world.look()
  const sts = aPolicy({ policyString: stringOf(live), failed: 4n, details: [{ ...expired, resultType: 'starttls-not-supported' }] }) // prettier-ignore
  const dane = aPolicy({ policyType: 'tlsa', policyMode: null, policyDomain: 'mx2.ours.example', primary: false, failed: 5n, details: [{ ...expired, resultType: 'starttls-not-supported', failed: 5n }] }) // prettier-ignore
  await world.tell([told(20, 'google.com', {}, { policies: [sts, dane] })])
  const { sessions } = (await world.ask())['would_have_been_refused'] as { sessions: number }
  assert.equal(sessions, 5)
})

test('it flips to ready only after the fix, a check that sees it, and reports that tell of it', async () => {
  const world = startWorld()
  await world.look('refuses', new Date('2026-11-19T06:00:00Z'))
  await world.tell([told(17, 'google.com', { successful: 500n }), told(18, 'google.com', { failed: 4n, details: [expired] }), told(18, 'microsoft.com')]) // prettier-ignore
  const verdict = async () => (await world.ask())['verdict']
  assert.equal(await verdict(), 'not-ready')
  assert.deepEqual(await world.blockers(), ['check-too-old', 'mx-would-be-refused', 'failing', 'too-few-sessions', 'too-few-reporters']) // prettier-ignore
  await world.look('delivers', noon)
  assert.deepEqual(await world.blockers(), ['failing', 'too-few-sessions', 'too-few-reporters'])
  await world.tell([told(19, 'microsoft.com', { successful: 500n })])
  assert.deepEqual(await world.blockers(), ['failing', 'too-few-reporters'], 'who told of it has not been back')
  await world.tell([told(20, 'google.com', { successful: 1n })])
  assert.equal(await verdict(), 'ready')
  const { sessions } = (await world.ask())['would_have_been_refused'] as { sessions: number }
  assert.equal(sessions, 4, 'what would have been refused in the window stays told')
})

test('what is enforced already has no edits; of mode none there is nothing to enforce', async () => {
  const world = startWorld()
  await world.look('delivers', new Date(noon.getTime() - 2000), { ...live, mode: 'enforce' })
  assert.equal((await world.ask())['edits'], undefined)
  assert.equal((await world.ask())['mode'], 'enforce')
  await world.look('delivers', noon, { mode: 'none', maxAge: 86_400, mx: [] })
  const none = await world.ask()
  assert.deepEqual([none['verdict'], none['edits']], ['not-ready', undefined])
  assert.ok((await world.blockers()).includes('no-policy'))
})

test('another tenant’s domain is as if it were not there, and so is one of nobody', async (t) => {
  const walled = await startApi({ environment: [{ domain: 'ours.example', includeSubdomains: true, mx: [] }] }, t)
  const ask = async (name: string, headers?: Record<string, string>) =>
    (await call(walled.api, 'GET', `/v1/domains/${name}/readiness`, headers && { headers })).status
  const theirs = await tokenFor(walled.db, ['theirs.example'], ['read'])
  const ours = await tokenFor(walled.db, ['ours.example'], ['read'])
  assert.equal(await ask('ours.example', theirs), 404)
  assert.equal(await ask('nobody.example'), 404)
  assert.equal(await ask('ours.example', ours), 200)
  assert.equal(await ask('Ours.Example.'), 200)
  assert.equal(await ask('ours.example', {}), 401)
})
