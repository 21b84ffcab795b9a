import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import type { Arrival, JudgedPart } from '../../src/store/arrivals.ts'
import { makeRecorder, type RecorderOptions } from '../../src/store/recorder.ts'
import type { Provenance, Refusal } from '../../src/tlsrpt/submission.ts'
import type { Accepted, Outcome } from '../../src/tlsrpt/verdict.ts'
import { arrival, judgedArrival, later, newKey, type Telling } from '../support/arrivals.ts'
import { freshDatabase, testDatabaseOptions } from '../support/database.ts'

const { url, db } = await freshDatabase()

const limits = { commitBatch: 300, commitQueue: 2_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorderOn = (database: Database, options: Partial<RecorderOptions> = {}) => makeRecorder(database, { limits, newKey, ...options }) // prettier-ignore
const { record } = recorderOn(db)

let tests = 0
/** A domain of its own for each test: they share a database. */
const newDomain = () => `t${tests++}.example`

/** The outcome of a submission that became one: fails for a refusal. */
function one(outcomes: Outcome[] | undefined): Extract<Outcome, { reports: unknown }> {
  const [outcome, ...rest] = outcomes!
  assert.deepEqual(rest, [])
  assert.ok(outcome && 'reports' in outcome, JSON.stringify(outcome))
  return outcome
}

const tell = async (telling: Telling, at?: Date) => one(await record(arrival(telling, at)))

async function rows(sql: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  return (await db.query<Record<string, unknown>>(sql, values)).rows
}

const reportsOf = (domain: string) => rows('select trust, reporter, standing, counted, failed from report where domain = $1 order by variant', domain) // prettier-ignore
const totalsOf = (domain: string) => rows('select trust, successful, failed, reports from day_total where domain = $1 and reports > 0 order by trust', domain) // prettier-ignore

test('a report is stored with all that is asked of it', async () => {
  const domain = newDomain()
  const told = arrival({ by: 'sender.example', domains: [domain], contactInfo: 'tls@sender.example' })
  const outcome = one(await record(told))
  const { key } = outcome.reports[0]!
  assert.deepEqual(outcome, { kind: 'accepted', submissionKey: outcome.submissionKey, reports: [{ key, domain, verdict: 'accepted' }], anomalies: [] }) // prettier-ignore

  const [report] = await rows('select * from report where domain = $1', domain)
  const { identity, contentHash } = (told.parts[0]!.judgement as Accepted).domainReports[0]!
  assert.deepEqual(report, {
    domain, day: '2026-03-01', identity, variant: 0, key, submission_key: outcome.submissionKey, content_hash: contentHash,
    trust: 'verified', reporter: 'sender.example', standing: 'counted', counted: true, decision: null, implausible: false,
    transport: 'smtp', organization: 'Example Reports', report_id: 'r1', contact_info: 'tls@sender.example',
    start_datetime: new Date('2026-03-01T00:00:00Z'), end_datetime: new Date('2026-03-01T23:59:59Z'),
    arrived_at: told.submission.arrivedAt, anomalies: [], successful: 90n, failed: 10n,
    decided_by: null, decided_at: null, decision_reason: null, bytes: 0, label: 'Example Reports',
  }) // prettier-ignore
  const carried = { domain, day: '2026-03-01', report_key: key, trust: 'verified', reporter: 'sender.example', organization: 'Example Reports', transport: 'smtp', counted: true } // prettier-ignore
  assert.deepEqual(await rows('select * from policy where domain = $1 order by seq', domain), [
    {
      ...carried, seq: 0, policy_domain: domain, policy_type: 'sts', policy_type_raw: null, policy_mode: 'enforce', primary: true,
      policy_string: ['version: STSv1', 'mode: enforce', String.raw`note: "a, {b}" \ c`], mx_host: [`*.${domain}`],
      successful: 90n, failed: 10n, attributed: '11', tally_result_type: ['certificate-expired', 'starttls-not-supported'],
      tally_mx: [null, `mx.${domain}`], tally_failed: ['10', '1'], tally_first: [7, 7],
    },
    {
      ...carried, seq: 1, policy_domain: `mx.${domain}`, policy_type: 'tlsa', policy_type_raw: null, policy_mode: null, primary: false,
      policy_string: [], mx_host: [], successful: 1n, failed: 0n, attributed: '0', tally_result_type: null, tally_mx: null,
      tally_failed: null, tally_first: null,
    },
  ]) // prettier-ignore
  const detail = { ...carried, policy_seq: 0, policy_domain: domain, policy_type: 'sts', policy_mode: 'enforce', primary: true, result_type_raw: null, receiving_mx_helo: null, additional_information: null, failure_reason_code: null } // prettier-ignore
  assert.deepEqual(await rows('select * from failure_detail where domain = $1 order by seq', domain), [
    {
      ...detail, seq: 0, result_type: 'certificate-expired', failed_session_count: 10n, receiving_mx_hostname: null,
      sending_mta_ip: '2001:db8::1', sending_mta_ip_raw: '2001:DB8::1', receiving_ip: null, receiving_ip_raw: null,
    },
    {
      ...detail, seq: 1, result_type: 'starttls-not-supported', failed_session_count: 1n, receiving_mx_hostname: `mx.${domain}`,
      sending_mta_ip: null, sending_mta_ip_raw: null, receiving_ip: null, receiving_ip_raw: 'unknown',
    },
  ]) // prettier-ignore
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])

  const [submission] = await rows('select * from submission where key = $1', outcome.submissionKey)
  assert.deepEqual(submission, {
    arrived_on: '2026-03-02', key: outcome.submissionKey, domain, domains: [domain], arrival_key: submission!['arrival_key'],
    part: 0, arrived_at: told.submission.arrivedAt, transport: 'smtp', provenance: told.submission.provenance, verdict: 'accepted',
    reason: null, trust: 'verified', reporter: 'sender.example', anomalies: [], problems: [], dkim: [], reports: outcome.reports,
  }) // prettier-ignore
  const [raw] = await rows('select * from submission_raw where arrival_key = $1', submission['arrival_key'])
  assert.deepEqual(raw, {
    arrived_on: '2026-03-02', domain, arrival_key: submission['arrival_key'], arrived_at: told.submission.arrivedAt,
    form: 'report', refused: false, source: '192.0.2.0/24', bytes: told.submission.raw, size: 40,
  }) // prettier-ignore
})

test('every key bears the time of arrival', async () => {
  const at = new Date('2026-04-05T06:07:08.009Z')
  const outcome = await tell({ domains: [newDomain()] }, at)
  for (const key of [outcome.submissionKey, outcome.reports[0]!.key]) {
    assert.equal(parseInt(key.replace('-', '').slice(0, 12), 16), at.getTime())
  }
})

test('a report told twice is a duplicate that names the one that is there', async () => {
  const domain = newDomain()
  const first = await tell({ by: 'sender.example', domains: [domain] })
  const second = await tell({ by: 'sender.example', domains: [domain] }, later(60))
  assert.equal(second.kind, 'duplicate')
  assert.notEqual(second.submissionKey, first.submissionKey)
  assert.deepEqual(second.reports, [{ ...first.reports[0], verdict: 'duplicate' }])
  assert.equal((await rows('select 1 from submission where domain = $1', domain)).length, 2)
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])
})

test('the bytes of what a stranger sends again are not kept, whatever is around them; what the operator imports is', async () => {
  const file = { transport: 'file', fileName: 'report.json.gz' } as const
  for (const by of [undefined, 'sender.example']) {
    const domain = newDomain()
    const again = (more: object) =>
      record(arrival({ ...(by !== undefined && { by }), domains: [domain] }, later(0), more))
    const padded = (size: number) => ({ raw: Buffer.alloc(size, 7) })
    for (const more of [padded(1), padded(2), padded(3), { ...padded(4), provenance: file }]) one(await again(more))
    const kept = await rows('select size from submission_raw where domain = $1 order by size', domain)
    assert.deepEqual(kept, [{ size: 1 }, { size: 4 }])
  }
})

test('a report posted first and then mailed and verified is one report, told by who is verified', async () => {
  const domain = newDomain()
  const posted = await tell({ domains: [domain], contactInfo: 'forged@evil.example' })
  const mailed = await tell({ by: 'sender.example', domains: [domain] }, later(60))
  assert.deepEqual(mailed.reports, [{ ...posted.reports[0], verdict: 'duplicate' }])
  const moved = { trust: 'verified', reporter: 'sender.example', transport: 'smtp' }
  const [report] = await rows('select trust, reporter, transport, submission_key, contact_info, arrived_at from report where domain = $1', domain) // prettier-ignore
  assert.deepEqual(report, {
    ...moved,
    submission_key: mailed.submissionKey,
    contact_info: null,
    arrived_at: later(60),
  })
  assert.deepEqual(await rows('select distinct trust, reporter, transport from policy where domain = $1', domain), [moved]) // prettier-ignore
  assert.deepEqual(await rows('select distinct trust, reporter, transport from failure_detail where domain = $1', domain), [moved]) // prettier-ignore
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])
})

test('a hundred deliveries of one report at once, over two instances, are one report', async () => {
  const domain = newDomain()
  const instances = [recorderOn(db), recorderOn(db)]
  const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => instances[i % 2]!.record(arrival({ by: 'sender.example', domains: [domain] })))) // prettier-ignore
  const kinds = Map.groupBy(outcomes.map(one), ({ kind }) => kind)
  assert.deepEqual([kinds.get('accepted')?.length, kinds.get('duplicate')?.length], [1, 99])
  assert.equal(new Set(outcomes.map((outcome) => one(outcome).reports[0]!.key)).size, 1)
  assert.equal((await reportsOf(domain)).length, 1)
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])
})

test('different reports of the same domains, over two instances, wait for each other and all arrive', async () => {
  const domains = Array.from({ length: 5 }, newDomain)
  const instances = [recorderOn(db, { limits: { ...limits, commitBatch: 7 } }), recorderOn(db)]
  const tellings = Array.from({ length: 120 }, (_, i) => ({ by: 'sender.example', reportId: `r${i % 40}`, domains: i % 2 ? domains : domains.toReversed() })) // prettier-ignore
  await Promise.all(tellings.map((telling, i) => instances[i % 2]!.record(arrival(telling))))
  for (const domain of domains) assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 3600n, failed: 400n, reports: 40n }]) // prettier-ignore
})

test('a forged report that came first leaves the numbers when the verified one comes', async () => {
  const domain = newDomain()
  assert.equal((await tell({ domains: [domain], failed: 999 })).kind, 'accepted')
  assert.deepEqual(await totalsOf(domain), [{ trust: 'unverified', successful: 90n, failed: 999n, reports: 1n }])
  assert.equal((await tell({ by: 'sender.example', domains: [domain] }, later(60))).kind, 'accepted')
  assert.deepEqual(await reportsOf(domain), [
    { trust: 'unverified', reporter: null, standing: 'superseded', counted: false, failed: 999n },
    { trust: 'verified', reporter: 'sender.example', standing: 'counted', counted: true, failed: 10n },
  ])
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])
  assert.deepEqual(await rows('select distinct failed from policy where domain = $1 and counted and "primary"', domain), [{ failed: 10n }]) // prettier-ignore
})

test('a forged report that comes later is kept and changes nothing', async () => {
  const domain = newDomain()
  await tell({ by: 'sender.example', domains: [domain] })
  const forged = await tell({ domains: [domain], failed: 999 }, later(60))
  assert.equal(forged.kind, 'conflict')
  assert.deepEqual((await reportsOf(domain)).map(({ standing }) => standing), ['counted', 'conflict']) // prettier-ignore
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])
  assert.equal((await rows('select 1 from submission_raw where domain = $1', domain)).length, 2)
})

test('of two contents by one reporter the first stands, and the second is a conflict', async () => {
  const domain = newDomain()
  await tell({ by: 'sender.example', domains: [domain] })
  const second = await tell({ by: 'sender.example', domains: [domain], failed: 11 }, later(60))
  assert.deepEqual([second.kind, second.reports[0]!.verdict], ['conflict', 'conflict'])
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])
})

test('who contradicts himself without end makes ten claims and keeps nobody else out', async () => {
  const domain = newDomain()
  const contradict = (failed: number) => arrival({ by: 'evil.example', domains: [domain], failed }, later(failed))
  const outcomes = await Promise.all(Array.from({ length: 15 }, (_, i) => record(contradict(i + 1))))
  const [first] = outcomes.flat()
  assert.deepEqual(outcomes.map((each) => one(each).kind), ['accepted', ...Array<string>(14).fill('conflict')]) // prettier-ignore
  assert.deepEqual(one(await record(contradict(99))).reports, [{ key: one([first!]).reports[0]!.key, domain, verdict: 'conflict' }]) // prettier-ignore
  assert.equal(one(await record(contradict(2))).kind, 'duplicate')
  assert.equal((await reportsOf(domain)).length, 10)
  assert.equal((await rows('select from submission_raw where domain = $1', domain)).length, 16, 'every contradiction can be read') // prettier-ignore
  assert.equal((await tell({ by: 'sender.example', domains: [domain] }, later(100))).kind, 'accepted')
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 180n, failed: 11n, reports: 2n }])
})

test('two unverified reports that disagree both leave the numbers', async () => {
  const domain = newDomain()
  await tell({ domains: [domain] })
  assert.equal((await tell({ domains: [domain], failed: 11 }, later(60))).kind, 'conflict')
  assert.deepEqual((await reportsOf(domain)).map(({ standing }) => standing), ['contested', 'contested']) // prettier-ignore
  assert.deepEqual(await totalsOf(domain), [])
})

test('a count too large to believe is accepted and not counted', async () => {
  const domain = newDomain()
  const outcome = await tell({ by: 'sender.example', domains: [domain], failed: 2 ** 53 - 1, implausible: true })
  assert.equal(outcome.kind, 'accepted')
  assert.deepEqual((await reportsOf(domain)).map(({ standing, failed }) => [standing, failed]), [['implausible', 2n ** 53n - 1n]]) // prettier-ignore
  assert.deepEqual(await totalsOf(domain), [])
})

test('another report id, range, domain or reporter is another report', async () => {
  const [domain, other] = [newDomain(), newDomain()]
  const first = { by: 'sender.example', domains: [domain] }
  for (const telling of [first, { ...first, reportId: 'r2' }, { ...first, day: '2026-02-28' }, { ...first, domains: [other] }, { ...first, by: 'other.example' }]) {
    assert.equal((await tell(telling)).kind, 'accepted')
  } // prettier-ignore
  assert.deepEqual(await rows('select day, reports from day_total where domain = $1 and reports > 0 order by day', domain), [{ day: '2026-02-28', reports: 1n }, { day: '2026-03-01', reports: 3n }]) // prettier-ignore
})

test('a report about several domains of ours is one for each', async () => {
  const [a, b] = [newDomain(), newDomain()]
  await tell({ by: 'sender.example', domains: [b] })
  const outcome = await tell({ by: 'sender.example', domains: [a, b] }, later(60))
  assert.deepEqual([outcome.kind, ...outcome.reports.map(({ domain, verdict }) => [domain, verdict])], ['accepted', [a, 'accepted'], [b, 'duplicate']]) // prettier-ignore
  const [submission] = await rows('select domain, domains from submission where key = $1', outcome.submissionKey)
  assert.deepEqual(submission, { domain: a, domains: [a, b] })
  for (const domain of [a, b]) assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }]) // prettier-ignore
})

test('a report older than all retention is accepted, and its bytes are all that is kept', async () => {
  const domain = newDomain()
  const outcome = one(await record(arrival({ by: 'sender.example', domains: [domain], outdated: true })))
  assert.deepEqual([outcome.kind, outcome.reports], ['accepted', []])
  const [kept] = await rows('select s.domain, s.domains, s.verdict, r.refused from submission s join submission_raw r using (arrival_key) where s.key = $1', outcome.submissionKey) // prettier-ignore
  assert.deepEqual(kept, { domain, domains: [domain], verdict: 'accepted', refused: false })
})

const refusal = (kind: Refusal['kind']): JudgedPart => ({
  judgement: {
    kind,
    reason: `${kind}-because`,
    problems: [{ code: 'c', pointer: '/policies', message: 'what is wrong' }],
  },
  dkim: [{ result: 'fail' }],
})

test('a refusal is kept with its reason and its bytes, which are marked for the short retention', async () => {
  for (const kind of ['unauthenticated', 'malformed', 'unreadable', 'not-ours'] as const) {
    const part = refusal(kind)
    const [outcome] = await record(judgedArrival([part], later(0), { form: 'message', source: '198.51.100.0/24' }))
    assert.ok(outcome && 'problems' in outcome && outcome.submissionKey !== undefined)
    assert.deepEqual(outcome, { ...part.judgement, submissionKey: outcome.submissionKey })
    const [kept] = await rows(
      `select s.domain, verdict, reason, trust, s.anomalies, problems, dkim, reports, r.form, r.refused, r.source
       from submission s join submission_raw r using (arrival_key) where s.key = $1`,
      outcome.submissionKey,
    )
    const problems = 'problems' in part.judgement && part.judgement.problems
    assert.deepEqual(kept, { domain: '', verdict: kind, reason: `${kind}-because`, trust: null, anomalies: [], problems, dkim: part.dkim, reports: [], form: 'message', refused: true, source: '198.51.100.0/24' }) // prettier-ignore
  }
})

test('of what is too large only the verdict is kept', async () => {
  const [outcome] = await record(judgedArrival([refusal('too-large')]))
  assert.ok(outcome && 'problems' in outcome)
  const kept = await rows('select r.bytes from submission s left join submission_raw r using (arrival_key) where s.key = $1', outcome.submissionKey) // prettier-ignore
  assert.deepEqual(kept, [{ bytes: null }])
})

test('what our own code threw at is kept for the long retention', async () => {
  const outcomes = await record(judgedArrival([{ judgement: { kind: 'quarantined', reason: 'defect' }, dkim: [] }]))
  const outcome = one(outcomes)
  assert.deepEqual(outcome, { kind: 'quarantined', submissionKey: outcome.submissionKey, reports: [], anomalies: [] })
  const kept = await rows('select verdict, reason, refused from submission join submission_raw using (arrival_key) where key = $1', outcome.submissionKey) // prettier-ignore
  assert.deepEqual(kept, [{ verdict: 'quarantined', reason: 'defect', refused: false }])
})

test('the parts of one mail are recorded together, in order, over one copy of the bytes', async () => {
  const domain = newDomain()
  const told = arrival([
    { by: 'sender.example', domains: [domain] },
    { by: 'sender.example', domains: [domain] },
  ])
  const outcomes = await record({ ...told, parts: [...told.parts, refusal('not-ours')] })
  assert.deepEqual(outcomes.map(({ kind }) => kind), ['accepted', 'duplicate', 'not-ours']) // prettier-ignore
  const parts = await rows('select part, verdict, arrival_key from submission where arrival_key = (select arrival_key from submission_raw where domain = $1) order by part', domain) // prettier-ignore
  assert.deepEqual(parts.map(({ part, verdict }) => [part, verdict]), [[0, 'accepted'], [1, 'duplicate'], [2, 'not-ours']]) // prettier-ignore
  assert.deepEqual(await rows('select refused from submission_raw where domain = $1', domain), [{ refused: false }])
})

test('what jsonb would refuse in what a stranger wrote is replaced, not refused', async () => {
  const told = arrival({ domains: [newDomain()] })
  const provenance = { transport: 'smtp', peerAddress: '192.0.2.1', helo: 'a\0b\ud800c\udc00', mailFrom: String.raw`\u0000 😀`, rcptTo: [], tls: false } satisfies Provenance // prettier-ignore
  const { submissionKey } = one(await record({ ...told, submission: { ...told.submission, provenance } }))
  const [kept] = await rows('select provenance from submission where key = $1', submissionKey)
  assert.deepEqual(kept, { provenance: { ...provenance, helo: 'a\ufffdb\ufffdc\ufffd' } })
})

const accepted = (told: Arrival) => told.parts[0]!.judgement as Accepted

test('values that Postgres refuses are quarantined alone: their neighbours are recorded', async (t) => {
  const domain = newDomain()
  const commits: number[] = []
  const recorder = recorderOn(db, { onCommit: ({ arrivals }) => commits.push(arrivals) })
  const release = await holdBack(t)
  const first = recorder.record(arrival({ by: 'sender.example', domains: [domain], reportId: 'first' }))
  const told = Array.from({ length: 50 }, (_, i) =>
    arrival({ by: 'sender.example', domains: [domain], reportId: `r${i}` }),
  )
  const poisoned = [3, 5, 6, 7, 8]
  accepted(told[3]!).report.organizationName = 'NUL\0' // No text.
  accepted(told[5]!).domainReports[0]!.policies[1]!.policyType = 'NUL\0' // In the report's facts only.
  accepted(told[6]!).domainReports[0]!.policies[0]!.failureDetails[0]!.failedSessionCount = 1.5 // Not even for us.
  accepted(told[7]!).domainReports[0]!.day = '2026-02-30' // No day.
  accepted(told[8]!).domainReports[0]!.day = 'someday' // Not even a month to make a partition for.
  const outcomes = Promise.all([first, ...told.map(recorder.record)])
  await release()
  assert.deepEqual((await outcomes).map((outcome) => one(outcome).kind), ['accepted', ...told.map((_, i) => (poisoned.includes(i) ? 'quarantined' : 'accepted'))]) // prettier-ignore
  assert.ok(commits.length < 16, `that many commits: ${commits.join()}`)
  assert.deepEqual((await totalsOf(domain)).map(({ reports }) => reports), [46n]) // prettier-ignore
  const kept = await rows(`select r.bytes, s.domain, s.reports from submission s join submission_raw r using (arrival_key) where s.reason = 'store-refused-values' order by r.bytes`) // prettier-ignore
  const bytes = poisoned.map((i) => told[i]!.submission.raw).sort((x, y) => x.compare(y))
  assert.deepEqual(kept, bytes.map((bytes) => ({ bytes, domain: '', reports: [] }))) // prettier-ignore
})

/** Stops every transaction that writes a report, until the answer is called. */
async function holdBack(t: TestContext): Promise<() => Promise<void>> {
  const client = await db.connect()
  let held = true
  const release = async () => {
    if (held) await client.query('rollback')
    held = false
  }
  t.after(async () => {
    await release()
    client.release()
  })
  await client.query('begin; lock table report')
  return release
}

/** The server processes that wait for a lock in our database. */
async function waitingForLock(count: number): Promise<number[]> {
  for (let tries = 0; tries < 500; tries++) {
    const waiting = await rows(`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    if (waiting.length >= count) return waiting.map(({ pid }) => pid as number)
    await sleep(10)
  }
  throw new Error('nobody waits')
} // prettier-ignore

test('while one transaction is under way arrivals wait, and go into the next one together', async (t) => {
  const domain = newDomain()
  const commits: number[] = []
  const recorder = recorderOn(db, { limits: { ...limits, commitBatch: 20 }, onCommit: ({ arrivals }) => commits.push(arrivals) }) // prettier-ignore
  const release = await holdBack(t)
  const outcomes = Array.from({ length: 30 }, (_, i) =>
    recorder.record(arrival({ domains: [domain], reportId: `r${i}` })),
  )
  await waitingForLock(1)
  assert.equal(recorder.pending(), 30)
  await release()
  await recorder.close()
  assert.equal(recorder.pending(), 0)
  assert.deepEqual(commits, [1, 20, 9])
  assert.deepEqual((await Promise.all(outcomes)).map((outcome) => one(outcome).kind), Array(30).fill('accepted')) // prettier-ignore
})

test('behind a batch the next one waits a moment for who is worked on, and for no longer', async () => {
  const commits: number[] = []
  const recorder = recorderOn(db, { onCommit: ({ arrivals }) => commits.push(arrivals) })
  const next = () => recorder.record(arrival({ domains: [newDomain()] }))
  const oneTry = async (): Promise<number[]> => {
    await next()
    commits.splice(0)
    const arrived = recorder.announce()
    const first = next()
    for (let turn = 0; turn < 5; turn++) {
      const until = performance.now() + 0.2
      while (performance.now() < until);
      await new Promise((resolve) => setImmediate(resolve))
    }
    arrived()
    await Promise.all([first, next()])
    return [...commits]
  }
  const tries: number[][] = []
  while (tries.length < 50 && tries.at(-1)?.length !== 1) tries.push(await oneTry())
  assert.deepEqual(tries.at(-1), [2]) // A machine that stops for 20 ms has a batch of one.

  const neverArrives = recorder.announce()
  await next()
  await next()
  neverArrives()
  await recorder.close()
})

test('one transaction does not carry more than it can: large arrivals go in several', async (t) => {
  const commits: number[] = []
  const recorder = recorderOn(db, { onCommit: ({ arrivals }) => commits.push(arrivals) })
  const release = await holdBack(t)
  const domain = newDomain()
  const large = [0, 1, 2, 3, 4].map((i) => arrival({ domains: [domain], reportId: `r${i}` }, undefined, { raw: Buffer.alloc(7 * 1024 * 1024, i) })) // prettier-ignore
  const outcomes = Promise.all(large.map(recorder.record))
  await release()
  await outcomes
  assert.deepEqual(commits, [1, 2, 2])
  const [sizes] = await rows('select min(size) as min, max(size) as max, count(distinct bytes)::int as contents from submission_raw where domain = $1', domain) // prettier-ignore
  assert.deepEqual(sizes, { min: 7 * 1024 * 1024, max: 7 * 1024 * 1024, contents: 5 })
})

test('who comes while too many wait is told to come back', async (t) => {
  const recorder = recorderOn(db, { limits: { ...limits, commitQueue: 2 } })
  const release = await holdBack(t)
  const domain = newDomain()
  const outcomes = [0, 1, 2, 3].map((i) => recorder.record(arrival({ domains: [domain], reportId: `r${i}` })))
  assert.deepEqual(await outcomes[3], [{ kind: 'deferred', reason: 'overloaded' }])
  await release()
  assert.deepEqual((await Promise.all(outcomes)).map(([outcome]) => outcome!.kind), ['accepted', 'accepted', 'accepted', 'deferred']) // prettier-ignore
  assert.equal((await reportsOf(domain)).length, 3)
})

test('a connection lost in mid-transaction rejects the batch, and trying again works', async (t) => {
  const domain = newDomain()
  const recorder = recorderOn(db)
  const release = await holdBack(t)
  const tellings = [0, 1, 2].map((i) => arrival({ by: 'sender.example', domains: [domain], reportId: `r${i}` }))
  const lost = tellings.map((told) => recorder.record(told).then(() => 'recorded', () => 'rejected')) // prettier-ignore
  const [pid] = await waitingForLock(1)
  await db.query('select pg_terminate_backend($1)', [pid])
  assert.equal(await lost[0], 'rejected')
  await release()
  assert.deepEqual(await Promise.all(lost.slice(1)), ['recorded', 'recorded']) // The next batch has nothing to do with it.
  const again = await Promise.all(tellings.map(recorder.record))
  assert.deepEqual(again.map((outcome) => one(outcome).kind), ['accepted', 'duplicate', 'duplicate']) // prettier-ignore
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 270n, failed: 30n, reports: 3n }])
})

test('when the database is away every arrival is rejected, and none is lost in silence', async () => {
  const away = openDatabase('postgres://nobody@127.0.0.1:1/none', testDatabaseOptions, () => undefined)
  const recorder = recorderOn(away)
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => recorder.record(arrival({}))))
  assert.deepEqual(outcomes.map(({ status }) => status), ['rejected', 'rejected', 'rejected']) // prettier-ignore
  await recorder.close()
  assert.equal(recorder.pending(), 0)
  await away.end()
})

/** A way to the database on which the answer to a COMMIT gets lost, once it is told to lose it. */
async function lossyDatabase(t: TestContext): Promise<{ lossy: Database; loseCommit: () => void }> {
  const { host, port, user, database } = new pg.Client(url)
  let losing = false
  const proxy = createServer((near) => {
    const far = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    const cut = () => {
      for (const socket of [near, far]) socket.destroy()
    }
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut)
    near.on('data', (data) => far.write(data))
    far.on('data', (data) => {
      if (losing && data.includes('COMMIT\0')) cut()
      else near.write(data)
    })
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const lossy = openDatabase({ host: '127.0.0.1', port: (proxy.address() as AddressInfo).port, user: user!, database: database! }, testDatabaseOptions, () => undefined) // prettier-ignore
  t.after(async () => {
    await lossy.end()
    proxy.close()
  })
  return { lossy, loseCommit: () => (losing = true) }
}

test('when the answer to COMMIT is lost the sender is told to try again, and then it is a duplicate', async (t) => {
  const domain = newDomain()
  const { lossy, loseCommit } = await lossyDatabase(t)
  const recorder = recorderOn(lossy)
  const told = arrival({ by: 'sender.example', domains: [domain] })
  await recorder.record(arrival({ domains: [newDomain()] })) // The months are there now: the next COMMIT is the batch's.
  loseCommit()
  await assert.rejects(recorder.record(told))
  const [there] = await rows('select key from report where domain = $1', domain)
  assert.deepEqual(one(await record(told)).reports, [{ key: there!['key'], domain, verdict: 'duplicate' }])
  assert.deepEqual(await totalsOf(domain), [{ trust: 'verified', successful: 90n, failed: 10n, reports: 1n }])
})

test('a domain has its fill of unverified reports for a day, and not of verified ones or of repeats', async () => {
  const [domain, other] = [newDomain(), newDomain()]
  const { record } = recorderOn(db, { limits: { ...limits, unverifiedReportsPerDomainAndDay: 2 } })
  const kind = async (telling: Telling) => (await record(arrival({ domains: [domain], ...telling }))).map((outcome) => outcome.kind === 'deferred' ? outcome.reason : outcome.kind).join() // prettier-ignore
  assert.equal(await kind({ reportId: 'r1' }), 'accepted')
  assert.equal(await kind({ reportId: 'r1', failed: 11 }), 'conflict') // Counts, though it is not counted.
  assert.equal(await kind({ reportId: 'r2' }), 'unverified-quota')
  assert.equal(await kind({ reportId: 'r1', domains: [domain, other] }), 'accepted')
  assert.equal(await kind({ reportId: 'r2', domains: [domain, other] }), 'unverified-quota')
  assert.equal(await kind({ reportId: 'r2', day: '2026-02-28' }), 'accepted')
  assert.equal(await kind({ reportId: 'r1' }), 'duplicate')
  assert.equal(await kind({ reportId: 'r3', by: 'sender.example' }), 'accepted')
  assert.equal(await kind({ reportId: 'r3' }), 'duplicate')
  assert.equal(await kind({ reportId: 'r1', by: 'sender.example' }), 'duplicate') // Verified now: there is room for one.
  assert.equal(await kind({ reportId: 'r4' }), 'accepted')
  assert.equal(await kind({ reportId: 'r5' }), 'unverified-quota')
  assert.deepEqual((await totalsOf(other)).map(({ reports }) => reports), [1n]) // prettier-ignore
  assert.equal((await rows(`select 1 from submission where $1 = any(domains)`, domain)).length, 9)
})

test('policies and failure details weigh in the quota: 250 of them as much as a report', async () => {
  const domain = newDomain()
  const { record } = recorderOn(db, { limits: { ...limits, unverifiedReportsPerDomainAndDay: 4 } })
  const told = (reportId: string, details: number) => {
    const made = arrival({ reportId, domains: [domain] })
    const [policy] = accepted(made).domainReports[0]!.policies
    policy!.failureDetails = Array.from({ length: details }, () => policy!.failureDetails[0]!)
    return made
  }
  const kind = async (made: Arrival) => (await record(made))[0]!.kind
  assert.equal(await kind(told('r1', 1_300)), 'deferred') // As much as six.
  assert.equal(await kind(told('r1', 700)), 'accepted') // Nearly four.
  assert.equal(await kind(told('r2', 400)), 'deferred')
  assert.equal(await kind(told('r2', 10)), 'accepted')
  assert.equal(await kind(told('r3', 1)), 'deferred')
  const { record: another } = recorderOn(db, { limits: { ...limits, unverifiedReportsPerDomainAndDay: 4 } })
  assert.equal((await another(told('r3', 1)))[0]!.kind, 'deferred', 'another instance asks the store')
})

test('bytes weigh in the quota, as they come and as texts of facts: 64 KiB as much as a report', async () => {
  const domain = newDomain()
  const quota = { limits: { ...limits, unverifiedReportsPerDomainAndDay: 4 } }
  const { record } = recorderOn(db, quota)
  const posted = (reportId: string, kib: number) =>
    judgedArrival(arrival({ reportId, domains: [domain] }).parts, undefined, { raw: randomBytes(kib * 1024) })
  const saying = (reportId: string, kib: number) => {
    const made = arrival({ reportId, domains: [domain] })
    accepted(made).domainReports[0]!.policies[0]!.policyString = Array<string>(kib).fill('x'.repeat(1024))
    return made
  }
  const kind = async (made: Arrival) => (await record(made))[0]!.kind
  assert.equal(await kind(posted('r1', 256)), 'deferred') // As much as five.
  assert.equal(await kind(saying('r1', 256)), 'deferred')
  assert.equal(await kind(posted('r1', 64)), 'accepted') // Two.
  assert.equal(await kind(saying('r2', 128)), 'deferred')
  assert.equal(await kind(saying('r2', 64)), 'accepted')
  assert.equal(await kind(posted('r3', 0)), 'deferred')
  const { record: another } = recorderOn(db, quota)
  assert.equal((await another(posted('r3', 0)))[0]!.kind, 'deferred', 'another instance asks the store')
  assert.equal(
    (await another(arrival({ reportId: 'r4', domains: [domain], by: 'sender.example' })))[0]!.kind,
    'accepted',
  )
})

test('the quota holds within a batch, for whole arrivals, and leaves the neighbours alone', async (t) => {
  const [domain, other] = [newDomain(), newDomain()]
  const recorder = recorderOn(db, { limits: { ...limits, unverifiedReportsPerDomainAndDay: 2 } })
  const release = await holdBack(t)
  const blocked = recorder.record(arrival({ domains: [other] }))
  const outcomes = [
    [{ reportId: 'r1' }],
    [{ reportId: 'r2' }, { reportId: 'r3' }], // One too many, so neither.
    [{ reportId: 'r4' }, { reportId: 'r1' }], // The second says nothing new.
    [{ reportId: 'r5' }],
    [{ reportId: 'r6', by: 'sender.example' }],
  ].map((tellings) => recorder.record(arrival(tellings.map((telling) => ({ domains: [domain], ...telling })))))
  await release()
  await blocked
  assert.deepEqual((await Promise.all(outcomes)).map((parts) => parts.map(({ kind }) => kind)), [['accepted'], ['deferred'], ['accepted', 'duplicate'], ['deferred'], ['accepted']]) // prettier-ignore
  assert.deepEqual((await rows('select report_id from report where domain = $1 order by 1', domain)).map(({ report_id }) => report_id), ['r1', 'r4', 'r6']) // prettier-ignore
})

test('a report of the largest size is recorded whole', async () => {
  const domain = newDomain()
  const told = arrival({ by: 'sender.example', domains: [domain] })
  const [policy] = accepted(told).domainReports[0]!.policies
  const { failureDetails } = policy!
  policy!.failureDetails = Array.from({ length: 50_000 }, (_, i) => ({ ...failureDetails[0]!, failedSessionCount: i }))
  assert.equal(one(await record(told)).kind, 'accepted')
  const [stored] = await rows('select count(*)::int as details, count(distinct seq)::int as seqs, sum(failed_session_count)::int as sessions from failure_detail where domain = $1', domain) // prettier-ignore
  assert.deepEqual(stored, { details: 50_000, seqs: 50_000, sessions: 1_249_975_000 })
  assert.deepEqual(await rows('select attributed from policy where domain = $1 and "primary"', domain), [{ attributed: '1249975000' }]) // prettier-ignore
})

test('after all of that the totals are what the facts add up to, and the default partitions are empty', async () => {
  assert.deepEqual(await verifyDayTotals(db), [])
  for (const table of ['report', 'policy', 'failure_detail', 'day_total', 'submission', 'submission_raw']) {
    assert.deepEqual(await rows(`select from ${table}_default`), [], table)
  }
})
