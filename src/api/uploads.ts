/** POST /v1/submissions: a file as it is; POST /v1/submissions/{key}/replay: what has arrived is judged again. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { findArrival } from '../store/stored-arrivals.ts'
import type { Outcome } from '../tlsrpt/verdict.ts'
import { notFound, Problem, problems, temporaryFailure } from './problem.ts'
import { isKey, keyPath } from './query.ts'
import type { Api, ApiDeps } from './route.ts'
import { requireAllDomains } from './sign-in.ts'
import { reportOutcomesSchema, verdicts } from './submissions.ts'

const verdictSchema = z.enum(verdicts)
const reasonSchema = z.string().nullable().describe('Finer than the verdict; stable. Null on what is accepted.')

const takenSchema = z
  .strictObject({
    key: z.uuid().nullable().describe('Null where a refusal could not be kept just now.'),
    verdict: verdictSchema,
    reason: reasonSchema,
  })
  .meta({ id: 'Taken' })

const judgedSchema = z
  .strictObject({ key: z.uuid(), verdict: verdictSchema, reason: reasonSchema, reports: reportOutcomesSchema })
  .meta({ id: 'JudgedAgain' })

export async function addUploads(app: Api, deps: ApiDeps): Promise<void> {
  await addUpload(app, deps)
  addReplay(app, deps)
}

/** In a scope of its own: here a body is bytes, whatever it says it is. */
async function addUpload(app: Api, { takeFile, limits }: ApiDeps): Promise<void> {
  await app.register((scope: Api, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => {
      parsed(null, body)
    })
    scope.addHook('onRequest', (request: FastifyRequest, _reply, next) => {
      requireAllDomains(request.caller, 'A file may be about any domain: this needs a token of all domains.')
      delete request.headers['content-type'] // A label that cannot be read is no reason to refuse.
      next()
    })
    scope.addHook('preValidation', (request: FastifyRequest, _reply, next) => {
      request.body ??= Buffer.alloc(0) // The road knows what to say of it.
      next()
    })
    scope.post(
      '/v1/submissions',
      {
        bodyLimit: Math.max(limits.messageBytes, limits.compressedBytes),
        schema: {
          tags: ['reports'],
          summary: 'Take a file: a report, a mail, or an mbox',
          description:
            'The body is the file, of any media type; what it is its content says. One row for each report in it. A report without a signature that verifies is `unverified`.',
          querystring: z.strictObject({
            filename: z.string().min(1).max(1_024).default('upload').describe('Kept with the submission; may name the policy domain (RFC 8460 §5.1).'), // prettier-ignore
          }),
          consumes: ['application/octet-stream'],
          body: z.instanceof(Buffer).meta({ type: 'string', format: 'binary' }),
          response: { 200: z.strictObject({ data: z.array(takenSchema) }), ...problems(400, 401, 413) },
        },
      },
      async ({ query, body }) => {
        const outcomes = await takeFile(body, query.filename)
        return { data: outcomes.map(answer) }
      },
    )
    done()
  })
}

function answer(outcome: Outcome): z.output<typeof takenSchema> {
  if (outcome.kind === 'deferred') throw temporaryFailure(outcome.reason)
  const { kind: verdict, submissionKey: key = null } = outcome
  return { key, verdict, reason: 'reason' in outcome ? outcome.reason : null }
}

function addReplay(app: Api, { db, replay }: ApiDeps): void {
  app.post(
    '/v1/submissions/:key/replay',
    {
      schema: {
        tags: ['reports'],
        summary: 'Judge a submission again, by the code and the domains of today',
        description:
          'All parts of its mail together; the answer is about this one. What was refused or quarantined and is acceptable now counts from now on; what was accepted stays, and nothing counts twice. Signatures keep the verdict of the day of arrival.',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 200: judgedSchema, ...problems(400, 401, 404, 409) },
      },
    },
    async ({ params: { key }, caller }) => {
      requireAllDomains(caller, 'A submission may be about any domain: this needs a token of all domains.')
      const place = isKey(key) ? await findArrival(db, key) : undefined
      if (!place) throw notFound('There is no submission of this key.')
      const replayed = await replay(place)
      if (replayed.kind === 'deferred') throw temporaryFailure(replayed.reason)
      const part = replayed.kind === 'judged' ? replayed.parts.find((each) => each.key === key) : undefined
      if (!part) throw new Problem(409, 'raw-expired', 'The bytes are no longer kept, or never were.')
      const { verdict, reason, reports } = part
      return { key, verdict: verdictSchema.parse(verdict), reason, reports }
    },
  )
}
