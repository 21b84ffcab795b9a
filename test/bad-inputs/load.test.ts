/** What takes memory: bombs at the same time, and those who come in thousands and take their time. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { connectHttp, head, type HttpClient } from '../support/http-client.ts'
import { ruaAddress } from '../support/running-service.ts'
import { connectSmtp, type SmtpClient } from '../support/smtp-client.ts'
import type { Stall } from '../support/stall-probe.ts'
import { watchService } from '../support/watched-service.ts'
import { policy, report, zipped } from './report.ts'
import { mail, post, reportMail } from './run-rows.ts'

const maxRssBytes = 512 * 1024 * 1024
const maxStallMs = 500
const maxGoodP99Ms = 5_000 // Another test has the same two cores; test/faults/load.fault.ts has them to itself, and 2 s.
const slowOnes = 1_000 // Of each kind.
const bombsAtOnce = 20
const poolSize = 15 // Connections to Postgres come and go with the load, and are no leak.

const limits = {
  // A thousand slow ones on each are the default's all: what is measured needs the good ones beside them.
  smtpConnections: 1_200,
  httpConnections: 1_200,
  httpConnectionsPerAddress: 2_000,
  httpConnectionsPerNetwork: 2_000,
  unverifiedReportsPerDomainAndDay: 10_000,
  // Slow ones are borne with for as long as the test takes, also on a busy machine.
  ...{ slowGraceSeconds: 300, httpRequestSeconds: 300, smtpIdleSeconds: 300 },
}
const service = await watchService({ env: { LIMITS: JSON.stringify(limits) } }) // prettier-ignore
const { ports } = service

const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 })
const goodBody = (): Buffer => zipped(report({ policies: [policy({ 'policy-domain': 'good.example' })] }))

/** Sends good reports, so many a second, until it is told to stop; resolves to how long each took, in ms. */
function sendGood(perSecond: number): { stop: () => Promise<number[]> } {
  const sent: Promise<number>[] = []
  const send = async (index: number) => {
    const body = goodBody()
    const startedAt = performance.now()
    const answer = await (index % 2 === 0 ? post(ports.intake, body) : mail(ports.smtp, reportMail(body)))
    assert.match(answer, /^(?:200|250 2\.6\.0) accepted/)
    return performance.now() - startedAt
  }
  const timer = setInterval(() => {
    sent.push(send(sent.length))
  }, 1_000 / perSecond)
  return {
    stop: () => {
      clearInterval(timer)
      return Promise.all(sent)
    },
  }
}

const percentile = (values: number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!

function check(t: TestContext, what: string, { cpuMs, wallMs, peakRssBytes }: Stall, goodMs: number[]): number {
  const p99 = percentile(goodMs, 0.99)
  t.diagnostic(
    `${what}: peak RSS ${inMiB(peakRssBytes)} MiB, the event loop stood still for ${cpuMs.toFixed(0)} ms at worst (${wallMs.toFixed(0)} ms by the clock), ${goodMs.length} good reports accepted, p99 ${p99.toFixed(0)} ms`,
  )
  assert.ok(service.isRunning())
  assert.ok(peakRssBytes <= maxRssBytes, `${peakRssBytes} bytes`)
  assert.ok(cpuMs <= maxStallMs, `${cpuMs} ms`)
  assert.ok(goodMs.length > 0)
  return p99
}

const inMiB = (size: number): string => (size / 1024 / 1024).toFixed(0)

const openFiles = (): number => readdirSync(`/proc/${service.pid}/fd`).length
const canCount = existsSync('/proc/self/fd') ? false : 'this system does not tell how many files a process has open'

const transports = {
  posted: (body: Buffer) => post(ports.intake, body),
  mailed: (body: Buffer) => mail(ports.smtp, reportMail(body)),
}

for (const [how, send] of Object.entries(transports)) {
  test(`4: twenty bombs, ${how} at once`, async (t) => {
    const bodies = Array<Buffer>(bombsAtOnce).fill(zeros)
    await service.stall()
    const good = sendGood(20)
    for (const answer of await Promise.all(bodies.map(send))) assert.match(answer, /^(?:413|552) /)
    check(t, `twenty bombs, ${how}`, await service.stall(), await good.stop())
  })
}

test('218: 1,000 slow mails, 1,000 slow posts and twenty bombs hold up nobody', async (t) => {
  const before = canCount === false ? openFiles() : Infinity
  const mails: SmtpClient[] = []
  const posts: HttpClient[] = []
  t.after(() => {
    for (const client of [...mails, ...posts]) client.close()
  })
  for (let done = 0; done < slowOnes; done += 100) {
    mails.push(...(await Promise.all(Array.from({ length: 100 }, slowMail))))
    posts.push(...(await Promise.all(Array.from({ length: 100 }, slowPost))))
  }
  await service.stall()
  const good = sendGood(50)
  const bombs = Array.from({ length: bombsAtOnce }, () => post(ports.intake, zeros))
  for (let time = 0; time < 8; time++) {
    await sleep(500)
    await Promise.all([...mails, ...posts].map((client) => client.write('x')))
  }
  for (const answer of await Promise.all(bombs)) assert.match(answer, /^413 /)
  for (const client of [...mails, ...posts])
    assert.ok(client.isOpen(), 'a slow one was cut off: there are fewer than that')
  const p99 = check(t, `${slowOnes} slow mails and ${slowOnes} slow posts`, await service.stall(), await good.stop())
  assert.ok(p99 <= maxGoodP99Ms, `${p99} ms`)
  for (const client of [...mails, ...posts]) client.close()
  const deadline = performance.now() + 10_000
  while (before !== Infinity && openFiles() > before + poolSize) {
    assert.ok(performance.now() < deadline, `${before} open files before, ${openFiles()} after`)
    await sleep(100)
  }
})

async function slowMail(): Promise<SmtpClient> {
  const client = await connectSmtp(ports.smtp)
  await client.read()
  for (const command of ['EHLO x', 'MAIL FROM:<>', `RCPT TO:<${ruaAddress}>`, 'DATA']) await client.say(command)
  await client.write('Subject: ')
  return client
}

async function slowPost(): Promise<HttpClient> {
  const client = await connectHttp({ port: ports.intake, tls: true })
  await client.write(head('POST', '/v1/tlsrpt', { 'Content-Length': 10_000 }))
  return client
}

test('219: thousands who come and go leave nothing behind', { skip: canCount }, async (t) => {
  const settled = async () => {
    await sleep(500)
    return openFiles()
  }
  const before = await settled()
  for (let done = 0; done < 3_000; done += 100) {
    const clients = await Promise.all(Array.from({ length: 100 }, () => connectSmtp(ports.smtp)))
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.close()
      else client.reset()
    }
  }
  const after = await settled()
  t.diagnostic(`${before} open files before, ${after} after`)
  assert.ok(after <= before + 5, `${before} open files before, ${after} after`)
})
