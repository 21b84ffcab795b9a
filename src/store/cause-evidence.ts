/** Who tells of a cause, how often, and in which words (causes.ts). */
import { sumByType } from './aggregates.ts'
import { domainsOf, isFailedCell, isFailure, isOfCauses, joinedCauses, keyColumns, nameOf, selectedKey, type CauseKey } from './cause-key.ts' // prettier-ignore
import type { Queryable } from './database.ts'
import { isVisible, makeBind, type Question, type TrustScope } from './question.ts'
import { asked, isUnverified } from './sums.ts'
import { cellsOf } from './tally.ts'

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
  /** Those seen last first, at most ten. */
  policyTypes: string[]
  policyModes: string[]
  /** 'YYYY-MM-DD', the first and the last one of the window that failed. */
  firstSeen: string
  lastSeen: string
}

export type ReasonCode = { failureReasonCode: string; failed: bigint }

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
  const leading = (column: string, where: string, order: string, most: number) =>
    leadingOf(column, `part where ${column} is not null and ${where}`, order, most)
  // Distinct first, so that Postgres hashes: with count(distinct) it would sort every fact.
  const reportsOfTrust = `
    select ${keyColumns}, trust, count(*) as reports from (select distinct ${keyColumns}, trust, report_key from fact) told
    group by ${keyColumns}, trust`
  const failedOfTypes = `
    select ${keyColumns}, policy_type, sum(failed) as failed from part where ${main} group by ${keyColumns}, policy_type`
  const borne = 'domain, trust, reporter, organization, report_key, policy_type, policy_mode, "primary", day'
  const inWindow = `counted and domain = any(${bind(domainsOf(causes))}::text[]) and ${isVisible('domain', visible, bind)}
    and day >= ${bind(window.from)} and day < ${bind(window.to)}`
  const text = `
    with fact as materialized (
      select ${borne}, result_type, receiving_mx_hostname, tallied as failed
      from ${cellsOf(borne, inWindow)} join ${joinedCauses(causes, bind)} where ${isFailedCell}
    ), part as (
      select ${keyColumns}, trust, reporter, organization, policy_type, policy_mode, "primary",
        sum(failed) as failed, min(day) as first_seen, max(day) as last_seen
      from fact group by ${keyColumns}, trust, reporter, organization, policy_type, policy_mode, "primary"
    ), pieces as (
      ${piece('failed', `jsonb_build_array(${failed(main)}, ${failed(isUnverified)}, (count(distinct reporter) filter (where ${main}))::text)`, 'part')}
      union all
      ${piece('reports', `jsonb_build_array(${reports(main)}, ${reports(isUnverified)})`, `(${reportsOfTrust}) report`)}
      union all
      ${piece('seen', 'jsonb_build_array(min(first_seen), max(last_seen))', `(select * from part where ${isTold}) failing`)}
      union all
      ${piece('ofTypes', 'jsonb_agg(jsonb_build_array(policy_type, failed::text))', `(${failedOfTypes}) of_type`)}
      union all
      ${piece('sessions', 'jsonb_agg(failed::text)', leadingOf(`''::text`, `part where ${isTold}`, 'failed desc', 1))}
      union all
      ${piece('reporterDomains', leaders, leading('reporter', isTold, 'failed desc', mostNames))}
      union all
      ${piece('organizations', leaders, leading('organization', isUnverified, 'failed desc', mostNames))}
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

/** By the name of the cause: most failures first, at most five. */
export async function reasonCodesOf(
  tx: Queryable,
  causes: readonly CauseKey[],
  told: TrustScope,
  { window, visible }: Question,
): Promise<Map<string, ReasonCode[]>> {
  if (causes.length === 0) return new Map()
  const { bind, values } = makeBind()
  const facts = `(
    select ${keyColumns}, failure_reason_code, policy_type, "primary", failed_session_count as failed, day as last_seen
    from failure_detail where ${isFailure} and ${asked[told]} and failure_reason_code is not null
      and ${isOfCauses(causes, bind)} and ${isVisible('domain', visible, bind)}
      and day >= ${bind(window.from)} and day < ${bind(window.to)}) reason`
  const { rows } = await tx.query<CauseKey & { value: string; failed: string }>(
    `select ${selectedKey}, value, failed::text from ${leadingOf('failure_reason_code', facts, 'failed desc', mostReasonCodes)} order by place`,
    values,
  )
  return new Map(
    [...Map.groupBy(rows, nameOf)].map(([name, codes]) => [
      name,
      codes.map(({ value, failed }) => ({ failureReasonCode: value, failed: BigInt(failed) })),
    ]),
  )
}

/** Counts are text, since in JSON they would be rounded; what has nothing has no piece. */
type Pieces = {
  failed: [failed: string, unverified: string, reporters: string]
  reports: [reports: string, unverified: string]
  seen: [first: string, last: string]
  ofTypes?: [type: string, failed: string][]
  sessions: [failed: string]
} & Partial<Record<'reporterDomains' | 'organizations' | 'policyTypes' | 'policyModes', Leader[]>>

type Leader = [value: string, failed: string]

const leaders = 'jsonb_agg(jsonb_build_array(value, failed::text) order by place)'

/**
 * The first values of a column for each cause, with what failed, as a table. What several policy types of a report tell
 * may be the same sessions: primary ones count, and where there are none the type with most. `from` may end with a WHERE.
 */
const leadingOf = (column: string, from: string, order: string, most: number): string => `(
  select * from (
    select *, row_number() over (partition by ${keyColumns} order by ${order}, value collate "C") as place
    from (
      select ${keyColumns}, value, coalesce(sum(primary_failed), max(failed)) as failed, max(last_seen) as last_seen
      from (
        select ${keyColumns}, ${column} as value, policy_type, sum(failed) filter (where "primary") as primary_failed,
          sum(failed) as failed, max(last_seen) as last_seen
        from ${from} group by ${keyColumns}, ${column}, policy_type
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
  policyTypes: valuesOf(pieces.policyTypes),
  policyModes: valuesOf(pieces.policyModes),
  firstSeen: pieces.seen[0],
  lastSeen: pieces.seen[1],
})

const valuesOf = (leaders: Leader[] = []): string[] => leaders.map(([value]) => value)
