/** The operator's last word on one report: it counts, it does not, or the rules decide again (DESIGN.md, Identity). */
import { standings, type Standing } from '../tlsrpt/identity.ts'
import { lockClaims, updateClaims, type ClaimRow, type IdentityKey } from './claims.ts'
import { inTransaction, type Database } from './database.ts'
import { moveDayTotals } from './day-totals.ts'

type Decision = 'include' | 'exclude' | undefined

/**
 * Sets the decision on the report with this key (a UUID), or takes it back with `undefined`, and moves every number
 * that hangs on it, those of other claims to the same identity too, in one transaction. Answers the report's standing
 * now, or undefined when there is no such report.
 */
export function decideReport(db: Database, reportKey: string, decision: Decision): Promise<Standing | undefined> {
  return inTransaction(db, async (tx) => {
    const found = await tx.query<IdentityKey>('select domain, day, identity from report where key = $1', [reportKey])
    const before = [...(await lockClaims(tx, found.rows)).values()].flat()
    const decided = before.map((claim) => (claim.key === reportKey ? withDecision(claim, decision) : claim))
    const standing = standings(decided)
    const changes = decided.map((claim, i) => ({ before: before[i]!, after: { ...claim, standing: standing[i]! } }))
    await updateClaims(
      tx,
      changes.map(({ after }) => after),
    )
    await moveDayTotals(tx, changes)
    return changes.find(({ after }) => after.key === reportKey)?.after.standing
  })
}

function withDecision(claim: ClaimRow, decision: Decision): ClaimRow {
  const undecided = { ...claim }
  delete undecided.decision
  return decision === undefined ? undecided : { ...undecided, decision }
}
