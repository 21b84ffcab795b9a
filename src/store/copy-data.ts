/** What COPY FROM STDIN is sent (PostgreSQL, COPY, "Binary Format"): rows of a table, in pieces of memory used again. */
import { makeSink, writeBytes, writeInt16, writerOf } from './binary.ts'
import type { ColumnType, ColumnValue, Sink, Write } from './binary.ts'

type Columns = readonly (readonly [name: string, type: ColumnType])[]

/** A table with the columns that are written, in order; names as in SQL. What follows from them is made once. */
export type CopyTable = { name: string; columns: Columns; statement: string; writers: readonly Write[] }

export const copyTable = (name: string, columns: Columns): CopyTable => ({
  name,
  columns,
  statement: `copy ${name} (${columns.map(([column]) => column).join(', ')}) from stdin (format binary)`,
  writers: columns.map(([, type]) => writerOf(type)),
})

/** `shared` is what all rows of a group begin with: it is encoded once. Together they have a value for each column. */
export type RowGroup = { shared: readonly ColumnValue[]; rows: Iterable<readonly ColumnValue[]> }

export type TableRows = { table: CopyTable; groups: Iterable<RowGroup> }

/** Bytes made at a time. */
export const pieceLength = 1024 * 1024
const pieceSize = pieceLength + pieceLength / 8

/** A report of 50,000 details is 15 pieces, and V8 collects such in its time. */
const spare: Buffer[] = []
const mostSpare = 8

const makePiece = (): Sink => ({ bytes: spare.pop() ?? Buffer.allocUnsafeSlow(pieceSize), length: 0 })

/** The memory of a piece that nobody reads any more. */
export function giveBack(piece: Buffer): void {
  if (spare.length < mostSpare && piece.buffer.byteLength === pieceSize) spare.push(Buffer.from(piece.buffer))
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1') // No flags, no header extension.

/** Whole rows, in pieces that each are a COPY of their own. */
export function* encode({ writers }: CopyTable, groups: Iterable<RowGroup>): Generator<Buffer> {
  const shared = makeSink(1024)
  let piece: Sink | undefined
  for (const group of groups) {
    shared.length = 0
    const own = group.shared.length
    group.shared.forEach((value, i) => writers[i]!(shared, value))
    for (const row of group.rows) {
      if (piece === undefined) writeBytes((piece = makePiece()), signature)
      writeInt16(piece, writers.length)
      writeBytes(piece, shared.bytes.subarray(0, shared.length))
      for (let i = 0; i < row.length; i++) writers[own + i]!(piece, row[i])
      if (piece.length < pieceLength) continue
      yield finished(piece)
      piece = undefined
    }
  }
  if (piece !== undefined) yield finished(piece)
}

function finished(piece: Sink): Buffer {
  writeInt16(piece, -1)
  return piece.bytes.subarray(0, piece.length)
}
