/** `npm run demo`: the whole road on throw-away data, through the real sockets, with something to look at afterwards. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { readConfig, type Config } from '../config.ts'
import type { ResolveTxt } from '../dkim/verify.ts'
import { startService } from '../service.ts'
import { apiClient, showAnswers, showChecks, showWhereToGo, type Say } from './answers.ts'
import { makeKeys, openDelivery, type Answer, type Delivery } from './deliver.ts'
import { domains, history, senders, type DemoReport } from './history.ts'
import { formatTable } from './table.ts'
import { startDemoWorld } from './world.ts'

export type DemoOptions = {
  /** Stop after printing. */
  once: boolean
  say: Say
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
const dayMs = 24 * 60 * 60 * 1000
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
      await showAnswers(api, say, firstDay(now()))
      await showChecks(api, say)
      showWhereToGo(service, ruaAddress, say)
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

async function showSamples(delivery: Delivery, say: Say): Promise<void> {
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

/** 'YYYY-MM-DD'. */
const firstDay = (today: Date): string => new Date(today.getTime() - historyDays * dayMs).toISOString().slice(0, 10)

/** Returns how many were not accepted: none, if all is well. */
async function showHistory(delivery: Delivery, say: Say, today: Date): Promise<number> {
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
  const tomorrow = new Date(today.getTime() + dayMs)
  for (const report of history(tomorrow, 1, true)) await deliver(delivery, report)
}

const deliver = (delivery: Delivery, report: DemoReport): Promise<Answer> =>
  report.sender.by === 'mail'
    ? delivery.sendReport(report)
    : delivery.post(Buffer.from(report.json), 'application/tlsrpt+json')
