/** RFC 8460 §4.4, "failure-reason-code": what senders write there, in words. The field is free text; few words are common. */

/**
 * What the sender says by it, as the end of "that is: ...", or undefined for words that nobody knows: they stay as they
 * are. `resultType` because a number is an HTTP status only where a policy was fetched.
 */
export function explainReasonCode(code: string, resultType: string): string | undefined {
  const trimmed = code.trim()
  const status = /^(?:HTTP[ /]?)?([1-5]\d\d)$/i.exec(trimmed)?.[1]
  if (status !== undefined) return isOfFetch(resultType) ? explainStatus(Number(status)) : undefined
  const verify = /^X509_V_ERR_(\w+)$/i.exec(trimmed)?.[1]?.toUpperCase()
  if (verify !== undefined) return openSsl.get(verify)
  return others.get(trimmed.toLowerCase().replace(/[^a-z]/g, ''))
}

/** Fetching is all that these two are about; under a bad certificate (sts-webpki-invalid) no status is seen. */
const isOfFetch = (resultType: string): boolean =>
  resultType === 'sts-policy-fetch-error' || resultType === 'sts-policy-invalid'

/** RFC 8461 §3.3: only 200 is an answer, and redirects are not followed. */
function explainStatus(status: number): string {
  switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return `the policy host redirects (${status}), and senders do not follow`
    case 401:
    case 403:
      return `the policy host does not let the sender read the policy (${status})`
    case 404:
    case 410:
      return `there is no policy at /.well-known/mta-sts.txt (${status})`
    case 429:
      return 'the policy host says that it is asked too often (429)'
    default:
      return status >= 500 ? `the web server of the policy fails (${status})` : `the policy host answers ${status}, and only 200 counts` // prettier-ignore
  }
}

const selfSigned = 'the certificate is signed by itself, and by no authority'
const noIssuer = 'the certificate of the authority above is missing: most often the server sends no intermediate certificates' // prettier-ignore
const unknownAuthority = 'the chain ends at an authority that the sender does not trust'
const expired = 'the certificate has expired'
const notYet = 'the certificate is not valid yet'
const otherName = 'the certificate is for another name'
const weak = 'a key or signature in the chain is too weak for the sender'
const badSignature = 'a signature in the chain is not valid'
const badAuthority = 'a certificate in the chain is not one that may sign others'
const badField = 'the certificate is malformed'
const badNames = 'an authority in the chain may not sign for this name'
const noRevocation = 'the sender could not find out whether the certificate was revoked'
const mxNotListed = 'the MX host is not one that the MTA-STS policy lists'

/** https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/, without X509_V_ERR_; Postfix and others write them. */
const openSsl = new Map([
  ['UNABLE_TO_GET_ISSUER_CERT', noIssuer],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', noIssuer],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', noIssuer],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', selfSigned],
  ['SELF_SIGNED_CERT_IN_CHAIN', unknownAuthority],
  ['CERT_UNTRUSTED', unknownAuthority],
  ['CERT_REJECTED', 'the sender is told to reject this certificate'],
  ['CERT_HAS_EXPIRED', expired],
  ['CERT_NOT_YET_VALID', notYet],
  ['HOSTNAME_MISMATCH', otherName],
  ['IP_ADDRESS_MISMATCH', 'the certificate is for another address'],
  ['CERT_REVOKED', 'the certificate was revoked by its authority'],
  ['CERT_SIGNATURE_FAILURE', badSignature],
  ['UNABLE_TO_DECRYPT_CERT_SIGNATURE', badSignature],
  ['UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', badField],
  ['CERT_CHAIN_TOO_LONG', 'the chain is longer than the sender follows'],
  ['PATH_LENGTH_EXCEEDED', 'an authority in the chain may not have another one below it'],
  ['PROXY_PATH_LENGTH_EXCEEDED', 'a proxy certificate in the chain may not have another one below it'],
  ['PROXY_CERTIFICATES_NOT_ALLOWED', 'a proxy certificate is in the chain, which senders do not take'],
  ['INVALID_CA', badAuthority],
  ['INVALID_NON_CA', badAuthority],
  ['KEYUSAGE_NO_CERTSIGN', badAuthority],
  ['INVALID_PURPOSE', 'the certificate is not meant for a server'],
  ['SUBJECT_ISSUER_MISMATCH', noIssuer],
  ['AKID_SKID_MISMATCH', noIssuer],
  ['AKID_ISSUER_SERIAL_MISMATCH', noIssuer],
  ['PERMITTED_VIOLATION', badNames],
  ['EXCLUDED_VIOLATION', badNames],
  ['SUBTREE_MINMAX', badNames],
  ['UNSUPPORTED_NAME_SYNTAX', badNames],
  ['UNHANDLED_CRITICAL_EXTENSION', 'the certificate demands what the sender does not know'],
  ['INVALID_EXTENSION', badField],
  ['ERROR_IN_CERT_NOT_BEFORE_FIELD', badField],
  ['ERROR_IN_CERT_NOT_AFTER_FIELD', badField],
  ['EE_KEY_TOO_SMALL', weak],
  ['CA_KEY_TOO_SMALL', weak],
  ['CA_MD_TOO_WEAK', weak],
  ['DANE_NO_MATCH', 'no TLSA record matches the certificate'],
  ['UNABLE_TO_GET_CRL', noRevocation],
  ['CRL_HAS_EXPIRED', noRevocation],
  ['OCSP_VERIFY_NEEDED', noRevocation],
  ['OCSP_VERIFY_FAILED', noRevocation],
])

/** By their letters alone. TLS alerts by the names of RFC 8446 §6.2, however they are joined. */
const others = new Map([
  // Microsoft
  ['mxhostsmismatch', mxNotListed],
  ['validationfailure', 'the sender tells no more than that validation failed; see the MX host and the check'],
  // Alerts
  ['badcertificate', 'the sender did not take the certificate'],
  ['certificateexpired', expired],
  ['certificaterevoked', 'the certificate was revoked by its authority'],
  ['certificateunknown', 'the sender did not take the certificate, for a reason that it does not tell'],
  ['unsupportedcertificate', 'the certificate is of a kind that the sender does not know'],
  ['unknownca', unknownAuthority],
  ['handshakefailure', 'both sides have no TLS parameters in common'],
  ['insufficientsecurity', 'both sides have no TLS parameters in common that are strong enough'],
  ['protocolversion', 'both sides have no version of TLS in common'],
  ['decrypterror', 'a signature in the TLS handshake was not valid'],
  ['internalerror', 'one side failed in the TLS handshake'],
  ['unrecognizedname', 'the server knows no certificate for the name that it was asked for'],
])
