/** Whether the store agrees with itself: totals, flags and standings against what they are made of (DESIGN.md, The store). */
import { standings } from '../tlsrpt/identity.ts'
import { readBlocked } from './blocked.ts'
import { claimColumns, claimRow, type ClaimRow, type StoredClaim } from './claims.ts'
import { unhurried, type Database, type Queryable } from './database.ts'
import { dayTotalDifferences, type DayTotalDifference } from './day-totals.ts'
import { atOneInstant } from './instant.ts'
import { arrivalTables, factTables } from './partitions.ts'
import { tallied, tallyOf } from './tally.ts'

/** What is not as it should be with one domain on one UTC day: of the facts, or of arrival for arrivals. */
export type Finding = Difference | Torn | Misplaced

/** A total that is not what the facts add up to. */
type Difference = { kind: 'day-total' } & DayTotalDifference

/**
 * standing: reports whose standing is not what the claims to their identity make it. sums: reports whose sessions are
 * not those of their primary policies. tallies: policies that do not say what their failure details add up to. flags:
 * rows that do not say the same as their report of whether they count, by whose word, and how they came. orphans: facts
 * without a report.
 */
type Torn = {
  kind: 'standing' | 'sums' | 'tallies' | 'flags' | 'orphans'
  domain: string
  day: string
  table: string
  rows: number
}

/** Rows in a default partition, where retention does not find them. */
type Misplaced = { kind: 'misplaced'; domain: string; day: string; table: string; rows: number }

/**
 * Everything that is not as it should be, as of one instant, while the service runs; [] is what it should say. Reads
 * all reports and facts, however long that takes. `reports` is how many there were.
 */
export function verifyStore(db: Database, now: Date): Promise<{ reports: number; findings: Finding[] }> {
  return atOneInstant(db, now, async (tx) => {
    const { reports, wrong } = await verifyStandings(tx)
    const findings: Finding[] = [
      ...(await dayTotalDifferences(tx)).map((difference) => ({ kind: 'day-total' as const, ...difference })),
      ...wrong,
      ...(await verifyFacts(tx)),
      ...(await verifyPartitions(tx)),
    ]
    return { reports, findings: findings.sort(byDomainAndDay) }
  })
}

const byDomainAndDay = (a: Finding, b: Finding): number =>
  a.domain !== b.domain ? (a.domain < b.domain ? -1 : 1) : a.day < b.day ? -1 : Number(a.day > b.day)

const fetchRows = 2_000

/** The one rule there is, asked again for every identity. */
async function verifyStandings(tx: Queryable): Promise<{ reports: number; wrong: Finding[] }> {
  const wrong = new Map<string, Torn>()
  const blocked = await readBlocked(tx)
  let reports = 0
  for await (const claims of identities(tx)) {
    reports += claims.length
    const due = standings(claims, blocked)
    const rows = claims.filter(({ standing }, i) => standing !== due[i]).length
    if (rows === 0) continue
    const { domain, day } = claims[0]!
    const found = wrong.get(`${domain} ${day}`) ?? { kind: 'standing', domain, day, table: 'report', rows: 0 }
    found.rows += rows
    wrong.set(`${domain} ${day}`, found)
  }
  return { reports, wrong: [...wrong.values()] }
}

/** The claims to one identity after the other, a few at a time. */
async function* identities(tx: Queryable): AsyncGenerator<ClaimRow[]> {
  await tx.query(
    `declare claims no scroll cursor for select ${claimColumns} from report r order by r.domain, r.day, r.identity, r.variant`,
  )
  let claims: ClaimRow[] = []
  for (;;) {
    const { rows } = await tx.query<StoredClaim>({ text: `fetch ${fetchRows} from claims`, ...unhurried })
    for (const claim of rows.map(claimRow)) {
      const [first] = claims
      if (
        first &&
        !(first.identity.equals(claim.identity) && first.domain === claim.domain && first.day === claim.day)
      ) {
        yield claims
        claims = []
      }
      claims.push(claim)
    }
    if (rows.length < fetchRows) break
  }
  if (claims.length > 0) yield claims
  await tx.query('close claims')
}

async function verifyFacts(tx: Queryable): Promise<Finding[]> {
  const borne = (alias: string) => `(${alias}.counted, ${alias}.trust, ${alias}.reporter, ${alias}.transport)`
  const ofFacts = ['policy', 'failure_detail'].map(
    (table) =>
      `select case when r.key is null then 'orphans' else 'flags' end as kind, f.domain, f.day, '${table}' as "table", count(*)::int as rows
       from ${table} f left join report r on r.domain = f.domain and r.day = f.day and r.key = f.report_key
       where r.key is null or ${borne('f')} is distinct from ${borne('r')}
       group by kind, f.domain, f.day`,
  )
  const { rows } = await tx.query<Torn>({
    text: [
      ...ofFacts,
      `select 'flags', domain, day, 'report', count(*)::int from report
       where counted <> (standing = 'counted') group by domain, day`,
      `select 'sums', domain, day, 'report', count(*)::int
       from report r left join (
         select domain, day, report_key as key, sum(successful) as successful, sum(failed) as failed
         from policy where "primary" group by domain, day, report_key) f using (domain, day, key)
       where (r.successful, r.failed) is distinct from (coalesce(f.successful, 0), coalesce(f.failed, 0))
       group by domain, day`,
      `select 'tallies', domain, day, 'policy', count(*)::int
       from policy p left join (${tallied('true')}) t using (domain, day, report_key, seq)
       where (${tallyOf('p')}) is distinct from (${tallyOf('t')}) group by domain, day`,
    ].join(' union all '),
    ...unhurried,
  })
  return rows
}

async function verifyPartitions(tx: Queryable): Promise<Finding[]> {
  const of = (table: string, day: string) =>
    `select 'misplaced' as kind, domain, ${day} as day, '${table}' as "table", count(*)::int as rows
     from ${table}_default group by domain, ${day}`
  const parts = [
    ...factTables.map((table) => of(table, 'day')),
    ...arrivalTables.map((table) => of(table, 'arrived_on')),
  ]
  const { rows } = await tx.query<Misplaced>({ text: parts.join(' union all '), ...unhurried })
  return rows
}
