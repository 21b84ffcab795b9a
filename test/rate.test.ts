import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerOf } from '../src/addresses.ts'
import { makeRateCount } from '../src/rate.ts'

test('what comes is counted by minute, and each begins with the first after the one before', () => {
  const take = makeRateCount(2)
  const at = (seconds: number) => 5_000 + seconds * 1000
  assert.deepEqual([0, 1, 2, 59.5].map((seconds) => take('a', at(seconds))), [0, 0, 58, 1]) // prettier-ignore
  assert.equal(take('b', at(59)), 0)
  assert.equal(take('a', at(60)), 0)
})

test('a caller is an address, of IPv6 a /64', () => {
  assert.equal(callerOf('192.0.2.1'), '192.0.2.1')
  assert.equal(callerOf('2001:db8::1'), callerOf('2001:db8::2'))
  assert.notEqual(callerOf('2001:db8::1'), callerOf('2001:db8:1::1'))
})
