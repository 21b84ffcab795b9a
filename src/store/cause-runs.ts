/** Since when a cause of failures goes on, or when it did last (causes.ts). */
import type { CauseKey } from './cause-key.ts'
import type { Queryable } from './database.ts'
import type { TrustScope, Window } from './question.ts'
import { asked } from './sums.ts'
import { daysAfter } from '../tlsrpt/dates.ts'

/** Of what began earlier than a year before the window it is enough to know that. */
const mostDaysBefore = 366

/** Days are 'YYYY-MM-DD'; a run is of days with a report on the domain by whoever tells of the cause. */
export type Run = {
  since: string
  /** It includes the newest day of the window with a report. */
  toNewest: boolean
}

/** The run of each of the causes, in their order, that ends on the last day of the window on which it failed. */
export async function causeRuns(
  tx: Queryable,
  causes: readonly (CauseKey & { lastSeen: string })[],
  told: TrustScope,
  window: Window,
): Promise<Run[]> {
  const runs = new Map<CauseKey, Run>()
  const since = daysAfter(window.from, -mostDaysBefore)
  for (const [domain, of] of Map.groupBy(causes, (cause) => cause.domain)) {
    const types = of.map(({ resultType }) => resultType)
    const mx = of.map(({ receivingMxHostname }) => receivingMxHostname)
    const last = of.map(({ lastSeen }) => lastSeen)
    const { rows } = await tx.query<Run>({
      name: `cause_runs_${told}`,
      text: backwards(told),
      values: [domain, since, window.to, types, mx, last],
    })
    rows.forEach((run, i) => runs.set(of[i]!, run))
  }
  return causes.map((cause) => runs.get(cause)!)
}

/**
 * From the last day of each cause to the day before that had a report, as long as one of its details failed: what goes on
 * is found again with the first details of a day, and a day is only read to its end where a run is broken. All details of
 * the domain, read for the same, take ten times as long where it fails every day.
 */
const backwards = (told: TrustScope): string => `
  with recursive reported as materialized (
    select day, lag(day) over (order by day) as before from (
      select distinct day from day_total where domain = $1 and day >= $2 and day < $3 and ${asked[told]}
    ) counted
  ), cause as (
    select * from unnest($4::text[], $5::text[], $6::date[]) with ordinality as cause (type, mx, last_day, place)
  ), run as (
    select place, type, mx, last_day as day from cause
    union all
    select place, type, mx, before from run join reported using (day)
    where before is not null and (
      select true from failure_detail where domain = $1 and day = before and result_type = type
        and receiving_mx_hostname is not distinct from mx and counted and failed_session_count > 0 and ${asked[told]}
      limit 1)
  )
  select min(day) as since, max(day) = (select max(day) from reported) as "toNewest" from run group by place order by place`
