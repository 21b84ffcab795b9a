import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { summarize } from '../../src/store/aggregates.ts'
import type { Database } from '../../src/store/database.ts'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import { decideReport } from '../../src/store/decisions.ts'
import { migrate } from '../../src/store/migrate.ts'
import { makePartitions } from '../../src/store/partitions.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { arrival, later, newKey, type Telling } from '../support/arrivals.ts'
import { emptyDatabase, freshDatabase, migrationsFolder } from '../support/database.ts'
import type { Accepted } from '../../src/tlsrpt/verdict.ts'

const limits = { commitBatch: 300, commitQueue: 10_000, unverifiedReportsPerDomainAndDay: 1_000 }
const { db } = await freshDatabase()
const recorder = makeRecorder(db, { limits, newKey })

/** What the one domain report says can be changed before it is told. */
async function tell(telling: Telling, change: (told: Accepted['domainReports'][number]) => void = () => undefined) {
  const told = arrival(telling, later(0))
  change((told.parts[0]!.judgement as Accepted).domainReports[0]!)
  const [outcome] = await recorder.record(told)
  assert.ok(outcome && 'reports' in outcome)
  return outcome.reports[0]!.key
}

const totals = async (of: Database, domain = '%') =>
  (
    await of.query<Record<string, unknown>>(
      `select domain, day, trust, policy_type, successful, failed, attributed, reports, failed_of_type, policies from day_total
       where domain like $1 order by domain, day, trust, policy_type collate "C"`,
      [domain],
    )
  ).rows

const empty = { successful: 0n, failed: 0n, attributed: 0n, reports: 0n, failed_of_type: 0n, policies: 0n }
const window = { from: '2026-02-01', to: '2026-04-01' }

test('a report stands with its primary type; every type has its failures and its policies', async () => {
  await tell({ by: 'a.example', domains: ['types.example'] })
  await tell({ by: 'a.example', domains: ['types.example'], reportId: 'other' }, ({ policies: [sts, tlsa] }) => {
    Object.assign(sts!, { primary: false })
    Object.assign(tlsa!, { primary: true, totalFailureSessionCount: 5 })
  })
  const of = { domain: 'types.example', day: '2026-03-01', trust: 'verified' }
  assert.deepEqual(await totals(db, 'types.example'), [
    { ...of, policy_type: 'sts', successful: 90n, failed: 10n, attributed: 11n, reports: 1n, failed_of_type: 20n, policies: 2n },
    { ...of, policy_type: 'tlsa', successful: 1n, failed: 5n, attributed: 0n, reports: 1n, failed_of_type: 5n, policies: 2n },
  ]) // prettier-ignore
})

test('a report without policies is counted, apart from every type, also from the empty one', async () => {
  const key = await tell({ by: 'a.example', domains: ['none.example'] }, (told) => (told.policies = []))
  await tell({ by: 'a.example', domains: ['none.example'], reportId: 'empty' }, ({ policies: [sts] }) => {
    sts!.policyType = ''
  })
  const of = { domain: 'none.example', day: '2026-03-01', trust: 'verified' }
  const [odd, without, tlsa] = await totals(db, 'none.example')
  assert.deepEqual([odd!['policy_type'], odd!['reports'], tlsa!['policy_type']], ['', 1n, 'tlsa'])
  assert.deepEqual(without, { ...of, ...empty, policy_type: ' ', reports: 1n })

  await decideReport(db, key, { word: 'exclude', by: 'admin', at: later(0), reason: null }, undefined)
  assert.deepEqual((await totals(db, 'none.example')).map((total) => total['policy_type']), ['', 'tlsa']) // prettier-ignore
  await decideReport(db, key, undefined, undefined)
  assert.deepEqual(await verifyDayTotals(db), [])
})

test('the longest words that the parser leaves can be types, and the summary tells them', async () => {
  const words = [0x10000, 0x4e00, 0x61].map((first) =>
    Array.from({ length: 255 }, (_, i) => String.fromCodePoint(first + ((i * 7919) % 20_000))).join(''),
  )
  for (const [i, word] of words.entries()) {
    await tell({ by: 'a.example', domains: ['words.example'], reportId: `r${i}` }, ({ policies: [sts] }) => {
      sts!.policyType = word
    })
  }
  const { totals: numbers } = await summarize(db, { window, trust: 'verified', filters: { domain: ['words.example'] }, visible: undefined, groupBy: [], orderBy: { column: 'failed', descending: true }, limit: 1, offset: 0 }) // prettier-ignore
  assert.deepEqual(new Set(Object.keys(numbers.failedByPolicyType)), new Set([...words, 'tlsa']))
})

test('a total that would be too large is refused like any value that does not fit, and the neighbours count', async () => {
  await tell({ by: 'a.example', domains: ['full.example'] })
  await db.query(
    `update day_total set failed = 9223372036854775807 where domain = 'full.example' and policy_type = 'sts'`,
  )
  const outcomes = await Promise.all(
    ['full.example', 'fine.example', 'full.example'].map((domain, i) =>
      recorder.record(arrival({ by: 'a.example', domains: [domain], reportId: `more ${i}` }, later(0))),
    ),
  )
  assert.deepEqual(
    outcomes.map(([outcome]) => outcome!.kind),
    ['quarantined', 'accepted', 'quarantined'],
  )
  await db.query(`update day_total set failed = 10 where domain = 'full.example' and policy_type = 'sts'`)
  assert.deepEqual(await verifyDayTotals(db), [])
})

/** A store as it was before the totals had a policy type, with the reports and facts of `db`. */
async function storeBefore(t: TestContext): Promise<Database> {
  const { db: old } = await emptyDatabase(t)
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-migrations-'))
  t.after(() => { rmSync(folder, { recursive: true }) }) // prettier-ignore
  for (const name of readdirSync(migrationsFolder).filter((each) => each < '0007')) {
    cpSync(join(migrationsFolder, name), join(folder, name))
  }
  await migrate(old, folder, () => undefined)
  await makePartitions(old)({ reported: ['2026-03-01'], arrived: [] }) // And a month without.
  for (const table of ['report', 'policy', 'failure_detail']) {
    const { rows } = await db.query<{ all: string }>(`select jsonb_agg(t)::text as all from ${table} t`)
    await old.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`, [rows[0]!.all]) // prettier-ignore
  }
  await old.query(`insert into day_total values ('types.example', '2026-03-01', 'verified', 91, 15, 2)`)
  return old
}

test('a store from before gets the same totals out of its facts', async (t) => {
  for (const by of ['a.example', undefined]) {
    await tell({ ...(by !== undefined && { by }), domains: ['older.example', 'too.example'], day: '2026-02-27', reportId: 'same' }) // prettier-ignore
    await tell({ ...(by !== undefined && { by }), domains: ['older.example'], reportId: `by ${by ?? 'nobody'}` })
  }
  const old = await storeBefore(t)
  await migrate(old, migrationsFolder, () => undefined)
  assert.deepEqual(await totals(old), await totals(db))
  assert.deepEqual(await verifyDayTotals(old), [])
})

test('a policy type from before that is too long for a key is cut as the parser does it', async (t) => {
  const old = await storeBefore(t)
  for (const table of ['policy', 'failure_detail']) {
    await old.query(`update ${table} set policy_type = repeat('x', 4096) where domain = 'types.example' and policy_type = 'sts'`) // prettier-ignore
  }
  await migrate(old, migrationsFolder, () => undefined)
  assert.deepEqual(
    (await totals(old, 'types.example')).map((total) => total['policy_type']),
    ['tlsa', 'x'.repeat(255)],
  )
  assert.deepEqual(await verifyDayTotals(old), [])
})
