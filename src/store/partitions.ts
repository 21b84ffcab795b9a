/** Partitions by month, made before the first row that needs them, so that the default partitions stay empty. */
import { inTransaction, unhurried, type Database, type Queryable } from './database.ts'

/** By the UTC day the report's range starts. */
export const factTables = ['report', 'policy', 'failure_detail', 'day_total'] as const
/** By the UTC day of arrival. */
export const arrivalTables = ['submission', 'submission_raw'] as const

/** Any number that no other program takes on the same database: RFC 8460, second lock. */
const advisoryLock = 84602

export type EnsurePartitions = (days: { reported: Iterable<string>; arrived: Iterable<string> }) => Promise<void>

/**
 * Makes the function that sees to it that rows of these days (YYYY-MM-DD) have a partition to go to. It remembers the
 * months it has seen, so it asks the database once a month. Any number of instances may create the same month at once.
 * Rejects as the database does; a day that is none is an 'input' error (database.ts).
 */
export function makePartitions(db: Database): EnsurePartitions {
  const known = new Set<string>()
  return async ({ reported, arrived }) => {
    const missing = [...monthsOf(factTables, reported), ...monthsOf(arrivalTables, arrived)].filter(
      ({ table, month }) => !known.has(`${table} ${month}`),
    )
    if (missing.length === 0) return
    await inTransaction(db, (tx) => createPartitions(tx, missing))
    for (const { table, month } of missing) known.add(`${table} ${month}`)
  }
}

/** `month` is 'YYYY-MM'. */
export type TableMonth = { table: string; month: string }

/** The months that have partitions. */
export async function listMonths(tx: Queryable): Promise<TableMonth[]> {
  const { rows } = await tx.query<TableMonth>(
    `select "table", replace(substring(name from '_(\\d{4}_\\d{2})$'), '_', '-') as month
     from (select p.relname as "table", c.relname as name
           from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
           where i.inhparent = any($1::regclass[])) as partition
     where name ~ '_\\d{4}_\\d{2}$' order by month, "table"`,
    [[...factTables, ...arrivalTables]],
  )
  return rows
}

function monthsOf(tables: readonly string[], days: Iterable<string>): TableMonth[] {
  const months = new Set<string>()
  for (const day of days) months.add(day.slice(0, 7))
  return [...months].flatMap((month) => tables.map((table) => ({ table, month })))
}

/** Nobody else makes partitions until the end of this transaction. To be taken before any lock of a table. */
export async function lockPartitions(tx: Queryable): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [advisoryLock])
}

/**
 * Makes those that are not there. Created apart and then attached: that locks neither readers nor writers of the other
 * partitions, which `create table ... partition of` would. `fill` may put rows into one before it is attached.
 */
export async function createPartitions(
  tx: Queryable,
  wanted: readonly TableMonth[],
  fill: (month: TableMonth & { name: string }) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await lockPartitions(tx)
  const { rows } = await tx.query<TableMonth & { name: string; create: string; attach: string }>(
    `select parent as "table", to_char(month, 'YYYY-MM') as month, name,
            format('create table %I (like %I including all)', name, parent) as create,
            format('alter table %I attach partition %I for values from (%L) to (%L)',
                   parent, name, month, (month + interval '1 month')::date) as attach
     from (select position, parent, month, parent || to_char(month, '_YYYY_MM') as name
           from unnest($1::text[], $2::date[]) with ordinality as w (parent, month, position)) as wanted
     where to_regclass(quote_ident(name)) is null
     order by position`,
    [wanted.map(({ table }) => table), wanted.map(({ month }) => `${month}-01`)],
  )
  for (const { create, attach, ...month } of rows) {
    await tx.query(create)
    await fill(month)
    await tx.query({ text: attach, ...unhurried }) // Postgres looks whether all rows are of that month.
  }
}
