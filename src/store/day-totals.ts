/**
 * Sums by domain, day, trust and policy type, for the views over all domains: always the fold of the counted facts
 * (DESIGN.md, The store).
 */
import { escapeLiteral } from 'pg'
import type { Trust } from '../tlsrpt/submission.ts'
import type { ClaimRow } from './claims.ts'
import { inTransaction, unhurried, type Database, type Queryable } from './database.ts'
import { readPolicySums, type PolicySums } from './facts.ts'

/** One report as it was until now, absent for a new one, and as it is from now on. */
export type ClaimChange = { before?: ClaimRow; after: ClaimRow }

/** What a change means for the totals: `policies` is what the report says. */
export type TotalChange = ClaimChange & { policies: readonly PolicySums[] }

/**
 * Of the reports whose primary policies are of the type: sessions, what the failure details of these policies add up to,
 * and how many reports. Of the type, primary or not: sessions that failed, and how many policies.
 */
export type DayTotal = {
  successful: bigint
  failed: bigint
  attributed: bigint
  reports: bigint
  failedOfType: bigint
  policies: bigint
}

type TotalKey = { domain: string; day: string; trust: Trust; policyType: string }

/** Where reports without policies are counted. No policy type is this: blanks around one are not kept. */
export const noPolicies = ' '

/** Column -> name, of what adds up. */
const sums = {
  successful: 'successful',
  failed: 'failed',
  attributed: 'attributed',
  reports: 'reports',
  failed_of_type: 'failedOfType',
  policies: 'policies',
} as const

type Column = keyof typeof sums
const columns = Object.keys(sums) as Column[]
const names = Object.values(sums)

/** The columns in a list, each made into an expression. */
const each = (expression: (column: Column) => string): string => columns.map(expression).join(', ')

/** Reads the policies of what was there before; to be called for claims that are locked. */
export async function totalChanges(tx: Queryable, changes: readonly ClaimChange[]): Promise<TotalChange[]> {
  const moving = changes.filter(({ before, after }) => isElsewhere(before, after))
  if (moving.length === 0) return []
  const policies = await readPolicySums(
    tx,
    moving.map(({ after }) => after),
  )
  return moving.map((change) => ({ ...change, policies: policies.get(change.after.key) ?? [] }))
}

const isElsewhere = (before: ClaimRow | undefined, after: ClaimRow): boolean =>
  before === undefined || before.standing !== after.standing || before.trust !== after.trust

/**
 * Moves the totals by what the changes add and take away: added up first, then written in key order, so that one hot
 * row is touched once and transactions that meet cannot deadlock. To be called last: the rows stay locked until COMMIT.
 */
export async function moveDayTotals(tx: Queryable, changes: Iterable<TotalChange>): Promise<void> {
  await prepareMoves(tx)
  for (const statement of dayTotalMoves(changes)) await tx.query(statement)
}

const known = new WeakSet<Queryable>()

/** What the statements of `dayTotalMoves` need: a round trip, once a connection. */
export async function prepareMoves(client: Queryable): Promise<void> {
  if (known.has(client)) return
  await client.query(`prepare ${movement} as ${upsert}`)
  known.add(client)
}

const movement = 'move_day_totals'

/** Of arrays, an element for each row: a batch of 31 reports takes 0.7 ms in Postgres, of rows as literals 1.1. */
const upsert = `insert into day_total as t (domain, day, trust, policy_type, ${each(String)})
  select * from unnest($1::text[], $2::date[], $3::text[], $4::text[], ${columns.map((_, i) => `$${i + 5}::bigint[]`).join(', ')})
  on conflict (domain, day, trust, policy_type) do update set ${each((column) => `${column} = t.${column} + excluded.${column}`)}`

/** The same as statements, to be sent together with others on a connection that is prepared. */
export function dayTotalMoves(changes: Iterable<TotalChange>): string[] {
  const moves = sumByKey(changes)
  if (moves.length === 0) return []
  const keys = (['domain', 'day', 'trust', 'policyType'] as const).map((name) => arrayLiteral(moves.map((move) => move[name]))) // prettier-ignore
  const move = `execute ${movement} (${keys.join(', ')}, ${each((column) => `'{${moves.map((move) => move[sums[column]]).join()}}'`)})`
  // A day without a report is a gap, not a zero.
  const emptied = moves.filter(({ reports, policies }) => reports < 0n || policies < 0n)
  if (emptied.length === 0) return [move]
  const days = [...new Set(emptied.map(({ day }) => `'${day}'`))].join(', ')
  const rows = emptied.map(({ domain, day, trust, policyType }) => `(${textLiteral(domain)}, '${day}', '${trust}', ${textLiteral(policyType)})`) // prettier-ignore
  return [
    move,
    `delete from day_total where day in (${days}) and (domain, day, trust, policy_type) in (${rows.join(', ')}) and ${isEmpty}`,
  ]
}

const arrayLiteral = (texts: readonly string[]): string =>
  textLiteral(`{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join()}}`)

/** A NUL would end the message that all of the batch is sent in. */
function textLiteral(text: string): string {
  if (text.includes('\0')) throw new RangeError('Postgres has no text with a NUL')
  return /['\\]/.test(text) ? escapeLiteral(text) : `'${text}'` // escapeLiteral goes by the letter.
}

const isEmpty = 'reports = 0 and policies = 0'

type Move = TotalKey & DayTotal

function sumByKey(changes: Iterable<TotalChange>): Move[] {
  const moves = new Map<string, Move>()
  const moveOf = ({ domain, day, trust }: ClaimRow, policyType: string): Move => {
    const key = `${domain} ${day} ${trust} ${policyType}`
    const known = moves.get(key)
    if (known) return known
    const none = { successful: 0n, failed: 0n, attributed: 0n, reports: 0n, failedOfType: 0n, policies: 0n }
    const move = { domain, day, trust, policyType, ...none }
    moves.set(key, move)
    return move
  }
  const add = (row: ClaimRow, policies: readonly PolicySums[], times: 1n | -1n) => {
    if (row.standing !== 'counted') return
    moveOf(row, policies.find(({ primary }) => primary)?.policyType ?? noPolicies).reports += times
    for (const policy of policies) {
      const move = moveOf(row, policy.policyType)
      move.failedOfType += times * policy.failed
      move.policies += times * policy.policies
      if (!policy.primary) continue
      move.successful += times * policy.successful
      move.failed += times * policy.failed
      move.attributed += times * policy.attributed
    }
  }
  for (const { before, after, policies } of changes) {
    if (before) add(before, policies, -1n)
    add(after, policies, 1n)
  }
  return [...moves]
    .filter(([, move]) => names.some((name) => move[name] !== 0n))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, move]) => move)
}

/** A total that is not what the facts add up to; absent is: no row, or no counted report. */
export type DayTotalDifference = TotalKey & { recorded: DayTotal | undefined; folded: DayTotal | undefined }

/** The totals of all counted facts that pass `where`, a condition over domain and day. */
const folded = (where: string): string => `
  select domain, day, trust, policy_type, coalesce(sum(successful) filter (where "primary"), 0) as successful,
    coalesce(sum(failed) filter (where "primary"), 0) as failed,
    coalesce(sum(attributed) filter (where "primary"), 0) as attributed,
    count(distinct report_key) filter (where "primary") as reports,
    sum(failed) as failed_of_type, count(*) as policies
  from policy where counted and ${where} group by domain, day, trust, policy_type
  union all
  select domain, day, trust, '${noPolicies}', 0, 0, 0, count(*), 0, 0
  from report r where counted and ${where} and not exists (
    select from policy p where p.domain = r.domain and p.day = r.day and p.report_key = r.key)
  group by domain, day, trust`

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
  type Row = Record<`${'recorded' | 'folded'}_${Column}`, string | null> &
    Omit<TotalKey, 'policyType'> & { policy_type: string }
  const { rows } = await tx.query<Row>({
    text: `with folded as (${folded('true')})
      select domain, day, trust, policy_type, ${each((column) => `t.${column}::text as recorded_${column}, f.${column}::text as folded_${column}`)}
      from day_total t full join folded f using (domain, day, trust, policy_type)
      where (${each((column) => `t.${column}`)}) is distinct from (${each((column) => `f.${column}`)})
      order by domain collate "C", day, trust, policy_type collate "C"`,
    ...unhurried,
  })
  const total = (row: Row, side: 'recorded' | 'folded'): DayTotal | undefined =>
    row[`${side}_reports`] === null
      ? undefined
      : (Object.fromEntries(columns.map((column) => [sums[column], BigInt(row[`${side}_${column}`]!)])) as DayTotal)
  return rows.map((row) => ({
    domain: row.domain,
    day: row.day,
    trust: row.trust,
    policyType: row.policy_type,
    recorded: total(row, 'recorded'),
    folded: total(row, 'folded'),
  }))
}

/**
 * Sets the totals of a domain on these days to the fold of its facts. Every writer takes the rows of its totals last, so
 * whoever holds them either shows all his facts in the next statement, or waits and then adds his own to what is set here.
 */
export async function foldDayTotals(tx: Queryable, domain: string, days: readonly string[]): Promise<void> {
  const ofDays = 'domain = $1 and day = any($2::date[])'
  const query = <Row extends object>(text: string, values: unknown[] = []) =>
    tx.query<Row>({ text, values: [domain, days, ...values], ...unhurried })
  const key = 'domain, day, trust, policy_type'
  await query(
    `insert into day_total (${key}, ${each(String)}) select ${key}, ${each(() => '0')} from (${folded(ofDays)}) f
     order by day, trust collate "C", policy_type collate "C" on conflict do nothing`,
  )
  const { rows: locked } = await query<{ day: string; trust: string; policy_type: string }>(
    `select day, trust, policy_type from day_total where ${ofDays}
     order by day, trust collate "C", policy_type collate "C" for update`,
  )
  // Only what is locked: a row that others have made since has all their facts in it, and may be moving.
  const of = (name: 'day' | 'trust' | 'policy_type') => locked.map((row) => row[name])
  await query(
    `update day_total t set ${each((column) => `${column} = coalesce(f.${column}, 0)`)}
     from unnest($3::date[], $4::text[], $5::text[]) as l (day, trust, policy_type)
       left join (${folded(ofDays)}) f using (day, trust, policy_type)
     where t.domain = $1 and t.day = any($2::date[]) and t.day = l.day and t.trust = l.trust and t.policy_type = l.policy_type`,
    [of('day'), of('trust'), of('policy_type')],
  )
  await query(`delete from day_total where ${ofDays} and ${isEmpty}`)
}
