/** RFC 8460 §5.4, RFC 9457: the one table from what became of a report to the HTTP answer, and the form of answers. */
import { STATUS_CODES } from 'node:http'
import type { Refusal } from '../tlsrpt/submission.ts'
import type { Outcome } from '../tlsrpt/verdict.ts'

/** `body` is JSON; none where undefined. */
export type HttpReply = { status: number; headers: Record<string, string>; body?: object }

type Refused = Refusal & { submissionKey?: string }

/** Nothing here is a page, and nothing of it is to be kept. */
const always = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Plain 200 for success: some senders take nothing else for one (RFC 8460 §5.4 says "typically 200 or 201"). */
export const success = (body?: object): HttpReply =>
  body
    ? { status: 200, headers: { ...always, 'content-type': 'application/json' }, body }
    : { status: 200, headers: always }

/** An answer without a body. */
export const noContent = (headers: Record<string, string>): HttpReply => ({
  status: 204,
  headers: { ...always, ...headers },
})

/** A problem by its stable name; `reason` may be finer than that, `detail` is for a person. */
export function problem(status: number, name: string, detail: string, more: ProblemMembers = {}): HttpReply {
  const { headers = {}, ...members } = more
  const body = {
    type: `urn:tlsrpt-receiver:problem:${name}`,
    title: STATUS_CODES[status],
    status,
    detail,
    reason: name,
  }
  const type = { 'content-type': 'application/problem+json' }
  return { status, headers: { ...always, ...type, ...headers }, body: { ...body, ...members } }
}

type ProblemMembers = {
  headers?: Record<string, string>
  reason?: string
  submission_key?: string
  errors?: { pointer: string; message: string }[]
}

/** RFC 8460 §5.5 has senders try for a day; a minute is long enough for a database to come back. */
const retryAfterSeconds = 60

/** Our trouble: nothing is stored, or it is not known whether it is; to send it again is safe. */
export const unavailable = (reason: string): HttpReply =>
  problem(503, 'unavailable', 'This cannot be taken just now. Please send it again later.', {
    reason,
    headers: { 'retry-after': String(retryAfterSeconds) },
  })

/** Our trouble is 503, bad input 4xx, never the reverse. `mediaType` is the sender's label, if there was one. */
export function httpReply(outcome: Outcome, mediaType: string | undefined): HttpReply {
  switch (outcome.kind) {
    case 'accepted':
    case 'duplicate':
    case 'conflict':
    case 'quarantined': {
      const { kind: verdict, submissionKey, reports, anomalies } = outcome
      return success({ submission_key: submissionKey, verdict, reports, anomalies })
    }
    case 'deferred':
      return unavailable(outcome.reason)
    case 'unauthenticated':
    case 'malformed':
    case 'unreadable':
    case 'not-ours':
    case 'too-large':
      return permanent(outcome, mediaType)
  }
}

function permanent(refused: Refused, mediaType: string | undefined): HttpReply {
  const { kind, reason, submissionKey, problems } = refused
  return problem(refusalStatus(refused, mediaType), kind, problems[0]?.message ?? reason, {
    reason,
    ...(submissionKey !== undefined && { submission_key: submissionKey }),
    errors: problems.map(({ pointer, message }) => ({ pointer, message })),
  })
}

function refusalStatus(refused: Refused, mediaType: string | undefined): number {
  switch (refused.kind) {
    case 'malformed':
      return isWrongLabel(refused, mediaType) ? 415 : 400
    case 'unauthenticated': // Never of a post, which nobody can sign.
    case 'unreadable':
    case 'not-ours':
      return 422
    case 'too-large':
      return 413
  }
}

/** No report, and not labelled as one either. The road names what it does not know (tlsrpt/unwrap.ts); no label is none. */
function isWrongLabel({ reason, problems }: Refused, mediaType: string | undefined): boolean {
  if (reason === 'content-encoding-unsupported') return true
  return mediaType !== undefined && problems.some(({ code }) => code === 'media-type-unknown')
}

/** An answer as text, `requestId` in it, for a request that never became one to Node, or whose body nobody will read. */
export function wireText(reply: HttpReply, requestId: string): string {
  const body = bodyText(reply, requestId)
  const headers = { ...reply.headers, 'content-length': Buffer.byteLength(body) }
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`, ...lines, '', body].join('\r\n')
}

/** Every problem tells its request_id, under which the log has it. */
export function bodyText({ status, body }: HttpReply, requestId: string): string {
  if (body === undefined) return ''
  return JSON.stringify(status < 400 ? body : { ...body, request_id: requestId })
}

export const notFound = problem(404, 'not-found', 'There is nothing here.')
export const badRequest = problem(400, 'bad-request', 'This is no proper HTTP request.')
export const tooSlow = problem(408, 'request-timeout', 'The request took too long to come.')
export const tooLarge = problem(413, 'body-too-large', 'The body is larger than we take.')
