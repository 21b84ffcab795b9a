/** The pool, transactions, and what an error of Postgres means for the one who asked. */
import pg, { type Pool, type PoolClient } from 'pg'

/** The pool, under our own name: outside store/ nobody needs to know of pg. */
export type Database = Pool

/** Whatever can run a query: the pool, or a transaction. */
export type Queryable = Pick<PoolClient, 'query'>

/** A postgres:// address, or the socket folder of the embedded Postgres. */
export type Connection = string | { host: string; port: number; user: string; database: string }

export type DatabaseOptions = {
  /** Connections at most. */
  max: number
  applicationName: string
  /** Waiting for a connection, be it a new one or a busy one. */
  connectionTimeoutMs: number
  /** Postgres gives up a statement, a lock, an idle transaction. */
  statementTimeoutMs: number
  lockTimeoutMs: number
  idleInTransactionMs: number
  /** We give up, for a server that has gone silent; more than `statementTimeoutMs`. */
  queryTimeoutMs: number
  /** Refuses a database whose COMMIT does not outlive a crash. */
  durable?: boolean
}

/** The database answers, but we may not use it as it is. The message is a sentence for the operator. */
export class UnusableDatabase extends Error {
  /** Whether only another release or another database helps; else its settings may change while we wait. */
  readonly forGood: boolean
  constructor(message: string, forGood: boolean) {
    super(message)
    this.forGood = forGood
  }
}

/**
 * Opens a pool; connects to nothing yet. With `durable`, each new connection rejects with UnusableDatabase where
 * Postgres would say COMMIT and lose it in a crash, also after a failover to a server of other settings. `onError` hears of connections lost while idle or at work; the query at hand
 * rejects as well. Values come back as: bigint -> bigint, numeric -> decimal string, date -> 'YYYY-MM-DD' (the same
 * in arrays), timestamptz -> Date, jsonb -> parsed. Sessions are in UTC.
 */
export function openDatabase(
  connection: Connection,
  options: DatabaseOptions,
  onError: (error: Error) => void,
): Database {
  const pool = new pg.Pool({
    // Without `ssl: false` a PGSSLMODE in the environment would ask for TLS on our own socket.
    ...(typeof connection === 'string' ? { connectionString: connection } : { ...connection, ssl: false }),
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectionTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionMs,
    query_timeout: options.queryTimeoutMs,
    keepAlive: true,
    types: { getTypeParser },
    // Not by the start-up parameter `options`: one in the address would replace it. The pool awaits this; its types lag.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    onConnect: async (client) => {
      // As many answers as statements; the types say one.
      const answers: unknown = await client.query(
        `set time zone 'UTC'; ${roomForSums}; ${cheapWorkers}; ${switchedOff}`,
      )
      const off = (answers as pg.QueryResult<{ name: string }>[])[3]!.rows.map(({ name }) => name)
      if (options.durable && off.length > 0) throw notDurable(off)
    },
  })
  // The pool listens to idle clients only: unheard, a connection lost in mid-transaction would end the process.
  // Our listener stays on each client for its life, so the pool's own repetition is not needed.
  pool.on('connect', (client) => client.on('error', onError))
  pool.on('error', () => undefined)
  return pool
}

/**
 * In Postgres' own 4 MB the sums over the 32,000 failure details a month of a large domain are sorted on disk, in 148 ms
 * of CPU; in 16 they are hashed, in 56. More makes no difference there, and one who gives more keeps it.
 */
const roomForSums = `select set_config('work_mem', greatest(setting::int, 16384) || 'kB', false) from pg_settings where name = 'work_mem'`

/**
 * Postgres reckons that a row costs a parallel worker as much to hand on as ten rows cost it to read, and so adds up the
 * totals of 5,000 domains alone, in 148 ms where two take 110; result types by policy type of a million details take 1.9 s
 * alone, and 0.9. What is answered from few rows is not worth a worker either way.
 */
const cheapWorkers = `select set_config('parallel_tuple_cost', least(setting::float8, 0.01)::text, false) from pg_settings where name = 'parallel_tuple_cost'`

/** What Postgres can do without, and we not: what it has committed is to be there after a crash. */
const switchedOff = `select name from pg_settings where setting = 'off' and name in ('fsync', 'full_page_writes', 'synchronous_commit')`

const notDurable = (off: readonly string[]) =>
  new UnusableDatabase(
    `the database has ${off.map((name) => `${name} = off`).join(', ')}, so reports that were acknowledged can be lost in a crash; switch that on, or set ACCEPT_DATA_LOSS=yes`,
    false,
  )

/** For a statement that may take as long as it takes; its transaction sets `statement_timeout` to 0 as well. */
export const unhurried = { query_timeout: 24 * 3_600_000 }

type Parser = (text: string) => unknown

const builtIn = pg.types.getTypeParser as (oid: number, format?: 'text' | 'binary') => Parser

const stringArray = builtIn(1009) as (text: string) => string[] // text[]

/** Object identifiers of pg_type.dat: what node-postgres would turn into local time or into inexact numbers. */
const parsers = new Map<number, Parser>([
  [20, BigInt], // bigint
  [1016, (text) => stringArray(text).map(BigInt)], // bigint[]
  [1082, (text) => text], // date
  [1182, stringArray], // date[]
  [1231, stringArray], // numeric[]
])

const getTypeParser = (oid: number, format?: 'text' | 'binary'): Parser =>
  (format === 'binary' ? undefined : parsers.get(oid)) ?? builtIn(oid, format)

const retries = 3

/**
 * Runs `work` in one transaction: commits when it resolves, rolls back when it rejects. After a deadlock or a
 * serialization failure it is run again from the start, three times at most, so it must not act on anything but `tx`.
 * When this resolves the data are committed. When it rejects they need not be absent: an acknowledgement can be lost
 * on the way, and only a unique key makes a repetition safe.
 */
export function inTransaction<T>(db: Database, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return repeated(['retry'], retries, () =>
    onConnection(db, async (tx) => {
      await tx.query('begin')
      const result = await work(tx)
      await commit(tx)
      return result
    }),
  )
}

async function commit(tx: Queryable): Promise<void> {
  const { command } = await tx.query('commit')
  assertCommitted(command)
}

/** A transaction with a failed statement answers COMMIT with ROLLBACK, and no error. */
export function assertCommitted(command: string | undefined): void {
  if (command !== 'COMMIT') throw new Error('a failed statement of this transaction went unnoticed')
}

/** Runs it again, `times` times at most, while it rejects for one of these reasons; `run` hears how often it has. */
export async function repeated<T>(
  reasons: readonly ReturnType<typeof classifyError>[],
  times: number,
  run: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run(attempt)
    } catch (error) {
      if (attempt === times || !reasons.includes(classifyError(error))) throw error
    }
  }
}

/** For who says BEGIN and COMMIT himself: when `work` rejects, what is under way is rolled back. */
export async function onConnection<T>(db: Database, work: (client: Queryable) => Promise<T>): Promise<T> {
  const client = await db.connect()
  let poisoned = false
  try {
    return await work(client)
  } catch (error) {
    poisoned = !(await rollBack(client, error))
    throw error
  } finally {
    client.release(poisoned)
  }
}

/**
 * False where the client must not be used again. Only an answer of the server shows that the connection is in step:
 * after a time-out of ours the statement still runs, and a rollback would queue behind it.
 */
async function rollBack(client: PoolClient, error: unknown): Promise<boolean> {
  const isStandby = sqlState(error) === '25006' // Read-only: the primary is elsewhere now, a new connection may find it.
  if (!(error instanceof pg.DatabaseError) || isStandby) return false
  return client.query('rollback').then(
    () => true,
    () => false,
  )
}

/**
 * What the sender of the data is to be told. 'temporary': our trouble, try again; also for everything unknown, as
 * pg reports a lost connection without any code. 'input': the data can never be stored, and validation should have
 * caught it. 'duplicate': a unique key was there before. 'retry': the same transaction may succeed at once;
 * inTransaction has tried so already, so for its callers it is as temporary.
 */
export function classifyError(error: unknown): 'temporary' | 'input' | 'duplicate' | 'retry' {
  const code = sqlState(error) ?? ''
  if (code === '40001' || code === '40P01') return 'retry'
  if (code === '23505') return 'duplicate'
  // 22: data exception. 23514: check constraint. 54000 and 54001: index row too large, nested too deep.
  if (code.startsWith('22') || ['23514', '54000', '54001'].includes(code)) return 'input'
  return 'temporary'
}

/** 22003: a number is too large for its type. */
export const isOutOfRange = (error: unknown): boolean => sqlState(error) === '22003'

/** 53100: neither a data file nor the WAL can grow. Who sends hears so, and whoever runs it reads so. */
export const isDiskFull = (error: unknown): boolean => sqlState(error) === '53100'

function sqlState(error: unknown): string | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined
  // Citus says this of a COPY without its code (ReportCopyError in its source).
  const isDuplicate =
    error.code === 'XX000' && error.message.startsWith('duplicate key value violates unique constraint')
  return isDuplicate ? '23505' : error.code
}
