/** GET /v1/policy-versions: which policies senders applied to us (RFC 8460 §4.4, "policy"). */
import { z } from 'zod'
import type { Check } from '../checks/check.ts'
import { cacheUntil, comparedToPublished } from '../checks/explain.ts'
import { lastChecks } from '../store/checks.ts'
import { listPolicyVersions, type PolicyVersion } from '../store/policy-versions.ts'
import { countSchema, toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { problems } from './problem.ts'
import { daySchema, filterParameters, readFilters, trustParameter, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'

const sums = {
  successful: countSchema.describe('Sessions, whether the policy is the primary one of its report or not.'),
  failed: countSchema.describe('Likewise: of several policies of a report they may be the same sessions.'),
  reports: countSchema,
}

const days = {
  first_day: z.iso.date().describe('First UTC day of the window with a report that tells of it.'),
  last_day: z.iso.date(),
}

const cacheUntilSchema = z.iso
  .date()
  .nullable()
  .describe('Last day on which whoever applied it on `last_day` may go on with it; null where there is no `max_age`.')

const versionSchema = z
  .strictObject({
    domain: z.string().describe('Domain of ours.'),
    day: z.iso.date().optional().describe('With `by=day`.'),
    policy_domain: z.string().describe('As the sender had it: ours, a subdomain, or with DANE the MX host.'),
    policy_type: z.string(),
    policy_mode: z.string().nullable().describe('Mode of an STS policy.'),
    policy_string: z.array(z.string()).describe('As the sender saw it: untrusted text.'),
    mx_host: z.array(z.string()),
    max_age: z.int().nullable().describe('Seconds, of an STS policy that says it.'),
    live: z
      .enum(['same', 'older'])
      .nullable()
      .describe(
        'An STS policy against the one that the last check found published; null where that cannot be told, as of what was seen after the check.',
      ),
    cache_until: cacheUntilSchema,
    ...days,
    ...sums,
    unverified: z.strictObject(sums).describe('The same over reports that nobody stands behind.'),
    reporters: z
      .array(
        z.strictObject({
          reporter: z.string().nullable(),
          organization: z.string().nullable().describe('A label anyone can write.'),
          trust: z.enum(['verified', 'unverified']),
          ...days,
          cache_until: cacheUntilSchema,
          reports: countSchema,
        }),
      )
      .describe('Who applied it: verified reporters first, then by reports; at most fifty.'),
  })
  .meta({ id: 'PolicyVersion', description: 'Null is what the sender did not say.' })

const { domain, policy_domain, policy_type, policy_mode, reporter, organization } = filterParameters

const parameters = z.strictObject({
  by: z.enum(['version', 'day']).default('version').describe('`day`: a row for each day of a version.'),
  domain,
  policy_domain,
  policy_type,
  policy_mode,
  reporter,
  organization,
  trust: trustParameter.default('verified').describe('As in `/v1/summary`.'),
  ...listParameters,
})

const position = z.tuple([z.string().regex(/^[!-~]{1,255}$/), daySchema, z.string().regex(/^[0-9a-f]{64}$/)])

export function addPolicyVersions(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/policy-versions',
    {
      schema: {
        tags: ['numbers'],
        summary: 'Which policies senders applied, by whom and when',
        description:
          'By domain, those seen last first: what differs in mode, MX hosts or any other line is another version. A page tells the rows of the moment: where reports arrive between two pages, a row may move.',
        querystring: parameters,
        response: {
          200: z.strictObject({ data: z.array(versionSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller: { visible } }) => {
      const { by, trust, limit } = query
      const { window, after, cut } = readPage(query, position, now())
      const question = { window, trust, filters: readFilters(query), visible, byDay: by === 'day', limit: limit + 1 }
      const { rows, page } = cut(await listPolicyVersions(db, question, after), (last) => last.position)
      const checks = await lastChecks(db, [...new Set(rows.map(({ version }) => version.domain))])
      return { data: rows.map(({ version }) => answer(version, checks.get(version.domain))), page, window }
    },
  )
}

function answer(version: PolicyVersion, check: Check | undefined): z.output<typeof versionSchema> {
  const { domain, policyDomain, policyType, maxAge, lastDay, reporters } = version
  const until = (day: string) => (maxAge === null ? null : cacheUntil(day, maxAge))
  // A policy of a subdomain is published there, where no check of the domain looks.
  const isCompared = policyType === 'sts' && policyDomain === domain
  return {
    ...toJson({ ...version, cacheUntil: until(lastDay) }),
    live: isCompared ? (comparedToPublished(version, check) ?? null) : null,
    reporters: reporters.map((each) => toJson({ ...each, cacheUntil: until(each.lastDay) })),
  }
}
