/** Who is calling, and how often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeConnectionCount, makeRateCount, plainAddress } from '../../src/transport/peers.ts'

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

test('what comes is counted by minute, and each begins with the first after the one before; IPv6 by /64', () => {
  const take = makeRateCount(2)
  const at = (seconds: number) => 5_000 + seconds * 1000
  assert.deepEqual(
    [0, 1, 2, 59.5].map((seconds) => take('192.0.2.1', at(seconds))),
    [0, 0, 58, 1],
  )
  assert.equal(take('192.0.2.2', at(59)), 0)
  assert.equal(take('192.0.2.1', at(60)), 0)
  assert.deepEqual(
    ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:1::1'].map((address) => take(address, at(61))),
    [0, 0, 59, 0],
  )
})
