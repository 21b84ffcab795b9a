/** The operator's last word on one report: it counts, it does not, or the rules decide again (DESIGN.md, Identity). */
import { standings, type Standing } from '../tlsrpt/identity.ts'
import { holdBlocked } from './blocked.ts'
import { lockClaims, updateClaims, type ClaimRow, type IdentityKey } from './claims.ts'
import { inTransaction, type Database, type Queryable } from './database.ts'
import { moveDayTotals, totalChanges } from './day-totals.ts'
import { isVisible, makeBind, type Visible } from './question.ts'

export type Decision = {
  word: 'include' | 'exclude'
  /** Name of the token that said so. */
  by: string
  at: Date
  reason: string | null
}

/**
 * Sets the decision on the report with this key (a UUID), or takes it back with `undefined`, and moves every number
 * that hangs on it, those of other claims to the same identity too, in one transaction. Answers the report's standing
 * now, or undefined when there is no such report for whoever decides.
 */
export function decideReport(
  db: Database,
  reportKey: string,
  decision: Decision | undefined,
  visible: Visible,
): Promise<Standing | undefined> {
  return inTransaction(db, async (tx) => {
    const { bind, values } = makeBind()
    const { rows } = await tx.query<IdentityKey>(
      `select domain, day, identity from report where key = ${bind(reportKey)} and ${isVisible('domain', visible, bind)}`,
      values,
    )
    const found = rows[0]
    if (!found) return undefined
    const claims = await standAnew(tx, [found], (claim) =>
      claim.key === reportKey ? withDecision(claim, decision?.word) : claim,
    )
    await tx.query(
      `update report set decided_by = $4, decided_at = $5, decision_reason = $6
       where domain = $1 and day = $2 and key = $3`,
      [found.domain, found.day, reportKey, decision?.by, decision?.at, decision?.reason],
    )
    return claims.find(({ key }) => key === reportKey)?.standing
  })
}

function withDecision(claim: ClaimRow, word: Decision['word'] | undefined): ClaimRow {
  const undecided = { ...claim }
  delete undecided.decision
  return word === undefined ? undecided : { ...undecided, decision: word }
}

/**
 * Works out the standing of every claim to these identities once more, after `amend`, and moves what hangs on it.
 * `identities` must be in the order of compareIdentities. Answers the claims as they are now.
 */
export async function standAnew(
  tx: Queryable,
  identities: readonly IdentityKey[],
  amend = (claim: ClaimRow): ClaimRow => claim,
): Promise<ClaimRow[]> {
  const blocked = await holdBlocked(tx)
  const groups = [...(await lockClaims(tx, identities)).values()]
  const changes = groups.flatMap((before) => {
    const amended = before.map(amend)
    const standing = standings(amended, blocked)
    return amended.map((claim, i) => ({ before: before[i]!, after: { ...claim, standing: standing[i]! } }))
  })
  const changed = changes.filter(
    ({ before, after }) => before.standing !== after.standing || before.decision !== after.decision,
  )
  await updateClaims(
    tx,
    changed.map(({ after }) => after),
  )
  await moveDayTotals(tx, await totalChanges(tx, changed))
  return changes.map(({ after }) => after)
}
