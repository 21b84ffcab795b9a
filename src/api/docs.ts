/** GET /docs: the API for a person, from the same document that /v1/openapi.json is; no script, nothing from elsewhere. */
import { z } from 'zod'
import { docsPage, type DocumentedApi } from './docs-page.ts'
import { docsStyle } from './docs-style.ts'
import { problems } from './problem.ts'
import type { Api } from './route.ts'

export function addDocs(app: Api): void {
  const served = (path: string, summary: string, type: string, text: () => string) => {
    app.get(
      path,
      {
        config: { public: true },
        schema: {
          tags: ['service'],
          security: [],
          summary,
          querystring: z.strictObject({}),
          response: {
            200: { description: 'Text.', content: { [type]: { schema: z.string() } } },
            ...problems(400),
          },
        },
      },
      async (_request, reply) => reply.type(`${type}; charset=utf-8`).send(text()),
    )
  }
  let page: string | undefined // Once all routes are known it is always the same.
  served(
    '/docs',
    'This document, as a page',
    'text/html',
    () => (page ??= docsPage(app.swagger() as unknown as DocumentedApi)),
  )
  served('/docs/style.css', 'How that page looks', 'text/css', () => docsStyle)
}
