/** What is told of a domain of ours: how it came to be ours, and how it does, in numbers, a word and a sentence. */
import { z } from 'zod'
import type { ListedDomain } from '../store/domains.ts'
import type { Window } from '../store/question.ts'
import { domainStates } from '../tlsrpt/headline.ts'
import { domainStandings } from './domain-standing.ts'
import { countSchema, toJson } from './json.ts'
import type { ApiDeps } from './route.ts'

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

export const domainSchema = z
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

/** One row for each, in their order. */
export async function withHealth({ db, now }: ApiDeps, own: readonly ListedDomain[], window: Window) {
  const standings = await domainStandings(db, own.map(({ domain }) => domain), window, now()) // prettier-ignore
  return own.map(({ createdAt, ...rest }) => {
    const { health, standing } = standings.get(rest.domain)!
    const { unverified, ...verified } = health
    return {
      ...toJson(rest),
      created_at: createdAt?.toISOString() ?? null,
      ...toJson(standing),
      ...toJson(withRate(verified)),
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
