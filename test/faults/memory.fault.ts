/** Little memory: the service in a control group of half of what it may take at most, and those who want much of it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { limitsOf } from '../support/faulted-service.ts'
import { connectHttp, head, request } from '../support/http-client.ts'
import { makeMemoryGroup } from '../support/memory-group.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { rawMail } from '../support/report-mail.ts'
import { ruaAddress } from '../support/senders.ts'
import { greetSmtp, sendMail } from '../support/smtp-client.ts'
import { assertAlive, setStage, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const megabytes = 256
/** What docs/operate.md advises for half of the memory that the default limits need. */
const small = limitsOf({ jsonBytes: 4 * 1024 * 1024, messageBytes: 4 * 1024 * 1024, compressedBytes: 2 * 1024 * 1024 })
const bombs = 20
const slowOnes = 200
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 })
const post = async ({ service }: Stage): Promise<string> =>
  String((await request({ port: service.ports.intake, tls: true }, 'POST', '/v1/tlsrpt', bomb)).status)

async function mail({ service }: Stage): Promise<string> {
  const client = await greetSmtp(service.ports.smtp)
  const base64 = bomb.toString('base64').replace(/.{76}/g, '$&\r\n')
  const reply = await sendMail(client, ruaAddress, rawMail({}, `${base64}\r\n`))
  client.close()
  return reply.slice(0, 3)
}

async function slowPost({ service }: Stage): Promise<{ close: () => void }> {
  const client = await connectHttp({ port: service.ports.intake, tls: true })
  await client.write(head('POST', '/v1/tlsrpt', { 'content-length': 10_000 }))
  return client
}

async function slowMail({ service }: Stage): Promise<{ close: () => void }> {
  const client = await greetSmtp(service.ports.smtp)
  for (const command of ['MAIL FROM:<>', `RCPT TO:<${ruaAddress}>`, 'DATA']) await client.say(command)
  await client.write('Subject: ')
  return client
}

test(`F19: with ${megabytes} MiB of memory, bombs and slow ones by both transports hold up nobody, and the service is not killed`, async (t) => {
  const group = makeMemoryGroup(megabytes * 1024 * 1024)
  if (!group) {
    t.skip('a control group for memory can be made by root only, and only where the kernel has them')
    return
  }
  const stage = await setStage(t, postgres, small, { first: group.enter })
  t.after(group.remove) // After the service, which is in it.
  await stage.service.start()
  const senders = stage.send(4)
  await stage.recovery()
  const waiting: { close: () => void }[] = []
  for (let n = 0; n < slowOnes; n += 20) {
    const some = Array.from({ length: 20 }, () => Promise.all([slowPost(stage), slowMail(stage)]))
    waiting.push(...(await Promise.all(some)).flat())
  }
  for (const [send, answer] of [
    [post, '413'],
    [mail, '552'],
  ] as const) {
    const answers = await Promise.all(Array.from({ length: bombs }, () => send(stage)))
    assert.deepEqual(new Set(answers), new Set([answer]))
  }
  const recoverySeconds = await stage.recovery()
  await senders.stop()
  for (const client of waiting) client.close()
  await assertAlive(stage)
  assert.ok(recoverySeconds <= 10)
  const notes = `${slowOnes * 2} slow ones, ${bombs * 2} bombs, ${Math.round(group.peakBytes() / 1024 / 1024)} MiB at most`
  await stage.judge(`F19 ${megabytes} MiB of memory`, { recoverySeconds, notes })
})
