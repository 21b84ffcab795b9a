/** How the page writes what it was told, above all what a sender wrote. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from '../../src/dashboard/panels/network.ts'
import { count, percent, readableDomain, visible, webAddress } from '../../src/dashboard/words.ts'

test('controls, bidirectional and invisible characters are named, all other text stays as it is', () => {
  assert.equal(visible('a\u202Eb\u0007\u200Bc\uFEFF'), 'a⟨U+202E⟩b⟨U+0007⟩⟨U+200B⟩c⟨U+FEFF⟩')
  for (const text of ['<img src=x onerror=alert(1)>', '{{7*7}}', 'plain\ttext\nlines', 'äöü 漢字 🙂'])
    assert.equal(visible(text), text)
})

test('only what leads to the web is a link', () => {
  assert.equal(webAddress('https://example.com/a?b'), 'https://example.com/a?b')
  for (const text of [
    'javascript:alert(1)',
    'JaVaScRiPt:x',
    'data:text/html,x',
    '//evil.example',
    'https://',
    'mailto:a@b',
    ' https://a.example',
  ])
    assert.equal(webAddress(text), undefined, text)
})

test('a share is never rounded to all or to none', () => {
  assert.equal(percent(999_999, 1_000_000), '> 99.9%')
  assert.equal(percent(1, 1_000_000), '< 0.1%')
  assert.equal(percent(0, 5), '0%')
  assert.equal(percent(5, 5), '100%')
  assert.equal(percent(0, 0), '–')
})

test('counts beyond 2^53 keep every digit', () => {
  assert.equal(count('9007199254740993').replace(/\D/g, ''), '9007199254740993')
})

test('an internationalised domain is read as its U-label, and a broken one as it stands', () => {
  assert.equal(readableDomain('xn--bcher-kva.example'), 'bücher.example')
  assert.equal(readableDomain('xn--.example'), 'xn--.example')
})

test('addresses go by their /24 or /48', () => {
  assert.equal(networkOf('192.0.2.17'), '192.0.2.0/24')
  assert.equal(networkOf('2001:db8:17::25'), '2001:db8:17::/48')
  assert.equal(networkOf('2001:db8::25'), '2001:db8:0::/48')
  assert.equal(networkOf('::1'), '0:0:0::/48')
  assert.equal(networkOf('not an address'), undefined)
  assert.equal(networkOf(null), undefined)
})
