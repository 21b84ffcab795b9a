/** The REST API, typed by our own OpenAPI document: all that this page knows it asks here. */
import createClient from 'openapi-fetch'
import type { components, paths } from './api.d.ts'

export type Schemas = components['schemas']

/** Same origin; the session is a cookie that scripts do not see. */
export const api = createClient<paths, 'application/json'>({ baseUrl: location.origin, credentials: 'same-origin' })

/** What the API said instead of an answer: RFC 9457, or that it could not be reached (status 0). */
export class Refused extends Error {
  readonly status: number
  readonly problem: Partial<Schemas['Problem']>
  constructor(status: number, problem: Partial<Schemas['Problem']>) {
    super(problem.detail ?? problem.title ?? `The service answered ${status}.`)
    this.status = status
    this.problem = problem
  }
}

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** The answer, or throws Refused. */
export async function told<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked.catch((failure: unknown) => {
    if (failure instanceof DOMException && failure.name === 'AbortError') throw failure
    throw new Refused(0, { detail: 'The service cannot be reached.' })
  })
  if (response.ok) return data as T
  throw new Refused(response.status, typeof error === 'object' && error !== null ? error : {})
}
