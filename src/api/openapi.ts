/** GET /v1/openapi.json: OpenAPI 3.1 from the very schemas that check the requests and the answers. */
import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problems } from './problem.ts'
import type { Api, ApiDeps } from './route.ts'
import { cookieNames } from './session.ts'
import { scopeOf } from './sign-in.ts'

const tags = [
  { name: 'numbers', description: 'What failed, where, why, and how it moved.' },
  { name: 'reports', description: 'What arrived and what was made of it.' },
  { name: 'domains', description: 'What is ours.' },
  { name: 'checks', description: 'Domains seen from outside, and what to publish.' },
  { name: 'tokens', description: 'Who may see and do what.' },
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
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A token of `/v1/tokens`, or the admin token. Each operation names the scope that it must have: `read`, `write` or `admin`, which is all of them. A token of some domains sees these and no others: the rest is to it as if it were not there.',
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: cookieNames.plain,
            description: `A browser that is signed in (\`POST /v1/session\`) may what its token may. Over https the cookie is \`${cookieNames.secure}\`. A token beside it goes first.`,
          },
        },
      },
      security: [{ bearer: [] }, { session: [] }],
    },
    transform: (route) => withScope(route, jsonSchemaTransform(route)),
    transformObject: (document) => withoutInputs(jsonSchemaTransformObject(document)),
  })
}

type Transform = typeof jsonSchemaTransform

/** What the route asks of a token, as a role (OpenAPI 3.1, Security Requirement Object). */
function withScope(
  { route: { config, method } }: Parameters<Transform>[0],
  { schema, url }: ReturnType<Transform>,
): ReturnType<Transform> {
  if (config?.public) return { schema, url }
  const scope = config?.scope ?? scopeOf([method].flat()[0]!)
  const roles = scope === 'any' ? [] : [scope]
  return { schema: { ...schema, security: [{ bearer: roles }, { session: roles }] }, url }
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
