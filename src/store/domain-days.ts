/** How domains of ours do by now: their newest days, out of the day totals, and the policies that senders apply. */
import type { Trust } from '../tlsrpt/submission.ts'
import type { Database } from './database.ts'
import { isVisible, makeBind, type Visible, type Window } from './question.ts'

/** Of one side of trust, in a window; days are 'YYYY-MM-DD'. */
export type NewestDays = {
  domain: string
  trust: Trust
  /** The newest one with a report. */
  newest: string
  /** Sessions that failed on it: by primary policies, or what the policy type with most says. */
  failedOnNewest: bigint
  /** The newest one of which a failure detail tells something; null where none does. */
  explained: string | null
}

/** A row for each side of trust with a report on one of the domains; undefined is all that were ever ours. */
export async function newestDays(db: Database, domains: Visible, window: Window): Promise<NewestDays[]> {
  const { bind, values } = makeBind()
  // Only of other types than the primary one is not said what their details add up to: what failed stands for it.
  const { rows } = await db.query<Omit<NewestDays, 'failedOnNewest'> & { failedOnNewest: string }>(
    `with daily as materialized (
       select domain, trust, day, failed, failed_of_type, attributed from day_total
       where ${isVisible('domain', domains, bind)} and day >= ${bind(window.from)} and day < ${bind(window.to)}
     ), newest as (
       select domain, trust, max(day) as day, max(day) filter (where attributed > 0 or failed_of_type > failed) as explained
       from daily group by domain, trust
     )
     select domain, trust, day as newest, greatest(sum(failed), max(failed_of_type), sum(attributed)) as "failedOnNewest", explained
     from daily join newest using (domain, trust, day) group by domain, trust, day, explained`,
    values,
  )
  return rows.map((row) => ({ ...row, failedOnNewest: BigInt(row.failedOnNewest) }))
}

/** Those of the domains with a report in the window: whether one of these is verified. */
export async function heardOf(
  db: Database,
  domains: readonly string[],
  window: Window,
): Promise<Map<string, { verified: boolean }>> {
  const { rows } = await db.query<{ domain: string; verified: boolean }>(
    `select domain, bool_or(trust = 'verified') as verified from day_total
     where domain = any($1::text[]) and day >= $2 and day < $3 group by domain`,
    [domains, window.from, window.to],
  )
  return new Map(rows.map((row) => [row.domain, row]))
}

/** Of one side of trust: policy types and modes that senders applied to a domain, those seen last first. */
export type SeenPolicies = { domain: string; trust: Trust; policyTypes: string[]; policyModes: string[] }

/** A sender's own words may be as many as he likes. */
const mostWords = 10

/** A row for each side of trust with a policy of one of the domains, by counted reports of the window. */
export async function seenPolicies(db: Database, domains: readonly string[], window: Window): Promise<SeenPolicies[]> {
  const newestFirst = (column: string) => `
    select domain, trust, ${column} as word, max(day) as day from seen where ${column} is not null group by domain, trust, ${column}`
  const words = (column: string) => `
    select domain, trust, array_agg(word order by place) as words
    from (select *, row_number() over (partition by domain, trust order by day desc, word collate "C") as place
          from (${newestFirst(column)}) newest) placed where place <= ${mostWords} group by domain, trust`
  const { rows } = await db.query<SeenPolicies>(
    `with seen as (
       select domain, trust, policy_type, policy_mode, max(day) as day from policy
       where counted and domain = any($1::text[]) and day >= $2 and day < $3 group by domain, trust, policy_type, policy_mode
     ), type as (${words('policy_type')}), mode as (${words('policy_mode')})
     select domain, trust, type.words as "policyTypes", coalesce(mode.words, '{}') as "policyModes"
     from type left join mode using (domain, trust)`,
    [domains, window.from, window.to],
  )
  return rows
}
