/** A thousand slow ones on each transport and bombs beside them: the good ones are all accepted, and soon. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Via } from '../support/ack-ledger.ts'
import { limitsOf } from '../support/faulted-service.ts'
import { connectHttp, head, request } from '../support/http-client.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { makeHttpsWay, makeSmtpWay, nextTold, ruaAddress } from '../support/senders.ts'
import { greetSmtp } from '../support/smtp-client.ts'
import { assertAlive, setStage, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const slowOnes = 1_000 // Of each kind.
const bombs = 20
const perSecond = 50
const seconds = 60
/**
 * Slow ones are borne with for as long as this takes, and good ones beside them; by default the slow ones are cut off
 * after half a minute, and a thousand connections are all there are.
 */
const patience = limitsOf({ slowGraceSeconds: 300, httpRequestSeconds: 300, smtpConnections: 1_200, httpConnections: 1_200 }) // prettier-ignore
const maxRssMiB = 512
const maxP99Ms = 2_000
const poolSize = 15 // Connections to Postgres come and go with the load, and are no leak.

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 })

/** That says so much and then a byte every two seconds. */
type SlowOne = { write: (bytes: string) => Promise<void>; isOpen: () => boolean; close: () => void }

async function slowMail({ service }: Stage): Promise<SlowOne> {
  const client = await greetSmtp(service.ports.smtp)
  for (const command of ['MAIL FROM:<>', `RCPT TO:<${ruaAddress}>`, 'DATA']) await client.say(command)
  await client.write('Subject: ')
  return client
}

async function slowPost({ service }: Stage): Promise<SlowOne> {
  const client = await connectHttp({ port: service.ports.intake, tls: true })
  await client.write(head('POST', '/v1/tlsrpt', { 'content-length': 10_000 }))
  return client
}

/** Each on a connection of its own. Answers what stops it and tells how long each took, in ms. */
function sendGoodOnes({ service, ledger }: Stage): () => Promise<number[]> {
  const sent: Promise<number>[] = []
  const send = async (via: Via) => {
    const told = nextTold()
    const startedAt = performance.now()
    const way = via === 'smtp' ? makeSmtpWay(service.ports.smtp) : makeHttpsWay(service.ports.intake)
    const reply = await way.send(told)
    const tookMs = performance.now() - startedAt
    way.close()
    ledger.write(told.reportId, via, reply, tookMs)
    return tookMs
  }
  const timer = setInterval(() => {
    sent.push(send(sent.length % 2 === 0 ? 'smtp' : 'https'))
  }, 1_000 / perSecond)
  return () => {
    clearInterval(timer)
    return Promise.all(sent)
  }
}

test(`218: ${slowOnes} slow mails, ${slowOnes} slow posts, ${bombs} bombs, and ${perSecond} good ones a second: all good ones are accepted, 99 % of them within 2 s, in 512 MiB`, async (t) => {
  const stage = await setStage(t, postgres, patience)
  await stage.service.start()
  const senders = stage.send(2) // The first report of all makes the partitions.
  await stage.recovery()
  await senders.stop()
  const { pid } = stage.service.program()
  const openFiles = () => readdirSync(`/proc/${pid}/fd`).length
  const before = openFiles()
  const slow: SlowOne[] = []
  t.after(() => {
    for (const client of slow) client.close()
  })
  for (let n = 0; n < slowOnes; n += 50) slow.push(...(await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? slowMail : slowPost)(stage))))) // prettier-ignore
  const stopGoodOnes = sendGoodOnes(stage)
  t.after(stopGoodOnes)
  const target = { port: stage.service.ports.intake, tls: true }
  const exploding = Promise.all(Array.from({ length: bombs }, () => request(target, 'POST', '/v1/tlsrpt', bomb)))
  for (let second = 0; second < seconds; second += 2) {
    await sleep(2_000)
    await Promise.all(slow.map((client) => client.write('x')))
  }
  for (const { status } of await exploding) assert.equal(status, 413)
  const tookMs = (await stopGoodOnes()).sort((a, b) => a - b)
  assert.equal(slow.filter((client) => client.isOpen()).length, 2 * slowOnes, 'slow ones that are still there')
  for (const client of slow) client.close()
  const deadline = performance.now() + 15_000
  while (openFiles() > before + poolSize) {
    assert.ok(performance.now() < deadline, `${before} open files before, ${openFiles()} after`)
    await sleep(100)
  }
  await assertAlive(stage)
  const { temporary, unheard } = stage.ledger.counts()
  assert.deepEqual({ temporary, unheard }, { temporary: 0, unheard: 0 }, 'all good ones are accepted')
  const p99 = tookMs[Math.floor(0.99 * (tookMs.length - 1))]!
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
  const notes = `${tookMs.length} good ones, p99 ${p99.toFixed(0)} ms, RSS ${peak.toFixed(0)} MiB at most`
  await stage.judge(`218 ${2 * slowOnes} slow ones, ${bombs} bombs`, { notes })
  assert.ok(peak <= maxRssMiB, notes)
  assert.ok(p99 <= maxP99Ms, notes)
})
