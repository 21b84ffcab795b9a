/** The whole service on free ports of loopback, over a database of its own, and a sender's and a reader's way to it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { createTransport } from 'nodemailer'
import pino from 'pino'
import { readConfig } from '../../src/config.ts'
import type { Ingest } from '../../src/ingest.ts'
import type { Dashboard } from '../../src/page-build.ts'
import { startService } from '../../src/service.ts'
import { freshDatabase, type TestDatabase } from './database.ts'
import { startDnsServer, type Zone } from './dns-server.ts'

export type Options = {
  /** What the resolver finds. */
  zone?: Zone
  now: () => Date
  /** On top of the defaults, or in their place. */
  env?: Record<string, string>
  /** Left out: there is none. */
  dashboard?: Dashboard
}

export type MailReply = { code: number; text: string; submissionKey: string | undefined }
export type PostReply = { status: number; mediaType: string | undefined; body: Record<string, unknown> }

export type RunningService = {
  ports: { smtp: number; intake: number; api: number }
  database: TestDatabase
  /** The road itself, for what is to be there already when a test begins. */
  ingest: Ingest
  /** Over SMTP, as it stands; with STARTTLS. */
  sendMail: (raw: Buffer) => Promise<MailReply>
  /** To the intake; `path` is /v1/tlsrpt unless given. */
  post: (body: Buffer, headers?: Record<string, string>, path?: string) => Promise<PostReply>
  /** Asks the API, and wants a 2xx. */
  get: <T>(path: string) => Promise<T>
  put: (path: string, body: object) => Promise<void>
  close: () => Promise<void>
}

const noDashboard: Dashboard = { page: Promise.resolve('/nonexistent'), close: () => Promise.resolve() }

export const ruaAddress = 'tlsrpt@rua.example'
export const adminToken = 'a-token-for-tests-only'

/**
 * Closed after the test `t`; without `t` at the end of the file, and then it has to be at its top level and before the
 * first test: once a test has run, node:test takes a hook that is still to come for one that is due.
 */
export async function runService(
  { zone = {}, now, env = {}, dashboard = noDashboard }: Options,
  t?: TestContext,
): Promise<RunningService> {
  const closing: (() => unknown)[] = [] // In reverse order.
  let closed: Promise<void> | undefined
  const close = () =>
    (closed ??= (async () => {
      for (const step of closing.reverse()) await step()
    })())
  // Before the database has its hook: hooks run in the order of their making.
  if (t) t.after(close)
  else after(close)

  const database = await freshDatabase(t)
  closing.push(database.close)
  const dataDir = await mkdtemp(join(tmpdir(), 'tlsrpt-service-'))
  closing.push(() => rm(dataDir, { recursive: true, force: true }))
  const dns = await startDnsServer(zone)
  closing.push(dns.close)
  const config = readConfig({
    DATABASE_URL: database.url,
    ACCEPT_DATA_LOSS: 'yes',
    DATA_DIR: dataDir,
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: '0',
    SMTP_HOSTNAME: 'rua.example',
    RUA_ADDRESSES: ruaAddress,
    INTAKE_HOST: '127.0.0.1',
    INTAKE_PORT: '0',
    API_PORT: '0',
    DNS_SERVERS: dns.address,
    ADMIN_TOKEN: adminToken,
    LIMIT_EXEMPT_CIDRS: '127.0.0.0/8',
    ...env,
  })
  const service = await startService(config, pino({ level: 'error' }, pino.destination(2)), { now, dashboard })
  closing.push(service.close)
  const smtp = createTransport({
    host: '127.0.0.1',
    port: service.ports.smtp,
    pool: true,
    maxConnections: 4,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false })
  closing.push(
    () => {
      smtp.close()
    },
    () => {
      agent.destroy()
    },
  )
  const api = (path: string, init: RequestInit) => askApi(service.ports.api, path, init)

  return {
    ports: service.ports,
    database,
    ingest: service.ingest,
    sendMail: (raw) => sendRaw(smtp, raw),
    post: (body, headers, path) => postReport(agent, service.ports.intake, body, headers, path),
    get: async <T>(path: string) => (await (await api(path, {})).json()) as T,
    put: async (path, body) => {
      const headers = { 'content-type': 'application/json' }
      await api(path, { method: 'PUT', headers, body: JSON.stringify(body) })
    },
    close,
  }
}

async function sendRaw(smtp: ReturnType<typeof createTransport>, raw: Buffer): Promise<MailReply> {
  const read = (text: string): MailReply => ({
    code: Number(text.slice(0, 3)),
    text,
    submissionKey: / key=(\S+)/.exec(text)?.[1],
  })
  try {
    const { response } = (await smtp.sendMail({ envelope: { from: '', to: ruaAddress }, raw })) as { response: string }
    return read(response)
  } catch (error) {
    const { response } = error as { response?: string }
    if (response === undefined) throw error
    return read(response)
  }
}

function postReport(
  agent: Agent,
  port: number,
  body: Buffer,
  headers: Record<string, string> = {},
  path = '/v1/tlsrpt',
): Promise<PostReply> {
  const length = { 'content-length': String(body.length) }
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, path, method: 'POST', headers: { ...length, ...headers } }
    const call = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const answer = JSON.parse(Buffer.concat(chunks).toString()) as PostReply['body']
        resolve({ status: response.statusCode ?? 0, mediaType: response.headers['content-type'], body: answer })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

async function askApi(port: number, path: string, init: RequestInit): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${adminToken}` }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers })
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`)
  return response
}
