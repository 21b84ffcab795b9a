/** /v1/checks: domains seen from outside, now and before (RFC 8461, RFC 8460 §3, RFC 7672). */
import { PassThrough } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { diffChecks } from '../checks/diff.ts'
import type { Progress } from '../checks/look.ts'
import { getCheck, lastCheck, listChecks, recordCheck, type KeptCheck } from '../store/checks.ts'
import { checkRowSchema, checkSchema } from './checks-schema.ts'
import { toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { badParameter, notFound, Problem, problems, tooManyRequests } from './problem.ts'
import { given, isKey, keyPath, many, domainParameter, windowSchema } from './query.ts'
import type { Api, ApiDeps, Caller } from './route.ts'

const parameters = z.strictObject({ domain: many(domainParameter, 'Which was checked.'), ...listParameters })

const bodySchema = z.strictObject({ domain: z.string().min(1).max(1_024).describe('In any spelling.') })

const position = z.uuid()

export function addChecks(app: Api, deps: ApiDeps): void {
  const { db, now } = deps

  app.get(
    '/v1/checks',
    {
      schema: {
        tags: ['checks'],
        summary: 'Checks that were made',
        description: 'Newest first. The window is over the time of the check. The hundred newest of a domain are kept.',
        querystring: parameters,
        response: {
          200: z.strictObject({ data: z.array(checkRowSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller: { visible } }) => {
      const { window, after, cut } = readPage(query, position, now())
      const question = { window, filters: given({ domain: query.domain }), visible, limit: query.limit + 1 }
      const { rows, page } = cut(await listChecks(db, question, after), (last) => last.key)
      return { data: rows.map(rowOf), page, window }
    },
  )

  app.get(
    '/v1/checks/:key',
    {
      schema: {
        tags: ['checks'],
        summary: 'One check, and what has changed since the one before',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 200: checkSchema, ...problems(400, 401, 404) },
      },
    },
    async ({ params: { key }, caller: { visible } }) => {
      const found = isKey(key) ? await getCheck(db, key, visible) : undefined
      if (!found) throw notFound('There is no check of this key.')
      return answer(found.now, found.before)
    },
  )

  app.post(
    '/v1/checks',
    {
      schema: {
        tags: ['checks'],
        summary: 'Looks at a domain from outside, now',
        description:
          'Takes up to a minute. With `Accept: text/event-stream` the answer is a stream of events: `progress` for each step that begins or ends, and at last `check`, or `problem`. No mail is sent.',
        querystring: z.strictObject({}),
        body: bodySchema,
        response: {
          200: {
            description: 'The check.',
            content: { 'application/json': { schema: checkSchema }, 'text/event-stream': { schema: z.string() } },
          },
          ...problems(400, 401, 404, 413, 415),
        },
      },
    },
    async ({ body, headers, caller }, reply) => {
      const domain = admitted(deps, body.domain, caller)
      const make = (onProgress: (progress: Progress) => void) => makeCheck(deps, domain, caller, onProgress)
      if (!/\btext\/event-stream\b/.test(headers.accept ?? '')) return make(() => undefined)
      return streamed(reply, make, deps) as never // fastify sends a stream as it is, and no schema is about it.
    },
  )
}

/** The name to look at, which stood in the body or the path. Throws a 400 for what is none, a 404 for another tenant's, a 429 for too many. */
export function admitted({ checker }: ApiDeps, text: string, caller: Caller, from: 'body' | 'path' = 'body'): string {
  const read = checker.readDomain(text)
  if (read.kind === 'refused' && from === 'path') throw badParameter('domain', read.message)
  if (read.kind === 'refused')
    throw new Problem(400, 'bad-request', `domain ${read.message}.`, { errors: [{ pointer: '/domain', message: read.message }] }) // prettier-ignore
  if (caller.visible && !caller.visible.includes(read.domain)) throw notFound('There is no such domain.')
  const wait = checker.admit(caller.key)
  if (wait > 0) throw tooManyRequests(wait)
  return read.domain
}

type Answer = z.output<typeof checkSchema>

async function makeCheck(
  { db, checker, newKey }: ApiDeps,
  domain: string,
  { name }: Caller,
  onProgress: (progress: Progress) => void,
): Promise<Answer> {
  const before = await lastCheck(db, domain)
  const check = await checker.check(domain, onProgress)
  const kept = { key: newKey(new Date(check.startedAt)), askedBy: name, check }
  await recordCheck(db, kept)
  return answer(kept, before)
}

/** WHATWG server-sent events. The check goes on where whoever asked has gone: it is kept, and the next one compares. */
function streamed(
  reply: FastifyReply,
  make: (onProgress: (progress: Progress) => void) => Promise<Answer>,
  { log }: ApiDeps,
): PassThrough {
  const stream = new PassThrough()
  const say = (event: string, data: object) => stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  void reply.type('text/event-stream').header('x-accel-buffering', 'no')
  make((progress) => say('progress', progress))
    .then(
      (check) => say('check', check),
      (error: unknown) => {
        log.error({ err: error }, 'a check failed')
        say('problem', { detail: 'The check could not be kept.' })
      },
    )
    .finally(() => stream.end())
  return stream
}

const headingOf = ({ key, askedBy, check: { domain, startedAt, endedAt, severity } }: KeptCheck) => ({
  ...{ key, domain, severity },
  started_at: startedAt,
  ended_at: endedAt,
  asked_by: askedBy,
})

function rowOf(kept: KeptCheck): z.output<typeof checkRowSchema> {
  const of = (severity: string) => kept.check.findings.filter((finding) => finding.severity === severity).length
  return { ...headingOf(kept), errors: of('error'), warnings: of('warning'), advice: of('advice') }
}

const answer = (kept: KeptCheck, before: KeptCheck | undefined): Answer => ({
  ...headingOf(kept),
  findings: kept.check.findings,
  observed: toJson(kept.check.observed),
  changes: before ? diffChecks(before.check, kept.check) : [],
  previous_key: before?.key ?? null,
})
