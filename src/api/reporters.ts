/** /v1/reporters: who reports, how regularly, and whether to believe him (RFC 8460 §3). */
import { z } from 'zod'
import { listReporters } from '../store/reporter-list.ts'
import { reporterStandings, setReporterStanding } from '../store/reporters.ts'
import { utcDay } from '../tlsrpt/dates.ts'
import { organizationalDomain } from '../tlsrpt/ownership.ts'
import { countSchema, toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { badParameter, problems } from './problem.ts'
import { domainParameter, given, many, oneOf, readWindow, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'
import { requireAllDomains } from './sign-in.ts'

const reporterSchema = z
  .strictObject({
    domain: z.string().describe('Organisational domain behind the DKIM signature.'),
    standing: z
      .enum(reporterStandings)
      .describe('Of a `blocked` reporter reports are stored and never count. `known` and `new` differ in the word.'),
    standing_source: z
      .enum(['operator', 'seed', 'default'])
      .describe(
        '`operator`: see `noted_by`. `seed`: a well-known sender, see `reference`. `default`: nobody said a word.',
      ),
    reference: z.url().nullable().describe('Where it can be read that this is a well-known sender.'),
    noted_by: z.string().nullable().describe('Name of the token that set the standing.'),
    noted_at: z.iso.datetime().nullable(),
    first_seen: z.iso.date().nullable().describe('First day with a report, of all that is kept.'),
    last_seen: z.iso.date().nullable().describe('Last day with a report, of all that is kept.'),
    cadence_days: z.number().nullable().describe('Median gap between days with a report, of all that is kept.'),
    overdue: z
      .boolean()
      .describe(
        'Nothing for more than three days and three times the cadence, after three days with a report or more.',
      ),
    reports: countSchema.describe('Counted ones, in the window.'),
    successful: countSchema.describe('Sessions, in the window.'),
    failed: countSchema.describe('Sessions, in the window.'),
    uncounted_reports: countSchema.describe('In the window, whatever the reason.'),
    organizations: z
      .array(z.string())
      .describe('Names it gave itself in the window, their first 255 characters, at most ten, the most used first.'),
    anomalies: z.record(z.string(), countSchema).describe('Reports in the window by what was odd about them.'),
  })
  .meta({ id: 'Reporter' })

const parameters = z.strictObject({
  domain: many(domainParameter, 'Reporter, by the organisational domain behind its signature.'),
  standing: oneOf(reporterStandings, 'What is thought of it.'),
  ...listParameters,
})

const bodySchema = z.strictObject({ standing: z.enum(reporterStandings) })

const position = z.string()

export function addReporters(app: Api, { db, now }: ApiDeps): void {
  const today = () => utcDay(now())

  app.get(
    '/v1/reporters',
    {
      schema: {
        tags: ['reports'],
        summary: 'Who reports: how regularly, what about, and what is odd about it',
        description:
          'By name. Whoever was ever heard of, or was given a standing. Unverified reports have no reporter.',
        querystring: parameters,
        response: {
          200: z.strictObject({ data: z.array(reporterSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller: { visible } }) => {
      const { domain, standing, limit } = query
      const { window, after, cut } = readPage(query, position, now())
      const filters = given({ domain, standing })
      const found = await listReporters(db, { window, today: today(), filters, visible, limit: limit + 1 }, after)
      const { rows, page } = cut(found, (last) => last.domain)
      return { data: rows.map(toJson), page, window }
    },
  )

  app.patch(
    '/v1/reporters/:domain',
    {
      schema: {
        tags: ['reports'],
        summary: 'Sets the standing of a reporter',
        description:
          'For a token of all domains. To block takes all that it reported out of every number, and keeps it; any other standing brings it back. A thousand reports take about a second.',
        params: z.strictObject({ domain: domainParameter }),
        querystring: z.strictObject({}),
        body: bodySchema,
        response: { 200: reporterSchema, ...problems(400, 401, 413, 415) },
      },
    },
    async ({ params: { domain }, body: { standing }, caller }) => {
      requireAllDomains(caller, 'The standing of a reporter is for a token of all domains to set.')
      const organization = organizationalDomain(domain)
      if (organization !== domain)
        throw badParameter('domain', `must be an organisational domain${organization === undefined ? '' : `: ${organization}`}`) // prettier-ignore
      await setReporterStanding(db, { domain, standing, by: caller.name, at: now() })
      const question = { window: readWindow({}, now()), today: today(), filters: { domain: [domain] }, limit: 1 }
      const [row] = await listReporters(db, { ...question, visible: caller.visible }, undefined)
      return toJson(row!)
    },
  )
}
