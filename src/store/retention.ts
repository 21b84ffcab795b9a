/** What is kept for how long (DESIGN.md, Data): whole months are dropped; refused bytes are deleted by age and by size. */
import { escapeIdentifier } from 'pg'
import { inTransaction, unhurried, type Database, type Queryable } from './database.ts'
import { factTables } from './partitions.ts'
import { utcDay } from '../tlsrpt/dates.ts'

/** Any number that no other program takes on the same database: RFC 8460, third lock. */
const advisoryLock = 84603
/** One instance at a time is at each of them: who looks for old months keeps nobody from evicting. */
const tasks = { refused: 1, months: 2 }
/** Rows in one transaction: no lock is held for long, and what is done stays done. */
const batchRows = 5_000

export type Retention = {
  /** Days the bytes of accepted submissions are kept, the facts and verdicts, and the bytes of refused submissions. */
  rawDays: number
  reportDays: number
  refusedDays: number
  /** Bytes of refused submissions, together. */
  refusedBytes: number
}

/**
 * Does what is due at `now`: cheap when nothing is, safe to run at any time and on any number of instances, of which one
 * at a time acts at each task. Months go when each of their days is past, and one more, for what is on its way while the
 * day changes. Answers the names of the partitions dropped and the number of refused submissions whose bytes were deleted.
 * Rejects when a partition is in use just now; what was done until then stays done, and refused bytes, which strangers
 * push against, come first.
 */
export async function applyRetention(
  db: Database,
  now: Date,
  { rawDays, reportDays, refusedDays, refusedBytes }: Retention,
): Promise<{ dropped: string[]; refusedDeleted: number }> {
  const refusedDeleted =
    (await deleteExpired(db, daysBefore(now, refusedDays))) + (await evictNoisiest(db, refusedBytes))
  await dropDetached(db) // What a crash left.
  const dropped = [
    ...(await dropMonths(db, ['submission_raw'], daysBefore(now, rawDays))),
    ...(await dropMonths(db, ['submission'], daysBefore(now, reportDays))),
    ...(await dropMonths(db, factTables, daysBefore(now, reportDays))),
  ]
  return { dropped, refusedDeleted }
}

const daysBefore = (now: Date, days: number): Date => new Date(now.getTime() - days * 24 * 60 * 60 * 1000)

/** One transaction by one instance: undefined when another instance is at this task. */
function act<T>(db: Database, task: keyof typeof tasks, work: (tx: Queryable) => Promise<T>): Promise<T | undefined> {
  return inTransaction(db, async (tx) => {
    const locks = [advisoryLock, tasks[task]]
    const { rows } = await tx.query<{ ok: boolean }>('select pg_try_advisory_xact_lock($1, $2) as ok', locks)
    return rows[0]!.ok ? work(tx) : undefined
  })
}

/**
 * Drops the months that ended before `keepFrom`, those of one month together: totals go with their facts. In one instant
 * they are no partitions any more; then their files go, which takes 0.3 s a gigabyte, in as many sessions as there are tables.
 */
async function dropMonths(db: Database, tables: readonly string[], keepFrom: Date): Promise<string[]> {
  const dropped: string[] = []
  for (;;) {
    const month = await act(db, 'months', (tx) => detachOldestMonth(tx, tables, keepFrom))
    if (!month || month.length === 0) return dropped
    await dropDetached(db)
    dropped.push(...month)
  }
}

/** Of a table that is no partition any more, and that nobody asks. */
const detached = 'detached_'

async function dropDetached(db: Database): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select relname as name from pg_class
     where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ $1`,
    [`^${detached}.*_\\d{4}_\\d{2}$`],
  )
  // The files go when it is committed, which no time-out of Postgres cuts.
  const drops = rows.map(({ name }) => ({ text: `drop table if exists ${escapeIdentifier(name)}`, ...unhurried }))
  await Promise.all(drops.map((drop) => db.query(drop)))
}

async function detachOldestMonth(tx: Queryable, tables: readonly string[], keepFrom: Date): Promise<string[]> {
  const { rows } = await tx.query<{ name: string; month: string }>(
    `select relname as name, month
     from (select c.relname, substring(c.relname from '_(\\d{4}_\\d{2})$') as month
           from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = any($1::regclass[])) as partition
     where month is not null and (to_date(month, 'YYYY_MM') + interval '1 month')::date < $2::date`,
    [tables, utcDay(keepFrom)],
  )
  const oldest = rows.map(({ month }) => month).sort()[0]
  if (oldest === undefined) return []
  const due = new Set(rows.map(({ name }) => name))
  // Everybody queues behind one who waits for a reader, so it waits for a moment only, and comes again.
  await tx.query("set local lock_timeout = '250ms'")
  const names: string[] = []
  for (const table of tables) {
    const name = `${table}_${oldest}`
    if (!due.has(name)) continue
    await tx.query(`alter table ${escapeIdentifier(table)} detach partition ${escapeIdentifier(name)}`)
    await tx.query(`alter table ${escapeIdentifier(name)} rename to ${escapeIdentifier(detached + name)}`)
    names.push(name)
  }
  return names
}

/** Bytes of refused submissions that arrived before `keepFrom`. */
async function deleteExpired(db: Database, keepFrom: Date): Promise<number> {
  let deleted = 0
  for (;;) {
    const { rowCount } = (await act(db, 'refused', (tx) =>
      tx.query(
        `delete from submission_raw where (arrived_on, domain, arrival_key) in (
           select arrived_on, domain, arrival_key from submission_raw
           where refused and arrived_at < $1 order by arrived_at limit $2)`,
        [keepFrom, batchRows],
      ),
    )) ?? { rowCount: 0 }
    deleted += rowCount ?? 0
    if ((rowCount ?? 0) < batchRows) return deleted
  }
}

/** While there is more than `mostBytes`: the oldest of the source that has most, so that one source cannot push out others. */
async function evictNoisiest(db: Database, mostBytes: number): Promise<number> {
  let deleted = 0
  for (;;) {
    const evicted = await act(db, 'refused', (tx) => evictBatch(tx, mostBytes))
    if (!evicted) return deleted
    deleted += evicted
  }
}

async function evictBatch(tx: Queryable, mostBytes: number): Promise<number> {
  const { rows } = await tx.query<{ source: string; excess: bigint }>(
    `select source, (sum(sum(size)) over () - $1)::bigint as excess from submission_raw
     where refused group by source order by sum(size) desc, source limit 1`,
    [mostBytes],
  )
  const noisiest = rows[0]
  if (!noisiest || noisiest.excess <= 0n) return 0
  const { rowCount } = await tx.query(
    `delete from submission_raw where (arrived_on, domain, arrival_key) in (
       select arrived_on, domain, arrival_key
       from (select *, sum(size) over (order by arrived_at, arrival_key) - size as freed_before
             from (select arrived_on, domain, arrival_key, arrived_at, size from submission_raw
                   where refused and source = $1 order by arrived_at, arrival_key limit $2) as oldest) as oldest
       where freed_before < $3)`,
    [noisiest.source, batchRows, noisiest.excess],
  )
  return rowCount ?? 0
}
