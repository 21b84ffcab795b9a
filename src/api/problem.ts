/** RFC 9457: every error of the API is a problem with a stable name, and never says more than the caller may know. */
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { classifyError } from '../store/database.ts'

export const problemSchema = z
  .strictObject({
    type: z.string().describe('`urn:tlsrpt-receiver:problem:` and the name of the problem; stable, for programs.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('For a person.'),
    reason: z.string().describe('The name again; stable.'),
    errors: z
      .array(
        z.strictObject({
          parameter: z.string().optional().describe('Name of the parameter that is wrong.'),
          pointer: z.string().optional().describe('JSON pointer to what is wrong in the body.'),
          message: z.string(),
        }),
      )
      .optional(),
    request_id: z.string().describe('The log has it, too.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' })

type ProblemError = { parameter?: string; pointer?: string; message: string }

/** Thrown by a route or a hook, answered by `answerProblem`. */
export class Problem extends Error {
  readonly status: number
  readonly reason: string
  readonly errors: ProblemError[]
  readonly headers: Record<string, string>
  constructor(
    status: number,
    reason: string,
    detail: string,
    { errors = [], headers = {} }: { errors?: ProblemError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail)
    this.status = status
    this.reason = reason
    this.errors = errors
    this.headers = headers
  }
}

export const badParameter = (parameter: string, message: string): Problem =>
  new Problem(400, 'invalid-parameter', `${parameter}: ${message}`, { errors: [{ parameter, message }] })

export const notFound = (detail = 'There is nothing here.'): Problem => new Problem(404, 'not-found', detail)

export const tooManyRequests = (retryAfterSeconds: number): Problem =>
  new Problem(429, 'too-many-requests', 'There were too many requests from this address.', {
    headers: { 'retry-after': String(retryAfterSeconds) },
  })

const maxErrors = 10

/** A database that was away is back within seconds, or for a person to mend. */
const retryAfterSeconds = 10

/** What anything thrown while a request is at work comes to. */
export function toProblem(error: FastifyError): Problem {
  if (error instanceof Problem) return error
  if (hasZodFastifySchemaValidationErrors(error)) return ofValidation(error)
  if (error.statusCode !== undefined && error.statusCode < 500) return ofFramework(error.statusCode)
  if (isDefect(error)) return new Problem(500, 'internal-error', 'This is a defect of ours; the log has it.')
  return temporaryFailure()
}

/** Our trouble; `why` is a reason of ours, for a person. */
export const temporaryFailure = (why?: string): Problem =>
  new Problem(
    503,
    'temporary-failure',
    `This cannot be answered just now${why === undefined ? '' : ` (${why})`}. Please ask again later.`,
    { headers: { 'retry-after': String(retryAfterSeconds) } },
  )

/** Whether asking again cannot help. What the database throws and is not about our statement or its values, is an outage. */
const isDefect = (error: FastifyError): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError ||
  isResponseSerializationError(error) ||
  classifyError(error) === 'input'

type ValidationError = FastifyError & { validation: Issue[] }
type Issue = { instancePath: string; message?: string; keyword: string; params: Record<string, unknown> }

function ofValidation(error: FastifyError): Problem {
  const { validation, validationContext } = error as unknown as ValidationError
  const inBody = validationContext === 'body'
  const issues = validation.flatMap(({ keyword, instancePath, message = '', params }) => {
    const path = instancePath === '/' ? '' : instancePath
    if (keyword !== 'unrecognized_keys') return [{ path, message }]
    return (params['keys'] as string[]).map((key) => ({ path: `${path}/${key}`, message: 'is unknown' }))
  })
  const errors = issues.slice(0, maxErrors).map(({ path, message }): ProblemError => {
    const name = path.split('/')[1] ?? ''
    return inBody ? { pointer: path.slice(0, 200), message } : { parameter: name.slice(0, 100), message }
  })
  const first = errors[0]
  const detail = [first?.parameter ?? first?.pointer, first?.message].filter(Boolean).join(': ')
  return new Problem(400, inBody ? 'invalid-body' : 'invalid-parameter', detail, { errors })
}

/** What fastify refuses by itself: its words may quote the request, ours do not. */
function ofFramework(status: number): Problem {
  switch (status) {
    case 414: // A part of the path that is longer than any name of ours.
      return notFound()
    case 413:
      return new Problem(413, 'body-too-large', 'The body is larger than anything here takes.')
    case 415:
      return new Problem(415, 'media-type-unsupported', 'The body must be application/json.')
    default:
      return new Problem(400, 'bad-request', 'This is no proper HTTP request, or its body is not JSON.')
  }
}

export const problemType = 'application/problem+json; charset=utf-8'

export function problemBody({ status, reason, message, errors }: Problem, requestId: string) {
  return {
    type: `urn:tlsrpt-receiver:problem:${reason}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    reason,
    ...(errors.length > 0 && { errors }),
    request_id: requestId,
  }
}

export const answerProblem = (problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
  reply.code(problem.status).headers(problem.headers).type(problemType).send(problemBody(problem, request.id))

const meanings: Record<number, string> = {
  400: 'A parameter or the body is wrong; `errors` names each.',
  401: 'No valid token, and no session.',
  403: 'The token is good, but not for this; or a browser asks for another site (`cross-site`).',
  404: 'There is none.',
  409: 'What is there does not allow it.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  429: 'Too many requests or failed sign-ins from this address; Retry-After says how long to wait.',
  503: 'The database is away or overloaded; Retry-After says how long to wait.',
}

/** The problems a route may answer, for its response schema; who may be nobody may also be somebody else (403). */
export const problems = (...statuses: (400 | 401 | 403 | 404 | 409 | 413 | 415)[]) =>
  Object.fromEntries(
    [...statuses, ...(statuses.includes(401) ? [403] : []), 429, 503].map((status) => [
      status,
      { description: meanings[status], content: { 'application/problem+json': { schema: problemSchema } } },
    ]),
  )
