/**
 * Spoilt reports, mails and conversations over the sockets of a running service, in batches; beside and after each the
 * service is alive: it takes a good report in time, has not stalled, has not grown, and has nothing to complain about.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import { connectHttp, head } from '../support/http-client.ts'
import { mutateBytes } from '../support/mutate-bytes.ts'
import { mutate } from '../support/mutate.ts'
import { makeRandom, pick, type Random } from '../support/random-numbers.ts'
import { reportOn } from '../support/report-mail.ts'
import { ruaAddress } from '../support/running-service.ts'
import { connectSmtp, type SmtpClient } from '../support/smtp-client.ts'
import { watchService } from '../support/watched-service.ts'
import { makeFindings, type Sent } from './findings.ts'
import { seeds, zone } from './seeds.ts'

const { FUZZ_MINUTES, FUZZ_SEED, FUZZ_FILE } = process.env
const seed = Number(FUZZ_SEED ?? 1)
const milliseconds = Number(FUZZ_MINUTES ?? 0) * 60_000 * 0.2
const fewestBatches = FUZZ_FILE === undefined ? 4 : 0
const batchSize = 25

/** Deadlines so short that a conversation spoilt beyond its end does not hold up the next; no quota, since all are of a day. */
const limits = { smtpIdleSeconds: 2, smtpDataSeconds: 4, httpHeaderSeconds: 2, httpRequestSeconds: 4, unverifiedReportsPerDomainAndDay: 1e9 } // prettier-ignore
const service = await watchService({
  env: {
    POLICY_DOMAINS: '*',
    DKIM_POLICY: 'mark',
    REPORT_RETENTION_DAYS: '36500',
    INTAKE_TLS: 'off',
    LIMITS: JSON.stringify(limits),
  },
  zone,
})
const { ports, database } = service

/** Throws for an answer that is none, or that says of bad input that it is our trouble. */
const senders: Record<Sent['extension'], (bytes: Buffer) => Promise<void>> = {
  eml: async (bytes) => {
    const client = await greeted()
    const stuffed = Buffer.from(bytes.toString('latin1').replace(/^\./gm, '..'), 'latin1')
    await client.say(`MAIL FROM:<>\r\nRCPT TO:<${ruaAddress}>\r\nDATA`)
    for (const reply of [await client.read(), await client.read()]) assert.match(reply, /^(?:250|354)/)
    await inSegments(client.write, Buffer.concat([stuffed, Buffer.from('\r\n.\r\n')]))
    const reply = await client.read()
    client.close()
    assert.match(reply, /^(?:250 2\.6\.0 (?:accepted|duplicate|conflict) |55[024] 5\.)/)
  },
  json: async (bytes) => {
    const type = ['application/tlsrpt+gzip', 'application/tlsrpt+json', 'text/plain'][bytes.length % 3]!
    const client = await connectHttp({ port: ports.intake })
    await client.write(head('POST', '/v1/tlsrpt', { 'content-type': type, 'content-length': bytes.length }))
    await inSegments(client.write, bytes)
    const response = await client.read()
    client.close()
    assert.ok([200, 400, 413, 415, 422].includes(response?.status ?? 0), `${response?.status} ${response?.body}`)
    const { verdict } = JSON.parse(response!.body) as { verdict?: string }
    assert.notEqual(verdict, 'quarantined')
  },
  smtp: async (bytes) => {
    const client = await connectSmtp(ports.smtp)
    await inSegments(client.write, bytes)
    for (let reply = ''; reply !== 'closed' && !reply.startsWith('221');) {
      reply = await Promise.race([client.read(), sleep(1_000, 'closed')])
      assert.match(reply, /^(?:closed$|[245]\d\d[ -][\x20-\x7e\n]*$)/)
      assert.doesNotMatch(reply, /^(?:250 2\.6\.0 quarantined|451)/)
    }
    client.close()
  },
  http: async (bytes) => {
    const client = await connectHttp({ port: ports.intake })
    await inSegments(client.write, bytes)
    const response = await Promise.race([client.read(), sleep(1_000, undefined)])
    client.close()
    if (response) assert.ok(response.status >= 200 && response.status < 500, `${response.status} ${response.body}`)
  },
}

async function greeted(): Promise<SmtpClient> {
  const client = await connectSmtp(ports.smtp)
  await client.read()
  await client.say('EHLO client.example')
  return client
}

/** Where they are cut follows from the bytes. */
async function inSegments(write: (bytes: Buffer) => Promise<void>, bytes: Buffer): Promise<void> {
  const random = makeRandom(bytes.length)
  const cuts = Array.from({ length: random(4) }, () => random(bytes.length + 1)).sort((a, b) => a - b)
  for (const [i, cut] of [...cuts, bytes.length].entries()) await write(bytes.subarray(cuts[i - 1] ?? 0, cut))
}

const others = seeds.map(({ bytes }) => bytes)
const mails = seeds.filter(({ form }) => form === 'message')

function draw(random: Random): Sent {
  const extension = pick(['eml', 'eml', 'eml', 'json', 'json', 'json', 'smtp', 'http'] as const, random)
  if (extension === 'eml') return { bytes: mutate(pick(mails, random).bytes, others, random), extension }
  if (extension === 'json') return { bytes: mutate(pick(seeds, random).bytes, others, random), extension }
  let bytes = extension === 'smtp' ? wholeSession(pick(mails, random).bytes) : wholeRequest(pick(seeds, random).bytes)
  for (let left = 1 + random(3); left > 0; left--) bytes = mutateBytes(bytes, others, random)
  return { bytes: bytes.subarray(0, 1024 * 1024), extension }
}

const wholeSession = (mail: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`EHLO x.example\r\nNOOP\r\nMAIL FROM:<a@b.example> SIZE=${mail.length}\r\nRCPT TO:<${ruaAddress}>\r\nDATA\r\n`),
    mail,
    Buffer.from('\r\n.\r\nRSET\r\nVRFY x\r\nQUIT\r\n'),
  ]) // prettier-ignore

const wholeRequest = (report: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(head('POST', '/v1/tlsrpt', { 'content-type': 'application/tlsrpt+gzip', 'content-length': report.length })),
    report,
    Buffer.from(head('GET', '/healthz')),
  ]) // prettier-ignore

let good = 0

/** A report that nobody told before. */
async function sendGood(): Promise<void> {
  const report = reportOn({ domain: 'good.example', day: '2026-11-20', reportId: `good-${++good}`, failed: 1 })
  const start = performance.now()
  const response = await fetch(`http://127.0.0.1:${ports.intake}/v1/tlsrpt`, { method: 'POST', body: JSON.stringify(report), headers: { 'content-type': 'application/tlsrpt+json' } }) // prettier-ignore
  const { verdict } = (await response.json()) as { verdict?: string }
  assert.deepEqual([response.status, verdict], [200, 'accepted'], 'a good report beside the others')
  assert.ok(performance.now() - start < 2_000, 'a good report is taken within two seconds')
}

/** Hardening plan, ALIVE. */
async function checkAlive(): Promise<void> {
  assert.ok(service.isRunning(), 'the service has ended')
  await sendGood()
  assert.deepEqual(await service.get('/healthz'), { status: 'ok' })
  assert.equal((await service.get<{ ready: boolean }>('/readyz')).ready, true)
  const { cpuMs, peakRssBytes } = await service.stall()
  assert.ok(cpuMs <= 500, `the event loop stood still for ${cpuMs.toFixed()} ms of CPU`)
  assert.ok(peakRssBytes <= 512 * 1024 * 1024, `it has grown to ${peakRssBytes} bytes`)
  const errors = service.newLogLines().filter((line) => !/^\{"level":[1-4]0,/.test(line))
  assert.deepEqual(errors.map((line) => line.slice(0, 1_000)), [], 'nothing to complain about') // prettier-ignore
}

/** All at once; what is alive after them all was alive after each. */
async function sendBatch(batch: readonly Sent[], add: (sent: Sent, error: unknown) => void): Promise<void> {
  const sending = batch.map((sent) => senders[sent.extension](sent.bytes).catch((error: unknown) => { add(sent, error) })) // prettier-ignore
  await Promise.all([...sending, sendGood()])
  await checkAlive()
}

test('whatever is said on a connection, it is answered as it should be, and the service lives on', async () => {
  const random = makeRandom(seed)
  const findings = makeFindings(false)
  for (const input of seeds.slice(0, 10)) await senders[input.form === 'message' ? 'eml' : 'json'](input.bytes)
  await service.stall() // Starting up takes longer than anything later may.
  const until = performance.now() + milliseconds
  let sent = 0
  for (; sent < fewestBatches * batchSize || performance.now() < until; sent += batchSize) {
    const batch = Array.from({ length: batchSize }, () => draw(random))
    try {
      await sendBatch(batch, findings.add)
    } catch (error) {
      for (const one of batch) await sendBatch([one], findings.add).catch((again: unknown) => { findings.add(one, again) }) // prettier-ignore
      if (findings.told.length === 0) throw error
    }
    if (!service.isRunning()) break
  }
  console.log(`FUZZ_SEED=${seed}: ${sent} conversations`)
  findings.end()
  assert.deepEqual(findings.told, [])
})

test('what was found is answered as it should be', { skip: FUZZ_FILE === undefined }, async () => {
  const file = FUZZ_FILE ?? ''
  await senders[extname(file).slice(1) as Sent['extension']](readFileSync(file))
  await checkAlive()
})

test('after all of that nothing was quarantined, and the totals are what the facts add up to', async () => {
  const { rows } = await database.db.query("select key from submission where verdict = 'quarantined'")
  assert.deepEqual(rows, [])
  assert.deepEqual(await verifyDayTotals(database.db), [])
})
