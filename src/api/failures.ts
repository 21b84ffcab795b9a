/** GET /v1/failures: failure details as they were reported (RFC 8460 §4.4). */
import { z } from 'zod'
import { listFailures } from '../store/failures.ts'
import { countSchema, toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { problems } from './problem.ts'
import { daySchema, filterParameters, keyParameter, readFilters, trustParameter, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'

export const failureDetailSchema = {
  result_type: z.string(),
  sending_mta_ip: z.string().nullable().describe('As written where it is no address.'),
  receiving_mx_hostname: z.string().nullable(),
  receiving_mx_helo: z.string().nullable(),
  receiving_ip: z.string().nullable().describe('As written where it is no address.'),
  failed_session_count: countSchema.describe('Sessions.'),
  additional_information: z.string().nullable().describe('Untrusted text, by the RFC a URI.'),
  failure_reason_code: z.string().nullable().describe('Untrusted text.'),
}

const rowSchema = z
  .strictObject({
    key: z.string().describe('`<report_key>.<seq of the policy>.<seq in the policy>`'),
    report_key: z.uuid(),
    day: z.iso.date(),
    domain: z.string(),
    policy_domain: z.string(),
    policy_type: z.string(),
    primary: z.boolean().describe('False: another policy type of the report stands for its sessions.'),
    ...failureDetailSchema,
    organization: z.string().nullable(),
    reporter: z.string().nullable(),
    trust: z.enum(['verified', 'unverified']),
  })
  .meta({ id: 'Failure', description: 'Null is what the sender did not say.' })

const parameters = z.strictObject({
  ...filterParameters,
  report_key: keyParameter('Of these reports only.'),
  trust: trustParameter.default('verified').describe('Which are shown.'),
  ...listParameters,
})

const position = z.tuple([daySchema, z.uuid(), z.int().min(0).max(32_767), z.int32().min(0)])

export function addFailures(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/failures',
    {
      schema: {
        tags: ['numbers'],
        summary: 'Failure details, one by one',
        description: 'Of counted reports, newest day first.',
        querystring: parameters,
        response: {
          200: z.strictObject({ data: z.array(rowSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller }) => {
      const { trust, report_key: reportKeys, limit } = query
      const { window, after, cut } = readPage(query, position, now())
      const asked = { window, trust, filters: readFilters(query), visible: caller.visible }
      const question = { ...asked, reportKeys, limit: limit + 1 }
      const { rows, page } = cut(await listFailures(db, question, after), (last) => last.position)
      return { data: rows.map(({ failure }) => toJson(failure)), page, window }
    },
  )
}
