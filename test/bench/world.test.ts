import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillWorld } from '../../bench/world.ts'
import { verifyStore } from '../../src/store/verify.ts'
import { freshDatabase } from '../support/database.ts'

test('what the benchmarks ask is a store that agrees with itself', async () => {
  const { db } = await freshDatabase()
  const details = 110_000
  await fillWorld(db, { details, domains: 20, today: '2026-11-21' }, () => undefined)
  const { reports, findings } = await verifyStore(db, new Date('2026-11-21T12:00:00Z'))
  assert.deepEqual(findings, [])
  assert.ok(reports > 5_000)
  const { rows } = await db.query<{ made: bigint; apart: string }>(
    `select (select count(*) from failure_detail) as made,
       (select sum(attributed) from policy) - (select sum(failed_session_count) from failure_detail) as apart`,
  )
  assert.ok(Math.abs(Number(rows[0]!.made) - details) < 2_000)
  assert.equal(rows[0]!.apart, '0')
})
