/** How much nobody verified may be kept for one domain and day: a stranger can post what he likes, the operator import. */
import type { IdentityKey, Share } from './claims.ts'
import type { Queryable } from './database.ts'

type Place = { domain: string; day: string }
const placeName = ({ domain, day }: Place) => `${domain} ${day}`
const claimName = (identity: Buffer, contentHash: Buffer) =>
  `${identity.toString('hex')} ${contentHash.toString('hex')}`

/**
 * For each arrival, given as its shares, whether all of it may be kept: false where it would add a new unverified claim
 * beyond `limit` for that domain and day. Repeats add nothing and always may. Instances that record at the same moment
 * do not see each other's claims and can pass the limit by a batch: it guards the disk, no number depends on it.
 */
export async function withinQuota(tx: Queryable, arrivals: readonly Share[][], limit: number): Promise<boolean[]> {
  const unverified = arrivals.flat().flatMap((share) => (isStrangers(share) ? [share.domainReport] : []))
  if (unverified.length === 0) return arrivals.map(() => true)
  const byPlace = Map.groupBy(unverified, placeName)
  const kept = await countUnverified(
    tx,
    [...byPlace.values()].map((reports) => reports[0]!),
    limit,
  )
  const tight = [...byPlace].filter(([name, reports]) => kept.get(name)! + reports.length > limit)
  if (tight.length === 0) return arrivals.map(() => true)
  const known = await readClaims(
    tx,
    tight.flatMap(([, reports]) => reports),
  )
  return arrivals.map((shares) => admit(shares, kept, known, limit))
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

/** By place; counts no further than `limit`. */
async function countUnverified(tx: Queryable, places: readonly Place[], limit: number): Promise<Map<string, number>> {
  const { rows } = await tx.query<Place & { reports: number }>(
    `select w.domain, w.day, n.reports
     from unnest($1::text[], $2::date[]) as w (domain, day),
       lateral (select count(*)::integer as reports
                from (select from report r
                      where r.domain = w.domain and r.day = w.day and r.day = any($2::date[])
                        and r.trust = 'unverified' and r.transport <> 'file'
                      limit $3) as first) as n`,
    [places.map(({ domain }) => domain), places.map(({ day }) => day), limit],
  )
  return new Map(rows.map((row) => [placeName(row), row.reports]))
}

/** The claims there are to these identities, each as claimName says. */
async function readClaims(tx: Queryable, identities: readonly IdentityKey[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ identity: Buffer; content_hash: Buffer }>(
    `select r.identity, r.content_hash
     from unnest($1::text[], $2::date[], $3::bytea[]) as w (domain, day, identity)
     join report r on r.domain = w.domain and r.day = w.day and r.identity = w.identity
     where r.day = any($2::date[])`,
    [identities.map((i) => i.domain), identities.map((i) => i.day), identities.map((i) => i.identity)],
  )
  return new Set(rows.map((row) => claimName(row.identity, row.content_hash)))
}
