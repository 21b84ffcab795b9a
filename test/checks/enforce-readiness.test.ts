/** "Can I enforce?": every way to a no, and the one to a yes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../src/checks/check.ts'
import { judgeReadiness, type BlockerCode, type Evidence } from '../../src/checks/enforce-readiness.ts'
import { finding } from '../../src/checks/findings/finding.ts'
import { formatPolicy, parsePolicy, type StsPolicy } from '../../src/mtasts/policy.ts'

const now = new Date('2026-03-20T12:00:00Z')
const window = { from: '2026-02-19', to: '2026-03-21' }
const thresholds = { minSessions: 100, minReporters: 2 }
const live: StsPolicy = { mode: 'testing', maxAge: 604_800, mx: ['mx1.ours.example', 'mx2.ours.example'] }
const old: StsPolicy = { ...live, mx: ['mx1.ours.example'] }
const stringOf = (policy: StsPolicy) => formatPolicy(policy).trim().split('\r\n')

type Changes = { policy?: StsPolicy | undefined; id?: string | undefined; mx2?: 'delivers' | 'refuses' | 'partly' | 'unknown'; endedAt?: string } // prettier-ignore

function checked({
  policy = live,
  id = 'now1',
  mx2 = 'delivers',
  endedAt = '2026-03-20T06:00:00.000Z',
}: Changes = {}): Check {
  // prettier-ignore
  const mx = (host: string, enforce: 'delivers' | 'refuses' | 'partly' | 'unknown') => ({ host, preference: 10, patterns: [host], enforce, addresses: [] }) // prettier-ignore
  return {
    domain: 'ours.example',
    startedAt: endedAt,
    endedAt,
    severity: 'ok',
    findings: [],
    observed: {
      stsRecord: { records: [], aliases: [], ...(id !== '' && { id }) },
      ...(policy.mode !== 'none' && { policy: { text: formatPolicy(policy), sha256: '', fetched: true, valid: true, ...policy } }), // prettier-ignore
      policyHost: { host: 'mta-sts.ours.example' },
      mx: [mx('mx1.ours.example', 'delivers'), mx('mx2.ours.example', mx2)],
    },
  }
}

const sessions = (day: string, reporter: string, successful: number, failed = 0, policy = live) => ({ day, reporter, policyString: stringOf(policy), successful, failed }) // prettier-ignore
const failure = (day: string, resultType: string, failed = 5, { policy = live, policyType = 'sts', mx = 'mx2.ours.example' } = {}) => ({ day, reporter: 'one.example', policyType, policyString: stringOf(policy), resultType, mx, failed }) // prettier-ignore

const good: Evidence['sessions'] = [
  sessions('2026-03-17', 'one.example', 80),
  sessions('2026-03-18', 'two.example', 40),
  sessions('2026-03-19', 'one.example', 30),
]

const judge = (evidence: Partial<Evidence>, check: Check | undefined = checked(), limits = thresholds) =>
  judgeReadiness('ours.example', { sessions: [], failures: [], ...evidence }, check, window, limits, now)
const codes = (evidence: Partial<Evidence>, check?: Check): BlockerCode[] =>
  judge(evidence, check).blockers.map(({ code }) => code)

test('enough sessions of two known reporters, a clean check: ready, with the two edits', () => {
  const answer = judge({ sessions: good })
  assert.equal(answer.verdict, 'ready', JSON.stringify(answer.blockers))
  assert.deepEqual(answer.clean, { since: window.from, sessions: 150, reporters: ['one.example', 'two.example'] })
  const read = parsePolicy(answer.edits!.policy)
  assert.deepEqual(read.kind === 'valid' && read.policy, { ...live, mode: 'enforce' })
  assert.match(answer.edits!.record, /^v=STSv1; id=[0-9a-f]{16};$/)
})

test('without reports nothing is known, however clean the check is', () => {
  assert.equal(judge({}).verdict, 'not-enough-evidence')
  assert.deepEqual(codes({}), ['too-few-sessions', 'too-few-reporters'])
})

test('one reporter is not enough, however much he tells of', () => {
  assert.deepEqual(codes({ sessions: [sessions('2026-03-18', 'one.example', 10_000)] }), ['too-few-reporters'])
})

test('no check, or one of last week, is not enough', () => {
  const unchecked = judgeReadiness('ours.example', { sessions: good, failures: [] }, undefined, window, thresholds, now)
  assert.equal(unchecked.verdict, 'not-enough-evidence')
  assert.deepEqual(unchecked.blockers.map(({ code }) => code), ['not-checked']) // prettier-ignore
  assert.deepEqual(codes({ sessions: good }, checked({ endedAt: '2026-03-13T06:00:00.000Z' })), ['check-too-old'])
})

for (const type of ['starttls-not-supported', 'certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted', 'validation-failure', 'sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid', 'word-of-the-senders-own']) {
  test(`${type} that goes on stands in the way`, () => {
    const answer = judge({ sessions: [...good, sessions('2026-03-20', 'one.example', 9, 5)], failures: [failure('2026-03-20', type)] }) // prettier-ignore
    assert.equal(answer.verdict, 'not-ready')
    assert.match(answer.blockers[0]!.sentence, new RegExp(`${type} on mx2.ours.example: 5 sessions of one.example failed`))
    assert.deepEqual(answer.wouldHaveBeenRefused, { sessions: 5, of: [{ resultType: type, mx: 'mx2.ours.example', sessions: 5, reporters: ['one.example'], lastSeen: '2026-03-20' }] }) // prettier-ignore
  })
} // prettier-ignore

test('what fails under DANE is refused already, and says nothing about MTA-STS', () => {
  assert.equal(judge({ sessions: good, failures: [failure('2026-03-19', 'tlsa-invalid', 5, { policyType: 'tlsa' })] }).verdict, 'ready') // prettier-ignore
})

test('after a failure the count begins anew: the fix has to be told of by as many sessions', () => {
  const failures = [failure('2026-03-16', 'certificate-expired')]
  const failing = sessions('2026-03-16', 'one.example', 500, 5)
  const soon = judge({ sessions: [failing, sessions('2026-03-17', 'one.example', 50)], failures })
  assert.equal(soon.verdict, 'not-enough-evidence')
  assert.equal(soon.clean.since, '2026-03-17')
  assert.equal(soon.clean.sessions, 50)
  const later = judge({ sessions: [failing, ...good], failures })
  assert.equal(later.verdict, 'ready')
  assert.equal(later.wouldHaveBeenRefused.sessions, 5, 'what would have been refused is told all the same')
})

test('only what came under the policy published now is evidence, however its text is written', () => {
  const under = (policy: StsPolicy) => good.map((row) => ({ ...row, policyString: stringOf(policy) }))
  assert.equal(judge({ sessions: under(old) }).verdict, 'not-enough-evidence')
  assert.equal(judge({ sessions: under({ ...live, mx: live.mx.toReversed() }) }).verdict, 'ready')
})

test('a failure under an older policy is over with it; one without a readable policy is not', () => {
  const older = [failure('2026-03-19', 'validation-failure', 5, { policy: old })]
  assert.equal(judge({ sessions: good, failures: older }).verdict, 'ready')
  const unread = [{ ...failure('2026-03-20', 'sts-policy-fetch-error'), policyString: [] }]
  assert.deepEqual(codes({ sessions: good, failures: unread }).slice(0, 1), ['failing'])
})

test('failed sessions that no detail tells of stand in the way as well', () => {
  const answer = judge({ sessions: [...good, sessions('2026-03-20', 'one.example', 200, 1)] })
  assert.equal(answer.clean.since, '2026-03-21')
  assert.notEqual(answer.verdict, 'ready')
})

test('an MX that an enforcing sender would refuse now is a no, one that could not be seen is not known', () => {
  assert.deepEqual(codes({ sessions: good }, checked({ mx2: 'refuses' })), ['mx-would-be-refused'])
  assert.deepEqual(codes({ sessions: good }, checked({ mx2: 'partly' })), ['mx-would-be-refused'])
  const unseen = judge({ sessions: good }, checked({ mx2: 'unknown' }))
  assert.equal(unseen.verdict, 'not-enough-evidence')
})

test('without a record or a policy there is nothing to enforce', () => {
  assert.ok(codes({ sessions: good }, checked({ id: '' })).includes('no-sts-record'))
  const bare = judge({ sessions: good }, checked({ policy: { ...live, mode: 'none' } }))
  assert.equal(bare.verdict, 'not-ready')
  assert.equal(bare.edits, undefined)
})

/** A check that saw less, or found more. */
const seen = (change: Partial<Check['observed']>, found: Check['findings'] = []): Check => {
  const { observed, ...check } = checked()
  return { ...check, findings: found, observed: { ...observed, ...change } }
}

test('what the last check could not see is not known: the record, the policy, the MX hosts', () => {
  const { stsRecord: _, ...noRecord } = seen({}).observed
  assert.deepEqual(codes({ sessions: good }, { ...checked(), observed: noRecord }), ['sts-record-not-seen'])
  const { mx: _mx, ...noMx } = seen({}).observed
  assert.deepEqual(codes({ sessions: good }, { ...checked(), observed: noMx }), ['mx-not-seen'])
  const tooMany = seen({}, [finding('mx-too-many', 'ours.example', 'There are more.')])
  assert.deepEqual(codes({ sessions: good }, tooMany), ['mx-not-seen'])
  const { policy: _policy, ...noPolicy } = seen({}).observed
  const passing = { ...seen({}, [finding('policy-not-seen', 'mta-sts.ours.example', 'Just now.')]), observed: noPolicy }
  const unseen = judge({ sessions: good }, passing)
  assert.deepEqual([unseen.verdict, unseen.blockers.map(({ code }) => code)], ['not-enough-evidence', ['policy-not-seen']]) // prettier-ignore
})

test('a domain without MX hosts, and a policy of mode none, are a no', () => {
  assert.deepEqual(codes({ sessions: good }, seen({ mx: [] })), ['no-mx'])
  const none: StsPolicy = { mode: 'none', maxAge: 86_400, mx: [] }
  const answer = judge({}, seen({ policy: { text: formatPolicy(none), sha256: '', fetched: true, valid: true, ...none } })) // prettier-ignore
  assert.deepEqual([answer.verdict, answer.blockers[0]!.code, answer.edits], ['not-ready', 'no-policy', undefined])
})

test('a failure is over only when one of those who told of it has been back', () => {
  const failures = [failure('2026-03-16', 'certificate-expired')]
  const failing = sessions('2026-03-16', 'one.example', 500, 5)
  const others = [sessions('2026-03-17', 'two.example', 200), sessions('2026-03-17', 'three.example', 200)]
  assert.deepEqual(codes({ sessions: [failing, ...others], failures }), ['failing'])
  assert.deepEqual(codes({ sessions: [failing, ...others, sessions('2026-03-18', 'one.example', 1)], failures }), [])
})

test('the id of the edit is another one than the live one, also where the mode was set back without a new id', () => {
  const enforced = judge({ sessions: good }).edits!.record
  const id = /id=([0-9a-f]+)/.exec(enforced)![1]!
  const again = judge({ sessions: good }, checked({ id })).edits!.record
  assert.notEqual(again, enforced)
  assert.match(again, /^v=STSv1; id=[0-9A-Za-z]{1,32};$/)
})

test('a domain that has DANE alone has nothing that could be enforced, however well it does', () => {
  const { policy: _, ...observed } = seen({ stsRecord: { records: [], aliases: [] } }).observed
  const answer = judge({ sessions: [] }, { ...checked(), observed })
  assert.equal(answer.verdict, 'not-ready')
  assert.deepEqual(answer.blockers.map(({ code }) => code), ['no-sts-record', 'no-policy', 'too-few-sessions', 'too-few-reporters']) // prettier-ignore
  assert.deepEqual([answer.mode, answer.edits], [undefined, undefined])
})

test('wildcards, letter case and keys that nobody knows make no other policy; another pattern or max_age does', () => {
  const wild: StsPolicy = { ...live, mx: ['*.ours.example'] }
  const check = seen({ policy: { text: formatPolicy(wild), sha256: '', fetched: true, valid: true, ...wild } })
  const under = (lines: string[]) => codes({ sessions: good.map((row) => ({ ...row, policyString: lines })) }, check)
  assert.deepEqual(under(['mx: *.Ours.Example', 'version: STSv1', 'x-note: hello', 'max_age: 604800  ', 'mode: testing']), []) // prettier-ignore
  assert.ok(under(stringOf(live)).includes('too-few-sessions'))
  assert.ok(under(stringOf({ ...wild, maxAge: 86_400 })).includes('too-few-sessions'))
})

test('on the day on which the policy was changed each report counts by the policy that it tells of', () => {
  const changed = [
    sessions('2026-03-19', 'one.example', 500, 0, old),
    sessions('2026-03-19', 'one.example', 70),
    sessions('2026-03-19', 'two.example', 70),
  ]
  const answer = judge({ sessions: changed, failures: [failure('2026-03-19', 'validation-failure', 5, { policy: old })] }) // prettier-ignore
  assert.deepEqual([answer.verdict, answer.clean.sessions], ['ready', 140])
})
