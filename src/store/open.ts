/** Which Postgres: the one at DATABASE_URL, or the embedded one under the data folder. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, type Connection, type Database } from './database.ts'
import { startEmbeddedPostgres } from './embedded.ts'

export type StoreOptions = {
  databaseUrl?: string
  dataDir: string
  acceptDataLoss: boolean
  limits: {
    databaseConnectMs: number
    statementMs: number
    lockMs: number
    idleInTransactionMs: number
    queryMs: number
  }
}

type Log = {
  debug: (context: object, message: string) => void
  info: (context: object, message: string) => void
  warn: (context: object, message: string) => void
  error: (context: object, message: string) => void
}

export type Store = {
  /** A pool of its own for each kind of work, so that one cannot starve another. */
  connect: (purpose: string, connections: number) => Database
  close: () => Promise<void>
}

/** How long a server may take to end our connections. */
const goodbyeMs = 2_000

/** Postgres' own log: what it complains of is worth a look, the rest is for those who search. */
function tellOf(line: string, log: Log): void {
  const level = /\b(?:WARNING|ERROR|FATAL|PANIC):/.test(line) ? 'warn' : 'debug'
  log[level]({ postgres: line }, 'embedded postgres')
}

/**
 * Nothing is asked of an external database here: it may be away. The embedded one is started, or joined where another
 * process of ours runs it on this folder; rejects when it does not start.
 */
export async function openStore(
  { databaseUrl, dataDir, acceptDataLoss, limits }: StoreOptions,
  log: Log,
): Promise<Store> {
  const embedded =
    databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir, log: (line) => tellOf(line, log) }) : undefined
  if (embedded)
    log.info({ dataDir: embedded.dataDir }, 'no DATABASE_URL: the embedded Postgres, for evaluation and small sites')
  if (embedded?.notice !== undefined) log.warn({ dataDir: embedded.dataDir }, embedded.notice)
  const connection: Connection = databaseUrl ?? embedded!.connection
  const pools: Database[] = []
  let isClosing = false // Then the embedded one may cut a connection that has just been ended.
  return {
    connect: (purpose, connections) => {
      const options = {
        max: connections,
        applicationName: `tlsrpt-receiver ${purpose}`,
        connectionTimeoutMs: limits.databaseConnectMs,
        statementTimeoutMs: limits.statementMs,
        lockTimeoutMs: limits.lockMs,
        idleInTransactionMs: limits.idleInTransactionMs,
        queryTimeoutMs: limits.queryMs,
        durable: !acceptDataLoss,
      }
      const pool = openDatabase(connection, options, (error) => {
        if (!isClosing) log.error({ err: error, purpose }, 'a database connection was lost')
      })
      pools.push(pool)
      return pool
    },
    close: async () => {
      isClosing = true
      // A server that has gone silent says no good-bye.
      await Promise.race([Promise.all(pools.map((pool) => pool.end())), sleep(goodbyeMs, undefined, { ref: false })])
      await embedded?.stop()
    },
  }
}
