/** What stands around a cause of failures (causes.ts), as src/checks/explain.ts asks for it. */
import type { CauseFacts, Surroundings } from '../checks/explain.ts'
import { domainsOf, isFailedCell, isFailure, isOfCauses, joinedCauses, nameOf, selectedKey, type CauseKey } from './cause-key.ts' // prettier-ignore
import type { Database, Queryable } from './database.ts'
import { makeBind, type TrustScope, type Window } from './question.ts'
import { inSnapshot } from './snapshot.ts'
import { asked } from './sums.ts'
import { cellsOf } from './tally.ts'

/** `trust` is whose word the cause is told by. */
export type ToldCause = CauseKey & { trust: TrustScope }

type Policies = CauseFacts['policies'][number][]

/** What each failed under, by its name. The caller has seen to it that the domains may be asked about. As of one instant. */
export function causePolicies(
  db: Database,
  causes: readonly ToldCause[],
  window: Window,
): Promise<Map<string, Policies>> {
  return inSnapshot(db, async (tx) => {
    const found = new Map<string, Policies>()
    for (const [trust, told] of Map.groupBy(causes, (cause) => cause.trust))
      for (const [name, policies] of await policiesOf(tx, told, trust, window)) found.set(name, policies)
    return found
  })
}

/** By the names of the causes, in the same way; it reads all failure details of their domains. */
export function causeSurroundings(
  db: Database,
  causes: readonly ToldCause[],
  window: Window,
): Promise<Map<string, Surroundings>> {
  return inSnapshot(db, async (tx) => {
    const found = new Map<string, Surroundings>()
    for (const [trust, told] of Map.groupBy(causes, (cause) => cause.trust)) {
      const networks = await networksOf(tx, told, trust, window)
      const succeeding = await succeedingOf(tx, told, trust, window)
      for (const cause of told) {
        const name = nameOf(cause)
        found.set(name, { networks: networks.get(name) ?? 0, othersSucceed: succeeding.get(cause.domain) ?? 0 })
      }
    }
    return found
  })
}

/** Anyone can write a new policy into every report. */
const mostPolicies = 5

async function policiesOf(
  tx: Queryable,
  causes: readonly CauseKey[],
  trust: TrustScope,
  window: Window,
): Promise<Map<string, Policies>> {
  const { bind, values } = makeBind()
  const inWindow = `counted and ${asked[trust]} and policy_type = 'sts' and domain = any(${bind(domainsOf(causes))}::text[])
    and day >= ${bind(window.from)} and day < ${bind(window.to)}`
  const { rows } = await tx.query<CauseKey & Policies[number]>(
    `with under as (
       select domain, result_type, receiving_mx_hostname, policy_string, max(day) as last_day
       from ${cellsOf('domain, day, policy_string', inWindow)} join ${joinedCauses(causes, bind)} where ${isFailedCell}
       group by domain, result_type, receiving_mx_hostname, policy_string
     ), placed as (
       select *, row_number() over (partition by domain, result_type, receiving_mx_hostname order by last_day desc, policy_string) as place
       from under
     )
     select ${selectedKey}, policy_string as "policyString", last_day as "lastDay" from placed where place <= ${mostPolicies} order by place`,
    values,
  )
  const byName = Map.groupBy(rows, nameOf)
  return new Map([...byName].map(([name, found]) => [name, found.map(({ policyString, lastDay }) => ({ policyString, lastDay }))])) // prettier-ignore
}

/** /24 and /48, as a network is announced at the smallest. */
async function networksOf(
  tx: Queryable,
  causes: readonly CauseKey[],
  trust: TrustScope,
  window: Window,
): Promise<Map<string, number>> {
  const { bind, values } = makeBind()
  const { rows } = await tx.query<CauseKey & { networks: bigint }>(
    `select ${selectedKey}, count(distinct network(set_masklen(sending_mta_ip, case family(sending_mta_ip) when 4 then 24 else 48 end))) as networks
     from failure_detail where ${isFailure} and ${asked[trust]} and ${isOfCauses(causes, bind)}
       and day >= ${bind(window.from)} and day < ${bind(window.to)}
     group by domain, result_type, receiving_mx_hostname`,
    values,
  )
  return new Map(rows.map((row) => [nameOf(row), Number(row.networks)]))
}

/** By domain, how many tell of sessions that succeeded, and of none without STARTTLS. */
async function succeedingOf(
  tx: Queryable,
  causes: readonly CauseKey[],
  trust: TrustScope,
  { from, to }: Window,
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ domain: string; tellers: bigint }>(
    `select domain, count(*) as tellers from (
       select domain, coalesce(reporter, organization) as teller from policy
       where counted and ${asked[trust]} and domain = any($1::text[]) and day >= $2 and day < $3
       group by domain, teller
       having sum(successful) > 0 and not coalesce(bool_or('starttls-not-supported' = any(tally_result_type)), false)
     ) succeeding group by domain`,
    [domainsOf(causes), from, to],
  )
  return new Map(rows.map(({ domain, tellers }) => [domain, Number(tellers)]))
}
