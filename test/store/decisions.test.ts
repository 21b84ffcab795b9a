import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import { decideReport, type Decision } from '../../src/store/decisions.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { getReport } from '../../src/store/reports.ts'
import { arrival, later, newKey, type Telling } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'

const { db } = await freshDatabase()
const limits = { commitBatch: 300, commitQueue: 2_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })

let domains = 0
const newDomain = () => `d${domains++}.example`

async function tell(telling: Telling, second = 0): Promise<string> {
  const [outcome] = await recorder.record(arrival(telling, later(second)))
  assert.ok(outcome && 'reports' in outcome)
  return outcome.reports[0]!.key
}

const decide = (key: string, word: Decision['word'] | undefined, visible?: string[]) =>
  decideReport(db, key, word && { word, by: 'admin', at: later(60), reason: null }, visible)

async function state(domain: string) {
  const reports = await db.query<{ standing: string }>(
    'select standing from report where domain = $1 order by variant',
    [domain],
  )
  const totals = await db.query(
    'select trust, failed, reports from day_total where domain = $1 and reports > 0 order by trust',
    [domain],
  )
  const facts = await db.query<{ failed: bigint }>('select failed from policy where domain = $1 and counted and "primary" order by 1', [domain]) // prettier-ignore
  return { standings: reports.rows.map(({ standing }) => standing), totals: totals.rows, facts: facts.rows.map(({ failed }) => failed) } // prettier-ignore
}

test('an excluded report leaves every number, and comes back when the decision is taken back', async () => {
  const domain = newDomain()
  const key = await tell({ by: 'sender.example', domains: [domain] })
  const counted = await state(domain)
  assert.equal(await decide(key, 'exclude'), 'excluded')
  assert.deepEqual(await state(domain), { standings: ['excluded'], totals: [], facts: [] })
  assert.equal(await decide(key, 'exclude'), 'excluded')
  assert.equal(await decide(key, undefined), 'counted')
  assert.deepEqual(await state(domain), counted)
  assert.deepEqual(counted, {
    standings: ['counted'],
    totals: [{ trust: 'verified', failed: 10n, reports: 1n }],
    facts: [10n],
  })
})

test('an implausible report counts when the operator includes it', async () => {
  const domain = newDomain()
  const key = await tell({ by: 'sender.example', domains: [domain], failed: 2_000_000_000, implausible: true })
  assert.equal(await decide(key, 'include'), 'counted')
  assert.deepEqual((await state(domain)).totals, [{ trust: 'verified', failed: 2000000000n, reports: 1n }])
})

test('including one of two contested reports leaves the other out', async () => {
  const domain = newDomain()
  await tell({ domains: [domain] })
  const key = await tell({ domains: [domain], failed: 20 }, 1)
  assert.equal(await decide(key, 'include'), 'counted')
  assert.deepEqual(await state(domain), { standings: ['contested', 'counted'], totals: [{ trust: 'unverified', failed: 20n, reports: 1n }], facts: [20n] }) // prettier-ignore
})

test('excluding one of two contested reports lets the other count', async () => {
  const domain = newDomain()
  const key = await tell({ domains: [domain] })
  await tell({ domains: [domain], failed: 20 }, 1)
  assert.equal(await decide(key, 'exclude'), 'excluded')
  assert.deepEqual(await state(domain), { standings: ['excluded', 'counted'], totals: [{ trust: 'unverified', failed: 20n, reports: 1n }], facts: [20n] }) // prettier-ignore
})

test('a decision outlives what arrives later', async () => {
  const domain = newDomain()
  const key = await tell({ domains: [domain] })
  await decide(key, 'exclude')
  assert.equal(await tell({ by: 'sender.example', domains: [domain] }, 1), key)
  assert.deepEqual(await state(domain), { standings: ['excluded'], totals: [], facts: [] })
})

test('there is nothing to decide about a report that is not there', async () => {
  assert.equal(await decide(newKey(later(0)), 'include'), undefined)
})

test('nobody decides about a report of a domain that is not for him to see', async () => {
  const domain = newDomain()
  const key = await tell({ by: 'sender.example', domains: [domain] })
  assert.equal(await decide(key, 'exclude', ['other.example']), undefined)
  assert.deepEqual((await state(domain)).standings, ['counted'])
  assert.equal(await decide(key, 'exclude', [domain]), 'excluded')
})

test('who decided, when and why is kept, replaced by the next word, and goes with it', async () => {
  const domain = newDomain()
  const key = await tell({ by: 'sender.example', domains: [domain] })
  const decisionOf = async () => (await getReport(db, key, undefined))!.decision
  const first: Decision = { word: 'exclude', by: 'ann', at: later(60), reason: 'a test run' }
  const second: Decision = { word: 'exclude', by: 'ben', at: later(61), reason: null }
  assert.equal(await decisionOf(), null)
  for (const decision of [first, second]) {
    await decideReport(db, key, decision, undefined)
    assert.deepEqual(await decisionOf(), decision)
  }
  await decide(key, undefined)
  assert.equal(await decisionOf(), null)
})

const anyAct = fc.record({
  by: fc.constantFrom(undefined, 'r.example', 's.example'),
  failed: fc.constantFrom(10, 20, 2_000_000_000),
  decision: fc.constantFrom(undefined, 'include' as const, 'exclude' as const),
  pause: fc.boolean(),
})

test('whatever is decided while reports arrive, the totals are what the facts add up to', async () => {
  const other = makeRecorder(db, { limits, newKey })
  await fc.assert(
    fc.asyncProperty(fc.array(anyAct, { minLength: 2, maxLength: 8 }), async (acts) => {
      const domain = newDomain()
      const under = acts.map(async ({ by, failed, decision, pause }, second) => {
        const telling = { ...(by !== undefined && { by }), domains: [domain], failed, implausible: failed > 1e9 }
        const [outcome] = await (second % 2 ? recorder : other).record(arrival(telling, later(second)))
        assert.ok(outcome && 'reports' in outcome)
        if (pause) await decide(outcome.reports[0]!.key, decision)
      })
      await Promise.all(under)
      const torn = await db.query(
        `select from policy f full join report r on r.key = f.report_key
         where coalesce(r.domain, f.domain) = $1 and f.counted is distinct from r.counted`,
        [domain],
      )
      assert.equal(torn.rowCount, 0)
    }),
    { numRuns: 40 },
  )
  assert.deepEqual(await verifyDayTotals(db), [])
})

test('a total that is off is found', async () => {
  const domain = newDomain()
  await tell({ by: 'sender.example', domains: [domain] })
  await tell({ domains: [domain], day: '2026-02-27' })
  await db.query('update day_total set failed = failed + 1 where domain = $1 and day = $2', [domain, '2026-03-01'])
  await db.query('delete from day_total where domain = $1 and day = $2', [domain, '2026-02-27'])
  await db.query(`insert into day_total values ($1, '2026-02-28', 'verified', 1, 0, 1, 'sts', 0, 0, 1)`, [domain])
  const sts = { successful: 90n, failed: 10n, attributed: 11n, reports: 1n, failedOfType: 10n, policies: 1n }
  const tlsa = { successful: 0n, failed: 0n, attributed: 0n, reports: 0n, failedOfType: 0n, policies: 1n }
  const stray = { successful: 1n, failed: 0n, attributed: 0n, reports: 1n, failedOfType: 0n, policies: 1n }
  assert.deepEqual(await verifyDayTotals(db), [
    { domain, day: '2026-02-27', trust: 'unverified', policyType: 'sts', recorded: undefined, folded: sts },
    { domain, day: '2026-02-27', trust: 'unverified', policyType: 'tlsa', recorded: undefined, folded: tlsa },
    { domain, day: '2026-02-28', trust: 'verified', policyType: 'sts', recorded: stray, folded: undefined },
    { domain, day: '2026-03-01', trust: 'verified', policyType: 'sts', recorded: { ...sts, failed: 11n }, folded: sts },
    { domain, day: '2026-03-01', trust: 'verified', policyType: 'tlsa', recorded: { ...tlsa, failed: 1n }, folded: tlsa },
  ]) // prettier-ignore
})
