/** RFC 8460 §5.5: the service is killed again and again, at random moments, while reports come by both transports. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../../src/store/embedded.ts'
import { openDatabase } from '../../src/store/database.ts'
import { makeAckLedger } from '../support/ack-ledger.ts'
import { testDatabaseOptions } from '../support/database.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { makeFaultedService, type FaultedService } from '../support/faulted-service.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { zone } from '../support/report-mail.ts'
import { startSenders } from '../support/senders.ts'
import { judge, random, seed, setStage } from './stage.ts'

const kills = 90
const killsOverEmbedded = 12
/** A life of the service, from the ready line to the kill: some end with the first report, some with many. */
const longestLifeMs = 1_200

const postgres = await startPostgres()
after(postgres.close)

async function killTimes(service: FaultedService, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await sleep(longestLifeMs * random() ** 2)
    const { code } = await service.kill()
    assert.equal(code, null, 'it had ended by itself')
    await service.start()
  }
}

test(`250 or 2xx means committed, and any delivery may be repeated: ${kills} kills at random moments, seed ${seed}`, async (t) => {
  const stage = await setStage(t, postgres)
  await stage.service.start()
  const senders = stage.send()
  await killTimes(stage.service, kills)
  await senders.stop()
  await stage.judge('F1 killed at random moments', { notes: notes(kills, stage.ledger.counts()) })
})

test(`the same over the embedded Postgres, which ends with the service: ${killsOverEmbedded} kills, seed ${seed}`, async (t) => {
  const dns = await startDnsServer({ ...zone })
  t.after(dns.close)
  const service = await makeFaultedService({ DNS_SERVERS: dns.address }, undefined)
  t.after(service.close)
  await service.start()
  const ledger = makeAckLedger()
  const senders = startSenders({ ports: service.ports, ledger, count: 8, random })
  await killTimes(service, killsOverEmbedded)
  await senders.stop()
  const embedded = await startEmbeddedPostgres({ dataDir: service.dataDir, log: () => undefined })
  const db = openDatabase(embedded.connection, testDatabaseOptions, () => undefined)
  try {
    await judge(ledger, db, 'F1 the same over the embedded Postgres', {
      notes: notes(killsOverEmbedded, ledger.counts()),
    })
  } finally {
    await db.end()
    await embedded.stop()
  }
})

const notes = (times: number, counts: { unheard: number }) => `${times} kills, ${counts.unheard} deliveries without an answer, seed ${seed}` // prettier-ignore
