/** Reports as signed mails (RFC 8460 §5.3, RFC 6376), the way the large senders make them. */
import { createPrivateKey, generateKeyPairSync, hash, sign, type KeyObject } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'

const signLater = promisify(sign)

export type MailKey = { privateKey: KeyObject; record: string }

const selector = 'tls'

/** RSA with 2048 bits; each of the 30 senders publishes it under its own name. */
export function makeMailKey(): MailKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return {
    privateKey: createPrivateKey(privateKey),
    record: `v=DKIM1; k=rsa; s=tlsrpt; p=${publicKey.toString('base64')}`,
  }
}

export const keyNames = (senders: number): string[] =>
  Array.from({ length: senders }, (_, i) => `${selector}._domainkey.sender${i}.example`)

/** Whole messages with CRLF and stuffed dots, ready for DATA. Several are signed at a time, off the main thread. */
export async function signMails(reports: readonly string[], { privateKey }: MailKey): Promise<Buffer[]> {
  const mails: Buffer[] = []
  const worker = async (first: number, step: number) => {
    for (let i = first; i < reports.length; i += step) mails[i] = await signMail(reports[i]!, privateKey)
  }
  const workers = availableParallelism() * 2
  await Promise.all(Array.from({ length: workers }, (_, i) => worker(i, workers)))
  return mails
}

async function signMail(report: string, privateKey: KeyObject): Promise<Buffer> {
  const told = JSON.parse(report) as { 'contact-info': string; 'report-id': string; policies: { policy: { 'policy-domain': string } }[] } // prettier-ignore
  const from = told['contact-info']
  const sender = from.slice(from.indexOf('@') + 1)
  const domain = told.policies[0]!.policy['policy-domain']
  const id = told['report-id']
  const boundary = 'report-boundary'
  const zipped = gzipSync(report).toString('base64').replace(/.{76}/g, '$&\r\n')
  const body = [
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    `This is an aggregate TLS report from ${sender}.`,
    `--${boundary}`,
    `Content-Type: application/tlsrpt+gzip; name="${sender}!${domain}!0!86399!${id}.json.gz"`,
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment',
    '',
    zipped,
    `--${boundary}--`,
    '',
  ].join('\r\n')
  const fields = [
    ['From', ` <${from}>`],
    ['To', ' tlsrpt@rua.example'],
    ['Subject', ` Report Domain: ${domain} Submitter: ${sender} Report-ID: <${id}>`],
    ['Message-ID', ` <${id}@${sender}>`],
    ['MIME-Version', ' 1.0'],
    ['TLS-Report-Domain', ` ${domain}`],
    ['TLS-Report-Submitter', ` ${sender}`],
    ['Content-Type', ` multipart/report; report-type="tlsrpt"; boundary="${boundary}"`],
  ] as const
  // Simple canonicalisation: what is signed is what stands there.
  const signature = ` v=1; a=rsa-sha256; c=simple/simple; d=${sender}; s=${selector}; h=${fields.map(([name]) => name).join(':')}; bh=${hash('sha256', body, 'base64')}; b=` // prettier-ignore
  const header = fields.map(([name, value]) => `${name}:${value}\r\n`).join('')
  const signed = await signLater('sha256', Buffer.from(`${header}DKIM-Signature:${signature}`), privateKey)
  const mail = `DKIM-Signature:${signature}${signed.toString('base64')}\r\n${header}\r\n${body}`
  return Buffer.from(mail.replace(/^\./gm, '..'))
}
