/**
 * COPY FROM STDIN for several tables in one round trip (PostgreSQL, Message Flow, "COPY Operations"): statements and
 * data are sent together, without waiting for the server to ask. Against one `insert ... select from unnest(...)` a
 * table it saves a quarter of all CPU, here and in the server, with batches of 30 reports as with 300.
 */
import type { Connection } from 'pg'
import type { Queryable } from './database.ts'

/** `into` is a table with its columns, in SQL; each row has a value for each of them. */
export type TableRows = { into: string; rows: Iterable<readonly CopyValue[]> }

/** Where a column is none of these it takes text in its own input syntax. */
export type CopyValue = string | number | bigint | boolean | Buffer | Date | undefined

/** Characters made at a time and sent at a time: the largest reports would not fit one string. */
const pieceLength = 1024 * 1024
const roundTripLength = 8 * pieceLength

/** Inserts all rows. Rejects as the database does (database.ts), and then the transaction is void. */
export async function copyRows(tx: Queryable, tables: readonly TableRows[]): Promise<void> {
  let copies: Copy[] = []
  let length = 0
  for (const { into, rows } of tables) {
    for (const piece of encode(rows)) {
      copies.push({ into, data: Buffer.from(piece) })
      length += piece.length
      if (length < roundTripLength) continue
      await send(tx, copies)
      copies = []
      length = 0
    }
  }
  if (copies.length > 0) await send(tx, copies)
}

/** Rows in COPY's text format, in pieces of whole rows. */
function* encode(rows: TableRows['rows']): Generator<string> {
  let piece = ''
  for (const row of rows) {
    piece += `${row.map(encodeValue).join('\t')}\n`
    if (piece.length < pieceLength) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

function encodeValue(value: CopyValue): string {
  if (value === undefined) return '\\N'
  if (typeof value === 'string') return special.test(value) ? value.replace(specials, (char) => escapes[char]!) : value
  if (value instanceof Date) return value.toISOString()
  return Buffer.isBuffer(value) ? `\\\\x${value.toString('hex')}` : String(value)
}

const special = /[\\\n\r\t]/ // Most text has none, and a test is three times as fast as a replacement of nothing.
const specials = /[\\\n\r\t]/g
const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

type Copy = { into: string; data: Buffer }

const copyDone = Buffer.from([0x63, 0, 0, 0, 4])

function copyDataHeader(data: Buffer): Buffer {
  const header = Buffer.from('d0000')
  header.writeUInt32BE(4 + data.length, 1)
  return header
}

/** What node-postgres calls a Submittable: it hands each message of the server to the method of its name. */
function send(tx: Queryable, copies: readonly Copy[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const expected = () => undefined
    const command = {
      submit: (connection: Connection) => {
        const { stream } = connection
        stream.cork()
        connection.query(copies.map(({ into }) => `copy ${into} from stdin`).join(';'))
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
        else resolve()
      },
      handleError: (error: Error) => {
        command.callback(error)
      },
      handleReadyForQuery: () => {
        command.callback()
      },
      handleCopyInResponse: expected,
      handleCommandComplete: expected,
    }
    tx.query(command)
  })
}
