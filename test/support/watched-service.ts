/** The service as a process of its own, with its log, its event loop and its memory in sight. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshDatabase, type TestDatabase } from './database.ts'
import { startDnsServer, type DnsServer, type Zone } from './dns-server.ts'
import { zone as senderZone } from './report-mail.ts'
import { inherited, nodeOptions } from './program.ts'
import { adminToken, ruaAddress } from './running-service.ts'
import type { Stall } from './stall-probe.ts'

export type WatchedService = {
  ports: { smtp: number; intake: number; api: number }
  database: TestDatabase
  dns: DnsServer
  pid: number
  isRunning: () => boolean
  /** Whole lines on stderr since it was asked before. */
  newLogLines: () => string[]
  /** The worst stall since it was asked before. */
  stall: () => Promise<Stall>
  /** Of the API, and wants a 2xx. */
  get: <T>(path: string) => Promise<T>
  /** The text of /metrics. */
  metrics: () => Promise<string>
}

type Surroundings = {
  env?: Record<string, string>
  /** On top of what report-mail.ts signs with. */
  zone?: Zone
  /** More it may not have open at a time. */
  openFiles?: number
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const probe = new URL('stall-probe.ts', import.meta.url).href

/** Ends with the file, so at its top level and before its first test. */
export async function watchService({ env = {}, zone = {}, openFiles }: Surroundings = {}): Promise<WatchedService> {
  const closing: (() => unknown)[] = [] // In reverse order.
  after(async () => {
    for (const step of closing.reverse()) await step()
  })
  const database = await freshDatabase()
  const dataDir = await mkdtemp(join(tmpdir(), 'tlsrpt-watched-'))
  closing.push(() => rm(dataDir, { recursive: true, force: true }))
  const dns = await startDnsServer({ ...senderZone, ...zone })
  closing.push(dns.close)
  const program = [process.execPath, ...nodeOptions, '--import', probe, 'src/main.ts']
  const limited = openFiles === undefined ? '' : `ulimit -n ${openFiles}; `
  const child = spawn('sh', ['-c', `${limited}exec "$@"`, 'sh', ...program], {
    cwd: root,
    env: {
      ...inherited,
      DATABASE_URL: database.url,
      ACCEPT_DATA_LOSS: 'yes',
      DATA_DIR: dataDir,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: '0',
      SMTP_HOSTNAME: 'rua.example',
      RUA_ADDRESSES: ruaAddress,
      POLICY_DOMAINS: 'ours.example,good.example',
      INTAKE_HOST: '127.0.0.1',
      INTAKE_PORT: '0',
      API_PORT: '0',
      DNS_SERVERS: dns.address,
      ADMIN_TOKEN: adminToken,
      LIMIT_EXEMPT_CIDRS: '127.0.0.1/32',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const ended = once(child, 'close')
  closing.push(() => {
    child.kill('SIGTERM')
    return ended
  })
  let stderr = ''
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString('latin1')))
  const [line] = (await Promise.race([once(child.stdout!, 'data'), ended.then(() => [undefined])])) as [Buffer?]
  if (line === undefined) throw new Error(`the service did not start: ${stderr}`)
  const ready = JSON.parse(line.toString()) as { smtp_port: number; intake_port: number; api_port: number }
  const ports = { smtp: ready.smtp_port, intake: ready.intake_port, api: ready.api_port }

  const ask = async (path: string) => {
    const headers = { authorization: `Bearer ${adminToken}` }
    const response = await fetch(`http://127.0.0.1:${ports.api}${path}`, { headers })
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    return response
  }
  const service: WatchedService = {
    ports,
    database,
    dns,
    pid: child.pid!,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    newLogLines: () => {
      const lines = stderr.split('\n')
      stderr = lines.pop()!
      return lines
    },
    stall: async () => {
      const answer = once(child, 'message') as Promise<[Stall]>
      child.send('how long?')
      const [stall] = await answer
      return stall
    },
    get: async <T>(path: string) => (await (await ask(path)).json()) as T,
    metrics: async () => (await ask('/metrics')).text(),
  }
  return service
}
