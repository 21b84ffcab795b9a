/** The shares of one batch against the claims that are there: repeats, new claims, and whose standing that changes. */
import { repeatedClaim, standings } from '../tlsrpt/identity.ts'
import type { ReportOutcome } from '../tlsrpt/verdict.ts'
import { compareIdentities, lockClaims, readClaims, updateClaims } from './claims.ts'
import type { ClaimRow, NewClaim, Share, Teller } from './claims.ts'
import type { Queryable } from './database.ts'
import type { ClaimChange } from './day-totals.ts'

type NewKey = (at: Date) => string

/** The claims to one identity, before and after these shares were told. */
type Settled = {
  shares: Share[]
  before: ClaimRow[]
  /** Begins with those of `before`. */
  after: ClaimRow[]
  created: NewClaim[]
  /** For each share the claim it makes or repeats: an index into `after`. */
  told: { claim: number; isNew: boolean }[]
}

/** What a batch makes of the claims that are there. */
export type Settlement = {
  told: Map<Share, ReportOutcome>
  /** New claims, in the order of compareIdentities; not written yet. */
  created: NewClaim[]
  /** How the totals have to move. */
  changes: ClaimChange[]
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
  const touched = identities.filter((_, i) => settled[i]!.before.length > 0 && changesOf(settled[i]!).length > 0)
  if (touched.length === 0) return settlementOf(settled)
  const locked = await lockClaims(tx, touched)
  for (const { identity } of touched) stored.delete(identity.toString('hex'))
  const settlement = settlementOf(settleAll(new Map([...stored, ...locked])))
  await updateClaims(
    tx,
    settlement.changes.flatMap(({ before, after }) => (before ? [after] : [])),
  )
  return settlement
}

const settlementOf = (settled: readonly Settled[]): Settlement => ({
  told: new Map(settled.flatMap(outcomesOf)),
  created: settled.flatMap(({ created }) => created),
  changes: settled.flatMap(changesOf),
  metKnown: settled.some(({ before }) => before.length > 0),
})

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
      return { claim: repeated, isNew: false }
    }
    makers.push(share)
    return { claim: after.push(newRow(share, after.length, newKey)) - 1, isNew: true }
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

function changesOf({ before, after }: Settled): ClaimChange[] {
  return after.flatMap((row, i): ClaimChange[] => {
    const was = before[i]
    if (!was) return [{ after: row }]
    return was.standing !== row.standing || was.submissionKey !== row.submissionKey ? [{ before: was, after: row }] : []
  })
}

function outcomesOf({ shares, after, told }: Settled): [Share, ReportOutcome][] {
  return told.map(({ claim, isNew }, i) => {
    const { key, domain, standing } = after[claim]!
    const stands = standing === 'counted' || standing === 'implausible' || standing === 'blocked'
    return [shares[i]!, { key, domain, verdict: !isNew ? 'duplicate' : stands ? 'accepted' : 'conflict' }]
  })
}
