/** Claims to one identity, recorded in every order: the numbers and the facts under them must come out the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import { makeRecordBatch } from '../../src/store/record.ts'
import { makeRecorder, type Recorder } from '../../src/store/recorder.ts'
import { arrival, later, newKey } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'

const { db } = await freshDatabase()
const limits = { commitBatch: 3, commitQueue: 100, unverifiedReportsPerDomainAndDay: 1_000 }
const recorders = Array.from({ length: 3 }, () => makeRecorder(db, { limits, newKey }))

/** A claim that arrives `second` seconds after the first: who vouches for it, and what it says. */
type Told = { by: string | undefined; content: 'a' | 'b' | 'huge'; second: number }

const failed = { a: 10, b: 20, huge: 2_000_000_000 }
const tell = ({ by, content, second }: Told, domain: string) =>
  arrival(
    { ...(by !== undefined && { by }), domains: [domain], failed: failed[content], implausible: content === 'huge' },
    later(second),
  )

let domains = 0
const newDomain = () => `d${domains++}.example`

/** What anybody can be told about a domain, without keys, and without which of the claims came first. */
async function story(domain: string) {
  const ask = async (sql: string) =>
    (await db.query({ text: sql, values: [domain], rowMode: 'array' })).rows as unknown[][]
  return {
    totals: await ask(
      'select trust, successful, failed, reports from day_total where domain = $1 and reports > 0 order by trust',
    ),
    reports: await ask(
      `select trust, reporter, standing, counted, failed, arrived_at, transport from report where domain = $1
       order by failed, reporter`,
    ),
    policies: await ask(
      `select trust, reporter, transport, policy_type, "primary", successful, failed, attributed from policy
       where domain = $1 and counted order by reporter, policy_type`,
    ),
    details: await ask(
      `select trust, reporter, transport, policy_type, result_type, failed_session_count from failure_detail
       where domain = $1 and counted order by reporter, result_type`,
    ),
    // A fact counts if and only if its report does, and says the same about who told it.
    torn: await ask(
      `select f.seq from (select domain, report_key, seq, counted, trust, reporter, transport from policy
                          union all
                          select domain, report_key, seq, counted, trust, reporter, transport from failure_detail) f
       left join report r on r.key = f.report_key
       where f.domain = $1
         and (f.counted, f.trust, f.reporter, f.transport) is distinct from (r.counted, r.trust, r.reporter, r.transport)`,
    ),
  }
}

/** Design, Identity, in other words than the code's: for each counted report its reporter and its failed sessions. */
function expectation(told: Told[]): string[] {
  const inTime = told.toSorted((x, y) => x.second - y.second)
  const firstOf = new Map<string, Told>()
  for (const claim of inTime) if (claim.by !== undefined && !firstOf.has(claim.by)) firstOf.set(claim.by, claim)
  const contents = new Set(inTime.map(({ content }) => content))
  const standing = firstOf.size > 0 ? [...firstOf.values()] : contents.size === 1 ? inTime.slice(0, 1) : []
  return standing.filter(({ content }) => content !== 'huge').map(({ by, content }) => `${by ?? 'nobody'} ${failed[content]}`).sort() // prettier-ignore
}

async function counted(domain: string): Promise<string[]> {
  const { rows } = await db.query<{ by: string; failed: bigint }>(
    `select coalesce(reporter, 'nobody') as by, failed from report where domain = $1 and counted`,
    [domain],
  )
  return rows.map((row) => `${row.by} ${row.failed}`).sort()
}

function* permutations<T>(items: T[]): Generator<T[]> {
  if (items.length <= 1) yield items
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [item, ...rest]
  }
}

const unverified = (content: Told['content']) => ({ by: undefined, content })
const byR = (content: Told['content']) => ({ by: 'r.example', content })
const byS = (content: Told['content']) => ({ by: 's.example', content })

const sets = {
  'an unverified claim confirmed by one reporter': [unverified('a'), byR('a')],
  'a forged claim and the verified one': [unverified('b'), byR('a')],
  'the verified claim, a forged one and a copy': [byR('a'), unverified('b'), unverified('a')],
  'two unverified that disagree, and the verified one that settles it': [unverified('a'), unverified('b'), byR('a')],
  'one reporter who changes his mind, and a stranger': [byR('a'), byR('b'), unverified('b')],
  'two reporters with one content, after a stranger': [unverified('a'), byR('a'), byS('a')],
  'two reporters, one of whom contradicts himself': [unverified('a'), byR('a'), byR('b'), byS('a')],
  'strangers who disagree': [unverified('a'), unverified('b'), unverified('a')],
  'a count too large to believe, and what tries to take its place': [byR('huge'), unverified('a'), byS('b')],
}

for (const [name, claims] of Object.entries(sets)) {
  test(`every order ends in the same numbers: ${name}`, async () => {
    const told = claims.map((claim, second) => ({ ...claim, second }))
    const stories = []
    for (const order of permutations(told)) {
      const domain = newDomain()
      for (const claim of order) await recorders[0]!.record(tell(claim, domain))
      assert.deepEqual(await counted(domain), expectation(told), order.map(({ second }) => second).join())
      stories.push(await story(domain))
    }
    for (const each of stories) assert.deepEqual(each, stories[0])
    assert.deepEqual(stories[0]!.torn, [])
  })
}

test('one batch with all claims ends in the same numbers as one batch each', async () => {
  const recordBatch = makeRecordBatch(db, { newKey, unverifiedReportsPerDomainAndDay: 1_000 })
  for (const claims of Object.values(sets)) {
    const told = claims.map((claim, second) => ({ ...claim, second }))
    const [together, apart] = [newDomain(), newDomain()]
    await recordBatch(told.map((claim) => tell(claim, together)))
    for (const claim of told) await recordBatch([tell(claim, apart)])
    assert.deepEqual(await story(together), await story(apart))
    assert.deepEqual(await counted(together), expectation(told))
  }
})

/** Records in this order, by these recorders; `pause` after a claim lets all before it commit first. */
async function recordAll(order: { told: Told; recorder: number; pause: boolean }[], domain: string): Promise<void> {
  const under: Promise<unknown>[] = []
  for (const { told, recorder, pause } of order) {
    under.push((recorders[recorder] as Recorder).record(tell(told, domain)))
    if (pause) await Promise.all(under)
  }
  await Promise.all(under)
}

const anyTold = fc.record({ by: fc.constantFrom(undefined, 'r.example', 's.example'), content: fc.constantFrom('a' as const, 'b' as const, 'huge' as const) }) // prettier-ignore
const anyWay = fc.array(fc.record({ rank: fc.nat(), recorder: fc.nat(2), pause: fc.boolean() }), { minLength: 8, maxLength: 8 }) // prettier-ignore

test('any claims by any number of instances in any order end in the same numbers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyTold, { minLength: 1, maxLength: 8 }), anyWay, anyWay, async (drawn, one, other) => {
      const told = drawn.map((claim, second) => ({ ...claim, second }))
      const stories = []
      for (const way of [one, other]) {
        const domain = newDomain()
        const order = told.map((claim, i) => ({ told: claim, ...way[i]! })).sort((x, y) => x.rank - y.rank)
        await recordAll(order, domain)
        assert.deepEqual(await counted(domain), expectation(told))
        stories.push(await story(domain))
      }
      assert.deepEqual(stories[0], stories[1])
      assert.deepEqual(stories[0]!.torn, [])
    }),
    { numRuns: 60 },
  )
  assert.deepEqual(await verifyDayTotals(db), [])
})
