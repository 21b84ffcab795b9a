/** GET /v1/summary: what failed, by whatever the facts bear. */
import { z } from 'zod'
import { orderableNames, summarize, type OrderColumn } from '../store/aggregates.ts'
import { dimensionNames, type Dimension } from '../store/question.ts'
import { countSchema, toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { badParameter, problems } from './problem.ts'
import { filterParameters, readFilters, trustParameter, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'

const maxGroups = 4

/** Sessions and reports; successful is null where a failure detail groups or filters: those have failed sessions only. */
const sessions = {
  successful: countSchema.nullable().describe('Sessions; null where a dimension of failure details groups or filters.'),
  failed: countSchema.describe('Sessions.'),
  reports: countSchema,
}

const unverifiedSchema = z.strictObject(sessions).meta({
  id: 'Unverified',
  description: 'The same over reports that nobody stands behind; in no other number by default.',
})

export const countsSchema = { ...sessions, unverified: unverifiedSchema }

export const byPolicyTypeSchema = z
  .record(z.string(), countSchema)
  .describe(
    'Failed sessions by policy type, also of types that are not in `failed` because they may describe the same sessions.',
  )

const { successful, failed, reports } = sessions

const numbersSchema = {
  successful,
  failed,
  failure_rate: z.number().nullable().describe('failed / (successful + failed); null without sessions.'),
  failed_by_policy_type: byPolicyTypeSchema,
  unattributed_failed: countSchema
    .nullable()
    .describe('`failed` minus what the failure details add up to, either sign.'),
  reports,
  reporters: countSchema.describe('Verified ones.'),
  first_seen: z.iso.date().nullable(),
  last_seen: z.iso.date().nullable(),
  unverified: unverifiedSchema,
}

export const groupSchema = z.string().nullable().optional()

const rowSchema = z
  .strictObject({
    ...(Object.fromEntries(dimensionNames.map((name) => [name, groupSchema])) as Record<Dimension, typeof groupSchema>),
    ...numbersSchema,
  })
  .meta({ id: 'SummaryRow', description: 'Each grouping under its own name; null is what the sender did not say.' })

const totalsSchema = z
  .strictObject(numbersSchema)
  .meta({ id: 'Totals', description: 'The same question without grouping.' })

const orders = [...orderableNames, ...dimensionNames].flatMap((column) => [column, `-${column}` as const])

const parameters = z.strictObject({
  group_by: z
    .preprocess(
      (given) => [given].flat().flatMap((text) => (typeof text === 'string' ? text.split(',') : [text])),
      z
        .array(z.enum(dimensionNames))
        .max(maxGroups, `takes up to ${maxGroups} groupings`)
        .refine((names) => new Set(names).size === names.length, 'names a grouping twice'),
    )
    .optional()
    .describe(`Up to ${maxGroups}, comma-separated or repeated.`),
  ...filterParameters,
  trust: trustParameter
    .optional()
    .describe(
      'Whose word the main numbers are: `verified` (the default), `unverified` alone, or `any` for both added up. Grouped by trust, the default is `any`.',
    ),
  order_by: z
    .enum(orders)
    .default('-failed')
    .describe('A number of the rows or one of the groupings; `-` for descending. Absent values come last.'),
  ...listParameters,
})

/** Groups before the page. */
const position = z.int().min(0)

export function addSummary(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/summary',
    {
      schema: {
        tags: ['numbers'],
        summary: 'What failed: sums over the reports by up to four dimensions',
        description:
          'Without a policy type to filter or group by, each report counts by one policy type, because several may describe the same sessions. A page tells the rows of the moment: where reports arrive between two pages, a row may move.',
        querystring: parameters,
        response: {
          200: z.strictObject({
            data: z.array(rowSchema),
            totals: totalsSchema,
            page: pageSchema,
            window: windowSchema,
          }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller }) => {
      const groupBy = query.group_by ?? []
      const { window, after = 0, cut } = readPage(query, position, now())
      const trust = query.trust ?? (groupBy.includes('trust') ? 'any' : 'verified')
      const question = {
        window,
        trust,
        filters: readFilters(query),
        visible: caller.visible,
        groupBy,
        orderBy: readOrder(query.order_by, groupBy),
      }
      const answer = await summarize(db, { ...question, limit: query.limit, offset: after })
      const { rows, page } = cut(answer.rows, (_last, shown) => after + shown)
      const data = rows.map(({ group, numbers }) => ({ ...group, ...toJson(numbers) }))
      return { data, totals: toJson(answer.totals), page, window }
    },
  )
}

function readOrder(
  text: (typeof orders)[number],
  groupBy: readonly Dimension[],
): { column: OrderColumn; descending: boolean } {
  const column = text.replace(/^-/, '') as OrderColumn
  if (dimensionNames.includes(column as Dimension) && !groupBy.includes(column as Dimension)) {
    throw badParameter('order_by', `\`${column}\` is not in group_by`)
  }
  return { column, descending: text.startsWith('-') }
}
