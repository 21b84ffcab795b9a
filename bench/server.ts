/** The Postgres under measurement: the server at DATABASE_URL, or an embedded one, durable as it comes. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database, type DatabaseOptions } from '../src/store/database.ts'
import { startEmbeddedPostgres } from '../src/store/embedded.ts'
import { migrate } from '../src/store/migrate.ts'
import { migrationsFolder } from '../src/product.ts'
import { cpuOfFamily, parentOf } from './cpu.ts'

export type BenchDatabase = { url: string; db: Database; close: () => Promise<void> }

export type BenchServer = {
  version: string
  /** Embedded, or elsewhere. */
  kind: 'embedded' | 'external'
  /** A database of its own with the whole schema. */
  freshDatabase: () => Promise<BenchDatabase>
  /** Gigabytes are written without a checkpoint for each; all is on disk when it resolves. A server elsewhere stays as it is. */
  whileFilling: <T>(fill: () => Promise<T>) => Promise<T>
  /**
   * Autovacuum stays away meanwhile: it visits a database once a minute for a second or two, so that one load of some
   * seconds pays for all that come in a minute and the next one for nothing. `visit` does what it would do now; its CPU
   * microseconds are 0 on a server elsewhere, which stays as it is and is visited as ever.
   */
  withoutAutovacuum: <T>(work: (visit: (db: Database) => Promise<number>) => Promise<T>) => Promise<T>
  /** CPU microseconds of all its processes so far; 0 where it runs on another machine. */
  cpu: () => number
  stop: () => Promise<void>
}

/** No time-outs to speak of: a bench makes ten million rows in one statement. */
const patient = 30 * 60_000
const options: DatabaseOptions = {
  max: 4,
  applicationName: 'tlsrpt-receiver bench',
  connectionTimeoutMs: 5_000,
  statementTimeoutMs: patient,
  lockTimeoutMs: patient,
  idleInTransactionMs: patient,
  queryTimeoutMs: patient,
}

export async function startServer(databaseUrl: string | undefined): Promise<BenchServer> {
  const { url, stop } =
    databaseUrl === undefined ? await embedded() : { url: databaseUrl, stop: () => Promise.resolve() }
  const db = openDatabase(url, { ...options, max: 1 }, () => undefined)
  const { rows } = await db.query<{ version: string; pid: number; here: boolean }>(
    `select current_setting('server_version') as version, pg_backend_pid() as pid, inet_server_addr() is null or
       inet_server_addr() << '127.0.0.0/8' or inet_server_addr() = '::1' as here`,
  )
  const { version, pid, here } = rows[0]!
  const postmaster = here ? parentOf(pid) : undefined
  const cpu = () => (postmaster === undefined ? 0 : cpuOfFamily(postmaster))
  const isOurs = databaseUrl === undefined
  const left = new Set<BenchDatabase>() // What scenarios share stays until the end.
  return {
    version,
    kind: isOurs ? 'embedded' : 'external',
    freshDatabase: async () => {
      const database = await freshDatabase(db, url)
      const close = async () => {
        left.delete(shared)
        await database.close()
      }
      const shared = { ...database, close }
      left.add(shared)
      return shared
    },
    whileFilling: async (fill) => {
      if (!isOurs) return fill()
      const filled = await configured(db, { max_wal_size: '16GB', autovacuum: 'off' }, fill)
      await db.query('checkpoint')
      return filled
    },
    withoutAutovacuum: (work) => {
      if (!isOurs) return work(() => Promise.resolve(0))
      return configured(db, { autovacuum: 'off' }, () => work((visited) => autovacuum(visited, cpu)))
    },
    cpu,
    stop: async () => {
      for (const database of left) await database.close()
      await db.end()
      await stop()
    },
  }
}

async function configured<T>(db: Database, settings: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const apply = async (changes: string[]) => {
    for (const change of changes) await db.query(`alter system ${change}`)
    await db.query('select pg_reload_conf()')
  }
  await apply(Object.entries(settings).map(([name, value]) => `set ${name} = '${value}'`))
  try {
    return await work()
  } finally {
    await apply(Object.keys(settings).map((name) => `reset ${name}`))
  }
}

/** What has rows of its own, as autovacuum sees it: partitions, and not the tables above them. Answers CPU microseconds. */
async function autovacuum(db: Database, cpu: () => number): Promise<number> {
  const { rows } = await db.query<{ name: string }>(
    `select relid::regclass::text as name from pg_stat_user_tables join pg_class on oid = relid where relkind = 'r'`,
  )
  const before = cpu()
  for (const { name } of rows) await db.query(`vacuum (analyze) ${name}`)
  return cpu() - before
}

async function embedded(): Promise<{ url: string; stop: () => Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const { connection, stop } = await startEmbeddedPostgres({ dataDir, log: () => undefined })
  const { user, host, database } = connection
  return {
    url: `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}`,
    stop: async () => {
      await stop()
      rmSync(dataDir, { recursive: true })
    },
  }
}

async function freshDatabase(server: Database, serverUrl: string): Promise<BenchDatabase> {
  const name = `tlsrpt_bench_${randomBytes(6).toString('hex')}`
  await server.query(`create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const db = openDatabase(url.href, options, () => undefined)
  await migrate(db, migrationsFolder, () => undefined)
  return {
    url: url.href,
    db,
    close: async () => {
      await db.end()
      await server.query(`drop database ${name} with (force)`)
    },
  }
}
