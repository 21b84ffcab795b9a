/** The shares of one batch against the claims that are there: repeats, new claims, and whose standing that changes. */
import { repeatedClaim, standings } from '../tlsrpt/identity.ts'
import type { ReportOutcome } from '../tlsrpt/verdict.ts'
import { compareIdentities, lockClaims, readClaims, updateClaims } from './claims.ts'
import type { ClaimRow, NewClaim, Share, Teller } from './claims.ts'
import type { Queryable } from './database.ts'
import { totalChanges, type ClaimChange, type TotalChange } from './day-totals.ts'
import { policySums } from './facts.ts'

type NewKey = (at: Date) => string

/** The claims to one identity, before and after these shares were told. */
type Settled = {
  shares: Share[]
  before: ClaimRow[]
  /** Begins with those of `before`. */
  after: ClaimRow[]
  created: NewClaim[]
  /** For each share the claim it makes, repeats, or comes after as one contradiction too many: an index into `after`. */
  told: { claim: number; as: 'new' | 'repeat' | 'surplus' }[]
}

/**
 * Claims of one verified reporter to one identity: of those after the first none counts, whoever arrives there has them all
 * read, and who signs can make as many as he likes. More are noted as conflicts and are no claims.
 */
const mostClaims = 10

/** What a batch makes of the claims that are there. */
export type Settlement = {
  told: Map<Share, ReportOutcome>
  /** New claims, in the order of compareIdentities; not written yet. */
  created: NewClaim[]
  /** How the totals have to move. */
  changes: TotalChange[]
  /** Whether any share met a claim that was there before. */
  metKnown: boolean
}

/** Shares to which nobody has made a claim before, as far as anybody knows: if somebody has, copying the new claims fails. */
export const settleAsNew = (shares: readonly Share[], blocked: ReadonlySet<string>, newKey: NewKey): Settlement =>
  settlementOf(groupsOf(shares).map((group) => settle([], group, blocked, newKey)))

/**
 * Holds the shares against the claims that are there, and writes what changes for those. An identity at which something
 * is to change or to be added is locked, read again and settled by what is there then; a mere repeat locks nothing. Claims
 * that come in unseen have variants that the new ones want, and copying those fails: there is no moment between looking
 * and writing (DESIGN.md, Identity). `blocked` must be held.
 */
export async function settleShares(
  tx: Queryable,
  shares: readonly Share[],
  blocked: ReadonlySet<string>,
  newKey: NewKey,
): Promise<Settlement> {
  const groups = groupsOf(shares)
  const identities = groups.map(([first]) => first!.domainReport)
  const stored = await readClaims(tx, identities)
  const settleAll = (claims: ReadonlyMap<string, ClaimRow[]>) =>
    groups.map((group) => settle(claims.get(identityOf(group)) ?? [], group, blocked, newKey))
  const settled = settleAll(stored)
  const touched = identities.filter((_, i) => isTouched(settled[i]!))
  if (touched.length === 0) return settlementOf(settled)
  const locked = await lockClaims(tx, touched)
  for (const { identity } of touched) stored.delete(identity.toString('hex'))
  const resettled = settleAll(new Map([...stored, ...locked]))
  const changed = resettled.flatMap(changesOf)
  await updateClaims(
    tx,
    changed.map(({ after }) => after),
  )
  return settlementOf(resettled, await totalChanges(tx, changed))
}

/** `changes` is how the totals have to move for claims that were there before. */
function settlementOf(settled: readonly Settled[], changes: readonly TotalChange[] = []): Settlement {
  const created = settled.flatMap((each) => each.created)
  const added = created.map(({ row, share }) => ({ after: row, policies: policySums(share.domainReport.policies) }))
  return {
    told: new Map(settled.flatMap(outcomesOf)),
    created,
    changes: [...changes, ...added],
    metKnown: settled.some(({ before }) => before.length > 0),
  }
}

/** By identity, in the order in which everybody locks. */
const groupsOf = (shares: readonly Share[]): Share[][] =>
  [...Map.groupBy(shares, (share) => identityOf([share])).values()].sort(([a], [b]) =>
    compareIdentities(a!.domainReport, b!.domainReport),
  )

const identityOf = ([share]: readonly Share[]): string => share!.domainReport.identity.toString('hex')

function settle(before: ClaimRow[], shares: Share[], blocked: ReadonlySet<string>, newKey: NewKey): Settled {
  const after = [...before]
  const makers: Share[] = []
  const told = shares.map((share) => {
    const { teller, domainReport } = share
    const repeated = repeatedClaim(after, { ...teller, contentHash: domainReport.contentHash })
    if (repeated !== undefined) {
      after[repeated] = retold(after[repeated]!, teller)
      return { claim: repeated, as: 'repeat' as const }
    }
    const own = after.flatMap((row, i) => (teller.trust === 'verified' && row.reporter === teller.reporter ? [i] : []))
    if (own.length >= mostClaims) return { claim: own[0]!, as: 'surplus' as const }
    makers.push(share)
    const variant = (after.at(-1)?.variant ?? -1) + 1
    return { claim: after.push(newRow(share, variant, newKey)) - 1, as: 'new' as const }
  })
  standings(after, blocked).forEach((standing, i) => (after[i] = { ...after[i]!, standing }))
  const created = makers.map((share, i) => ({ share, row: after[before.length + i]! }))
  return { shares, before, after, created, told }
}

const newRow = ({ domainReport, teller }: Share, variant: number, newKey: NewKey): ClaimRow => ({
  domain: domainReport.domain,
  day: domainReport.day,
  identity: domainReport.identity,
  variant,
  key: newKey(teller.arrivedAt),
  contentHash: domainReport.contentHash,
  implausible: domainReport.implausible,
  standing: 'counted', // Until all are known.
  successful: domainReport.successful,
  failed: domainReport.failed,
  ...teller,
})

/** The same report again: the best trust wins, then the earliest arrival, whatever the order of recording. */
function retold(row: ClaimRow, teller: Teller): ClaimRow {
  const isBetter = row.trust === 'unverified' && teller.trust === 'verified'
  const isEarlier = row.trust === teller.trust && teller.arrivedAt < row.arrivedAt
  if (!isBetter && !isEarlier) return row
  return { ...row, ...teller }
}

/** Something changes of claims that were there, or one more comes to them. */
const isTouched = (settled: Settled): boolean =>
  changesOf(settled).length > 0 || (settled.before.length > 0 && settled.created.length > 0)

/** Of the claims that were there. */
function changesOf({ before, after }: Settled): ClaimChange[] {
  return before.flatMap((was, i) => {
    const row = after[i]!
    return was.standing !== row.standing || was.submissionKey !== row.submissionKey ? [{ before: was, after: row }] : []
  })
}

function outcomesOf({ shares, after, told }: Settled): [Share, ReportOutcome][] {
  return told.map(({ claim, as }, i) => {
    const { key, domain, standing } = after[claim]!
    const stands = as === 'new' && (standing === 'counted' || standing === 'implausible' || standing === 'blocked')
    return [shares[i]!, { key, domain, verdict: as === 'repeat' ? 'duplicate' : stands ? 'accepted' : 'conflict' }]
  })
}
