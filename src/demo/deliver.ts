/** What a reporting sender does: a DKIM-signed mail over SMTP with STARTTLS (RFC 8460 §5.3), or a gzip POST (§5.4). */
import { generateKeyPairSync } from 'node:crypto'
import { Agent, request } from 'node:https'
import { gzipSync } from 'node:zlib'
import { createTransport } from 'nodemailer'
import type { DemoReport, Sender } from './history.ts'

/** What the receiver answered: '250 2.6.0 accepted key=...' or an HTTP status with its reason. */
export type Answer = { ok: boolean; text: string }

export type Delivery = {
  /** A mail as it stands, signed or not. */
  sendRaw: (message: Buffer) => Promise<Answer>
  /** A report, composed and signed by its sender. */
  sendReport: (report: DemoReport) => Promise<Answer>
  post: (body: Buffer, mediaType: string) => Promise<Answer>
  close: () => void
}

/** DKIM key records of the invented senders, and the private halves to sign with. */
export type Keys = { zone: Record<string, string>; privateKeys: Map<string, string> }

const selector = 'demo'

export function makeKeys(senders: readonly Sender[]): Keys {
  const pairs = senders.map(({ domain }) => ({ domain, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }))
  return {
    zone: Object.fromEntries(
      pairs.map(({ domain, publicKey }) => [
        `${selector}._domainkey.${domain}`,
        `v=DKIM1; k=rsa; s=tlsrpt; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
      ]),
    ),
    privateKeys: new Map(
      pairs.map(({ domain, privateKey }) => [domain, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()]),
    ),
  }
}

/** Connections are kept open and shared. Certificates are not checked: RFC 8460 §5.4 lets senders ignore them. */
export function openDelivery(ports: { smtp: number; intake: number }, ruaAddress: string, keys: Keys): Delivery {
  const smtp = createTransport({
    host: '127.0.0.1',
    port: ports.smtp,
    pool: true,
    maxConnections: 4,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false })
  const send = async (mail: Parameters<typeof smtp.sendMail>[0]): Promise<Answer> => {
    try {
      return { ok: true, text: (await smtp.sendMail(mail)).response }
    } catch (error) {
      const { response, message } = error as Error & { response?: string }
      return { ok: false, text: response ?? message }
    }
  }
  return {
    sendRaw: (raw) => send({ envelope: { from: '', to: ruaAddress }, raw }),
    sendReport: (report) => send(reportMail(report, ruaAddress, keys)),
    post: (body, mediaType) => post(agent, ports.intake, body, mediaType),
    close: () => {
      smtp.close()
      agent.destroy()
    },
  }
}

/** The header fields of RFC 8460 §5.3 and the file name of §5.1; nodemailer writes multipart/mixed for multipart/report. */
function reportMail({ sender, domain, reportId, json }: DemoReport, to: string, keys: Keys) {
  const { 'date-range': range } = JSON.parse(json) as {
    'date-range': Record<'start-datetime' | 'end-datetime', string>
  }
  const seconds = (text: string) => Math.floor(Date.parse(text) / 1000)
  return {
    from: `tls-reports@${sender.domain}`,
    to,
    subject: `Report Domain: ${domain} Submitter: ${sender.domain} Report-ID: <${reportId}>`,
    headers: { 'TLS-Report-Domain': domain, 'TLS-Report-Submitter': sender.domain },
    text: `This is an aggregate TLS report from ${sender.domain}.`,
    attachments: [
      {
        filename: `${sender.domain}!${domain}!${seconds(range['start-datetime'])}!${seconds(range['end-datetime'])}.json.gz`,
        contentType: 'application/tlsrpt+gzip',
        content: gzipSync(json),
      },
    ],
    dkim: { domainName: sender.domain, keySelector: selector, privateKey: keys.privateKeys.get(sender.domain) ?? '' },
  }
}

function post(agent: Agent, port: number, body: Buffer, mediaType: string): Promise<Answer> {
  return new Promise((resolve) => {
    const call = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        path: '/v1/tlsrpt',
        method: 'POST',
        headers: { 'content-type': mediaType, 'content-length': body.length },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const { verdict, reason } = JSON.parse(Buffer.concat(chunks).toString()) as {
            verdict?: string
            reason?: string
          }
          resolve({ ok: response.statusCode === 200, text: `${response.statusCode ?? 0} ${verdict ?? reason ?? ''}` })
        })
      },
    )
    call.on('error', (error) => resolve({ ok: false, text: error.message }))
    call.end(body)
  })
}
