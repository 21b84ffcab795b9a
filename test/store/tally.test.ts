import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { migrationsFolder } from '../../src/product.ts'
import type { Database } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { firstOf, tallied, tallies } from '../../src/store/tally.ts'
import { emptyDatabase, freshDatabase } from '../support/database.ts'
import { aDetail, aPolicy, aReport, insertReports, type ReportFact } from '../support/rows.ts'

const { db } = await freshDatabase()

const detail = (resultType: string, receivingMxHostname: string | undefined, failedSessionCount: number) => ({
  resultType,
  failedSessionCount,
  ...(receivingMxHostname !== undefined && { receivingMxHostname }),
})

test('details of one type and MX are one element, and each first of something in the report says so once', () => {
  const { pair, resultType, mx } = firstOf
  const policies = [
    { failureDetails: [detail('a', 'x', 1), detail('b', 'x', 2), detail('a', 'x', 4), detail('a', undefined, 8)] },
    { failureDetails: [] },
    { failureDetails: [detail('a', 'x', 16), detail('a', 'y', 32), detail('c', undefined, 64)] },
  ]
  assert.deepEqual(tallies(policies), [
    {
      resultTypes: ['a', 'b', 'a'],
      mx: ['x', 'x', undefined],
      failed: [5n, 2n, 8n],
      first: [pair + resultType + mx, pair + resultType, pair + mx],
    },
    undefined,
    { resultTypes: ['a', 'a', 'c'], mx: ['x', 'y', undefined], failed: [16n, 32n, 64n], first: [0, pair + mx, pair + resultType] }, // prettier-ignore
  ])
})

test('sums beyond 2^63 are exact', () => {
  const huge = Number.MAX_SAFE_INTEGER
  const failureDetails = Array.from({ length: 2_000 }, () => detail('a', 'x', huge))
  assert.deepEqual(tallies([{ failureDetails }])[0]?.failed, [2_000n * BigInt(huge)])
})

const details = fc.array(
  fc.record({
    resultType: fc.constantFrom('certificate-expired', 'sts-policy-invalid', 'odd word'),
    receivingMxHostname: fc.constantFrom('mx1.ours.example', 'mx2.ours.example', null),
    failed: fc.constantFrom(0n, 1n, 7n, BigInt(Number.MAX_SAFE_INTEGER)),
  }),
  { maxLength: 6 },
)
const reports = fc.array(
  fc
    .array(details, { minLength: 1, maxLength: 3 })
    .map((policies) => aReport({ policies: policies.map((of) => aPolicy({ details: of.map(aDetail) })) })),
  { maxLength: 6 },
)

/** Keys of policies whose tally is not what `given` has for it. */
async function others(of: Database, given: string): Promise<object[]> {
  const columns = 'tally_result_type, tally_mx, tally_failed, tally_first'
  const { rows } = await of.query<object>(
    `(select report_key, seq, ${columns} from policy where tally_failed is not null except select report_key, seq, ${columns} from (${given}) g)
     union all
     (select report_key, seq, ${columns} from (${given}) g except select report_key, seq, ${columns} from policy)`,
  )
  return rows
}

test('what is folded from stored details is what was added up when they arrived', async () => {
  const property = fc.asyncProperty(reports, async (world) => {
    await db.query('truncate report, policy, failure_detail, day_total')
    await insertReports(db, world)
    assert.deepEqual(await others(db, tallied('true')), [])
  })
  await fc.assert(property, { numRuns: 60 })
})

/** The same reports in a store of before the policies had tallies. */
async function storeBefore(world: readonly ReportFact[]): Promise<Database> {
  const { db: old } = await emptyDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-migrations-'))
  for (const name of readdirSync(migrationsFolder).filter((each) => each < '0009')) {
    cpSync(join(migrationsFolder, name), join(folder, name))
  }
  await migrate(old, folder, () => undefined)
  rmSync(folder, { recursive: true })
  await db.query('truncate report, policy, failure_detail, day_total')
  await insertReports(db, world)
  for (const table of ['report', 'policy', 'failure_detail', 'day_total']) {
    const { rows } = await db.query<{ all: string }>(`select jsonb_agg(t)::text as all from ${table} t`)
    await old.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`, [rows[0]!.all]) // prettier-ignore
  }
  return old
}

test('a store from before gets the same tallies out of its details', async () => {
  const [world] = fc.sample(fc.array(reports, { minLength: 20, maxLength: 20 }), { seed: 9, numRuns: 1 })
  const old = await storeBefore(world!.flat())
  await migrate(old, migrationsFolder, () => undefined)
  assert.deepEqual(await others(old, tallied('true')), [])
  assert.ok((await old.query('select from policy where tally_failed is not null')).rowCount! > 20)
})
