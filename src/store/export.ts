/** Moving house, the way out: every row of every table, as of one instant, while the service runs (DESIGN.md). */
import { createHash } from 'node:crypto'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { escapeIdentifier } from 'pg'
import { copyOut } from './copy-stream.ts'
import type { Database, Queryable } from './database.ts'
import { endOfRows, formatVersion, jsonLine, type End, type Header } from './export-format.ts'
import { atOneInstant } from './instant.ts'
import { listMonths } from './partitions.ts'
import { tables, writtenColumns, type Table } from './tables.ts'

/** Of gzip: most of it is bytes that are packed already. The usual 6 takes half as long again for a fiftieth less. */
const level = 3

/** Rows by table. */
export type RowCounts = Record<Table, number>

export type ExportOptions = {
  /** Release of this program, for whoever finds the file. */
  program: string
  now: Date
  /** Hears every now and then how many rows of a table there were so far. */
  onRows: (table: Table, rows: number) => void
}

/** Writes everything into `out` and ends it, with memory for a few rows; rejects as the database or `out` does. */
export async function exportStore(db: Database, out: Writable, options: ExportOptions): Promise<RowCounts> {
  return atOneInstant(db, options.now, async (tx) => {
    if (out.errored) throw out.errored
    // How values look as text is up to the session; a role or a database can have settings of its own.
    await tx.query(`set local datestyle = 'ISO, YMD'; set local bytea_output = 'hex'`)
    const rows = Object.fromEntries(tables.map((table) => [table, 0])) as RowCounts
    await pipeline(Readable.from(exportBytes(tx, rows, options), { objectMode: false }), createGzip({ level }), out)
    return rows
  })
}

/** All that gzip then packs; counts into `rows`. */
async function* exportBytes(tx: Queryable, rows: RowCounts, options: ExportOptions): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  for await (const piece of contents(tx, rows, options)) {
    hash.update(piece)
    yield piece
  }
  yield jsonLine({ rows, sha256: hash.digest('hex') } satisfies End)
}

async function* contents(
  tx: Queryable,
  rows: RowCounts,
  { program, now, onRows }: ExportOptions,
): AsyncGenerator<Buffer> {
  const columns = await writtenColumns(tx)
  const header: Header = {
    format: 'tlsrpt-receiver export',
    version: formatVersion,
    program,
    exported_at: now.toISOString(),
    migrations: await appliedMigrations(tx),
    tables: columns,
    months: await listMonths(tx),
  }
  yield jsonLine(header)
  for (const table of tables) {
    yield jsonLine({ table })
    const named = columns.find(({ name }) => name === table)!.columns.map(escapeIdentifier)
    for await (const piece of copyOut(tx, `select ${named.join(', ')} from ${table}`)) {
      rows[table] += countLines(piece)
      onRows(table, rows[table])
      yield piece
    }
    yield endOfRows
  }
}

/** A row of COPY is a line: what is a line feed in a value is written `\n`. */
export function countLines(piece: Buffer): number {
  let lines = 0
  for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines++
  return lines
}

export async function appliedMigrations(tx: Queryable): Promise<Header['migrations']> {
  const { rows } = await tx.query<Header['migrations'][number]>(
    'select name, sha256 from schema_migration order by name',
  )
  return rows
}
