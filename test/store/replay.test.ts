import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { makeArchive, type Archive } from '../../src/store/replay.ts'
import { findArrival, listArrivals, type ArrivalPlace, type StoredArrival } from '../../src/store/stored-arrivals.ts'
import type { Arrival, JudgedPart } from '../../src/store/arrivals.ts'
import { refusal } from '../../src/tlsrpt/submission.ts'
import type { Accepted, Outcome } from '../../src/tlsrpt/verdict.ts'
import { arrival, later, newKey, type Telling } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'

const { db } = await freshDatabase()
const limits = { commitBatch: 300, commitQueue: 2_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })
const archive = makeArchive(db, { limits, newKey })

let domains = 0
const newDomain = () => `d${domains++}.example`

const notOurs: JudgedPart = { judgement: refusal('not-ours', 'not-ours', 'not ours'), dkim: [{ result: 'pass' }] }
const defect: JudgedPart = { judgement: { kind: 'quarantined', reason: 'defect' }, dkim: [] }

/** Records it as these parts, not as what it is. */
const recordAs = (arrived: Arrival, parts: JudgedPart[]) => recorder.record({ ...arrived, parts })

function keyOf(outcome: Outcome | undefined): string {
  assert.ok(outcome && outcome.kind !== 'deferred' && outcome.submissionKey !== undefined)
  return outcome.submissionKey
}

async function placeOf(outcome: Outcome | undefined): Promise<ArrivalPlace> {
  const place = await findArrival(db, keyOf(outcome))
  assert.ok(place)
  return place
}

async function read(outcome: Outcome | undefined, from: Archive = archive): Promise<StoredArrival> {
  const stored = await from.read(await placeOf(outcome))
  assert.ok(stored)
  return stored
}

/** As judged by the rules of today. */
async function judgeAgain(outcome: Outcome | undefined, parts: JudgedPart[], by: Archive = archive) {
  const judged = await by.recordAgain(await read(outcome, by), parts)
  assert.ok(Array.isArray(judged))
  return judged
}

type Row = Record<string, unknown>

/** Everything that is asked of a domain, less the keys. */
async function stateOf(domain: string) {
  const query = async (sql: string) => (await db.query<Row>(sql, [domain])).rows
  return {
    reports: await query('select report_id, trust, reporter, standing, counted, arrived_at, failed from report where domain = $1 order by report_id, failed, trust, reporter'), // prettier-ignore
    totals: await query(
      'select day, trust, successful, failed, reports from day_total where domain = $1 and reports > 0 order by 1, 2',
    ),
    policies: await query('select policy_type, trust, counted, count(*) from policy where domain = $1 group by 1, 2, 3 order by 1, 2, 3'), // prettier-ignore
    details: await query('select result_type, trust, counted, sum(failed_session_count) from failure_detail where domain = $1 group by 1, 2, 3 order by 1, 2, 3'), // prettier-ignore
  }
}

async function submissionOf(outcome: Outcome | undefined) {
  const { rows } = await db.query<Row>(
    `select s.verdict, s.reason, s.trust, s.domain, s.domains, s.problems, s.dkim, r.refused, r.domain as "rawDomain", r.bytes
     from submission s left join submission_raw r using (arrived_on, arrival_key) where s.key = $1`,
    [keyOf(outcome)],
  )
  return rows[0]!
}

test('what was refused and is acceptable now is as if it had been accepted when it came', async () => {
  for (const before of [notOurs, defect]) {
    const [domain, twin] = [newDomain(), newDomain()]
    const arrived = arrival({ by: 'sender.example', domains: [domain] })
    const [refused] = await recordAs(arrived, [before])
    assert.equal((await submissionOf(refused))['refused'], before === notOurs)
    const [judged, ...others] = await judgeAgain(refused, arrived.parts)
    assert.deepEqual(others, [])
    assert.deepEqual(judged, { key: keyOf(refused), verdict: 'accepted', reason: null, before: before.judgement.kind, reports: [{ key: judged!.reports[0]!.key, domain, verdict: 'accepted' }] }) // prettier-ignore
    assert.deepEqual(await submissionOf(refused), { verdict: 'accepted', reason: null, trust: 'verified', domain, domains: [domain], problems: [], dkim: [], refused: false, rawDomain: '', bytes: arrived.submission.raw }) // prettier-ignore

    await recorder.record(arrival({ by: 'sender.example', domains: [twin] }))
    assert.deepEqual((await stateOf(domain)).totals, (await stateOf(twin)).totals)
    assert.deepEqual((await stateOf(domain)).details, (await stateOf(twin)).details)
  }
})

test('what turns out to be older than the retention is filed under its domain, and kept as briefly as before', async () => {
  const domain = newDomain()
  for (const by of [undefined, 'sender.example']) {
    const arrived = arrival({ ...(by !== undefined && { by }), outdated: true, domains: [domain] })
    const [refused] = await recordAs(arrived, [notOurs])
    await judgeAgain(refused, arrived.parts)
    const { verdict, domains, refused: isExpendable } = await submissionOf(refused)
    assert.deepEqual([verdict, domains, isExpendable], ['accepted', [domain], by === undefined])
  }
})

test('a second time changes nothing, whatever the verdict is', async () => {
  const domain = newDomain()
  const first = arrival({ by: 'sender.example', domains: [domain] })
  const other = arrival({ by: 'sender.example', domains: [domain], failed: 99 }, later(1))
  const outcomes = [first, arrival({ domains: [domain] }, later(2)), other].map((each) => recorder.record(each))
  const told = (await Promise.all(outcomes)).flat()
  assert.deepEqual(told.map(({ kind }) => kind), ['accepted', 'duplicate', 'conflict']) // prettier-ignore
  const [refused] = await recordAs(first, [notOurs])
  const state = await stateOf(domain)
  for (const [i, parts] of [[0, first.parts], [2, other.parts]] as const) {
    const [judged] = await judgeAgain(told[i], parts)
    assert.deepEqual([judged!.verdict, judged!.before], [told[i]!.kind, told[i]!.kind])
  } // prettier-ignore
  assert.equal(await archive.read(await placeOf(told[1])), undefined, 'the bytes of what is posted again are not kept')
  const again = refusal('not-ours', 'not-ours', 'not ours')
  assert.deepEqual(await judgeAgain(refused, [{ judgement: again, dkim: [] }]), [{ key: keyOf(refused), verdict: 'not-ours', before: 'not-ours', reason: 'not-ours', reports: [] }]) // prettier-ignore
  assert.deepEqual(await stateOf(domain), state)
})

test('what stands keeps what it said, though the code of today reads it otherwise, refuses it or fails on it', async () => {
  const domain = newDomain()
  const [told] = await recorder.record(arrival({ by: 'sender.example', domains: [domain] }))
  const state = [await stateOf(domain), await submissionOf(told)]
  const otherwise = arrival({ by: 'sender.example', domains: [domain], failed: 77, reportId: 'r9' }).parts
  for (const parts of [otherwise, [notOurs], [defect], []]) {
    const judged = await judgeAgain(told, parts)
    assert.deepEqual(judged.map(({ verdict }) => verdict), ['accepted']) // prettier-ignore
    assert.deepEqual([await stateOf(domain), await submissionOf(told)], state)
  }
})

test('of a report about several domains the one that became ours is added, and the others are not counted again', async () => {
  const [ours, added] = [newDomain(), newDomain()]
  const [told] = await recorder.record(arrival({ by: 'sender.example', domains: [ours] }))
  const state = await stateOf(ours)
  const [judged] = await judgeAgain(told, arrival({ by: 'sender.example', domains: [ours, added] }).parts)
  assert.deepEqual(judged!.reports.map(({ domain, verdict }) => [domain, verdict]), [[ours, 'accepted'], [added, 'accepted']]) // prettier-ignore
  assert.deepEqual((await submissionOf(told))['domains'], [ours, added])
  assert.deepEqual(await stateOf(ours), state)
  assert.equal((await stateOf(added)).totals.length, 1)
})

test('policies that went to a domain of ours do not go to its subdomain when that becomes one', async () => {
  const [parent, child] = [newDomain(), newDomain()]
  const arrived = arrival({ by: 'sender.example', domains: [child] })
  const { judgement } = arrived.parts[0]!
  assert.ok(judgement.kind === 'accepted')
  const ofParent: Accepted = { ...judgement, domainReports: judgement.domainReports.map((part) => ({ ...part, domain: parent })) } // prettier-ignore
  const [told] = await recordAs(arrived, [{ judgement: ofParent, dkim: [] }])
  await judgeAgain(told, arrived.parts)
  assert.deepEqual((await stateOf(child)).totals, [])
})

test('all parts of a mail are judged together, and parts that are new are added', async () => {
  const domain = newDomain()
  const tellings = ['r1', 'r2', 'r3'].map((reportId): Telling => ({
    reportId,
    by: 'sender.example',
    domains: [domain],
  }))
  const arrived = arrival(tellings)
  const [first, second] = await recordAs(arrived, [arrived.parts[0]!, notOurs])
  const judged = await judgeAgain(second, arrived.parts)
  assert.deepEqual(judged.map(({ verdict, before }) => [before, verdict]), [['accepted', 'accepted'], ['not-ours', 'accepted'], [null, 'accepted']]) // prettier-ignore
  assert.deepEqual(judged.slice(0, 2).map(({ key }) => key), [keyOf(first), keyOf(second)]) // prettier-ignore
  const { rows } = await db.query('select part from submission where $1 = any(domains) order by part', [domain])
  assert.deepEqual(rows, [{ part: 0 }, { part: 1 }, { part: 2 }])
  assert.deepEqual((await judgeAgain(second, arrived.parts)).map(({ before }) => before), ['accepted', 'accepted', 'accepted']) // prettier-ignore
  assert.equal((await stateOf(domain)).reports.length, 3)
})

test('a new refusal takes the place of the old one, and a defect that of a refusal', async () => {
  const [refused] = await recordAs(arrival({}), [notOurs])
  const unsigned: JudgedPart = { judgement: refusal('unauthenticated', 'no-signature', 'unsigned'), dkim: [] }
  await judgeAgain(refused, [unsigned])
  const { verdict, reason, refused: short } = await submissionOf(refused)
  assert.deepEqual([verdict, reason, short], ['unauthenticated', 'no-signature', true])
  await judgeAgain(refused, [defect])
  const now = await submissionOf(refused)
  assert.deepEqual([now['verdict'], now['reason'], now['problems'], now['refused']], ['quarantined', 'defect', [], false]) // prettier-ignore
})

test('values that the database refuses put it into quarantine, and it stays there until they are mended', async () => {
  const domain = newDomain()
  const arrived = arrival({ by: 'sender.example', domains: [domain] })
  const [refused] = await recordAs(arrived, [notOurs])
  const bad = arrival({ by: 'sender\0.example', domains: [domain] }).parts
  for (let i = 0; i < 2; i++) assert.deepEqual((await judgeAgain(refused, bad)).map(({ verdict, reason }) => [verdict, reason]), [['quarantined', 'store-refused-values']]) // prettier-ignore
  assert.deepEqual(
    (await judgeAgain(refused, arrived.parts)).map(({ verdict }) => verdict),
    ['accepted'],
  )
})

test('the bound on unverified reports holds: then nothing changes, and it may be tried again', async () => {
  const domain = newDomain()
  const narrow = makeArchive(db, { limits: { unverifiedReportsPerDomainAndDay: 1 }, newKey })
  await recorder.record(arrival({ domains: [domain] }))
  const arrived = arrival({ domains: [domain], reportId: 'r2' })
  const [refused] = await recordAs(arrived, [notOurs])
  const before = await submissionOf(refused)
  assert.deepEqual(await narrow.recordAgain(await read(refused), arrived.parts), { kind: 'deferred', reason: 'unverified-quota' }) // prettier-ignore
  assert.deepEqual(await submissionOf(refused), before)
})

test('without its bytes nothing is judged again', async () => {
  const arrived = arrival({ by: 'sender.example', domains: [newDomain()] })
  const [refused] = await recordAs(arrived, [notOurs])
  const stored = await read(refused)
  await db.query('delete from submission_raw where arrival_key = $1', [stored.place.arrivalKey])
  assert.equal(await archive.read(stored.place), undefined)
  assert.equal(await archive.recordAgain(stored, arrived.parts), undefined) // Gone between reading and recording.
  assert.equal((await submissionOf(refused))['verdict'], 'not-ours')
})

test('two at once judge one arrival one after the other, and it counts once', async () => {
  const domain = newDomain()
  const arrived = arrival({ by: 'sender.example', domains: [domain] })
  const [refused] = await recordAs(arrived, [notOurs])
  const both = await Promise.all([1, 2, 3, 4].map(() => judgeAgain(refused, arrived.parts)))
  assert.deepEqual(both.map(([judged]) => judged!.before).sort(), ['accepted', 'accepted', 'accepted', 'not-ours']) // prettier-ignore
  assert.equal((await stateOf(domain)).reports.length, 1)
})

test('the arrivals to judge are listed in order, once each, by day and by verdict', async () => {
  const { db: own } = await freshDatabase()
  const writer = makeRecorder(own, { limits, newKey })
  const days = ['2026-03-01', '2026-03-02', '2026-04-01'].map((day) => new Date(`${day}T05:00:00Z`))
  for (const at of days) {
    const arrived = arrival([{ reportId: `a${at.toISOString()}` }, { reportId: `b${at.toISOString()}` }], at)
    await writer.record(arrived)
    await writer.record({ ...arrived, parts: [notOurs, notOurs] })
  }
  const list = async (asked: { since?: string; verdicts?: string[] }, last = newKey(new Date('2026-05-01'))) => {
    const found: string[] = []
    for await (const { arrivedOn } of listArrivals(own, { ...asked, last })) found.push(arrivedOn)
    return found
  }
  assert.deepEqual(await list({}), ['2026-03-01', '2026-03-01', '2026-03-02', '2026-03-02', '2026-04-01', '2026-04-01']) // prettier-ignore
  assert.deepEqual(await list({ since: '2026-03-02', verdicts: ['accepted'] }), ['2026-03-02', '2026-04-01'])
  assert.deepEqual(await list({ verdicts: ['not-ours'] }, newKey(new Date('2026-03-01T12:00:00Z'))), ['2026-03-01'])
  assert.deepEqual(await list({ verdicts: ['malformed'] }), [])
})

test('more arrivals than go into one answer of the database are all listed', async () => {
  const { db: own } = await freshDatabase()
  const writer = makeRecorder(own, { limits, newKey })
  await Promise.all(Array.from({ length: 1_001 }, (_, i) => writer.record({ ...arrival({}, later(i)), parts: [notOurs] }))) // prettier-ignore
  const keys = new Set<string>()
  for await (const { arrivalKey } of listArrivals(own, { last: newKey(later(86_400)) })) keys.add(arrivalKey)
  assert.equal(keys.size, 1_001)
})

/** Few words, so that they meet: repeats, contradictions, verified and not. */
const telling = fc.record({
  by: fc.constantFrom('one.example', 'two.example', undefined),
  reportId: fc.constantFrom('r1', 'r2'),
  failed: fc.constantFrom(1, 2),
  as: fc.constantFrom('accepted', 'not-ours', 'defect'),
})

test('stopped anywhere and begun again, judging again ends where it would have ended had nothing ever been refused', async () => {
  const runs = fc.array(telling, { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(runs, fc.array(fc.nat(6), { maxLength: 2 }), async (tellings, stops) => {
      const [domain, straight] = [newDomain(), newDomain()]
      const arrivals = (to: string) =>
        tellings.map(({ by, reportId, failed }, i) =>
          arrival({ reportId, failed, ...(by !== undefined && { by }), domains: [to] }, later(i)),
        )
      for (const arrived of arrivals(straight)) await recorder.record(arrived)
      const outcomes: (Outcome | undefined)[] = []
      for (const [i, arrived] of arrivals(domain).entries()) {
        const as = tellings[i]!.as
        const parts = as === 'accepted' ? arrived.parts : [as === 'defect' ? defect : notOurs]
        outcomes.push((await recordAs(arrived, parts))[0])
      }
      for (const stop of [...stops, tellings.length]) {
        for (const [i, arrived] of arrivals(domain).slice(0, stop).entries()) {
          const stored = await archive.read(await placeOf(outcomes[i]))
          if (stored) assert.ok(Array.isArray(await archive.recordAgain(stored, arrived.parts)))
          else assert.equal(outcomes[i]?.kind, 'duplicate')
        }
      }
      assert.deepEqual(await stateOf(domain), await stateOf(straight))
    }),
    { numRuns: 60 },
  )
  assert.deepEqual(await verifyDayTotals(db), [])
})
