import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeResolveAddresses } from '../../src/checks/resolve-addresses.ts'
import type { LookedUp, LookUp } from '../../src/dns/look-up.ts'
import { missing, unreachable } from './seen-domain.ts'

const found = (record: string): LookedUp<'A'> => ({
  kind: 'found',
  records: [record],
  authenticated: false,
  aliases: [],
})
const noName: LookedUp = { ...missing(), reason: 'no-such-name' }

const resolve = (a: LookedUp, aaaa: LookedUp) => {
  const lookUp: LookUp = (_name, type) => Promise.resolve((type === 'A' ? a : aaaa) as LookedUp<typeof type>)
  return makeResolveAddresses(lookUp)('it.example')
}

test('both families are asked for, and one that cannot be told does not hide the other', async () => {
  assert.deepEqual(await resolve(found('192.0.2.1'), found('2001:db8::1')), { kind: 'found', addresses: ['192.0.2.1', '2001:db8::1'] }) // prettier-ignore
  assert.deepEqual(await resolve(unreachable, found('2001:db8::1')), { kind: 'found', addresses: ['2001:db8::1'] })
})

test('a name without addresses, no name, and what cannot be told are three things', async () => {
  assert.deepEqual(await resolve(missing(), missing()), { kind: 'missing', nameExists: true })
  assert.deepEqual(await resolve(noName, noName), { kind: 'missing', nameExists: false })
  assert.deepEqual(await resolve(missing(), unreachable), unreachable)
  assert.deepEqual(await resolve(unreachable, noName), unreachable)
})
