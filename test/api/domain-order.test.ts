import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { call, startApi, tokenFor } from '../support/api.ts'
import { freshDatabase } from '../support/database.ts'
import { aDetail, aPolicy, aReport, insertReports, type PolicyFact, type ReportFact } from '../support/rows.ts'

const own = (names: readonly string[]) =>
  names.map((name) => ({ domain: `${name}.example`, includeSubdomains: true, mx: [] }))

const said = (name: string, day: string, failed: bigint, given: Partial<ReportFact> = {}): ReportFact =>
  aReport({ domain: `${name}.example`, day, policies: [aPolicy({ failed })], ...given })
const unverified = { trust: 'unverified', reporter: null } as const
const ofType = (policyType: string, given: Partial<PolicyFact>) => aPolicy({ policyType, policyMode: null, ...given })

/** In the order of need, by the reports below, at noon of 21 November 2026. */
const inNeed = [
  ['twelve', 'failing'], // 12 sessions on the newest day.
  ['nine', 'failing'], // 9, which are more by the letter; a hundred on the day before.
  ['dane', 'failing'], // 6, of a policy type that is not the primary one.
  ['detailed', 'failing'], // 5, that only the details tell of.
  ['both-low', 'failing'], // 2 by verified reports; by others 900.
  ['equal-a', 'failing'], // 1 each.
  ['equal-b', 'failing'],
  ['web', 'failing'], // 1, by unverified reports alone.
  ['ended', 'silent'], // The last report four days ago.
  ['ended2', 'silent'], // Verified reports ended; others that fail go on.
  ['ended3', 'silent'], // Unverified ones on the first day of the window.
  ['never', 'no-reports'],
  ['older', 'silent'], // Before the window.
  ['both-fine', 'healthy'], // By verified reports; by others failing.
  ['fine', 'healthy'],
  ['late', 'healthy'], // The last report three days ago.
  ['older2', 'healthy'], // Verified ones before the window, others now.
  ['recovered', 'healthy'],
] as const

const names = inNeed.map(([name]) => name)
const { api, db, get, walk } = await startApi({ environment: own(names) })
await insertReports(db, [
  said('twelve', '2026-11-20', 12n),
  said('nine', '2026-11-19', 100n),
  said('nine', '2026-11-20', 9n),
  said('dane', '2026-11-20', 0n, { policies: [aPolicy(), ofType('tlsa', { primary: false, failed: 6n })] }),
  said('detailed', '2026-11-20', 0n, { policies: [aPolicy({ failed: 2n, details: [aDetail({ failed: 5n })] })] }),
  said('both-low', '2026-11-20', 2n),
  said('both-low', '2026-11-21', 900n, unverified),
  said('equal-a', '2026-11-18', 1n),
  said('equal-b', '2026-11-21', 1n),
  said('web', '2026-11-20', 1n, unverified),
  said('ended', '2026-11-17', 7n),
  said('ended2', '2026-10-30', 0n),
  said('ended2', '2026-11-20', 7n, unverified),
  said('ended3', '2026-10-23', 0n, unverified),
  said('older', '2026-10-22', 7n),
  said('both-fine', '2026-11-20', 0n),
  said('both-fine', '2026-11-20', 7n, unverified),
  said('fine', '2026-11-20', 0n),
  said('late', '2026-11-18', 0n),
  said('older2', '2026-10-01', 7n),
  said('older2', '2026-11-20', 0n, unverified),
  said('recovered', '2026-11-19', 50n),
  said('recovered', '2026-11-20', 0n),
])

const stated = (rows: Record<string, unknown>[]) =>
  rows.map((row) => [String(row['domain']).replace('.example', ''), row['state']])

test('in the order of need failing domains come first, those with most failures of their newest day, and healthy ones last', async () => {
  const { json } = await get('/v1/domains?order_by=need')
  assert.deepEqual(stated(json.data), inNeed)
})

test('pages in the order of need put together are all domains, each once, wherever they are cut', async () => {
  for (const limit of [1, 2, 5, 17, 18]) {
    assert.deepEqual(stated(await walk(`/v1/domains?order_by=need&limit=${limit}`)), inNeed, String(limit))
  }
})

test('names alone come in the same orders, pages and needs', async () => {
  const asked = async (rows: Promise<Record<string, unknown>[]>) =>
    (await rows).map(({ domain, need }) => [domain, need])
  const needed = inNeed.map(([name, state]) => [
    `${name}.example`,
    ['never', 'older'].includes(name) ? 'unheard' : state,
  ])
  assert.deepEqual(await asked(walk('/v1/domain-names?order_by=need')), needed)
  assert.deepEqual(await asked(walk('/v1/domain-names?order_by=need&limit=5')), needed)
  assert.deepEqual(await asked(walk('/v1/domain-names?limit=5')), names.toSorted().map((name) => [`${name}.example`, null])) // prettier-ignore
  const headers = await tokenFor(db, ['fine.example', 'web.example', 'other.example'])
  const { json } = await call(api, 'GET', '/v1/domain-names?order_by=need', { headers })
  assert.deepEqual(json.data, [{ domain: 'web.example', need: 'failing' }, { domain: 'fine.example', need: 'healthy' }]) // prettier-ignore
})

test('by name is what is answered unless need is asked for', async () => {
  const { json } = await get('/v1/domains')
  assert.deepEqual(stated(json.data).map(([name]) => name), names.toSorted()) // prettier-ignore
  assert.deepEqual((await get('/v1/domains?order_by=domain')).json, json)
})

test('in a window of the past the need is as it was then', async () => {
  const { json } = await get('/v1/domains?order_by=need&to=2026-11-20')
  assert.deepEqual(stated(json.data).slice(0, 3), [['nine', 'failing'], ['recovered', 'failing'], ['ended', 'failing']]) // prettier-ignore
  const { json: short } = await get('/v1/domains?order_by=need&from=2026-11-20&to=2026-11-21')
  assert.deepEqual(stated(short.data).slice(0, 4), [['twelve', 'failing'], ['nine', 'failing'], ['ended2', 'failing'], ['dane', 'failing']]) // prettier-ignore
})

test('a token of some domains has these in the order of need, and no other', async () => {
  const headers = await tokenFor(db, ['fine.example', 'ended.example', 'web.example', 'other.example'])
  const pages = async (url: string): Promise<unknown[][]> => {
    const { json } = await call(api, 'GET', url, { headers })
    const next = json.page.next_cursor
    return [...stated(json.data), ...(next ? await pages(`/v1/domains?order_by=need&limit=1&cursor=${next}`) : [])]
  }
  const expected = [['web', 'failing'], ['ended', 'silent'], ['fine', 'healthy']] // prettier-ignore
  assert.deepEqual(await pages('/v1/domains?order_by=need&limit=1'), expected)
})

test('under POLICY_DOMAINS=* what was reported on is in the order of need as well', async () => {
  const open = await startApi({ db, any: true })
  const { json } = await open.get('/v1/domains?order_by=need')
  const reported = inNeed.filter(([name]) => name !== 'never' && name !== 'older')
  assert.deepEqual(stated(json.data), reported)
})

test('there is no third order, and a cursor is good for its own one only', async () => {
  assert.equal((await get('/v1/domains?order_by=state')).json.errors?.[0]?.parameter, 'order_by')
  const { json } = await get('/v1/domains?order_by=need&limit=3')
  const { status, json: refusal } = await get(`/v1/domains?limit=3&cursor=${json.page.next_cursor!}`)
  assert.deepEqual([status, refusal.errors?.[0]?.parameter], [400, 'cursor'])
})

const anyReport = fc.record({
  day: fc.constantFrom('2026-10-22', '2026-10-23', '2026-11-16', '2026-11-17', '2026-11-18', '2026-11-20'),
  verified: fc.boolean(),
  standing: fc.constantFrom('counted', 'counted', 'counted', 'excluded'),
  /** The first one is primary. */
  policies: fc.array(
    fc.record({
      failed: fc.constantFrom(0n, 0n, 3n, 20n),
      details: fc.array(fc.record({ failed: fc.constantFrom(0n, 4n, 30n) }), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
})
type AnyReport = typeof anyReport extends fc.Arbitrary<infer Value> ? Value : never

const reportOf = (name: string, { day, verified, standing, policies }: AnyReport): ReportFact =>
  said(name, day, 0n, {
    ...(!verified && unverified),
    standing,
    policies: policies.map(({ failed, details }, i) =>
      ofType(['sts', 'tlsa'][i]!, { primary: i === 0, failed, details: details.map(aDetail) }),
    ),
  })

/** Many domains in a few worlds: to empty one takes longer than to ask of it. */
const someNames = Array.from({ length: 80 }, (_, i) => `d${i}`)
const aWorld = fc.tuple(...someNames.map(() => fc.array(anyReport, { maxLength: 6 })))

test('whatever was reported, the order of need and the states of the rows agree', async (t) => {
  const { db } = await freshDatabase(t)
  const { walk } = await startApi({ db, environment: own(someNames) })
  const rankOf = (row: Record<string, unknown>): number => {
    const side = (row['trust'] === 'unverified' ? row['unverified'] : row) as { last_report_day: string | null }
    const isOfWindow = side.last_report_day !== null && side.last_report_day >= '2026-10-23'
    return { failing: 0, silent: isOfWindow ? 1 : 2, 'no-reports': 2, healthy: 3 }[String(row['state'])]!
  }
  await fc.assert(
    fc.asyncProperty(aWorld, fc.integer({ min: 9, max: 81 }), async (world, limit) => {
      await db.query('truncate report, policy, failure_detail, day_total')
      await insertReports(db, world.flatMap((reports, i) => reports.map((report) => reportOf(`d${i}`, report)))) // prettier-ignore
      const rows = await walk(`/v1/domains?order_by=need&limit=${limit}`)
      const expected = rows.toSorted((a, b) => rankOf(a) - rankOf(b))
      assert.deepEqual(stated(rows), stated(expected))
      assert.deepEqual(stated(rows).map(([name]) => name).toSorted(), someNames.toSorted()) // prettier-ignore
      const byRank = Map.groupBy(rows, rankOf)
      byRank.delete(0)
      for (const alike of byRank.values()) {
        const names = alike.map((row) => String(row['domain']))
        assert.deepEqual(names, names.toSorted())
      }
    }),
    { numRuns: 8 },
  )
})
