import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { copyRows } from '../../src/store/copy.ts'
import { classifyError, inTransaction } from '../../src/store/database.ts'
import { freshDatabase } from '../support/database.ts'

const { db } = await freshDatabase()
await db.query(`
  create table text_copy (position integer, value text);
  create table typed_copy (n bigint, yes boolean, raw bytea, at timestamptz, said jsonb, missing text)`)

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', 'N', '.', 'x', '0', '"', '{') }),
)

test('every text comes out as it went in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anyText, fc.constantFrom('\\.', '\\N', '', '\b\v')), { maxLength: 20 }),
      async (texts) => {
        const values = texts.map((text) => text.replaceAll('\0', ''))
        await db.query('truncate text_copy')
        await inTransaction(db, (tx) => copyRows(tx, [{ into: 'text_copy (position, value)', rows: values.entries() }]))
        const { rows } = await db.query<{ value: string }>('select value from text_copy order by position')
        assert.deepEqual(rows.map(({ value }) => value), values) // prettier-ignore
      },
    ),
    { numRuns: 50 },
  )
})

test('numbers, bytes, instants and what is absent keep their types, in several tables at once', async () => {
  const at = new Date('2026-03-01T01:02:03.004Z')
  const raw = Buffer.from([0, 1, 0x5c, 0xff])
  await inTransaction(db, (tx) =>
    copyRows(tx, [
      { into: 'text_copy (position, value)', rows: [] },
      { into: 'typed_copy (n, yes, raw, at, said, missing)', rows: [[2n ** 63n - 1n, true, raw, at, '{"a": "\\\\"}', undefined]] },
      { into: 'text_copy (position, value)', rows: [[-1, 'last']] },
    ]),
  ) // prettier-ignore
  const { rows } = await db.query('select * from typed_copy')
  assert.deepEqual(rows, [{ n: 2n ** 63n - 1n, yes: true, raw, at, said: { a: '\\' }, missing: null }])
  assert.equal((await db.query("select from text_copy where value = 'last'")).rowCount, 1)
})

test('more than fits one round trip goes in several', async () => {
  const value = 'x'.repeat(700_000)
  const rows = Array.from({ length: 40 }, (_, i) => [i, value] as const)
  await db.query('truncate text_copy')
  await inTransaction(db, (tx) => copyRows(tx, [{ into: 'text_copy (position, value)', rows }]))
  const counted = await db.query(
    'select count(distinct position)::int as rows, min(length(value)) as length from text_copy',
  )
  assert.deepEqual(counted.rows, [{ rows: 40, length: 700_000 }])
})

test('an error voids all of it and leaves the connection fit for use', async () => {
  await db.query('truncate text_copy')
  const tables = [
    { into: 'text_copy (position, value)', rows: [[1, 'good']] },
    { into: 'text_copy (position, value)', rows: [[2, 'NUL\0']] },
    { into: 'text_copy (position, value)', rows: [[3, 'never looked at']] },
  ]
  const client = await db.connect()
  try {
    await client.query('begin')
    await assert.rejects(copyRows(client, tables), (error) => classifyError(error) === 'input')
    await client.query('rollback')
    assert.deepEqual((await client.query('select * from text_copy')).rows, [])
  } finally {
    client.release()
  }
})
