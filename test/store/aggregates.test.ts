import assert from 'node:assert/strict'
import { BlockList, isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  orderableNames,
  summarize,
  timeseries,
  type Counts,
  type Numbers,
  type OrderColumn,
  type SummaryQuestion,
} from '../../src/store/aggregates.ts'
import { listFailures, type FailurePosition } from '../../src/store/failures.ts'
import {
  dimensionNames,
  intervals,
  isDetailDimension,
  type Dimension,
  type Filters,
  type Question,
} from '../../src/store/question.ts'
import { freshDatabase } from '../support/database.ts'
import {
  aDetail,
  aPolicy,
  aReport,
  insertReports,
  type DetailFact,
  type PolicyFact,
  type ReportFact,
} from '../support/rows.ts'

const { db } = await freshDatabase()

async function tell(reports: readonly ReportFact[]): Promise<void> {
  await db.query('truncate report, policy, failure_detail, day_total')
  await insertReports(db, reports)
}

const november = { from: '2026-11-01', to: '2026-12-01' }
const all: Question = { window: november, trust: 'verified', filters: {}, visible: undefined }
const byFailures = { orderBy: { column: 'failed', descending: true }, limit: 500, offset: 0 } as const
const ask = (question: Partial<SummaryQuestion>) => summarize(db, { ...all, ...byFailures, groupBy: [], ...question })

test('the sessions of one report are counted once, however many policy types describe them', async () => {
  const sts = aPolicy({ successful: 90n, failed: 10n, details: [aDetail({ failed: 7n })] })
  const tlsa = aPolicy({ policyType: 'tlsa', policyMode: null, primary: false, successful: 60n, failed: 40n })
  await tell([aReport({ policies: [sts, tlsa] })])

  const { rows, totals } = await ask({ groupBy: ['domain'] })
  assert.equal(rows.length, 1)
  assert.deepEqual(rows[0]!.group, { domain: 'ours.example' })
  assert.deepEqual(rows[0]!.numbers, totals)
  assert.deepEqual(totals, {
    successful: 90n,
    failed: 10n,
    failureRate: 0.1,
    failedByPolicyType: { sts: 10n, tlsa: 40n },
    unattributedFailed: 3n,
    reports: 1n,
    reporters: 1n,
    firstSeen: '2026-11-20',
    lastSeen: '2026-11-20',
    unverified: { successful: 0n, failed: 0n, reports: 0n },
  })
  const byType = await ask({ groupBy: ['policy_type'] })
  assert.deepEqual(
    byType.rows.map((row) => [row.group.policy_type, row.numbers.successful, row.numbers.failed]),
    [
      ['tlsa', 60n, 40n],
      ['sts', 90n, 10n],
    ],
  )
  assert.equal(byType.totals.failed, 10n)
  assert.equal((await ask({ filters: { policy_type: ['tlsa'] } })).totals.failed, 40n)
  assert.equal((await ask({ filters: { policy_type: ['tlsa', 'sts'] } })).totals.failed, 10n)
})

test('a policy domain that only a non-primary policy speaks of has its row', async () => {
  const mine = aPolicy({ failed: 1n })
  const mx = aPolicy({ policyType: 'tlsa', policyDomain: 'mx.host.example', primary: false, failed: 5n })
  await tell([aReport({ policies: [mine, mx] })])
  const { rows } = await ask({ groupBy: ['policy_domain'] })
  assert.deepEqual(
    rows.map((row) => [row.group.policy_domain, row.numbers.failed, row.numbers.failedByPolicyType]),
    [
      ['ours.example', 1n, { sts: 1n }],
      ['mx.host.example', 0n, { tlsa: 5n }],
    ],
  )
})

test('a sender may call a policy type what he likes', async () => {
  const odd = ['constructor', '__proto__', 'toString', '', 'type', "'"].map((policyType, i) =>
    aPolicy({ policyType, primary: i === 0, failed: 2n }),
  )
  await tell([aReport({ policies: [...odd, ...odd] })])
  const { totals } = await ask({ groupBy: ['policy_type'] })
  assert.deepEqual(
    new Map(Object.entries(totals.failedByPolicyType)),
    new Map(odd.map(({ policyType }) => [policyType, 4n])),
  )
})

test('what nobody verified stands beside every number and moves none of them', async () => {
  const forged = aReport({
    trust: 'unverified',
    day: '2026-11-02',
    policies: [aPolicy({ policyType: 'tlsa', failed: 1000n })],
  })
  await tell([aReport({ policies: [aPolicy({ failed: 2n })] })])
  const before = await ask({ groupBy: ['domain'] })
  await insertReports(db, [forged])
  const after = await ask({ groupBy: ['domain'] })
  const unverified = { successful: 10n, failed: 1000n, reports: 1n }
  assert.deepEqual(
    after.rows,
    before.rows.map((row) => ({ ...row, numbers: { ...row.numbers, unverified } })),
  )
  assert.equal((await ask({ trust: 'any' })).totals.failed, 1002n)
  assert.equal((await ask({ trust: 'unverified' })).totals.failed, 1000n)
})

test('sums beyond 2^63 are exact', async () => {
  const huge = BigInt(Number.MAX_SAFE_INTEGER)
  const policies = [aPolicy({ successful: huge, failed: huge, details: [aDetail({ failed: huge })] })]
  await tell(Array.from({ length: 2_000 }, (_, i) => aReport({ day: `2026-11-2${i % 4}`, policies })))
  const { totals } = await ask({})
  assert.equal(totals.successful, 2_000n * huge)
  assert.equal(totals.failedByPolicyType['sts'], 2_000n * huge)
  assert.equal((await ask({ filters: { organization: ['Sender'] } })).totals.successful, 2_000n * huge)
  assert.equal((await ask({ groupBy: ['result_type'] })).rows[0]!.numbers.failed, 2_000n * huge)
  const [month] = await timeseries(db, { ...all, interval: 'month', splitBy: undefined, maxRows: 10 })
  assert.equal(month!.failed, 2_000n * huge)
})

test('reporters are counted, however many there are', async () => {
  const details = [aDetail({ receivingMxHostname: 'mx1.example' }), aDetail({ receivingMxHostname: 'mx2.example' })]
  const report = (i: number, day: string) =>
    aReport({ reporter: `reporter${i}.example`, day, policies: [aPolicy({ details: details.slice(i % 2) })] })
  await tell(Array.from({ length: 300 }, (_, i) => report(i % 150, `2026-11-0${1 + Math.floor(i / 150)}`)))
  const { rows, totals } = await ask({ groupBy: ['receiving_mx_hostname'], filters: { domain: ['ours.example'] } })
  assert.deepEqual(
    rows.map(({ group, numbers }) => [group.receiving_mx_hostname, numbers.reports, numbers.reporters]),
    [
      ['mx2.example', 300n, 150n],
      ['mx1.example', 150n, 75n],
    ],
  )
  assert.deepEqual([totals.reports, totals.reporters], [300n, 150n])
})

test('a report with two of the values that are asked for is one in the totals', async () => {
  const mx = ['mx1.example', 'mx2.example']
  const details = mx.map((receivingMxHostname) => aDetail({ receivingMxHostname, failed: 3n }))
  await tell([aReport({ policies: [aPolicy({ failed: 6n, details })] })])
  const { rows, totals } = await ask({ groupBy: ['receiving_mx_hostname'], filters: { receiving_mx_hostname: mx } })
  assert.deepEqual(
    rows.map(({ numbers }) => [numbers.failed, numbers.reports]),
    [
      [3n, 1n],
      [3n, 1n],
    ],
  )
  assert.deepEqual([totals.failed, totals.reports, totals.reporters], [6n, 1n, 1n])
})

// The same answers by plain loops over the facts. Small vocabularies, so that groups and filters meet.
const days = ['2026-10-31', '2026-11-01', '2026-11-02', '2026-11-08', '2026-11-09', '2026-11-30', '2026-12-01']
const vocabulary: { [D in Dimension]: (string | null)[] } = {
  domain: ['ours.example', 'too.example'],
  policy_domain: ['ours.example', 'mx.host.example'],
  policy_type: ['sts', 'tlsa', 'no-policy-found'],
  policy_mode: ['enforce', 'testing', null],
  organization: ['Sender', 'sender', null],
  reporter: ['a.example', 'b.example', null],
  trust: ['verified', 'unverified'],
  transport: ['smtp', 'https'],
  day: days,
  week: ['2026-10-26', '2026-11-02', '2026-11-30'],
  month: ['2026-10-01', '2026-11-01', '2026-12-01'],
  result_type: ['certificate-expired', 'starttls-not-supported'],
  receiving_mx_hostname: ['mx1.example', 'mx2.example', null],
  sending_mta_ip: ['192.0.2.1', '192.0.2.200', '2001:db8::1', null],
  receiving_ip: ['198.51.100.1', null],
  failure_reason_code: ['x', null],
}
const some = (name: Dimension) => fc.constantFrom(...vocabulary[name])
const word = (name: Dimension) => some(name).map((value) => value!)
const count = fc.oneof(fc.constant(0n), fc.bigInt(1n, 20n), fc.constant(2n ** 53n - 1n))

const detailFact: fc.Arbitrary<DetailFact> = fc.record({
  resultType: word('result_type'),
  sendingMtaIp: some('sending_mta_ip'),
  receivingMxHostname: some('receiving_mx_hostname'),
  receivingIp: some('receiving_ip'),
  failureReasonCode: some('failure_reason_code'),
  failed: count,
})
const policyFact: fc.Arbitrary<PolicyFact> = fc.record({
  policyDomain: word('policy_domain'),
  policyType: word('policy_type'),
  policyMode: some('policy_mode'),
  primary: fc.constant(false),
  successful: count,
  failed: count,
  details: fc.array(detailFact, { maxLength: 3 }),
})
const reportFact: fc.Arbitrary<ReportFact> = fc
  .record({
    domain: word('domain'),
    day: word('day'),
    trust: fc.constantFrom('verified', 'unverified'),
    reporter: fc.constantFrom('a.example', 'b.example'),
    organization: some('organization'),
    transport: fc.constantFrom('smtp', 'https'),
    standing: fc.constantFrom('counted', 'counted', 'counted', 'superseded'),
    policies: fc.array(policyFact, { minLength: 1, maxLength: 4 }),
  })
  .map((given) => {
    const primaryType = given.policies[0]!.policyType
    const policies = given.policies.map((policy) => ({ ...policy, primary: policy.policyType === primaryType }))
    return aReport({
      ...given,
      policies,
      reporter: given.trust === 'verified' ? given.reporter : null,
    })
  })

const ranges = ['192.0.2.0/24', '192.0.2.1', '2001:db8::/32', '::/0', null]
const filterValues = (name: Dimension) =>
  fc.uniqueArray(fc.constantFrom(...(name === 'sending_mta_ip' ? ranges : vocabulary[name])), {
    minLength: 1,
    maxLength: 2,
  })
const filters: fc.Arbitrary<Filters> = fc
  .uniqueArray(fc.constantFrom(...dimensionNames), { maxLength: 2 })
  .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, filterValues(name)]))))
const question: fc.Arbitrary<Question> = fc.record({
  window: fc.constantFrom(november, { from: '2026-11-02', to: '2026-11-09' }, { from: '2026-10-01', to: '2027-01-01' }),
  trust: fc.constantFrom('verified', 'unverified', 'any'),
  filters,
  visible: fc.constantFrom(undefined, undefined, ['ours.example'], ['too.example', 'none.example'], []),
})

type Fact = { report: ReportFact; policy: PolicyFact; detail?: DetailFact }

function valueOf(name: Dimension, { report, policy, detail }: Fact): string | null {
  switch (name) {
    case 'domain':
    case 'day':
    case 'reporter':
    case 'organization':
    case 'trust':
    case 'transport':
      return report[name]
    case 'week': {
      const date = new Date(report.day)
      date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
      return date.toISOString().slice(0, 10)
    }
    case 'month':
      return `${report.day.slice(0, 7)}-01`
    case 'policy_domain':
      return policy.policyDomain
    case 'policy_type':
      return policy.policyType
    case 'policy_mode':
      return policy.policyMode
    case 'result_type':
      return detail!.resultType
    case 'receiving_mx_hostname':
      return detail!.receivingMxHostname
    case 'sending_mta_ip':
      return detail!.sendingMtaIp
    case 'receiving_ip':
      return detail!.receivingIp
    case 'failure_reason_code':
      return detail!.failureReasonCode
  }
}

function isIn(range: string, address: string): boolean {
  const list = new BlockList()
  const [network, bits] = range.split('/')
  const family = isIPv6(network!) ? 'ipv6' : 'ipv4'
  if (isIPv6(address) !== (family === 'ipv6')) return false // '::/0' is not everything in IPv4.
  list.addSubnet(network!, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  return list.check(address, family)
}

function passes({ window, filters, visible }: Question, fact: Fact): boolean {
  if (visible && !visible.includes(fact.report.domain)) return false
  if (fact.report.standing !== 'counted' || fact.report.day < window.from || fact.report.day >= window.to) return false
  return Object.entries(filters).every(([name, values]) => {
    const value = valueOf(name as Dimension, fact)
    const isAddress = name === 'sending_mta_ip' || name === 'receiving_ip'
    return values.some((wanted) =>
      wanted === null || value === null || !isAddress ? wanted === value : isIn(wanted, value),
    )
  })
}

/** Facts that pass, in the groups they fall into. */
function grouped(world: readonly ReportFact[], asked: Question, groupBy: readonly Dimension[]): Map<string, Fact[]> {
  const detailed = [...groupBy, ...(Object.keys(asked.filters) as Dimension[])].some(isDetailDimension)
  const facts = world.flatMap((report) =>
    report.policies.flatMap((policy): Fact[] =>
      detailed ? policy.details.map((detail) => ({ report, policy, detail })) : [{ report, policy }],
    ),
  )
  const passing = facts.filter(
    (fact) => passes(asked, fact) && (asked.trust !== 'unverified' || fact.report.trust === 'unverified'),
  )
  return Map.groupBy(passing, (fact) => JSON.stringify(groupBy.map((name) => valueOf(name, fact))))
}

function numbersOf(facts: readonly Fact[], asked: Question, groupBy: readonly Dimension[]): Numbers {
  const detailed = [...groupBy, ...(Object.keys(asked.filters) as Dimension[])].some(isDetailDimension)
  const oneType = groupBy.includes('policy_type') || asked.filters.policy_type?.length === 1
  const main = facts.filter(({ report }) => asked.trust === 'any' || report.trust === asked.trust)
  const unverified = facts.filter(({ report }) => report.trust === 'unverified')
  const counting = (some: readonly Fact[]) => some.filter(({ policy }) => oneType || policy.primary)
  const failed = (some: readonly Fact[]) =>
    some.reduce((sum, { policy, detail }) => sum + (detail ?? policy).failed, 0n)
  const successful = (some: readonly Fact[]) =>
    detailed ? null : some.reduce((sum, { policy }) => sum + policy.successful, 0n)
  const reports = (some: readonly Fact[]) => BigInt(new Set(some.map(({ report }) => report.key)).size)
  const seen = main.map(({ report }) => report.day).sort()
  const attributed = counting(main)
    .flatMap(({ policy }) => policy.details)
    .reduce((sum, detail) => sum + detail.failed, 0n)
  const sessions = (successful(counting(main)) ?? 0n) + failed(counting(main))
  return {
    successful: successful(counting(main)),
    failed: failed(counting(main)),
    failureRate: detailed || sessions === 0n ? null : Number(failed(counting(main))) / Number(sessions),
    failedByPolicyType: Object.fromEntries(
      [...Map.groupBy(main, ({ policy }) => policy.policyType)].map(([type, some]) => [type, failed(some)]),
    ),
    unattributedFailed: detailed ? null : failed(counting(main)) - attributed,
    reports: reports(main),
    reporters: BigInt(new Set(main.flatMap(({ report }) => report.reporter ?? [])).size),
    firstSeen: seen[0] ?? null,
    lastSeen: seen.at(-1) ?? null,
    unverified: {
      successful: successful(counting(unverified)),
      failed: failed(counting(unverified)),
      reports: reports(unverified),
    },
  }
}

const groupBys = fc.uniqueArray(fc.constantFrom(...dimensionNames), { maxLength: 4 })
const worlds = fc.array(reportFact, { maxLength: 12 })
const runs = { numRuns: 40 }
const questionsAWorld = 12

test('a summary is the fold of the facts, for any grouping, filter and trust', async () => {
  const asked = fc.array(fc.tuple(question, groupBys), { minLength: questionsAWorld, maxLength: questionsAWorld })
  await fc.assert(
    fc.asyncProperty(worlds, asked, async (world, questions) => {
      await tell(world)
      for (const [question, groupBy] of questions) {
        const answer = await ask({ ...question, groupBy })
        const expected = [...grouped(world, question, groupBy)].map(
          ([group, facts]) => [group, numbersOf(facts, question, groupBy)] as const,
        )
        const told = answer.rows.map(
          ({ group, numbers }) => [JSON.stringify(groupBy.map((name) => group[name])), numbers] as const,
        )
        assert.deepEqual(new Map(told), new Map(expected))
        const whole = grouped(world, question, []).get('[]') ?? []
        assert.deepEqual(answer.totals, numbersOf(whole, question, []))
      }
    }),
    runs,
  )
})

test('a time series is the fold of the facts, from the facts and from the day totals alike', async () => {
  const split = fc.option(fc.constantFrom(...dimensionNames), { nil: undefined })
  const byDomain = filterValues('domain').map((domain) => ({ domain }))
  const asked = fc.record({
    question,
    interval: fc.constantFrom(...intervals),
    splitBy: split,
    byDomain: fc.option(byDomain),
  })
  await fc.assert(
    fc.asyncProperty(
      worlds,
      fc.array(asked, { minLength: questionsAWorld, maxLength: questionsAWorld }),
      async (world, questions) => {
        await tell(world)
        for (const { question, interval, splitBy, byDomain } of questions) {
          const about = { ...question, filters: byDomain ?? question.filters }
          const groupBy = splitBy === undefined ? [interval] : [interval, splitBy]
          const expected = [...grouped(world, about, groupBy)].map(([group, facts]): [string, Counts] => {
            const { successful, failed, reports, unverified } = numbersOf(facts, about, groupBy)
            return [group, { successful, failed, reports, unverified }]
          })
          const rows = await timeseries(db, { ...about, interval, splitBy, maxRows: 1_000 })
          const told = rows.map(
            ({ bucket, split, ...counts }) =>
              [JSON.stringify(splitBy === undefined ? [bucket] : [bucket, split]), counts] as const,
          )
          assert.deepEqual(new Map(told), new Map(expected))
          assert.deepEqual(
            rows.map((row) => row.bucket),
            rows.map((row) => row.bucket).sort(),
          )
        }
      },
    ),
    runs,
  )
})

test('pages of a summary, put together, are the whole in its order', async () => {
  const order = fc.record({ column: fc.constantFrom(...orderableNames), descending: fc.boolean() })
  const groupBy: Dimension[] = ['day', 'policy_domain', 'policy_mode']
  await fc.assert(
    fc.asyncProperty(
      fc.array(reportFact, { minLength: 8, maxLength: 20 }),
      order,
      fc.integer({ min: 1, max: 5 }),
      async (world, orderBy, limit) => {
        await tell(world)
        const whole = await ask({ groupBy, orderBy })
        const paged = []
        for (let offset = 0; ; offset += limit) {
          const { rows } = await ask({ groupBy, orderBy, limit, offset })
          paged.push(...rows.slice(0, limit))
          if (rows.length <= limit) break
        }
        assert.deepEqual(paged, whole.rows)
        const keys = whole.rows.map(({ numbers }) => orderKey(orderBy.column, numbers))
        const known = keys.filter((key) => key !== null) // Absent ones come last, whatever the direction.
        assert.deepEqual(
          keys.slice(known.length).filter((key) => key !== null),
          [],
        )
        assert.deepEqual(
          known,
          [...known].sort((a, b) => (a === b ? 0 : a < b === orderBy.descending ? 1 : -1)),
        )
      },
    ),
    { numRuns: 25 },
  )
})

const orderKey = (column: OrderColumn, numbers: Numbers) =>
  numbers[column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) as 'successful']

test('pages of failures, put together, are the passing details, newest day first', async () => {
  await fc.assert(
    fc.asyncProperty(worlds, question, fc.integer({ min: 1, max: 7 }), async (world, asked, limit) => {
      await tell(world)
      const expected = world.flatMap((report) =>
        report.policies.flatMap((policy, policySeq) =>
          policy.details.flatMap((detail, seq) => {
            const shown =
              passes(asked, { report, policy, detail }) && (asked.trust === 'any' || report.trust === asked.trust)
            return shown ? [{ day: report.day, key: `${report.key}.${policySeq}.${seq}`, failed: detail.failed }] : []
          }),
        ),
      )
      const told = []
      let after: FailurePosition | undefined
      do {
        const page = await listFailures(db, { ...asked, reportKeys: undefined, limit }, after)
        told.push(
          ...page.map(({ failure }) => ({ day: failure.day, key: failure.key, failed: failure.failedSessionCount })),
        )
        after = page.at(-1)?.position
      } while (after)
      assert.deepEqual(
        told,
        expected.sort((a, b) => (a.day === b.day ? (a.key < b.key ? -1 : 1) : a.day > b.day ? -1 : 1)),
      )
    }),
    { numRuns: 40 },
  )
})
