import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { listCauses, worstCauses, type Cause, type CausePosition, type CausesQuestion } from '../../src/store/causes.ts'
import { freshDatabase } from '../support/database.ts'
import { aDetail, aPolicy, aReport, insertReports, type DetailFact, type ReportFact } from '../support/rows.ts'

const { db } = await freshDatabase()

async function tell(reports: readonly ReportFact[]): Promise<void> {
  await db.query('truncate report, policy, failure_detail, day_total')
  await insertReports(db, reports)
}

const november = { from: '2026-11-01', to: '2026-12-01' }
const all: CausesQuestion = { window: november, trust: 'verified', filters: {}, visible: undefined, limit: 500 }
const ask = async (question: Partial<CausesQuestion> = {}): Promise<Cause[]> =>
  (await listCauses(db, { ...all, ...question }, undefined)).map(({ cause }) => cause)

/** A report of a day with these failure details, or with none. */
const on = (day: string, details: DetailFact[] = [], given: Partial<ReportFact> = {}): ReportFact =>
  aReport({
    day,
    policies: [aPolicy({ failed: details.reduce((sum, { failed }) => sum + failed, 0n), details })],
    ...given,
  })

const nov = (day: number): string => `2026-11-${String(day).padStart(2, '0')}`

test('a cause has all that its failure details say', async () => {
  const reason = (failureReasonCode: string | null, failed: bigint) => aDetail({ failureReasonCode, failed })
  const enforced = aPolicy({ policyMode: 'enforce', failed: 3n, details: [reason('b', 2n), reason(null, 1n)] })
  await tell([
    on(nov(19), [reason('a', 5n), reason('b', 4n)]),
    aReport({ day: nov(20), reporter: 'other.example', policies: [enforced] }),
    on(nov(20), [reason('a', 100n)], { trust: 'unverified', organization: 'Forger' }),
  ])
  assert.deepEqual(await ask(), [
    {
      domain: 'ours.example',
      resultType: 'certificate-expired',
      receivingMxHostname: 'mx1.ours.example',
      trust: 'verified',
      failed: 12n,
      failedByPolicyType: { sts: 12n },
      reports: 2n,
      reporters: 2n,
      unverified: { failed: 100n, reports: 1n },
      sessions: 12n,
      reporterDomains: ['sender.example', 'other.example'],
      organizations: ['Forger'],
      reasonCodes: [
        { failureReasonCode: 'b', failed: 6n },
        { failureReasonCode: 'a', failed: 5n },
      ],
      policyTypes: ['sts'],
      policyModes: ['enforce', 'testing'],
      since: nov(19),
      until: nov(20),
      ongoing: true,
      firstSeen: nov(19),
      lastSeen: nov(20),
    },
  ])
})

test('a cause is of a domain, a result type and an MX, or of none', async () => {
  const details = [aDetail(), aDetail({ receivingMxHostname: null }), aDetail({ resultType: 'a\nb' }), aDetail({ resultType: 'a', receivingMxHostname: 'b\nmx1.ours.example' })] // prettier-ignore
  await tell([on(nov(20), details), on(nov(20), [aDetail()], { domain: 'b.example' })])
  const causes = await ask()
  assert.equal(causes.length, 5)
  for (const cause of causes) assert.equal(cause.failed, 3n)
})

test('what only a policy type tells that is not primary has its row, and is not in the sums', async () => {
  const tlsa = aPolicy({ policyType: 'tlsa', policyMode: null, primary: false, failed: 7n, details: [aDetail({ failed: 7n, failureReasonCode: 'x' })] }) // prettier-ignore
  await tell([aReport({ day: nov(20), policies: [aPolicy(), tlsa] })])
  const [cause] = await ask()
  assert.equal(cause!.failed, 0n)
  assert.equal(cause!.sessions, 7n)
  assert.deepEqual(cause!.failedByPolicyType, { tlsa: 7n })
  assert.deepEqual(cause!.policyTypes, ['tlsa'])
  assert.deepEqual(cause!.reasonCodes, [{ failureReasonCode: 'x', failed: 7n }])
})

test('no number adds up what two policy types of a report say of the same sessions', async () => {
  const details = (failed: bigint) => [aDetail({ failed, failureReasonCode: 'x' })]
  const sts = aPolicy({ failed: 5n, details: details(5n) })
  const tlsa = aPolicy({ policyType: 'tlsa', primary: false, failed: 4n, details: details(4n) })
  await tell([aReport({ day: nov(20), policies: [sts, tlsa] })])
  const [cause] = await ask()
  assert.deepEqual([cause!.failed, cause!.sessions, cause!.reports], [5n, 5n, 1n])
  assert.deepEqual(cause!.reasonCodes, [{ failureReasonCode: 'x', failed: 5n }])
  assert.deepEqual(cause!.failedByPolicyType, { sts: 5n, tlsa: 4n })
})

test('what nobody verified is told by the unverified, and called so', async () => {
  await tell([
    on(nov(19), [], { trust: 'unverified' }),
    on(nov(20), [aDetail({ failureReasonCode: 'x' })], { trust: 'unverified', organization: 'A' }),
    on(nov(21), []),
  ])
  const [cause] = await ask()
  assert.deepEqual([cause!.trust, cause!.failed, cause!.reports, cause!.reporters], ['unverified', 0n, 0n, 0n])
  assert.deepEqual(cause!.unverified, { failed: 3n, reports: 1n })
  assert.deepEqual([cause!.sessions, cause!.since, cause!.ongoing], [3n, nov(20), true])
  assert.deepEqual([cause!.organizations, cause!.reporterDomains], [['A'], []])
  assert.deepEqual(cause!.reasonCodes, [{ failureReasonCode: 'x', failed: 3n }])
  const [any] = await ask({ trust: 'any' })
  assert.deepEqual([any!.trust, any!.failed, any!.ongoing], ['any', 3n, false])
  const [alone] = await ask({ trust: 'unverified' })
  assert.deepEqual([alone!.trust, alone!.failed, alone!.ongoing], ['unverified', 3n, true])
})

test('asked for the unverified alone, what only verified reports tell is no row', async () => {
  await tell([on(nov(20), [aDetail()])])
  assert.deepEqual(await ask({ trust: 'unverified' }), [])
})

test('a run is broken by a day with a report and without the failure, and by no other', async () => {
  const failing = [1, 2, 5, 8, 9, 12].map((day) => on(nov(day), [aDetail()]))
  await tell([...failing, on(nov(6))])
  const [cause] = await ask()
  assert.deepEqual([cause!.since, cause!.until, cause!.ongoing], [nov(8), nov(12), true])
  await insertReports(db, [on(nov(13), [aDetail({ resultType: 'starttls-not-supported' })])])
  const past = (await ask()).find(({ resultType }) => resultType === 'certificate-expired')!
  assert.deepEqual([past.since, past.until, past.ongoing, past.firstSeen], [nov(8), nov(12), false, nov(1)])
})

test('a run that began before the window is followed there, up to a year', async () => {
  const days = (from: string, count: number) =>
    Array.from({ length: count }, (_, i) => new Date(Date.parse(from) + i * 86_400_000).toISOString().slice(0, 10))
  await tell([on('2026-06-09'), ...days('2026-06-10', 100).map((day) => on(day, [aDetail()])), ...[1, 2].map((day) => on(nov(day), [aDetail()]))]) // prettier-ignore
  assert.equal((await ask())[0]!.since, '2026-06-10', 'a gap of weeks without reports breaks nothing')
  assert.equal((await ask({ window: { from: '2026-06-01', to: '2026-12-01' } }))[0]!.since, '2026-06-10')
  await tell(days('2024-01-01', 1_060).map((day) => on(day, [aDetail()])))
  assert.equal((await ask())[0]!.since, '2025-10-31')
})

test('a run of one cause is not lengthened by another', async () => {
  const other = aDetail({ receivingMxHostname: 'mx2.ours.example' })
  await tell([on('2026-10-30', [other]), on('2026-10-31', [other, aDetail()]), on(nov(1), [other, aDetail()])])
  const since = new Map((await ask()).map((cause) => [cause.receivingMxHostname, cause.since]))
  assert.deepEqual(since, new Map([['mx1.ours.example', '2026-10-31'], ['mx2.ours.example', '2026-10-30']])) // prettier-ignore
})

test('what does not count, and a detail of no session, are no cause', async () => {
  await tell([on(nov(20), [aDetail({ failed: 0n })]), on(nov(20), [aDetail()], { standing: 'excluded' })])
  assert.deepEqual(await ask(), [])
})

test('the lists end, however many names strangers make up', async () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    on(nov(20), [aDetail({ failureReasonCode: `code ${i}`, failed: BigInt(i + 1) })], { reporter: `r${i}.example`, reportId: `id-${i}` }),
  ) // prettier-ignore
  const strangers = many.map((report, i) => ({ ...report, key: on(nov(20)).key, trust: 'unverified' as const, reporter: null, organization: `O${i}` })) // prettier-ignore
  await tell([...many, ...strangers])
  const [cause] = await ask()
  assert.equal(cause!.reporters, 30n)
  assert.deepEqual(
    cause!.reporterDomains,
    Array.from({ length: 10 }, (_, i) => `r${29 - i}.example`),
  )
  assert.deepEqual(
    cause!.organizations,
    Array.from({ length: 10 }, (_, i) => `O${29 - i}`),
  )
  assert.deepEqual(cause!.reasonCodes.map(({ failed }) => failed), [30n, 29n, 28n, 27n, 26n]) // prettier-ignore
})

test('the wall and the filters hold for all that is told of a cause', async () => {
  await tell([on(nov(20), [aDetail()]), on(nov(20), [aDetail(), aDetail({ receivingMxHostname: null })], { domain: 'b.example' })]) // prettier-ignore
  assert.deepEqual((await ask({ visible: ['b.example'] })).map(({ domain }) => domain), ['b.example', 'b.example']) // prettier-ignore
  assert.deepEqual(await ask({ visible: [] }), [])
  assert.deepEqual(await ask({ visible: ['b.example'], filters: { domain: ['ours.example'] } }), [])
  assert.equal((await ask({ filters: { receiving_mx_hostname: [null] } })).length, 1)
  assert.equal((await ask({ filters: { result_type: ['starttls-not-supported'] } })).length, 0)
})

test('the worst cause of a day is by what enforce refuses, and then by sessions on that day', async () => {
  const fetch = aDetail({ resultType: 'sts-policy-fetch-error', receivingMxHostname: null, failed: 90n })
  const own = aDetail({ resultType: 'made-up', failed: 80n })
  await tell([on(nov(10), [aDetail({ receivingMxHostname: 'mx9.ours.example', failed: 1_000n })]), on(nov(20), [fetch, own, aDetail()])]) // prettier-ignore
  const worst = async (day: string, trust: 'verified' | 'unverified' = 'verified') =>
    (await worstCauses(db, [{ domain: 'ours.example', day }], november, trust)).get('ours.example')
  assert.equal((await worst(nov(20)))?.receivingMxHostname, 'mx1.ours.example')
  assert.equal((await worst(nov(10)))?.failed, 1_000n)
  assert.equal(await worst(nov(11)), undefined)
  assert.equal(await worst(nov(20), 'unverified'), undefined)
})

// Random worlds against a plain reading of what a cause is.
const from = fc.constantFrom
const detail = fc.record({
  resultType: from('certificate-expired', 'sts-policy-invalid', 'made-up'),
  receivingMxHostname: from('mx1.example', 'mx2.example', null),
  failed: fc.bigInt(0n, 5n),
})
const report = fc
  .record({
    domain: from('a.example', 'b.example'),
    day: from('2026-10-20', '2026-10-31', ...[1, 2, 3, 4].map(nov)),
    reporter: from('one.example', 'two.example', null),
    standing: from('counted', 'counted', 'counted', 'conflict'),
    details: fc.array(detail.map(aDetail), { maxLength: 3 }),
  })
  .map(({ details, ...said }) => on(said.day, details, { ...said, trust: said.reporter === null ? 'unverified' : 'verified' })) // prettier-ignore

test('causes are what a plain reading of the reports finds, in the order that is promised, and pages are all of them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(report, { maxLength: 15 }),
      from('verified', 'unverified', 'any'),
      async (world, trust) => {
        await tell(world)
        const listed = await listCauses(db, { ...all, trust }, undefined)
        const plain = plainCauses(world, trust)
        assert.deepEqual(new Map(listed.map(({ cause }) => [keyOf(cause), plainOf(cause)])), plain)
        assert.deepEqual(listed.map(({ cause }) => rankOf(cause)), listed.map(({ cause }) => rankOf(cause)).sort(compareRanks)) // prettier-ignore
        const paged: Cause[] = []
        for (let after: CausePosition | undefined; ;) {
          const page = await listCauses(db, { ...all, trust, limit: 1 }, after)
          if (page.length === 0) break
          paged.push(page[0]!.cause)
          after = page[0]!.position
        }
        assert.deepEqual(paged, listed.map(({ cause }) => cause)) // prettier-ignore
      },
    ),
    { numRuns: 40 },
  )
})

const keyOf = (key: { domain: string; resultType: string; receivingMxHostname: string | null }): string =>
  [key.domain, key.resultType, key.receivingMxHostname ?? ''].join(' ')

const plainOf = ({ trust, failed, reports, reporters, unverified, since, until, ongoing }: Cause) => ({ trust, failed, reports, reporters, unverified, since, until, ongoing }) // prettier-ignore

function plainCauses(world: readonly ReportFact[], trust: 'verified' | 'unverified' | 'any') {
  const counted = world.filter(({ standing }) => standing === 'counted')
  const failures = counted.flatMap((said) =>
    said.policies.flatMap(({ details }) => details.filter(({ failed }) => failed > 0n).map((one) => ({ said, one }))),
  )
  const isMain = (said: ReportFact) => trust === 'any' || said.trust === trust
  const inWindow = ({ day }: ReportFact) => day >= november.from
  const shown = failures.filter(({ said }) => inWindow(said) && (trust !== 'unverified' || isMain(said)))
  const causes = Map.groupBy(shown, ({ said, one }) => keyOf({ domain: said.domain, ...one }))
  return new Map(
    [...causes].map(([key, found]) => {
      const sums = (isOf: (said: ReportFact) => boolean) => {
        const of = found.filter(({ said }) => isOf(said))
        const saying = new Set(of.map(({ said }) => said))
        const names = new Set([...saying].flatMap(({ reporter }) => reporter ?? []))
        return {
          failed: of.reduce((sum, { one }) => sum + one.failed, 0n),
          reports: BigInt(saying.size),
          reporters: BigInt(names.size),
        }
      }
      const told = found.some(({ said }) => isMain(said)) ? trust : 'unverified'
      const isTold = (said: ReportFact) => told === 'any' || said.trust === told
      const { domain } = found[0]!.said
      const days = [...new Set(counted.filter((said) => said.domain === domain && isTold(said)).map(({ day }) => day))].sort() // prettier-ignore
      const failing = new Set(failures.filter(({ said, one }) => isTold(said) && keyOf({ domain: said.domain, ...one }) === key).map(({ said }) => said.day)) // prettier-ignore
      const until = days.findLast((day) => failing.has(day))!
      const breaks = days.filter((day) => day < until && !failing.has(day))
      const since = days.find((day) => day > (breaks.at(-1) ?? ''))!
      const { failed, reports } = sums(({ trust }) => trust === 'unverified')
      const facts = { trust: told, ...sums(isMain), unverified: { failed, reports }, since, until, ongoing: until === days.at(-1) } // prettier-ignore
      return [key, facts]
    }),
  )
}

/** What is smaller comes first. */
const rankOf = (cause: Cause) => [
  Number(!cause.ongoing),
  Number(cause.resultType !== 'certificate-expired'),
  -Number(cause.failed),
  -Number(cause.unverified.failed),
]

const compareRanks = (a: number[], b: number[]): number => {
  const at = a.findIndex((value, i) => value !== b[i])
  return at === -1 ? 0 : a[at]! - b[at]!
}
