/** What the operator thinks of who reports (RFC 8460 §3: the domain that signed). */
import { lockBlocked } from './blocked.ts'
import { compareIdentities, type IdentityKey } from './claims.ts'
import { inTransaction, type Database, type Queryable } from './database.ts'
import { standAnew } from './decisions.ts'

export const reporterStandings = ['known', 'new', 'blocked'] as const

/** blocked: its reports are stored and never count. known and new differ in nothing but the word. */
export type ReporterStanding = (typeof reporterStandings)[number]

/** Identities in one transaction: their locks are held for a moment, and what is done stays done. */
const batchIdentities = 500

/**
 * Notes the operator's word on a reporter, and moves every number that hangs on it: all that it ever reported leaves
 * the counts when it is blocked, and comes back when it no longer is, a batch at a time. An arrival is counted by the
 * word of its moment, and this looks at all that was there by then, so both together miss nothing. Where it rejects
 * half-way, saying it again does the rest.
 */
export async function setReporterStanding(
  db: Database,
  { domain, standing, by, at }: { domain: string; standing: ReporterStanding; by: string; at: Date },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockBlocked(tx)
    await tx.query(
      `insert into reporter (domain, standing, noted_by, noted_at) values ($1, $2, $3, $4)
       on conflict (domain) do update set standing = excluded.standing, noted_by = excluded.noted_by, noted_at = excluded.noted_at`,
      [domain, standing, by, at],
    )
  })
  let after: IdentityKey | undefined
  for (;;) {
    const identities = await identitiesOf(db, domain, after)
    if (identities.length > 0) await inTransaction(db, (tx) => standAnew(tx, identities.toSorted(compareIdentities)))
    if (identities.length < batchIdentities) return
    after = identities.at(-1)
  }
}

/** What the reporter has a claim to, by day, domain and identity. */
async function identitiesOf(db: Queryable, reporter: string, after: IdentityKey | undefined): Promise<IdentityKey[]> {
  const { rows } = await db.query<IdentityKey>(
    `select distinct day, domain, identity from report
     where reporter = $1 and day >= coalesce($2::date, '-infinity')
       and ($2::date is null or (day, domain, identity) > ($2::date, $3::text, $4::bytea))
     order by day, domain, identity limit $5`,
    [reporter, after?.day, after?.domain, after?.identity, batchIdentities],
  )
  return rows
}
