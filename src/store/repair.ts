/** Mends what verify.ts finds: what can be derived is derived again, what belongs to nothing goes (DESIGN.md, The store). */
import { escapeIdentifier } from 'pg'
import { standings } from '../tlsrpt/identity.ts'
import { holdBlocked } from './blocked.ts'
import { compareIdentities, lockClaims, updateClaims, type IdentityKey } from './claims.ts'
import { inTransaction, unhurried, type Database, type Queryable } from './database.ts'
import { foldDayTotals } from './day-totals.ts'
import { arrivalTables, createPartitions, lockPartitions } from './partitions.ts'
import { writtenColumns } from './tables.ts'
import { tallied, tallyOf } from './tally.ts'
import type { Finding } from './verify.ts'

/** A domain and a month in one transaction: the service goes on, and what is done stays done. */
export async function repairStore(db: Database, findings: readonly Finding[]): Promise<void> {
  const misplaced = findings.flatMap((finding) => (finding.kind === 'misplaced' ? [finding] : []))
  const months = new Map(
    misplaced.map(({ table, day }) => [`${table} ${monthOf(day)}`, { table, month: monthOf(day) }]),
  )
  for (const { table, month } of months.values()) await moveToMonth(db, table, month)

  const torn = findings.filter(({ kind }) => kind !== 'misplaced')
  for (const [, found] of Map.groupBy(torn, ({ domain, day }) => `${domain} ${monthOf(day)}`)) {
    const { domain } = found[0]!
    const days = [...new Set(found.map(({ day }) => day))].sort()
    await inTransaction(db, (tx) => repairDays(tx, domain, days))
  }
}

const monthOf = (day: string): string => day.slice(0, 7)

/** From the inside out: sessions of reports, standings, flags, facts that belong to nothing, tallies, and totals. */
async function repairDays(tx: Queryable, domain: string, days: readonly string[]): Promise<void> {
  await tx.query('set local statement_timeout = 0')
  const blocked = await holdBlocked(tx)
  const { rows } = await tx.query<IdentityKey>(
    'select domain, day, identity from report where domain = $1 and day = any($2::date[]) and variant = 0',
    [domain, days],
  )
  const claims = [...(await lockClaims(tx, rows.sort(compareIdentities))).values()]
  await tx.query({
    text: `update report r set successful = f.successful, failed = f.failed
      from (select r.key, coalesce(sum(p.successful), 0) as successful, coalesce(sum(p.failed), 0) as failed
            from report r left join policy p on p.domain = r.domain and p.day = r.day and p.report_key = r.key and p."primary"
            where r.domain = $1 and r.day = any($2::date[]) group by r.key) f
      where r.domain = $1 and r.day = any($2::date[]) and r.key = f.key
        and (r.successful, r.failed) is distinct from (f.successful, f.failed)`,
    values: [domain, days],
    ...unhurried,
  })
  const mended = claims.flatMap((same) => {
    const due = standings(same, blocked)
    return same.map((claim, i) => ({ ...claim, standing: due[i]! }))
  })
  for (const ofDay of Map.groupBy(mended, ({ day }) => day).values()) await updateClaims(tx, ofDay)
  await deleteOrphans(tx, domain)
  await foldTallies(tx, domain, days)
  await foldDayTotals(tx, domain, days)
}

/** Nobody else changes what a stored policy or detail says, so nobody is waited for. */
async function foldTallies(tx: Queryable, domain: string, days: readonly string[]): Promise<void> {
  const ofDays = 'domain = $1 and day = any($2::date[])'
  await tx.query({
    text: `update policy p
      set tally_result_type = t.tally_result_type, tally_mx = t.tally_mx, tally_failed = t.tally_failed, tally_first = t.tally_first
      from (select day, report_key, seq, ${tallyOf('f')}
            from policy left join (${tallied(ofDays)}) f using (domain, day, report_key, seq) where ${ofDays}) t
      where p.domain = $1 and p.day = any($2::date[]) and p.day = t.day and p.report_key = t.report_key and p.seq = t.seq
        and (${tallyOf('p')}) is distinct from (${tallyOf('t')})`,
    values: [domain, days],
    ...unhurried,
  })
}

/** Facts of the domain without a report. Facts and their report are committed together, so these are nobody's to come. */
export async function deleteOrphans(tx: Queryable, domain: string): Promise<void> {
  for (const table of ['policy', 'failure_detail']) {
    await tx.query({
      text: `delete from ${table} f where f.domain = $1 and not exists (
        select from report r where r.domain = f.domain and r.day = f.day and r.key = f.report_key)`,
      values: [domain],
      ...unhurried,
    })
  }
}

/** Rows of that month out of the default partition into one of their own. */
async function moveToMonth(db: Database, table: string, month: string): Promise<void> {
  const day = (arrivalTables as readonly string[]).includes(table) ? 'arrived_on' : 'day'
  await inTransaction(db, async (tx) => {
    await tx.query('set local statement_timeout = 0')
    await lockPartitions(tx)
    await tx.query(`lock table ${table}_default in access exclusive mode`)
    const named = (await writtenColumns(tx))
      .find(({ name }) => name === table)!
      .columns.map(escapeIdentifier)
      .join(', ')
    await createPartitions(tx, [{ table, month }], async ({ name }) => {
      await tx.query({
        text: `with moved as (delete from ${table}_default where to_char(${day}, 'YYYY-MM') = $1 returning ${named})
          insert into ${escapeIdentifier(name)} (${named}) select ${named} from moved`,
        values: [month],
        ...unhurried,
      })
    })
  })
}
