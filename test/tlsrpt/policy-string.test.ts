import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policyMaxAge } from '../../src/tlsrpt/policy-string.ts'

for (const [policyString, expected] of [
  [['version: STSv1', 'mode: testing', 'mx: *.example.com', 'max_age: 604800'], 604_800],
  [['version:STSv1', 'max_age:86400'], 86_400],
  [['version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmax_age: 31557600\r\n'], 31_557_600],
  [[' MAX_AGE : 5 '], 5],
  [['max_age: 0'], 0],
  [['max_age: 1', 'max_age: 2'], 1],
  [['max_age: -1'], undefined],
  [['max_age: 1.5'], undefined],
  [['max_age: soon'], undefined],
  [['max_age: 99999999999'], undefined],
  [['note: max_age: 5'], undefined],
  [[], undefined],
] as const) {
  test(`max_age of ${JSON.stringify(policyString)} is ${String(expected)}`, () =>
    assert.equal(policyMaxAge('sts', policyString), expected))
}

test('only an STS policy has a max_age', () => {
  assert.equal(policyMaxAge('tlsa', ['max_age: 5']), undefined)
})
