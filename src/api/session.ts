/** /v1/session: a browser that is signed in, by a cookie (RFC 6265) that no script can read and that holds no token. */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import cookies from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { scopes } from '../store/tokens.ts'
import { Problem, problems } from './problem.ts'
import type { Api, ApiDeps, Caller } from './route.ts'

/** The first where the page came over https: a browser takes such a name from https only, and from no other host. */
export const cookieNames = { secure: '__Host-tlsrpt-session', plain: 'tlsrpt-session' } as const

/** Whose token it was signed in with, by its key, and until when. */
export type Session = { key: string; endsAt: Date }

export type Sessions = {
  /** Always a new one: nothing that the browser has brought becomes a session. */
  begin: (key: string, request: FastifyRequest, reply: FastifyReply) => Session
  /** What the browser's cookie says, if it is of our making and has not ended; the token may be revoked by now. */
  read: (request: FastifyRequest) => Session | undefined
}

/**
 * The cookie is `KEY.END.MAC`. The key of the MAC is derived from the admin token (HKDF, RFC 5869): instances that share
 * that share their sessions, and a new one ends them all. Nothing is kept here, so nothing has to be looked after.
 */
export async function makeSessions(
  app: Api,
  { adminToken, now, limits }: Pick<ApiDeps, 'adminToken' | 'now' | 'limits'>,
): Promise<Sessions> {
  await app.register(cookies)
  const secret = Buffer.from(hkdfSync('sha256', adminToken, '', 'tlsrpt-receiver session cookie', 32))
  const macOf = (text: string): Buffer => createHmac('sha256', secret).update(text).digest()
  const seconds = limits.apiSessionHours * 60 * 60
  return {
    begin: (key, request, reply) => {
      const endsAt = new Date(now().getTime() + seconds * 1000)
      const told = `${key}.${endsAt.getTime()}`
      const secure = cameOverHttps(request)
      reply.setCookie(
        secure ? cookieNames.secure : cookieNames.plain,
        `${told}.${macOf(told).toString('base64url')}`,
        attributes(secure, seconds),
      )
      return { key, endsAt }
    },
    read: ({ cookies }) => {
      const [key = '', end = '', mac = ''] = (cookies[cookieNames.secure] ?? cookies[cookieNames.plain] ?? '').split(
        '.',
      )
      const brought = Buffer.from(mac, 'base64url')
      const expected = macOf(`${key}.${end}`)
      if (brought.length !== expected.length || !timingSafeEqual(brought, expected)) return undefined
      const endsAt = new Date(Number(end))
      return endsAt > now() ? { key, endsAt } : undefined
    },
  }
}

const attributes = (secure: boolean, maxAge: number) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure, maxAge }) as const

/** By the word of the browser, who alone has something to lose: TLS ends at a proxy, and any client can say what a proxy would. */
const cameOverHttps = ({ headers }: FastifyRequest): boolean => headers.origin?.startsWith('https://') ?? false

/** RFC 6265 §8.8: cookies go along whoever makes the browser ask. Throws a 403 unless it was a page of ours. */
export function requireSameOrigin(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  if (originOf(request) !== 'ours') throw crossSite()
}

const crossSite = () => new Problem(403, 'cross-site', 'A browser may ask for this from our own pages only.')

/** Fetch Metadata, which browsers send to https and to loopback; elsewhere the Origin of RFC 6454. */
function originOf({ headers }: FastifyRequest): 'ours' | 'foreign' | 'untold' {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' ? 'ours' : 'foreign'
  if (headers.origin === undefined) return 'untold'
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host ? 'ours' : 'foreign'
}

const sessionSchema = z
  .strictObject({
    name: z.string().describe('Of the token.'),
    scopes: z.array(z.enum(scopes)).describe('What it may; `admin` is everything.'),
    domains: z.array(z.string()).nullable().describe('What it may see; null: every domain.'),
    expires_at: z.iso
      .datetime()
      .nullable()
      .describe('When the session ends; null for who brings a token with each request.'),
  })
  .meta({ id: 'Session' })

const told = ({ name, scopes, visible, sessionEndsAt }: Caller): z.input<typeof sessionSchema> => ({
  name,
  scopes: [...scopes],
  domains: visible === undefined ? null : [...visible],
  expires_at: sessionEndsAt?.toISOString() ?? null,
})

/** `signIn` answers whose token it is, or throws. */
export function addSession(
  app: Api,
  { log }: ApiDeps,
  sessions: Sessions,
  signIn: (request: FastifyRequest, token: string) => Promise<Caller>,
): void {
  const schema = { tags: ['tokens'], querystring: z.strictObject({}) }
  const { 403: _never, ...refusals } = problems(400, 401) // Whatever a token is good for, it may ask this.

  app.get(
    '/v1/session',
    {
      config: { scope: 'any' },
      schema: {
        ...schema,
        summary: 'Who asks, and what he may',
        response: { 200: sessionSchema, ...refusals },
      },
    },
    ({ caller }) => told(caller),
  )

  app.post(
    '/v1/session',
    {
      config: { public: true },
      schema: {
        ...schema,
        security: [],
        summary: 'Signs a browser in',
        description:
          'Sets a cookie, which is good for what the token is good for, until it ends or the token is revoked. With it, everything but `GET` is refused (`cross-site`) unless a page of the same origin asks, as `Sec-Fetch-Site` or `Origin` say.',
        body: z.strictObject({ token: z.string().describe('As for `Authorization: Bearer`.') }),
        response: { 200: sessionSchema, ...problems(400, 401, 413, 415) },
      },
    },
    async (request, reply) => {
      if (originOf(request) === 'foreign') throw crossSite()
      const caller = await signIn(request, request.body.token)
      const { endsAt } = sessions.begin(caller.key, request, reply)
      log.info({ request_id: request.id, token: caller.key, peer: request.ip }, 'signed in')
      return told({ ...caller, sessionEndsAt: endsAt })
    },
  )

  app.delete(
    '/v1/session',
    {
      config: { public: true },
      schema: {
        ...schema,
        security: [],
        summary: 'Signs a browser out',
        response: { 204: z.undefined().describe('Done, or there was none.'), ...problems(400, 403) },
      },
    },
    async (request, reply) => {
      if (originOf(request) === 'foreign') throw crossSite()
      reply.clearCookie(cookieNames.plain, attributes(false, 0)).clearCookie(cookieNames.secure, attributes(true, 0))
      return reply.code(204).send()
    },
  )
}
