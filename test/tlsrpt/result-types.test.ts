import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resultTypes } from '../../src/tlsrpt/result-types.ts'

test('the registered result types are all there, in the groups of RFC 8460', () => {
  const groups = Object.groupBy(resultTypes, ({ group, section }) => `${section} ${group}`)
  const names = Object.entries(groups).map(([group, types]) => [group, types!.map(({ name }) => name)])
  assert.deepEqual(Object.fromEntries(names), {
    '4.3.1 negotiation': [
      'starttls-not-supported',
      'certificate-host-mismatch',
      'certificate-expired',
      'certificate-not-trusted',
    ],
    '4.3.2.1 policy-dane': ['tlsa-invalid', 'dnssec-invalid', 'dane-required'],
    '4.3.2.2 policy-mta-sts': ['sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'],
    '4.3.3 general': ['validation-failure'],
  })
})

test('only failures to get an MTA-STS policy let the mail through', () => {
  const delivered = resultTypes.filter(({ enforceRefuses }) => !enforceRefuses).map(({ name }) => name)
  assert.deepEqual(delivered, ['sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'])
})

test('every result type is explained in a sentence, with one or two on what to do', () => {
  for (const { name, meaning, fix } of resultTypes) {
    assert.match(meaning, /^[A-Z].*\.$/, name)
    assert.match(fix, /^[A-Z].*\.$/, name)
  }
})
