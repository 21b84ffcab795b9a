/** Who reports (RFC 8460 §3: the domain that signed), how regularly, and what the operator thinks of it. */
import { knownReporters } from '../tlsrpt/known-reporters.ts'
import { lockBlocked } from './blocked.ts'
import { compareIdentities, type IdentityKey } from './claims.ts'
import { inTransaction, type Database, type Queryable } from './database.ts'
import { standAnew } from './decisions.ts'
import { among, isVisible, makeBind, type Bind, type Visible, type Window } from './question.ts'

export const reporterStandings = ['known', 'new', 'blocked'] as const

/** blocked: its reports are stored and never count. known and new differ in nothing but the word. */
export type ReporterStanding = (typeof reporterStandings)[number]

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
  /** The names it gave itself in the window, the most frequent ones first. */
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
  const { bind, values } = makeBind()
  const { filters, visible, limit } = question
  const where = [
    ...(after === undefined ? [] : [`domain collate "C" > ${bind(after)}`]),
    ...(filters.domain ? [among('domain', filters.domain, bind)] : []),
    ...(filters.standing ? [among('standing', filters.standing, bind)] : []),
  ]
  const { rows } = await db.query<PresenceRow>(
    `select * from (${presence(visible, bind)}) reporter where ${where.join(' and ') || 'true'}
     order by domain collate "C" limit ${bind(limit)}`,
    values,
  )
  const names = rows.map(({ domain }) => domain)
  const sums = await sumsOf(db, names, question)
  const organizations = await organizationsOf(db, names, question)
  const anomalies = await anomaliesOf(db, names, question)
  return rows.map(({ reportDays, said, ...row }): ReporterRow => {
    const seed = knownReporters.find(({ domain }) => domain === row.domain)
    const oddities = anomalies.get(row.domain) ?? []
    return {
      ...row,
      standingSource: said ? 'operator' : seed ? 'seed' : 'default',
      reference: seed?.source ?? null,
      overdue: isOverdue({ ...row, reportDays }, question.today),
      ...(sums.get(row.domain) ?? { reports: 0n, successful: 0n, failed: 0n, uncountedReports: 0n }),
      organizations: (organizations.get(row.domain) ?? []).map(({ organization }) => organization),
      anomalies: Object.fromEntries(oddities.map(({ code, reports }) => [code, reports])),
    }
  })
}

type PresenceRow = Pick<
  ReporterRow,
  'domain' | 'standing' | 'notedBy' | 'notedAt' | 'firstSeen' | 'lastSeen' | 'cadenceDays'
> & { reportDays: number; said: boolean }

/** When each reporter was heard of, and his standing. */
const presence = (visible: Visible, bind: Bind): string => `
  with heard as (
    select reporter, day from report
    where reporter is not null and ${isVisible('domain', visible, bind)} group by reporter, day
  ), spaced as (
    select reporter, day, day - lag(day) over (partition by reporter order by day) as gap from heard
  ), seen as (
    select reporter as domain, min(day)::text as "firstSeen", max(day)::text as "lastSeen", count(*)::int as "reportDays",
      percentile_cont(0.5) within group (order by gap) as "cadenceDays"
    from spaced group by reporter
  )
  select domain, coalesce(r.standing, case when domain = any(${bind(knownReporters.map(({ domain }) => domain))}) then 'known' else 'new' end) as standing,
    r.standing is not null as said, r.noted_by as "notedBy", r.noted_at as "notedAt",
    "firstSeen", "lastSeen", coalesce("reportDays", 0) as "reportDays", "cadenceDays"
  from seen ${visible === undefined ? 'full' : 'left'} join reporter r using (domain)`

const dayMs = 86_400_000
/** Fewer days are no habit. */
const regularDays = 3

/** It used to report regularly, and is silent for more than three times its usual gap, and more than three days. */
function isOverdue(
  { lastSeen, cadenceDays, reportDays }: Pick<PresenceRow, 'lastSeen' | 'cadenceDays' | 'reportDays'>,
  today: string,
): boolean {
  if (lastSeen === null || cadenceDays === null || reportDays < regularDays) return false
  return (Date.parse(today) - Date.parse(lastSeen)) / dayMs > Math.max(3, 3 * cadenceDays)
}

type Scope = Pick<ReportersQuestion, 'window' | 'visible'>

/** The reports of these reporters in the window, as the rest of a SELECT. */
const theirReports = (names: readonly string[], { window, visible }: Scope, bind: Bind): string =>
  `from report r where reporter = any(${bind(names)}::text[]) and day >= ${bind(window.from)} and day < ${bind(window.to)}
     and ${isVisible('domain', visible, bind)}`

type Sums = Pick<ReporterRow, 'reports' | 'successful' | 'failed' | 'uncountedReports'>

async function sumsOf(db: Database, names: readonly string[], scope: Scope): Promise<Map<string, Sums>> {
  const { bind, values } = makeBind()
  type Row = { reporter: string; reports: bigint; successful: string; failed: string; uncountedReports: bigint }
  const { rows } = await db.query<Row>(
    `select reporter, count(*) filter (where counted) as reports, count(*) filter (where not counted) as "uncountedReports",
       coalesce(sum(successful) filter (where counted), 0) as successful, coalesce(sum(failed) filter (where counted), 0) as failed
     ${theirReports(names, scope, bind)} group by reporter`,
    values,
  )
  return new Map(
    rows.map(({ reporter, successful, failed, ...counts }) => [
      reporter,
      { ...counts, successful: BigInt(successful), failed: BigInt(failed) },
    ]),
  )
}

/** Anyone can write a new name into every report. */
const mostOrganizations = 10

async function organizationsOf(db: Database, names: readonly string[], scope: Scope) {
  const { bind, values } = makeBind()
  const { rows } = await db.query<{ reporter: string; organization: string }>(
    `select reporter, organization from (
       select reporter, organization,
         row_number() over (partition by reporter order by count(*) desc, organization collate "C") as position
       ${theirReports(names, scope, bind)} and organization is not null group by reporter, organization
     ) used where position <= ${bind(mostOrganizations)} order by reporter, position`,
    values,
  )
  return Map.groupBy(rows, ({ reporter }) => reporter)
}

async function anomaliesOf(db: Database, names: readonly string[], scope: Scope) {
  const { bind, values } = makeBind()
  const { rows } = await db.query<{ reporter: string; code: string; reports: bigint }>(
    `select reporter, code, count(*) as reports from (
       select r.reporter, (select array_agg(distinct anomaly ->> 'code') from jsonb_array_elements(r.anomalies) anomaly) as codes
       ${theirReports(names, scope, bind)}
     ) noted, unnest(codes) as code group by reporter, code order by reporter, code collate "C"`,
    values,
  )
  return Map.groupBy(rows, ({ reporter }) => reporter)
}

/** Identities in one transaction: their locks are held for a moment, and what is done stays done. */
const batchIdentities = 500

/**
 * Notes the operator's word on a reporter, and moves every number that hangs on it: all that it ever reported leaves
 * the counts when it is blocked, and comes back when it no longer is, a batch at a time. An arrival is counted by the
 * word of its moment, and this looks at all that was there by then, so both together miss nothing. Where it rejects
 * half-way, saying it again does the rest.
 */
export async function setReporterStanding(
  db: Database,
  { domain, standing, by, at }: { domain: string; standing: ReporterStanding; by: string; at: Date },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockBlocked(tx)
    await tx.query(
      `insert into reporter (domain, standing, noted_by, noted_at) values ($1, $2, $3, $4)
       on conflict (domain) do update set standing = excluded.standing, noted_by = excluded.noted_by, noted_at = excluded.noted_at`,
      [domain, standing, by, at],
    )
  })
  let after: IdentityKey | undefined
  for (;;) {
    const identities = await identitiesOf(db, domain, after)
    if (identities.length > 0) await inTransaction(db, (tx) => standAnew(tx, identities.toSorted(compareIdentities)))
    if (identities.length < batchIdentities) return
    after = identities.at(-1)
  }
}

/** What the reporter has a claim to, by day, domain and identity. */
async function identitiesOf(db: Queryable, reporter: string, after: IdentityKey | undefined): Promise<IdentityKey[]> {
  const { rows } = await db.query<IdentityKey>(
    `select distinct day, domain, identity from report
     where reporter = $1 and day >= coalesce($2::date, '-infinity')
       and ($2::date is null or (day, domain, identity) > ($2::date, $3::text, $4::bytea))
     order by day, domain, identity limit $5`,
    [reporter, after?.day, after?.domain, after?.identity, batchIdentities],
  )
  return rows
}
