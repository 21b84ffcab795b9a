/** Who stands behind a mailed report: RFC 8460 §3 over the results of DKIM. Pure; `dkim/` did the mathematics. */
import { domainName } from './domain-name.ts'
import { organizationalDomain } from './ownership.ts'
import type { Anomaly } from './submission.ts'

/** What one DKIM-Signature came to, as far as this rule asks; what `dkim/verify.ts` returns fits it. */
export type Signature = {
  result: 'pass' | 'fail' | 'permerror' | 'temperror'
  reason?: string
  domain: string
  /** Why a passing signature is no proof for a TLS report all the same. */
  unacceptable: readonly string[]
  /** Names in h=, lower case. */
  signedHeaders: readonly string[]
}

/** The fields of a mail that can say who reports. */
export type ReportingFields = {
  /** Addr-specs of all From fields. */
  from: readonly string[]
  fromFields: number
  tlsReportSubmitter?: string
}

export type Authentication =
  | { kind: 'verified'; reporter: string; signature: Signature; anomalies: Anomaly[] }
  | { kind: 'temporary'; reason: string }
  | { kind: 'failed'; code: AuthenticationFailure; reason: string; message: string }

/** RFC 7372's three ways to fail: 5.7.20, 5.7.21, 5.7.22. */
export type AuthenticationFailure = 'no-passing-signature' | 'signature-not-acceptable' | 'signature-not-aligned'

/**
 * The domain a report claims to come from: of contact-info, else TLS-Report-Submitter, else From. RFC 8460 defines no
 * alignment; this order is that of what the report itself says first. undefined when none of them is a domain.
 */
export function reportingDomain(contactInfo: string | undefined, mail: ReportingFields): string | undefined {
  return domainOfAddress(contactInfo) ?? submitterDomain(mail) ?? domainOfAddress(mail.from[0])
}

/** TLS-Report-Submitter as a domain; sys4 wrote its organization name there, which is none. */
const submitterDomain = ({ tlsReportSubmitter }: ReportingFields): string | undefined => {
  const domain = domainName(tlsReportSubmitter ?? '')
  return domain !== undefined && organizationalDomain(domain) !== undefined ? domain : undefined
}

function domainOfAddress(address: string | undefined): string | undefined {
  const at = address?.lastIndexOf('@') ?? -1
  return address === undefined || at === -1 ? undefined : domainName(address.slice(at + 1).trim())
}

/**
 * Whether a signing domain speaks for `reporting`: the same organisational domain, so parent, sibling and subdomain
 * alike. Mail.ru signs as corp.mail.ru for mail.ru; Stalwart's submitter is a host and d= its parent.
 */
export function isAligned(signingDomain: string, reporting: string): boolean {
  const organization = organizationalDomain(signingDomain)
  return organization !== undefined && organization === organizationalDomain(reporting)
}

/**
 * One passing, acceptable, aligned signature verifies the report; others may fail. A key that cannot be looked up just
 * now is worth waiting for only where its signature would be aligned.
 */
export function authenticate(
  contactInfo: string | undefined,
  mail: ReportingFields,
  signatures: readonly Signature[],
): Authentication {
  if (mail.fromFields !== 1 || mail.from.length !== 1) {
    return failed('signature-not-aligned', 'from-not-single', 'a report mail has exactly one From address')
  }
  const reporting = reportingDomain(contactInfo, mail)
  if (reporting === undefined)
    return failed(
      'signature-not-aligned',
      'no-reporting-domain',
      'neither contact-info nor TLS-Report-Submitter nor From holds a domain',
    )
  const aligned = signatures.filter((signature) => isAligned(signature.domain, reporting))
  const proof = aligned.find((signature) => signature.result === 'pass' && signature.unacceptable.length === 0)
  if (proof) {
    return {
      kind: 'verified',
      reporter: organizationalDomain(proof.domain) ?? proof.domain,
      signature: proof,
      anomalies: submitterAnomalies(contactInfo, mail),
    }
  }
  const unanswered = aligned.find((signature) => signature.result === 'temperror')
  if (unanswered) return { kind: 'temporary', reason: unanswered.reason ?? 'dns-cannot-tell' }
  return failure(reporting, aligned, signatures)
}

function failure(reporting: string, aligned: readonly Signature[], signatures: readonly Signature[]): Authentication {
  const unacceptable = aligned.find((signature) => signature.result === 'pass')
  if (unacceptable) {
    return failed(
      'signature-not-acceptable',
      unacceptable.unacceptable[0] ?? 'unacceptable',
      `the signature of ${unacceptable.domain} passes, but is no proof for a TLS report: ${unacceptable.unacceptable.join(', ')}`,
    )
  }
  const foreign = signatures.find((signature) => signature.result === 'pass')
  if (foreign)
    return failed(
      'signature-not-aligned',
      'signature-not-aligned',
      `signed by ${foreign.domain}, which does not speak for ${reporting}`,
    )
  const suffix = signatures.find((signature) => signature.reason === 'domain-is-public-suffix')
  if (suffix) {
    return failed(
      'signature-not-aligned',
      'domain-is-public-suffix',
      'a signature by a public suffix speaks for nobody',
    )
  }
  const [first] = [...aligned, ...signatures]
  if (!first)
    return failed(
      'no-passing-signature',
      'no-signature',
      'no DKIM signature; RFC 8460 section 3 asks for one by the reporting domain',
    )
  return failed(
    'no-passing-signature',
    first.reason ?? 'signature-failed',
    `no DKIM signature passes; ${first.domain || 'the first one'}: ${first.reason ?? 'failed'}`,
  )
}

const failed = (code: AuthenticationFailure, reason: string, message: string): Authentication => ({
  kind: 'failed',
  code,
  reason,
  message,
})

/** The RFC wants the submitter to equal the domain of contact-info; in the field it often does not. */
function submitterAnomalies(contactInfo: string | undefined, mail: ReportingFields): Anomaly[] {
  const contact = domainOfAddress(contactInfo)
  if (contact === undefined || mail.tlsReportSubmitter === undefined) return []
  return domainName(mail.tlsReportSubmitter) === contact ? [] : [{ code: 'submitter-differs', pointer: '' }]
}
