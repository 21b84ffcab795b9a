import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import { decideReport } from '../../src/store/decisions.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { listReporters, type ReportersQuestion } from '../../src/store/reporter-list.ts'
import { setReporterStanding, type ReporterStanding } from '../../src/store/reporters.ts'
import { arrival, later, newKey, type Telling } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'
import { aReport, insertReports } from '../support/rows.ts'

const { db } = await freshDatabase()
const limits = { commitBatch: 10, commitQueue: 2_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorders = Array.from({ length: 2 }, () => makeRecorder(db, { limits, newKey }))

let names = 0
const newName = (kind: string) => `${kind}${names++}.example`

const say = (domain: string, standing: ReporterStanding) =>
  setReporterStanding(db, { domain, standing, by: 'admin', at: later(60) })

async function tell(telling: Telling, second = 0) {
  const [outcome] = await recorders[0]!.record(arrival(telling, later(second)))
  assert.ok(outcome && 'reports' in outcome)
  return outcome.reports[0]!
}

const question: ReportersQuestion = { window: { from: '2026-02-01', to: '2026-03-15' }, today: '2026-03-14', filters: {}, visible: undefined, limit: 100 } // prettier-ignore
const find = async (domain: string, more: Partial<ReportersQuestion> = {}) =>
  (await listReporters(db, { ...question, filters: { domain: [domain] }, ...more }, undefined))[0]

/** What is counted on a domain, and whether a fact says otherwise than its report. */
async function story(domain: string) {
  const ask = async (sql: string) =>
    (await db.query({ text: sql, values: [domain], rowMode: 'array' })).rows as unknown[][]
  return {
    totals: await ask(
      'select trust, successful, failed, reports from day_total where domain = $1 and reports > 0 order by trust',
    ),
    reports: await ask('select trust, reporter, standing, counted, failed from report where domain = $1 order by reporter, failed, standing'), // prettier-ignore
    torn: await ask(
      `select from (select report_key, domain, counted from policy union all select report_key, domain, counted from failure_detail) f
       join report r on r.key = f.report_key where f.domain = $1 and f.counted is distinct from r.counted`,
    ),
  }
}

test('a blocked reporter leaves every number, stays in the store, and comes back', async () => {
  const [by, domain] = [newName('r'), newName('d')]
  await tell({ by, domains: [domain] })
  const before = await story(domain)
  await say(by, 'blocked')
  const blocked = await story(domain)
  assert.deepEqual(blocked.totals, [])
  assert.deepEqual(blocked.reports, [['verified', by, 'blocked', false, 10n]])
  assert.deepEqual(blocked.torn, [])
  await say(by, 'new')
  assert.deepEqual(await story(domain), before)
})

test('what arrives from a blocked reporter is accepted and does not count', async () => {
  const [by, domain] = [newName('r'), newName('d')]
  await say(by, 'blocked')
  assert.equal((await tell({ by, domains: [domain] })).verdict, 'accepted')
  assert.deepEqual((await story(domain)).totals, [])
})

test('an unverified report counts where the verified one that took its place is of a blocked reporter', async () => {
  const [by, domain] = [newName('r'), newName('d')]
  await tell({ domains: [domain], failed: 20 })
  await tell({ by, domains: [domain] }, 1)
  await say(by, 'blocked')
  assert.deepEqual((await story(domain)).totals, [['unverified', 90n, 20n, 1n]])
  await say(by, 'known')
  assert.deepEqual((await story(domain)).totals, [['verified', 90n, 10n, 1n]])
})

test('not even a report that the operator has included counts while its reporter is blocked', async () => {
  const [by, domain] = [newName('r'), newName('d')]
  const { key } = await tell({ by, domains: [domain], failed: 2_000_000_000, implausible: true })
  const include = { word: 'include', by: 'admin', at: later(60), reason: null } as const
  assert.equal(await decideReport(db, key, include, undefined), 'counted')
  await say(by, 'blocked')
  assert.equal(await decideReport(db, key, include, undefined), 'blocked')
  assert.deepEqual((await story(domain)).totals, [])
  await say(by, 'new')
  assert.deepEqual((await story(domain)).totals, [['verified', 90n, 2000000000n, 1n]])
})

test('more than a batch of reports is blocked and unblocked, over several months', async () => {
  const by = newName('r')
  const domains = Array.from({ length: 41 }, () => newName('d'))
  const days = ['2026-01-31', ...Array.from({ length: 14 }, (_, i) => `2026-02-${String(i + 10)}`)]
  await Promise.all(days.map((day) => recorders[0]!.record(arrival({ by, day, reportId: day, domains }, later(0)))))
  const counted = async () => (await db.query<{ n: bigint }>('select count(*) as n from report where reporter = $1 and counted', [by])).rows[0]!.n // prettier-ignore
  assert.equal(await counted(), 615n)
  await say(by, 'blocked')
  assert.equal(await counted(), 0n)
  await say(by, 'known')
  assert.equal(await counted(), 615n)
  assert.deepEqual(await verifyDayTotals(db), [])
})

const anyAct = fc.oneof(
  fc.record({ act: fc.constant('block' as const), whom: fc.constantFrom('r', 's'), standing: fc.constantFrom('blocked' as const, 'known' as const) }),
  fc.record({ act: fc.constant('tell' as const), whom: fc.constantFrom('r', 's', undefined), failed: fc.constantFrom(10, 20), instance: fc.nat(1) }),
) // prettier-ignore

test('any order of blocking, unblocking and arrivals ends in the same counted facts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ act: anyAct, rank: fc.nat(), pause: fc.boolean() }), { minLength: 2, maxLength: 9 }),
      fc.record({ r: fc.boolean(), s: fc.boolean() }),
      async (drawn, last) => {
        const acts = drawn.map((one, second) => ({ ...one, second }))
        const stories = []
        for (const order of [acts, acts.toSorted((a, b) => a.rank - b.rank)]) {
          const domain = newName('d')
          const reporters = { r: newName('r'), s: newName('s') }
          const under: Promise<unknown>[] = []
          const said = { r: Promise.resolve(), s: Promise.resolve() }
          const sayNext = (whom: 'r' | 's', standing: ReporterStanding) =>
            (said[whom] = said[whom].then(() => say(reporters[whom], standing)))
          for (const { act, pause, second } of order) {
            if (act.act === 'block') under.push(sayNext(act.whom, act.standing))
            else under.push(recorders[act.instance]!.record(arrival({ ...(act.whom !== undefined && { by: reporters[act.whom] }), domains: [domain], failed: act.failed }, later(second)))) // prettier-ignore
            if (pause) await Promise.all(under)
          }
          // The last words are said while the arrivals are still under way.
          under.push(sayNext('r', last.r ? 'blocked' : 'new'))
          under.push(sayNext('s', last.s ? 'blocked' : 'new'))
          await Promise.all(under)
          const plain = JSON.stringify(await story(domain), (_, value: unknown) => typeof value === 'bigint' ? String(value) : value) // prettier-ignore
          stories.push(JSON.parse(plain.replaceAll(reporters.r, 'r').replaceAll(reporters.s, 's')))
        }
        assert.deepEqual(stories[0], stories[1])
        assert.deepEqual((stories[0] as { torn: unknown[] }).torn, [])
      },
    ),
    { numRuns: 40 },
  )
  assert.deepEqual(await verifyDayTotals(db), [])
})

const days = (from: string, count: number, step = 1) =>
  Array.from({ length: count }, (_, i) => new Date(Date.parse(from) + i * step * 86_400_000).toISOString().slice(0, 10))

test('a reporter is told by what it sends: days, names, sessions and oddities', async () => {
  const by = newName('r')
  const reports = days('2026-02-20', 5).map((day, i) => aReport({ day, reporter: by, domain: newName('d'), organization: i < 2 ? 'Two' : 'Three', standing: i === 0 ? 'conflict' : 'counted' })) // prettier-ignore
  await insertReports(db, [...reports, aReport({ day: '2026-01-10', reporter: by, domain: newName('d') })])
  await db.query(`update report set anomalies = '[{"code":"late","pointer":""},{"code":"late","pointer":"/x"}]' where reporter = $1 and day < '2026-02-22'`, [by]) // prettier-ignore
  assert.deepEqual(await find(by), {
    domain: by,
    standing: 'new',
    standingSource: 'default',
    reference: null,
    notedBy: null,
    notedAt: null,
    firstSeen: '2026-01-10',
    lastSeen: '2026-02-24',
    cadenceDays: 1,
    overdue: true,
    reports: 4n,
    successful: 40n,
    failed: 0n,
    uncountedReports: 1n,
    organizations: ['Three', 'Two'],
    anomalies: { late: 2n },
  })
})

test('a name that no index could hold is told by its beginning', async () => {
  const by = newName('r')
  // Nothing that could be compressed: an index row is 2,704 bytes at most.
  const long = Array.from({ length: 1_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000))).join('')
  await insertReports(db, [aReport({ day: '2026-02-21', reporter: by, domain: newName('d'), organization: long })])
  assert.deepEqual((await find(by))?.organizations, [long.slice(0, 255)])
})

test('overdue is who is silent for more than three times his usual gap, and three days at least', async () => {
  const overdue = async (reported: string[], today: string) => {
    const by = newName('r')
    await insertReports(db, reported.map((day) => aReport({ day, reporter: by, domain: newName('d') }))) // prettier-ignore
    return (await find(by, { today }))!.overdue
  }
  assert.equal(await overdue(days('2026-02-01', 10), '2026-02-13'), false)
  assert.equal(await overdue(days('2026-02-01', 10), '2026-02-14'), true)
  assert.equal(await overdue(days('2026-02-01', 4, 7), '2026-03-15'), false)
  assert.equal(await overdue(days('2026-02-01', 4, 7), '2026-03-16'), true)
  assert.equal(await overdue(days('2026-02-01', 2), '2026-03-16'), false, 'two days are no habit')
})

test('a well-known sender is known by a source, and the word of the operator comes first', async () => {
  await insertReports(db, [aReport({ reporter: 'google.com', domain: newName('d'), day: '2026-03-01' })])
  const seeded = await find('google.com')
  assert.deepEqual([seeded?.standing, seeded?.standingSource], ['known', 'seed'])
  assert.match(seeded?.reference ?? '', /^https:/)
  await say('google.com', 'blocked')
  const said = await find('google.com')
  assert.deepEqual([said?.standing, said?.standingSource, said?.notedBy, said?.notedAt], ['blocked', 'operator', 'admin', later(60)]) // prettier-ignore
})

test('the list goes by name, in pages, by standing, and ends at the wall', async () => {
  const [mine, theirs, unheard] = [newName('a'), newName('b'), newName('c')]
  const domain = newName('d')
  await insertReports(db, [aReport({ reporter: mine, domain, day: '2026-03-01' })])
  await insertReports(db, [aReport({ reporter: theirs, domain: newName('d'), day: '2026-03-01' })])
  await say(unheard, 'blocked')
  const list = async (more: Partial<ReportersQuestion>, after?: string) =>
    (await listReporters(db, { ...question, ...more }, after)).map((row) => row.domain)
  const all = await list({})
  assert.deepEqual(all, all.toSorted())
  assert.ok([mine, theirs, unheard].every((name) => all.includes(name)))
  assert.deepEqual(await list({ limit: 2 }, all[2]), all.slice(3, 5))
  assert.ok((await list({ filters: { standing: ['blocked'] } })).includes(unheard))
  assert.ok(!(await list({ filters: { standing: ['new', 'known'] } })).includes(unheard))
  assert.deepEqual(await list({ visible: [domain] }), [mine])
})
