import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import type { JudgedPart } from '../../src/store/arrivals.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { applyRetention, type Retention } from '../../src/store/retention.ts'
import { arrival, judgedArrival, later, newKey } from '../support/arrivals.ts'
import { freshDatabase, testDatabaseOptions } from '../support/database.ts'

const limits = { commitBatch: 300, commitQueue: 10_000, unverifiedReportsPerDomainAndDay: 1_000 }
const keepAll: Retention = { rawDays: 10_000, reportDays: 10_000, refusedDays: 10_000, refusedBytes: 2 ** 40 }
const noon = (day: string) => new Date(`${day}T12:00:00Z`)

const count = async (db: Database, from: string) => (await db.query<{ n: number }>(`select count(*)::int as n from ${from}`)).rows[0]!.n // prettier-ignore

/** One report for each of these days, arrived the day after. */
async function recordDays(db: Database, days: string[]): Promise<void> {
  const recorder = makeRecorder(db, { limits, newKey })
  for (const day of days) await recorder.record(arrival({ by: 'sender.example', day }, later(86_400, noon(day))))
}

test('months go as a whole: facts with their totals, verdicts, and bytes by their own measure', async (t) => {
  const { db } = await freshDatabase(t)
  await recordDays(db, ['2025-11-10', '2025-12-10', '2026-01-10', '2026-02-10'])
  const done = await applyRetention(db, noon('2026-02-20'), { ...keepAll, rawDays: 30, reportDays: 60 })
  assert.deepEqual(done, {
    dropped: [
      'submission_raw_2025_11', 'submission_raw_2025_12',
      'submission_2025_11',
      'report_2025_11', 'policy_2025_11', 'failure_detail_2025_11', 'day_total_2025_11',
    ],
    refusedDeleted: 0,
  }) // prettier-ignore
  for (const table of ['report', 'submission']) assert.equal(await count(db, table), 3, table)
  assert.equal(await count(db, 'day_total'), 6)
  assert.equal(await count(db, 'submission_raw'), 2)
  assert.deepEqual(await verifyDayTotals(db), [])
  assert.deepEqual(await applyRetention(db, noon('2026-02-20'), { ...keepAll, rawDays: 30, reportDays: 60 }), { dropped: [], refusedDeleted: 0 }) // prettier-ignore
})

test('what was detached before a crash is dropped the next time, and nothing else', async (t) => {
  const { db } = await freshDatabase(t)
  await recordDays(db, ['2026-01-10'])
  await db.query('alter table report detach partition report_2026_01')
  await db.query('alter table report_2026_01 rename to detached_report_2026_01')
  await db.query('create table detached_notes (note text)')
  assert.deepEqual((await applyRetention(db, noon('2026-01-20'), keepAll)).dropped, [])
  const { rows } = await db.query<{ name: string }>(`select relname as name from pg_class where relname like 'detached%'`) // prettier-ignore
  assert.deepEqual(rows, [{ name: 'detached_notes' }])
})

test('what cannot be dropped yet keeps no refused bytes from being evicted', async (t) => {
  const { db, url } = await freshDatabase(t)
  await refuse(db, 'a', [60, 60])
  await db.query('create table detached_report_2026_01 ()')
  const reader = await db.connect()
  await reader.query('begin; select from detached_report_2026_01')
  const hasty = openDatabase(url, { ...testDatabaseOptions, lockTimeoutMs: 100 }, () => undefined)
  await assert.rejects(applyRetention(hasty, noon('2026-03-02'), { ...keepAll, refusedBytes: 100 }), { code: '55P03' })
  await hasty.end()
  await reader.query('rollback')
  reader.release()
  assert.deepEqual(await keptSizes(db), { a: [60] })
})

test('a month is kept while one of its days is kept, and a day longer', async (t) => {
  const { db } = await freshDatabase(t)
  await recordDays(db, ['2026-01-10'])
  const reportDays = { ...keepAll, reportDays: 10 }
  // The judge takes days from 1 February on, and an instance may still be recording what it judged a moment ago.
  assert.deepEqual((await applyRetention(db, new Date('2026-02-11T23:59:59Z'), reportDays)).dropped, [])
  assert.equal((await applyRetention(db, new Date('2026-02-12T00:00:00Z'), reportDays)).dropped.length, 5)
})

const bytesOf = (size: number) => ({ raw: Buffer.alloc(size, 7) })
const refused: JudgedPart = { judgement: { kind: 'malformed', reason: 'not-gzip', problems: [] }, dkim: [] } // prettier-ignore
const quarantined: JudgedPart = { judgement: { kind: 'quarantined', reason: 'defect' }, dkim: [] }

/** Refused submissions: `source` sends one of each of these sizes, a second apart. */
async function refuse(db: Database, source: string, sizes: number[], from = noon('2026-03-01')): Promise<void> {
  const recorder = makeRecorder(db, { limits, newKey })
  await Promise.all(sizes.map((size, i) => recorder.record(judgedArrival([refused], later(i, from), { ...bytesOf(size), source })))) // prettier-ignore
}

const keptSizes = async (db: Database) => {
  const { rows } = await db.query<{ source: string; sizes: number[] }>('select source, array_agg(size order by arrived_at) as sizes from submission_raw group by source order by source') // prettier-ignore
  return Object.fromEntries(rows.map(({ source, sizes }) => [source, sizes]))
}

test('bytes of refused submissions go by age; their verdicts stay, and so does what was not refused', async (t) => {
  const { db } = await freshDatabase(t)
  const recorder = makeRecorder(db, { limits, newKey })
  await recorder.record(judgedArrival([quarantined], noon('2026-03-01'), { ...bytesOf(1), source: 'b' }))
  await recorder.record(arrival({}, noon('2026-03-01'), bytesOf(2)))
  await refuse(db, 'a', [3, 4], noon('2026-03-01'))
  await refuse(db, 'a', [5], noon('2026-03-02'))
  const done = await applyRetention(db, later(1, noon('2026-03-15')), { ...keepAll, refusedDays: 14 })
  assert.deepEqual(done, { dropped: [], refusedDeleted: 1 })
  assert.deepEqual(await keptSizes(db), { '192.0.2.0/24': [2], a: [4, 5], b: [1] })
  assert.equal(await count(db, 'submission'), 5)
})

test("a stranger's report older than the retention is kept as a refused one is: no quota sees what has no facts", async (t) => {
  const { db } = await freshDatabase(t)
  const recorder = makeRecorder(db, { limits, newKey })
  const outdated = { outdated: true, day: '2020-01-01' }
  const file = { transport: 'file', fileName: 'old.json.gz' } as const
  await recorder.record(arrival(outdated, noon('2026-03-01'), bytesOf(1)))
  await recorder.record(arrival({ ...outdated, by: 'sender.example' }, noon('2026-03-01'), bytesOf(2)))
  await recorder.record(arrival(outdated, noon('2026-03-01'), { ...bytesOf(3), provenance: file }))
  await recorder.record(arrival([outdated, {}], noon('2026-03-01'), bytesOf(4)))
  assert.equal((await applyRetention(db, noon('2026-03-20'), { ...keepAll, refusedDays: 14 })).refusedDeleted, 1)
  assert.deepEqual(await keptSizes(db), { '192.0.2.0/24': [2, 3, 4] })
})

test('too many bytes of refused submissions cost the noisiest source its oldest ones', async (t) => {
  const { db } = await freshDatabase(t)
  await refuse(db, 'loud', [100, 200, 300, 400])
  await refuse(db, 'a quiet one', [50, 60], noon('2026-02-28'))
  assert.equal((await applyRetention(db, noon('2026-03-02'), { ...keepAll, refusedBytes: 1_110 })).refusedDeleted, 0)
  assert.equal((await applyRetention(db, noon('2026-03-02'), { ...keepAll, refusedBytes: 1_000 })).refusedDeleted, 2)
  assert.deepEqual(await keptSizes(db), { loud: [300, 400], 'a quiet one': [50, 60] })
  assert.equal((await applyRetention(db, noon('2026-03-02'), { ...keepAll, refusedBytes: 60 })).refusedDeleted, 3)
  assert.deepEqual(await keptSizes(db), { 'a quiet one': [60] })
})

test('more than a batch is deleted in several, by age and by size', async (t) => {
  const { db } = await freshDatabase(t)
  await refuse(db, 'other', [1])
  const insert = `insert into submission_raw (arrived_on, domain, arrival_key, arrived_at, form, refused, source, bytes)
    select '2026-03-01', '', gen_random_uuid(), $1::timestamptz + i * interval '1 second', 'report', true, $2, '\\x00'
    from generate_series(1, 11000) i`
  await db.query(insert, [noon('2026-02-01'), 'old'])
  await db.query(insert, [noon('2026-03-01'), 'loud'])
  const done = await applyRetention(db, noon('2026-03-02'), { ...keepAll, refusedDays: 10, refusedBytes: 101 })
  assert.equal(done.refusedDeleted, 11_000 + 10_900)
  const { rows } = await db.query(
    'select source, count(*)::int as n, min(arrived_at) as oldest from submission_raw group by source order by source',
  )
  assert.deepEqual(rows, [{ source: 'loud', n: 100, oldest: later(10_901, noon('2026-03-01')) }, { source: 'other', n: 1, oldest: noon('2026-03-01') }]) // prettier-ignore
})

test('one instance at a time acts: two at once do everything once', async (t) => {
  const { db } = await freshDatabase(t)
  await recordDays(db, ['2025-11-10', '2025-12-10'])
  await refuse(db, 'a', Array(20).fill(10) as number[])
  const retention = { ...keepAll, rawDays: 30, reportDays: 30, refusedBytes: 100 }
  const [one, two] = await Promise.all([1, 2].map(() => applyRetention(db, noon('2026-02-20'), retention)))
  const rest = await applyRetention(db, noon('2026-02-20'), retention)
  const all = [one!, two!, rest]
  assert.equal(all.reduce((sum, { refusedDeleted }) => sum + refusedDeleted, 0), 10) // prettier-ignore
  const dropped = all.flatMap((done) => done.dropped)
  assert.deepEqual([dropped.length, new Set(dropped).size], [12, 12])
})

test('what another instance is at is left to it, and nothing else: who is at the months keeps nobody from evicting', async (t) => {
  const { db } = await freshDatabase(t)
  await recordDays(db, ['2025-11-10'])
  await refuse(db, 'a', [60, 60])
  const other = await db.connect()
  const doneWhileAt = async (task: number) => {
    await other.query(`begin; select pg_advisory_xact_lock(84603, ${task})`)
    const done = await applyRetention(db, noon('2026-02-20'), { ...keepAll, reportDays: 30, refusedBytes: 100 })
    await other.query('rollback')
    return [done.dropped.length, done.refusedDeleted]
  }
  const whileMonths = await doneWhileAt(2)
  await refuse(db, 'a', [60])
  const whileRefused = await doneWhileAt(1)
  other.release()
  assert.deepEqual(whileMonths, [0, 1])
  assert.deepEqual(whileRefused, [5, 0])
})

test('a month that is being read is left for the next time, after a moment', async (t) => {
  const { db } = await freshDatabase(t)
  await recordDays(db, ['2025-11-10'])
  const reader = await db.connect()
  await reader.query('begin; select from failure_detail')
  const started = performance.now()
  await assert.rejects(applyRetention(db, noon('2026-02-20'), { ...keepAll, rawDays: 30, reportDays: 30 }), {
    code: '55P03',
  })
  assert.ok(performance.now() - started < 2_000)
  await reader.query('rollback')
  reader.release()
  assert.equal(await count(db, 'submission_raw'), 0) // What was done stays done.
  assert.equal(await count(db, 'report'), 1)
  assert.equal((await applyRetention(db, noon('2026-02-20'), { ...keepAll, rawDays: 30, reportDays: 30 })).dropped.length, 4) // prettier-ignore
})

test('reports arrive while months are dropped, and the totals hold', async (t) => {
  const { db } = await freshDatabase(t)
  await recordDays(db, ['2025-10-10', '2025-11-10', '2025-12-10'])
  const recorders = [1, 2].map(() => makeRecorder(db, { limits, newKey }))
  const under = Array.from({ length: 200 }, (_, i) => recorders[i % 2]!.record(arrival({ by: 'sender.example', reportId: `r${i}`, day: '2026-02-10' }, noon('2026-02-11')))) // prettier-ignore
  const drop = () => applyRetention(db, noon('2026-02-20'), { ...keepAll, reportDays: 30 })
  // Where a slow machine keeps a month in use for too long, it is tried again, as the service does every minute.
  for (let tries = 1; ; tries++) {
    const inUse = await drop().then(() => undefined, (error: unknown) => error) // prettier-ignore
    if (inUse === undefined) break
    assert.equal((inUse as { code?: string }).code, '55P03')
    assert.ok(tries < 10)
  }
  const outcomes = await Promise.all(under)
  const { rows: left } = await db.query<{ name: string }>(`select inhrelid::regclass::text as name from pg_inherits where inhrelid::regclass::text like '%2025%' and inhrelid::regclass::text not like 'submission_raw%'`) // prettier-ignore
  assert.deepEqual(left, [])
  assert.ok(outcomes.every(([outcome]) => outcome!.kind === 'accepted'))
  assert.equal(await count(db, 'report'), 200)
  assert.deepEqual(await verifyDayTotals(db), [])
})
