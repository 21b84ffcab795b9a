/** GET /v1/timeseries: how the numbers moved. */
import { z } from 'zod'
import { timeseries } from '../store/aggregates.ts'
import { dimensionNames, intervals, type Dimension } from '../store/question.ts'
import { toJson } from './json.ts'
import { Problem, problems } from './problem.ts'
import { filterParameters, readFilters, readWindow, trustParameter, windowParameters, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'
import { countsSchema, groupSchema } from './summary.ts'

/** A chart wants all of it at once; this is three megabytes. */
export const maxRows = 20_000

const splits = dimensionNames.filter(
  (name): name is Exclude<Dimension, (typeof intervals)[number]> => !intervals.some((interval) => interval === name),
)

const rowSchema = z
  .strictObject({
    bucket: z.iso.date().describe('First day of the interval.'),
    ...(Object.fromEntries(splits.map((name) => [name, groupSchema])) as Record<
      (typeof splits)[number],
      typeof groupSchema
    >),
    ...countsSchema,
  })
  .meta({ id: 'TimeseriesRow', description: 'What splits under its own name; null is what the sender did not say.' })

const parameters = z.strictObject({
  interval: z.enum(intervals).default('day').describe('Weeks start on Monday.'),
  split_by: z.enum(splits).optional().describe('One row for each value in each interval.'),
  ...filterParameters,
  trust: trustParameter.optional().describe('As in `/v1/summary`.'),
  ...windowParameters,
})

export function addTimeseries(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/timeseries',
    {
      schema: {
        tags: ['numbers'],
        summary: 'How it moved: the same sums by day, week or month',
        description: `Oldest first. An interval without any report has no row: that is a gap, not a zero. At most ${maxRows} rows.`,
        querystring: parameters,
        response: { 200: z.strictObject({ data: z.array(rowSchema), window: windowSchema }), ...problems(400, 401) },
      },
    },
    async ({ query, caller }) => {
      const { interval, split_by: splitBy } = query
      const window = readWindow(query, now())
      const trust = query.trust ?? (splitBy === 'trust' ? 'any' : 'verified')
      const asked = { window, trust, filters: readFilters(query), visible: caller.visible }
      const rows = await timeseries(db, { ...asked, interval, splitBy, maxRows })
      if (rows.length > maxRows) throw tooManyRows()
      const data = rows.map(({ bucket, split, ...counts }) => ({
        bucket,
        ...(splitBy !== undefined && { [splitBy]: split }),
        ...toJson(counts),
      }))
      return { data, window }
    },
  )
}

export const tooManyRows = () =>
  new Problem(
    400,
    'too-many-rows',
    `This would be over ${maxRows} rows: narrow the window, filter, or take a longer interval.`,
  )
