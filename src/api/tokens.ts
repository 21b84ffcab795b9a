/** /v1/tokens: who may see and do what. A token is told once, when it is made; the store keeps its hash. */
import { z } from 'zod'
import { createToken, listTokens, revokeToken, scopes, specProblem, type TokenFinder } from '../store/tokens.ts'
import { toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { notFound, Problem, problems } from './problem.ts'
import { domainParameter, isKey, keyPath } from './query.ts'
import type { Api, ApiDeps, Caller } from './route.ts'

const scopesSchema = z
  .array(z.enum(scopes))
  .describe(
    '`read`: what stands here. `write`: to change it. `admin`: both, and tokens. `ingest`: to post reports to the intake at `/v1/tlsrpt/{token}`, and nothing else.',
  )

const tokenSchema = z
  .strictObject({
    key: z.uuid(),
    name: z.string(),
    scopes: scopesSchema,
    domains: z.array(z.string()).describe('Empty: every domain.'),
    created_at: z.iso.datetime(),
    revoked_at: z.iso.datetime().nullable().describe('Null while it is good.'),
  })
  .meta({ id: 'Token' })

const bodySchema = z.strictObject({
  name: z.string().describe('For people: whose it is, or what for.'),
  scopes: scopesSchema,
  domains: z
    .array(domainParameter)
    .default([])
    .describe(
      'The domains it may see and change, as `/v1/domains` has them; of an intake token, those that its posts may be about. Empty: every domain.',
    ),
})

const { limit, cursor } = listParameters

const position = z.uuid()

export function addTokens(app: Api, { db, now, newToken }: ApiDeps, finder: TokenFinder): void {
  const forAdmins = { config: { scope: 'admin' as const } }

  app.get(
    '/v1/tokens',
    {
      ...forAdmins,
      schema: {
        tags: ['tokens'],
        summary: 'All tokens but the first, without what opens anything',
        description: 'Newest first, revoked ones as well. A token of some domains is shown those for no others.',
        querystring: z.strictObject({ limit, cursor }),
        response: { 200: z.strictObject({ data: z.array(tokenSchema), page: pageSchema }), ...problems(400, 401) },
      },
    },
    async ({ query, caller }) => {
      const { after, cut } = readPage(query, position, now())
      const found = await listTokens(db, { visible: caller.visible, limit: query.limit + 1 }, after)
      const { rows, page } = cut(found, ({ key }) => key)
      return { data: rows.map(toJson), page }
    },
  )

  app.post(
    '/v1/tokens',
    {
      ...forAdmins,
      schema: {
        tags: ['tokens'],
        summary: 'Makes a token, and tells it this once',
        description: 'A token of some domains makes none for others.',
        querystring: z.strictObject({}),
        body: bodySchema,
        response: {
          201: z.strictObject({ key: z.uuid(), token: z.string().describe('256 random bits.') }),
          ...problems(400, 401, 413, 415),
        },
      },
    },
    async ({ body, caller }, reply) => {
      const spec = { name: body.name, scopes: [...new Set(body.scopes)], domains: [...new Set(body.domains)] }
      const problem = specProblem({ ...spec, domains: body.domains })
      if (problem) {
        const { pointer, message } = problem
        throw new Problem(400, 'invalid-body', `${pointer}: ${message}`, { errors: [problem] })
      }
      refuseOthersDomains(caller, body.domains)
      const { key, token } = newToken(now())
      await createToken(db, spec, key, token)
      return reply.code(201).send({ key, token })
    },
  )

  app.delete(
    '/v1/tokens/:key',
    {
      ...forAdmins,
      schema: {
        tags: ['tokens'],
        summary: 'Revokes a token for good: here at once, by other instances within a second',
        params: keyPath,
        querystring: z.strictObject({}),
        response: { 204: z.undefined().describe('Done.'), ...problems(400, 401, 404) },
      },
    },
    async ({ params: { key }, caller }, reply) => {
      const revoked = isKey(key) && (await revokeToken(db, key, caller.visible))
      if (!revoked) throw notFound('There is no token of this key.')
      finder.forget()
      return reply.code(204).send()
    },
  )
}

/** Throws a 403 where the new token could do more than the one that makes it. */
function refuseOthersDomains({ visible }: Caller, domains: readonly string[]): void {
  if (visible === undefined) return
  const others = domains.flatMap((domain, i) => (visible.includes(domain) ? [] : [`/domains/${i}`]))
  const pointer = domains.length === 0 ? '/domains' : others[0]
  if (pointer === undefined) return
  const message = 'must be among the domains of the token that asks'
  throw new Problem(403, 'insufficient-domains', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
