/** The program as an operator has it: how it ends, whom it writes to, and what it does not tell. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freshDatabase } from './support/database.ts'
import { connectHttp, head, request } from './support/http-client.ts'
import { inherited, runProgram, startProgram, type Program } from './support/program.ts'
import { reportOn } from './support/report-mail.ts'
import { greetSmtp } from './support/smtp-client.ts'

const { url, db } = await freshDatabase()
const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-process-'))
after(() => rm(folder, { recursive: true, force: true }))
const adminToken = 'an-admin-token-for-tests'
const env = {
  DATABASE_URL: url,
  DATA_DIR: folder,
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: '0',
  SMTP_HOSTNAME: 'rua.example',
  RUA_ADDRESSES: 'tlsrpt@rua.example',
  POLICY_DOMAINS: 'ours.example',
  DKIM_POLICY: 'mark',
  INTAKE_HOST: '127.0.0.1',
  INTAKE_PORT: '0',
  INTAKE_TLS: 'off',
  API_PORT: '0',
  ADMIN_TOKEN: adminToken,
  LIMIT_EXEMPT_CIDRS: '127.0.0.0/8',
  ACCEPT_DATA_LOSS: 'yes',
}

type Ports = { smtp_port: number; intake_port: number; api_port: number }

/** Ready; killed after the test if it still runs. */
async function start(t: TestContext, more: Record<string, string> = {}): Promise<{ program: Program; ports: Ports }> {
  const program = startProgram([], { ...env, ...more })
  t.after(() => program.stop('SIGKILL'))
  return { program, ports: JSON.parse(await program.line()) as Ports }
}

let reports = 0
const report = () =>
  JSON.stringify(reportOn({ domain: 'ours.example', day: today, reportId: `r${reports++}`, failed: 1 }))
const today = new Date().toISOString().slice(0, 10)
const stored = async () => Number((await db.query<{ n: bigint }>('select count(*) as n from report')).rows[0]!.n)

/** In the middle of DATA; `finish` sends the rest and reads the reply. */
async function mailUnderWay(port: number): Promise<{ finish: () => Promise<string>; read: () => Promise<string> }> {
  const client = await greetSmtp(port)
  for (const line of ['MAIL FROM:<>', 'RCPT TO:<tlsrpt@rua.example>', 'DATA']) await client.say(line)
  await client.write('From: a@sender.example\r\nContent-Type: application/tlsrpt+json\r\n')
  return { finish: () => client.say(`\r\n${report()}\r\n.`), read: client.read }
}

/** In the middle of its body. */
async function postUnderWay(port: number): Promise<{ finish: () => Promise<number | undefined> }> {
  const client = await connectHttp({ port })
  const body = report()
  await client.write(head('POST', '/v1/tlsrpt', { 'content-length': body.length, 'content-type': 'application/json' }))
  await client.write(body.slice(0, 20))
  return {
    finish: async () => {
      await client.write(body.slice(20))
      return (await client.read())?.status
    },
  }
}

test('SIGTERM: twenty mails and twenty posts under way are finished and acknowledged, slow ones are cut, exit 0', async (t) => {
  const { program, ports } = await start(t, { LIMITS: '{"drainSeconds": 5}' })
  const before = await stored()
  const twenty = <T>(make: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, make))
  const mails = await twenty(() => mailUnderWay(ports.smtp_port))
  const posts = await twenty(() => postUnderWay(ports.intake_port))
  const slow = await mailUnderWay(ports.smtp_port)
  await postUnderWay(ports.intake_port)
  await connectHttp({ port: ports.intake_port })
  const started = performance.now()
  const ended = program.stop('SIGTERM')
  const [replies, statuses] = await Promise.all([
    Promise.all(mails.map(({ finish }) => finish())),
    Promise.all(posts.map(({ finish }) => finish())),
  ])
  assert.deepEqual(new Set(replies.map((reply) => reply.slice(0, 4))), new Set(['250 ']))
  assert.deepEqual(new Set(statuses), new Set([200]))
  assert.equal(await slow.read(), 'closed')
  const { code } = await ended
  const seconds = (performance.now() - started) / 1000
  assert.equal(code, 0)
  assert.ok(seconds < 5, `${seconds} s`)
  assert.equal(await stored(), before + 40)
})

test('a second signal ends it at once', async (t) => {
  const { program, ports } = await start(t)
  await mailUnderWay(ports.smtp_port)
  void program.stop('SIGTERM')
  await assertClosed(ports.api_port)
  const started = performance.now()
  assert.equal((await program.stop('SIGINT')).code, 1)
  assert.ok(performance.now() - started < 2_000)
})

test('whoever reads its stdout and stderr may stop reading, or go: it takes reports as before, and ends as before', async (t) => {
  for (const leave of ['stops reading', 'goes']) {
    const child = spawn(process.execPath, ['src/main.ts'], { env: { ...inherited, ...env } })
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    const { intake_port: port } = JSON.parse(line) as Ports
    if (leave === 'goes') for (const stream of [child.stdout, child.stderr]) stream.destroy()
    const client = await connectHttp({ port })
    for (let round = 0; round < 15; round++) {
      await client.write(`${head('POST', '/v1/tlsrpt', { 'content-length': 1 })}x`.repeat(100)) // A line in the log each.
      for (let i = 0; i < 100; i++) assert.equal((await client.read())?.status, 400)
    }
    const { status } = await request({ port }, 'POST', '/v1/tlsrpt', report(), { 'content-type': 'application/json' })
    assert.equal(status, 200, leave)
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null], leave)
  }
})

test('no secret is printed or told, whatever goes wrong', async (t) => {
  const secrets = {
    password: 'pass-that-nobody-reads',
    token: 'token-that-nobody-reads',
    posted: 'posted-token-of-them',
  }
  const away = { DATABASE_URL: `postgres://ada:${secrets.password}@127.0.0.1:1/none`, ADMIN_TOKEN: secrets.token }
  const told: string[] = []
  const running = await start(t, { ...away, LOG_LEVEL: 'trace' })
  const api = `http://127.0.0.1:${running.ports.api_port}`
  for (const path of ['/readyz', '/metrics', `/v1/domains?token=${secrets.token}`, '/v1/reports', '/v1/nothing'])
    for (const authorization of [`Bearer ${secrets.token}`, `Bearer ${secrets.posted}`, `Basic ${secrets.token}`])
      told.push(await (await fetch(api + path, { headers: { authorization } })).text())
  const port = running.ports.intake_port
  for (const path of [`/v1/tlsrpt/${secrets.posted}`, `/v1/tlsrpt?token=${secrets.posted}`, `/${secrets.posted}%`])
    told.push((await request({ port }, 'POST', path, report(), { authorization: `Bearer ${secrets.token}` })).body)
  const first = await running.program.stop('SIGTERM')
  assert.match(first.stderr, /ECONNREFUSED/, 'the log says what is wrong')
  const others = await Promise.all([
    runProgram(['domain', 'list'], { ...env, ...away }),
    runProgram(['domain', 'list'], { ...env, ...away, DATABASE_URL: `postgres://ada:${secrets.password}@[half/none` }),
    runProgram(['domain', 'list'], { ...env, ...away, DATABASE_URL: `mysql://ada:${secrets.password}@h/d` }),
    runProgram([], { ...env, ADMIN_TOKEN: secrets.token, LIMITS: '{', DNS_SERVERS: 'x' }),
    runProgram(['migrate'], { ...env, DATABASE_URL: url.replace('://', `://ada:${secrets.password}@`).replace(/(@[^@]+)@/, '$1/'), ADMIN_TOKEN: secrets.token }), // prettier-ignore
  ])
  for (const { code } of others) assert.notEqual(code, 0)
  const printed = [first, ...others].flatMap(({ stdout, stderr }) => [stdout, stderr])
  for (const [name, secret] of Object.entries(secrets))
    for (const text of [...told, ...printed]) assert.ok(!text.includes(secret), `${name} in: ${text}`)
})

test('a database of a newer release is exit 1 and a sentence', async () => {
  await db.query("insert into schema_migration (name, sha256) values ('9999_future.sql', '')")
  const { code, stdout, stderr } = await runProgram([], env)
  await db.query("delete from schema_migration where name = '9999_future.sql'")
  assert.equal(code, 1)
  assert.equal(stdout, '', 'it was never ready')
  assert.match(stderr, /"msg":"the database is newer than this program: it has 9999_future\.sql;/)
})

/** Once it is draining its ports are shut. */
async function assertClosed(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const open = await connectHttp({ port }).then(
      (client) => {
        client.close()
        return true
      },
      () => false,
    )
    if (!open) return
    assert.ok(tries < 100, 'it does not drain')
    await sleep(20)
  }
}
