/** GET /v1/records/{domain}: what the domain should publish, from its live MX hosts (RFC 8461 §3, RFC 8460 §3). */
import { z } from 'zod'
import { admitted } from './checks.ts'
import { toJson } from './json.ts'
import { problems } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

const recordsSchema = z
  .strictObject({
    domain: z.string(),
    mail_service: z.enum(['google-workspace', 'microsoft-365', 'other']),
    records: z.array(
      z.strictObject({
        name: z.string(),
        type: z.literal('TXT'),
        value: z.string(),
        live: z.array(z.string()).optional().describe('What stands there now; absent where the DNS cannot tell.'),
        matches: z.boolean().describe('Whether what stands there will do.'),
      }),
    ),
    policy: z
      .strictObject({
        url: z.url(),
        text: z.string(),
        policy: z.object({ mode: z.string(), max_age: z.number(), mx: z.array(z.string()) }),
        live: z.enum(['same', 'other', 'none', 'unknown']),
      })
      .optional()
      .describe('Absent where no MX host could be told.'),
    hosting: z
      .array(z.object({ name: z.string(), title: z.string(), text: z.string() }))
      .describe('Ready texts to host the policy.'),
    advice: z.array(z.string()),
  })
  .meta({ id: 'Records' })

export function addRecords(app: Api, deps: ApiDeps): void {
  app.get(
    '/v1/records/:domain',
    {
      schema: {
        tags: ['checks'],
        summary: 'What to publish for a domain',
        description: 'A valid live policy that lists every MX host is kept as it is; without one, testing comes first.',
        params: z.strictObject({ domain: z.string().min(1).max(1_024).describe('In any spelling.') }),
        querystring: z.strictObject({}),
        response: { 200: recordsSchema, ...problems(400, 401, 404) },
      },
    },
    async ({ params, caller }) =>
      toJson(await deps.checker.records(admitted(deps, params.domain, caller, 'path'))) as z.output<
        typeof recordsSchema
      >,
  )
}
