/** /v1/domains: what is ours, how it is doing, and how it comes to be ours. */
import { z } from 'zod'
import {
  deleteDomain,
  domainHealth,
  putDomain,
  reportedDomains,
  type DomainHealth,
  type ListedDomain,
} from '../store/domains.ts'
import { purgeDomain } from '../store/purge.ts'
import type { Visible, Window } from '../store/question.ts'
import { domainName } from '../tlsrpt/domain-name.ts'
import { domainStates } from '../tlsrpt/headline.ts'
import { organizationalDomain } from '../tlsrpt/ownership.ts'
import { domainStandings } from './domain-standing.ts'
import { countSchema, toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { badParameter, notFound, Problem, problems } from './problem.ts'
import { domainParameter, readWindow, windowParameters, windowSchema } from './query.ts'
import type { Api, ApiDeps, Caller } from './route.ts'

const health = {
  last_report_day: z.iso.date().nullable().describe('The last day with a report, of all time.'),
  successful: countSchema.describe('Sessions.'),
  failed: countSchema.describe('Sessions.'),
  failure_rate: z.number().nullable().describe('failed / (successful + failed); null without sessions.'),
  reports: countSchema,
}

const standing = {
  state: z
    .enum(domainStates)
    .describe(
      '`failing`: sessions failed on the newest day with a report. `silent`: no report for more than three days. `no-reports`: none ever. As of the last day of the window, or of today.',
    ),
  trust: z
    .enum(['verified', 'unverified'])
    .nullable()
    .describe(
      'Whose word the state, the headline, the cause and the policies are: `unverified` where there is no verified report; null without a report.',
    ),
  headline: z.string().describe('How it does, and what is wrong, in one sentence.'),
  top_cause: z
    .strictObject({
      result_type: z.string(),
      receiving_mx_hostname: z.string().nullable().describe('Null where the sender did not say.'),
      failed: countSchema.describe('Sessions in the window, by the primary policies.'),
      since: z.iso.date().describe('As in `/v1/causes`.'),
      ongoing: z.boolean(),
    })
    .nullable()
    .describe('The worst cause of the last day that failed: what enforce refuses first, then by failed sessions.'),
  policy_types: z.array(z.string()).describe('That senders applied, those seen last first; at most ten.'),
  policy_modes: z.array(z.string()).describe('Likewise.'),
}

const domainSchema = z
  .strictObject({
    domain: z.string(),
    include_subdomains: z.boolean(),
    mx: z.array(z.string()).describe('Hosts that serve it and are not under it: DANE policies name the MX host.'),
    source: z.enum(['environment', 'store']).describe('`environment`: it lives as long as POLICY_DOMAINS names it.'),
    created_at: z.iso.datetime().nullable(),
    ...standing,
    ...health,
    unverified: z.strictObject(health).describe('The same over reports that nobody stands behind.'),
    contested_reports: countSchema.describe('Reports that do not count because unverified ones contradict each other.'),
  })
  .meta({ id: 'Domain', description: 'Sessions and reports in the window, by verified reports.' })

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

export function addDomains(app: Api, deps: ApiDeps): void {
  const { db, ownDomains, now } = deps

  app.get(
    '/v1/domains',
    {
      schema: {
        tags: ['domains'],
        summary: 'Our domains, with health at a glance',
        description: 'By name. Under `POLICY_DOMAINS=*` also those that were reported on in the window.',
        querystring: z.strictObject(listParameters),
        response: {
          200: z.strictObject({ data: z.array(domainSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller }) => {
      const { window, after = '', cut } = readPage(query, z.string(), now())
      const own = await ourDomains(deps, window, caller.visible)
      const { rows, page } = cut(
        own.filter(({ domain }) => domain > after).slice(0, query.limit + 1),
        (last) => last.domain,
      )
      return { data: await withHealth(deps, rows, window), page, window }
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
      const own = (await ourDomains(deps, window, caller.visible)).find(({ domain }) => domain === params.domain)
      const [row] = own ? await withHealth(deps, [own], window) : []
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

/** Sorted by name. */
async function ourDomains({ db, ownDomains }: ApiDeps, window: Window, visible: Visible): Promise<ListedDomain[]> {
  const listed = (await ownDomains.list()).filter(({ domain }) => visible === undefined || visible.includes(domain))
  if (!ownDomains.any) return listed
  const names = new Set(listed.map(({ domain }) => domain))
  const reported = (await reportedDomains(db, window, visible)).filter((domain) => !names.has(domain))
  const unlisted = reported.map((domain): ListedDomain => ({ domain, includeSubdomains: true, mx: [], source: 'environment', createdAt: undefined })) // prettier-ignore
  return [...listed, ...unlisted].sort((a, b) => (a.domain < b.domain ? -1 : 1))
}

/** One row for each, in their order. */
async function withHealth({ db, now }: ApiDeps, own: readonly ListedDomain[], window: Window) {
  const found = await domainHealth(db, own.map(({ domain }) => domain), window) // prettier-ignore
  const byName = new Map<string, DomainHealth>(found.map((health) => [health.domain, health]))
  const standings = await domainStandings(db, found, window, now())
  return own.map(({ createdAt, ...rest }) => {
    const { unverified, ...health } = byName.get(rest.domain)!
    return {
      ...toJson(rest),
      created_at: createdAt?.toISOString() ?? null,
      ...toJson(standings.get(rest.domain)!),
      ...toJson(withRate(health)),
      unverified: toJson(withRate(unverified)),
    }
  })
}

function withRate<Sums extends { successful: bigint; failed: bigint }>(
  sums: Sums,
): Sums & { failureRate: number | null } {
  const sessions = sums.successful + sums.failed
  return { ...sums, failureRate: sessions === 0n ? null : Number(sums.failed) / Number(sessions) }
}
