/** GET /v1/instance: where reports for a domain of ours are to be sent (RFC 8460 §3). */
import { z } from 'zod'
import { formatRecord } from '../tlsrpt/record.ts'
import { problems } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

const instanceSchema = z
  .strictObject({
    name: z.string(),
    version: z.string(),
    rua: z
      .array(z.string())
      .describe('Addresses of this instance, in the order to publish: some senders use the first only.'),
    record: z.string().describe('The TXT record to publish at `_smtp._tls.DOMAIN`.'),
  })
  .meta({ id: 'Instance' })

export function addInstance(app: Api, { product, rua }: ApiDeps): void {
  app.get(
    '/v1/instance',
    {
      schema: {
        tags: ['domains'],
        summary: 'Where reports are to be sent, and the record that says so',
        querystring: z.strictObject({}),
        response: { 200: instanceSchema, ...problems(400, 401) },
      },
    },
    () => ({ ...product, rua, record: formatRecord(rua) }),
  )
}
