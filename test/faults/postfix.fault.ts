/** A real sender, and a receiver that comes and goes: what Postfix took it keeps until we have it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { relayTo, startPostfix, whyNoPostfix } from '../support/postfix.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { signedMail } from '../support/report-mail.ts'
import { nextTold, ruaAddress } from '../support/senders.ts'
import { greetSmtp, sendMail } from '../support/smtp-client.ts'
import { assertAlive, random, setStage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const mails = 150
const flaps = 8

test('F35: Postfix sends while the service is killed and started again and again: its queue drains, and each message counts once', async (t) => {
  const why = await whyNoPostfix()
  if (why !== undefined) {
    t.skip(why)
    return
  }
  const stage = await setStage(t, postgres)
  const { service, ledger } = stage
  const postfix = await startPostfix(relayTo(service.ports.smtp))
  t.after(postfix.stop)
  await service.start()
  const handing = (async () => {
    const client = await greetSmtp(postfix.port)
    for (let n = 0; n < mails; n++) {
      const told = nextTold()
      const text = await sendMail(client, ruaAddress, signedMail(told))
      assert.match(text, /^250 /)
      ledger.write(told.reportId, 'smtp', { kind: 'accepted', text }, 0) // Postfix has it: none may be lost from here on.
      await sleep(100 * random())
    }
    client.close()
  })()
  for (let n = 0; n < flaps; n++) {
    await sleep(1_000 * random())
    await (random() < 0.5 ? service.kill() : service.terminate())
    await sleep(1_500 * random())
    await service.start()
  }
  await handing
  const from = performance.now()
  while ((await postfix.queued()) > 0) {
    assert.ok(performance.now() - from < 30_000, `${await postfix.queued()} messages are still in its queue`)
    await postfix.flush()
    await sleep(200)
  }
  const seconds = ((performance.now() - from) / 1000).toFixed(1)
  await assertAlive(stage)
  const { rows } = await stage.db.query<{ n: number }>('select count(*)::int as n from report')
  assert.equal(rows[0]!.n, mails, 'one row for each message')
  const notes = `${mails} messages, ${flaps} flaps, queue empty ${seconds} s after the last`
  await stage.judge('F35 Postfix, and a service that flaps', { notes })
})
