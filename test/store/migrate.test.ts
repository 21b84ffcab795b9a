import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { emptyDatabase, freshDatabase, migrationsFolder, testDatabaseOptions } from '../support/database.ts'

/** A folder of migrations, by name. */
function folderOf(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-migrations-'))
  t.after(() => { rmSync(folder, { recursive: true }) }) // prettier-ignore
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql)
  return folder
}

async function applied(db: Database, folder: string): Promise<string[]> {
  const names: string[] = []
  await migrate(db, folder, (name) => names.push(name))
  return names
}

const exists = async (db: Database, relation: string) =>
  (await db.query<{ oid: string | null }>('select to_regclass($1) as oid', [relation])).rows[0]!.oid !== null

test('the schema of this program is in place after one run, and a second run has nothing to do', async (t) => {
  const { db } = await freshDatabase(t)
  assert.deepEqual(await applied(db, migrationsFolder), [])
  const { rows } = await db.query<{ name: string }>('select name from schema_migration order by name')
  assert.deepEqual(
    rows.map(({ name }) => name),
    readdirSync(migrationsFolder).sort(),
  )
})

test('files run in the order of their names, each once', async (t) => {
  const { db } = await emptyDatabase(t)
  const folder = folderOf(t, {
    '0002_b.sql': 'alter table a add column b integer',
    '0001_a.sql': 'create table a ()',
    'README.md': 'not SQL',
  })
  assert.deepEqual(await applied(db, folder), ['0001_a.sql', '0002_b.sql'])
  writeFileSync(join(folder, '0003_c.sql'), 'alter table a add column c integer')
  assert.deepEqual(await applied(db, folder), ['0003_c.sql'])
})

test('of four that start at once exactly one migrates, and all succeed', async (t) => {
  const { url } = await emptyDatabase(t)
  const folder = folderOf(t, {
    '0001_slow.sql': 'create table a (); select pg_sleep(0.3)',
    '0002_b.sql': 'create table b ()',
  })
  const pools = Array.from({ length: 4 }, () => openDatabase(url, testDatabaseOptions, () => undefined))
  t.after(() => Promise.all(pools.map((pool) => pool.end())))
  const runs = await Promise.all(pools.map((pool) => applied(pool, folder)))
  assert.deepEqual(runs.map((names) => names.length).sort(), [0, 0, 0, 2])
})

test('a migration may take longer than a statement of the service', async (t) => {
  const { url } = await emptyDatabase(t)
  const db = openDatabase(
    url,
    { ...testDatabaseOptions, max: 1, statementTimeoutMs: 100, queryTimeoutMs: 200 },
    () => undefined,
  )
  t.after(() => db.end())
  assert.deepEqual(await applied(db, folderOf(t, { '0001_slow.sql': 'select pg_sleep(0.5)' })), ['0001_slow.sql'])
  await assert.rejects(db.query('select pg_sleep(0.15)'), /statement timeout/, 'and its session is gone')
})

test('a file that fails leaves nothing of it, and the files before it stay', async (t) => {
  const { db } = await emptyDatabase(t)
  const folder = folderOf(t, {
    '0001_good.sql': 'create table good ()',
    '0002_bad.sql': 'create table bad (); select 1/0',
  })
  await assert.rejects(applied(db, folder), /^Error: migration 0002_bad.sql: division by zero$/)
  assert.deepEqual([await exists(db, 'good'), await exists(db, 'bad')], [true, false])
  writeFileSync(join(folder, '0002_bad.sql'), 'create table bad ()')
  assert.deepEqual(await applied(db, folder), ['0002_bad.sql'])
})

test('a connection lost in the middle of a file leaves nothing of it either', async (t) => {
  const { db } = await emptyDatabase(t)
  const folder = folderOf(t, { '0001_slow.sql': "create table slow (); select 'half-way', pg_sleep(10)" })
  const running = assert.rejects(applied(db, folder), /migration 0001_slow.sql/)
  const terminate =
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%half-way%' and pid <> pg_backend_pid()"
  while ((await db.query(terminate)).rowCount === 0) await sleep(10)
  await running
  assert.equal(await exists(db, 'slow'), false)
  writeFileSync(join(folder, '0001_slow.sql'), 'create table slow ()')
  assert.deepEqual(await applied(db, folder), ['0001_slow.sql'])
})

test('a file that was changed after it ran is refused, but not for its line ends', async (t) => {
  const { db } = await emptyDatabase(t)
  const folder = folderOf(t, { '0001_a.sql': 'create table a\n()' })
  await applied(db, folder)
  writeFileSync(join(folder, '0001_a.sql'), 'create table a\r\n()')
  assert.deepEqual(await applied(db, folder), [])
  writeFileSync(join(folder, '0001_a.sql'), 'create table a (b integer)')
  writeFileSync(join(folder, '0002_b.sql'), 'create table b ()')
  await assert.rejects(applied(db, folder), /migration 0001_a.sql was changed after it ran/)
  assert.equal(await exists(db, 'b'), false)
})

test('a database newer than the program is refused, and left alone', async (t) => {
  const { db } = await emptyDatabase(t)
  const folder = folderOf(t, { '0001_a.sql': 'create table a ()', '0002_b.sql': 'create table b ()' })
  await applied(db, folder)
  rmSync(join(folder, '0002_b.sql'))
  writeFileSync(join(folder, '0003_c.sql'), 'create table c ()')
  await assert.rejects(applied(db, folder), /newer than this program: it has 0002_b.sql/)
  assert.equal(await exists(db, 'c'), false)
})

test('a file numbered before one that ran, or twice, or not at all, is refused', async (t) => {
  const { db } = await emptyDatabase(t)
  const folder = folderOf(t, { '0002_b.sql': 'create table b ()' })
  await applied(db, folder)
  writeFileSync(join(folder, '0001_a.sql'), 'create table a ()')
  await assert.rejects(applied(db, folder), /0001_a.sql is numbered before one that ran/)
  await assert.rejects(
    applied(db, folderOf(t, { '0001_a.sql': '', '0001_b.sql': '' })),
    /0001_b.sql: there is another one numbered 0001/,
  )
  await assert.rejects(applied(db, folderOf(t, { '1_a.sql': '' })), /1_a.sql: must be named NNNN_noun.sql/)
})

test('a file can opt out of the transaction, also while another process waits for its turn', async (t) => {
  const { db, url } = await emptyDatabase(t)
  const folder = folderOf(t, {
    '0001_a.sql': 'create table a (n integer)',
    '0002_index.sql': '-- no-transaction\ncreate index concurrently a_n on a (n)',
  })
  const other = openDatabase(url, testDatabaseOptions, () => undefined)
  t.after(() => other.end())
  const runs = await Promise.all([applied(db, folder), applied(other, folder)])
  assert.deepEqual(runs.flat(), ['0001_a.sql', '0002_index.sql'])
  assert.ok(await exists(db, 'a_n'))
})
