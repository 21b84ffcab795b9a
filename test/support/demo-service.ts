/** The service with what `npm run demo` shows, dashboard included: its samples by the sockets, its history by the road alone. */
import { globSync, readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { domains, history, senders, type DemoReport } from '../../src/demo/history.ts'
import { ensurePage } from '../../src/page-build.ts'
import type { Provenance, Submission } from '../../src/tlsrpt/submission.ts'
import { keyPair, keyRecord } from './dkim-signer.ts'
import { base64Lines, rawMail, sign } from './report-mail.ts'
import { ruaAddress, runService, type RunningService } from './running-service.ts'

/** The morning after the week that the samples tell of; the history ends on the day before. */
export const demoNow = new Date('2026-11-22T09:00:00Z')

const historyDays = 90
const dayMs = 24 * 60 * 60 * 1000
const samplesFolder = new URL('../../samples/', import.meta.url)
const sampleZone = JSON.parse(readFileSync(new URL('zone.json', samplesFolder), 'utf8')) as Record<string, string>

const key = keyPair()
const selector = 'demo'
const senderZone = Object.fromEntries(
  senders.map(({ domain }) => [`${selector}._domainkey.${domain}`, keyRecord(key, { s: 'tlsrpt' })]),
)

/** Said on stderr: a page that cannot be built is what the tests of it would fail by. */
const log = {
  info: () => undefined,
  error: (context: object, message: string) => {
    console.error(message, context)
  },
}

/** Closed as `runService` says. */
export async function runDemoService(t?: TestContext): Promise<RunningService> {
  const service = await runService(
    { zone: { ...sampleZone, ...senderZone }, now: () => demoNow, dashboard: ensurePage(log) },
    t,
  )
  for (const { domain, mx } of domains)
    await service.put(`/v1/domains/${domain}`, { mx: Object.keys(mx).filter((host) => !host.endsWith(domain)) })
  await sendSamples(service)
  await Promise.all([...history(demoNow, historyDays)].map((report) => service.ingest(arrivalOf(report))))
  return service
}

/** In the order of their names: some are copies of earlier ones. */
async function sendSamples({ sendMail, post }: RunningService): Promise<void> {
  const names = globSync(['*.eml', '*.json', '*.json.gz'], { cwd: samplesFolder, exclude: ['*.expected.json', 'zone.json'] }) // prettier-ignore
  for (const name of names.sort()) {
    const bytes = readFileSync(new URL(name, samplesFolder))
    const mediaType = name.endsWith('.gz') ? 'application/tlsrpt+gzip' : 'application/tlsrpt+json'
    await (name.endsWith('.eml') ? sendMail(bytes) : post(bytes, { 'content-type': mediaType }))
  }
}

/** As a sender sends it, in the early morning of the day after. */
function arrivalOf({ sender, domain, reportId, json }: DemoReport): Submission {
  const { 'date-range': range } = JSON.parse(json) as { 'date-range': { 'start-datetime': string } }
  const arrivedAt = new Date(Date.parse(range['start-datetime']) + dayMs + 5 * 60 * 60 * 1000)
  const peerAddress = sender.ips[0]!
  if (sender.by === 'https') {
    const provenance = { transport: 'https', peerAddress, mediaType: 'application/tlsrpt+json' } as const
    return { raw: Buffer.from(json), form: 'report', arrivedAt, provenance }
  }
  const mail = rawMail(
    {
      From: `tls-reports@${sender.domain}`,
      To: ruaAddress,
      Subject: `Report Domain: ${domain} Submitter: ${sender.domain} Report-ID: <${reportId}>`,
      'TLS-Report-Domain': domain,
      'TLS-Report-Submitter': sender.domain,
    },
    base64Lines(gzipSync(json)),
  )
  const raw = sign(mail, { key, domain: sender.domain, selector })
  const helo = `mail.${sender.domain}`
  const provenance: Provenance = { transport: 'smtp', peerAddress, helo, mailFrom: '', rcptTo: [ruaAddress], tls: true }
  return { raw, form: 'message', arrivedAt, provenance }
}
