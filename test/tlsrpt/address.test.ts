import assert from 'node:assert/strict'
import { isIP, SocketAddress } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { isPlainAddress, isV4Mapped, readAddress } from '../../src/tlsrpt/address.ts'

test('an address in canonical form is itself', () => {
  for (const ip of [
    '192.0.2.1',
    '2001:db8::1',
    '::1',
    '::',
    '1:2:3:4:5:6:7:8',
    '2001:db8:0:1::',
    '1:0:2:3:4:5:6:7',
    '::ffff:192.0.2.1',
  ]) {
    assert.deepEqual(readAddress(ip), { ip })
  }
})

test('another spelling of an address stands beside its canonical form', () => {
  const spellings: [raw: string, ip: string][] = [
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:abcd:0012::1', '2001:db8:abcd:12::1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6::8', '1:2:3:4:5:6:0:8'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['::FFFF:c000:0201', '::ffff:192.0.2.1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[192.0.2.1]', '192.0.2.1'],
    [' 192.0.2.1', '192.0.2.1'],
  ]
  for (const [raw, ip] of spellings) assert.deepEqual(readAddress(raw), { ip, raw })
})

test('what is no address that Postgres takes has only its text', () => {
  const others = [
    'unknown',
    'x.x.x.x',
    'fe80::1%eth0',
    '[fe80::1%eth0]',
    '192.0.2.0/24',
    '2001:db8::/32',
    '010.0.0.1',
    '192.0.2',
    '256.0.0.1',
    '[[::1]]',
    '::1]',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '192.0.2.1:25',
    '::1]/@a.example',
    'a'.repeat(5_000),
  ]
  for (const raw of others) assert.deepEqual(readAddress(raw), { raw })
})

test('only an IPv4 address written as IPv6 counts as mapped', () => {
  assert.equal(isV4Mapped('::ffff:192.0.2.1'), true)
  for (const ip of ['192.0.2.1', '::ffff:1', '2001:db8::ffff']) assert.equal(isV4Mapped(ip), false)
})

test('every spelling of an IPv6 address becomes the one that the system writes', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  const spelling = fc
    .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), fc.boolean(), fc.boolean(), fc.nat(7), fc.nat(8))
    .map(([groups, upper, padded, from, length]) => {
      const hex = groups.map((n) => n.toString(16).padStart(padded ? 4 : 1, '0'))
      const zeros = groups.slice(from, from + length)
      const compressed = zeros.length > 0 && zeros.every((n) => n === 0)
      const text = compressed ? `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}` : hex.join(':')
      return upper ? text.toUpperCase() : text
    })
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), spelling), (text) => {
      const { ip, raw } = readAddress(text)
      assert.equal(isIP(ip!), 6)
      const systems = new SocketAddress({ address: text, family: 'ipv6' }).address
      // RFC 5952 §5 leaves ::192.0.2.1 open, which some write dotted.
      if (!/^::\d+\./.test(systems)) assert.equal(ip, systems)
      assert.equal(raw, ip === text ? undefined : text)
      assert.deepEqual(readAddress(ip!), { ip })
    }),
    { numRuns: 2_000 },
  )
})

test('a plain address is one that is read as itself', () => {
  const group = fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 1, max: 0xffff }).map((n) => n.toString(16)) },
    { weight: 1, arbitrary: fc.constantFrom('0', '0a', 'A', 'abcde', '', 'g', '192.0.2.1') },
  )
  const groups = fc.tuple(fc.array(group, { maxLength: 8 }), fc.array(group, { maxLength: 4 }))
  const likely = groups.map(([before, behind]) => `${before.join(':')}::${behind.join(':')}`)
  const full = fc.array(group, { minLength: 7, maxLength: 9 }).map((all) => all.join(':'))
  const octets = fc.array(fc.oneof(fc.nat(260).map(String), fc.constant('01')), { minLength: 3, maxLength: 5 })
  const text = fc.oneof(fc.ipV6(), fc.ipV4Extended(), likely, full, octets.map((all) => all.join('.'))) // prettier-ignore
  let plain = 0
  fc.assert(
    fc.property(text, (address) => {
      if (!isPlainAddress(address)) return
      plain++
      assert.deepEqual(readAddress(address), { ip: address })
    }),
    { numRuns: 5_000 },
  )
  assert.ok(plain > 250, String(plain))
  for (const address of ['192.0.2.1', '2001:db8::1', '2001:db8:1:2::3:4', '1:2:3:4:5:6:7:8']) {
    assert.ok(isPlainAddress(address), address)
  }
})
