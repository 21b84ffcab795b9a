/** The process itself: it stands still, its clock is set, something nobody catches is thrown, and it has little memory. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { adminToken } from '../support/faulted-service.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { sign, unsignedMail } from '../support/report-mail.ts'
import { makeHttpsWay, nextTold, ruaAddress } from '../support/senders.ts'
import { codesOf, greetSmtp, sendMail } from '../support/smtp-client.ts'
import { assertAlive, setStage, survive, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

test('F18: the event loop stands still for 5 s: connections survive, nobody is told a thing, and a metric says so', async (t) => {
  const stallSeconds = 5
  const { ledger, service } = await survive(t, postgres, `F18 event loop stood still`, {
    begin: ({ service }) => {
      service.program().tell({ kind: 'stall', milliseconds: stallSeconds * 1000 })
    },
    seconds: stallSeconds,
    end: () => undefined,
    isHarmless: true,
  })
  assert.deepEqual([ledger.counts().temporary, ledger.counts().unheard], [0, 0])
  const metrics = await (await fetch(`http://127.0.0.1:${service.ports.api}/metrics`)).text()
  const sum = Number(/^tlsrpt_event_loop_stall_seconds_sum (\S+)$/m.exec(metrics)?.[1])
  assert.ok(sum >= stallSeconds - 0.1, `the metric has ${sum} s`)
})

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The codes that a mail gets whose signature says `t` and `x`, in seconds from the real now. */
async function mailSigned({ service }: Stage, tags: { t?: number; x?: number }): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const told = Object.fromEntries(Object.entries(tags).map(([tag, seconds]) => [tag, String(now + seconds)]))
  const client = await greetSmtp(service.ports.smtp)
  const reply = await sendMail(client, ruaAddress, sign(unsignedMail(nextTold()), { tags: told }))
  client.close()
  return codesOf(reply)
}

test('F25: the clock is set, by days and back: reports come in, no limit counts by it, and signatures are judged by it', async (t) => {
  const stage = await setStage(t, postgres)
  const { service, ledger } = stage
  await service.start()
  const senders = stage.send()
  await stage.recovery()
  const set = (aheadMs: number) => {
    service.program().tell({ kind: 'clock', aheadMs })
  }
  const own = async (method: 'PUT' | 'DELETE', domain: string) => {
    const headers = { authorization: `Bearer ${adminToken}` }
    const answer = await fetch(`http://127.0.0.1:${service.ports.api}/v1/domains/${domain}`, { method, headers })
    assert.ok(answer.ok, `${method}: ${answer.status}`)
  }
  const way = makeHttpsWay(service.ports.intake)
  t.after(way.close)
  const post = async (domain: string) => (await way.send({ ...nextTold(), domain })).text.slice(0, 3)
  for (const aheadMs of [-2 * dayMs, 2 * dayMs, hourMs, 0]) {
    set(aheadMs)
    await stage.recovery()
    await sleep(300)
  }

  set(2 * hourMs)
  await own('PUT', 'clock.example')
  assert.equal(await post('clock.example'), '200')
  set(0) // What was read two hours from now is not good until then.
  await own('DELETE', 'clock.example')
  await sleep(1_100)
  assert.equal(await post('clock.example'), '422')

  const minute = 60
  assert.equal(await mailSigned(stage, { t: -minute, x: minute }), '250 2.6.0')
  set(4 * minute * 1000)
  assert.equal(await mailSigned(stage, { t: -minute, x: minute }), '250 2.6.0', 'within the skew')
  set(10 * minute * 1000)
  assert.equal(await mailSigned(stage, { t: -minute, x: minute }), '550 5.7.20', 'it has expired')
  set(-0.5 * hourMs)
  assert.equal(await mailSigned(stage, { t: -minute }), '250 2.6.0', 'a little of the future')
  set(-2 * hourMs)
  assert.equal(await mailSigned(stage, { t: -minute }), '550 5.7.20', 'too much of the future')
  set(0)
  await stage.recovery()
  await senders.stop()
  await assertAlive(stage)
  assert.deepEqual([ledger.counts().temporary, ledger.counts().unheard], [0, 0])
  await stage.judge('F25 clock set by -2 d, +2 d, +1 h and back')
})

for (const kind of ['throw', 'reject'] as const) {
  const words = { throw: 'an exception', reject: 'a rejection' }[kind]
  test(`F33: ${words} that nobody catches is logged, what is under way is finished, and the process ends for another to take over`, async (t) => {
    const stage = await setStage(t, postgres)
    const { service, ledger } = stage
    await service.start()
    const senders = stage.send()
    await stage.recovery()
    const from = performance.now()
    service.program().tell({ kind })
    const { code, stderr } = await service.program().ended
    const seconds = (performance.now() - from) / 1000
    assert.equal(code, 1)
    assert.match(stderr, /"level":60.*a fault that nobody catches.*nobody caught this/)
    assert.ok(seconds <= 25, `${seconds} s`)
    await service.start() // As systemd does, or Docker.
    const recoverySeconds = await stage.recovery()
    await senders.stop()
    await assertAlive(stage)
    assert.ok(recoverySeconds <= 10)
    const notes = `ended after ${seconds.toFixed(1)} s, ${ledger.counts().unheard} deliveries without an answer`
    await stage.judge(`F33 ${words} that nobody catches`, { recoverySeconds, notes })
  })
}
