/** GET /v1/openapi.json: OpenAPI 3.1 from the very schemas that check the requests and the answers. */
import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problems } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'

const tags = [
  { name: 'numbers', description: 'What failed, where, why, and how it moved.' },
  { name: 'reports', description: 'What arrived and what was made of it.' },
  { name: 'domains', description: 'What is ours.' },
  { name: 'service', description: 'Open to everybody who reaches this port.' },
]

/** To be called before any route is added. */
export async function documentRoutes(app: Api, { product }: ApiDeps): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: product.name,
        version: product.version,
        description:
          'TLS reports (RFC 8460): what arrived, and what it says. Every number is over verified reports unless `trust` says otherwise.',
      },
      tags,
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutInputs(jsonSchemaTransformObject(document)),
  })
}

type Document = ReturnType<typeof jsonSchemaTransformObject>

/** Named schemas are of answers; the transform makes one of requests for each as well, which nothing refers to. */
function withoutInputs(document: Document): Document {
  const components = 'components' in document ? document.components : undefined
  const schemas = Object.entries(components?.schemas ?? {}).filter(([name]) => !name.endsWith('Input'))
  return { ...document, components: { ...components, schemas: Object.fromEntries(schemas) } } as Document
}

export function addOpenApi(app: Api): void {
  app.get(
    '/v1/openapi.json',
    {
      config: { public: true },
      schema: {
        tags: ['service'],
        security: [],
        summary: 'This document',
        querystring: z.strictObject({}),
        response: { 200: z.looseObject({ openapi: z.string() }), ...problems(400) },
      },
    },
    () => app.swagger() as { openapi: string },
  )
}
