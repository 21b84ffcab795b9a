/** GET /v1/result-types: what each result type means and what to do about it (RFC 8460 §4.3). */
import { z } from 'zod'
import { resultTypes } from '../tlsrpt/result-types.ts'
import { toJson } from './json.ts'
import { problems } from './problem.ts'
import type { Api } from './route.ts'

const resultTypeSchema = z
  .strictObject({
    name: z.string(),
    group: z.enum(['negotiation', 'policy-dane', 'policy-mta-sts', 'general']),
    meaning: z.string(),
    enforce_refuses: z.boolean().describe('Whether a sender that enforces then does not deliver to that MX.'),
    fix: z.string(),
    section: z.string().describe('Of RFC 8460.'),
  })
  .meta({ id: 'ResultType' })

export function addResultTypes(app: Api): void {
  app.get(
    '/v1/result-types',
    {
      schema: {
        tags: ['numbers'],
        summary: 'What each result type means, and how to fix it',
        querystring: z.strictObject({}),
        response: { 200: z.strictObject({ data: z.array(resultTypeSchema) }), ...problems(400, 401) },
      },
    },
    () => ({ data: resultTypes.map(toJson) }),
  )
}
