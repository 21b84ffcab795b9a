/** Who reports (RFC 8460 §3: the domain that signed), how regularly, and what it says. */
import { knownReporters } from '../tlsrpt/known-reporters.ts'
import type { Database } from './database.ts'
import { among, isVisible, makeBind, type Bind, type Visible, type Window } from './question.ts'
import type { ReporterStanding } from './reporters.ts'

export type ReporterRow = {
  /** Organisational domain of the verified d=. */
  domain: string
  standing: ReporterStanding
  /** operator: see `notedBy`. seed: see `reference`. default: nobody has said anything. */
  standingSource: 'operator' | 'seed' | 'default'
  /** Where it can be read that this is a well-known sender. */
  reference: string | null
  notedBy: string | null
  notedAt: Date | null
  /** UTC days on which its reports start, of all that is kept, counted or not; null where there is none. */
  firstSeen: string | null
  lastSeen: string | null
  /** Median of the gaps between these days; null before the second. */
  cadenceDays: number | null
  overdue: boolean
  /** Of the window, by counted reports. */
  reports: bigint
  successful: bigint
  failed: bigint
  /** Of the window, whatever the reason. */
  uncountedReports: bigint
  /** The names it gave itself in the window, their first 255 characters, the most frequent ones first. */
  organizations: string[]
  /** Reports of the window by what was odd about them. */
  anomalies: Record<string, bigint>
}

export type ReportersQuestion = {
  window: Window
  /** UTC day, for what is overdue. */
  today: string
  filters: { domain?: readonly string[]; standing?: readonly ReporterStanding[] }
  visible: Visible
  limit: number
}

/**
 * By name, at most `limit`, after the name that a page ended with: whoever has reported, and whoever the operator has
 * said something of, if he may know of all domains.
 */
export async function listReporters(
  db: Database,
  question: ReportersQuestion,
  after: string | undefined,
): Promise<ReporterRow[]> {
  const { visible, filters, limit, today } = question
  const { bind, values } = makeBind()
  const where = [
    ...(after === undefined ? [] : [`domain collate "C" > ${bind(after)}`]),
    ...(filters.domain ? [among('domain', filters.domain, bind)] : []),
    ...(filters.standing ? [among('standing', filters.standing, bind)] : []),
  ]
  const { rows } = await db.query<StandingRow>(
    `select * from (${standings(visible, bind)}) reporter where ${where.join(' and ') || 'true'}
     order by domain collate "C" limit ${bind(limit)}`,
    values,
  )
  const names = rows.map(({ domain }) => domain)
  const [habits, said] = await Promise.all([habitsOf(db, names, visible), saidBy(db, names, question)])
  return rows.map(({ isNoted, ...row }): ReporterRow => {
    const seed = knownReporters.find(({ domain }) => domain === row.domain)
    const { reportDays, ...habit } = habits.get(row.domain) ?? noHabit
    return {
      ...row,
      standingSource: isNoted ? 'operator' : seed ? 'seed' : 'default',
      reference: seed?.source ?? null,
      ...habit,
      overdue: isOverdue({ ...habit, reportDays }, today),
      ...(said.get(row.domain) ?? saidNothing),
    }
  })
}

type StandingRow = Pick<ReporterRow, 'domain' | 'standing' | 'notedBy' | 'notedAt'> & { isNoted: boolean }

/**
 * Every reporter and its standing. Over all domains the index is stepped through from name to name, however many reports
 * each has: reading all of them took half a second for a million.
 */
const standings = (visible: Visible, bind: Bind): string => `
  with recursive heard as (
    ${
      visible === undefined
        ? `(select reporter as domain from report where reporter is not null order by reporter limit 1)
           union all
           select (select r.reporter from report r where r.reporter > heard.domain order by r.reporter limit 1)
           from heard where heard.domain is not null`
        : `select distinct reporter as domain from report where ${isVisible('domain', visible, bind)}`
    }
  )
  select domain, coalesce(r.standing, case when domain = any(${bind(knownReporters.map(({ domain }) => domain))}) then 'known' else 'new' end) as standing,
    r.standing is not null as "isNoted", r.noted_by as "notedBy", r.noted_at as "notedAt"
  from (select domain from heard where domain is not null) heard
    ${visible === undefined ? 'full' : 'left'} join reporter r using (domain)`

type Habit = Pick<ReporterRow, 'firstSeen' | 'lastSeen' | 'cadenceDays'> & { reportDays: number }

const noHabit: Habit = { firstSeen: null, lastSeen: null, cadenceDays: null, reportDays: 0 }

/** When each was heard of, in the same way: from day to day. */
async function habitsOf(db: Database, names: readonly string[], visible: Visible): Promise<Map<string, Habit>> {
  const { bind, values } = makeBind()
  const asked = `unnest(${bind(names)}::text[]) as name (reporter)`
  const next = (after: string) =>
    `(select r.day from report r where r.reporter = name.reporter and ${after} order by r.day limit 1)`
  const { rows } = await db.query<Habit & { reporter: string }>(
    `with recursive heard as (
       ${
         visible === undefined
           ? `select reporter, ${next('true')} as day from ${asked}
              union all
              select reporter, ${next('r.day > name.day')} from heard name where day is not null`
           : `select reporter, day from report join ${asked} using (reporter) where ${isVisible('domain', visible, bind)} group by reporter, day`
       }
     ), spaced as (
       select reporter, day, day - lag(day) over (partition by reporter order by day) as gap from heard where day is not null
     )
     select reporter, min(day)::text as "firstSeen", max(day)::text as "lastSeen", count(*)::int as "reportDays",
       percentile_cont(0.5) within group (order by gap) as "cadenceDays"
     from spaced group by reporter`,
    values,
  )
  return new Map(rows.map(({ reporter, ...habit }) => [reporter, habit]))
}

const dayMs = 86_400_000
/** Fewer days are no habit. */
const regularDays = 3

/** It used to report regularly, and is silent for more than three times its usual gap, and more than three days. */
function isOverdue({ lastSeen, cadenceDays, reportDays }: Habit, today: string): boolean {
  if (lastSeen === null || cadenceDays === null || reportDays < regularDays) return false
  return (Date.parse(today) - Date.parse(lastSeen)) / dayMs > Math.max(3, 3 * cadenceDays)
}

type Said = Pick<ReporterRow, 'reports' | 'successful' | 'failed' | 'uncountedReports' | 'organizations' | 'anomalies'>

const saidNothing: Said = { reports: 0n, successful: 0n, failed: 0n, uncountedReports: 0n, organizations: [], anomalies: {} } // prettier-ignore

/** Anyone can write a new name into every report. */
const mostOrganizations = 10

/**
 * What their reports of the window add up to. An index has all of that but what was odd, and another one those with
 * anomalies: half a million reports take 90 ms in place of 190. `label` is the beginning of the organization name.
 */
async function saidBy(
  db: Database,
  names: readonly string[],
  { window, visible }: ReportersQuestion,
): Promise<Map<string, Said>> {
  const { bind, values } = makeBind()
  type Row = {
    reporter: string
    reports: bigint
    uncountedReports: bigint
    successful: string
    failed: string
    organizations: string[] | null
    anomalies: [code: string, reports: number][] | null
  }
  const ofThem = `reporter = any(${bind(names)}::text[]) and day >= ${bind(window.from)} and day < ${bind(window.to)}
    and ${isVisible('domain', visible, bind)}`
  const sum = (column: string, where: string) => `coalesce(sum(${column}) filter (where ${where}), 0)`
  const { rows } = await db.query<Row>(
    `with said as materialized (
       select reporter, label, counted, count(*) as reports, sum(successful) as successful, sum(failed) as failed
       from report where ${ofThem} group by reporter, label, counted
     ), sums as (
       select reporter, ${sum('reports', 'counted')}::bigint as reports, ${sum('reports', 'not counted')}::bigint as uncounted,
         ${sum('successful', 'counted')} as successful, ${sum('failed', 'counted')} as failed
       from said group by reporter
     ), used as (
       select reporter, label,
         row_number() over (partition by reporter order by sum(reports) desc, label collate "C") as place
       from said where label is not null group by reporter, label
     ), named as (
       select reporter, jsonb_agg(label order by place) as organizations
       from used where place <= ${mostOrganizations} group by reporter
     ), odd as (
       select reporter, code, count(*) as reports
       from report cross join lateral (select distinct anomaly ->> 'code' as code from jsonb_array_elements(anomalies) anomaly) noted
       where anomalies <> '[]' and ${ofThem} group by reporter, code
     ), noted as (
       select reporter, jsonb_agg(jsonb_build_array(code, reports) order by code collate "C") as anomalies from odd group by reporter
     )
     select reporter, reports, uncounted as "uncountedReports", successful, failed, organizations, anomalies
     from sums left join named using (reporter) left join noted using (reporter)`,
    values,
  )
  return new Map(
    rows.map(({ reporter, reports, uncountedReports, ...row }) => [
      reporter,
      {
        reports,
        uncountedReports,
        successful: BigInt(row.successful),
        failed: BigInt(row.failed),
        organizations: row.organizations ?? [],
        anomalies: Object.fromEntries((row.anomalies ?? []).map(([code, noted]) => [code, BigInt(noted)])),
      },
    ]),
  )
}
