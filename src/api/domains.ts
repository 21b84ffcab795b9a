/** /v1/domains: what is ours, how it is doing, and how it comes to be ours. */
import { z } from 'zod'
import { deleteDomain, putDomain } from '../store/domains.ts'
import { purgeDomain } from '../store/purge.ts'
import { domainName } from '../tlsrpt/domain-name.ts'
import { organizationalDomain } from '../tlsrpt/ownership.ts'
import { domainSchema, withHealth } from './domain-json.ts'
import { domainOrders, listInOrder, needs, orderPosition } from './domain-order.ts'
import { countSchema, toJson } from './json.ts'
import { ourDomains } from './our-domains.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { badParameter, notFound, Problem, problems } from './problem.ts'
import { domainParameter, readWindow, windowParameters, windowSchema } from './query.ts'
import type { Api, ApiDeps, Caller } from './route.ts'

const purgedSchema = z
  .strictObject({
    domain: z.string(),
    reports: z.int(),
    submissions: z.int().describe('Those about other domains too are among them: they stay, without this one.'),
    bytes: countSchema.describe('Of all arrivals that had something about it.'),
  })
  .meta({ id: 'Purged', description: 'What was erased.' })

const maxMx = 100

const hostName = z
  .string()
  .max(1_024)
  .transform((text, context) => {
    const name = domainName(text)
    if (name === undefined) context.addIssue('must be a host name')
    return name ?? z.NEVER
  })

const bodySchema = z
  .strictObject({
    include_subdomains: z.boolean().optional().describe('Default: true.'),
    mx: z.array(hostName).max(maxMx).optional().describe('Hosts that serve it and are not under it.'),
  })
  .nullish()

const path = z.strictObject({ domain: domainParameter })
const windowed = z.strictObject(windowParameters)
const listed = z.strictObject({
  order_by: z
    .enum(domainOrders)
    .default('domain')
    .describe(
      '`need`: `failing` ones first, those with most failed sessions on their newest day before others; then who went silent in the window; then who had no report in it; then `healthy` ones. Among equals by name.',
    ),
  ...listParameters,
})

const nameSchema = z
  .strictObject({
    domain: z.string(),
    need: z
      .enum(needs)
      .nullable()
      .describe('As `order_by=need` has it; `unheard`: no report in the window. Null in the order of names.'),
  })
  .meta({ id: 'DomainName' })

export function addDomains(app: Api, deps: ApiDeps): void {
  const { db, ownDomains, now } = deps

  app.get(
    '/v1/domains',
    {
      schema: {
        tags: ['domains'],
        summary: 'Our domains, with health at a glance',
        description:
          'Under `POLICY_DOMAINS=*` also those that were reported on in the window. A page tells the rows of the moment: where reports arrive between two pages in the order of need, a row may move.',
        querystring: listed,
        response: {
          200: z.strictObject({ data: z.array(domainSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller }) => {
      const { rows, page, window } = await readOrdered(deps, query, caller)
      const data = await withHealth(deps, rows.map(({ own }) => own), window) // prettier-ignore
      return { data, page, window }
    },
  )

  app.get(
    '/v1/domain-names',
    {
      schema: {
        tags: ['domains'],
        summary: 'Our domains by name alone',
        description:
          'Those of `/v1/domains`, in the same orders, for a fraction of its cost: which of thousands need somebody.',
        querystring: listed,
        response: {
          200: z.strictObject({ data: z.array(nameSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller }) => {
      const { rows, page, window } = await readOrdered(deps, query, caller)
      return { data: rows.map(({ own: { domain }, need }) => ({ domain, need })), page, window }
    },
  )

  app.get(
    '/v1/domains/:domain',
    {
      schema: {
        tags: ['domains'],
        summary: 'One domain of ours',
        params: path,
        querystring: windowed,
        response: { 200: domainSchema, ...problems(400, 401, 404) },
      },
    },
    async ({ params, query, caller }) => {
      const window = readWindow(query, now())
      const visible = (caller.visible ?? [params.domain]).filter((domain) => domain === params.domain)
      const [row] = await withHealth(deps, await ourDomains(deps, window, visible), window)
      if (!row) throw notFound('It is no domain of ours.')
      return row
    },
  )

  app.put(
    '/v1/domains/:domain',
    {
      schema: {
        tags: ['domains'],
        summary: 'Makes a domain ours, or replaces how it is',
        description: 'A token of some domains lists no hosts: whose a host is, is for the operator to say.',
        params: path,
        querystring: z.strictObject({}),
        body: bodySchema,
        response: { 200: domainSchema, 201: domainSchema, ...problems(400, 401, 404, 409, 413, 415) },
      },
    },
    async ({ params: { domain }, body, caller }, reply) => {
      if (organizationalDomain(domain) === undefined) {
        throw badParameter('domain', 'must have a public suffix below it: no top-level domain, no localhost')
      }
      refuseOthers(caller, domain)
      const mx = body?.mx ?? []
      await refuseHosts(deps, caller, domain, mx)
      await refuseEnvironment(deps, domain)
      const done = await putDomain(db, { domain, includeSubdomains: body?.include_subdomains ?? true, mx })
      await ownDomains.refresh()
      const own = (await ownDomains.list()).filter((listed) => listed.domain === domain)
      const [row] = await withHealth(deps, own, readWindow({}, now()))
      return reply.code(done === 'created' ? 201 : 200).send(row!)
    },
  )

  app.delete(
    '/v1/domains/:domain',
    {
      schema: {
        tags: ['domains'],
        summary: 'Makes a domain no longer ours; what came for it stays, unless it is purged',
        params: path,
        querystring: z.strictObject({
          purge: z
            .enum(['true', 'false'])
            .default('false')
            .describe('`true` erases all that is kept of it, bytes included, also where it was removed before.'),
        }),
        response: { 200: purgedSchema, 204: z.undefined().describe('Done.'), ...problems(400, 401, 404, 409) },
      },
    },
    async ({ params: { domain }, query: { purge }, caller }, reply) => {
      refuseOthers(caller, domain)
      await refuseEnvironment(deps, domain)
      if (purge === 'true') {
        const { wasOurs, ...erased } = await purgeDomain(db, domain)
        if (!wasOurs && erased.reports + erased.submissions === 0) throw notFound('Nothing is kept of it.')
        await ownDomains.refresh()
        return reply.code(200).send({ domain, ...toJson(erased) })
      }
      if (!(await deleteDomain(db, domain))) throw notFound('It is no domain of ours.')
      await ownDomains.refresh()
      return reply.code(204).send()
    },
  )
}

/** Whether it is another's or nobody's, there is none for whoever asks. */
function refuseOthers({ visible }: Caller, domain: string): void {
  if (visible && !visible.includes(domain)) throw notFound('It is no domain of ours.')
}

/** DANE policies go to the domain that lists their host: a tenant could list those of another, and have its reports. */
async function refuseHosts({ ownDomains }: ApiDeps, { visible }: Caller, domain: string, mx: readonly string[]) {
  if (visible === undefined) return
  const listed = (await ownDomains.list()).find((own) => own.domain === domain)?.mx ?? []
  const seq = mx.findIndex((host) => !listed.includes(host))
  if (seq === -1) return
  const message = 'is for a token of all domains to list'
  throw new Problem(403, 'insufficient-domains', `/mx/${seq}: ${message}`, {
    errors: [{ pointer: `/mx/${seq}`, message }],
  })
}

async function refuseEnvironment({ ownDomains }: ApiDeps, domain: string): Promise<void> {
  const isFixed = (await ownDomains.list()).some((own) => own.domain === domain && own.source === 'environment')
  if (isFixed) throw new Problem(409, 'environment-domain', 'It stands in POLICY_DOMAINS and is changed there.')
}

async function readOrdered(deps: ApiDeps, query: z.output<typeof listed>, { visible }: Caller) {
  const { window, after, cut } = readPage(query, orderPosition, deps.now())
  const asked = { orderBy: query.order_by, window, visible, after, limit: query.limit + 1 }
  return { window, ...cut(await listInOrder(deps, asked), ({ position }) => position) }
}
