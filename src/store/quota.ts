/** How much nobody verified may be kept for one domain and day: a stranger can post what he likes, the operator import. */
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

/** What has been recorded here for a place since the process began, or since the store was asked. */
type Kept = { reports: number; countedAt?: number }

const recountMs = 60_000
const mostPlaces = 50_000

/** Remembers, and asks the store only where much comes in: counting a place costs as much as recording a report. */
export function makeQuota(limit: number): WithinQuota {
  const places = new Map<string, Kept>()
  const uncounted = Math.floor(limit / 10)

  /** What is remembered may be too much (repeats, what was rolled back), so nobody is turned away by it. */
  function needsCount({ reports, countedAt }: Kept, more: number): boolean {
    if (countedAt === undefined) return reports + more > uncounted
    return reports + more > limit || performance.now() - countedAt > recountMs
  }

  return async (tx, arrivals) => {
    const unverified = arrivals.flat().flatMap((share) => (isStrangers(share) ? [share.domainReport] : []))
    if (places.size > mostPlaces) places.clear()
    const asked = [...Map.groupBy(unverified, placeName)].map(([name, reports]) => {
      const kept: Kept = places.get(name) ?? { reports: 0 }
      places.set(name, kept)
      return { name, reports, kept }
    })
    const toCount = asked.filter(({ reports, kept }) => needsCount(kept, reports.length))
    const counts = await countUnverified(
      tx,
      toCount.map(({ reports }) => reports[0]!),
    )
    for (const { name, kept } of toCount)
      Object.assign(kept, { reports: counts.get(name) ?? 0, countedAt: performance.now() })
    const before = new Map(asked.map(({ name, kept }) => [name, kept.reports]))
    for (const { kept, reports } of asked) kept.reports += reports.length
    const tight = asked.filter(({ kept }) => kept.reports > limit)
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
    const count = (counts.get(place) ?? kept.get(place)!) + 1
    if (count > limit) return false
    counts.set(place, count)
  }
  for (const [place, count] of counts) kept.set(place, count)
  for (const name of news) known.add(name)
  return true
}

/** By place; one without any is not in it. */
async function countUnverified(tx: Queryable, places: readonly Place[]): Promise<Map<string, number>> {
  if (places.length === 0) return new Map()
  const { rows } = await tx.query<Place & { reports: number }>(
    `select r.domain, r.day, count(*)::integer as reports
     from unnest($1::text[], $2::date[]) as w (domain, day) join report r on r.domain = w.domain and r.day = w.day
     where r.day = any($2::date[]) and r.trust = 'unverified' and r.transport <> 'file'
     group by r.domain, r.day`,
    [places.map(({ domain }) => domain), places.map(({ day }) => day)],
  )
  return new Map(rows.map((row) => [placeName(row), row.reports]))
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
