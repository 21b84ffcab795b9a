/**
 * What an export is: gzip over one line of JSON (the header), the tables in their order, each as a line of JSON, its
 * rows in COPY's text format and a line `\.`, and one line of JSON that says how much there was. Text, because it is
 * the same for every Postgres, and `zcat` shows it.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'

/** Counts up when this format changes; what the tables look like is said by the migrations in the header. */
export const formatVersion = 1

export const headerSchema = z.object({
  format: z.literal('tlsrpt-receiver export'),
  version: z.int(),
  /** Release of the program that wrote it. */
  program: z.string(),
  exported_at: z.iso.datetime(),
  migrations: z.array(z.object({ name: z.string(), sha256: z.string() })),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()) })),
  /** Months that have partitions, 'YYYY-MM'. */
  months: z.array(z.object({ table: z.string(), month: z.string().regex(/^\d{4}-\d{2}$/) })),
})
export type Header = z.infer<typeof headerSchema>

export const sectionSchema = z.object({ table: z.string() })

export const endSchema = z.object({
  rows: z.record(z.string(), z.int()),
  /** Hex, over all bytes before this line. */
  sha256: z.string(),
})
export type End = z.infer<typeof endSchema>

export const jsonLine = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)

/** No row is this: COPY writes a backslash as two. */
export const endOfRows = Buffer.from('\\.\n')

/** A file that cannot be restored; the message says why, to the one who has the file. */
export class BadExport extends Error {}

export type ExportReader = {
  /** The next line as the JSON it must be. */
  json: <T>(schema: z.ZodType<T>) => Promise<T>
  /** Pieces of the rows that follow, up to the line `\.`, which is read as well. */
  rows: () => AsyncGenerator<Buffer>
  /** Hex, over all that was read so far. */
  sha256: () => string
  /** Reads to the end, where there must be nothing more. */
  finish: () => Promise<void>
}

const lineFeed = Buffer.from('\n')
const mark = Buffer.concat([lineFeed, endOfRows])
/** Ours are some thousand bytes; a file that is none of ours may have no line feed at all. */
const longestLine = 1024 * 1024

/** Reads what gunzip makes of an export. Everything rejects with BadExport where the bytes are not what they should be. */
export function readExport(bytes: AsyncIterable<Buffer>): ExportReader {
  const source = bytes[Symbol.asyncIterator]()
  const hash = createHash('sha256')
  let pending: Buffer = Buffer.alloc(0)

  /** Undefined at the end. */
  async function next(): Promise<Buffer | undefined> {
    try {
      const read = await source.next()
      return read.done ? undefined : read.value
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code?.startsWith('Z_')) throw new BadExport(`it is damaged or cut short: ${message}`)
      throw error
    }
  }
  async function more(): Promise<Buffer> {
    const chunk = await next()
    if (!chunk) throw new BadExport('it is cut short')
    return chunk
  }
  function take(length: number): Buffer {
    const taken = pending.subarray(0, length)
    pending = pending.subarray(length)
    hash.update(taken)
    return taken
  }
  async function line(): Promise<string> {
    let end: number
    while ((end = pending.indexOf(lineFeed)) === -1) {
      if (pending.length > longestLine) throw new BadExport('it is no export of this program')
      pending = Buffer.concat([pending, await more()])
    }
    return take(end + 1).toString()
  }
  return {
    json: async (schema) => {
      const text = await line()
      const parsed = schema.safeParse(parseJson(text))
      if (!parsed.success)
        throw new BadExport(`it is damaged, or no export of this program: ${text.slice(0, 60).trim()}`)
      return parsed.data
    },
    rows: async function* () {
      while (pending.length < endOfRows.length) pending = Buffer.concat([pending, await more()])
      if (!pending.subarray(0, endOfRows.length).equals(endOfRows)) {
        let at: number
        while ((at = pending.indexOf(mark)) === -1) {
          const sure = pending.length - (mark.length - 1)
          if (sure > 0) yield take(sure)
          pending = Buffer.concat([pending, await more()])
        }
        yield take(at + 1)
      }
      take(endOfRows.length)
    },
    sha256: () => hash.copy().digest('hex'),
    finish: async () => {
      if (pending.length > 0 || (await next()) !== undefined) throw new BadExport('there is something behind its end')
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
