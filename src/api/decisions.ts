/** POST /v1/reports/{key}/exclude and /include: the operator's last word on one report, with his name to it. */
import { z } from 'zod'
import { isOutOfRange } from '../store/database.ts'
import { decideReport, type Decision } from '../store/decisions.ts'
import { getReport } from '../store/reports.ts'
import { toJson } from './json.ts'
import { notFound, Problem, problems } from './problem.ts'
import { isKey, keyPath } from './query.ts'
import { reportWithPoliciesSchema } from './reports.ts'
import type { Api, ApiDeps, Caller } from './route.ts'

const maxReasonLength = 1_000

const bodySchema = z
  .strictObject({
    reason: z
      .string()
      .max(maxReasonLength)
      .refine((text) => !/\p{Cc}|\p{Cs}/u.test(text), 'must have no control characters')
      .optional()
      .describe('For whoever asks later why.'),
  })
  .nullish()

const words = {
  exclude: 'Takes a report out of every number',
  include: 'Counts a report, also where the rules would not: one of several that disagree, or one of huge counts',
} as const

/** What includes report after report of absurd counts ends where a total of a day does (DESIGN.md, The store). */
function tooLarge(error: unknown): never {
  if (!isOutOfRange(error)) throw error
  throw new Problem(409, 'total-too-large', 'With this report a total of its day would be more than 9.2e18.')
}

export function addDecisions(app: Api, { db, now }: ApiDeps): void {
  const decide = async (key: string, decision: Decision | undefined, { visible }: Caller) => {
    const standing = isKey(key) ? await decideReport(db, key, decision, visible).catch(tooLarge) : undefined
    const report = standing && (await getReport(db, key, visible))
    if (!report) throw notFound('There is no report of this key.')
    return toJson(report)
  }

  for (const word of ['exclude', 'include'] as const) {
    app.post(
      `/v1/reports/:key/${word}`,
      {
        schema: {
          tags: ['reports'],
          summary: words[word],
          description:
            'The last word stands, and is noted with the name of the token. Reports of a blocked reporter never count.',
          params: keyPath,
          querystring: z.strictObject({}),
          body: bodySchema,
          response: { 200: reportWithPoliciesSchema, ...problems(400, 401, 404, 409, 413, 415) },
        },
      },
      ({ params: { key }, body, caller }) =>
        decide(key, { word, by: caller.name, at: now(), reason: body?.reason ?? null }, caller),
    )
  }

  app.delete(
    '/v1/reports/:key/decision',
    {
      schema: {
        tags: ['reports'],
        summary: 'Takes the decision back: the rules decide again',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 200: reportWithPoliciesSchema, ...problems(400, 401, 404, 409) },
      },
    },
    ({ params: { key }, caller }) => decide(key, undefined, caller),
  )
}
