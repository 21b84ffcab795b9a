/** Moving house, the way in: an export into an empty store, whole or not at all (DESIGN.md). */
import type { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { createGunzip } from 'node:zlib'
import { escapeIdentifier, DatabaseError } from 'pg'
import { copyIn } from './copy-stream.ts'
import { inTransaction, unhurried, type Database, type Queryable } from './database.ts'
import { appliedMigrations, countLines, type RowCounts } from './export.ts'
import {
  BadExport,
  endSchema,
  formatVersion,
  headerSchema,
  readExport,
  sectionSchema,
  type ExportReader,
  type Header,
} from './export-format.ts'
import { createPartitions, lockPartitions } from './partitions.ts'
import { tables, writtenColumns, type Table } from './tables.ts'

const chunkBytes = 256 * 1024

/**
 * Reads an export into the store, which must be migrated and empty, in one transaction: until the last byte is read and
 * its checksum agrees nothing is there, and writers wait. Rejects with BadExport, and the store as it was, when
 * something is there already, when the export is another version's, or damaged, or cut short; otherwise as the database does.
 */
export async function restoreStore(
  db: Database,
  bytes: Readable,
  onRows: (table: Table, rows: number) => void,
): Promise<RowCounts> {
  const unpacked = createGunzip({ chunkSize: chunkBytes })
  if (bytes.errored) throw bytes.errored
  bytes.on('error', (error: Error) => unpacked.destroy(error))
  const reader = readExport(bytes.pipe(unpacked))
  const header = await reader.json(headerSchema)
  return inTransaction(db, async (tx) => {
    await tx.query('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0')
    await tx.query(`set local datestyle = 'ISO, YMD'`)
    await refuseOtherVersion(tx, header)
    await lockPartitions(tx)
    await tx.query(`lock table ${tables.join(', ')} in share row exclusive mode`)
    await refuseNonEmpty(tx)
    await createPartitions(tx, header.months)
    const rows = await copyTables(tx, header, reader, onRows)
    // Of partitioned tables nobody else ever does.
    await tx.query({ text: `analyze ${tables.join(', ')}`, ...unhurried })
    return rows
  })
}

async function refuseOtherVersion(tx: Queryable, header: Header): Promise<void> {
  if (header.version !== formatVersion)
    throw new BadExport(`its format is version ${header.version}, and this program reads ${formatVersion}`)
  const ours = await appliedMigrations(tx)
  const unlike = (some: Header['migrations'], others: Header['migrations']) =>
    some.filter((one) => !others.some((other) => isDeepStrictEqual(one, other))).map(({ name }) => name)
  const [theirsAlone, oursAlone] = [unlike(header.migrations, ours), unlike(ours, header.migrations)]
  if (theirsAlone.length + oursAlone.length === 0) return
  const differences = [
    ...(theirsAlone.length > 0 ? [`it has ${theirsAlone.join(', ')}`] : []),
    ...(oursAlone.length > 0 ? [`this program has ${oursAlone.join(', ')}`] : []),
  ].join(', ')
  throw new BadExport(
    `it was made with another schema (${differences}): restore it with release ${header.program} of the program, then upgrade`,
  )
}

async function refuseNonEmpty(tx: Queryable): Promise<void> {
  for (const table of tables) {
    const { rowCount } = await tx.query(`select from ${table} limit 1`)
    if (rowCount !== 0) throw new BadExport(`the store is not empty: there are rows in ${table}`)
  }
}

async function copyTables(
  tx: Queryable,
  header: Header,
  reader: ExportReader,
  onRows: (table: Table, rows: number) => void,
): Promise<RowCounts> {
  if (!isDeepStrictEqual(header.tables, await writtenColumns(tx)))
    throw new BadExport('its tables are not those of its schema')
  const copied = Object.fromEntries(tables.map((table) => [table, 0])) as RowCounts
  for (const { name, columns } of header.tables as { name: Table; columns: string[] }[]) {
    const section = await reader.json(sectionSchema)
    if (section.table !== name) throw new BadExport(`it is damaged: ${section.table} stands where ${name} should`)
    const into = `${name} (${columns.map(escapeIdentifier).join(', ')})`
    const counted = countedRows(reader, (rows) => onRows(name, rows))
    copied[name] = await copyIn(tx, into, counted).catch((error: unknown) => {
      throw isBadRow(error)
        ? new BadExport(`it is damaged: ${error.message} (${error.where ?? error.detail ?? name})`)
        : error
    })
  }
  const sha256 = reader.sha256()
  const end = await reader.json(endSchema)
  await reader.finish()
  if (end.sha256 !== sha256) throw new BadExport('it is damaged: its checksum does not agree')
  if (!isDeepStrictEqual(end.rows, copied)) throw new BadExport('it is damaged: its rows are not as many as it says')
  return copied
}

async function* countedRows(reader: ExportReader, onRows: (rows: number) => void): AsyncGenerator<Buffer> {
  let rows = 0
  for await (const piece of reader.rows()) {
    rows += countLines(piece)
    onRows(rows)
    yield piece
  }
}

/** 22: a value that is none of its type, or a row with too few or too many. 23: against a constraint. */
const isBadRow = (error: unknown): error is DatabaseError =>
  error instanceof DatabaseError && /^2[23]/.test(error.code ?? '')
