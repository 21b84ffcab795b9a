/** Brings the schema up to date: plain .sql files, in the order of their names, forward only, each applied once. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { unhurried, UnusableDatabase, type Database, type Queryable } from './database.ts'

/** Any number that no other program takes on the same database: RFC 8460, first lock. */
const advisoryLock = 84601
const pollMs = 100

type Migration = { name: string; sql: string; sha256: string }

/**
 * Applies every NNNN_noun.sql of `folder` that the database has not seen, one transaction each; a file whose first
 * line is `-- no-transaction` runs outside of one, must be a single statement and must bear being run again. Any
 * number of processes may call this at once: one migrates, the others wait for it. `log` hears the name of each file
 * applied. Rejects, with the schema as the last good file left it, when a file fails, was changed after it ran, or
 * is numbered before one that ran, and when the database has migrations this program does not know; of these all but
 * the first are UnusableDatabase, which trying again does not help.
 */
export async function migrate(db: Database, folder: string, log: (name: string) => void): Promise<void> {
  const migrations = await readMigrations(folder)
  const client = await db.connect()
  try {
    await client.query('set statement_timeout = 0') // The lock time-out stays: who queues for a table holds up the intake.
    while (!(await tryLock(client))) await sleep(pollMs)
    for (const migration of pending(migrations, await readApplied(client))) {
      await apply(client, migration)
      log(migration.name)
    }
  } finally {
    client.release(true) // Ends the session, and with it the lock and its settings.
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const numbers = new Set<string>()
  for (const name of names) {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]
    if (number === undefined) throw new Error(`migration ${name}: must be named NNNN_noun.sql`)
    if (numbers.has(number)) throw new Error(`migration ${name}: there is another one numbered ${number}`)
    numbers.add(number)
  }
  return Promise.all(names.map((name) => readMigration(folder, name)))
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const sql = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n') // As git may have checked it out.
  return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
}

/** Polled: whoever waits inside pg_advisory_lock() holds a snapshot, which CREATE INDEX CONCURRENTLY would wait for. */
async function tryLock(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ ok: boolean }>('select pg_try_advisory_lock($1) as ok', [advisoryLock])
  return rows[0]!.ok
}

/** Name -> checksum of what has run. */
async function readApplied(client: Queryable): Promise<Map<string, string>> {
  await client.query(`create table if not exists schema_migration (
    name       text        primary key,
    sha256     text        not null,
    applied_at timestamptz not null default now()
  )`)
  const { rows } = await client.query<{ name: string; sha256: string }>('select name, sha256 from schema_migration')
  return new Map(rows.map(({ name, sha256 }) => [name, sha256]))
}

function pending(migrations: Migration[], applied: Map<string, string>): Migration[] {
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = [...applied.keys()].filter((name) => !known.has(name)).sort()
  if (unknown.length > 0) {
    throw new UnusableDatabase(
      `the database is newer than this program: it has ${unknown.join(', ')}; run the release that wrote it, or a newer one`,
      true,
    )
  }
  const changed = migrations.find(({ name, sha256 }) => (applied.get(name) ?? sha256) !== sha256)
  if (changed) throw new UnusableDatabase(`migration ${changed.name} was changed after it ran`, true)
  const waiting = migrations.filter(({ name }) => !applied.has(name))
  const late = waiting.find(({ name }) => [...applied.keys()].some((ran) => ran > name))
  if (late) throw new UnusableDatabase(`migration ${late.name} is numbered before one that ran`, true)
  return waiting
}

async function apply(client: Queryable, { name, sql, sha256 }: Migration): Promise<void> {
  const inTransaction = !sql.startsWith('-- no-transaction')
  try {
    if (inTransaction) await client.query('begin')
    await client.query({ text: sql, ...unhurried })
    await client.query('insert into schema_migration (name, sha256) values ($1, $2)', [name, sha256])
    if (inTransaction) await client.query('commit')
  } catch (error) {
    // No rollback: the session ends, and its transaction with it.
    throw new Error(`migration ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
