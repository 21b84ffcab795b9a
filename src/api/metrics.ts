/** GET /metrics: Prometheus' text format. Needs no token: it stands on the port that strangers do not reach. */
import { z } from 'zod'
import { problems } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

export function addMetrics(app: Api, { exposeMetrics }: ApiDeps): void {
  app.get(
    '/metrics',
    {
      config: { public: true },
      schema: {
        tags: ['service'],
        security: [],
        summary: 'Counters and gauges of this instance, for Prometheus',
        querystring: z.strictObject({}),
        response: {
          200: { description: 'Text format 0.0.4.', content: { 'text/plain': { schema: z.string() } } },
          ...problems(400),
        },
      },
    },
    async (_request, reply) => {
      const { contentType, text } = await exposeMetrics()
      return reply.type(contentType).send(text)
    },
  )
}
