import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prepared } from '../../src/store/prepared.ts'
import { freshDatabase } from '../support/database.ts'

test('a hundred shapes of questions keep their plans, and one more is answered all the same', async () => {
  const { db } = await freshDatabase()
  const client = await db.connect()
  for (let i = 0; i < 150; i++) {
    for (const value of [1, 2]) {
      const { rows } = await client.query<{ sum: number }>(prepared(db, `select $1::int + ${i} as sum`, [value]))
      assert.equal(rows[0]!.sum, value + i)
    }
  }
  const { rows } = await client.query<{ kept: bigint }>(`select count(*) as kept from pg_prepared_statements`)
  client.release()
  assert.equal(rows[0]!.kept, 100n)
})
