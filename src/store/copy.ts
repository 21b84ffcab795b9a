/**
 * COPY FROM STDIN for several tables in one round trip (PostgreSQL, Message Flow, "COPY Operations"): statements and
 * data are sent together, without waiting for the server to ask, and BEGIN and COMMIT with them where they are all of
 * the transaction. Figures in docs/performance.md.
 */
import type { Connection } from 'pg'
import { makeSink, writeBytes, writeInt32 } from './binary.ts'
import { encode, giveBack, pieceLength, type CopyTable, type TableRows } from './copy-data.ts'
import { assertCommitted, type Queryable } from './database.ts'

/** Bytes sent at a time: one of the largest reports is encoded while Postgres takes in its beginning. */
const roundTripLength = 2 * pieceLength

/** Inserts all rows. Rejects as the database does (database.ts), and then the transaction is void. */
export async function copyRows(tx: Queryable, tables: readonly TableRows[]): Promise<void> {
  for (const copies of roundTrips(tables)) {
    await send(
      tx,
      copies.map(({ table }) => table.statement),
      copies,
    )
    giveBackAll(copies)
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
      giveBackAll(copies)
      statements = []
    }
    copies = next
    statements.push(...next.map(({ table }) => table.statement))
  }
  const done = await send(client, [...statements, ...last, 'commit'], copies)
  giveBackAll(copies)
  assertCommitted(done.at(-1))
}

type Copy = { table: CopyTable; data: Buffer }

/** Once the server has all of it: after an error some of it may still be on its way. */
function giveBackAll(copies: readonly Copy[]): void {
  for (const { data } of copies) giveBack(data)
}

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
