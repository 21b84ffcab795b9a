/** Hardening case 207: what may be checked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDomainInput } from '../../src/checks/domain-input.ts'

const read = (text: string, open = false) => {
  const input = readDomainInput(text, open)
  return input.kind === 'domain' ? input.domain : input.kind
}

test('a domain below a public suffix is taken in any spelling', () => {
  assert.equal(read('example.com'), 'example.com')
  assert.equal(read(' Mail.Example.CO.UK. '), 'mail.example.co.uk')
  assert.equal(read('münchen.de'), 'xn--mnchen-3ya.de')
  assert.equal(read('somebody.github.io'), 'somebody.github.io')
})

test('addresses, local names and what only looks like a name are refused, also where local names are open', () => {
  for (const text of [
    '',
    '.',
    'localhost',
    'a.localhost',
    'mail',
    'com',
    'co.uk',
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '::1',
    '①②⑦.1',
    'a_b.com',
    'example.com/x',
    'http://example.com',
    'a b.com',
    `${'a'.repeat(64)}.com`,
    '*.example.com',
    'user@example.com',
  ]) {
    // prettier-ignore
    assert.equal(read(text), 'refused', text)
    assert.equal(read(text, true), 'refused', text)
  }
})

test('names that only a local DNS knows are for the operator to open', () => {
  for (const text of [
    'mail.test',
    'good.example',
    'mx.corp',
    'printer.local',
    'x.onion',
    'host.internal',
    'a.invalid',
  ]) {
    assert.equal(read(text), 'refused', text)
    assert.equal(read(text, true), text)
  }
})

test('a refusal says why', () => {
  const input = readDomainInput('co.uk', false)
  assert.ok(input.kind === 'refused' && input.message.includes('public suffix'))
})
