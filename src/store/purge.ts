/** Erases what is kept of a domain, bytes included (DESIGN.md, Personal data). */
import { inTransaction, unhurried, type Database } from './database.ts'
import { foldDayTotals } from './day-totals.ts'
import { deleteOrphans } from './repair.ts'

/** Any number that no other program takes on the same database: RFC 8460, fifth lock. */
const advisoryLock = 84605

/** What was erased. `submissions` includes those that were about other domains too and stay without this one. */
export type Purged = {
  /** Whether it was one of the stored domains. */
  wasOurs: boolean
  reports: number
  submissions: number
  /** Of the arrivals whose bytes were erased. */
  bytes: bigint
}

/**
 * Takes the domain from the list and erases in the same transaction its reports, facts, totals and submissions, and the
 * bytes of every arrival that had something about it. An arrival about several domains stays listed for the others, with
 * their numbers, but without bytes: they would tell of this one too. Submissions that were refused or quarantined belong
 * to no domain, and go when their retention ends. What is recorded in this very moment stays, whole.
 */
export function purgeDomain(db: Database, domain: string): Promise<Purged> {
  return inTransaction(db, async (tx) => {
    await tx.query('set local statement_timeout = 0')
    // One after the other: what one files anew, another that waits for the row as it was would not see.
    await tx.query('select pg_advisory_xact_lock($1)', [advisoryLock])
    const query = <Row extends object>(text: string) => tx.query<Row>({ text, values: [domain], ...unhurried })
    const listed = await query('delete from domain where domain = $1')

    await query('delete from domain_check where domain = $1')
    await query('delete from domain_check_turn where domain = $1')
    // Until there are none: while one is waited for, another claim to the same identity may come that this did not see.
    let reports = 0
    for (let erased = 1; erased > 0; reports += erased) {
      erased = (await query('delete from report where domain = $1')).rowCount ?? 0
    }
    await deleteOrphans(tx, domain) // Not by domain: a report that was committed just now keeps its facts.
    const { rows: totals } = await query<{ days: string[] }>(
      `select coalesce(array_agg(distinct day), '{}') as days from day_total where domain = $1`,
    )
    await foldDayTotals(tx, domain, totals[0]!.days)

    // One statement, so one instant: an arrival is seen with its bytes or not at all. What stays is filed anew, because
    // the domain it is filed under says where it lies (docs/scale.md).
    const { rows: arrivals } = await query<{ submissions: number; bytes: bigint }>(
      `with alone as (
         delete from submission where domains = array[$1] returning arrived_on, arrival_key
       ), shared as (
         delete from submission where domains @> array[$1] and cardinality(domains) > 1 returning *
       ), kept as (
         insert into submission (arrived_on, key, domain, domains, arrival_key, part, arrived_at, transport, provenance,
           verdict, reason, trust, reporter, anomalies, problems, dkim, reports)
         select arrived_on, key, (array_remove(domains, $1))[1], array_remove(domains, $1), arrival_key, part, arrived_at,
           transport, provenance, verdict, reason, trust, reporter, anomalies, problems, dkim,
           (select coalesce(jsonb_agg(report order by place), '[]')
            from jsonb_array_elements(reports) with ordinality as told (report, place)
            where report->>'domain' is distinct from $1)
         from shared
       ), about as (
         select * from alone union all select arrived_on, arrival_key from shared
       ), gone as (
         delete from submission_raw r using (select distinct * from about) a
         where r.arrived_on = a.arrived_on and r.arrival_key = a.arrival_key returning size
       )
       select (select count(*)::int from about) as submissions, (select coalesce(sum(size), 0)::bigint from gone) as bytes`,
    )
    return {
      wasOurs: listed.rowCount === 1,
      reports,
      ...arrivals[0]!,
    }
  })
}
