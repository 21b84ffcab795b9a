/** What senders write as failure-reason-code, in words (RFC 8460 §4.4). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainReasonCode } from '../../src/checks/reason-codes.ts'

for (const [code, resultType, words] of [
  ['X509_V_ERR_CERT_HAS_EXPIRED', 'certificate-expired', /expired/],
  ['X509_V_ERR_HOSTNAME_MISMATCH', 'certificate-host-mismatch', /another name/],
  ['X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN', 'certificate-not-trusted', /authority that the sender does not trust/],
  ['X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate-not-trusted', /signed by itself/],
  ['X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate-not-trusted', /intermediate/],
  ['X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED', 'certificate-not-trusted', /proxy certificate/],
  ['x509_v_err_ca_md_too_weak', 'certificate-not-trusted', /too weak/],
  ['404', 'sts-policy-fetch-error', /no policy at .*mta-sts\.txt/],
  ['HTTP 301', 'sts-policy-fetch-error', /redirects \(301\), and senders do not follow/],
  ['500', 'sts-policy-fetch-error', /web server of the policy fails/],
  ['418', 'sts-policy-fetch-error', /answers 418, and only 200 counts/],
  ['MX_HOSTS_MISMATCH', 'validation-failure', /not one that the MTA-STS policy lists/],
  ['VALIDATION_FAILURE', 'validation-failure', /no more than that validation failed/],
  ['CertificateUnknown', 'certificate-not-trusted', /did not take the certificate/],
  ['tlsv1 alert: unknown ca', 'certificate-not-trusted', undefined],
  ['unknown_ca', 'certificate-not-trusted', /authority that the sender does not trust/],
  ['handshake failure', 'validation-failure', /TLS parameters/],
] as const) {
  test(`${code} under ${resultType} is ${words === undefined ? 'left as it is' : String(words)}`, () => {
    const meaning = explainReasonCode(code, resultType)
    if (words === undefined) assert.equal(meaning, undefined)
    else assert.match(meaning ?? '', words)
  })
}

test('what nobody knows stays as it is: other words, other numbers, names that stand on every object', () => {
  for (const code of ['', ' ', 'our own word', 'X509_V_ERR_', 'X509_V_ERR_NEVER_HEARD_OF', '999', '42', 'constructor', '__proto__', '💥'])
    assert.equal(explainReasonCode(code, 'validation-failure'), undefined, code)
  assert.equal(explainReasonCode('404', 'certificate-expired'), undefined, 'a number is a status only of a fetch')
}) // prettier-ignore
