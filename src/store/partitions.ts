/** Partitions by month, made before the first row that needs them, so that the default partitions stay empty. */
import { inTransaction, type Database } from './database.ts'

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
    await createPartitions(db, missing)
    for (const { table, month } of missing) known.add(`${table} ${month}`)
  }
}

type TableMonth = { table: string; month: string }

function monthsOf(tables: readonly string[], days: Iterable<string>): TableMonth[] {
  const months = new Set<string>()
  for (const day of days) months.add(day.slice(0, 7))
  return [...months].flatMap((month) => tables.map((table) => ({ table, month })))
}

/**
 * Created apart and then attached: that locks neither readers nor writers of the other partitions, which `create table
 * ... partition of` would.
 */
async function createPartitions(db: Database, wanted: TableMonth[]): Promise<void> {
  await inTransaction(db, async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [advisoryLock])
    const { rows } = await tx.query<{ create: string; attach: string }>(
      `select format('create table %I (like %I including all)', name, parent) as create,
              format('alter table %I attach partition %I for values from (%L) to (%L)',
                     parent, name, month, (month + interval '1 month')::date) as attach
       from (select position, parent, month, parent || to_char(month, '_YYYY_MM') as name
             from unnest($1::text[], $2::date[]) with ordinality as w (parent, month, position)) as wanted
       where to_regclass(quote_ident(name)) is null
       order by position`,
      [wanted.map(({ table }) => table), wanted.map(({ month }) => `${month}-01`)],
    )
    for (const { create, attach } of rows) {
      await tx.query(create)
      await tx.query(attach)
    }
  })
}
