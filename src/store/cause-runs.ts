/** Since when a cause of failures goes on, or when it did last (causes.ts). */
import { isFailure, isOfCauses, keyColumns, nameOf, selectedKey, type CauseKey } from './cause-key.ts'
import type { Queryable } from './database.ts'
import { makeBind, type TrustScope, type Window } from './question.ts'
import { asked } from './sums.ts'

/** Of what began earlier than a year before the window it is enough to know that. */
const mostDaysBefore = 366
/** The first look behind the window; each further one goes twice as far, for what is unbroken by then. */
const firstDaysBefore = 30

/** Days are 'YYYY-MM-DD'; a run is of days with a report on the domain by whoever tells of the cause. */
export type Run = {
  since: string
  until: string
  /** It includes the first, and the last, of the days with a report. */
  fromOldest: boolean
  toNewest: boolean
}

/** The newest run of days that failed, among those with a report, of which it has all; undefined where none failed. */
export function lastRun(failing: ReadonlySet<string>, reported: readonly string[]): Run | undefined {
  const days = reported.toSorted()
  const end = days.findLastIndex((day) => failing.has(day))
  if (end === -1) return undefined
  const start = days.findLastIndex((day, i) => i < end && !failing.has(day)) + 1
  return { since: days[start]!, until: days[end]!, fromOldest: start === 0, toNewest: end === days.length - 1 }
}

/**
 * The last run of each of the causes, in their order; `days` are those of the window that failed. Where one begins with the
 * first day of the window that has a report, the days before are looked at as well.
 */
export async function causeRuns(
  tx: Queryable,
  causes: readonly (CauseKey & { days: readonly string[] })[],
  told: TrustScope,
  window: Window,
): Promise<Run[]> {
  const reported = await reportedDays(tx, causes, told, window)
  const runs = causes.map(({ domain, days }) => lastRun(new Set(days), reported.get(domain)!)!)
  const earliest = addDays(window.from, -mostDaysBefore)
  let open = [...runs.keys()].filter((i) => runs[i]!.fromOldest)
  let { from } = window
  for (let days = firstDaysBefore; open.length > 0 && from > earliest; days *= 2) {
    const to = from
    from = [addDays(to, -days), earliest].sort()[1]!
    const asked = open.map((i) => causes[i]!)
    const reported = await reportedDays(tx, asked, told, { from, to })
    const failing = await failingDays(tx, asked, told, { from, to })
    open = open.filter((i) => {
      const cause = causes[i]!
      const days = reported.get(cause.domain)
      if (days === undefined) return true // Nobody reported: that breaks no run.
      const before = lastRun(failing.get(nameOf(cause)) ?? new Set(), days)
      if (!before?.toNewest) return false
      runs[i] = { ...runs[i]!, since: before.since }
      return before.fromOldest
    })
  }
  return runs
}

/** By domain, where there are any. */
async function reportedDays(
  tx: Queryable,
  causes: readonly CauseKey[],
  told: TrustScope,
  { from, to }: Window,
): Promise<Map<string, string[]>> {
  const domains = [...new Set(causes.map(({ domain }) => domain))]
  const { rows } = await tx.query<{ domain: string; days: string[] }>(
    `select domain, array_agg(distinct day) as days from day_total
     where domain = any($1::text[]) and day >= $2 and day < $3 and ${asked[told]} group by domain`,
    [domains, from, to],
  )
  return new Map(rows.map(({ domain, days }) => [domain, days]))
}

/** By name, where there are any. */
async function failingDays(
  tx: Queryable,
  causes: readonly CauseKey[],
  told: TrustScope,
  { from, to }: Window,
): Promise<Map<string, Set<string>>> {
  const { bind, values } = makeBind()
  const { rows } = await tx.query<CauseKey & { days: string[] }>(
    `select ${selectedKey}, array_agg(day) as days
     from (
       select distinct ${keyColumns}, day from failure_detail
       where ${isFailure} and ${asked[told]} and ${isOfCauses(causes, bind)} and day >= ${bind(from)} and day < ${bind(to)}
     ) failing group by ${keyColumns}`,
    values,
  )
  return new Map(rows.map(({ days, ...cause }) => [nameOf(cause), new Set(days)]))
}

const dayMs = 86_400_000

const addDays = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)
