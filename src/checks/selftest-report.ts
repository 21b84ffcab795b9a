/** RFC 8460 §5.3, §5.4: the reports of a self-test. They are about nobody's domain, so that they are refused and never count. */
import { generateKeyPair } from 'node:crypto'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { verifyDkim, type DkimLimits, type ResolveTxt } from '../dkim/verify.ts'
import { utcDay } from '../tlsrpt/dates.ts'

/** RFC 6761 §6.4: nobody can have a name below `invalid`, so nobody can be signed for by mistake, and no key is found. */
const signer = 'tlsrpt-selftest.invalid'
/** A domain of nobody's, also where POLICY_DOMAINS=* takes reports about anybody. */
const policyDomain = 'invalid'

export type TestReport = {
  /** Random; stands in the mail in clear. */
  token: string
  json: Buffer
  gzip: Buffer
  mail: (to: string) => SendMailOptions
  /** Why the signature on the mail as it arrived does not hold; undefined when it does. */
  whyBroken: (arrived: Buffer) => Promise<string | undefined>
}

/** `now` is the day that it tells of. The key that signs it is used this once. */
export async function makeTestReport(token: string, now: Date, limits: DkimLimits): Promise<TestReport> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const day = utcDay(now)
  const json = Buffer.from(
    JSON.stringify({
      'organization-name': 'tlsrpt-receiver self-test',
      'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
      'contact-info': `selftest@${signer}`,
      'report-id': token,
      policies: [
        {
          policy: { 'policy-type': 'no-policy-found', 'policy-domain': policyDomain },
          summary: { 'total-successful-session-count': 0, 'total-failure-session-count': 0 },
        },
      ],
    }),
  )
  const gzip = gzipSync(json)
  const record = `v=DKIM1; k=rsa; s=tlsrpt; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
  return {
    token,
    json,
    gzip,
    mail: (to) => ({
      envelope: { from: '', to },
      from: `selftest@${signer}`,
      to,
      subject: `Self-test ${token}`,
      text: 'tlsrpt-receiver sent this to itself, to see whether reports arrive. It counts nowhere.',
      attachments: [{ filename: 'selftest.json.gz', contentType: 'application/tlsrpt+gzip', content: gzip }],
      dkim: {
        domainName: signer,
        keySelector: token,
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    }),
    whyBroken: async (arrived) => {
      const resolveTxt: ResolveTxt = () => Promise.resolve({ kind: 'found', records: [record] })
      const [result] = await verifyDkim(arrived, resolveTxt, now, (domain) => domain === signer, limits)
      return result?.result === 'pass' ? undefined : (result?.reason ?? 'no-signature')
    },
  }
}

const stepMs = 60_000

/** What the last server said, taken or not; rejects when the conversation breaks off. With STARTTLS where it is offered. */
export async function sendTestMail(
  socket: Socket,
  { name, host }: { name: string; host: string },
  mail: SendMailOptions,
): Promise<string> {
  const transport = createTransport({
    connection: socket,
    ...{ name, host, opportunisticTLS: true, tls: { rejectUnauthorized: false, servername: host } },
    ...{ greetingTimeout: stepMs, socketTimeout: stepMs, disableFileAccess: true, disableUrlAccess: true },
  })
  try {
    return (await transport.sendMail(mail)).response
  } catch (error) {
    const { response } = error as { response?: string }
    if (response === undefined) throw error
    return response
  } finally {
    transport.close()
  }
}
