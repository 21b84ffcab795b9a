/**
 * COPY FROM STDIN for several tables in one round trip (PostgreSQL, Message Flow, "COPY Operations"): statements and
 * data are sent together, without waiting for the server to ask, and BEGIN and COMMIT with them where they are all of
 * the transaction. Figures in docs/performance.md.
 */
import type { Connection } from 'pg'
import { makeSink, writeBytes, writeInt16, writeInt32, writerOf } from './binary.ts'
import type { ColumnType, ColumnValue, Sink } from './binary.ts'
import { assertCommitted, type Queryable } from './database.ts'

/** A table with the columns that are written, in order; names as in SQL. */
export type CopyTable = { name: string; columns: readonly (readonly [name: string, type: ColumnType])[] }

/** `shared` is what all rows of a group begin with: it is encoded once. Together they have a value for each column. */
export type RowGroup = { shared: readonly ColumnValue[]; rows: Iterable<readonly ColumnValue[]> }

export type TableRows = { table: CopyTable; groups: Iterable<RowGroup> }

/** Bytes made at a time and sent at a time: one of the largest reports is encoded while Postgres takes in its beginning. */
const pieceLength = 1024 * 1024
const roundTripLength = 2 * pieceLength

/** Inserts all rows. Rejects as the database does (database.ts), and then the transaction is void. */
export async function copyRows(tx: Queryable, tables: readonly TableRows[]): Promise<void> {
  for (const copies of roundTrips(tables)) {
    await send(tx, copies.map(statement), copies)
    giveBack(copies)
  }
}

/**
 * Runs `first`, inserts all rows, runs `last`, and commits. When it resolves all is committed; when it rejects, as the
 * database does, a transaction may be under way and void.
 */
export async function copyAndCommit(
  client: Queryable,
  first: readonly string[],
  tables: readonly TableRows[],
  last: readonly string[],
): Promise<void> {
  let statements = [...first]
  let copies: Copy[] = []
  for (const next of roundTrips(tables)) {
    if (copies.length > 0) {
      await send(client, statements, copies)
      giveBack(copies)
      statements = []
    }
    copies = next
    statements.push(...next.map(statement))
  }
  const done = await send(client, [...statements, ...last, 'commit'], copies)
  giveBack(copies)
  assertCommitted(done.at(-1))
}

type Copy = { table: CopyTable; data: Buffer }

/** Memory for pieces that is used again: a report of 50,000 details is 15 of them, and V8 collects such in its time. */
const spare: Buffer[] = []
const mostSpare = 8
const pieceSize = pieceLength + pieceLength / 8

const makePiece = (): Sink => ({ bytes: spare.pop() ?? Buffer.allocUnsafeSlow(pieceSize), length: 0 })

/** Once the server has all of it: after an error some of it may still be on its way. */
function giveBack(copies: readonly Copy[]): void {
  for (const { data } of copies) {
    if (spare.length < mostSpare && data.buffer.byteLength === pieceSize) spare.push(Buffer.from(data.buffer))
  }
}

const statement = ({ table: { name, columns } }: Copy): string =>
  `copy ${name} (${columns.map(([column]) => column).join(', ')}) from stdin (format binary)`

function* roundTrips(tables: readonly TableRows[]): Generator<Copy[]> {
  let copies: Copy[] = []
  let length = 0
  for (const { table, groups } of tables) {
    for (const data of encode(table, groups)) {
      copies.push({ table, data })
      length += data.length
      if (length < roundTripLength) continue
      yield copies
      copies = []
      length = 0
    }
  }
  if (copies.length > 0) yield copies
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1') // No flags, no header extension.

/** Whole rows, in pieces that each are a COPY of their own. */
function* encode({ columns }: CopyTable, groups: Iterable<RowGroup>): Generator<Buffer> {
  const writers = columns.map(([, type]) => writerOf(type))
  const shared = makeSink(1024)
  let piece: Sink | undefined
  for (const group of groups) {
    shared.length = 0
    const own = group.shared.length
    group.shared.forEach((value, i) => writers[i]!(shared, value))
    for (const row of group.rows) {
      if (piece === undefined) writeBytes((piece = makePiece()), signature)
      writeInt16(piece, columns.length)
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

const copyDone = Buffer.from([0x63, 0, 0, 0, 4])

function copyDataHeader(data: Buffer): Buffer {
  const header = makeSink(5)
  writeBytes(header, Buffer.from('d'))
  writeInt32(header, 4 + data.length)
  return header.bytes
}

/**
 * What node-postgres calls a Submittable: it hands each message of the server to the method of its name. Answers the tags
 * of the statements.
 */
function send(tx: Queryable, statements: readonly string[], copies: readonly Copy[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const expected = () => undefined
    const done: string[] = []
    const command = {
      submit: (connection: Connection) => {
        const { stream } = connection
        stream.cork()
        connection.query(statements.join(';'))
        for (const { data } of copies) {
          stream.write(copyDataHeader(data))
          stream.write(data)
          stream.write(copyDone) // After an error the server passes over the rest.
        }
        stream.uncork()
      },
      // node-postgres puts its query time-out around this one, so it is always called by way of `command`.
      callback: (error?: Error) => {
        if (error) reject(error)
        else resolve(done)
      },
      handleError: (error: Error) => {
        command.callback(error)
      },
      handleReadyForQuery: () => {
        command.callback()
      },
      handleCopyInResponse: expected,
      handleCommandComplete: ({ text }: { text: string }) => {
        done.push(text)
      },
    }
    tx.query(command)
  })
}
