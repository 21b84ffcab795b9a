/** POST /v1/selftest: whether reports about a domain find their way here (RFC 8460 §3). */
import { z } from 'zod'
import { makeSelfTestStore } from '../store/self-test.ts'
import { admitted } from './checks.ts'
import { toJson } from './json.ts'
import { problems } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

const linkSchema = z
  .strictObject({
    link: z.string().describe('Stable, kebab-case.'),
    subject: z.string(),
    holds: z.boolean(),
    sentence: z.string(),
  })
  .meta({ id: 'Link' })

const selfTestSchema = z
  .strictObject({
    domain: z.string(),
    holds: z.boolean().describe('Whether all links hold.'),
    first_broken: linkSchema.nullable(),
    links: z.array(linkSchema).describe('From the record to the store; those of a way end with the broken one.'),
  })
  .meta({ id: 'SelfTest' })

export function addSelfTest(app: Api, deps: ApiDeps): void {
  const { db, ownDomains } = deps
  app.post(
    '/v1/selftest',
    {
      schema: {
        tags: ['checks'],
        summary: 'Sends reports to this instance as the domain has published',
        description:
          'By mail and by HTTPS, to the names in its TLSRPT record. Takes up to two minutes. The reports are about nobody’s domain: they are refused, listed among the refusals, and count nowhere.',
        querystring: z.strictObject({}),
        body: z.strictObject({ domain: z.string().min(1).max(1_024).describe('In any spelling.') }),
        response: { 200: selfTestSchema, ...problems(400, 401, 404, 413, 415) },
      },
    },
    async ({ body, caller }) => {
      const domain = admitted(deps, body.domain, caller)
      const tested = await deps.checker.selfTest(domain, {
        isOurs: (await ownDomains.ownership()).ownerOf(domain) !== undefined,
        store: makeSelfTestStore(db),
        onLink: () => undefined,
      })
      return toJson(tested)
    },
  )
}
