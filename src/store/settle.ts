/** The shares of one batch against the claims that are there: repeats, new claims, and whose standing that changes. */
import { repeatedClaim, standings } from '../tlsrpt/identity.ts'
import type { ReportOutcome } from '../tlsrpt/verdict.ts'
import { holdBlocked } from './blocked.ts'
import { compareIdentities, insertClaims, lockClaims, updateClaims } from './claims.ts'
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

/**
 * Writes the reports, and what changes for others. Answers what became of each share, the new claims, whose facts are
 * yet to be written, and how the totals have to move. The first claim to an identity is variant 0, so whoever comes
 * second, in the database or in this batch, collides with it and is decided under its lock: there is no moment between
 * looking and writing (DESIGN.md, Identity).
 */
export async function settleShares(
  tx: Queryable,
  shares: readonly Share[],
  newKey: NewKey,
): Promise<{ told: Map<Share, ReportOutcome>; created: NewClaim[]; changes: ClaimChange[] }> {
  if (shares.length === 0) return { told: new Map(), created: [], changes: [] }
  const blocked = await holdBlocked(tx)
  const groups = [...Map.groupBy(shares, ({ domainReport }) => domainReport.identity.toString('hex'))]
  groups.sort(([, a], [, b]) => compareIdentities(a[0]!.domainReport, b[0]!.domainReport))
  const asFirst = groups.map(([, group]) => settle([], group, blocked, newKey))
  const inserted = await insertClaims(
    tx,
    asFirst.flatMap(({ created }) => created.slice(0, 1)),
  )
  const taken = asFirst.flatMap(({ after }) => (inserted.has(after[0]!.key) ? [] : [after[0]!]))
  const stored = await lockClaims(tx, taken)
  const settled = groups.map(([identity, group], i) => {
    const before = stored.get(identity)
    return before ? settle(before, group, blocked, newKey) : asFirst[i]!
  })

  const created = settled.flatMap((each) => each.created)
  const variants = created.filter(({ row }) => !inserted.has(row.key))
  const added = await insertClaims(tx, variants)
  if (added.size < variants.length) throw new Error('a report was deleted while a claim to its identity was recorded')

  const changes = settled.flatMap(changesOf)
  await updateClaims(
    tx,
    changes.flatMap(({ before, after }) => (before ? [after] : [])),
  )
  return { told: new Map(settled.flatMap(outcomesOf)), created, changes }
}

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
