/** What stands around a cause of failures (causes.ts), as src/checks/explain.ts asks for it. */
import type { CauseFacts } from '../checks/explain.ts'
import { isFailure, isOfCauses, nameOf, selectedKey, type CauseKey } from './cause-key.ts'
import type { Database, Queryable } from './database.ts'
import { makeBind, type TrustScope, type Window } from './question.ts'
import { inSnapshot } from './snapshot.ts'
import { asked } from './sums.ts'

export type CauseContext = Pick<CauseFacts, 'policies' | 'networks' | 'othersSucceed'>

/** `trust` is whose word the cause is told by. */
export type ToldCause = CauseKey & { trust: TrustScope }

/** Anyone can write a new policy into every report. */
const mostPolicies = 5

/** By the names of the causes. The caller has seen to it that their domains may be asked about. As of one instant. */
export function causeContexts(
  db: Database,
  causes: readonly ToldCause[],
  window: Window,
): Promise<Map<string, CauseContext>> {
  return inSnapshot(db, async (tx) => {
    const found = new Map<string, CauseContext>()
    for (const [trust, told] of Map.groupBy(causes, (cause) => cause.trust)) {
      const policies = await policiesOf(tx, told, trust, window)
      const stripped = told.filter(({ resultType }) => resultType === 'starttls-not-supported')
      const networks = await networksOf(tx, stripped, trust, window)
      const succeeding = await succeedingOf(tx, stripped, trust, window)
      for (const cause of told) {
        const name = nameOf(cause)
        found.set(name, {
          policies: policies.get(name) ?? [],
          networks: networks.get(name) ?? 0,
          othersSucceed: succeeding.get(cause.domain) ?? 0,
        })
      }
    }
    return found
  })
}

async function policiesOf(
  tx: Queryable,
  causes: readonly CauseKey[],
  trust: TrustScope,
  window: Window,
): Promise<Map<string, CauseContext['policies'][number][]>> {
  if (causes.length === 0) return new Map()
  const { bind, values } = makeBind()
  const { rows } = await tx.query<CauseKey & CauseContext['policies'][number]>(
    `with under as (
       select domain, result_type, receiving_mx_hostname, policy_string, max(day) as last_day
       from policy cross join unnest(tally_result_type, tally_mx, tally_failed) as tally (result_type, receiving_mx_hostname, tally_sessions)
       where counted and ${asked[trust]} and policy_type = 'sts' and tally_sessions > 0 and ${isOfCauses(causes, bind)}
         and day >= ${bind(window.from)} and day < ${bind(window.to)}
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
  if (causes.length === 0) return new Map()
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
  if (causes.length === 0) return new Map()
  const { rows } = await tx.query<{ domain: string; tellers: bigint }>(
    `select domain, count(*) as tellers from (
       select domain, coalesce(reporter, organization) as teller from policy
       where counted and ${asked[trust]} and domain = any($1::text[]) and day >= $2 and day < $3
       group by domain, teller
       having sum(successful) > 0 and not coalesce(bool_or('starttls-not-supported' = any(tally_result_type)), false)
     ) succeeding group by domain`,
    [[...new Set(causes.map(({ domain }) => domain))], from, to],
  )
  return new Map(rows.map(({ domain, tellers }) => [domain, Number(tellers)]))
}
