/** `npm run demo`: the whole road on throw-away data, through the real sockets, with something to look at afterwards. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { readConfig, type Config } from '../config.ts'
import type { ResolveTxt } from '../dkim/verify.ts'
import { startService, type Service } from '../service.ts'
import { makeKeys, openDelivery, type Answer, type Delivery } from './deliver.ts'
import { domains, history, senders, type DemoReport } from './history.ts'
import { formatTable } from './table.ts'
import { startDemoWorld } from './world.ts'

export type DemoOptions = {
  /** Stop after printing. */
  once: boolean
  say: { out: (line: string) => void }
  log: Logger
  now: () => Date
  /** Resolves when the person has seen enough. */
  stopped: () => Promise<unknown>
  /** Resolves when the person wants to see the broken domain mended, and what the person has to type for it. */
  nudged: () => Promise<unknown>
  nudge: string
}

const samplesFolder = fileURLToPath(new URL('../../samples/', import.meta.url))
const historyDays = 90
const receiver = 'demo.example'
const ruaAddress = `tlsrpt@${receiver}`
const intakeUrl = `https://${receiver}/v1/tlsrpt`
/** What the demo's domains publish. */
export const demoReceiver = { receiver, rua: [`mailto:${ruaAddress}`, intakeUrl] }

/** Everything listens on loopback and nothing is ever sent elsewhere. 0: all went as it should; 1: something did not. */
export async function runDemo({ once, say, log, now, stopped, nudged, nudge }: DemoOptions): Promise<0 | 1> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tlsrpt-demo-'))
  try {
    const keys = makeKeys(senders)
    const sampleZone = JSON.parse(await readFile(join(samplesFolder, 'zone.json'), 'utf8')) as Record<string, string>
    const ports = await freePorts()
    const world = await startDemoWorld({ now: now(), folder: dataDir, ports, ...demoReceiver })
    const service = await startService(demoConfig(dataDir, ports, world.env), log, {
      now,
      resolveTxt: zoneResolver({ ...sampleZone, ...keys.zone }),
      lookUp: world.lookUp,
    }).catch(async (error: unknown) => {
      await world.close()
      throw error
    })
    const delivery = openDelivery(service.ports, ruaAddress, keys)
    const api = apiClient(service)
    try {
      say.out(`tlsrpt-receiver demo. Data in ${dataDir}, thrown away at the end; nothing leaves this machine.\n`)
      for (const { domain, mx } of domains)
        await api('PUT', `/v1/domains/${domain}`, { mx: Object.keys(mx).filter((host) => !host.endsWith(domain)) })
      for (const { domain, by } of senders)
        if (by === 'mail') await api('PATCH', `/v1/reporters/${domain}`, { standing: 'known' })
      await showSamples(delivery, say)
      const failed = await showHistory(delivery, say, now())
      await showAnswers(api, say, now())
      await showChecks(api, say)
      showWhereToGo(service, say)
      if (!once) {
        const end = stopped()
        const mend = async () => {
          await world.mend()
          await tellOfToday(delivery, now())
          say.out('\nmx2.alpha.example shows a new certificate, and the reports of today are in.')
          await showChecks(api, say)
        }
        const mending = nudged().then(mend) // Heard from now on.
        say.out(`\nMend    ${nudge}     puts right what is wrong with alpha.example\n\nUp until Ctrl-C.`)
        await Promise.race([end, mending])
        await end
      }
      return failed === 0 ? 0 : 1
    } finally {
      delivery.close()
      await service.close()
      await world.close()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

export type Ports = { smtp: number; intake: number; api: number }

/** Samples are years old some day, so nothing is too old. */
export const demoConfig = (dataDir: string, ports: Ports, env: Record<string, string>): Config =>
  readConfig({
    DATA_DIR: dataDir,
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(ports.smtp),
    SMTP_HOSTNAME: receiver,
    RUA_ADDRESSES: ruaAddress,
    INTAKE_HOST: '127.0.0.1',
    INTAKE_PORT: String(ports.intake),
    INTAKE_URL: intakeUrl,
    API_PORT: String(ports.api),
    REPORT_RETENTION_DAYS: '36500',
    LIMIT_EXEMPT_CIDRS: '127.0.0.0/8',
    LIMITS: '{"checkConnectionsPerMinute":1000}', // All of its world has one address.
    ...env,
  })

/** Those of the defaults. */
function usualPorts(): Ports {
  const { smtp, intake, api } = readConfig({})
  return { smtp: smtp.port, intake: intake.port, api: api.port }
}

/** Those wanted where they are free, any free ones where not, or where 0 is wanted. */
export async function freePorts(wanted: Ports = usualPorts()): Promise<Ports> {
  const [smtp, intake, api] = await Promise.all([wanted.smtp, wanted.intake, wanted.api].map(freePort))
  return { smtp: smtp!, intake: intake!, api: api! }
}

const freePort = (wanted: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => {
      if (wanted === 0) reject(error)
      else resolve(freePort(0))
    })
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => {
        resolve(port)
      })
    })
  })

export const zoneResolver =
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

/** What senders will tell tomorrow, after the fix. */
async function tellOfToday(delivery: Delivery, today: Date): Promise<void> {
  const tomorrow = new Date(today.getTime() + 24 * 60 * 60 * 1000)
  for (const report of history(tomorrow, 1, true)) await deliver(delivery, report)
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

type CheckAnswer = { severity: string; findings: { severity: string; subject: string; sentence: string }[] }
type ReadinessAnswer = {
  verdict: string
  would_have_been_refused: { sessions: number }
  blockers: { sentence: string }[]
}

/** How the domains look from outside: what the reports tell of is seen, and whether MTA-STS may be enforced. */
async function showChecks(api: ApiCall, say: DemoOptions['say']): Promise<void> {
  const rows: string[][] = []
  for (const { domain } of domains) {
    const { severity, findings } = (await api('POST', '/v1/checks', { domain })) as CheckAnswer
    const worst = findings.find((finding) => finding.severity === 'error')
    rows.push([domain, severity, worst ? `${worst.subject}: ${worst.sentence}` : ''])
  }
  say.out('\nHow they look from outside, in a world simulated on loopback\n')
  for (const line of formatTable(['domain', 'check', 'because'], rows)) say.out(`  ${line}`)
  const { verdict, blockers, would_have_been_refused: refused } = (await api('GET', '/v1/domains/alpha.example/readiness')) as ReadinessAnswer // prettier-ignore
  say.out(
    `\nCan alpha.example enforce MTA-STS? ${verdict}: ${refused.sessions} sessions would have been refused in 30 days.`,
  )
  for (const { sentence } of blockers) say.out(`  ${sentence}`)
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
Look    http://127.0.0.1:${ports.api}/         sign in with the token
API     http://127.0.0.1:${ports.api}/v1   all of it explained: http://127.0.0.1:${ports.api}/docs
Token   ${adminToken.token}

Try     TOKEN=${adminToken.token}
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/summary?group_by=domain'
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/failures?domain=alpha.example&limit=5'
        curl -sH "Authorization: Bearer $TOKEN" 'http://127.0.0.1:${ports.api}/v1/submissions?verdict=unauthenticated'
        curl -sH "Authorization: Bearer $TOKEN" http://127.0.0.1:${ports.api}/v1/domains/alpha.example/readiness`)
}
