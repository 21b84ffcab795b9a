/** Sessions and reports by domain, day and trust, for the views over all domains: always the fold of the counted facts. */
import { escapeLiteral } from 'pg'
import type { Trust } from '../tlsrpt/submission.ts'
import type { ClaimRow } from './claims.ts'
import { inTransaction, unhurried, type Database, type Queryable } from './database.ts'

/** What one report was for the totals, and what it is now; `before` is absent for a new one. */
export type ClaimChange = { before?: ClaimRow; after: ClaimRow }

/** Sessions by the primary policies, and reports. */
export type DayTotal = { successful: bigint; failed: bigint; reports: bigint }

type Move = DayTotal & { domain: string; day: string; trust: Trust }

/**
 * Moves the totals by what the changes add and take away: added up first, then written in key order, so that one hot
 * row is touched once and transactions that meet cannot deadlock. To be called last: the rows stay locked until COMMIT.
 */
export async function moveDayTotals(tx: Queryable, changes: Iterable<ClaimChange>): Promise<void> {
  for (const statement of dayTotalMoves(changes)) await tx.query(statement)
}

/** The same as statements, to be sent together with others. */
export function dayTotalMoves(changes: Iterable<ClaimChange>): string[] {
  const moves = sumByKey(changes)
  if (moves.length === 0) return []
  const key = ({ domain, day, trust }: Move) => `${escapeLiteral(domain)}, '${day}', '${trust}'`
  const rows = moves.map((move) => `(${key(move)}, ${move.successful}, ${move.failed}, ${move.reports})`)
  const upsert = `insert into day_total as t (domain, day, trust, successful, failed, reports) values ${rows.join(', ')}
    on conflict (domain, day, trust) do update
    set successful = t.successful + excluded.successful, failed = t.failed + excluded.failed, reports = t.reports + excluded.reports`
  // A day without a report is a gap, not a zero.
  const emptied = moves.filter(({ reports }) => reports < 0n)
  if (emptied.length === 0) return [upsert]
  const days = [...new Set(emptied.map(({ day }) => `'${day}'`))].join(', ')
  const keys = emptied.map((move) => `(${key(move)})`).join(', ')
  return [upsert, `delete from day_total where day in (${days}) and (domain, day, trust) in (${keys}) and reports = 0`]
}

function sumByKey(changes: Iterable<ClaimChange>): Move[] {
  const moves = new Map<string, Move>()
  const add = (row: ClaimRow, times: 1n | -1n) => {
    if (row.standing !== 'counted') return
    const key = `${row.domain} ${row.day} ${row.trust}`
    const move = moves.get(key) ?? {
      domain: row.domain,
      day: row.day,
      trust: row.trust,
      successful: 0n,
      failed: 0n,
      reports: 0n,
    }
    move.successful += times * row.successful
    move.failed += times * row.failed
    move.reports += times
    moves.set(key, move)
  }
  for (const { before, after } of changes) {
    if (before) add(before, -1n)
    add(after, 1n)
  }
  return [...moves]
    .filter(([, { successful, failed, reports }]) => successful !== 0n || failed !== 0n || reports !== 0n)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, move]) => move)
}

/** A total that is not what the facts add up to; absent is: no row, or no counted report. */
export type DayTotalDifference = {
  domain: string
  day: string
  trust: Trust
  recorded: DayTotal | undefined
  folded: DayTotal | undefined
}

type DifferenceRow = { domain: string; day: string; trust: Trust } & Record<
  | 'recorded_successful'
  | 'recorded_failed'
  | 'recorded_reports'
  | 'folded_successful'
  | 'folded_failed'
  | 'folded_reports',
  string | null
>

/** What a total is made of: a row for each counted report, and one for each policy that stands for its sessions. */
const countedFacts = `
  select domain, day, trust, 0::numeric as successful, 0::numeric as failed, 1 as reports from report where counted
  union all
  select domain, day, trust, successful, failed, 0 from policy where counted and "primary"`

/**
 * Compares every total with the fold of the facts, in one statement and so at one instant: it may run on a live store.
 * Reads all facts, however long that takes. [] is what it should say.
 */
export function verifyDayTotals(db: Database): Promise<DayTotalDifference[]> {
  return inTransaction(db, async (tx) => {
    await tx.query('set local statement_timeout = 0')
    return dayTotalDifferences(tx)
  })
}

/** The same within a transaction, whose time-outs are the caller's matter. */
export async function dayTotalDifferences(tx: Queryable): Promise<DayTotalDifference[]> {
  const { rows } = await tx.query<DifferenceRow>({
    text: `with fact as (${countedFacts}), folded as (
        select domain, day, trust, sum(successful) as successful, sum(failed) as failed, sum(reports) as reports
        from fact group by domain, day, trust
      )
      select domain, day, trust,
             t.successful::text as recorded_successful, t.failed::text as recorded_failed, t.reports::text as recorded_reports,
             f.successful::text as folded_successful, f.failed::text as folded_failed, f.reports::text as folded_reports
      from day_total t full join folded f using (domain, day, trust)
      where (t.successful, t.failed, t.reports) is distinct from (f.successful, f.failed, f.reports)
      order by domain collate "C", day, trust`,
    ...unhurried,
  })
  return rows.map((row) => ({
    domain: row.domain,
    day: row.day,
    trust: row.trust,
    recorded: total(row.recorded_successful, row.recorded_failed, row.recorded_reports),
    folded: total(row.folded_successful, row.folded_failed, row.folded_reports),
  }))
}

/**
 * Sets the totals of a domain on these days to the fold of its facts. Every writer takes the row of its total last, so
 * whoever holds it either shows all his facts in the next statement, or waits and then adds his own to what is set here.
 */
export async function foldDayTotals(tx: Queryable, domain: string, days: readonly string[]): Promise<void> {
  const query = (text: string) => tx.query({ text, values: [domain, days], ...unhurried })
  const ofDays = 'domain = $1 and day = any($2::date[])'
  await query(
    `insert into day_total (domain, day, trust, successful, failed, reports)
     select $1, day, trust, 0, 0, 0 from unnest($2::date[]) day, unnest(array['unverified', 'verified']) trust
     order by day, trust on conflict do nothing`,
  )
  await query(`select from day_total where ${ofDays} order by day, trust collate "C" for update`)
  await query(
    `with fact as (${countedFacts}), folded as (
       select domain, day, trust, sum(successful) as successful, sum(failed) as failed, sum(reports) as reports
       from fact where ${ofDays} group by domain, day, trust
     )
     update day_total t set successful = f.successful, failed = f.failed, reports = f.reports
     from (select domain, day, trust, coalesce(f.successful, 0) as successful, coalesce(f.failed, 0) as failed,
                  coalesce(f.reports, 0) as reports
           from day_total left join folded f using (domain, day, trust) where ${ofDays}) f
     where t.domain = f.domain and t.day = f.day and t.trust = f.trust and t.domain = $1 and t.day = any($2::date[])`,
  )
  await query(`delete from day_total where ${ofDays} and reports = 0`)
}

function total(successful: string | null, failed: string | null, reports: string | null): DayTotal | undefined {
  if (successful === null || failed === null || reports === null) return undefined
  return { successful: BigInt(successful), failed: BigInt(failed), reports: BigInt(reports) }
}
