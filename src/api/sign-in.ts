/** RFC 6750: who may ask. The token stands in the Authorization header and nowhere else, since addresses end up in logs. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Problem, tooManyRequests } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

/**
 * Throws a 401 for whoever does not bring the token, in the same words and the same time whatever is wrong with it, and
 * a 429 for an address that has failed too often: then the token of nobody there is looked at.
 */
export function makeSignIn(
  app: Api,
  { adminToken, limits, limitExempt }: ApiDeps,
): (request: FastifyRequest) => Promise<void> {
  const expected = sha256(adminToken)
  const failures = app.createRateLimit({
    max: limits.apiFailedSignInsPerMinute,
    timeWindow: 60_000,
    allowList: ({ ip }) => limitExempt(ip),
  })
  return async (request) => {
    const before = await failures(request, { increment: false })
    if (!before.isAllowed && before.remaining === 0) throw tooManyRequests(before.ttlInSeconds)
    // Equal lengths, as timingSafeEqual wants, and no length to measure.
    if (timingSafeEqual(sha256(bearerToken(request)), expected)) return
    await failures(request)
    throw new Problem(401, 'unauthorized', 'A valid bearer token is needed.', {
      headers: { 'www-authenticate': 'Bearer' },
    })
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** '' is no token: it has no hash of any. */
const bearerToken = ({ headers }: FastifyRequest): string =>
  /^Bearer +([^\s]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? ''
