/**
 * A small real world: one invented week of three domains, told by five senders over both transports, with retries, copies,
 * late arrivals, a liar and a stranger. In whatever order it arrives, every number of the API is that of the ledger.
 */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { createTransport } from 'nodemailer'
import { createToken } from '../../src/store/tokens.ts'
import { ruaAddress, runService, type RunningService } from '../support/running-service.ts'
import { planWeek, shuffle, type Delivery, type Week } from './deliveries.ts'
import { days, ourDomains, seeded, simulateWeek } from './ledger.ts'
import { relayTo, startPostfix, whyNoPostfix } from '../support/postfix.ts'
import { reportsOf, zone } from './senders.ts'
import { failureMembers, failuresOf, summaryOf, timeseriesOf, type Question, type Row, type Trust } from './truth.ts'

const ledger = simulateWeek(8460)
const week = planWeek(reportsOf(ledger))
const noPostfix = await whyNoPostfix()

const resultTypes = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
]

test('the week has everything in it that it is to show', () => {
  const genuine = week.told.filter(({ report }) => report.sender !== 'stranger')
  const details = genuine.flatMap(({ report }) =>
    report.sessions.flatMap((s) => s.judgements.flatMap((j) => j.details)),
  )
  assert.deepEqual([...new Set(details.map(({ resultType }) => resultType))].sort(), resultTypes.sort())
  for (const domain of ['alpha.example', 'dane.example']) {
    const of = genuine.filter(({ report }) => report.about === domain)
    assert.ok(of.some(({ trust }) => trust === 'verified') && of.some(({ trust }) => trust === 'unverified'), domain)
  }
  assert.ok(
    genuine.some(({ report }) => report.part === 2),
    'a second report of one day',
  )
  assert.ok(
    genuine.some(({ counted }) => !counted),
    'a report that a forgery contests',
  )
  assert.ok(week.ofTheLiar.length > 0 && week.ofTheStranger.length > 0)
})

test('the stranger comes first, everybody else in order', async (t) => {
  const { ofTheStranger, ofTheLiar, genuine } = week
  await live(t, [...ofTheStranger, ...ofTheLiar, ...genuine])
})

test('everything in any order, several at a time', (t) => live(t, arrivals(1), { atOnce: 4 }))

test('the stranger comes last', (t) =>
  live(t, [...shuffle([...week.ofTheLiar, ...week.genuine], seeded(2)), ...week.ofTheStranger]))

test(`the mails come through ${noPostfix === undefined ? 'postfix' : `no postfix (${noPostfix}): they were sent directly`}`, (t) =>
  live(t, arrivals(3), { atOnce: 4, relayed: noPostfix === undefined }))

function arrivals(seed: number): Delivery[] {
  return shuffle([...week.ofTheStranger, ...week.ofTheLiar, ...week.genuine], seeded(seed))
}

/** Has the week arrive in this order, and compares every answer with the ledger. */
async function live(t: TestContext, order: Delivery[], { atOnce = 1, relayed = false } = {}): Promise<void> {
  let now = new Date('2026-11-04T06:00:00Z')
  const env = relayed ? { SMTP_RELAYS: '127.0.0.1' } : {}
  const service = await runService({ zone, now: () => now, env }, t)
  const correspondent = await meet(t, service, relayed)

  const waiting = order.entries()
  const carry = async () => {
    for (const [i, delivery] of waiting) {
      // The last ones are weeks late, as Microsoft's were.
      now = new Date(now.getTime() + (i === Math.floor(order.length * 0.9) ? 24 * 24 : 0.2) * 3_600_000)
      await correspondent(delivery)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, carry))
  await waitForMails(service, order.filter(({ by }) => by === 'mail').length)

  await compareVerdicts(service, week)
  for (const question of questions) await compareSummary(service, week, question)
  await compareTimeseries(service, week)
  await compareFailures(service, week)
  await compareDomains(service, week)
}

/** Domains, their hosts and their tokens; answers the way in for a delivery. */
async function meet(
  t: TestContext,
  service: RunningService,
  relayed: boolean,
): Promise<(delivery: Delivery) => Promise<void>> {
  const tokens = new Map<string, string>()
  for (const domain of ourDomains) {
    await service.put(
      `/v1/domains/${domain}`,
      domain === 'dane.example' ? { mx: ['mx1.hoster.example', 'mx2.hoster.example'] } : {},
    )
    const token = randomBytes(32).toString('base64url')
    tokens.set(domain, token)
    await createToken(service.database.db, { name: domain, scopes: ['ingest'], domains: [domain] }, randomUUID(), token)
  }
  const relay = relayed ? await startPostfix(relayTo(service.ports.smtp)) : undefined
  const smtp = relay && createTransport({ host: '127.0.0.1', port: relay.port, pool: true, ignoreTLS: true })
  t.after(async () => {
    smtp?.close()
    await relay?.stop()
  })
  return async (delivery) => {
    if (delivery.by === 'https') {
      const { status } = await service.post(delivery.body, {}, `/v1/tlsrpt/${tokens.get(delivery.domain)!}`)
      assert.equal(status, 200)
    } else if (smtp) {
      await smtp.sendMail({ envelope: { from: '', to: ruaAddress }, raw: delivery.raw })
    } else {
      const { text } = await service.sendMail(delivery.raw)
      assert.match(text, week.ofTheLiar.includes(delivery) ? /^550 5\.7\.22 / : /^250 2\.6\.0 /)
    }
  }
}

type Page<T> = { data: T[]; page: { next_cursor: string | null } }

async function readAll<T>({ get }: RunningService, path: string): Promise<T[]> {
  const rows: T[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { data, page }: Page<T> = await get(cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`)
    rows.push(...data)
    cursor = page.next_cursor
  }
  return rows
}

const ofAllTime = 'from=2026-10-01&to=2027-01-01&limit=500'

/** Postfix says yes before we do. */
async function waitForMails(service: RunningService, count: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const mails = await readAll(service, `/v1/submissions?transport=smtp&${ofAllTime}`)
    if (mails.length === count) return
    assert.ok(tries < 150, `${mails.length} of ${count} mails have come`)
    await sleep(100)
  }
}

async function compareVerdicts(service: RunningService, { genuine, ofTheLiar, ofTheStranger }: Week): Promise<void> {
  const submissions = await readAll<{ verdict: string; reason: string | null }>(service, `/v1/submissions?${ofAllTime}`)
  const refused = submissions.filter(({ verdict }) => verdict === 'unauthenticated')
  assert.equal(submissions.length, genuine.length + ofTheLiar.length + ofTheStranger.length)
  assert.equal(refused.length, ofTheLiar.length)
  assert.ok(refused.every(({ reason }) => reason === 'signature-not-aligned'))
  const others = submissions.filter((submission) => !refused.includes(submission))
  assert.deepEqual([...new Set(others.map(({ verdict }) => verdict))].sort(), ['accepted', 'conflict', 'duplicate'])
}

const trusts: Trust[] = ['verified', 'unverified', 'any']

const groupings = [
  [],
  ['domain'],
  ['day'],
  ['week'],
  ['month'],
  ['result_type'],
  ['receiving_mx_hostname'],
  ['policy_type'],
  ['policy_mode'],
  ['policy_domain'],
  ['reporter'],
  ['organization'],
  ['sending_mta_ip'],
  ['receiving_ip'],
  ['failure_reason_code'],
  ['trust'],
  ['transport'],
  ['day', 'domain'],
  ['domain', 'policy_type'],
  ['domain', 'reporter', 'week'],
  ['policy_type', 'result_type'],
  ['domain', 'result_type', 'receiving_mx_hostname'],
  ['domain', 'day', 'result_type', 'receiving_mx_hostname'],
  ['sending_mta_ip', 'result_type', 'organization'],
]

/** Several values are alternatives; an empty one is "the sender did not say"; addresses may be ranges. */
const filters: Record<string, string[]>[] = [
  { domain: ['web.example'] },
  { domain: ['alpha.example', 'dane.example'] },
  { policy_type: ['tlsa'] },
  { policy_type: ['sts', 'tlsa'] },
  { result_type: ['certificate-expired', 'tlsa-invalid'] },
  { sending_mta_ip: ['2001:db8:10::65'] },
  { sending_mta_ip: ['192.0.2.0/24', ''] },
  { reporter: ['microsoft-shape.example'] },
  { reporter: [''] },
  { policy_domain: ['mx2.hoster.example'] },
  { receiving_mx_hostname: ['mx2.alpha.example'], day: ['2026-11-01'] },
]

const questions: Question[] = trusts.flatMap((trust) => [
  ...groupings.map((groupBy) => ({ groupBy, trust })),
  ...filters.flatMap((filter) =>
    [['domain'], ['result_type', 'day']].map((groupBy) => ({ groupBy, trust, filters: filter })),
  ),
])

const window = `from=${days[0]}&to=2026-11-04`

async function compareSummary(service: RunningService, { told }: Week, question: Question): Promise<void> {
  const { groupBy, trust, filters = {} } = question
  const query = new URLSearchParams({ trust, ...(groupBy.length > 0 && { group_by: groupBy.join(',') }) })
  for (const [name, values] of Object.entries(filters)) for (const value of values) query.append(name, value)
  const rows = await readAll<Row>(service, `/v1/summary?${query.toString()}&${window}&limit=500`)
  assert.deepEqual(sorted(rows), sorted(summaryOf(told, question)), `/v1/summary?${query.toString()}`)
}

async function compareTimeseries(service: RunningService, { told }: Week): Promise<void> {
  for (const trust of trusts) {
    for (const interval of ['day', 'week', 'month']) {
      for (const splitBy of [undefined, 'domain', 'reporter', 'result_type', 'policy_type', 'trust']) {
        const query = `interval=${interval}&trust=${trust}${splitBy === undefined ? '' : `&split_by=${splitBy}`}`
        const { data } = await service.get<{ data: Row[] }>(`/v1/timeseries?${query}&${window}`)
        assert.deepEqual(sorted(data), sorted(timeseriesOf(told, interval, splitBy, trust)), `/v1/timeseries?${query}`)
      }
    }
  }
}

async function compareFailures(service: RunningService, { told }: Week): Promise<void> {
  for (const trust of trusts) {
    const rows = await readAll<Record<string, unknown>>(service, `/v1/failures?trust=${trust}&${window}&limit=100`)
    const known = rows.map((row) => Object.fromEntries(failureMembers.map((name) => [name, row[name]])))
    assert.deepEqual(sorted(known), sorted(failuresOf(told, trust)), `/v1/failures?trust=${trust}`)
  }
}

/** The overview says the same, and that somebody has to look at what contradicts itself. */
async function compareDomains({ get }: RunningService, { told }: Week): Promise<void> {
  for (const row of summaryOf(told, { groupBy: ['domain'], trust: 'verified' })) {
    const domain = row['domain'] as string
    const contested = told.filter(({ report, counted }) => !counted && report.about === domain)
    const health = await get<Record<string, unknown>>(`/v1/domains/${domain}?${window}`)
    const { successful, failed, reports, last_report_day, contested_reports } = health
    assert.deepEqual(
      { successful, failed, reports, last_report_day, contested_reports },
      {
        successful: row['successful'],
        failed: row['failed'],
        reports: row['reports'],
        last_report_day: row['last_seen'],
        contested_reports: contested.length * 2, // The report and the forgery.
      },
      domain,
    )
  }
}

/** In any order that both sides share; members in the order of their names. */
function sorted<T extends object>(rows: T[]): T[] {
  const key = (row: T) => JSON.stringify(row, Object.keys(row).sort())
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
