/** Many rows in little time: into tables without indexes, and twice more what is there already. */
import { inTransaction, unhurried, type Database } from '../src/store/database.ts'
import { writableColumns } from './copy-floor.ts'

/** As there are two cores. */
export async function twoAtATime<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all([worker(), worker()])
}

/** Made afterwards they are made three times as fast. Answers the statements that make them again, in the order of the tables. */
export async function dropIndexes(db: Database, tables: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ drop: string; make: string }>(
    `select array_position($1::regclass[], indrelid::regclass) as at, 'drop index ' || indexrelid::regclass as drop, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') as make
     from pg_index where indrelid = any($1::regclass[]) and not indisunique
     union all
     select array_position($1::regclass[], conrelid::regclass), format('alter table %s drop constraint %I', conrelid::regclass, conname),
       format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
     from pg_constraint where conrelid = any($1::regclass[]) and contype = 'p'
     order by at`,
    [tables],
  )
  for (const { drop } of rows) await db.query(drop)
  return rows.map(({ make }) => make)
}

export async function makeIndexes(db: Database, statements: readonly string[]): Promise<void> {
  await twoAtATime(statements, (text) =>
    inTransaction(db, async (tx) => {
      await tx.query("set local maintenance_work_mem = '512MB'; set local max_parallel_maintenance_workers = 0")
      await tx.query({ text, ...unhurried })
    }),
  )
}

/** The rows of a table from `day` on once more, as they would have come so many days before. */
export async function copyBack(db: Database, table: string, day: string, daysBefore: number): Promise<void> {
  const columns = await writableColumns(db, table)
  const names = columns.map(({ name }) => name).join(', ')
  const moved = columns.map(({ name, type }) => `${name}${back[type] ?? ''}`).join(', ')
  const text = `insert into ${table} (${names}) select ${moved} from ${table} where day >= $2`
  await db.query({ text, values: [daysBefore, day], ...unhurried })
}

/** What takes $1 days off a column, by its type. */
const back: Record<string, string> = {
  date: ' - $1::int',
  'timestamp with time zone': " - $1::int * interval '24 hours'",
}
