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
  ACCEPT_DATA_LOSS: 'yes',
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
  const post = () => postReport(service.ports.intake)
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

test('a database that can lose what it has committed stops the start, and is not used when it comes later', async (t) => {
  const { url, db } = await freshDatabase(t)
  await db.query(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`)
  const strict = { ...env, ACCEPT_DATA_LOSS: 'no' }
  await assert.rejects(
    startService(readConfig({ ...strict, DATABASE_URL: url }), silent, { now }),
    /^Error: the database has .*synchronous_commit = off, so .* or set ACCEPT_DATA_LOSS=yes$/,
  )

  const door = await openDoor(new URL(url))
  t.after(door.close)
  const limits = '{"databaseConnectMs": 300}'
  const service = await startService(readConfig({ ...strict, DATABASE_URL: door.url, LIMITS: limits }), silent, { now })
  t.after(service.close)
  const readyz = async () => (await (await fetch(`http://127.0.0.1:${service.ports.api}/readyz`)).json()) as { reasons: string[] } // prettier-ignore
  assert.doesNotMatch((await readyz()).reasons.join(), /synchronous_commit/)
  door.open()
  for (let tries = 0; !(await readyz()).reasons.join().includes('synchronous_commit = off'); tries++) {
    assert.ok(tries < 50, 'ten seconds after the database came back nobody has looked at it')
    await sleep(200)
  }
  assert.equal((await postReport(service.ports.intake)).status, 503)
  assert.match(await mail(service.ports.smtp), /^451 /)
  assert.equal((await db.query('select from submission')).rowCount, 0)
})

test('a database of a newer release stops the start, and ends a service that waited for it', async (t) => {
  const { url, db } = await freshDatabase(t)
  await db.query("insert into schema_migration (name, sha256) values ('9999_future.sql', '')")
  const newer = /^Error: the database is newer than this program: it has 9999_future.sql; run the release/
  await assert.rejects(startService(readConfig({ ...env, DATABASE_URL: url }), silent, { now }), newer)

  const door = await openDoor(new URL(url))
  t.after(door.close)
  const service = await startService(readConfig({ ...env, DATABASE_URL: door.url }), silent, { now })
  t.after(service.close)
  door.open()
  await assert.rejects(service.outdated, newer)
})

test('questions that take their time do not hold up reports', async (t) => {
  const { url, db } = await freshDatabase(t)
  const service = await startService(readConfig({ ...env, DATABASE_URL: url, LIMITS: '{"apiPool": 2}' }), silent, {
    now,
  })
  t.after(service.close)
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}` }
  const ask = () => fetch(`http://127.0.0.1:${service.ports.api}/v1/reporters`, { headers })
  assert.equal((await ask()).status, 200)
  const holder = await db.connect()
  await holder.query('begin; lock table reporter in access exclusive mode') // What every one of them reads.
  const questions = Array.from({ length: 20 }, ask)
  await sleep(100)
  const started = performance.now()
  const answer = await postReport(service.ports.intake)
  const tookMs = performance.now() - started
  assert.equal(answer.status, 200)
  assert.ok(tookMs < 2_000, `${tookMs} ms`)
  const statuses = new Set((await Promise.all(questions)).map(({ status }) => status))
  assert.deepEqual(statuses, new Set([503]), 'they end with their time-outs')
  await holder.query('rollback')
  holder.release()
  assert.equal((await ask()).status, 200)
})

const postReport = (port: number) =>
  request({ port }, 'POST', '/v1/tlsrpt', JSON.stringify(report), { 'content-type': 'application/json' })

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
