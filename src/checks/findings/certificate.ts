/** RFC 8461 §3.3 and §4.2: a certificate as a sender sees it, of the policy host or of an MX host. */
import type { CertificateSeen } from '../seen.ts'
import { finding, type Finding } from './finding.ts'
import { utcDay } from '../../tlsrpt/dates.ts'

const soonDays = 14

const fixes = {
  expired: 'Renew the certificate, and make the server load it: many go on with the old one until they are reloaded.',
  'not-yet-valid': 'Look at the clock of whoever issued the certificate, or put back the one before.',
  'host-mismatch': 'Get a certificate that has this host name among its subject alternative names.',
  'not-trusted': 'Use a certificate of a public authority, and serve it with its intermediate certificates.',
} as const

const renew = 'Renew it now, and see why that was not done by itself.'

/** What is wrong with it, and when it ends. That an MX host's is good is told with its TLS. */
export function certificateFindings(
  of: 'policy' | 'mx',
  subject: string,
  certificate: CertificateSeen,
  at: Date,
): Finding[] {
  const evidence = describeCertificate(certificate)
  if (certificate.problems.length > 0) {
    return certificate.problems.map(
      ({ kind, text }) =>
      finding(`${of}-certificate-${kind}`, subject, `The certificate is not valid for senders: ${text}.`, { evidence, fix: fixes[kind] }), // prettier-ignore
    )
  }
  const daysLeft = Math.floor((certificate.validTo.getTime() - at.getTime()) / 86_400_000)
  const soon = daysLeft < soonDays ? [finding(`${of}-certificate-ends-soon`, subject, `The certificate ends in ${daysLeft} days, on ${utcDay(certificate.validTo)}.`, { evidence, fix: renew })] : [] // prettier-ignore
  if (of === 'mx') return soon
  const good = `The certificate is valid for the policy host, until ${utcDay(certificate.validTo)}.`
  return [finding('policy-certificate-good', subject, good, { evidence }), ...soon]
}

export const describeCertificate = ({ names, issuer, validFrom, validTo, fingerprint }: CertificateSeen): string[] => [
  `names: ${names.join(', ')}`,
  `issuer: ${issuer}`,
  `valid: ${utcDay(validFrom)} to ${utcDay(validTo)}`,
  `SHA-256: ${fingerprint}`,
]
