/** P10: what our table of addresses says is what the system's own says (net.BlockList). */
import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeAddressTest, networkOf } from '../../src/addresses.ts'

/** Near each other, or a range would seldom hold an address. */
const v4 = fc.tuple(fc.constantFrom(0, 10, 127, 192, 255), fc.nat(3), fc.nat(3), fc.nat(255)).map((bytes) => bytes.join('.')) // prettier-ignore
const v6 = fc
  .tuple(fc.constantFrom('::', '2001:db8::', 'fe80::', 'ff02::', '2001:db8:0:1::'), fc.nat(0xffff))
  .map(([network, host]) => `${network}${host.toString(16)}`)
const mapped = v4.map((address) => `::ffff:${address}`)
const address = fc.oneof(v4, v6, mapped)
const range = fc.oneof(
  fc.tuple(v4, fc.nat(32)).map(([network, bits]) => ({ network, bits })),
  fc.tuple(v6, fc.nat(128)).map(([network, bits]) => ({ network, bits })),
)
const family = (written: string) => (isIPv4(written) ? 'ipv4' : 'ipv6')
const plain = (written: string) => written.replace(/^::ffff:(?=\d+\.)/, '')

test('P10: an address is in a list of ranges if and only if the system says so', () => {
  let inside = 0
  fc.assert(
    fc.property(fc.array(range, { maxLength: 4 }), address, (ranges, asked) => {
      const isInRange = makeAddressTest(ranges.map(({ network, bits }) => `${network}/${bits}`))
      const list = new BlockList()
      const kind = family(plain(asked)) // To the system any IPv4 address is in ::/0, to us none.
      for (const { network, bits } of ranges) if (family(network) === kind) list.addSubnet(network, bits, kind)
      const expected = list.check(plain(asked), kind)
      inside += expected ? 1 : 0
      assert.equal(isInRange(asked), expected)
    }),
    { numRuns: 2_000 },
  )
  assert.ok(inside > 100)
})

test('P10: an address is in its own network, and two are in one network if and only if the first is in that of the second', () => {
  fc.assert(
    fc.property(address, address, (one, other) => {
      assert.ok(makeAddressTest([networkOf(one)])(one))
      assert.equal(makeAddressTest([networkOf(other)])(one), networkOf(one) === networkOf(other))
    }),
    { numRuns: 2_000 },
  )
})

test('P10: what is no address is in no range and in no network', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/^[\da-f.:]+$/i.test(text))
      assert.equal(makeAddressTest(['0.0.0.0/0', '::/0'])(text), false)
      assert.equal(networkOf(text), 'unknown')
    }),
  )
})

test('a range of v4-mapped addresses is the range of IPv4 addresses that it maps', () => {
  const isInRange = makeAddressTest(['::ffff:10.0.0.0/104'])
  for (const inside of ['10.1.2.3', '::ffff:10.1.2.3']) assert.equal(isInRange(inside), true)
  for (const outside of ['11.0.0.1', '::a01:203']) assert.equal(isInRange(outside), false)
})
