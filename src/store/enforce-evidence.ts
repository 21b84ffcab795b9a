/** What known reporters tell of a domain, as src/checks/enforce-readiness.ts asks for it. */
import type { Evidence } from '../checks/enforce-readiness.ts'
import { knownReporters } from '../tlsrpt/known-reporters.ts'
import type { Database } from './database.ts'
import { inSnapshot } from './snapshot.ts'
import type { Window } from './question.ts'

/** The caller has seen to it that the domain may be asked about. */
export function enforceEvidence(db: Database, domain: string, { from, to }: Window): Promise<Evidence> {
  const values = [domain, from, to, knownReporters.map((known) => known.domain)]
  // What a sender tells of a subdomain is of another policy; with DANE the MX host is the policy domain.
  const ofKnown = `domain = $1 and day >= $2 and day < $3 and counted and trust = 'verified'
    and (policy_domain = domain or policy_type = 'tlsa') and reporter in (
      select domain from reporter where standing = 'known'
      union select unnest($4::text[]) except select domain from reporter where standing <> 'known')`
  return inSnapshot(db, async (tx) => {
    const sessions =
      await tx.query<Omit<Evidence['sessions'][number], 'successful' | 'failed'> & { successful: string; failed: string }>( // prettier-ignore
        `select day::text, reporter, policy_string as "policyString", sum(successful)::text as successful, sum(failed)::text as failed
       from policy where ${ofKnown} and policy_type = 'sts' group by day, reporter, policy_string`,
        values,
      )
    const failures =
      await tx.query<Omit<Evidence['failures'][number], 'mx' | 'failed'> & { mx: string | null; failed: string }>( // prettier-ignore
        `select day::text, reporter, policy_type as "policyType", policy_string as "policyString", result_type as "resultType",
         mx, sum(tally.failed)::text as failed
       from policy cross join unnest(tally_result_type, tally_mx, tally_failed) as tally (result_type, mx, failed)
       where ${ofKnown} group by day, reporter, policy_type, policy_string, result_type, mx`,
        values,
      )
    return {
      // Beyond 2^53 sessions nobody minds one more or less.
      sessions: sessions.rows.map((row) => ({
        ...row,
        successful: Number(row.successful),
        failed: Number(row.failed),
      })),
      failures: failures.rows.map(({ mx, ...row }) => ({
        ...row,
        ...(mx !== null && { mx }),
        failed: Number(row.failed),
      })),
    }
  })
}
