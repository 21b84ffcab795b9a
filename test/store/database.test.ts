import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { classifyError, inTransaction, openDatabase, type Queryable } from '../../src/store/database.ts'
import { freshDatabase, testDatabaseOptions } from '../support/database.ts'

const { db, url } = await freshDatabase()
await db.query('create table item (key text primary key, n bigint not null default 0)')

const count = async (key: string) =>
  (await db.query<{ n: bigint }>('select count(*) as n from item where key = $1', [key])).rows[0]!.n
const insert = (tx: Queryable, key: string) => tx.query('insert into item (key) values ($1)', [key])
const terminateItself = 'select pg_terminate_backend(pg_backend_pid())'

test('values come back exact, and dates as they are written', async () => {
  const { rows } = await db.query<
    Record<string, unknown>
  >(`select 9007199254740993::int8 as bigint, array[1, 2]::int8[] as bigints,
    12345678901234567890.5::numeric as numeric, array[0.1]::numeric[] as numerics, date '2026-03-29' as date, array[date '2026-03-29'] as dates,
    timestamptz '2026-03-29T02:30:00+02' as at, '{"a": [1]}'::jsonb as jsonb, null::int8 as none, current_setting('timezone') as zone`)
  assert.deepEqual(rows[0], {
    bigint: 9007199254740993n,
    bigints: [1n, 2n],
    numeric: '12345678901234567890.5',
    numerics: ['0.1'],
    date: '2026-03-29',
    dates: ['2026-03-29'],
    at: new Date('2026-03-29T00:30:00Z'),
    jsonb: { a: [1] },
    none: null,
    zone: 'UTC',
  })
})

test('a bigint goes in as exactly as it comes out', async () => {
  const { rows } = await db.query<{ n: bigint }>('select $1::int8 as n', [9007199254740993n])
  assert.equal(rows[0]!.n, 9007199254740993n)
})

test('every session has the time-outs of its pool', async () => {
  const setting = async (name: string) =>
    (await db.query<{ value: string }>('select current_setting($1) as value', [name])).rows[0]!.value
  assert.equal(await setting('statement_timeout'), '10s')
  assert.equal(await setting('lock_timeout'), '5s')
  assert.equal(await setting('idle_in_transaction_session_timeout'), '15s')
  assert.equal(await setting('application_name'), 'test')
})

test('a transaction that resolves is committed', async () => {
  const answer = await inTransaction(db, async (tx) => {
    await insert(tx, 'committed')
    return 42
  })
  assert.equal(answer, 42)
  assert.equal(await count('committed'), 1n)
})

test('a transaction that throws leaves nothing, whether the database or we threw', async () => {
  await assert.rejects(
    inTransaction(db, async (tx) => {
      await insert(tx, 'undone')
      throw new Error('ours')
    }),
    /^Error: ours$/,
  )
  await assert.rejects(
    inTransaction(db, async (tx) => {
      await insert(tx, 'undone')
      await tx.query('select 1/0')
    }),
    /division by zero/,
  )
  assert.equal(await count('undone'), 0n)
})

test('a failed statement that nobody noticed does not pass for a commit', async () => {
  const swallowed = inTransaction(db, async (tx) => {
    await insert(tx, 'swallowed')
    await tx.query('select 1/0').catch(() => undefined)
  })
  await assert.rejects(swallowed, /went unnoticed/)
  assert.equal(await count('swallowed'), 0n)
})

test('a connection lost in mid-transaction rejects, is heard of, and the pool goes on', async (t) => {
  const heard: Error[] = []
  const pool = openDatabase(url, { ...testDatabaseOptions, max: 1 }, (error) => heard.push(error))
  t.after(() => pool.end())
  const lost = inTransaction(pool, async (tx) => {
    await insert(tx, 'lost')
    await tx.query(terminateItself)
  })
  await assert.rejects(lost, (error) => classifyError(error) === 'temporary')
  await assert.rejects(pool.query(terminateItself))
  assert.equal((await pool.query<{ one: number }>('select 1 as one')).rows[0]!.one, 1)
  assert.ok(heard.length > 0)
  assert.equal(await count('lost'), 0n)
})

test('a connection lost while idle is heard of once, and the pool goes on', async (t) => {
  const heard: Error[] = []
  const pool = openDatabase(url, { ...testDatabaseOptions, max: 1 }, (error) => heard.push(error))
  t.after(() => pool.end())
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
  await db.query('select pg_terminate_backend($1)', [rows[0]!.pid])
  for (let i = 0; i < 200 && pool.totalCount > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(heard.length, 1)
  assert.equal((await pool.query<{ one: number }>('select 1 as one')).rows[0]!.one, 1)
})

test('after a time-out of ours the connection is dropped, not handed on', async (t) => {
  const pool = openDatabase(url, { ...testDatabaseOptions, max: 1, queryTimeoutMs: 100 }, () => undefined)
  t.after(() => pool.end())
  const startedAt = performance.now()
  await assert.rejects(
    inTransaction(pool, (tx) => tx.query('select pg_sleep(2)')),
    /timeout/,
  )
  assert.equal((await pool.query<{ one: number }>('select 1 as one')).rows[0]!.one, 1)
  assert.ok(performance.now() - startedAt < 1_500, 'without waiting for the statement')
})

test('a connection that turned out to be a standby is dropped: the next one may find the primary', async (t) => {
  const pool = openDatabase(url, { ...testDatabaseOptions, max: 1 }, () => undefined)
  t.after(() => pool.end())
  await pool.query('set default_transaction_read_only = on')
  await assert.rejects(
    inTransaction(pool, (tx) => insert(tx, 'standby')),
    /read-only transaction/,
  )
  await inTransaction(pool, (tx) => insert(tx, 'primary'))
  assert.equal(await count('primary'), 1n)
})

test('of two transactions in a deadlock both succeed, the victim at the second try', async () => {
  await db.query("insert into item (key) values ('a'), ('b')")
  let attempts = 0
  let holding = 0
  const update = (tx: Queryable, key: string) => tx.query('update item set n = n + 1 where key = $1', [key])
  const bothHaveOne = Promise.withResolvers<undefined>()
  const cross = (first: string, second: string) =>
    inTransaction(db, async (tx) => {
      attempts++
      await update(tx, first)
      if (++holding === 2) bothHaveOne.resolve(undefined)
      await bothHaveOne.promise
      await update(tx, second)
    })
  await Promise.all([cross('a', 'b'), cross('b', 'a')])
  assert.ok(attempts >= 3, 'one at least was the victim; both are where Postgres looks at both at the same moment')
  const { rows } = await db.query<{ n: bigint }>("select n from item where key in ('a', 'b')")
  assert.deepEqual(rows, [{ n: 2n }, { n: 2n }])
})

test('a transaction that cannot be serialized is tried three times more, and then rejects', async () => {
  let attempts = 0
  const hopeless = inTransaction(db, async (tx) => {
    attempts++
    await tx.query(raise('40001'))
  })
  await assert.rejects(hopeless, (error) => classifyError(error) === 'retry')
  assert.equal(attempts, 4)
})

test('waiting for a connection has an end, and is temporary', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  for (const connection of [{ host: '127.0.0.1', port, user: 'u', database: 'd' }, 'postgres://u@127.0.0.1:1/d']) {
    const pool = openDatabase(connection, { ...testDatabaseOptions, connectionTimeoutMs: 200 }, () => undefined)
    t.after(() => pool.end())
    await assert.rejects(pool.query('select 1'), (error) => classifyError(error) === 'temporary')
  }
})

const raise = (code: string) => `do $$ begin raise exception using errcode = '${code}'; end $$`

/** One or more of every class that hardening of the service relies on. */
const verdicts = {
  retry: ['40001', '40P01'],
  duplicate: ['23505'],
  input: ['22000', '22001', '22003', '22007', '22008', '22012', '22021', '22P02', '22P05', '23514', '54000', '54001'],
  temporary: [
    ...['08000', '08003', '08006', '08P01', '25006', '25P02', '25P03', '40002', '40003'],
    ...['53000', '53100', '53200', '53300', '53400', '54011', '54023', '55000', '55006', '55P02', '55P03'],
    ...[
      '57000',
      '57014',
      '57P01',
      '57P02',
      '57P03',
      '57P04',
      '57P05',
      '58000',
      '58030',
      '58P01',
      'F0001',
      'XX000',
      'XX001',
      'XX002',
    ],
    ...['0A000', '23502', '23503', '28000', '28P01', '3D000', '42501', '42601', '42703', '42P01', 'P0001', 'ZZ999'],
  ],
} as const

for (const [verdict, codes] of Object.entries(verdicts)) {
  test(`an error of Postgres is '${verdict}': ${codes.join(', ')}`, async () => {
    for (const code of codes) {
      const error: unknown = await db.query(raise(code)).then(() => undefined, (reason: unknown) => reason) // prettier-ignore
      assert.equal((error as { code?: string }).code, code)
      assert.equal(classifyError(error), verdict, code)
    }
  })
}

test('what Postgres did not say itself is temporary', () => {
  const codes = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', '22021', undefined]
  for (const code of codes) assert.equal(classifyError(Object.assign(new Error('lost'), { code })), 'temporary', code)
  for (const thrown of [
    new Error('Connection terminated unexpectedly'),
    new AggregateError([]),
    'text',
    undefined,
    null,
  ]) {
    assert.equal(classifyError(thrown), 'temporary')
  }
})
