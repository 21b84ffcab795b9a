import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { readConfig } from '../src/config.ts'
import { startService } from '../src/service.ts'
import { freshDatabase } from './support/database.ts'
import { request } from './support/http-client.ts'
import { greetSmtp } from './support/smtp-client.ts'

const silent = pino({ level: 'silent' })
const dataDir = await mkdtemp(join(tmpdir(), 'tlsrpt-service-'))
after(() => rm(dataDir, { recursive: true, force: true }))
const env = {
  DATA_DIR: dataDir,
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: '0',
  SMTP_HOSTNAME: 'mx.ours.example',
  RUA_ADDRESSES: 'tlsrpt@ours.example',
  POLICY_DOMAINS: 'ours.example',
  INTAKE_HOST: '127.0.0.1',
  INTAKE_PORT: '0',
  INTAKE_TLS: 'off',
  API_PORT: '0',
  ADMIN_TOKEN: 'a-token-for-tests-only',
}
const report = {
  'organization-name': 'Sender',
  'date-range': { 'start-datetime': '2026-11-20T00:00:00Z', 'end-datetime': '2026-11-20T23:59:59Z' },
  'report-id': 'r-1',
  policies: [
    {
      policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'ours.example' },
      summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
    },
  ],
}
const now = () => new Date('2026-11-21T12:00:00Z')

test('while the database is away senders are told to come back, and the service becomes ready by itself', async (t) => {
  const { url } = await freshDatabase(t)
  const door = await openDoor(new URL(url))
  t.after(door.close)
  const service = await startService(
    readConfig({ ...env, DATABASE_URL: door.url, LIMITS: '{"databaseConnectMs": 300}' }),
    silent,
    { now },
  )
  t.after(service.close)
  const post = () =>
    request({ port: service.ports.intake }, 'POST', '/v1/tlsrpt', JSON.stringify(report), {
      'content-type': 'application/json',
    })
  const readyz = async () => (await fetch(`http://127.0.0.1:${service.ports.api}/readyz`)).status

  assert.equal(await readyz(), 503)
  assert.equal((await request({ port: service.ports.intake }, 'GET', '/healthz')).status, 200)
  const answer = await post()
  assert.equal(answer.status, 503)
  assert.ok(Number(answer.headers['retry-after']) > 0)
  assert.match(await mail(service.ports.smtp), /^451 4\.\d\.\d /)
  const malformed = await request({ port: service.ports.intake }, 'POST', '/v1/tlsrpt', '{', {
    'content-type': 'application/json',
  })
  assert.equal(malformed.status, 400, 'what can never be accepted is refused for good, kept or not')

  door.open()
  for (let tries = 0; (await readyz()) !== 200; tries++) {
    assert.ok(tries < 50, 'not ready ten seconds after the database came back')
    await sleep(200)
  }
  assert.equal((await post()).status, 200)
})

test('a port that is taken stops the start, and leaves nothing behind', async (t) => {
  const { url } = await freshDatabase(t)
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  t.after(() => holder.close())
  const { port } = holder.address() as { port: number }
  await assert.rejects(
    startService(readConfig({ ...env, DATABASE_URL: url, API_PORT: String(port) }), silent, { now }),
    /EADDRINUSE/,
  )
})

/** A mail with the report as its body, unsigned: it is the way that counts here. */
async function mail(port: number): Promise<string> {
  const client = await greetSmtp(port)
  for (const line of ['MAIL FROM:<>', 'RCPT TO:<tlsrpt@ours.example>', 'DATA']) await client.say(line)
  const message = [
    'From: a@sender.example',
    'Content-Type: application/tlsrpt+json',
    '',
    JSON.stringify(report),
    '.',
  ].join('\r\n')
  const reply = await client.say(message)
  client.close()
  return reply
}

/** A door to the database that is shut until it is opened. */
async function openDoor(target: URL): Promise<{ url: string; open: () => void; close: () => Promise<void> }> {
  let isOpen = false
  const sockets = new Set<Socket>()
  const server: Server = createServer((from) => {
    sockets.add(from)
    from.on('error', () => from.destroy())
    if (!isOpen) return from.resetAndDestroy()
    const host = target.searchParams.get('host')
    const to =
      host === null
        ? connect(Number(target.port), target.hostname)
        : connect(join(host, `.s.PGSQL.${target.port || '5432'}`))
    to.on('error', () => from.destroy())
    return void from.pipe(to).pipe(from)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `postgres://${target.username || 'tlsrpt'}@127.0.0.1:${port}${target.pathname}`,
    open: () => (isOpen = true),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}
