/** What the rows of a store cost when the server copies them in by itself: no parsing, no round trips, no decisions. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arrivalTables, createPartitions, factTables, listMonths } from '../src/store/partitions.ts'
import { inTransaction, type Database } from '../src/store/database.ts'
import type { BenchDatabase, BenchServer } from './server.ts'

/** The rows of each table that came of the newest reports. */
const ofNewest: Record<string, string> = {
  ...Object.fromEntries([...arrivalTables, 'report'].map((table) => [table, 'arrived_at >= $1'])),
  ...Object.fromEntries(
    ['policy', 'failure_detail'].map((table) => [
      table,
      'report_key in (select key from report where arrived_at >= $1)',
    ]),
  ),
  day_total: '(domain, day) in (select domain, day from report where arrived_at >= $1)',
}

/** CPU microseconds of Postgres for a report: the rows of the `newest` into the same tables of another database, in one transaction. */
export async function copyFloor(server: BenchServer, full: BenchDatabase, newest: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const files = join(folder, 'rows') // The server has a user of its own.
  mkdirSync(files)
  chmodSync(folder, 0o755)
  chmodSync(files, 0o777)
  const empty = await server.freshDatabase()
  try {
    const { rows } = await full.db.query<{ since: string; reports: number }>(
      `select since::text, count(*)::int as reports from report join
         (select min(arrived_at) as since from (select arrived_at from report order by arrived_at desc limit ${newest}) newest) of_newest
       on arrived_at >= since group by since`, // Some more, where several came at once.
    )
    const { since, reports } = rows[0]!
    const columns = new Map<string, string>()
    for (const table of [...factTables, ...arrivalTables]) {
      columns.set(table, (await writableColumns(full.db, table)).map(({ name }) => name).join(', '))
    }
    for (const [table, list] of columns) {
      const chosen = `select ${list} from ${table} where ${ofNewest[table]!.replace('$1', `'${since}'`)}`
      await full.db.query(`copy (${chosen}) to '${join(files, table)}' (format binary)`)
    }
    const months = await listMonths(full.db)
    await inTransaction(empty.db, (tx) => createPartitions(tx, months))
    await empty.db.query('checkpoint')
    const before = server.cpu()
    await inTransaction(empty.db, async (tx) => {
      for (const [table, list] of columns) {
        await tx.query(`copy ${table} (${list}) from '${join(files, table)}' (format binary)`)
      }
    })
    return (server.cpu() - before) / reports
  } finally {
    await empty.close()
    rmSync(folder, { recursive: true })
  }
}

/** In the order of the table, as SQL has their names; the others are generated. */
export async function writableColumns(db: Database, table: string): Promise<{ name: string; type: string }[]> {
  const { rows } = await db.query<{ name: string; type: string }>(
    `select quote_ident(column_name) as name, data_type as type from information_schema.columns
     where table_schema = current_schema() and table_name = $1 and is_generated = 'NEVER' order by ordinal_position`,
    [table],
  )
  return rows
}
