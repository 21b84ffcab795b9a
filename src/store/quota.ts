/** How much nobody verified may be kept for one domain and day: a stranger can post what he likes, the operator import. */
import type { DomainReport } from '../tlsrpt/verdict.ts'
import type { IdentityKey, Share } from './claims.ts'
import type { Queryable } from './database.ts'

type Place = { domain: string; day: string }
const placeName = ({ domain, day }: Place) => `${domain} ${day}`
const claimName = (identity: Buffer, contentHash: Buffer) =>
  `${identity.toString('hex')} ${contentHash.toString('hex')}`

/**
 * For each arrival, given as its shares, whether all of it may be kept: false where it would add a new unverified claim
 * beyond the limit for that domain and day. Repeats add nothing and always may. It guards the disk and no number depends
 * on it, so it may be passed by what other instances record within a minute, and by a tenth with each start.
 */
export type WithinQuota = (tx: Queryable, arrivals: readonly Share[][]) => Promise<boolean[]>

/** What has been recorded here for a place since the process began, or since the store was asked; as `weigh` has it. */
type Kept = { weight: number; countedAt?: number }

/** So many policies and failure details weigh as much as a report: one may have 50,000 of them, in a few kilobytes. */
const rowsOfAReport = 250

function weigh({ policies }: DomainReport): number {
  const rows = policies.reduce((sum, { failureDetails }) => sum + 1 + failureDetails.length, 0)
  return 1 + rows / rowsOfAReport
}
const weighAll = (reports: readonly DomainReport[]): number => reports.reduce((sum, report) => sum + weigh(report), 0)

const recountMs = 60_000
const mostPlaces = 50_000

/** Remembers, and asks the store only where much comes in: counting a place costs as much as recording a report. */
export function makeQuota(limit: number): WithinQuota {
  const places = new Map<string, Kept>()
  const uncounted = Math.floor(limit / 10)

  /** What is remembered may be too much (repeats, what was rolled back), so nobody is turned away by it. */
  function needsCount({ weight, countedAt }: Kept, more: number): boolean {
    if (countedAt === undefined) return Math.floor(weight + more) > uncounted
    return Math.floor(weight + more) > limit || performance.now() - countedAt > recountMs
  }

  return async (tx, arrivals) => {
    const unverified = arrivals.flat().flatMap((share) => (isStrangers(share) ? [share.domainReport] : []))
    if (places.size > mostPlaces) places.clear()
    const asked = [...Map.groupBy(unverified, placeName)].map(([name, reports]) => {
      const kept: Kept = places.get(name) ?? { weight: 0 }
      places.set(name, kept)
      return { name, reports, kept }
    })
    const toCount = asked.filter(({ reports, kept }) => needsCount(kept, weighAll(reports)))
    const weights = await weighUnverified(
      tx,
      toCount.map(({ reports }) => reports[0]!),
    )
    for (const { name, kept } of toCount)
      Object.assign(kept, { weight: weights.get(name) ?? 0, countedAt: performance.now() })
    const before = new Map(asked.map(({ name, kept }) => [name, kept.weight]))
    for (const { kept, reports } of asked) kept.weight += weighAll(reports)
    const tight = asked.filter(({ kept }) => Math.floor(kept.weight) > limit)
    if (tight.length === 0) return arrivals.map(() => true)
    const known = await readContents(
      tx,
      tight.flatMap(({ reports }) => reports),
    )
    return arrivals.map((shares) => admit(shares, before, known, limit))
  }
}

/** Vouched for neither by a signature nor by the operator, who gave us the file. */
const isStrangers = ({ teller }: Share): boolean => teller.trust === 'unverified' && teller.transport !== 'file'

/** All of it or nothing; what is admitted is from then on kept and known. */
function admit(shares: readonly Share[], kept: Map<string, number>, known: Set<string>, limit: number): boolean {
  const counts = new Map<string, number>()
  const news = new Set<string>()
  for (const share of shares) {
    const { domainReport } = share
    const name = claimName(domainReport.identity, domainReport.contentHash)
    if (known.has(name) || news.has(name)) continue
    news.add(name)
    if (!isStrangers(share)) continue
    const place = placeName(domainReport)
    const count = (counts.get(place) ?? kept.get(place)!) + weigh(domainReport)
    if (Math.floor(count) > limit) return false
    counts.set(place, count)
  }
  for (const [place, count] of counts) kept.set(place, count)
  for (const name of news) known.add(name)
  return true
}

/** As `weigh` has it, by place; one without any is not in it. */
async function weighUnverified(tx: Queryable, places: readonly Place[]): Promise<Map<string, number>> {
  const weights = new Map<string, number>()
  if (places.length === 0) return weights
  for (const table of ['report', 'policy', 'failure_detail']) {
    const { rows } = await tx.query<Place & { n: number }>(
      `select t.domain, t.day, count(*)::integer as n
       from unnest($1::text[], $2::date[]) as w (domain, day) join ${table} t on t.domain = w.domain and t.day = w.day
       where t.day = any($2::date[]) and t.trust = 'unverified' and t.transport <> 'file'
       group by t.domain, t.day`,
      [places.map(({ domain }) => domain), places.map(({ day }) => day)],
    )
    for (const row of rows) {
      const weight = table === 'report' ? row.n : row.n / rowsOfAReport
      weights.set(placeName(row), (weights.get(placeName(row)) ?? 0) + weight)
    }
  }
  return weights
}

/** The claims there are to these identities, each as claimName says. */
async function readContents(tx: Queryable, identities: readonly IdentityKey[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ identity: Buffer; content_hash: Buffer }>(
    `select r.identity, r.content_hash
     from unnest($1::text[], $2::date[], $3::bytea[]) as w (domain, day, identity)
     join report r on r.domain = w.domain and r.day = w.day and r.identity = w.identity
     where r.day = any($2::date[])`,
    [identities.map((i) => i.domain), identities.map((i) => i.day), identities.map((i) => i.identity)],
  )
  return new Set(rows.map((row) => claimName(row.identity, row.content_hash)))
}
