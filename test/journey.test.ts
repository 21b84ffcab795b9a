/** The way of a person: start the program, say what is ours, receive by mail and by HTTPS, ask, stop, start again. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createTransport } from 'nodemailer'
import { startDnsServer } from './support/dns-server.ts'
import { request } from './support/http-client.ts'
import { runProgram, startProgram, type Program } from './support/program.ts'
import { reportOn, signedMail, zone } from './support/report-mail.ts'

type Ready = { msg: string; smtp_port: number; intake_port: number; api_port: number }

const dataDir = await mkdtemp(join(tmpdir(), 'tlsrpt-journey-'))
const dns = await startDnsServer(zone)
const env = {
  DATA_DIR: dataDir,
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: '0',
  SMTP_HOSTNAME: 'mx.journey.example',
  RUA_ADDRESSES: 'tlsrpt@journey.example',
  INTAKE_HOST: '127.0.0.1',
  INTAKE_PORT: '0',
  API_PORT: '0',
  DNS_SERVERS: dns.address,
}
after(async () => {
  await dns.close()
  await rm(dataDir, { recursive: true, force: true })
})

const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000).toISOString().slice(0, 10)
const told = (reportId: string, failed: number) => ({ domain: 'journey.example', day: yesterday, reportId, failed })
const report = (reportId: string, failed: number) => reportOn(told(reportId, failed))
const mail = (reportId: string, failed: number) => signedMail(told(reportId, failed))

let program: Program
let ready: Ready
let token: string

async function start(): Promise<void> {
  program = startProgram([], env)
  ready = JSON.parse(await program.line()) as Ready
  token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim()
}
async function ask(
  path: string,
): Promise<{ status: number; body: Record<string, never> & { data: Record<string, unknown>[] } }> {
  const response = await fetch(`http://127.0.0.1:${ready.api_port}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: response.status, body: (await response.json()) as never }
}
async function send(raw: Buffer): Promise<string> {
  const smtp = createTransport({
    host: '127.0.0.1',
    port: ready.smtp_port,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
  })
  try {
    const { response } = (await smtp.sendMail({ envelope: { from: '', to: 'tlsrpt@journey.example' }, raw })) as {
      response: string
    }
    return response
  } catch (error) {
    return (error as { response: string }).response
  } finally {
    smtp.close()
  }
}

before(start)
after(() => program.stop('SIGKILL'))

test('one line on stdout says that all ports are open', () => {
  assert.equal(ready.msg, 'ready')
  for (const port of [ready.smtp_port, ready.intake_port, ready.api_port]) assert.ok(port > 0)
})

test('the admin token is made once, for its owner alone', async () => {
  assert.match(token, /^[\w-]{43}$/)
  assert.equal((await stat(join(dataDir, 'admin-token'))).mode & 0o777, 0o600)
})

test('without a domain a report is refused as not ours, and can be looked up with its reason and its bytes', async () => {
  const reply = await send(mail('r-0', 1))
  assert.match(reply, /^550 5\.7\.1 not-ours key=[\w-]{36}$/)
  const submissionKey = / key=(\S+)/.exec(reply)![1]!
  const { body } = await ask(`/v1/submissions/${submissionKey}`)
  assert.equal((body as Record<string, unknown>)['verdict'], 'not-ours')
  const raw = await fetch(`http://127.0.0.1:${ready.api_port}/v1/submissions/${submissionKey}/raw`, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.deepEqual(Buffer.from(await raw.arrayBuffer()), mail('r-0', 1))
})

test('a domain is added while the service runs, and counts at once', async () => {
  const added = await runProgram(['domain', 'add', 'Journey.example.', '--mx', 'mx.host.example'], env)
  assert.equal(added.code, 0, added.stderr)
  assert.equal(added.stdout, 'journey.example is ours, with its subdomains, served by mx.host.example.\n')
  assert.match(await send(mail('r-1', 3)), /^250 2\.6\.0 accepted key=/)
})

test('the same report by HTTPS is a repeat, and counts once', async () => {
  const body = gzipSync(JSON.stringify(report('r-1', 3)))
  const answer = await request({ port: ready.intake_port, tls: true }, 'POST', '/v1/tlsrpt', body, {
    'content-type': 'application/tlsrpt+gzip',
  })
  assert.equal(answer.status, 200)
  assert.equal((JSON.parse(answer.body) as { verdict: string }).verdict, 'duplicate')
  const { body: summary } = await ask('/v1/summary?group_by=domain,result_type,receiving_mx_hostname')
  assert.equal(summary.data.length, 1)
  const row = summary.data[0]!
  assert.deepEqual(
    [row['domain'], row['result_type'], row['failed'], row['reports']],
    ['journey.example', 'certificate-expired', 3, 1],
  )
})

test('strangers do not reach the API by the intake, nor the intake by the API', async () => {
  assert.equal((await request({ port: ready.intake_port, tls: true }, 'GET', '/v1/summary')).status, 404)
  assert.equal((await fetch(`http://127.0.0.1:${ready.api_port}/v1/tlsrpt`, { method: 'POST' })).status, 404)
})

test('SIGTERM ends it with 0; started again it is ready within five seconds and remembers', async () => {
  const ended = await program.stop('SIGTERM')
  assert.equal(ended.code, 0, ended.stderr)
  assert.equal(ended.stdout.trim().split('\n').length, 1)
  assert.ok(!ended.stderr.includes(token), 'the token is in the log')
  const begun = performance.now()
  await start()
  assert.ok(performance.now() - begun < 5_000)
  assert.match(await send(mail('r-1', 3)), /^250 2\.6\.0 duplicate key=/)
})

test('killed without warning it has lost nothing that it said yes to', async () => {
  assert.match(await send(mail('r-2', 5)), /^250/)
  await program.stop('SIGKILL')
  await start()
  const { body } = await ask('/v1/summary?group_by=domain')
  assert.equal(body.data[0]!['failed'], 8)
})

test('domain list and domain remove say what is ours, and when nothing is', async () => {
  const listed = await runProgram(['domain', 'list', '--json'], env)
  assert.deepEqual(JSON.parse(listed.stdout), [
    { domain: 'journey.example', include_subdomains: true, mx: ['mx.host.example'], source: 'store' },
  ])
  assert.equal((await runProgram(['domain', 'remove', 'journey.example'], env)).code, 0)
  const again = await runProgram(['domain', 'remove', 'journey.example'], env)
  assert.deepEqual([again.code, again.stderr], [1, "'journey.example' was none of our domains\n"])
  assert.match(await send(mail('r-3', 5)), /^550 5\.7\.1/)
})

test('usage and configuration errors end with 2, and name what is wrong', async () => {
  const unknown = await runProgram(['frobnicate'], env)
  assert.deepEqual([unknown.code, unknown.stderr], [2, "error: there is no command 'frobnicate'; --help lists them\n"])
  const bad = await runProgram([], { ...env, SMTP_PORT: 'x', DKIM_POLICY: 'y' })
  assert.equal(bad.code, 2)
  assert.match(bad.stderr, /SMTP_PORT[\s\S]*DKIM_POLICY/)
  assert.equal((await runProgram(['domain', 'add', 'not a domain'], env)).code, 2)
})

test('migrate says when there is nothing to do', async () => {
  const ended = await runProgram(['migrate'], env)
  assert.deepEqual([ended.code, ended.stdout], [0, 'The schema is up to date.\n'])
})
