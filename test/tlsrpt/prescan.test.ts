import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { census, isWhole, maxMembers, prescan } from '../../src/tlsrpt/prescan.ts'
import { limits } from './good-report.ts'

const scan = (json: string) => prescan(json, limits)
const kind = (json: string) => scan(json).kind

test('as many levels as allowed are read, and one more is too deep', () => {
  assert.equal(kind('['.repeat(16) + ']'.repeat(16)), 'bounded')
  assert.equal(kind('['.repeat(17) + ']'.repeat(17)), 'too-deep')
  assert.equal(kind('{"a":'.repeat(16) + '1' + '}'.repeat(16)), 'bounded')
  assert.equal(kind('{"a":'.repeat(17) + '1' + '}'.repeat(17)), 'too-deep')
})

test('levels that are closed again do not add up', () => {
  assert.equal(kind(`[${'[[]],'.repeat(100)}[]]`), 'bounded')
})

test('as many tokens as allowed are read, and one more is too many', () => {
  const list = (elements: number) => `[${'0,'.repeat(elements - 1)}0]`
  assert.equal(kind(list(1_000_000)), 'bounded')
  assert.equal(kind(list(1_000_001)), 'too-many-tokens')
})

test('as many members as allowed may be in one object, and one more is too many', () => {
  const object = (members: number) => `{${Array.from({ length: members }, (_, i) => `"${i}":0`).join()}}`
  assert.equal(kind(object(maxMembers)), 'bounded')
  assert.equal(kind(object(maxMembers + 1)), 'too-many-members')
  assert.equal(kind(`[${object(maxMembers)},${object(maxMembers)}]`), 'bounded')
})

test('what stands in a string is no structure, whatever is escaped before its end', () => {
  const strings = ['[[[[', '{{{{', ',,,,', '\\', '\\\\', '"', '\\"', '\\\\"', '"[', '\u0000']
  for (const text of strings) {
    assert.deepEqual(
      scan(JSON.stringify({ [text]: text })),
      scan(JSON.stringify({ a: 'b' }).replace('b', escaped(text))),
    )
  }
})
const escaped = (text: string) => (text.includes('\0') ? '\\u0000' : 'b')

test('escapes that could bring in a NUL or a surrogate are noticed', () => {
  assert.deepEqual(scan('{"a":"\\u0000"}'), { kind: 'bounded', memberNames: 1, escapes: true })
  assert.deepEqual(scan('{"a":"\\n\\""}'), { kind: 'bounded', memberNames: 1, escapes: false })
})

test('five million nested lists are refused at once, and 20 MB of anything are scanned in a moment', () => {
  const texts = [
    '['.repeat(5_000_000),
    '{},'.repeat(7_000_000),
    `"${'\\"'.repeat(10_000_000)}"`,
    `"${'\\'.repeat(20_000_000)}"`,
  ]
  for (const text of texts.map((rope) => Buffer.from(rope).toString())) {
    const start = performance.now()
    scan(text)
    // A tenth of a second alone; a scan that is not linear takes hours.
    assert.ok(performance.now() - start < 3_000)
  }
})

test('a repeated member is one that the census misses, however it is written', () => {
  const repeated = (json: string) => {
    const scanned = scan(json)
    assert.ok(scanned.kind === 'bounded')
    return census(JSON.parse(json)).memberNames < scanned.memberNames
  }
  assert.equal(repeated('{"a":1,"b":{"a":1}}'), false)
  assert.equal(repeated('{"a":1,"a":1}'), true)
  assert.equal(repeated('{"a":1,"\\u0061":1}'), true)
  assert.equal(repeated('[{"x":{"a":1},"x":2}]'), true)
  assert.equal(repeated('{"__proto__":1,"__proto__":2}'), true)
  assert.equal(repeated('{"__proto__":1,"constructor":2,"1":3,"0":4}'), false)
})

test('integers beyond 2^53-1 are found in every spelling, and none other', () => {
  const unsafe = (number: string) => census(JSON.parse(`{"a":[${number}]}`)).unsafeNumbers
  const beyond = ['9007199254740992', '9007199254740993', '-9007199254740992', '1e30', '1e400', '9'.repeat(1_000_000)]
  for (const number of [...beyond, '90071992547409920e-1', '9.007199254740992E15']) assert.equal(unsafe(number), 1)
  for (const number of ['9007199254740991', '-9007199254740991', '0', '1.5', '1e-400']) assert.equal(unsafe(number), 0)
})

test('what is bounded and is JSON can be written again', () => {
  const json = fc.oneof(fc.json({ maxDepth: 20 }), fc.string(), fc.stringMatching(/^[[\]{}",:\\u0-9a-f ]{0,60}$/))
  fc.assert(
    fc.property(json, (text) => {
      const scanned = scan(text)
      if (scanned.kind !== 'bounded') return
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return
      }
      assert.equal(typeof JSON.stringify(value), 'string')
      assert.ok(census(value).memberNames <= scanned.memberNames)
      assert.ok(depthOf(value) <= limits.jsonDepth)
    }),
    { numRuns: 1_000 },
  )
})

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

test('no object without repeated names is missed by a member', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(0, 1, '\t'), (text, indent) => {
      const value: unknown = JSON.parse(text)
      const again = JSON.stringify(value, undefined, indent)
      const scanned = scan(again)
      assert.ok(scanned.kind === 'bounded')
      assert.equal(census(value).memberNames, scanned.memberNames)
    }),
  )
})

/** Numbers in all spellings, names that repeat, escapes, blanks: all that may hide a dropped member behind a length. */
const spelled = (blank: fc.Arbitrary<string>) => {
  const number = fc.oneof(
    fc.integer().map(String),
    fc.constantFrom(
      '-0',
      '0',
      '1e3',
      '1E0',
      '12e-1',
      '1.0',
      '1000',
      '-100',
      '1e8',
      '1e9',
      '1e10',
      '1e400',
      '1e-400',
      '123456789e3',
    ),
    fc.constantFrom('9007199254740991', '9007199254740993', '99999999999999999999', '0.1', '4.99999999999999999999'),
  )
  const text = fc.oneof(fc.constantFrom('"a"', '"b"', '""', '"1"', '"\\u0061"', '"\\""', '"{,"', '"__proto__"'), fc.string().map((some) => JSON.stringify(some))) // prettier-ignore
  const around = (arbitrary: fc.Arbitrary<string>) =>
    fc.tuple(blank, arbitrary, blank).map(([before, it, behind]) => before + it + behind)
  return fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      around(fc.oneof(text, number, fc.constantFrom('true', 'false', 'null'))),
      around(fc.array(tie('value'), { maxLength: 4 }).map((elements) => `[${elements.join()}]`)),
      around(
        fc
          .array(fc.tuple(around(text), tie('value')), { maxLength: 4 })
          .map((members) => `{${members.map(([name, value]) => `${name}:${value}`).join()}}`),
      ),
    ),
  })).value
}

test('what is whole at a glance has nothing that prescan or census would tell', () => {
  const bounds = { jsonDepth: 4, jsonTokens: 1_000_000 }
  const sparse = fc.oneof({ weight: 30, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(' ', '\n') }) // prettier-ignore
  let whole = 0
  fc.assert(
    fc.property(fc.oneof(spelled(fc.constant('')), spelled(sparse)), (json) => {
      const value: unknown = JSON.parse(json)
      const counted = census(value)
      const scanned = prescan(json, bounds)
      if (!isWhole(json, value, bounds)) return
      whole++
      assert.deepEqual(scanned, { kind: 'bounded', memberNames: counted.memberNames, escapes: false })
      assert.equal(counted.unsafeNumbers, 0)
    }),
    { numRuns: 5_000 },
  )
  assert.ok(whole > 500, String(whole))
})

test('what JSON.stringify writes is whole at a glance, but for thousands, fractions, escapes and what is not bounded', () => {
  const isWholeJson = (value: unknown) => isWhole(JSON.stringify(value), value, limits)
  for (const value of [{}, [], '', 0, -1, 999, 1001, true, false, null, { a: [{}, 'é€😀', { b: null }] }]) {
    assert.ok(isWholeJson(value), JSON.stringify(value))
    assert.ok(isWhole(`${JSON.stringify(value)}\n`, value, limits))
    assert.ok(!isWhole(` ${JSON.stringify(value)}`, value, limits))
  }
  for (const value of [1000, 1.5, 1e21, 2 ** 53, '"', '\n', '\ud800']) assert.ok(!isWholeJson(value), String(value))
  const nested = (depth: number): unknown[] => (depth === 1 ? [] : [nested(depth - 1)])
  assert.deepEqual([isWholeJson(nested(limits.jsonDepth)), isWholeJson(nested(limits.jsonDepth + 1))], [true, false])
  const object = (members: number) => Object.fromEntries(Array.from({ length: members }, (_, i) => [`k${i}`, 1]))
  assert.deepEqual([isWholeJson(object(maxMembers)), isWholeJson(object(maxMembers + 1))], [true, false])
})
