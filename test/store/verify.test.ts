import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Database } from '../../src/store/database.ts'
import { decideReport } from '../../src/store/decisions.ts'
import { makeRecorder, type Recorder } from '../../src/store/recorder.ts'
import { repairStore } from '../../src/store/repair.ts'
import { tables } from '../../src/store/tables.ts'
import { verifyStore, type Finding } from '../../src/store/verify.ts'
import { arrival, later, newKey, type Telling } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'

const limits = { commitBatch: 300, commitQueue: 10_000, unverifiedReportsPerDomainAndDay: 1_000 }
const { db } = await freshDatabase()
const recorder = makeRecorder(db, { limits, newKey })

async function tell(telling: Telling, second = 0, by: Recorder = recorder): Promise<string> {
  const [outcome] = await by.record(arrival(telling, later(second)))
  assert.ok(outcome && 'reports' in outcome)
  return outcome.reports[0]!.key
}

// A neighbour with something of everything, which no repair may touch.
for (const by of ['a.example', 'b.example']) await tell({ by, domains: ['neighbour.example', 'other.example'] })
for (const failed of [1, 2]) await tell({ reportId: 'contested', domains: ['neighbour.example'], failed }, failed)
await tell({ reportId: 'huge', domains: ['neighbour.example'], by: 'c.example', implausible: true })
const out = await tell({ reportId: 'out', domains: ['neighbour.example'] })
await decideReport(db, out, { word: 'exclude', by: 'admin', at: later(0), reason: null }, undefined)

/** Every row of every table as text, and in which partition. */
async function everything(of: Database): Promise<string[]> {
  const all: string[] = []
  for (const table of tables) {
    const { rows } = await of.query<{ row: string }>(
      `select tableoid::regclass || ' ' || t::text as row from ${table} t order by 1`,
    )
    all.push(...rows.map(({ row }) => row))
  }
  return all
}

test('what the recorder and the operator made is as it should be, and verifying changes nothing', async () => {
  const before = await everything(db)
  assert.deepEqual(await verifyStore(db, later(0)), { reports: 8, findings: [] })
  assert.deepEqual(await everything(db), before)
})

test('more reports than are read at a time are all seen', async (t) => {
  const { db: many } = await freshDatabase(t)
  const into = makeRecorder(many, { limits, newKey })
  await Promise.all(
    Array.from({ length: 4_001 }, (_, i) => tell({ by: 'a.example', reportId: `r${i}`, domains: [`d${i % 3}.example`] }, i, into)),
  ) // prettier-ignore
  assert.deepEqual(await verifyStore(many, later(0)), { reports: 4_001, findings: [] })
  await many.query(`update report set standing = 'conflict' where report_id in ('r0', 'r4000')`)
  const { findings } = await verifyStore(many, later(0))
  assert.deepEqual(findings.filter(({ kind }) => kind === 'standing').map(({ domain }) => domain), ['d0.example', 'd1.example']) // prettier-ignore
})

let domains = 0
const day = '2026-03-01'
const sts = { successful: 90n, failed: 10n, attributed: 11n, reports: 1n, failedOfType: 10n, policies: 1n }
const tlsa = { successful: 0n, failed: 0n, attributed: 0n, reports: 0n, failedOfType: 0n, policies: 1n }
const one = { successful: 1n, failed: 1n, attributed: 1n, reports: 1n, failedOfType: 1n, policies: 1n }

/** What went wrong with one domain: told by SQL, found, mended, and then as if it had never been. */
for (const [what, sql, expected] of [
  ...Object.entries({ successful: 'successful', failed: 'failed', attributed: 'attributed', reports: 'reports', failed_of_type: 'failedOfType', policies: 'policies' }).map(
    ([column, name]) => [`a total that is off, its ${column}`, `update day_total set ${column} = ${column} + 1 where domain = $1 and policy_type = 'sts'`, (domain: string) => [{ kind: 'day-total', domain, day, trust: 'verified', policyType: 'sts', recorded: { ...sts, [name]: sts[name as 'failed'] + 1n }, folded: sts }]],
  ),
  ['totals that are missing', `delete from day_total where domain = $1`, (domain) => [{ kind: 'day-total', domain, day, trust: 'verified', policyType: 'sts', recorded: undefined, folded: sts }, { kind: 'day-total', domain, day, trust: 'verified', policyType: 'tlsa', recorded: undefined, folded: tlsa }]],
  ['a total of one type that is missing', `delete from day_total where domain = $1 and policy_type = 'tlsa'`, (domain) => [{ kind: 'day-total', domain, day, trust: 'verified', policyType: 'tlsa', recorded: undefined, folded: tlsa }]],
  ['a total of nothing', `insert into day_total values ($1, '2026-03-01', 'unverified', 1, 1, 1, ' ', 1, 1, 1)`, (domain) => [{ kind: 'day-total', domain, day, trust: 'unverified', policyType: ' ', recorded: one, folded: undefined }]],
  ['a standing that the claims do not give', `update report set standing = 'counted' where domain = $1 and standing = 'superseded'`, (domain) => [{ kind: 'standing', domain, day, table: 'report', rows: 1 }, { kind: 'flags', domain, day, table: 'report', rows: 1 }]],
  ['a report that says that it counts', `update report set counted = true where domain = $1 and standing = 'superseded'`, (domain) => [
    { kind: 'flags', domain, day, table: 'policy', rows: 2 }, { kind: 'flags', domain, day, table: 'failure_detail', rows: 2 }, { kind: 'flags', domain, day, table: 'report', rows: 1 }]],
  ['policies that count alone', `update policy set counted = true where domain = $1 and not "primary"`, (domain) => [
    { kind: 'day-total', domain, day, trust: 'unverified', policyType: 'tlsa', recorded: undefined, folded: tlsa }, { kind: 'flags', domain, day, table: 'policy', rows: 1 }]],
  ['a detail by another word', `update failure_detail set trust = 'verified' where domain = $1`, (domain) => [{ kind: 'flags', domain, day, table: 'failure_detail', rows: 2 }]],
  ['a detail by another reporter', `update failure_detail set reporter = 'x' where domain = $1 and seq = 0`, (domain) => [{ kind: 'flags', domain, day, table: 'failure_detail', rows: 2 }]],
  ['a policy that came otherwise', `update policy set transport = 'file' where domain = $1 and counted`, (domain) => [{ kind: 'flags', domain, day, table: 'policy', rows: 2 }]],
  ['sessions that are not those of the policies', `update report set successful = successful + 1 where domain = $1`, (domain) => [{ kind: 'sums', domain, day, table: 'report', rows: 2 }]],
  ['failures that are not those of the details', `update policy set tally_failed[1] = tally_failed[1] + 1 where domain = $1 and "primary" and counted`, (domain) => [{ kind: 'tallies', domain, day, table: 'policy', rows: 1 }]],
  ['a tally that is missing', `update policy set tally_result_type = null, tally_mx = null, tally_failed = null, tally_first = null where domain = $1 and "primary"`, (domain) => [{ kind: 'tallies', domain, day, table: 'policy', rows: 2 }]],
  ['reports that are counted twice', `update policy set tally_first[1] = 0 where domain = $1 and "primary"`, (domain) => [{ kind: 'tallies', domain, day, table: 'policy', rows: 2 }]],
  ['a policy without a report', `insert into policy select domain, day, gen_random_uuid(), seq, policy_domain, policy_type, policy_type_raw, policy_mode, "primary", trust, reporter, organization, transport, false, policy_string, mx_host, successful, failed, attributed from policy where domain = $1 and counted`, (domain) => [{ kind: 'orphans', domain, day, table: 'policy', rows: 2 }]],
] as [string, string, (domain: string) => Finding[]][]) {
  test(`${what}: it is found, by domain and day, and mended`, async () => {
    const domain = `d${domains++}.example`
    await tell({ domains: [domain], failed: 7 })
    await tell({ by: 'sender.example', domains: [domain] }, 1)
    const before = await everything(db)
    await db.query(sql, [domain])
    assert.notDeepEqual(await everything(db), before)
    const { findings } = await verifyStore(db, later(0))
    assert.deepEqual(findings, expected(domain))
    await repairStore(db, findings)
    assert.deepEqual((await verifyStore(db, later(0))).findings, [])
    assert.deepEqual(await everything(db), before)
  })
} // prettier-ignore

test('facts whose report is gone go as well, and so do their totals', async () => {
  const before = await everything(db)
  const key = await tell({ by: 'sender.example', domains: ['gone.example'] })
  await db.query('delete from report where key = $1', [key])
  await db.query(`delete from submission where 'gone.example' = any(domains)`)
  await db.query(`delete from submission_raw where domain = 'gone.example'`)
  const { findings } = await verifyStore(db, later(0))
  assert.deepEqual(findings.map(({ kind }) => kind).sort(), ['orphans', 'orphans'])
  await repairStore(db, findings)
  assert.deepEqual(await everything(db), before)
})

test('rows in the default partitions are moved to their months, whole', async (t) => {
  const { db: fresh } = await freshDatabase(t)
  await tell({ by: 'sender.example' }, 0, makeRecorder(fresh, { limits, newKey }))
  await tell({ by: 'sender.example', day: '2026-02-27' }, 0, makeRecorder(fresh, { limits, newKey }))
  const before = await everything(fresh)
  for (const name of ['report_2026_03', 'policy_2026_03', 'failure_detail_2026_03', 'day_total_2026_03', 'submission_2026_03', 'submission_raw_2026_03']) {
    const parent = name.slice(0, -8)
    const { rows } = await fresh.query<{ columns: string }>(`select string_agg(quote_ident(attname), ', ') as columns from pg_attribute where attrelid = $1::regclass and attnum > 0 and attgenerated = ''`, [name])
    const { columns } = rows[0]!
    await fresh.query(`alter table ${parent} detach partition ${name}`)
    await fresh.query(`insert into ${parent} (${columns}) select ${columns} from ${name}`)
    await fresh.query(`drop table ${name}`)
  } // prettier-ignore
  const { findings } = await verifyStore(fresh, later(0))
  assert.deepEqual(
    findings.map(({ kind, day: on, ...rest }) => [
      kind,
      on,
      'table' in rest && rest.table,
      'rows' in rest && rest.rows,
    ]),
    [
      ['misplaced', day, 'report', 1],
      ['misplaced', day, 'policy', 2],
      ['misplaced', day, 'failure_detail', 2],
      ['misplaced', day, 'day_total', 2],
      ['misplaced', '2026-03-02', 'submission', 2],
      ['misplaced', '2026-03-02', 'submission_raw', 2],
    ],
  )
  await repairStore(fresh, findings)
  assert.deepEqual(await everything(fresh), before)
  assert.deepEqual((await verifyStore(fresh, later(0))).findings, [])
})

test('reports that arrive while totals are mended are counted once, in whatever order they meet', async () => {
  const others = [1, 2].map(() => makeRecorder(db, { limits, newKey }))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ by: fc.constantFrom(undefined, 'r.example', 's.example'), failed: fc.nat(2) }), { minLength: 6, maxLength: 12 }), async (tellings) => {
      const domain = `d${domains++}.example`
      await tell({ by: 'first.example', domains: [domain] })
      await db.query(`update day_total set failed = failed + 1 where domain = $1 and policy_type = 'sts'`, [domain])
      const { findings } = await verifyStore(db, later(0))
      assert.equal(findings.length, 1)
      const arriving = tellings.map(({ by, failed }, i) => tell({ ...(by !== undefined && { by }), domains: [domain], failed, reportId: `r${i % 3}` }, i, others[i % 2]))
      await Promise.all([repairStore(db, findings), ...arriving])
      assert.deepEqual((await verifyStore(db, later(0))).findings, [])
    }),
    { numRuns: 15 },
  ) // prettier-ignore
})
