import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { domainName, hostName } from '../../src/tlsrpt/domain-name.ts'

test('any spelling of a name becomes the same one', () => {
  const spellings = [
    'xn--mnchen-3ya.example',
    'XN--MNCHEN-3YA.Example.',
    'MÜNCHEN.Example.',
    'münchen.example',
    ' münchen。example ',
    'mu\u0308nchen.example',
  ]
  for (const text of spellings) assert.equal(domainName(text), 'xn--mnchen-3ya.example', text)
})

test('host names of every shape are names', () => {
  for (const text of ['localhost', 'a.b', '1.example', '1and1.example', 'a--b.example', 'xn--p1ai', 'faß.de', 'a-1']) {
    assert.equal(typeof domainName(text), 'string', text)
  }
})

test('what is no host name is none', () => {
  const addresses = [
    '192.0.2.1',
    '1.2.3.4.',
    '[::1]',
    '::1',
    '0x7f.1',
    '0x7f',
    'example.1',
    '1',
    '１９２.0.2.1',
    '[192.0.2.1]',
  ]
  const labels = ['', '.', '..', 'a..b', '.a', 'a.b..', '-a.example', 'a-.example', 'a_b.example', '*.example', '*']
  const others = [
    'a b.example',
    'x.example@y',
    'a/b',
    'a:25',
    'a\\b',
    'a?b',
    'a#b',
    'a%2eb',
    '%41.example',
    'a\tb',
    'a\nb',
    'a\0b',
    'ü/b.example',
    'ü%41',
    'ü\tb.example',
    'ü@b',
    'ü:25',
    'a\u200db.example',
    '😀／x.example',
  ]
  for (const text of [...addresses, ...labels, ...others]) assert.equal(domainName(text), undefined, text)
})

test('a label has at most 63 bytes and a name 253', () => {
  const label = 'a'.repeat(63)
  assert.equal(domainName(`${label}.example`), `${label}.example`)
  assert.equal(domainName(`${label}a.example`), undefined)
  const longest = [label, label, label, 'a'.repeat(61)].join('.')
  assert.equal(domainName(`${longest}.`), longest)
  assert.equal(domainName(`a${longest}`), undefined)
  assert.equal(domainName(`${'ü'.repeat(63)}.example`), undefined)
  assert.equal(domainName('a'.repeat(1_000_000)), undefined)
})

test('a name is its own spelling, and never holds what a host name cannot', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.domain(), fc.stringMatching(/^[a-zA-Z0-9ü.-]{1,20}$/))
  fc.assert(
    fc.property(text, (spelling) => {
      const name = domainName(spelling)
      if (name === undefined) return
      assert.match(name, /^[a-z0-9.-]{1,253}$/)
      assert.equal(domainName(name), name)
      assert.equal(domainName(`${name.toUpperCase()}.`), name)
    }),
    { numRuns: 300 },
  )
})

test('a host name may be a pattern, and is kept as text in lower case where it is no name', () => {
  assert.equal(hostName('*.MÜNCHEN.example.'), '*.xn--mnchen-3ya.example')
  assert.equal(hostName('MX1.Rcpt.Example.'), 'mx1.rcpt.example')
  assert.equal(hostName('mx_1.rcpt.example.'), 'mx_1.rcpt.example')
  assert.equal(hostName('[192.0.2.1]'), '[192.0.2.1]')
  assert.equal(hostName('192.0.2.1'), '192.0.2.1')
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9.-]*[a-z0-9]$/), (text) => {
      assert.equal(hostName(text), text)
    }),
  )
})
