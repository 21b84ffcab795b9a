import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readDateTime } from '../../src/tlsrpt/dates.ts'

const read = (text: string) => {
  const result = readDateTime(text)
  return result && [result.instant.toISOString(), ...result.seen]
}

test('an RFC 3339 date-time is read to the millisecond, in any zone', () => {
  assert.deepEqual(read('2026-03-01T12:34:56Z'), ['2026-03-01T12:34:56.000Z'])
  assert.deepEqual(read('2026-03-01T12:34:56.7Z'), ['2026-03-01T12:34:56.700Z'])
  assert.deepEqual(read('2026-03-01T12:34:56.123456789Z'), ['2026-03-01T12:34:56.123Z'])
  assert.deepEqual(read('2026-03-01T00:00:00+01:00'), ['2026-02-28T23:00:00.000Z'])
  assert.deepEqual(read('2026-02-28T23:30:00-00:45'), ['2026-03-01T00:15:00.000Z'])
  assert.deepEqual(read('2024-02-29T00:00:00Z'), ['2024-02-29T00:00:00.000Z'])
})

test('whole seconds in UTC are read as Date reads them, whatever the day', () => {
  const seconds = fc.integer({ min: Date.UTC(1990, 0, 1) / 1000, max: Date.UTC(3100, 0, 1) / 1000 })
  const property = fc.property(seconds, (at) => {
    const written = new Date(at * 1000).toISOString()
    assert.deepEqual(read(written.replace('.000Z', 'Z')), [written])
  })
  fc.assert(property, { numRuns: 1_000 })
})

test('other spellings are read, and named', () => {
  assert.deepEqual(read('2026-03-01t00:00:00z'), ['2026-03-01T00:00:00.000Z', 'date-lower-case'])
  assert.deepEqual(read('2026-03-01T00:00:00z'), ['2026-03-01T00:00:00.000Z', 'date-lower-case'])
  assert.deepEqual(read('2026-03-01 00:00:00Z'), ['2026-03-01T00:00:00.000Z', 'date-blank-separator'])
  assert.deepEqual(read('2023-01-10T00:00:00'), ['2023-01-10T00:00:00.000Z', 'date-without-zone'])
  assert.deepEqual(read('2026-03-01'), ['2026-03-01T00:00:00.000Z', 'date-only'])
})

test('a leap second stays within its minute, and 24:00:00 is the next midnight', () => {
  assert.deepEqual(read('2026-03-01T23:59:60Z'), ['2026-03-01T23:59:59.000Z', 'leap-second'])
  assert.deepEqual(read('2026-03-01T24:00:00Z'), ['2026-03-02T00:00:00.000Z', 'end-of-day-24'])
  assert.deepEqual(read('2026-12-31T24:00:00Z'), ['2027-01-01T00:00:00.000Z', 'end-of-day-24'])
  assert.deepEqual(read('2026-03-01T24:00:00.000+01:00'), ['2026-03-01T23:00:00.000Z', 'end-of-day-24'])
})

test('what is no date-time is not made one', () => {
  const words = ['', 'now', 'today', 'tomorrow', 'infinity', '-infinity', 'epoch', '1772323200', '1772323200000']
  const numbers = ['2026-00-01', '2026-13-01', '2026-02-29', '2026-02-30T00:00:00Z', '2026-04-31', '2026-03-00']
  const times = [
    'T25:00:00Z',
    'T24:00:01Z',
    'T24:01:00Z',
    'T24:00:00.001Z',
    'T00:60:00Z',
    'T00:00:61Z',
    'T00:00Z',
    'T',
    'T00:00:00.Z',
  ]
  const zones = [
    'T00:00:00+24:00',
    'T00:00:00+01:60',
    'T00:00:00+0100',
    'T00:00:00+01',
    'T00:00:00 Z',
    'T00:00:00ZZ',
    'Z',
  ]
  const years = [
    '99999-01-01T00:00:00Z',
    '300000-01-01',
    '0000-01-01T00:00:00Z',
    '0099-01-01',
    '26-03-01',
    '-2026-03-01',
  ]
  const others = [
    '2026-3-1',
    '03/01/2026',
    'Sun, 01 Mar 2026 00:00:00 GMT',
    '2026-03-01T00:00:00Z\n',
    ' 2026-03-01',
    '٢٠٢٦-03-01',
  ]
  for (const text of [
    ...words,
    ...numbers,
    ...[...times, ...zones].map((rest) => `2026-03-01${rest}`),
    ...years,
    ...others,
  ]) {
    assert.equal(readDateTime(text), undefined, text)
  }
})

test('every instant is read back from how JavaScript writes it', () => {
  const instants = fc.date({
    min: new Date('0100-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(instants, (instant) => {
      assert.deepEqual(readDateTime(instant.toISOString()), { instant, seen: [] })
    }),
  )
})

test('what reads as a date-time is the date-time that JavaScript reads, where both do', () => {
  const digits = (max: number) => fc.nat({ max }).map((n) => String(n).padStart(2, '0'))
  const parts = fc.tuple(
    fc.integer({ min: 1900, max: 2100 }),
    digits(14),
    digits(33),
    digits(25),
    digits(61),
    digits(61),
    fc.constantFrom('Z', '+01:30', '-23:59'),
  )
  fc.assert(
    fc.property(parts, ([year, month, day, hour, minute, second, zone]) => {
      const text = `${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`
      const ours = readDateTime(text)
      if (ours === undefined || ours.seen.length > 0) return
      assert.equal(ours.instant.getTime(), Date.parse(text))
    }),
    { numRuns: 1_000 },
  )
})
