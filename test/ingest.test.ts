/** The whole road below the transports, on a real database: what several parts, DNS, and our own trouble come to. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { readConfig } from '../src/config.ts'
import type { ResolveTxt } from '../src/dkim/verify.ts'
import { makeRoad } from '../src/road.ts'
import type { Provenance, Submission } from '../src/tlsrpt/submission.ts'
import { decisiveOutcome, type Outcome } from '../src/tlsrpt/verdict.ts'
import { freshDatabase } from './support/database.ts'
import { keyPair, keyRecord, signDkim } from './support/dkim-signer.ts'
import { reportOn } from './support/report-mail.ts'

const { db } = await freshDatabase()
const key = keyPair()
const now = () => new Date('2026-11-21T12:00:00Z')
const silent = pino({ level: 'silent' })
const config = readConfig({ POLICY_DOMAINS: 'ours.example' })
const zone: ResolveTxt = (name) =>
  Promise.resolve(name === 'tls._domainkey.sender.example' ? { kind: 'found', records: [keyRecord(key)] } : { kind: 'missing' }) // prettier-ignore
const road = makeRoad(db, config, silent, { now, resolveTxt: zone })
after(() => road.recorder.close())

const smtp: Provenance = { transport: 'smtp', peerAddress: '192.0.2.1', helo: 'x', mailFrom: '', rcptTo: [], tls: true }
const report = (reportId: string, domain = 'ours.example') =>
  JSON.stringify(reportOn({ domain, day: '2026-11-20', reportId, failed: 2 }))

/** A signed mail with these report parts. */
function mail(...parts: string[]): Submission {
  const body = parts.flatMap((part) => ['--b', 'Content-Type: application/tlsrpt+json', '', part])
  const head = ['From: tls@sender.example', 'Content-Type: multipart/report; boundary=b', '']
  const message = [...head, ...body, '--b--', ''].join('\r\n')
  const raw = signDkim(message, { key, domain: 'sender.example', selector: 'tls' })
  return { raw, form: 'message', arrivedAt: now(), provenance: smtp }
}
const kinds = (outcomes: Outcome[]) => outcomes.map(({ kind }) => kind)
const stored = async () => Number((await db.query<{ n: bigint }>('select count(*) as n from submission')).rows[0]!.n)

test('several reports in one mail are as many submissions of one arrival, over one copy of the bytes', async () => {
  const before = await stored()
  const outcomes = await road.ingest(mail(report('a'), report('b'), report('a')))
  assert.deepEqual(kinds(outcomes), ['accepted', 'accepted', 'duplicate'])
  assert.equal(await stored(), before + 3)
  const { rows } = await db.query(
    'select count(distinct arrival_key)::int as arrivals, array_agg(part order by part) as parts from submission',
  )
  assert.deepEqual(rows, [{ arrivals: 1, parts: [0, 1, 2] }])
  const raw = await db.query<{ bytes: Buffer }>('select bytes from submission_raw')
  assert.equal(raw.rowCount, 1)
  assert.deepEqual(raw.rows[0]!.bytes, mail(report('a'), report('b'), report('a')).raw)
})

test('refused beats accepted for the reply, and what was acceptable is kept all the same', async () => {
  const outcomes = await road.ingest(mail(report('c'), report('d', 'theirs.example'), '{"policies":'))
  assert.deepEqual(kinds(outcomes), ['accepted', 'not-ours', 'malformed'])
  assert.equal(decisiveOutcome(outcomes).kind, 'not-ours')
  assert.deepEqual(kinds(await road.ingest(mail(report('c')))), ['duplicate'])
})

test('deferred beats all: if one part has to wait, none is kept', async () => {
  const before = await stored()
  const away: ResolveTxt = () => Promise.resolve({ kind: 'unreachable', reason: 'dns-servfail' })
  const { ingest, recorder } = makeRoad(db, config, silent, { now, resolveTxt: away })
  assert.deepEqual(await ingest(mail(report('e'), '{')), [{ kind: 'deferred', reason: 'dns-servfail' }])
  await recorder.close()
  assert.equal(await stored(), before)
})

test('a mail without any readable report asks no questions of the DNS', async () => {
  const asked: string[] = []
  const counting: ResolveTxt = (name) => {
    asked.push(name)
    return zone(name)
  }
  const { ingest, recorder } = makeRoad(db, config, silent, { now, resolveTxt: counting })
  assert.deepEqual(kinds(await ingest(mail('{"a":1}'))), ['unreadable'])
  assert.deepEqual(asked, [])
  assert.deepEqual(kinds(await ingest(mail(report('f')))), ['accepted'])
  assert.deepEqual(asked, ['tls._domainkey.sender.example'])
  await recorder.close()
})

test('where our own code throws the bytes are quarantined, and the sender hears yes', async () => {
  const broken: ResolveTxt = () => Promise.reject(new TypeError('a defect'))
  const { ingest, recorder } = makeRoad(db, config, silent, { now, resolveTxt: broken })
  const submission = mail(report('g'))
  const [outcome] = await ingest(submission)
  await recorder.close()
  assert.ok(outcome?.kind === 'quarantined')
  const { rows } = await db.query(
    `select verdict, reason, refused, bytes from submission join submission_raw using (arrival_key) where key = $1`,
    [outcome.submissionKey],
  )
  assert.deepEqual(rows, [{ verdict: 'quarantined', reason: 'defect', refused: false, bytes: submission.raw }])
})

test('what is too much at once is to come again, and is not kept', async () => {
  const before = await stored()
  let answered = () => {}
  const dnsAnswers = new Promise<void>((resolve) => (answered = resolve))
  const slow: ResolveTxt = (name) => dnsAnswers.then(() => zone(name))
  const crowded = (limits: object) =>
    makeRoad(db, { ...config, limits: { ...config.limits, ...limits } }, silent, { now, resolveTxt: slow })

  const mails = ['i', 'j', 'k'].map((id) => mail(report(id)))
  const narrow = crowded({ largeBytes: 1.5 * mails[0]!.raw.length, readAtOnce: 1, readQueue: 1 }) // No two side by side.
  const [first, second, third] = mails.map((one) => narrow.ingest(one))
  assert.deepEqual(await third, [{ kind: 'deferred', reason: 'overloaded' }])
  const small = crowded({ underWayBytes: 1_000 })
  const waiting = small.ingest(mail(report('l')))
  await sleep(50) // It is read, and waits for the DNS.
  assert.deepEqual(await small.ingest(mail(report('m'))), [{ kind: 'deferred', reason: 'overloaded' }])
  assert.deepEqual(kinds(await small.ingest(mail('{"a":1}'))), ['unreadable'], 'what is no report takes no room')

  answered()
  assert.deepEqual((await Promise.all([first!, second!, waiting])).map(kinds), [
    ['accepted'],
    ['accepted'],
    ['accepted'],
  ])
  assert.deepEqual(kinds(await small.ingest(mail(report('m')))), ['accepted'], 'the room is given back')
  assert.equal(await stored(), before + 5)
  await narrow.recorder.close()
  await small.recorder.close()
})

test('a refusal stands without a key where it cannot be kept; what we would answer for is our trouble', async (t) => {
  const { db: gone, close } = await freshDatabase(t)
  const { ingest, ownDomains } = makeRoad(gone, config, silent, { now, resolveTxt: zone })
  await ownDomains.ownership() // As a service does that has been running.
  await close()
  const [refusal] = await ingest({ ...mail(''), raw: Buffer.from('x'), form: 'report' })
  assert.ok(refusal?.kind === 'malformed')
  assert.equal(refusal.submissionKey, undefined)
  await assert.rejects(ingest(mail(report('h'))))
})

test('what a transport cut off is refused as too large, listed, and without bytes', async () => {
  const [outcome] = await road.ingest({ raw: Buffer.alloc(0), form: 'message', arrivedAt: now(), provenance: smtp, cut: true }) // prettier-ignore
  assert.ok(outcome?.kind === 'too-large' && outcome.submissionKey !== undefined)
  const { rowCount } = await db.query('select 1 from submission join submission_raw using (arrival_key) where key = $1', [outcome.submissionKey]) // prettier-ignore
  assert.equal(rowCount, 0)
})
