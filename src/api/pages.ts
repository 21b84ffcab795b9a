/** Lists in pages: each tells where the next one starts, so that nothing is lost or told twice while reports arrive. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Window } from '../store/question.ts'
import { badParameter } from './problem.ts'
import { daySchema, readWindow, windowParameters } from './query.ts'

export const listParameters = {
  ...windowParameters,
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('Rows in a page.'),
  cursor: z
    .string()
    .max(1_024)
    .optional()
    .describe('`page.next_cursor` of the page before; all other parameters as there.'),
}

export const pageSchema = z
  .strictObject({ next_cursor: z.string().nullable().describe('Null on the last page.') })
  .meta({ id: 'Page' })

export type Page<Position> = {
  window: Window
  /** Where the page before ended; undefined for the first one. */
  after: Position | undefined
  /** At most `limit` of the rows, which are one more where there is a next page. */
  cut: <Row>(
    rows: readonly Row[],
    positionOf: (last: Row, shown: number) => Position,
  ) => { rows: Row[]; page: z.output<typeof pageSchema> }
}

const windowOfCursor = z.strictObject({ from: daySchema, to: daySchema })

type ListQuery = { from?: string | undefined; to?: string | undefined; limit: number; cursor?: string | undefined }

/**
 * Reads the page asked for. A cursor carries the window, so that a walk over the pages does not lose a day at midnight,
 * and a digest of the question, so that it answers no other one. It is no secret: whatever it says is checked.
 */
export function readPage<Position>(query: ListQuery, position: z.ZodType<Position>, now: Date): Page<Position> {
  const { cursor, limit, ...question } = query
  const digest = (text: string) =>
    createHash('sha256')
      .update(`${JSON.stringify(question)}\n${text}`)
      .digest('base64url')
      .slice(0, 12)
  const decode = (given: string): [Window, Position] => {
    const [text = '', mark] = given.split('.')
    const json = Buffer.from(text, 'base64url').toString()
    const read = mark === digest(json) ? z.tuple([windowOfCursor, position]).safeParse(parseJson(json)) : undefined
    if (!read?.success) throw badParameter('cursor', 'is not one of ours, or was given to other parameters')
    return read.data
  }
  const [window, after] = cursor === undefined ? [readWindow(query, now), undefined] : decode(cursor)
  const encode = (position: Position): string => {
    const text = JSON.stringify([window, position])
    return `${Buffer.from(text).toString('base64url')}.${digest(text)}`
  }
  return {
    window,
    after,
    cut: (rows, positionOf) => {
      const shown = rows.slice(0, limit)
      const last = shown.at(-1)
      const hasNext = rows.length > limit && last !== undefined
      return { rows: shown, page: { next_cursor: hasNext ? encode(positionOf(last, shown.length)) : null } }
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
