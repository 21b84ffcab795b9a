/** GET /v1/submissions: every arrival and its verdict, with the bytes it came as. */
import { z } from 'zod'
import { getSubmission, listSubmissions, readRaw } from '../store/submissions.ts'
import { toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { notFound, problems } from './problem.ts'
import {
  filterParameters,
  given,
  isKey,
  keyPath,
  oneOf,
  reasonParameter,
  transports,
  trustParameter,
  windowSchema,
} from './query.ts'
import { rawResponse, sendRaw } from './raw.ts'
import { anomaliesSchema } from './reports.ts'
import type { Api, ApiDeps } from './route.ts'

export const verdicts = ['accepted', 'duplicate', 'conflict', 'quarantined', 'unauthenticated', 'malformed', 'unreadable', 'not-ours', 'too-large'] as const // prettier-ignore

const dkimSchema = z
  .object({
    result: z.enum(['pass', 'fail', 'permerror', 'temperror']).describe('RFC 8601 §2.7.1.'),
    reason: z.string().optional(),
    domain: z.string(),
    selector: z.string(),
    algorithm: z.string(),
    key_bits: z.int().optional(),
    unacceptable: z.array(z.string()).describe('Why a signature that passes is no proof all the same.'),
    signed_headers: z.array(z.string()),
  })
  .meta({ id: 'DkimResult', description: 'What a signature came to on the day of arrival.' })

const provenanceSchema = z
  .discriminatedUnion('transport', [
    z.object({
      transport: z.literal('smtp'),
      peer_address: z.string(),
      helo: z.string(),
      mail_from: z.string(),
      rcpt_to: z.array(z.string()).optional(),
      tls: z.boolean(),
    }),
    z.object({
      transport: z.literal('https'),
      peer_address: z.string(),
      media_type: z.string().optional(),
      content_encoding: z.string().optional(),
      token: z.object({ key: z.uuid(), domains: z.array(z.string()) }).optional(),
    }),
    z.object({ transport: z.literal('file'), file_name: z.string().optional() }),
  ])
  .meta({
    id: 'Provenance',
    description:
      'How it came, as the other side told it; without what would tell who may see a part of it about the other parts.',
  })

export const reportOutcomesSchema = z.array(
  z.object({ key: z.uuid(), domain: z.string(), verdict: z.enum(['accepted', 'duplicate', 'conflict']) }),
)

const submissionSchema = z
  .strictObject({
    key: z.uuid(),
    arrival_key: z.uuid().describe('Shared by the parts of one mail.'),
    arrived_at: z.iso.datetime(),
    transport: z.string(),
    provenance: provenanceSchema,
    verdict: z.enum(verdicts),
    reason: z.string().nullable().describe('Finer than the verdict; stable.'),
    trust: z.enum(['verified', 'unverified']).nullable(),
    reporter: z.string().nullable(),
    anomalies: anomaliesSchema,
    dkim: z.array(dkimSchema),
    problems: z.array(z.object({ code: z.string(), pointer: z.string(), message: z.string() })).describe('Why it was refused; at most ten.'), // prettier-ignore
    reports: reportOutcomesSchema,
  })
  .meta({ id: 'Submission' })

const parameters = z.strictObject({
  domain: filterParameters.domain,
  verdict: oneOf(verdicts, 'What became of it.'),
  reason: reasonParameter,
  transport: oneOf(transports, 'How it came.'),
  trust: trustParameter.default('any').describe('Which are shown.'),
  ...listParameters,
})

const position = z.uuid()

export function addSubmissions(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/submissions',
    {
      schema: {
        tags: ['reports'],
        summary: 'Every arrival and its verdict',
        description: 'Newest first. The window is over the time of arrival.',
        querystring: parameters,
        response: {
          200: z.strictObject({ data: z.array(submissionSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller }) => {
      const { trust, limit, domain, verdict, reason, transport } = query
      const { window, after, cut } = readPage(query, position, now())
      const filters = given({ domain, verdict, reason, transport })
      const asked = { window, trust, filters, visible: caller.visible }
      const found = await listSubmissions(db, { ...asked, limit: limit + 1 }, after)
      const { rows, page } = cut(found, ({ key }) => key)
      return { data: rows.map(answer), page, window }
    },
  )

  app.get(
    '/v1/submissions/:key',
    {
      schema: {
        tags: ['reports'],
        summary: 'One arrival',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 200: submissionSchema, ...problems(400, 401, 404) },
      },
    },
    async ({ params: { key }, caller }) => {
      const submission = isKey(key) ? await getSubmission(db, key, caller.visible) : undefined
      if (!submission) throw notFound('There is no submission of this key.')
      return answer(submission)
    },
  )

  app.get(
    '/v1/submissions/:key/raw',
    {
      schema: {
        tags: ['reports'],
        summary: 'The bytes it came as, also of what was refused, while they are kept',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 200: rawResponse, ...problems(400, 401, 404) },
      },
    },
    async ({ params: { key }, caller }, reply) => {
      const raw = isKey(key) ? await readRaw(db, key, caller.visible) : undefined
      if (!raw) throw notFound('There is no submission of this key.')
      return sendRaw(reply, raw, key)
    },
  )
}

/** Its jsonb columns are as some version of us wrote them: members that the response schema does not know stay out. */
const answer = (submission: NonNullable<Awaited<ReturnType<typeof getSubmission>>>) =>
  toJson(submission) as z.output<typeof submissionSchema>
