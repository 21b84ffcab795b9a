/** When a report is the same report again, and which of several claims to one identity counts (RFC 8460 §5.3; DESIGN.md). */
import { createHash, hash, type Hash } from 'node:crypto'
import { instantText } from './dates.ts'
import type { Address, DateRange, FailureDetail, Policy } from './report.ts'
import type { Trust } from './submission.ts'

/**
 * SHA-256 over what a sender means by "this report", for one domain of ours. report-id alone collides between senders
 * and between days, and is predictable, so it is never enough.
 */
export function reportIdentity(
  organizationName: string | undefined,
  reportId: string,
  dateRange: DateRange,
  domain: string,
): Buffer {
  const [start, end] = [instantText(dateRange.start), instantText(dateRange.end)]
  return sha256(JSON.stringify([organizationName ?? null, reportId, start, end, domain]))
}

/**
 * SHA-256 over what the report says about one domain: the parsed values in a canonical order, so that re-indented,
 * re-ordered or re-compressed copies are the same content, and one changed count is not.
 */
export function contentHash(policies: (Policy & { policyDomain: string })[]): Buffer {
  return sha256OfText(textOf(policies.map(canonicalPolicy).sort(byText)))
}

/** `head` is the text of a list of six, without its end; the details, each a text, are the seventh. */
type CanonicalPolicy = { head: string; details: string[] }

const canonicalPolicy = (policy: Policy & { policyDomain: string }): CanonicalPolicy => ({
  head: JSON.stringify([
    policy.policyType,
    policy.policyDomain,
    policy.policyString,
    policy.mxHost,
    policy.totalSuccessfulSessionCount,
    policy.totalFailureSessionCount,
  ]).slice(0, -1),
  details: policy.failureDetails.map(canonicalDetail).sort(),
})

const canonicalDetail = (detail: FailureDetail): string =>
  JSON.stringify([
    detail.resultType,
    detail.failedSessionCount,
    written(detail.sendingMtaIp),
    detail.receivingMxHostname ?? null,
    detail.receivingMxHelo ?? null,
    written(detail.receivingIp),
    detail.additionalInformation ?? null,
    detail.failureReasonCode ?? null,
  ])

const written = (address: Address | undefined): string | null => address?.ip ?? address?.raw ?? null

/** Of two lists of six none begins with the other, so the details are only looked at where these are equal. */
function byText(a: CanonicalPolicy, b: CanonicalPolicy): number {
  if (a.head !== b.head) return a.head < b.head ? -1 : 1
  const [detailsOfA, detailsOfB] = [JSON.stringify(a.details), JSON.stringify(b.details)]
  return detailsOfA < detailsOfB ? -1 : detailsOfA > detailsOfB ? 1 : 0
}

const detailsInPiece = 100

/** JSON of a list of texts, each JSON of a policy, in pieces: 50,000 details would be in memory four times, and once malloc'ed. */
function* textOf(policies: readonly CanonicalPolicy[]): Generator<string> {
  const inText = (json: string): string => JSON.stringify(json).slice(1, -1)
  for (const [i, { head, details }] of policies.entries()) {
    yield `${i === 0 ? '[' : ','}"${inText(head)},[`
    for (let j = 0; j < details.length; j += detailsInPiece) {
      const piece = details.length <= detailsInPiece ? details : details.slice(j, j + detailsInPiece)
      yield `${j === 0 ? '' : ','}${inText(JSON.stringify(piece).slice(1, -1))}`
    }
    yield ']]"'
  }
  yield policies.length === 0 ? '[]' : ']'
}

/** In a Buffer out of Node's pool: asked for a Buffer, `hash` makes one outside of the heap, and takes twice as long. */
const sha256 = (text: string): Buffer => Buffer.from(hash('sha256', text, 'binary'), 'binary')

const pieceLength = 64 * 1024

function sha256OfText(pieces: Iterable<string>): Buffer {
  let sha: Hash | undefined
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < pieceLength) continue
    sha ??= createHash('sha256')
    sha.update(text)
    text = ''
  }
  return sha?.update(text).digest() ?? sha256(text) // At once takes half the time.
}

/** What the store knows of one claim to an identity: one content, told by one reporter or by nobody verified. */
export type Claim = {
  trust: Trust
  /** Of a verified claim. */
  reporter?: string
  /** Of the arrival that gave the claim its trust. */
  arrivedAt: Date
  implausible: boolean
  /** The operator's last word. */
  decision?: 'include' | 'exclude'
}

/**
 * counted: in every number. superseded: a verified claim came later and took its place. conflict: came after one that
 * stands. contested: several unverified claims disagree. implausible: a count too large to believe. excluded: the
 * operator said so. blocked: the operator said so of its reporter.
 */
export type Standing = 'counted' | 'superseded' | 'conflict' | 'contested' | 'implausible' | 'excluded' | 'blocked'

/**
 * The standing of every claim to one identity. A function of the set, not of the order in which it was recorded, so
 * every order of arrivals ends in the same numbers:
 * - of the verified claims the earliest of each reporter counts: two reporters are two reports;
 * - an unverified claim counts only where no verified one is, and only alone;
 * - what is implausible, and whatever the operator decided, comes before all of that;
 * - a claim of a reporter who is `blocked` never counts, whatever was decided on it, and is nothing to the others.
 */
export function standings(claims: readonly Claim[], blocked: ReadonlySet<string>): Standing[] {
  const isBlocked = ({ reporter }: Claim) => reporter !== undefined && blocked.has(reporter)
  const firstOf = new Map<string, Claim>()
  for (const claim of claims) {
    if (isBlocked(claim)) continue
    const key = claim.reporter ?? ''
    const first = firstOf.get(key)
    if (claim.trust === 'verified' && (!first || claim.arrivedAt < first.arrivedAt)) firstOf.set(key, claim)
  }
  const verifiedAt = [...firstOf.values()].map((claim) => claim.arrivedAt.getTime())
  const unverified = claims.filter((claim) => claim.trust === 'unverified' && claim.decision !== 'exclude')
  return claims.map((claim) => {
    if (isBlocked(claim)) return 'blocked'
    if (claim.decision === 'include') return 'counted'
    if (claim.decision === 'exclude') return 'excluded'
    const standing = claim.trust === 'verified' ? ofVerified(claim) : ofUnverified(claim)
    return standing === 'counted' && claim.implausible ? 'implausible' : standing
  })

  function ofVerified(claim: Claim): Standing {
    return firstOf.get(claim.reporter ?? '') === claim ? 'counted' : 'conflict'
  }
  function ofUnverified(claim: Claim): Standing {
    if (verifiedAt.length > 0) return claim.arrivedAt.getTime() < Math.min(...verifiedAt) ? 'superseded' : 'conflict'
    return unverified.length > 1 ? 'contested' : 'counted'
  }
}

/**
 * Which of the recorded claims an arrival repeats, as an index into them; undefined when it is a claim of its own.
 * A repeat is the same content by the same reporter, or where either side is unverified: then nothing contradicts.
 */
export function repeatedClaim(
  claims: readonly (Claim & { contentHash: Buffer })[],
  arriving: { trust: Trust; reporter?: string; contentHash: Buffer },
): number | undefined {
  const same = claims.flatMap((claim, index) =>
    claim.contentHash.equals(arriving.contentHash) ? [{ claim, index }] : [],
  )
  if (arriving.trust === 'unverified') return (same.find((s) => s.claim.trust === 'verified') ?? same[0])?.index
  return (same.find((s) => s.claim.reporter === arriving.reporter) ?? same.find((s) => s.claim.trust === 'unverified'))
    ?.index
}
