/** Who asks, and what for: by a token in the Authorization header (RFC 6750), never in an address, since these end up in logs; or by a session's cookie. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { ApiToken, Scope, TokenFinder } from '../store/tokens.ts'
import { Problem, tooManyRequests } from './problem.ts'
import type { Api, ApiDeps, Caller } from './route.ts'
import { requireSameOrigin, type Sessions } from './session.ts'

/** Who has brought no token, where none is asked for: nothing is for him. */
export const nobody: Caller = { key: 'nobody', name: 'nobody', scopes: [], visible: [] }

const admin: Caller = { key: 'admin', name: 'admin', scopes: ['admin'], visible: undefined }

/**
 * Answers whose token it is. Throws a 401 for whoever does not bring a good one, in the same words and the same time
 * whatever is wrong with it; a 429 for an address that has failed too often: then the token of nobody there is looked
 * at; and as the database does, where it has to be asked and is away.
 */
export function makeSignIn(
  app: Api,
  { adminToken, limits, limitExempt }: ApiDeps,
  tokens: TokenFinder,
): (request: FastifyRequest, token: string) => Promise<Caller> {
  const expected = sha256(adminToken)
  const failures = app.createRateLimit({
    max: limits.apiFailedSignInsPerMinute,
    timeWindow: 60_000,
    allowList: ({ ip }) => limitExempt(ip),
  })
  const callerOf = async (token: string): Promise<Caller | undefined> => {
    // Equal lengths, as timingSafeEqual wants, and no length to measure.
    if (timingSafeEqual(sha256(token), expected)) return admin
    return asCaller(await tokens.find(token))
  }
  return async (request, token) => {
    const before = await failures(request, { increment: false })
    if (!before.isAllowed && before.remaining === 0) throw tooManyRequests(before.ttlInSeconds)
    const caller = await callerOf(token)
    if (caller) return caller
    const failed = await failures(request)
    if (!failed.isAllowed && failed.isExceeded) throw tooManyRequests(failed.ttlInSeconds) // Of many at once.
    throw new Problem(401, 'unauthorized', 'A valid token is needed.', { headers: { 'www-authenticate': 'Bearer' } })
  }
}

/**
 * Who comes with a session, as good as its token still is; undefined where there is none, or a token was brought as well.
 * The cookie cannot be guessed, so addresses that fail too often do not matter here. Throws the 403 of `requireSameOrigin`.
 */
export async function findSignedIn(
  request: FastifyRequest,
  sessions: Sessions,
  tokens: TokenFinder,
): Promise<Caller | undefined> {
  const session = request.headers.authorization === undefined ? sessions.read(request) : undefined
  if (!session) return undefined
  const caller = session.key === admin.key ? admin : asCaller(await tokens.findByKey(session.key))
  if (!caller) return undefined
  requireSameOrigin(request)
  return { ...caller, sessionEndsAt: session.endsAt }
}

const asCaller = (found: ApiToken | undefined): Caller | undefined =>
  found && { ...found, visible: found.domains.length === 0 ? undefined : found.domains }

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** '' is no token: it has no hash of any. */
export const bearerToken = ({ headers }: FastifyRequest): string =>
  /^Bearer +([^\s]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? ''

/** What a route asks for, unless it says so itself. */
export const scopeOf = (method: string): Scope => (method === 'GET' || method === 'HEAD' ? 'read' : 'write')

/** RFC 6750 §3.1: throws a 403 for whoever has not the scope. */
export function requireScope({ scopes }: Caller, scope: Scope | 'any'): void {
  if (scope === 'any' || scopes.includes(scope) || scopes.includes('admin')) return
  throw new Problem(403, 'insufficient-scope', `This needs a token of the scope '${scope}'.`, {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  })
}

/** Throws a 403 for a token of some domains, where what is asked for is about those of others as well. */
export function requireAllDomains({ visible }: Caller, detail: string): void {
  if (visible !== undefined) throw new Problem(403, 'insufficient-domains', detail)
}
