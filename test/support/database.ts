/** A database of its own for each test file, cloned from one that is migrated once a run. */
import { randomBytes } from 'node:crypto'
import { after, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase, type Database, type DatabaseOptions } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'

export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

export const testDatabaseOptions: DatabaseOptions = {
  max: 10,
  applicationName: 'test',
  connectionTimeoutMs: 5_000,
  statementTimeoutMs: 10_000,
  lockTimeoutMs: 5_000,
  idleInTransactionMs: 15_000,
  queryTimeoutMs: 12_000,
}

export type TestDatabase = {
  /** For a service, or for more pools. */
  url: string
  db: Database
  close: () => Promise<void>
}

/**
 * A fresh database with the whole schema, and a pool on it. Dropped after the test `t`; without `t`, which has to be
 * at the top level of a file, at the end of that file. `close` may be called earlier.
 */
export async function freshDatabase(t?: TestContext): Promise<TestDatabase> {
  return createDatabase(t, ` template ${handedOver('TEST_DATABASE_TEMPLATE')}`)
}

/** The same without any schema; `options` are those of CREATE DATABASE. */
export async function emptyDatabase(t?: TestContext, options = ''): Promise<TestDatabase> {
  return createDatabase(t, options)
}

async function createDatabase(t: TestContext | undefined, from: string): Promise<TestDatabase> {
  const server = handedOver('TEST_DATABASE_URL')
  const name = randomName()
  await administer(server, `create database ${name}${from}`)
  const url = urlOf(server, name)
  const db = openDatabase(url, testDatabaseOptions, () => undefined)
  let closed: Promise<void> | undefined
  const close = () => (closed ??= db.end().then(() => administer(server, `drop database ${name} with (force)`)))
  if (t) t.after(close)
  else after(close)
  return { url, db, close }
}

/** What test/run.ts tells the test files by the environment. */
function handedOver(variable: 'TEST_DATABASE_URL' | 'TEST_DATABASE_TEMPLATE'): string {
  const value = process.env[variable]
  if (!value) throw new Error('there is no test server: run this file by `npm test -- PART_OF_ITS_PATH`')
  return value
}

/** For test/run.ts: makes the migrated database that others are cloned from, and answers its name. */
export async function createTemplate(server: string): Promise<string> {
  const name = randomName()
  await administer(server, `create database ${name}`)
  const db = openDatabase(urlOf(server, name), testDatabaseOptions, () => undefined)
  await migrate(db, migrationsFolder, () => undefined)
  await db.end() // A database with sessions cannot be cloned.
  return name
}

export async function dropTemplate(server: string, name: string): Promise<void> {
  await administer(server, `drop database ${name} with (force)`)
}

const randomName = () => `tlsrpt_test_${randomBytes(6).toString('hex')}`

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

async function administer(server: string, sql: string): Promise<void> {
  const db = openDatabase(
    server,
    { ...testDatabaseOptions, statementTimeoutMs: 60_000, queryTimeoutMs: 60_000 },
    () => undefined,
  )
  try {
    await db.query(sql)
  } finally {
    await db.end()
  }
}
