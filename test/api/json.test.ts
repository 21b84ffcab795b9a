/** What the store answers, as JSON has it: names, times and integers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toJson } from '../../src/api/json.ts'

test('names become snake_case, times RFC 3339, and integers stay exact, through all the depth', () => {
  const stored = {
    reportId: 'x',
    seenAt: new Date(0),
    sums: [{ failedOfType: 2n ** 53n }, { failedOfType: -3n }],
    no: null,
  }
  assert.deepEqual(toJson(stored), {
    report_id: 'x',
    seen_at: '1970-01-01T00:00:00.000Z',
    sums: [{ failed_of_type: '9007199254740992' }, { failed_of_type: -3 }],
    no: null,
  }) // prettier-ignore
})

test('a name that is that of the prototype is a name like any other', () => {
  const odd = JSON.parse('{\"__proto__\":{\"polluted\":1},\"constructor\":2}') as Record<string, unknown> // prettier-ignore
  const json = toJson(odd) as Record<string, unknown>
  assert.deepEqual(Object.entries(json), [['__proto__', { polluted: 1 }], ['constructor', 2]]) // prettier-ignore
  assert.equal(Object.getPrototypeOf(json), Object.prototype)
  assert.equal(JSON.stringify(json), '{"__proto__":{"polluted":1},"constructor":2}')
})
