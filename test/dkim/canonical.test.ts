import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalizeBody, canonicalizeField, splitMessage } from '../../src/dkim/canonical.ts'

const mebibyte = 1024 * 1024

function bodyOf(text: string, canonicalization: 'simple' | 'relaxed'): string {
  return canonicalizeBody(Buffer.from(text, 'latin1'), canonicalization).toString('latin1')
}

function fieldsOf(message: string): [string, string][] {
  return splitMessage(Buffer.from(message, 'latin1')).fields.map(({ name, raw }) => [name, raw])
}

test('the example of RFC 6376 section 3.4.5, relaxed', () => {
  const { fields, body } = splitMessage(Buffer.from('A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n'))
  assert.deepEqual(
    fields.map((field) => canonicalizeField(field, 'relaxed')),
    ['a:X', 'b:Y Z'],
  )
  assert.equal(canonicalizeBody(body, 'relaxed').toString(), ' C\r\nD E\r\n')
})

test('the example of RFC 6376 section 3.4.5, simple', () => {
  const { fields, body } = splitMessage(Buffer.from('A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n'))
  assert.deepEqual(
    fields.map((field) => canonicalizeField(field, 'simple')),
    ['A: X', 'B : Y\t\r\n\tZ  '],
  )
  assert.equal(canonicalizeBody(body, 'simple').toString(), ' C \r\nD \t E\r\n')
})

test('an empty body is CRLF when simple and nothing when relaxed', () => {
  for (const text of ['', '\r\n', '\r\n\r\n\r\n']) {
    assert.equal(bodyOf(text, 'simple'), '\r\n')
    assert.equal(bodyOf(text, 'relaxed'), '')
  }
  assert.equal(bodyOf(' \t\r\n \r\n', 'relaxed'), '')
  assert.equal(bodyOf(' \r\n', 'simple'), ' \r\n')
})

test('a body without a last line break gets one', () => {
  assert.equal(bodyOf('a', 'simple'), 'a\r\n')
  assert.equal(bodyOf('a', 'relaxed'), 'a\r\n')
  assert.equal(bodyOf('a \t', 'relaxed'), 'a\r\n')
})

test('a bare CR or LF in the body is no line break', () => {
  assert.equal(bodyOf('a \r\r\n\r\n', 'relaxed'), 'a \r\r\n')
  assert.equal(bodyOf('a\r\r\n\r\n', 'simple'), 'a\r\r\n')
  assert.equal(bodyOf('a \n\nb\r\n\n', 'relaxed'), 'a \n\nb\r\n\n\r\n')
  assert.equal(bodyOf('a\r', 'simple'), 'a\r\r\n')
})

test('every octet comes through', () => {
  const octets = Buffer.from(Array.from({ length: 256 }, (_, i) => i).filter((i) => i !== 0x20 && i !== 0x09))
  assert.deepEqual(canonicalizeBody(octets, 'relaxed'), Buffer.concat([octets, Buffer.from('\r\n')]))
  const [field] = splitMessage(Buffer.concat([Buffer.from('X:'), octets.subarray(100)])).fields
  assert.equal(canonicalizeField(field!, 'relaxed'), `x:${octets.subarray(100).toString('latin1')}`)
})

test('blanks inside a relaxed field become one, and none at its ends', () => {
  const [field] = splitMessage(Buffer.from('Sub-Ject \r\n\t:\t a:\r\n \r\n\tb  c \r\n ')).fields
  assert.equal(canonicalizeField(field!, 'relaxed'), 'sub-ject:a: b c')
})

test('folded lines belong to their field, and a line that is no field has no name', () => {
  assert.deepEqual(
    fieldsOf('>From x Mon Mar 2 03:00:00\r\nA: 1\r\n\t2\r\nno colon\r\n 3: 4\r\nM\u00fc: 5\r\n: 6\r\n\r\nB: 7'),
    [
      ['', '>From x Mon Mar 2 03:00:00'],
      ['a', 'A: 1\r\n\t2'],
      ['', 'no colon\r\n 3: 4'],
      ['', 'M\u00fc: 5'],
      ['', ': 6'],
    ],
  )
})

test('a message may be all header, or have none', () => {
  const allHeader = splitMessage(Buffer.from('A: 1\r\nB: 2'))
  assert.deepEqual([allHeader.fields.length, allHeader.body.length], [2, 0])
  const endsInBreak = splitMessage(Buffer.from('A: 1\r\nB: 2\r\n\r\n'))
  assert.deepEqual([endsInBreak.fields.length, endsInBreak.body.length], [2, 0])
  const noHeader = splitMessage(Buffer.from('\r\nA: 1\r\n\r\nx'))
  assert.deepEqual([noHeader.fields.map((field) => field.name), noHeader.body.toString()], [[''], 'A: 1\r\n\r\nx'])
})

test('bare line breaks are seen in the header only', () => {
  const bare = (text: string) => splitMessage(Buffer.from(text)).hasBareLineBreak
  for (const text of ['A: 1\nB: 2\r\n\r\n', 'A: 1\rB: 2\r\n\r\n', '\nA: 1\r\n\r\n', 'A: 1\r\r\n\r\n', 'A: 1\r']) {
    assert.equal(bare(text), true, JSON.stringify(text))
  }
  for (const text of ['A: 1\r\nB: 2\r\n\r\na\nb\rc', 'A: 1\r\n', '\r\n\n'])
    assert.equal(bare(text), false, JSON.stringify(text))
})

const hostileBodies = {
  'one line': 'x'.repeat(10 * mebibyte),
  'blanks before the last character': `${' '.repeat(10 * mebibyte)}x`,
  'a blank after every character': 'x '.repeat(5 * mebibyte),
  'empty lines': `${'\r\n'.repeat(5 * mebibyte)}x`,
}

for (const [name, text] of Object.entries(hostileBodies)) {
  test(`10 MiB of body take time in proportion: ${name}`, () => {
    const body = Buffer.from(text)
    for (const canonicalization of ['simple', 'relaxed'] as const) {
      const start = performance.now()
      canonicalizeBody(body, canonicalization)
      const milliseconds = performance.now() - start
      assert.ok(milliseconds < 1000, `${canonicalization}: ${milliseconds} ms`)
    }
  })
}

test('blanks without end in a header field take time in proportion', () => {
  const [field] = splitMessage(Buffer.from(`From: a${' '.repeat(10 * mebibyte)}b`)).fields
  const start = performance.now()
  assert.equal(canonicalizeField(field!, 'relaxed'), 'from:a b')
  assert.ok(performance.now() - start < 1000)
})
