import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JudgedPart } from '../../src/store/arrivals.ts'
import type { Database } from '../../src/store/database.ts'
import { listDomains, putDomain } from '../../src/store/domains.ts'
import { purgeDomain } from '../../src/store/purge.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { getSubmission, readRaw } from '../../src/store/submissions.ts'
import { tables } from '../../src/store/tables.ts'
import { verifyStore } from '../../src/store/verify.ts'
import { arrival, judgedArrival, later, newKey } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'

const limits = { commitBatch: 300, commitQueue: 10_000, unverifiedReportsPerDomainAndDay: 1_000 }
const bytesOf = (size: number) => ({ raw: Buffer.alloc(size, 7) })
const refused: JudgedPart = { judgement: { kind: 'malformed', reason: 'not-gzip', problems: [] }, dkim: [] }
const everybody = undefined

/** All that is in the store about anything, as text, but for what names no domain. */
async function mentions(db: Database, domain: string): Promise<string[]> {
  const all: string[] = []
  for (const table of tables) {
    const { rows } = await db.query<{ row: string }>(
      `select '${table} ' || t::text as row from ${table} t where t::text ~ $1`,
      [`(^|[^\\w.-])${domain.replaceAll('.', '\\.')}([^\\w.-]|$)`],
    )
    all.push(...rows.map(({ row }) => row))
  }
  return all
}

async function fill(db: Database) {
  const recorder = makeRecorder(db, { limits, newKey })
  await putDomain(db, { domain: 'gone.example', includeSubdomains: true, mx: [] })
  await putDomain(db, { domain: 'kept.example', includeSubdomains: true, mx: [] })
  const tell = async (domains: string[], reportId: string, size: number, failed = 10) => {
    const [outcome] = await recorder.record(arrival({ by: 'sender.example', domains, reportId, failed }, later(size), bytesOf(size)))
    assert.ok(outcome?.kind === 'accepted' || outcome?.kind === 'conflict' || outcome?.kind === 'duplicate')
    return outcome
  } // prettier-ignore
  const alone = await tell(['gone.example'], 'r1', 100)
  await tell(['gone.example'], 'r1', 101) // A repeat, whose bytes are not kept.
  await tell(['gone.example'], 'r1', 102, 11) // And a contradiction.
  const mixed = await tell(['gone.example', 'kept.example'], 'r2', 1_000)
  const other = await tell(['kept.example'], 'r3', 10)
  const parts = [{ by: 'sender.example', domains: ['kept.example'], reportId: 'r4' }, { by: 'sender.example', domains: ['gone.example'], reportId: 'r5' }] // prettier-ignore
  const [partOfOther] = await recorder.record(arrival(parts, later(1), bytesOf(10_000)))
  assert.ok(partOfOther?.kind === 'accepted')
  const [notOurs] = await recorder.record(judgedArrival([refused], later(2), bytesOf(1)))
  assert.ok(notOurs && 'submissionKey' in notOurs)
  return { alone, mixed, other, partOfOther, notOurs }
}

test('nothing of a purged domain is left, bytes included, and how much it was is said', async (t) => {
  const { db } = await freshDatabase(t)
  const { alone, mixed, other, partOfOther, notOurs } = await fill(db)
  assert.notDeepEqual(await mentions(db, 'gone.example'), [])
  const kept = (await mentions(db, 'kept.example')).filter((row) => !row.startsWith('submission'))
  const whole = await getSubmission(db, mixed.submissionKey, everybody)

  assert.deepEqual(await purgeDomain(db, 'gone.example'), {
    wasOurs: true,
    reports: 4,
    submissions: 5,
    bytes: 100n + 102n + 1_000n + 10_000n,
  })
  assert.deepEqual(await mentions(db, 'gone.example'), [])
  assert.deepEqual((await verifyStore(db, later(0))).findings, [])

  assert.deepEqual((await mentions(db, 'kept.example')).filter((row) => !row.startsWith('submission')), kept) // prettier-ignore
  assert.deepEqual((await listDomains(db)).map(({ domain }) => domain), ['kept.example']) // prettier-ignore
  assert.equal(await getSubmission(db, alone.submissionKey, everybody), undefined)
  assert.deepEqual(await getSubmission(db, mixed.submissionKey, everybody), { ...whole, reports: mixed.reports.filter(({ domain }) => domain === 'kept.example') }) // prettier-ignore
  assert.equal((await readRaw(db, mixed.submissionKey, everybody))!.kind, 'expired')
  assert.equal((await readRaw(db, partOfOther.submissionKey, everybody))!.kind, 'expired')
  for (const { submissionKey } of [other, notOurs])
    assert.equal((await readRaw(db, submissionKey!, everybody))!.kind, 'found')
})

test('what is about a domain and older than the retention goes with it', async (t) => {
  const { db } = await freshDatabase(t)
  const recorder = makeRecorder(db, { limits, newKey })
  const [outdated] = await recorder.record(
    arrival({ outdated: true, domains: ['gone.example'] }, later(1), bytesOf(100)),
  )
  assert.ok(outdated?.kind === 'accepted')
  assert.deepEqual(await getSubmission(db, outdated.submissionKey, ['kept.example']), undefined)
  assert.ok(await getSubmission(db, outdated.submissionKey, ['gone.example']), 'who has the domain sees it')
  const purged = await purgeDomain(db, 'gone.example')
  assert.deepEqual(purged, { wasOurs: false, reports: 0, submissions: 1, bytes: 100n })
  assert.equal(await getSubmission(db, outdated.submissionKey, everybody), undefined)
})

test('a second time there is nothing to purge', async (t) => {
  const { db } = await freshDatabase(t)
  await fill(db)
  await purgeDomain(db, 'gone.example')
  assert.deepEqual(await purgeDomain(db, 'gone.example'), { wasOurs: false, reports: 0, submissions: 0, bytes: 0n })
})

test('its subdomains and namesakes stay', async (t) => {
  const { db } = await freshDatabase(t)
  const recorder = makeRecorder(db, { limits, newKey })
  const domains = ['gone.example', 'sub.gone.example', 'gone.example.net', 'xgone.example']
  await Promise.all(domains.map((domain) => recorder.record(arrival({ by: 'sender.example', domains: [domain] }))))
  assert.equal((await purgeDomain(db, 'gone.example')).reports, 1)
  const { rows } = await db.query<{ domain: string }>('select domain from report order by domain')
  assert.deepEqual(rows.map(({ domain }) => domain), domains.slice(1).sort()) // prettier-ignore
})

test('a purge that fails half-way has erased nothing', async (t) => {
  const { db } = await freshDatabase(t)
  await fill(db)
  const before = await mentions(db, 'gone.example')
  await db.query(`create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`)
  await db.query('create trigger refuse before insert on submission for each row execute function refuse()')
  await assert.rejects(purgeDomain(db, 'gone.example'), /no/)
  assert.deepEqual(await mentions(db, 'gone.example'), before)
})

test('two domains of one arrival, purged at the same moment, are both gone', async (t) => {
  const { db } = await freshDatabase(t)
  const recorder = makeRecorder(db, { limits, newKey })
  const domains = ['gone.example', 'gone.example.net', 'kept.example']
  await recorder.record(arrival({ domains }))
  const reader = await db.connect()
  await reader.query('begin; select from submission for update')
  const purging = Promise.all(domains.slice(0, 2).map((domain) => purgeDomain(db, domain)))
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await db.query(waiting)).rowCount !== 2) await sleep(10)
  await reader.query('rollback')
  reader.release()
  await purging
  const { rows } = await db.query('select distinct domain, domains from submission')
  assert.deepEqual(rows, [{ domain: 'kept.example', domains: ['kept.example'] }])
})

test('what is recorded while a domain is purged is there as a whole or not at all', async (t) => {
  const { db } = await freshDatabase(t)
  const recorders = [1, 2].map(() => makeRecorder(db, { limits: { ...limits, commitBatch: 5 }, newKey }))
  const tell = (i: number) => recorders[i % 2]!.record(arrival({ by: `s${i % 3}.example`, reportId: `r${i % 40}`, domains: ['gone.example', 'kept.example'] }, later(i))) // prettier-ignore
  await Promise.all(Array.from({ length: 100 }, (_, i) => tell(i)))
  const arriving = Array.from({ length: 200 }, (_, i) => tell(i))
  const purging = [1, 2, 3].map(() => purgeDomain(db, 'gone.example'))
  await Promise.all([...arriving, ...purging])
  assert.deepEqual((await verifyStore(db, later(0))).findings, [])
  await purgeDomain(db, 'gone.example')
  assert.deepEqual(await mentions(db, 'gone.example'), [])
  const { rows } = await db.query<{ n: number }>(`select count(*)::int as n from report where domain = 'kept.example'`)
  assert.equal(rows[0]!.n, 120)
})
