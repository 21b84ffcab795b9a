import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ColumnType, ColumnValue } from '../../src/store/binary.ts'
import { copyAndCommit, copyRows } from '../../src/store/copy.ts'
import { copyTable } from '../../src/store/copy-data.ts'
import { classifyError, inTransaction, onConnection } from '../../src/store/database.ts'
import { readAddress } from '../../src/tlsrpt/address.ts'
import { freshDatabase } from '../support/database.ts'

const { db } = await freshDatabase()
await db.query('create table text_copy (position integer, value text)')

const textTable = copyTable('text_copy', [
  ['position', 'integer'],
  ['value', 'text'],
])

const anyText = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''))
const anyInstant = fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })

/** For each type what it may be given, and how Postgres would have it written as text. */
const kinds: { [type in ColumnType]: { any: fc.Arbitrary<ColumnValue>; written: (value: never) => string } } = {
  text: { any: anyText, written: (value: string) => value },
  'text[]': {
    any: fc.array(fc.option(anyText, { nil: undefined }), { maxLength: 4 }),
    written: (value: (string | undefined)[]) =>
      `{${value.map((text) => (text === undefined ? 'NULL' : `"${text.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`,
  },
  'smallint[]': { any: fc.array(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), { maxLength: 4 }), written: (value: number[]) => `{${value.join(',')}}` },
  'numeric[]': { any: fc.array(fc.bigInt({ min: 0n, max: 2n ** 90n }), { maxLength: 4 }), written: (value: bigint[]) => `{${value.join(',')}}` },
  jsonb: { any: anyText.map((text) => JSON.stringify({ text })), written: (value: string) => value },
  bytea: {
    any: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    written: (value: Buffer) => `\\x${value.toString('hex')}`,
  },
  uuid: { any: fc.uuid(), written: (value: string) => value },
  inet: { any: fc.oneof(fc.ipV4(), fc.ipV6().map((text) => readAddress(text).ip)), written: (value: string) => value },
  date: {
    any: fc.oneof(anyInstant, anyInstant.map((at) => at.toISOString().slice(0, 10))),
    written: (value: string | Date) => (typeof value === 'string' ? value : value.toISOString().slice(0, 10)),
  },
  timestamptz: { any: anyInstant, written: (value: Date) => value.toISOString() },
  boolean: { any: fc.boolean(), written: String },
  smallint: { any: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), written: String },
  integer: { any: fc.integer(), written: String },
  bigint: { any: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), written: String },
  numeric: { any: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 90n }), fc.constantFrom(0n, 9_999n, 10_000n, 100_000_000n)), written: String }, // prettier-ignore
} // prettier-ignore

for (const [type, { any, written }] of Object.entries(kinds)) {
  test(`every ${type} comes out as Postgres would have read it from text, and nothing as null`, async () => {
    const table = copyTable('kind', [
      ['position', 'integer'],
      ['value', type as ColumnType],
    ])
    await db.query(`drop table if exists kind; create table kind (position integer, value ${type})`)
    const values = fc.array(fc.option(any, { nil: undefined }), { maxLength: 20 })
    const property = fc.asyncProperty(values, async (drawn) => {
      await db.query('truncate kind')
      const rows = drawn.map((value, i) => [i, value])
      await inTransaction(db, (tx) => copyRows(tx, [{ table, groups: [{ shared: [], rows }] }]))
      const texts = drawn.map((value) => (value === undefined ? null : written(value as never)))
      const { rows: other } = await db.query<{ position: number }>(
        `select k.position, k.value, t.value::${type} as expected
         from kind k join unnest($1::text[]) with ordinality as t (value, n) on t.n = k.position + 1
         where k.value is distinct from t.value::${type}`,
        [texts],
      )
      assert.deepEqual(other, [])
      assert.equal((await db.query('select from kind')).rowCount, drawn.length)
    })
    await fc.assert(property, { numRuns: 25 })
  })
}

test('what a column does not hold is an error of ours, before anything is sent', async () => {
  const wrong: [ColumnType, ColumnValue][] = [['bigint', 2n ** 63n], ['smallint', 40_000], ['numeric', -1n], ['date', 'soon'], ['inet', 'mx.example']] // prettier-ignore
  for (const [type, value] of wrong) {
    const table = copyTable('wrong', [['value', type]])
    await assert.rejects(inTransaction(db, (tx) => copyRows(tx, [{ table, groups: [{ shared: [], rows: [[value]] }] }])), (error) => error instanceof Error && classifyError(error) === 'temporary') // prettier-ignore
  }
})

test('what a group shares stands in each of its rows, and a table without rows is passed over', async () => {
  await db.query('truncate text_copy')
  await inTransaction(db, (tx) =>
    copyRows(tx, [
      { table: textTable, groups: [] },
      {
        table: textTable,
        groups: [
          { shared: [1], rows: [['a'], ['b']] },
          { shared: [2], rows: [] },
          { shared: [], rows: [[3, 'c']] },
        ],
      },
    ]),
  )
  const { rows } = await db.query('select position, value from text_copy order by value')
  assert.deepEqual(rows, [
    { position: 1, value: 'a' },
    { position: 1, value: 'b' },
    { position: 3, value: 'c' },
  ])
})

test('a whole transaction goes in one message, and is committed when it is answered', async () => {
  await db.query('truncate text_copy')
  const tables = [{ table: textTable, groups: [{ shared: [], rows: [[1, 'one']] }] }]
  await onConnection(db, (client) =>
    copyAndCommit(client, ['begin'], tables, ["insert into text_copy values (2, 'two')"]),
  )
  const { rows } = await db.query('select value from text_copy order by position')
  assert.deepEqual(rows, [{ value: 'one' }, { value: 'two' }])
})

test('more than fits one round trip goes in several, still in one transaction', async () => {
  const value = 'x'.repeat(700_000)
  const rows = Array.from({ length: 40 }, (_, i) => [i, value] as const)
  await db.query('truncate text_copy')
  const tables = [{ table: textTable, groups: [{ shared: [], rows }] }]
  const failing = onConnection(db, (client) => copyAndCommit(client, ['begin'], tables, ['select 1 / 0']))
  await assert.rejects(failing, (error) => classifyError(error) === 'input')
  assert.equal((await db.query('select from text_copy')).rowCount, 0)
  await onConnection(db, (client) => copyAndCommit(client, ['begin'], tables, []))
  const counted = await db.query(
    'select count(distinct position)::int as rows, min(length(value)) as length from text_copy',
  )
  assert.deepEqual(counted.rows, [{ rows: 40, length: 700_000 }])
})

test('an error voids all of it and leaves the connection fit for use', async () => {
  await db.query('truncate text_copy')
  const tables = [[1, 'good'], [2, 'NUL\0'], [3, 'never looked at']].map((row) => ({ table: textTable, groups: [{ shared: [], rows: [row] }] })) // prettier-ignore
  const client = await db.connect()
  try {
    await assert.rejects(copyAndCommit(client, ['begin'], tables, []), (error) => classifyError(error) === 'input')
    await client.query('rollback')
    assert.deepEqual((await client.query('select * from text_copy')).rows, [])
  } finally {
    client.release()
  }
})

test('pieces are used again, and never hold what was in them before', async () => {
  await db.query('truncate text_copy')
  const copyMany = (letter: string, last: string) => {
    const rows = Array.from({ length: 6_000 }, (_, i) => [i, i === 5_999 ? last : letter.repeat(1_000 + (i % 7))])
    return inTransaction(db, (tx) => copyRows(tx, [{ table: textTable, groups: [{ shared: [], rows }] }]))
  }
  await copyMany('a', 'a')
  await assert.rejects(copyMany('b', 'with a NUL: \0'))
  await copyMany('c', 'c')
  const { rows } = await db.query<{ letter: string; rows: bigint; characters: bigint }>(
    'select left(value, 1) as letter, count(*) as rows, sum(length(value)) as characters from text_copy group by 1 order by 1',
  )
  const characters = BigInt(Array.from({ length: 5_999 }, (_, i) => 1_000 + (i % 7)).reduce((a, b) => a + b) + 1)
  assert.deepEqual(
    rows,
    ['a', 'c'].map((letter) => ({ letter, rows: 6_000n, characters })),
  )
  const { rowCount } = await db.query("select from text_copy where value !~ '^(a+|c+)$'")
  assert.equal(rowCount, 0)
})
