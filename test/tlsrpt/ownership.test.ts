import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeOwnership, organizationalDomain } from '../../src/tlsrpt/ownership.ts'

const own = (domain: string, includeSubdomains = true, mx: string[] = []) => ({ domain, includeSubdomains, mx })

test('a domain covers its subdomains, unless it says not', () => {
  const { ownerOf } = makeOwnership([own('wide.example'), own('narrow.example', false)], false)
  assert.equal(ownerOf('wide.example'), 'wide.example')
  assert.equal(ownerOf('a.b.wide.example'), 'wide.example')
  assert.equal(ownerOf('narrow.example'), 'narrow.example')
  assert.equal(ownerOf('a.narrow.example'), undefined)
  assert.equal(ownerOf('notwide.example'), undefined)
  assert.equal(ownerOf('example'), undefined)
})

test('the most specific domain wins, and one without subdomains leaves them to its parent', () => {
  const { ownerOf } = makeOwnership([own('x.example'), own('sub.x.example'), own('shut.x.example', false)], false)
  assert.equal(ownerOf('a.sub.x.example'), 'sub.x.example')
  assert.equal(ownerOf('a.shut.x.example'), 'x.example')
})

test('under the star a report belongs to the organisational domain, after what is listed', () => {
  const { ownerOf } = makeOwnership([own('listed.other.example')], true)
  assert.equal(ownerOf('mail.some.example'), 'some.example')
  assert.equal(ownerOf('x.listed.other.example'), 'listed.other.example')
  assert.equal(ownerOf('a.b.co.uk'), 'b.co.uk')
  assert.equal(ownerOf('co.uk'), undefined)
})

test('a host serves the domains it is listed for', () => {
  const { ownersOfMx } = makeOwnership(
    [own('b.example', true, ['mx.host.example']), own('a.example', true, ['mx.host.example'])],
    false,
  )
  assert.deepEqual(ownersOfMx('mx.host.example'), ['a.example', 'b.example'])
  assert.deepEqual(ownersOfMx('mx2.host.example'), [])
})

test('private suffixes are suffixes: what a hoster hands out are organisations of their own', () => {
  assert.equal(organizationalDomain('a.user.github.io'), 'user.github.io')
  assert.equal(organizationalDomain('github.io'), undefined)
})
