/** Hardening case 208: MX records as they are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMailHosts } from '../../src/checks/mail-hosts.ts'
import { missing, mxRecords, unreachable } from './seen-domain.ts'

const read = (looked: Parameters<typeof readMailHosts>[1], hasAddress = false) =>
  readMailHosts('it.example', looked, hasAddress, 10)

test('hosts come by preference, each once, in one spelling', () => {
  const looked = mxRecords('MX2.it.example', 'mx1.it.example.', 'mx2.IT.example')
  assert.ok(looked.kind === 'found')
  const preferences = [20, 10, 5]
  const records = looked.records.map(({ exchange }, i) => ({ exchange, preference: preferences[i]! }))
  assert.deepEqual(read({ ...looked, records, authenticated: true }), {
    kind: 'hosts',
    hosts: [
      { host: 'mx2.it.example', preference: 5 },
      { host: 'mx1.it.example', preference: 10 },
    ],
    implicit: false,
    authenticated: true,
    odd: [],
    beyond: 0,
  })
})

test('a null MX, no MX, and what cannot be told are three things', () => {
  assert.deepEqual(read(mxRecords('.')), { kind: 'null' })
  assert.deepEqual(read(missing()), { kind: 'none', nameExists: true })
  assert.deepEqual(read({ ...missing(), reason: 'no-such-name' }), { kind: 'none', nameExists: false })
  assert.deepEqual(read(unreachable), { kind: 'unreachable', reason: 'dns-servfail' })
})

test('without an MX record the domain itself is the host, where it has an address', () => {
  assert.partialDeepStrictEqual(read(missing(), true), {
    kind: 'hosts',
    implicit: true,
    hosts: [{ host: 'it.example', preference: 0 }],
  })
})

test('what names no host is set apart, and never looked at', () => {
  const odd = read(mxRecords('127.0.0.1', '::1', '127.1', 'localhost', '.', 'a b.example', 'mx.it.example'))
  assert.ok(odd.kind === 'hosts')
  assert.deepEqual(odd.hosts.map(({ host }) => host), ['mx.it.example']) // prettier-ignore
  assert.deepEqual(odd.odd.map(({ kind }) => kind), ['address', 'address', 'address', 'not-a-host-name', 'null', 'not-a-host-name']) // prettier-ignore
})

test('of 500 hosts ten are kept, and the rest counted', () => {
  const many = read(mxRecords(...Array.from({ length: 500 }, (_, i) => `mx${i}.it.example`)))
  assert.ok(many.kind === 'hosts')
  assert.deepEqual([many.hosts.length, many.beyond], [10, 490])
})
