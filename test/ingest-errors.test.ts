/** What a sender hears for every way in which the store fails (hardening: "retry" never for poison, "never" never for us). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { readConfig } from '../src/config.ts'
import { makeRoad } from '../src/road.ts'
import type { Provenance } from '../src/tlsrpt/submission.ts'
import { decisiveOutcome, type Outcome } from '../src/tlsrpt/verdict.ts'
import { httpReply, unavailable } from '../src/transport/https-reply.ts'
import { failed, smtpReply } from '../src/transport/smtp-reply.ts'
import { freshDatabase } from './support/database.ts'
import { reportOn } from './support/report-mail.ts'

const { db } = await freshDatabase()
const now = () => new Date('2026-11-21T12:00:00Z')
const silent = pino({ level: 'silent' })
const config = readConfig({ POLICY_DOMAINS: 'ours.example' })
const https: Provenance = { transport: 'https', peerAddress: '192.0.2.1' }

// The real Postgres raises the error, where the arrival is written; what is quarantined it takes.
await db.query('create table fault (code text not null)')
await db.query(`create function fail() returns trigger language plpgsql as $$
  declare wanted text; begin
    select code into wanted from fault;
    if found and new.verdict <> 'quarantined' then raise exception using errcode = wanted; end if;
    return new;
  end $$`)
await db.query('create trigger fail before insert on submission for each row execute function fail()')

type Told = { smtp: number; https: number; outcome: string }

async function told(ingest: () => Promise<Outcome[]>): Promise<Told> {
  try {
    const outcome = decisiveOutcome(await ingest())
    const name = outcome.kind === 'deferred' ? `deferred ${outcome.reason}` : outcome.kind
    return { smtp: smtpReply(outcome, false).code, https: httpReply(outcome, undefined).status, outcome: name }
  } catch {
    return { smtp: failed.code, https: unavailable('temporary-failure').status, outcome: 'rejected' }
  }
}

let reports = 0
const post = (road: ReturnType<typeof makeRoad>) => () => {
  const report = reportOn({ domain: 'ours.example', day: '2026-11-20', reportId: `r${reports++}`, failed: 1 })
  return road.ingest({ raw: Buffer.from(JSON.stringify(report)), form: 'report', arrivedAt: now(), provenance: https })
}

const again: Told = { smtp: 451, https: 503, outcome: 'rejected' }
const full: Told = { smtp: 452, https: 503, outcome: 'deferred disk-full' }
const kept: Told = { smtp: 250, https: 200, outcome: 'quarantined' }

const table: [what: string, codes: string[], Told][] = [
  ['a connection is lost', ['08000', '08003', '08006'], again],
  ['Postgres refuses the connection, or has none left', ['08001', '08004', '53300'], again],
  ['the protocol is broken', ['08P01'], again],
  ['it is a read-only standby', ['25006'], again],
  ['a transaction is in a bad state or was idle for too long', ['25P02', '25P03'], again],
  ['a transaction cannot be serialized, or was the victim of a deadlock', ['40001', '40P01'], again],
  ['a transaction ended, or whether it did is not known', ['40002', '40003'], again],
  ['the disk is full', ['53100'], full],
  ['memory or another resource is out', ['53000', '53200', '53400'], again],
  ['a lock cannot be had, or an object is in use', ['55P03', '55006', '55000'], again],
  ['a statement was cancelled or timed out', ['57014'], again],
  ['Postgres shuts down, crashes, starts up, or drops the database', ['57P01', '57P02', '57P03', '57P04', '57P05'], again],
  ['input, output or a file fails', ['58000', '58030', '58P01'], again],
  ['Postgres has a defect or damaged data', ['XX000', 'XX001', 'XX002'], again],
  ['a password or a right is wrong', ['28P01', '28000', '3D000', '42501'], again],
  ['our SQL and the schema do not fit', ['42601', '42703', '42P01', '42804', '0A000'], again],
  ['a row is not as the schema wants it, other than by its values', ['23502', '23503'], again],
  ['it is an error that nobody has heard of', ['ZZ999', 'P0001'], again],
  ['a value can never be stored', ['22000', '22001', '22003', '22007', '22008', '22021', '22P02', '22P05', '23514'], kept],
  ['a value is too large or too deep', ['54000', '54001'], kept],
] // prettier-ignore

for (const [what, codes, answer] of table) {
  test(`where ${what}, the sender hears ${answer.smtp} or ${answer.https}: ${codes.join(', ')}`, async () => {
    const road = makeRoad(db, config, silent, { now })
    for (const code of codes) {
      await db.query('delete from fault')
      await db.query('insert into fault (code) values ($1)', [code])
      assert.deepEqual(await told(post(road)), answer, code)
    }
    await db.query('delete from fault')
    assert.equal((await told(post(road))).outcome, 'accepted', 'and the next one is taken')
    await road.recorder.close()
  })
}

test('where the database is not there, or all connections are busy, the sender hears 451 or 503', async (t) => {
  const { db: small, close } = await freshDatabase(t)
  small.options.max = 1
  const road = makeRoad(small, config, silent, { now })
  const busy = await small.connect()
  small.options.connectionTimeoutMillis = 100 // Only now: to connect may take longer than that.
  assert.deepEqual(await told(post(road)), again)
  busy.release()
  assert.equal((await told(post(road))).outcome, 'accepted')
  await road.recorder.close()
  await close()
  assert.deepEqual(await told(post(road)), again)
})
