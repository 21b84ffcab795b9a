/**
 * What the API has to answer, folded from the ledger session by session. Written from DESIGN.md ("Counting honestly"),
 * not from src/: it shares no code with it.
 */
import type { Told } from './deliveries.ts'
import type { Judgement } from './ledger.ts'
import { shapes } from './senders.ts'

export type Trust = 'verified' | 'unverified' | 'any'
export type Question = { groupBy: string[]; trust: Trust; filters?: Record<string, string[]> }

/** One session under one policy; or, with a line of detail, one line that its sender told of it. */
type Fact = {
  group: Record<string, string | null>
  report: string
  trust: 'verified' | 'unverified'
  reporter: string | null
  day: string
  policyType: string
  primary: boolean
  successful: number
  failed: number
  /** Lines of detail beside it. */
  lines: number
}

type Side = { successful: number | null; failed: number; reports: number }

export type Row = Record<string, unknown> & { unverified: Side }

/** Dimensions of failure details: a session that succeeded has none of them. */
const ofDetails = ['result_type', 'receiving_mx_hostname', 'sending_mta_ip', 'receiving_ip', 'failure_reason_code']

/** The rows of /v1/summary, in no order. */
export function summaryOf(told: Told[], question: Question): Row[] {
  const { groupBy, filters = {} } = question
  const detailed = [...groupBy, ...Object.keys(filters)].some((name) => ofDetails.includes(name))
  const byPolicyType = groupBy.includes('policy_type') || filters['policy_type']?.length === 1
  const facts = factsOf(told, detailed).filter(({ group }) =>
    Object.entries(filters).every(([name, values]) => values.some((value) => fits(group[name] ?? null, value))),
  )
  const groups = Map.groupBy(facts, ({ group }) => JSON.stringify(groupBy.map((name) => group[name])))
  return [...groups.values()].flatMap((cell) => {
    const asked = cell.filter(({ trust }) => question.trust === 'any' || trust === question.trust)
    const unverified = cell.filter(({ trust }) => trust === 'unverified')
    if (asked.length === 0 && unverified.length === 0) return []
    const numbers = numbersOf(asked, detailed, byPolicyType)
    const names = groupBy.map((name) => [name, cell[0]!.group[name]])
    return { ...Object.fromEntries(names), ...numbers, unverified: sideOf(unverified, detailed, byPolicyType) } as Row
  })
}

/** An empty value is what nobody said; a /24 is the addresses in it. */
const fits = (said: string | null, value: string): boolean =>
  value.endsWith('.0/24') ? (said?.startsWith(value.slice(0, -'0/24'.length)) ?? false) : (said ?? '') === value

/** The rows of /v1/timeseries, in no order: the same, with less in them. */
export function timeseriesOf(told: Told[], interval: string, splitBy: string | undefined, trust: Trust): Row[] {
  const groupBy = splitBy === undefined ? [interval] : [interval, splitBy]
  return summaryOf(told, { groupBy, trust }).map((row) => ({
    bucket: row[interval],
    ...(splitBy !== undefined && { [splitBy]: row[splitBy] }),
    successful: row['successful'],
    failed: row['failed'],
    reports: row['reports'],
    unverified: row.unverified,
  }))
}

/** What the ledger knows of a row of /v1/failures. */
export const failureMembers = [
  ...['day', 'domain', 'policy_domain', 'policy_type', 'primary', 'organization', 'reporter', 'trust'],
  ...ofDetails,
  'failed_session_count',
]

/** The rows of /v1/failures: one for lines alike in one policy, in no order. */
export function failuresOf(told: Told[], trust: Trust): Record<string, unknown>[] {
  const facts = factsOf(told, true).filter((fact) => trust === 'any' || fact.trust === trust)
  return [...Map.groupBy(facts, ({ report, group }) => JSON.stringify([report, group])).values()].map((alike) => {
    const row: Record<string, unknown> = {
      ...alike[0]!.group,
      primary: alike[0]!.primary,
      failed_session_count: alike.length,
    }
    return Object.fromEntries(failureMembers.map((name) => [name, row[name]]))
  })
}

function numbersOf(facts: Fact[], detailed: boolean, byPolicyType: boolean) {
  const { successful, failed, reports } = sideOf(facts, detailed, byPolicyType)
  const counting = facts.filter(({ primary }) => primary || byPolicyType)
  const types = Map.groupBy(facts, ({ policyType }) => policyType)
  const sessions = (successful ?? 0) + failed
  const seen = facts.map(({ day }) => day).sort()
  return {
    successful,
    failed,
    failure_rate: successful === null || sessions === 0 ? null : failed / sessions,
    failed_by_policy_type: Object.fromEntries([...types].map(([type, ofType]) => [type, sum(ofType, 'failed')])),
    unattributed_failed: detailed ? null : failed - sum(counting, 'lines'),
    reports,
    reporters: new Set(facts.flatMap(({ reporter }) => reporter ?? [])).size,
    first_seen: seen[0] ?? null,
    last_seen: seen.at(-1) ?? null,
  }
}

function sideOf(facts: Fact[], detailed: boolean, byPolicyType: boolean): Side {
  const counting = facts.filter(({ primary }) => primary || byPolicyType)
  return {
    successful: detailed ? null : sum(counting, 'successful'),
    failed: sum(counting, 'failed'),
    reports: new Set(facts.map(({ report }) => report)).size,
  }
}

const sum = (facts: Fact[], what: 'successful' | 'failed' | 'lines') =>
  facts.reduce((total, fact) => total + fact[what], 0)

/** A recipient's domain -> the domain of ours that its reports are about. */
const ownerOf = (to: string): string | undefined =>
  ['alpha.example', 'dane.example', 'web.example'].find((domain) => to === domain || to.endsWith(`.${domain}`))

function factsOf(told: Told[], detailed: boolean): Fact[] {
  return told
    .filter(({ counted }) => counted)
    .flatMap(({ report, trust }) => {
      const ours = report.sessions.filter(({ to }) => ownerOf(to) !== undefined)
      const judgements = ours.flatMap((session) => session.judgements)
      const primaryType = primaryTypeOf(judgements)
      const { organization, domain: signer } = shapes[report.sender]
      const reporter = trust === 'verified' ? signer : null
      const whole = {
        domain: ownerOf(ours[0]?.to ?? '') ?? null,
        organization,
        reporter,
        trust,
        transport: trust === 'verified' ? 'smtp' : 'https',
        day: report.day,
        week: mondayOf(report.day),
        month: `${report.day.slice(0, 7)}-01`,
      }
      return judgements.flatMap((judgement): Fact[] => {
        const group = { ...whole, ...namesOf(judgement) }
        const fact = { report: report.id, trust, reporter, day: report.day, policyType: judgement.policyType, primary: judgement.policyType === primaryType } // prettier-ignore
        const { failed, details } = judgement
        if (!detailed)
          return [{ ...fact, group, successful: failed ? 0 : 1, failed: failed ? 1 : 0, lines: details.length }]
        return details.map((detail) => ({
          ...fact,
          group: {
            ...group,
            result_type: detail.resultType,
            receiving_mx_hostname: detail.receivingMxHostname ?? null,
            sending_mta_ip: detail.sendingMtaIp ?? null,
            receiving_ip: detail.receivingIp ?? null,
            failure_reason_code: detail.failureReasonCode ?? null,
          },
          successful: 0,
          failed: 1,
          lines: 0,
        }))
      })
    })
}

const namesOf = ({ policyType, policyDomain, policyMode }: Judgement) => ({
  policy_type: policyType,
  policy_domain: policyDomain,
  policy_mode: policyMode ?? null,
})

/** Most sessions, then most failures, then sts, tlsa, no-policy-found. */
function primaryTypeOf(judgements: Judgement[]): string | undefined {
  const order = ['sts', 'tlsa', 'no-policy-found']
  const types = [...Map.groupBy(judgements, ({ policyType }) => policyType)]
  const failures = (of: Judgement[]) => of.filter(({ failed }) => failed).length
  types.sort(
    ([a, ofA], [b, ofB]) =>
      ofB.length - ofA.length || failures(ofB) - failures(ofA) || order.indexOf(a) - order.indexOf(b),
  )
  return types[0]?.[0]
}

function mondayOf(day: string): string {
  const date = new Date(day)
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return date.toISOString().slice(0, 10)
}
