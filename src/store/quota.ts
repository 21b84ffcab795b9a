/** How much nobody verified may be kept for one domain and day: a stranger can post what he likes, the operator import. */
import type { DomainReport, JudgedPolicy } from '../tlsrpt/verdict.ts'
import type { IdentityKey, Share, Teller } from './claims.ts'
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
/** And so many bytes: one may come as 8 MiB, and be 20 MiB of text in 20 KB. */
const bytesOfAReport = 64 * 1024
/** Texts of facts that their rows stand for. */
const bytesOfARow = Math.floor(bytesOfAReport / rowsOfAReport)

function weigh({ domainReport: { policies }, bytes }: Share): number {
  return 1 + rowsOf(policies) / rowsOfAReport + bytes / bytesOfAReport
}

const rowsOf = (policies: readonly JudgedPolicy[]): number =>
  policies.reduce((sum, { failureDetails }) => sum + 1 + failureDetails.length, 0)

/**
 * Of a stranger's report: as it came, and the texts of its facts, which are kept beside that, as far as they are longer than
 * usual. Else 0: nobody asks.
 */
export function bytesOf(teller: Teller, { policies }: DomainReport, raw: Uint8Array): number {
  if (!isStrangers(teller)) return 0
  const texts = policies.reduce((sum, policy) => sum + textLength(policy), 0)
  return raw.length + Math.max(0, texts - rowsOf(policies) * bytesOfARow)
}

function textLength({
  policyDomain,
  policyType,
  policyTypeRaw,
  policyString,
  mxHost,
  failureDetails,
}: JudgedPolicy): number {
  let length = lengthOf(policyDomain) + lengthOf(policyType) + lengthOf(policyTypeRaw)
  for (const line of policyString) length += line.length
  for (const host of mxHost) length += host.length
  for (const detail of failureDetails) {
    length += lengthOf(detail.resultType) + lengthOf(detail.resultTypeRaw)
    length += lengthOf(detail.sendingMtaIp?.raw) + lengthOf(detail.receivingIp?.raw)
    length += lengthOf(detail.receivingMxHostname) + lengthOf(detail.receivingMxHelo)
    length += lengthOf(detail.additionalInformation) + lengthOf(detail.failureReasonCode)
  }
  return length
}

const lengthOf = (text: string | undefined): number => text?.length ?? 0

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

  function keptOf(name: string): Kept {
    const known = places.get(name)
    if (known !== undefined) return known
    const kept: Kept = { weight: 0 }
    places.set(name, kept)
    return kept
  }

  return async (tx, arrivals) => {
    if (places.size > mostPlaces) places.clear()
    const asked = askedFor(arrivals, keptOf)
    const toCount = asked.filter(({ kept, weight }) => needsCount(kept, weight))
    const weights = await weighUnverified(
      tx,
      toCount.map(({ shares }) => shares[0]!.domainReport),
    )
    for (const { name, kept } of toCount)
      Object.assign(kept, { weight: weights.get(name) ?? 0, countedAt: performance.now() })
    const tight = asked.filter(({ kept, weight }) => Math.floor(kept.weight + weight) > limit)
    const before = tight.length === 0 ? undefined : new Map(asked.map(({ name, kept }) => [name, kept.weight]))
    for (const { kept, weight } of asked) kept.weight += weight
    if (before === undefined) return arrivals.map(() => true)
    const known = await readContents(
      tx,
      tight.flatMap(({ shares }) => shares.map(({ domainReport }) => domainReport)),
    )
    return arrivals.map((shares) => admit(shares, before, known, limit))
  }
}

/** What a batch brings to one place. */
type Asked = { name: string; shares: Share[]; kept: Kept; weight: number }

function askedFor(arrivals: readonly Share[][], keptOf: (name: string) => Kept): Asked[] {
  const asked = new Map<string, Asked>()
  for (const shares of arrivals) {
    for (const share of shares) {
      if (!isStrangers(share.teller)) continue
      const name = placeName(share.domainReport)
      let place = asked.get(name)
      if (place === undefined) asked.set(name, (place = { name, shares: [], kept: keptOf(name), weight: 0 }))
      place.shares.push(share)
      place.weight += weigh(share)
    }
  }
  return [...asked.values()]
}

/** Vouched for neither by a signature nor by the operator, who gave us the file. */
export const isStrangers = ({ trust, transport }: Pick<Teller, 'trust' | 'transport'>): boolean =>
  trust === 'unverified' && transport !== 'file'

/** All of it or nothing; what is admitted is from then on kept and known. */
function admit(shares: readonly Share[], kept: Map<string, number>, known: Set<string>, limit: number): boolean {
  const counts = new Map<string, number>()
  const news = new Set<string>()
  for (const share of shares) {
    const { domainReport } = share
    const name = claimName(domainReport.identity, domainReport.contentHash)
    if (known.has(name) || news.has(name)) continue
    news.add(name)
    if (!isStrangers(share.teller)) continue
    const place = placeName(domainReport)
    const count = (counts.get(place) ?? kept.get(place)!) + weigh(share)
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
    const bytes = table === 'report' ? 'sum(t.bytes)::double precision' : '0::double precision'
    const { rows } = await tx.query<Place & { n: number; bytes: number }>(
      `select t.domain, t.day, count(*)::integer as n, ${bytes} as bytes
       from unnest($1::text[], $2::date[]) as w (domain, day) join ${table} t on t.domain = w.domain and t.day = w.day
       where t.day = any($2::date[]) and t.trust = 'unverified' and t.transport <> 'file'
       group by t.domain, t.day`,
      [places.map(({ domain }) => domain), places.map(({ day }) => day)],
    )
    for (const row of rows) {
      const weight = table === 'report' ? row.n + row.bytes / bytesOfAReport : row.n / rowsOfAReport
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
