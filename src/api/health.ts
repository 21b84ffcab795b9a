/** What asks whether the service lives, is ready, and which one it is. None needs a token, none tells a secret. */
import { z } from 'zod'
import { problemSchema, problems } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

const readiness = z.strictObject({ ready: z.boolean(), reasons: z.array(z.string()).describe('Why it is not.') })

const notReady = {
  description: 'It is not, or cannot tell.',
  content: { 'application/json': { schema: readiness }, 'application/problem+json': { schema: problemSchema } },
}

export function addHealth(app: Api, { product, ready }: ApiDeps): void {
  const isPublic = { config: { public: true } }
  const schema = { tags: ['service'], security: [], querystring: z.strictObject({}) }
  app.get(
    '/healthz',
    {
      ...isPublic,
      schema: {
        ...schema,
        summary: 'Whether the process lives; asks nothing of the database',
        response: { 200: z.strictObject({ status: z.literal('ok') }), ...problems(400) },
      },
    },
    () => ({ status: 'ok' as const }),
  )
  app.get(
    '/readyz',
    {
      ...isPublic,
      schema: {
        ...schema,
        summary: 'Whether it can take and answer; senders are told to come back while it cannot',
        response: { ...problems(400), 200: readiness, 503: notReady },
      },
    },
    async (_request, reply) => {
      const answer = await ready()
      return reply.code(answer.ready ? 200 : 503).send(answer)
    },
  )
  app.get(
    '/version',
    {
      ...isPublic,
      schema: {
        ...schema,
        summary: 'Which service this is',
        response: { 200: z.strictObject({ name: z.string(), version: z.string() }), ...problems(400) },
      },
    },
    () => product,
  )
}
