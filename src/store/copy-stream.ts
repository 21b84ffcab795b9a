/** COPY as streams (PostgreSQL, Message Flow, "COPY Operations"): whole tables out and in with bounded memory. */
import { pipeline } from 'node:stream/promises'
import { from, to } from 'pg-copy-streams'
import { unhurried, type Queryable } from './database.ts'

/** `query` in COPY's text format, piece by piece; a reader that stops early leaves the connection unfit for more. */
export async function* copyOut(tx: Queryable, query: string): AsyncGenerator<Buffer> {
  const stream = Object.assign(to(`copy (${query}) to stdout`), unhurried, { callback: () => undefined })
  tx.query(stream)
  try {
    yield* stream as AsyncIterable<Buffer>
  } finally {
    stream.callback() // node-postgres has put its time-out around this one, and nobody else would end it.
  }
}

/** Inserts rows in COPY's text format and answers how many; rejects as the database or as `rows` does. */
export async function copyIn(tx: Queryable, into: string, rows: AsyncIterable<Buffer>): Promise<number> {
  const stream = Object.assign(from(`copy ${into} from stdin`), unhurried)
  tx.query(stream)
  await pipeline(rows, stream)
  return stream.rowCount
}
