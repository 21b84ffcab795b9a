/** Checks of domains (src/checks/): their history, and whose turn the daily one is. */
import type { Check } from '../checks/check.ts'
import type { PastCheck } from '../checks/explain.ts'
import { inTransaction, type Database } from './database.ts'
import { among, isVisible, makeBind, type Visible, type Window } from './question.ts'

/** Of one domain: three months of daily ones. The newest stay. */
const keptChecks = 100

/** A day, less what the checks before it took. */
const dailyMs = 23 * 60 * 60 * 1000

export type KeptCheck = {
  key: string
  /** Name of the token; null: the daily check. */
  askedBy: string | null
  check: Check
}

type Row = { key: string; asked_by: string | null; result: Check }

const kept = ({ key, asked_by: askedBy, result: check }: Row): KeptCheck => ({ key, askedBy, check })

export function recordCheck(db: Database, { key, askedBy, check }: KeptCheck): Promise<void> {
  return inTransaction(db, async (tx) => {
    await tx.query(
      `insert into domain_check (domain, key, started_at, ended_at, severity, asked_by, result)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [check.domain, key, check.startedAt, check.endedAt, check.severity, askedBy, JSON.stringify(check)],
    )
    await tx.query(
      `delete from domain_check where domain = $1 and key < (
         select key from domain_check where domain = $1 order by key desc offset $2 limit 1)`,
      [check.domain, keptChecks - 1],
    )
  })
}

/** The window is over the time of the check. */
export type ChecksQuestion = {
  window: Window
  filters: { domain?: readonly string[] }
  visible: Visible
  limit: number
}

/** Newest first, at most `limit`, older than the key that a page ended with. */
export async function listChecks(
  db: Database,
  question: ChecksQuestion,
  before: string | undefined,
): Promise<KeptCheck[]> {
  // prettier-ignore
  const { bind, values } = makeBind()
  const { window, filters, visible, limit } = question
  const where = [
    `started_at >= ${bind(`${window.from}T00:00:00Z`)} and started_at < ${bind(`${window.to}T00:00:00Z`)}`,
    ...(filters.domain ? [among('domain', filters.domain, bind)] : []),
    ...(before === undefined ? [] : [`key < ${bind(before)}`]),
    isVisible('domain', visible, bind),
  ]
  const { rows } = await db.query<Row>(
    `select key, asked_by, result from domain_check where ${where.join(' and ')} order by key desc limit ${bind(limit)}`,
    values,
  )
  return rows.map(kept)
}

/** With the one of the same domain before it; undefined where there is none of this key for whoever asks. */
export async function getCheck(
  db: Database,
  key: string,
  visible: Visible,
): Promise<{ now: KeptCheck; before?: KeptCheck } | undefined> {
  // prettier-ignore
  const { bind, values } = makeBind()
  const { rows } = await db.query<Row>(
    `select c.key, c.asked_by, c.result from domain_check c
     where c.domain = (select domain from domain_check where key = ${bind(key)} and ${isVisible('domain', visible, bind)})
       and c.key <= ${bind(key)}
     order by c.key desc limit 2`,
    values,
  )
  const [now, before] = rows.map(kept)
  return now && { now, ...(before && { before }) }
}

/** The newest of a domain. The caller has seen to it that the domain may be asked about. */
export async function lastCheck(db: Database, domain: string): Promise<KeptCheck | undefined> {
  const { rows } = await db.query<Row>(
    'select key, asked_by, result from domain_check where domain = $1 order by key desc limit 1',
    [domain],
  )
  return rows.map(kept)[0]
}

/** The newest of each of these domains that has any. The caller has seen to it that they may be asked about. */
export async function lastChecks(db: Database, domains: readonly string[]): Promise<Map<string, Check>> {
  const { rows } = await db.query<{ domain: string; result: Check }>(
    `select distinct on (domain) domain, result from domain_check where domain = any($1::text[]) order by domain, key desc`,
    [domains],
  )
  return new Map(rows.map(({ domain, result }) => [domain, result]))
}

type Head = { domain: string; started_at: Date; codes: string[]; subjects: string[]; mx: string[] | null }

/**
 * Likewise, the histories of checks, as far as they are kept, oldest first: of checks in a row that found the same, the
 * first. For domains of which it is wanted: a hundred whole checks are read for it, some 20 ms.
 */
export async function checkHistories(db: Database, domains: readonly string[]): Promise<Map<string, PastCheck[]>> {
  if (domains.length === 0) return new Map()
  const { rows } = await db.query<Head>(
    `with whole as (
       select domain, key, started_at, result || '{}' as result from domain_check where domain = any($1::text[]) offset 0
     ), head as (
       select domain, key, started_at, jsonb_path_query_array(result, '$.findings[*].code') as codes,
         jsonb_path_query_array(result, '$.findings[*].subject') as subjects,
         case when result->'observed' ? 'mx' then jsonb_path_query_array(result, '$.observed.mx[*].host') end as mx
       from whole
     ), beside as (
       select *, lag((codes, subjects, mx)) over (partition by domain order by key) as before from head
     )
     select domain, started_at, codes, subjects, mx from beside
     where before is distinct from (codes, subjects, mx) order by domain, key`,
    [domains],
  )
  const past = ({ started_at, codes, subjects, mx }: Head): PastCheck => ({
    startedAt: started_at.toISOString(),
    found: codes.map((code, i) => ({ code, subject: subjects[i]! })),
    ...(mx && { mx }),
  })
  return new Map([...Map.groupBy(rows, ({ domain }) => domain)].map(([domain, heads]) => [domain, heads.map(past)]))
}

/**
 * One of `domains` whose daily check is due, now taken; undefined when none is. Of several instances one gets it: the
 * row decides.
 */
export async function takeDailyTurn(db: Database, domains: readonly string[], now: Date): Promise<string | undefined> {
  return inTransaction(db, async (tx) => {
    const due = new Date(now.getTime() - dailyMs)
    const { rows } = await tx.query<{ domain: string }>(
      `insert into domain_check_turn (domain, taken_at)
       select d.domain, $2 from unnest($1::text[]) d (domain) left join domain_check_turn t using (domain)
       where t.taken_at is null or t.taken_at < $3
       order by t.taken_at nulls first, d.domain limit 1
       on conflict (domain) do update set taken_at = excluded.taken_at where domain_check_turn.taken_at < $3
       returning domain`,
      [domains, now, due],
    )
    return rows[0]?.domain
  })
}

/** For a check that was not made after all. */
export async function giveDailyTurnBack(db: Database, domain: string): Promise<void> {
  await db.query('delete from domain_check_turn where domain = $1', [domain])
}
