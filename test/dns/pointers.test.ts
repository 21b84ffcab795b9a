/** What is told of a message's pointers is what who follows each of them finds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encode } from 'dns-packet'
import { mostPointers } from '../../src/dns/pointers.ts'

/** By following: as RFC 1035 §4.1.4 has it, from each octet anew. */
function byFollowing(message: Uint8Array): number {
  const from = (start: number): number => {
    let at = start
    while (at < message.length && message[at]! > 0 && message[at]! < 0x40) at += message[at]! + 1
    if (at + 1 >= message.length || message[at]! < 0xc0) return 0
    const target = ((message[at]! & 0x3f) << 8) | message[at + 1]!
    return target < start ? 1 + from(target) : 1
  }
  return Math.max(0, ...Array.from(message, (_, at) => from(at)))
}

test('whatever the bytes, the most pointers are those that one finds who follows them from each octet', () => {
  const octet = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0xc0), fc.nat(40))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), fc.array(octet, { maxLength: 120 }), (head, rest) => {
      const message = Uint8Array.from([...head, ...rest])
      assert.equal(mostPointers(message), byFollowing(message))
    }),
    { numRuns: 2_000 },
  )
})

test('a chain is counted to its end, also through labels', () => {
  assert.equal(mostPointers(Uint8Array.of(0, 0xc0, 0, 0xc0, 1, 0xc0, 3)), 3)
  assert.equal(mostPointers(Uint8Array.of(1, 97, 0, 1, 98, 0xc0, 0, 1, 99, 0xc0, 3)), 2)
  assert.equal(mostPointers(Uint8Array.of(0xc0, 0)), 1) // Onto itself: no chain, and the decoder refuses it.
})

test('an honest message has few', () => {
  const name = '_25._tcp.mx.example'
  const answers = [1, 2, 3].map((preference) => ({ type: 'MX' as const, name, data: { preference, exchange: `mx${preference}.example` } })) // prettier-ignore
  assert.ok(mostPointers(encode({ type: 'response', questions: [{ type: 'MX', name }], answers })) <= 2)
})
