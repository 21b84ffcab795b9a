/** SIGTERM while reports are on their way in: what is under way is finished and answered, and then the process ends well. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { connectHttp, head } from '../support/http-client.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { reportOn, signedMail } from '../support/report-mail.ts'
import { nextTold, ruaAddress } from '../support/senders.ts'
import { connectSmtp, greetSmtp } from '../support/smtp-client.ts'
import { setStage, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const mails = 10
const posts = 10
const drainSeconds = 25

/** Answers what sends the second half, and hears the reply. */
async function beginMail({ service, ledger }: Stage): Promise<() => Promise<void>> {
  const told = nextTold()
  const client = await greetSmtp(service.ports.smtp)
  for (const command of ['MAIL FROM:<>', `RCPT TO:<${ruaAddress}>`, 'DATA']) await client.say(command)
  const mail = signedMail(told)
  await client.write(mail.subarray(0, mail.length / 2))
  return async () => {
    await client.write(Buffer.concat([mail.subarray(mail.length / 2), Buffer.from('.\r\n')]))
    const text = await client.read()
    assert.match(text, /^250 /)
    ledger.write(told.reportId, 'smtp', { kind: 'accepted', text, submissionKey: / key=(\S+)/.exec(text)![1]! }, 0)
    client.close()
  }
}

async function beginPost({ service, ledger }: Stage): Promise<() => Promise<void>> {
  const told = nextTold()
  const body = gzipSync(JSON.stringify(reportOn(told)))
  const client = await connectHttp({ port: service.ports.intake, tls: true })
  const length = { 'content-length': body.length, 'content-type': 'application/tlsrpt+gzip' }
  await client.write(Buffer.concat([Buffer.from(head('POST', '/v1/tlsrpt', length)), body.subarray(0, 100)]))
  return async () => {
    await client.write(body.subarray(100))
    const response = await client.read()
    assert.equal(response?.status, 200, response?.body)
    const { submission_key: submissionKey } = JSON.parse(response.body) as { submission_key: string }
    ledger.write(told.reportId, 'https', { kind: 'accepted', text: response.body, submissionKey }, 0)
    client.close()
  }
}

test(`SIGTERM with ${mails + posts} transactions in flight, idle connections, and a slow Postgres: all are finished and answered, exit 0 within ${drainSeconds} s`, async (t) => {
  const stage = await setStage(t, postgres)
  const { service, proxy } = stage
  await service.start()
  const finish = [
    ...(await Promise.all(Array.from({ length: mails }, () => beginMail(stage)))),
    ...(await Promise.all(Array.from({ length: posts }, () => beginPost(stage)))),
  ]
  const idle = await Promise.all(Array.from({ length: 5 }, () => greetSmtp(service.ports.smtp)))
  const waiting = await Promise.all(Array.from({ length: 5 }, () => connectHttp({ port: service.ports.intake, tls: true }))) // prettier-ignore
  proxy.set({ kind: 'delay', ms: 100 })

  const startedAt = performance.now()
  const ending = service.terminate()
  await sleep(300)
  for (const client of idle) assert.match(await client.read(), /^421 4\.3\.2 /)
  await Promise.all(waiting.map(({ closed }) => closed))
  const newcomer = await connectSmtp(service.ports.smtp).then(
    (client) => client.read(),
    () => 'refused',
  )
  assert.match(newcomer, /^(?:refused|closed|421 .*)$/)
  await Promise.all(finish.map((end) => end()))
  const { code, stderr } = await ending
  const drained = (performance.now() - startedAt) / 1000
  assert.equal(code, 0, stderr)
  assert.ok(drained <= drainSeconds)
  await stage.judge('F20 SIGTERM, 20 transactions in flight', { notes: `exit 0 after ${drained.toFixed(1)} s` })
})

test('SIGTERM right after the ready line is a good end, too', async (t) => {
  const { service } = await setStage(t, postgres)
  await service.start()
  assert.equal((await service.terminate()).code, 0)
})

test('a second SIGTERM ends at once, and loses nothing that was acknowledged', async (t) => {
  const stage = await setStage(t, postgres)
  await stage.service.start()
  const senders = stage.send()
  await stage.recovery()
  const hanging = await beginMail(stage) // Keeps the first one waiting.
  const ending = stage.service.terminate()
  await sleep(200)
  const secondAt = performance.now()
  void stage.service.terminate()
  assert.equal((await ending).code, 1)
  assert.ok(performance.now() - secondAt < 2_000)
  await assert.rejects(hanging())
  await stage.service.start()
  await stage.recovery()
  await senders.stop()
  await stage.judge('F21 SIGTERM twice')
})
