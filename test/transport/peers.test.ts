/** Who is calling, and how often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainAddress } from '../../src/addresses.ts'
import { makeConnectionCount } from '../../src/transport/peers.ts'

test('an address has one spelling, and what is no address has none', () => {
  for (const [written, plain] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:201', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['127.1', undefined],
    ['0x7f.0.0.1', undefined],
    ['1', undefined],
    ['[::1]', undefined],
    ['192.0.2.1:80', undefined],
    ['unknown', undefined],
    ['', undefined],
    [undefined, undefined],
  ]) {
    assert.equal(plainAddress(written), plain, written)
  }
})

test('connections are counted by /24 and /64, and given back', () => {
  const enter = makeConnectionCount({ total: 4, perAddress: 2, perNetwork: 3 })
  const leave = enter('2001:db8::1', false)
  assert.ok(leave && enter('2001:db8::1', false))
  assert.equal(enter('2001:db8::1', false), undefined, 'the address is full')
  assert.ok(enter('2001:db8::2', false))
  assert.equal(enter('2001:db8::ffff', false), undefined, 'the network is full')
  assert.ok(enter('2001:db8:0:1::1', false), 'another network')
  assert.equal(enter('192.0.2.1', true), undefined, 'all is full')
  leave()
  assert.ok(enter('2001:db8::ffff', false))
})
