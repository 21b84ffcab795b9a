/** GET /v1/reports: what was accepted, counted or not, with the bytes it came as. */
import { z } from 'zod'
import { getReport, listReports, readRawOfReport } from '../store/reports.ts'
import type { Standing } from '../tlsrpt/identity.ts'
import { failureDetailSchema } from './failures.ts'
import { countSchema, toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { notFound, problems } from './problem.ts'
import {
  anomalyParameter,
  daySchema,
  filterParameters,
  given,
  isKey,
  keyPath,
  oneOf,
  reportIdParameter,
  transports,
  trustParameter,
  windowSchema,
} from './query.ts'
import { rawResponse, sendRaw } from './raw.ts'
import type { Api, ApiDeps } from './route.ts'
import { byPolicyTypeSchema } from './summary.ts'

const standings = [
  'counted',
  'superseded',
  'conflict',
  'contested',
  'implausible',
  'excluded',
  'blocked',
] as const satisfies readonly Standing[]

export const anomaliesSchema = z
  .array(z.object({ code: z.string(), pointer: z.string() }))
  .describe('Repairs made and oddities seen, each with a JSON pointer into the report.')

const reportSchema = {
  key: z.uuid(),
  domain: z.string().describe('Domain of ours. A report on several has a row for each.'),
  day: z.iso.date().describe('UTC day on which the range starts: the day it counts on.'),
  organization: z.string().nullable().describe('A label anyone can write.'),
  contact_info: z.string().nullable(),
  reporter: z.string().nullable().describe('Organisational domain behind the DKIM signature; null when unverified.'),
  trust: z.enum(['verified', 'unverified']),
  standing: z.enum(standings).describe('Why it counts or does not.'),
  counted: z.boolean().describe('Whether it is in the numbers.'),
  report_id: z.string(),
  start_datetime: z.iso.datetime(),
  end_datetime: z.iso.datetime(),
  arrived_at: z.iso.datetime(),
  transport: z.string(),
  successful: countSchema.describe('Sessions, by the primary policies.'),
  failed: countSchema.describe('Sessions, by the primary policies.'),
  failed_by_policy_type: byPolicyTypeSchema,
  anomalies: anomaliesSchema,
  submission_key: z.uuid().describe('The arrival it was taken from.'),
  decision: z
    .strictObject({
      word: z.enum(['include', 'exclude']),
      by: z.string().describe('Name of the token.'),
      at: z.iso.datetime(),
      reason: z.string().nullable(),
    })
    .nullable()
    .describe("The operator's last word on it."),
}

const policySchema = z
  .strictObject({
    policy_type: z.string(),
    policy_domain: z.string(),
    policy_mode: z.string().nullable(),
    policy_string: z.array(z.string()),
    mx_host: z.array(z.string()),
    primary: z.boolean().describe('Whether it stands for the sessions of the report.'),
    successful: countSchema,
    failed: countSchema,
    unattributed_failed: countSchema.describe('`failed` minus what the failure details add up to, either sign.'),
    failure_details: z.array(z.strictObject(failureDetailSchema).meta({ id: 'FailureDetail' })),
  })
  .meta({ id: 'Policy' })

export const reportWithPoliciesSchema = z
  .strictObject({ ...reportSchema, policies: z.array(policySchema) })
  .meta({ id: 'ReportWithPolicies' })

const { domain, policy_domain, policy_type, policy_mode, result_type, receiving_mx_hostname, reporter, organization } =
  filterParameters

const parameters = z.strictObject({
  domain,
  policy_domain,
  policy_type,
  policy_mode,
  result_type,
  receiving_mx_hostname,
  reporter,
  organization,
  anomaly: anomalyParameter,
  report_id: reportIdParameter,
  standing: oneOf(standings, 'Why it counts or does not.'),
  transport: oneOf(transports, 'How it came.'),
  trust: trustParameter.default('any').describe('Which are shown.'),
  ...listParameters,
})

const position = z.tuple([daySchema, z.uuid()])

export function addReports(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/reports',
    {
      schema: {
        tags: ['reports'],
        summary: 'Reports, counted or not',
        description: 'Newest day first. The window is over the days on which they start.',
        querystring: parameters,
        response: {
          200: z.strictObject({
            data: z.array(z.strictObject(reportSchema).meta({ id: 'Report' })),
            page: pageSchema,
            window: windowSchema,
          }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller }) => {
      const { trust, limit, from: _from, to: _to, cursor: _cursor, ...filters } = query
      const { window, after, cut } = readPage(query, position, now())
      const asked = { window, trust, filters: given(filters), visible: caller.visible }
      const found = await listReports(db, { ...asked, limit: limit + 1 }, after)
      const { rows, page } = cut(found, ({ day, key }): [string, string] => [day, key])
      return { data: rows.map(toJson), page, window }
    },
  )

  app.get(
    '/v1/reports/:key',
    {
      schema: {
        tags: ['reports'],
        summary: 'One report with its policies and failure details',
        params: keyPath,
        querystring: z.strictObject({}),
        response: {
          200: reportWithPoliciesSchema,
          ...problems(400, 401, 404),
        },
      },
    },
    async ({ params: { key }, caller }) => {
      const report = isKey(key) ? await getReport(db, key, caller.visible) : undefined
      if (!report) throw notFound('There is no report of this key.')
      return toJson(report)
    },
  )

  app.get(
    '/v1/reports/:key/raw',
    {
      schema: {
        tags: ['reports'],
        summary: 'The bytes it came as: a whole mail, or the report as it was posted',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 200: rawResponse, ...problems(400, 401, 404) },
      },
    },
    async ({ params: { key }, caller }, reply) => {
      const raw = isKey(key) ? await readRawOfReport(db, key, caller.visible) : undefined
      if (!raw) throw notFound('There is no report of this key.')
      return sendRaw(reply, raw, key)
    },
  )
}
