/** What is ours: the domains the operator stored, those of the environment, and how each is doing (RFC 8460 §3). */
import { makeOwnership, type OwnDomain, type Ownership } from '../tlsrpt/ownership.ts'
import type { Trust } from '../tlsrpt/submission.ts'
import type { Database } from './database.ts'
import { isVisible, makeBind, type Visible, type Window } from './question.ts'

export type StoredDomain = OwnDomain & { createdAt: Date }

/** The stored ones, sorted by name. */
export async function listDomains(db: Database): Promise<StoredDomain[]> {
  const { rows } = await db.query<StoredDomain>(
    `select domain, include_subdomains as "includeSubdomains", mx, created_at as "createdAt" from domain order by domain collate "C"`,
  )
  return rows
}

/** Stores the domain, in place of what was stored under its name. Names as in OwnDomain. */
export async function putDomain(
  db: Database,
  { domain, includeSubdomains, mx }: OwnDomain,
): Promise<'created' | 'updated'> {
  // xmax is 0 on a row that nothing has replaced.
  const { rows } = await db.query<{ created: boolean }>(
    `insert into domain (domain, include_subdomains, mx) values ($1, $2, $3)
     on conflict (domain) do update set include_subdomains = excluded.include_subdomains, mx = excluded.mx
     returning xmax = 0 as created`,
    [domain, includeSubdomains, mx],
  )
  return rows[0]!.created ? 'created' : 'updated'
}

/** False when there was none. Its reports stay. */
export async function deleteDomain(db: Database, domain: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from domain where domain = $1', [domain])
  return rowCount === 1
}

/** Absent `createdAt`: it lives in the environment only. */
export type ListedDomain = OwnDomain & { source: 'environment' | 'store'; createdAt: Date | undefined }

export type OwnDomains = {
  /** Whose is what, as of a second ago at most; older while the database is away. Rejects only before the first answer. */
  ownership: () => Promise<Ownership>
  /** As it is now: asked after a miss, since a domain may have been added by another process just before. */
  refresh: () => Promise<Ownership>
  /** As of a second ago at most, sorted by name. */
  list: () => Promise<ListedDomain[]>
  /** POLICY_DOMAINS=*: whatever domain is reported on is ours. */
  any: boolean
}

const maxAgeMs = 1_000

/**
 * The domains of the environment and of the store as one list, kept for a second. Where both name a domain it is the
 * environment's, with the MX hosts of the store, since a variable cannot name any.
 */
export function makeOwnDomains(
  db: Database,
  environment: readonly OwnDomain[],
  any: boolean,
  now: () => Date,
): OwnDomains {
  type View = { ownership: Ownership; list: ListedDomain[]; asOf: number }
  let view: View | undefined
  let running: Promise<View> | undefined
  let next: Promise<View> | undefined

  async function read(): Promise<View> {
    const asOf = now().getTime()
    const list = merge(environment, await listDomains(db))
    view = { ownership: makeOwnership(list, any), list, asOf }
    return view
  }
  /** One look-up at a time; who comes while it runs may have news it misses, and shares the next one. */
  function refresh(): Promise<View> {
    if (running === undefined) {
      running = read().finally(() => (running = undefined))
      return running
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return refresh()
      })
    return next
  }
  async function recent(): Promise<View> {
    if (view && Math.abs(now().getTime() - view.asOf) < maxAgeMs) return view // Clocks are set back, too.
    const known = view
    return refresh().catch((error: unknown) => {
      if (known) return known
      throw error
    })
  }
  return {
    ownership: async () => (await recent()).ownership,
    refresh: async () => (await refresh()).ownership,
    list: async () => (await recent()).list,
    any,
  }
}

function merge(environment: readonly OwnDomain[], stored: readonly StoredDomain[]): ListedDomain[] {
  const byName = new Map<string, ListedDomain>(stored.map((own) => [own.domain, { ...own, source: 'store' }]))
  for (const own of environment) {
    const kept = byName.get(own.domain)
    byName.set(own.domain, { ...own, mx: kept?.mx ?? own.mx, source: 'environment', createdAt: kept?.createdAt })
  }
  return [...byName.values()].sort((a, b) => (a.domain < b.domain ? -1 : 1))
}

/** Health at a glance. Sessions and reports are counted ones; the main numbers are verified. */
export type DomainHealth = {
  domain: string
  /** 'YYYY-MM-DD', of all time: what stands here is how long nothing was heard. */
  lastReportDay: string | null
  successful: bigint
  failed: bigint
  reports: bigint
  unverified: { successful: bigint; failed: bigint; reports: bigint; lastReportDay: string | null }
  /** Reports that are not counted because unverified ones contradict each other: the operator must choose. */
  contestedReports: bigint
}

/** One row for each of the domains, in no order; the caller knows that they are for whoever asks. */
export async function domainHealth(db: Database, domains: readonly string[], window: Window): Promise<DomainHealth[]> {
  type Row = Record<'domain' | 'successful' | 'failed' | 'unverified_successful' | 'unverified_failed', string> &
    Record<'reports' | 'unverified_reports' | 'contested', bigint> &
    Record<'last_day' | 'unverified_last_day', string | null>
  // Sums by domain that are then joined, where subqueries for each name would read as well and be as fast: those no
  // distributed Postgres takes (docs/scale.md).
  const ofTrust = (prefix: string, trust: Trust) => `
    coalesce(sum(successful) filter (where trust = '${trust}' and day < $3), 0) as ${prefix}successful,
    coalesce(sum(failed) filter (where trust = '${trust}' and day < $3), 0) as ${prefix}failed,
    coalesce(sum(reports) filter (where trust = '${trust}' and day < $3), 0)::bigint as ${prefix}reports,
    max(day) filter (where trust = '${trust}' and reports > 0) as ${prefix}last_day`
  const { rows } = await db.query<Row>(
    `with since as (
       select domain, ${ofTrust('', 'verified')}, ${ofTrust('unverified_', 'unverified')}
       from day_total where domain = any($1::text[]) and day >= $2 group by domain
     ), before as (
       select domain, max(day) filter (where trust = 'verified') as last_day,
         max(day) filter (where trust = 'unverified') as unverified_last_day
       from day_total where domain = any($1::text[]) and day < $2 and reports > 0 group by domain
     ), contest as (
       select domain, count(*) as contested from report
       where domain = any($1::text[]) and day >= $2 and day < $3 and standing = 'contested' group by domain
     )
     select domain, coalesce(successful, 0) as successful, coalesce(failed, 0) as failed, coalesce(reports, 0) as reports,
       coalesce(unverified_successful, 0) as unverified_successful, coalesce(unverified_failed, 0) as unverified_failed,
       coalesce(unverified_reports, 0) as unverified_reports, coalesce(since.last_day, before.last_day) as last_day,
       coalesce(since.unverified_last_day, before.unverified_last_day) as unverified_last_day,
       coalesce(contested, 0) as contested
     from unnest($1::text[]) as name (domain)
       left join since using (domain) left join before using (domain) left join contest using (domain)`,
    [domains, window.from, window.to],
  )
  return rows.map((row) => ({
    domain: row.domain,
    lastReportDay: row.last_day,
    successful: BigInt(row.successful),
    failed: BigInt(row.failed),
    reports: row.reports,
    unverified: {
      successful: BigInt(row.unverified_successful),
      failed: BigInt(row.unverified_failed),
      reports: row.unverified_reports,
      lastReportDay: row.unverified_last_day,
    },
    contestedReports: row.contested,
  }))
}

/** Domains with a counted report in the window, sorted: under POLICY_DOMAINS=* nobody lists what is ours. */
export async function reportedDomains(db: Database, window: Window, visible: Visible): Promise<string[]> {
  const { bind, values } = makeBind()
  const { rows } = await db.query<{ domain: string }>(
    `select distinct domain collate "C" as domain from day_total
     where day >= ${bind(window.from)} and day < ${bind(window.to)} and reports > 0 and ${isVisible('domain', visible, bind)}
     order by 1`,
    values,
  )
  return rows.map((row) => row.domain)
}

const lastReportDaysMs = 60_000
/** Who was silent for longer makes no alarm any more. */
const silentDays = 90

/**
 * The last day with a counted report, for at most `limit` domains, those with most reports in the last 90 days: as of a
 * minute ago at most, because it is asked with every look of Prometheus. Rejects as the database does.
 */
export function makeLastReportDays(
  db: Database,
  now: () => Date,
): (limit: number) => Promise<{ domain: string; day: string }[]> {
  let known: { asOf: number; rows: { domain: string; day: string }[] } | undefined
  return async (limit) => {
    const asOf = now().getTime()
    if (known && Math.abs(asOf - known.asOf) < lastReportDaysMs) return known.rows
    const { rows } = await db.query<{ domain: string; day: string }>(
      `select domain, max(day) as day from day_total
       where day >= ($1::timestamptz at time zone 'UTC')::date - $2::int and reports > 0
       group by domain order by sum(reports) desc, domain collate "C" limit $3`,
      [new Date(asOf), silentDays, limit],
    )
    known = { asOf, rows }
    return rows
  }
}
