import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatStsRecord, parseStsRecord } from '../../src/mtasts/record.ts'

const idOf = (...records: string[]) => {
  const parsed = parseStsRecord(records)
  return parsed.kind === 'found' ? parsed.id : parsed.kind
}

test('a record names its id, with blanks, a last semicolon and extensions where they may be', () => {
  for (const record of [
    'v=STSv1; id=20160831085700Z;',
    'v=STSv1;id=20160831085700Z',
    'v=STSv1;\t id=20160831085700Z ;  ',
    'v=STSv1; a.b-c_1=x:y<z>; id=20160831085700Z',
  ]) {
    assert.equal(idOf(record), '20160831085700Z', record)
  }
  assert.equal(idOf(`v=STSv1; id=${'a'.repeat(32)}`), 'a'.repeat(32))
})

test('other TXT records do not matter, and two MTA-STS records are none', () => {
  assert.equal(idOf('v=spf1 -all', 'v=STSv1; id=1'), '1')
  assert.partialDeepStrictEqual(parseStsRecord(['v=STSv1; id=1', 'v=STSv1; id=1']), {
    kind: 'invalid',
    problems: [{ kind: 'several', text: 'There are 2 MTA-STS records.' }],
  })
})

test('a record that no sender takes for one is missing, and named when it was meant to be one', () => {
  assert.deepEqual(parseStsRecord([]), { kind: 'missing', similar: [] })
  assert.deepEqual(parseStsRecord(['v=spf1', '']), { kind: 'missing', similar: [] })
  for (const record of ['v=stsv1; id=1', ' v=STSv1; id=1', '"v=STSv1; id=1"', 'v=STSv10; id=1', 'v=STSv2; id=1']) {
    assert.deepEqual(parseStsRecord([record]), { kind: 'missing', similar: [record] })
  }
})

test('an id that is none makes the record invalid', () => {
  for (const record of [
    'v=STSv1',
    'v=STSv1;',
    'v=STSv1; id=',
    'v=STSv1; id=2024-01-01',
    `v=STSv1; id=${'a'.repeat(33)}`,
    'v=STSv1; ID=1',
    'v=STSv1; id=1; id=1',
    'v=STSv1; id=<b>',
  ]) {
    assert.partialDeepStrictEqual(parseStsRecord([record]), { kind: 'invalid', problems: [{ kind: 'id' }] }, record)
  }
})

test('a malformed field makes the record invalid', () => {
  for (const field of ['more=', `${'e'.repeat(33)}=1`, 'test==', 'novalue', '', 'a=b c']) {
    const parsed = parseStsRecord([`v=STSv1; id=1; ${field};`])
    assert.partialDeepStrictEqual(parsed, { kind: 'invalid', problems: [{ kind: 'syntax' }] }, field)
  }
})

test('a blank before the first semicolon is read with a warning', () => {
  assert.partialDeepStrictEqual(parseStsRecord(['v=STSv1 ; id=1']), { kind: 'found', id: '1' })
  const parsed = parseStsRecord(['v=STSv1 ; id=1'])
  assert.ok(parsed.kind === 'found' && parsed.warnings.length === 1)
})

test('what is made for an id is read back', () => {
  assert.equal(formatStsRecord('20240101T000000'), 'v=STSv1; id=20240101T000000;')
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]{1,32}$/), (id) => {
      assert.deepEqual(parseStsRecord([formatStsRecord(id)]), { kind: 'found', id, warnings: [] })
    }),
  )
})

test('any records are read without a throw, in little time, and quoted in short sentences', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `v=STSv1;${rest}`),
  )
  fc.assert(
    fc.property(fc.array(text), (records) => {
      const parsed = parseStsRecord(records)
      if (parsed.kind !== 'invalid') return
      assert.ok(parsed.problems.length > 0 && parsed.problems.every((problem) => problem.text.length < 200))
    }),
  )
  const begun = process.cpuUsage()
  parseStsRecord([`v=STSv1;${' '.repeat(16_000)}x${'\t'.repeat(16_000)};id=${'a'.repeat(16_000)}`])
  assert.ok(process.cpuUsage(begun).user < 50_000)
})
