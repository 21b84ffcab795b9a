/** Many rows in little time: into tables without indexes, and twice more what is there already. */
import { inTransaction, unhurried, type Database } from '../src/store/database.ts'

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
  const { names, moved } = await columnsOf(db, table)
  const text = `insert into ${table} (${names}) select ${moved} from ${table} where day >= $2`
  await db.query({ text, values: [daysBefore, day], ...unhurried })
}

type Columns = { names: string; moved: string }

/** All that can be written, and the same moved $1 days back. */
async function columnsOf(db: Database, table: string): Promise<Columns> {
  const { rows } = await db.query<Columns>(
    `select string_agg(name, ', ' order by at) as names,
       string_agg(name || case type when 'date' then ' - $1::int' when 'timestamp with time zone' then ' - $1::int * interval ''24 hours''' else '' end, ', ' order by at) as moved
     from (select quote_ident(column_name) as name, data_type as type, ordinal_position as at from information_schema.columns
           where table_schema = current_schema() and table_name = $1 and is_generated = 'NEVER') c`,
    [table],
  )
  return rows[0]!
}
