import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { comparePolicies, readPolicyString, samePolicy } from '../../src/mtasts/compare.ts'
import { formatPolicy, parsePolicy, type StsPolicy } from '../../src/mtasts/policy.ts'

const policy: StsPolicy = { mode: 'testing', maxAge: 604_800, mx: ['mx1.example.com', '*.example.net'] }

function read(policyString: string[]): StsPolicy {
  const result = readPolicyString(policyString)
  assert.ok(result.kind === 'valid')
  return result.policy
}

test('order, letter case, line endings and unknown keys make no other policy', () => {
  const inReport = ['mx: *.example.NET', 'version: STSv1', 'max_age: 0604800 ', 'mx: mx1.example.com', 'note: x', 'mode: testing'] // prettier-ignore
  assert.ok(samePolicy(policy, read(inReport)))
  fc.assert(
    fc.property(fc.shuffledSubarray(inReport, { minLength: inReport.length }), (lines) => {
      assert.ok(samePolicy(policy, read(lines)))
    }),
  )
})

test('another mode, max_age or mx is another policy, and the difference is told', () => {
  assert.deepEqual(comparePolicies(policy, { ...policy, mode: 'enforce' }), {
    mode: { from: 'testing', to: 'enforce' },
    mxAdded: [],
    mxRemoved: [],
  })
  assert.deepEqual(comparePolicies(policy, { ...policy, maxAge: 1 }).maxAge, { from: 604_800, to: 1 })
  assert.deepEqual(comparePolicies(policy, { ...policy, mx: ['*.example.net', 'mx2.example.com'] }), {
    mxAdded: ['mx2.example.com'],
    mxRemoved: ['mx1.example.com'],
  })
  assert.ok(!samePolicy(policy, { ...policy, mx: ['mx1.example.com'] }))
})

test('a policy is the same as itself read from a report, one line an element, with what ended them left on', () => {
  const text = formatPolicy(policy)
  assert.ok(samePolicy(policy, read(text.trimEnd().split('\r\n'))))
  const parsed = parsePolicy(text)
  assert.ok(parsed.kind === 'valid' && samePolicy(policy, parsed.policy))
  assert.equal(readPolicyString([]).kind, 'invalid')
})
