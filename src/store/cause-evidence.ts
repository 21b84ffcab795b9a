/** Who tells of a cause, how often, and in which words (causes.ts). */
import { sumByType } from './aggregates.ts'
import { isFailure, isOfCauses, keyColumns, nameOf, selectedKey, type CauseKey } from './cause-key.ts'
import type { Queryable } from './database.ts'
import { isVisible, makeBind, type Question, type TrustScope } from './question.ts'
import { asked, isUnverified } from './sums.ts'

/** Where nothing else is said, by those whose word is taken: see `trust`. */
export type Evidence = {
  /** Sessions, by primary policies, by whose word was asked for. */
  failed: bigint
  /** Also of types whose counts are not in `failed` because they may describe the same sessions. */
  failedByPolicyType: Record<string, bigint>
  /** By whose word was asked for. */
  reports: bigint
  /** Verified ones, likewise. */
  reporters: bigint
  unverified: { failed: bigint; reports: bigint }
  /** Whose word it is: as asked for, or 'unverified' where nobody else tells of it. */
  trust: TrustScope
  /** Sessions, by primary policies; where only others fail, what the policy type with most says. */
  sessions: bigint
  /** Verified ones, those with most failures first, at most ten. */
  reporterDomains: string[]
  /** What unverified reports call themselves, likewise. */
  organizations: string[]
  /** Most failures first, at most five. */
  reasonCodes: { failureReasonCode: string; failed: bigint }[]
  /** Those seen last first, at most ten. */
  policyTypes: string[]
  policyModes: string[]
  /** 'YYYY-MM-DD', those of the window that failed, oldest first: one or more. */
  days: string[]
}

/** Anyone can write new names, codes and policy types into every report. */
const mostNames = 10
const mostReasonCodes = 5

/** For each of the causes that has any, by its name. `told` is whose word is taken. */
export async function evidenceOf(
  tx: Queryable,
  causes: readonly CauseKey[],
  told: TrustScope,
  { window, trust, visible }: Question,
): Promise<Map<string, Evidence>> {
  const { bind, values } = makeBind()
  const main = asked[trust]
  const isTold = asked[told]
  const failed = (where: string) => `coalesce(sum(failed) filter (where "primary" and ${where}), 0)::text`
  const reports = (where: string) => `coalesce(sum(reports) filter (where ${where}), 0)::text`
  const piece = (name: keyof Pieces, value: string, from: string) =>
    `select ${keyColumns}, '${name}' as name, ${value} as value from ${from} group by ${keyColumns}`
  // Distinct first, so that Postgres hashes: with count(distinct) it would sort every fact.
  const reportsOfTrust = `
    select ${keyColumns}, trust, count(*) as reports from (select distinct ${keyColumns}, trust, report_key from fact) told
    group by ${keyColumns}, trust`
  const failedOfTypes = `
    select ${keyColumns}, policy_type, sum(failed) as failed from part where ${main} group by ${keyColumns}, policy_type`
  const text = `
    with fact as materialized (
      select ${keyColumns}, trust, reporter, organization, report_key, policy_type, policy_mode, "primary", failure_reason_code,
        day, failed_session_count as failed
      from failure_detail where ${isFailure} and ${isOfCauses(causes, bind)} and ${isVisible('domain', visible, bind)}
        and day >= ${bind(window.from)} and day < ${bind(window.to)}
    ), part as (
      select ${keyColumns}, trust, reporter, organization, policy_type, policy_mode, "primary", failure_reason_code,
        sum(failed) as failed, max(day) as last_seen
      from fact group by ${keyColumns}, trust, reporter, organization, policy_type, policy_mode, "primary", failure_reason_code
    ), pieces as (
      ${piece('failed', `jsonb_build_array(${failed(main)}, ${failed(isUnverified)}, (count(distinct reporter) filter (where ${main}))::text)`, 'part')}
      union all
      ${piece('reports', `jsonb_build_array(${reports(main)}, ${reports(isUnverified)})`, `(${reportsOfTrust}) report`)}
      union all
      ${piece('days', 'jsonb_agg(day order by day)', `(select distinct ${keyColumns}, day from fact where ${isTold}) failing`)}
      union all
      ${piece('ofTypes', 'jsonb_agg(jsonb_build_array(policy_type, failed::text))', `(${failedOfTypes}) of_type`)}
      union all
      ${piece('sessions', 'jsonb_agg(failed::text)', leading(`''::text`, isTold, 'failed desc', 1))}
      union all
      ${piece('reporterDomains', leaders, leading('reporter', isTold, 'failed desc', mostNames))}
      union all
      ${piece('organizations', leaders, leading('organization', isUnverified, 'failed desc', mostNames))}
      union all
      ${piece('reasonCodes', leaders, leading('failure_reason_code', isTold, 'failed desc', mostReasonCodes))}
      union all
      ${piece('policyTypes', leaders, leading('policy_type', isTold, 'last_seen desc', mostNames))}
      union all
      ${piece('policyModes', leaders, leading('policy_mode', isTold, 'last_seen desc', mostNames))}
    )
    select ${selectedKey}, name, value from pieces`
  const { rows } = await tx.query<CauseKey & { name: keyof Pieces; value: never }>(text, values)
  const found = Map.groupBy(rows, nameOf)
  return new Map(
    [...found].map(([name, pieces]) => [
      name,
      put(Object.fromEntries(pieces.map(({ name, value }): [string, unknown] => [name, value])) as Pieces, told),
    ]),
  )
}

/** Counts are text, since in JSON they would be rounded; what has nothing has no piece. */
type Pieces = {
  failed: [failed: string, unverified: string, reporters: string]
  reports: [reports: string, unverified: string]
  days: string[]
  ofTypes?: [type: string, failed: string][]
  sessions: [failed: string]
} & Partial<Record<'reporterDomains' | 'organizations' | 'reasonCodes' | 'policyTypes' | 'policyModes', Leader[]>>

type Leader = [value: string, failed: string]

const leaders = 'jsonb_agg(jsonb_build_array(value, failed::text) order by place)'

/**
 * The first values of a column for each cause, with what failed, as a table. What several policy types of a report tell
 * may be the same sessions: primary ones count, and where there are none the type with most.
 */
const leading = (column: string, where: string, order: string, most: number): string => `(
  select * from (
    select *, row_number() over (partition by ${keyColumns} order by ${order}, value collate "C") as place
    from (
      select ${keyColumns}, value, coalesce(sum(primary_failed), max(failed)) as failed, max(last_seen) as last_seen
      from (
        select ${keyColumns}, ${column} as value, policy_type, sum(failed) filter (where "primary") as primary_failed,
          sum(failed) as failed, max(last_seen) as last_seen
        from part where ${column} is not null and ${where} group by ${keyColumns}, ${column}, policy_type
      ) of_type group by ${keyColumns}, value
    ) of_value
  ) placed where place <= ${most}) leading_values`

const put = (pieces: Pieces, trust: TrustScope): Evidence => ({
  failed: BigInt(pieces.failed[0]),
  failedByPolicyType: sumByType(pieces.ofTypes ?? []),
  reports: BigInt(pieces.reports[0]),
  reporters: BigInt(pieces.failed[2]),
  unverified: { failed: BigInt(pieces.failed[1]), reports: BigInt(pieces.reports[1]) },
  trust,
  sessions: BigInt(pieces.sessions[0]),
  reporterDomains: valuesOf(pieces.reporterDomains),
  organizations: valuesOf(pieces.organizations),
  reasonCodes: (pieces.reasonCodes ?? []).map(([failureReasonCode, failed]) => ({ failureReasonCode, failed: BigInt(failed) })), // prettier-ignore
  policyTypes: valuesOf(pieces.policyTypes),
  policyModes: valuesOf(pieces.policyModes),
  days: pieces.days,
})

const valuesOf = (leaders: Leader[] = []): string[] => leaders.map(([value]) => value)
