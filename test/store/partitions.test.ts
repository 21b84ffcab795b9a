import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { arrivalTables, factTables, makePartitions } from '../../src/store/partitions.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { arrival, later, newKey } from '../support/arrivals.ts'
import { freshDatabase, testDatabaseOptions } from '../support/database.ts'

async function partitionsOf(db: Database, table: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string; bound: string }>(
    `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound
     from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass order by c.relname`,
    [table],
  )
  return rows.map(({ name, bound }) => `${name} ${bound}`)
}

test('the months of reports and of arrivals get partitions, each in their own tables', async (t) => {
  const { db } = await freshDatabase(t)
  await makePartitions(db)({ reported: ['2026-02-28', '2025-12-01', '2026-02-01'], arrived: ['2026-03-02'] })
  for (const table of factTables) {
    assert.deepEqual(await partitionsOf(db, table), [
      `${table}_2025_12 FOR VALUES FROM ('2025-12-01') TO ('2026-01-01')`,
      `${table}_2026_02 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')`,
      `${table}_default DEFAULT`,
    ])
  }
  for (const table of arrivalTables) {
    assert.deepEqual(await partitionsOf(db, table), [
      `${table}_2026_03 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')`,
      `${table}_default DEFAULT`,
    ])
  }
})

test('a partition has the keys, the indexes and the checks of its table', async (t) => {
  const { db } = await freshDatabase(t)
  await makePartitions(db)({ reported: ['2026-02-01'], arrived: ['2026-02-01'] })
  const { rows } = await db.query<{ name: string; indexes: string; checks: string; external: string }>(
    `select regexp_replace(c.relname, '_(default|2026_02)$', '') as name,
            (select count(*) from pg_index where indrelid = c.oid) as indexes,
            (select count(*) from pg_constraint where conrelid = c.oid and contype in ('p', 'c')) as checks,
            (select count(*) from pg_attribute where attrelid = c.oid and attstorage = 'e' and attname = 'bytes') as external
     from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relkind = 'r'`,
  )
  for (const [name, [one, other, ...more]] of Map.groupBy(rows, (row) => row.name)) {
    assert.deepEqual([one, more], [other, []], name)
  }
  const { rows: loose } = await db.query(
    `select c.relname from pg_class c where c.relkind = 'i' and c.relname like '%2026_02%'
     and not exists (select from pg_inherits i where i.inhrelid = c.oid)`,
  )
  assert.deepEqual(loose, [], 'every index belongs to the index of its table')
})

test('four instances that start at once on an empty database make each month once', async (t) => {
  const { url, db } = await freshDatabase(t)
  const instances = [1, 2, 3, 4].map(() => openDatabase(url, testDatabaseOptions, () => undefined))
  const limits = { commitBatch: 300, commitQueue: 100, unverifiedReportsPerDomainAndDay: 1_000 }
  const recorders = instances.map((instance) => makeRecorder(instance, { limits, newKey }))
  const days = ['2025-11-30', '2025-12-31', '2026-01-15', '2026-02-01', '2026-03-01']
  const outcomes = await Promise.all(recorders.flatMap((recorder, i) => days.map((day, j) => recorder.record(arrival({ by: 'sender.example', reportId: `r${i}`, day }, later(j * 40 * 86_400)))))) // prettier-ignore
  await Promise.all(instances.map((instance) => instance.end()))
  assert.deepEqual([...new Set(outcomes.flat().map(({ kind }) => kind))], ['accepted'])
  const made = await partitionsOf(db, 'report')
  assert.equal(made.length, 6)
  for (const table of [...factTables, ...arrivalTables]) {
    assert.equal((await db.query(`select from ${table}_default`)).rowCount, 0, table)
  }
})

test('making a month does not wait for who reads another, or for who writes one', async (t) => {
  const { db } = await freshDatabase(t)
  const ensure = makePartitions(db)
  await ensure({ reported: ['2026-02-01'], arrived: ['2026-02-01'] })
  const reader = await db.connect()
  await reader.query('begin')
  await reader.query("select from report where day = '2026-02-01'")
  await reader.query("insert into day_total values ('a.example', '2026-02-01', 'verified', 1, 0, 1, 'sts', 0, 0, 1)")
  await ensure({ reported: ['2026-03-01'], arrived: [] })
  await reader.query('rollback')
  reader.release()
})

test('a month that is there is not asked for again, and one that could not be made is', async (t) => {
  const { url, db } = await freshDatabase(t)
  const impatient = openDatabase(url, { ...testDatabaseOptions, lockTimeoutMs: 20 }, () => undefined)
  t.after(() => impatient.end())
  const ensure = makePartitions(impatient)
  const blocker = await db.connect()
  await blocker.query('begin; lock table report_default')
  await assert.rejects(ensure({ reported: ['2026-03-01'], arrived: [] }), { code: '55P03' })
  await blocker.query('rollback')
  blocker.release()
  await ensure({ reported: ['2026-03-01'], arrived: [] })
  await db.query('drop table report_2026_03')
  await ensure({ reported: ['2026-03-31'], arrived: [] })
  assert.deepEqual(await partitionsOf(db, 'report'), ['report_default DEFAULT'])
})

test('a day that is none is an error of the input', async (t) => {
  const { db } = await freshDatabase(t)
  await assert.rejects(makePartitions(db)({ reported: ["2026'); drop table report; --"], arrived: [] }), {
    code: /^22/,
  })
})
