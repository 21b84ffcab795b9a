/** `npm run demo`: the whole road on throw-away data, through the real sockets, with something to look at afterwards. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { readConfig } from '../config.ts'
import type { ResolveTxt } from '../dkim/verify.ts'
import { startService, type Service } from '../service.ts'
import { makeKeys, openDelivery, type Answer, type Delivery } from './deliver.ts'
import { domains, history, senders, type DemoReport } from './history.ts'
import { formatTable } from './table.ts'

export type DemoOptions = {
  /** Stop after printing. */
  once: boolean
  say: { out: (line: string) => void }
  log: Logger
  now: () => Date
  /** Resolves when the person has seen enough. */
  stopped: () => Promise<unknown>
}

const samplesFolder = fileURLToPath(new URL('../../samples/', import.meta.url))
const historyDays = 90
const ruaAddress = 'tlsrpt@demo.example'

/** Everything listens on loopback and nothing is ever sent elsewhere. 0: all went as it should; 1: something did not. */
export async function runDemo({ once, say, log, now, stopped }: DemoOptions): Promise<0 | 1> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tlsrpt-demo-'))
  try {
    const keys = makeKeys(senders)
    const sampleZone = JSON.parse(await readFile(join(samplesFolder, 'zone.json'), 'utf8')) as Record<string, string>
    const service = await startService(await demoConfig(dataDir), log, {
      now,
      resolveTxt: zoneResolver({ ...sampleZone, ...keys.zone }),
    })
    const delivery = openDelivery(service.ports, ruaAddress, keys)
    const api = apiClient(service)
    try {
      say.out(`tlsrpt-receiver demo. Data in ${dataDir}, thrown away at the end; nothing leaves this machine.\n`)
      for (const { domain, mx } of domains)
        await api('PUT', `/v1/domains/${domain}`, { mx: Object.keys(mx).filter((host) => !host.endsWith(domain)) })
      await showSamples(delivery, say)
      const failed = await showHistory(delivery, say, now())
      await showAnswers(api, say, now())
      showWhereToGo(service, say)
      if (!once) {
        say.out('\nUp until Ctrl-C.')
        await stopped()
      }
      return failed === 0 ? 0 : 1
    } finally {
      delivery.close()
      await service.close()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** The defaults' ports where they are free, any free ones where not; samples are years old some day, so nothing is too old. */
async function demoConfig(dataDir: string) {
  const usual = readConfig({})
  const [smtp, intake, api] = await Promise.all([usual.smtp.port, usual.intake.port, usual.api.port].map(portIfFree))
  return readConfig({
    DATA_DIR: dataDir,
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp),
    SMTP_HOSTNAME: 'demo.example',
    RUA_ADDRESSES: ruaAddress,
    INTAKE_HOST: '127.0.0.1',
    INTAKE_PORT: String(intake),
    API_PORT: String(api),
    REPORT_RETENTION_DAYS: '36500',
    LIMIT_EXEMPT_CIDRS: '127.0.0.0/8',
  })
}

const portIfFree = (port: number): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(0))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)))
  })

const zoneResolver =
  (zone: Record<string, string>): ResolveTxt =>
  (name) => {
    const record = zone[name.toLowerCase()]
    return Promise.resolve(record === undefined ? { kind: 'missing' } : { kind: 'found', records: [record] })
  }

async function showSamples(delivery: Delivery, say: DemoOptions['say']): Promise<void> {
  const names = (await readdir(samplesFolder))
    .filter((name) => /\.(?:eml|json|json\.gz)$/.test(name) && name !== 'zone.json' && !name.endsWith('.expected.json'))
    .sort()
  const rows: string[][] = []
  for (const name of names) {
    const bytes = await readFile(join(samplesFolder, name))
    const byMail = name.endsWith('.eml')
    const answer = byMail
      ? await delivery.sendRaw(bytes)
      : await delivery.post(bytes, name.endsWith('.gz') ? 'application/tlsrpt+gzip' : 'application/tlsrpt+json')
    rows.push([name, byMail ? 'mail' : 'https', answer.text.replace(/ key=.*/, '')])
  }
  say.out(`Sample reports in the shapes of real senders: by SMTP with STARTTLS, and by HTTPS\n`)
  for (const line of formatTable(['sample', 'by', 'answer'], rows)) say.out(`  ${line}`)
}

/** Returns how many were not accepted: none, if all is well. */
async function showHistory(delivery: Delivery, say: DemoOptions['say'], today: Date): Promise<number> {
  const begun = performance.now()
  const counts = { mail: 0, https: 0 }
  const refused: Answer[] = []
  const waiting = history(today, historyDays)
  // Eight at once: a generator hands out one report to each in turn.
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const report of waiting) {
        const answer = await deliver(delivery, report)
        counts[report.sender.by]++
        if (!answer.ok) refused.push(answer)
      }
    }),
  )
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  say.out(
    `\n${historyDays} days of invented history in ${seconds} s: ${counts.mail} reports by signed mail, ${counts.https} by HTTPS; ${refused.length} not accepted.`,
  )
  for (const answer of refused.slice(0, 3)) say.out(`  ${answer.text}`)
  return refused.length
}

const deliver = (delivery: Delivery, report: DemoReport): Promise<Answer> =>
  report.sender.by === 'mail'
    ? delivery.sendReport(report)
    : delivery.post(Buffer.from(report.json), 'application/tlsrpt+json')

type SummaryRow = {
  domain: string
  receiving_mx_hostname: string | null
  result_type: string | null
  failed: number
  failed_by_policy_type: Record<string, number>
  reporters: number
  first_seen: string | null
  last_seen: string | null
  unverified: { failed: number }
}

async function showAnswers(api: ApiCall, say: DemoOptions['say'], today: Date): Promise<void> {
  const from = new Date(today.getTime() - historyDays * 24 * 60 * 60 * 1000).toISOString().slice(0, 10)
  const { data } = (await api(
    'GET',
    `/v1/summary?group_by=domain,receiving_mx_hostname,result_type&from=${from}&limit=500`,
  )) as { data: SummaryRow[] }
  const rows = data
    .sort((a, b) =>
      a.domain < b.domain
        ? -1
        : a.domain > b.domain
          ? 1
          : b.failed - a.failed || b.unverified.failed - a.unverified.failed,
    )
    .map((row) => [
      row.domain,
      row.receiving_mx_hostname ?? '-',
      row.result_type ?? '-',
      String(row.failed),
      String(row.unverified.failed),
      besidePrimary(row),
      String(row.reporters),
      row.first_seen ?? '-',
      row.last_seen ?? '-',
    ])
  say.out(`\nWhat fails, where: sessions by domain, receiving MX and result type since ${from}`)
  say.out(
    '  verified: a DKIM signature of the reporting domain stands behind it; HTTPS proves nothing, so it stands beside\n',
  )
  for (const line of formatTable(
    [
      'domain',
      'receiving MX',
      'result type',
      '>verified',
      '>unverified',
      'by policy type',
      '>reporters',
      'first',
      'last',
    ],
    rows,
  ))
    say.out(`  ${line}`)
}

/** Failures under a policy type that does not stand for the report's totals: the same sessions, perhaps, so never added. */
const besidePrimary = ({ failed, failed_by_policy_type: byType }: SummaryRow): string => {
  const types = Object.entries(byType).filter(([, count]) => count > 0)
  const isWhole = types.length === 1 && types[0]?.[1] === failed
  return isWhole ? '' : types.map(([type, count]) => `${type} ${count}`).join(', ')
}

type ApiCall = (method: string, path: string, body?: object) => Promise<unknown>

const apiClient =
  ({ ports, adminToken }: Service): ApiCall =>
  async (method, path, body) => {
    const headers = { authorization: `Bearer ${adminToken.token}`, ...(body && { 'content-type': 'application/json' }) }
    const response = await fetch(`http://127.0.0.1:${ports.api}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

function showWhereToGo({ ports, adminToken }: Service, say: DemoOptions['say']): void {
  say.out(`
SMTP    127.0.0.1:${ports.smtp}          swaks --server 127.0.0.1 --port ${ports.smtp} --to ${ruaAddress} --data @FILE.eml
HTTPS   https://127.0.0.1:${ports.intake}/v1/tlsrpt
API     http://127.0.0.1:${ports.api}/v1   all of it explained: http://127.0.0.1:${ports.api}/docs
Token   ${adminToken.token}

Try     TOKEN=${adminToken.token}
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/summary?group_by=domain'
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/failures?domain=alpha.example&limit=5'
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/submissions?verdict=unauthenticated'`)
}
