/** A mail with one small report in it, signed or not: where the way counts, and not what is said. */
import { gzipSync } from 'node:zlib'
import { keyPair, keyRecord, signDkim, type SignOptions } from './dkim-signer.ts'
import type { Zone } from './dns-server.ts'

const key = keyPair()

/** What the resolver has to find. */
export const zone: Zone = { 'tls._domainkey.sender.example': keyRecord(key, { s: 'tlsrpt' }) }

export type Told = { domain: string; day: string; reportId: string; failed: number }

/** RFC 8460 §4.4: ten sessions that succeeded, and `failed` that met an expired certificate. */
export const reportOn = ({ domain, day, reportId, failed }: Told) => ({
  'organization-name': 'Sender',
  'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
  'contact-info': 'tls@sender.example',
  'report-id': reportId,
  policies: [
    {
      policy: { 'policy-type': 'sts', 'policy-string': ['version: STSv1', 'mode: enforce'], 'policy-domain': domain },
      summary: { 'total-successful-session-count': 10, 'total-failure-session-count': failed },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'receiving-mx-hostname': `mx.${domain}`,
          'sending-mta-ip': '192.0.2.7',
          'failed-session-count': failed,
        },
      ],
    },
  ],
})

export const unsignedMail = (told: Told): Buffer =>
  Buffer.from(
    [
      'From: tls@sender.example',
      `To: tlsrpt@${told.domain}`,
      `Subject: Report Domain: ${told.domain} Submitter: sender.example Report-ID: <${told.reportId}>`,
      `TLS-Report-Domain: ${told.domain}`,
      'TLS-Report-Submitter: sender.example',
      'Content-Type: application/tlsrpt+gzip',
      'Content-Transfer-Encoding: base64',
      '',
      ...(gzipSync(JSON.stringify(reportOn(told))).toString('base64').match(/.{1,76}/g) ?? []),
      '',
    ].join('\r\n'),
  ) // prettier-ignore

/** By sender.example, whose key stands in `zone`, unless `options` say otherwise. */
export const sign = (message: string | Buffer, options: Partial<SignOptions> = {}): Buffer =>
  signDkim(message, { key, domain: 'sender.example', selector: 'tls', ...options })

export const signedMail = (told: Told): Buffer => sign(unsignedMail(told))

/** By name, on top of those of a mail that is nothing but base64 of gzip; undefined leaves one out. */
export type Fields = Record<string, string | undefined>

/** Any header over any body, unsigned. A string is latin1. */
export function rawMail(fields: Fields, body: string | Buffer): Buffer {
  const all: Fields = {
    From: 'tls@sender.example',
    To: 'tlsrpt@rua.example',
    Subject: 'TLS report',
    'MIME-Version': '1.0',
    'Content-Type': 'application/tlsrpt+gzip',
    'Content-Transfer-Encoding': 'base64',
    ...fields,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}`))
  const text = Buffer.isBuffer(body) ? body : Buffer.from(body, 'latin1')
  return Buffer.concat([Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'), text])
}

/** RFC 2045 §6.8: base64 in lines of 76. */
export const base64Lines = (bytes: Buffer): string =>
  `${
    bytes
      .toString('base64')
      .match(/.{1,76}/g)
      ?.join('\r\n') ?? ''
  }\r\n`
