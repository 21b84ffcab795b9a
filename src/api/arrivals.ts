/** GET /v1/arrivals: how much arrived, and what became of it, by day (RFC 8460 §5.3, §5.4). */
import { z } from 'zod'
import { countArrivals } from '../store/arrival-counts.ts'
import { countSchema, toJson } from './json.ts'
import { problems } from './problem.ts'
import { filterParameters, readWindow, transports, windowParameters, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'
import { verdicts } from './submissions.ts'
import { maxRows, tooManyRows } from './timeseries.ts'

const rowSchema = z
  .strictObject({
    day: z.iso.date().describe('UTC day of arrival.'),
    transport: z.enum(transports),
    verdict: z.enum(verdicts),
    reason: z.string().nullable().describe('Finer than the verdict; null where that says it all.'),
    count: countSchema.describe('Submissions.'),
    bytes: countSchema.describe(
      'Of what is kept of them as they came, for its time. What came as one mail has them beside its first part, and where it is also about domains of others nowhere.',
    ),
  })
  .meta({ id: 'ArrivalCount' })

export function addArrivals(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/arrivals',
    {
      schema: {
        tags: ['reports'],
        summary: 'How much arrived, and what became of it, by day',
        description: `Newest day first; the window is over the time of arrival. The counts add up to all that \`/v1/submissions\` lists. At most ${maxRows} rows.`,
        querystring: z.strictObject({ domain: filterParameters.domain, ...windowParameters }),
        response: { 200: z.strictObject({ data: z.array(rowSchema), window: windowSchema }), ...problems(400, 401) },
      },
    },
    async ({ query, caller: { visible } }) => {
      const window = readWindow(query, now())
      const rows = await countArrivals(db, { window, domains: query.domain, visible, maxRows })
      if (rows.length > maxRows) throw tooManyRows()
      return { data: rows.map(toJson) as z.output<typeof rowSchema>[], window }
    },
  )
}
