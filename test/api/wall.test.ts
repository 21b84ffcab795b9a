/** Two tenants in one store: what is another's is to each as if it were not there (hardening case 193). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Database } from '../../src/store/database.ts'
import { putDomain } from '../../src/store/domains.ts'
import { dimensionNames } from '../../src/store/question.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import type { Provenance } from '../../src/tlsrpt/submission.ts'
import { adminToken, call, startApi, tokenFor, without, type Answer } from '../support/api.ts'
import { arrival, judgedArrival, later, newKey } from '../support/arrivals.ts'
import { aDetail, aPolicy, aReport, insertReports, insertRows, type ReportFact } from '../support/rows.ts'

const now = () => later(3_600)
const { api, db } = await startApi({ now, limitExempt: () => true })
const limits = { commitBatch: 100, commitQueue: 1_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })

for (const domain of ['a.example', 'b.example', 'sub.a.example', 'xa.example'])
  await putDomain(db, { domain, includeSubdomains: true, mx: [`mx.${domain}`] })
const ofA = await tokenFor(db, ['a.example'])
const ofB = await tokenFor(db, ['b.example'])
const asAdmin = await tokenFor(db, [])

const record = async (...given: Parameters<typeof arrival>) => {
  const [outcome] = await recorder.record(arrival(...given))
  assert.ok(outcome && 'reports' in outcome)
  const keyOf = (domain: string) => outcome.reports.find((report) => report.domain === domain)?.key ?? ''
  return { submission: outcome.submissionKey, keyOf }
}

const by = 'sender.example'
const toBoth: Partial<Provenance> = { rcptTo: ['tlsrpt+a@rua.example', 'tlsrpt+b@rua.example'] }
const smtp = { transport: 'smtp', peerAddress: '192.0.2.8', helo: 'mail.example', mailFrom: '', rcptTo: [], tls: true, ...toBoth } as Provenance // prettier-ignore
const file: Provenance = { transport: 'file', fileName: 'sender.example!b.example!1!2!3.json.gz' }
const token = { key: newKey(later(0)), domains: ['a.example', 'b.example'] }
const https: Provenance = { transport: 'https', peerAddress: '192.0.2.7', token }

const onlyA = await record({ by, reportId: 'a', domains: ['a.example'] }, later(0), { provenance: https })
const onlyB = await record({ by, reportId: 'b', domains: ['b.example'] }, later(1))
const mixed = await record({ by, reportId: 'ab', domains: ['a.example', 'b.example'] }, later(2), { provenance: smtp })
const mixedFile = await record({ reportId: 'f', domains: ['a.example', 'b.example'] }, later(3), { provenance: file })
// One mail with a part about each: the bytes of both stand in it.
const twoParts = await recorder.record(
  arrival(
    [
      { by, reportId: 'p1', domains: ['a.example'] },
      { by, reportId: 'p2', domains: ['b.example'] },
    ],
    later(4),
  ),
)
const ownMail = await record({ by, reportId: 'own', domains: ['a.example'] }, later(5), { provenance: smtp })
await record({ by, reportId: 'like', domains: ['sub.a.example', 'xa.example'] }, later(6))
const [refused] = await recorder.record(
  judgedArrival(
    [{ judgement: { kind: 'not-ours', reason: 'not-ours', problems: [{ code: 'not-ours', pointer: '', message: 'c.example' }] }, dkim: [] }],
    later(7),
  ),
) // prettier-ignore
assert.ok(refused && 'submissionKey' in refused)
const firstPart = twoParts[0] && 'reports' in twoParts[0] ? twoParts[0].submissionKey : ''

const get = (url: string, headers = ofA) => call(api, 'GET', url, { headers })
const nobodys = '01a1fcb0-af00-7769-ba39-17b3daa80a5c'

test('193: another’s key is 404, in the same words and after as much work as nobody’s', async () => {
  for (const [foreign, none] of [
    [`/v1/reports/${onlyB.keyOf('b.example')}`, `/v1/reports/${nobodys}`],
    [`/v1/reports/${mixed.keyOf('b.example')}`, `/v1/reports/${nobodys}`],
    [`/v1/reports/${onlyB.keyOf('b.example')}/raw`, `/v1/reports/${nobodys}/raw`],
    [`/v1/submissions/${onlyB.submission}`, `/v1/submissions/${nobodys}`],
    [`/v1/submissions/${onlyB.submission}/raw`, `/v1/submissions/${nobodys}/raw`],
    [`/v1/submissions/${refused.submissionKey!}`, `/v1/submissions/${nobodys}`],
    ['/v1/domains/b.example', '/v1/domains/nobodys.example'],
    ['/v1/domains/xa.example', '/v1/domains/nobodys.example'],
    ['/v1/domains/sub.a.example', '/v1/domains/nobodys.example'],
  ] as const) {
    const [one, other] = [await watched(foreign), await watched(none)]
    assert.equal(one.answer.status, 404, foreign)
    assert.deepEqual(heard(one.answer), heard(other.answer), foreign)
    assert.equal(one.statements, other.statements, foreign)
    assert.equal((await get(foreign, asAdmin)).status, 200, 'it is there')
  }
})

/** What takes the database as often takes as long, and can be counted where time cannot. */
async function watched(url: string): Promise<{ answer: Answer; statements: number }> {
  await get(url) // What is kept for a second is kept by now.
  let statements = 0
  const hear = () => statements++
  db.on('acquire', hear)
  const answer = await get(url)
  db.off('acquire', hear)
  return { answer, statements }
}

const heard = ({ status, headers, json }: Answer) => [status, without('date', headers), without('request_id', json)]

test('193: a filter on another’s domain finds what one on nobody’s finds, alone or beside one’s own', async () => {
  for (const path of [
    'summary',
    'timeseries',
    'failures',
    'causes',
    'policy-versions',
    'arrivals',
    'reports',
    'submissions',
  ]) {
    // prettier-ignore
    const none = await get(`/v1/${path}?domain=nobodys.example`)
    assert.ok(path === 'summary' || none.json.data.length === 0)
    assert.equal((await get(`/v1/${path}?domain=b.example`)).body, none.body, path)
    assert.equal((await get(`/v1/${path}?domain=xa.example`)).body, none.body, path)
    const own = await get(`/v1/${path}?domain=a.example`)
    assert.equal((await get(`/v1/${path}?domain=a.example&domain=b.example`)).body, own.body, path)
    assert.equal((await get(`/v1/${path}`)).body, own.body, path)
    assert.ok(own.json.data.length > 0, path)
  }
  assert.equal((await get(`/v1/failures?report_key=${onlyB.keyOf('b.example')}`)).json.data.length, 0)
  assert.equal((await get('/v1/reports?policy_domain=b.example')).json.data.length, 0)
})

test('193: what comes for another moves none of one’s totals', async () => {
  const urls = [
    'summary?group_by=reporter,day&trust=any',
    'timeseries',
    'domains',
    'domain-names?order_by=need',
    'reports',
    'failures',
    'causes',
    'policy-versions?trust=any',
    'arrivals',
    'submissions',
  ]
  const all = async () => Promise.all(urls.map(async (url) => (await get(`/v1/${url}`)).body))
  const before = await all()
  await record({ by: 'other.example', reportId: 'more', domains: ['b.example'], failed: 1_000 }, later(20))
  assert.deepEqual(await all(), before)
})

test('193: a cursor of one tenant shows another nothing that is not his', async () => {
  const url = '/v1/reports?limit=1'
  const { json } = await get(url, ofB)
  const next = await get(`${url}&cursor=${String(json.page.next_cursor)}`)
  assert.ok(next.json.data.every((row) => row['domain'] === 'a.example'))
})

test('193: the domains of others are not in the list, and cannot be put or deleted', async () => {
  assert.deepEqual((await get('/v1/domains')).json.data.map((row) => row['domain']), ['a.example']) // prettier-ignore
  for (const method of ['PUT', 'DELETE'] as const) {
    const ask = async (domain: string) => {
      const answer = await call(api, method, `/v1/domains/${domain}`, { headers: ofA, ...(method === 'PUT' && { body: {} }) }) // prettier-ignore
      return JSON.stringify([answer.status, without('request_id', answer.json)])
    }
    const answers = new Set<string>()
    for (const domain of ['b.example', 'sub.a.example', 'xa.example', 'nobodys.example']) answers.add(await ask(domain))
    assert.equal(answers.size, 1)
    assert.match([...answers][0]!, /^\[404,/)
    assert.equal((await get('/v1/domains/b.example', ofB)).status, 200)
  }
  const purge = await call(api, 'DELETE', '/v1/domains/b.example?purge=true', { headers: ofA })
  assert.equal(purge.status, 404)
})

test('198: a tenant has the domains of his list, whether they are ours yet or not, and makes no others', async () => {
  const headers = await tokenFor(db, ['new.example', 'later.example'])
  const put = (domain: string, body = {}) => call(api, 'PUT', `/v1/domains/${domain}`, { headers, body })
  assert.equal((await put('new.example')).status, 201)
  for (let i = 0; i < 20; i++) assert.equal((await put(`new${i}.example`)).status, 404)
  for (const name of ['localhost', 'example', '192.0.2.1']) assert.equal((await put(name)).status, 400)
  assert.deepEqual((await get('/v1/domains', headers)).json.data.map((row) => row['domain']), ['new.example']) // prettier-ignore
  assert.equal((await call(api, 'DELETE', '/v1/domains/new.example', { headers })).status, 204)
})

test('198: a tenant cannot list a host as his, since what DANE says about it would be his as well', async () => {
  const put = (body: object, headers = ofA) => call(api, 'PUT', '/v1/domains/a.example', { headers, body })
  const { status, json } = await put({ mx: ['mx.a.example', 'mx.b.example'] })
  assert.equal(status, 403)
  assert.equal(json.reason, 'insufficient-domains')
  assert.equal(json.errors?.[0]?.pointer, '/mx/1')
  assert.equal((await put({ mx: ['mx.a.example'] })).status, 200, 'what the operator listed may stay')
})

test('193: what reaches beyond the wall is for tokens of all domains, whether it is there or not', async () => {
  const ask = async (method: 'POST' | 'PATCH' | 'DELETE', url: string, body?: object) => {
    const { status, json } = await call(api, method, url, { headers: ofA, body })
    return [status, json.reason]
  }
  for (const key of [onlyA.submission, onlyB.submission, nobodys])
    assert.deepEqual(await ask('POST', `/v1/submissions/${key}/replay`), [403, 'insufficient-domains'])
  assert.deepEqual(await ask('POST', '/v1/submissions'), [403, 'insufficient-domains'])
  for (const domain of ['sender.example', 'nobodys.example'])
    assert.deepEqual(await ask('PATCH', `/v1/reporters/${domain}`, { standing: 'blocked' }), [
      403,
      'insufficient-domains',
    ])
  for (const key of [onlyB.keyOf('b.example'), nobodys]) {
    for (const word of ['exclude', 'include'])
      assert.deepEqual(await ask('POST', `/v1/reports/${key}/${word}`), [404, 'not-found'])
    assert.deepEqual(await ask('DELETE', `/v1/reports/${key}/decision`), [404, 'not-found'])
  }
})

test('a mixed report shows each his own part, and the bytes to neither', async () => {
  for (const [headers, mine, others] of [
    [ofA, 'a.example', 'b.example'],
    [ofB, 'b.example', 'a.example'],
  ] as const) {
    const key = mixed.keyOf(mine)
    const { json } = await get(`/v1/reports/${key}`, headers)
    assert.equal(json['domain'], mine)
    for (const url of [
      `/v1/reports/${key}`,
      `/v1/submissions/${mixed.submission}`,
      `/v1/submissions/${mixedFile.submission}`,
    ]) {
      const answer = await get(url, headers)
      assert.equal(answer.status, 200)
      assert.ok(!answer.body.includes(others) && !answer.body.includes('rcpt_to'), url)
      for (const raw of [`/v1/reports/${key}/raw`, `/v1/submissions/${mixed.submission}/raw`]) {
        const withheld = await get(raw, headers)
        assert.deepEqual([withheld.status, withheld.json.reason], [404, 'raw-withheld'])
      }
    }
    const submission = (await get(`/v1/submissions/${mixed.submission}`, headers)).json
    assert.deepEqual(submission['reports'], [{ key, domain: mine, verdict: 'accepted' }])
    const listed = (await get('/v1/submissions', headers)).json.data.find((row) => row['key'] === mixed.submission)
    assert.deepEqual(listed, submission)
  }
  assert.equal((await get(`/v1/submissions/${mixed.submission}/raw`, asAdmin)).status, 200)
  const both = await tokenFor(db, ['b.example', 'a.example'])
  assert.equal((await get(`/v1/submissions/${mixed.submission}/raw`, both)).status, 200)
})

test('the bytes of a mail are withheld where another part of it, or something left out of it, is for nobody or another', async () => {
  const raw = async (key: string) => {
    const { status, json } = await get(`/v1/submissions/${key}/raw`)
    return status === 200 ? 200 : json.reason
  }
  assert.equal(await raw(onlyA.submission), 200)
  assert.equal(await raw(ownMail.submission), 200)
  assert.equal(await raw(firstPart), 'raw-withheld')
  const dropped = await record({ by, reportId: 'dropped', domains: ['a.example'] }, later(8))
  await db.query(`update submission set anomalies = '[{"code": "policy-dropped", "pointer": "/policies/1"}]' where key = $1`, [dropped.submission]) // prettier-ignore
  assert.equal(await raw(dropped.submission), 'raw-withheld')
})

test('what is all his own a tenant sees whole, but for the others that an intake token is for', async () => {
  const own = (await get(`/v1/submissions/${ownMail.submission}`)).json
  assert.deepEqual((own['provenance'] as { rcpt_to: string[] }).rcpt_to.length, 2)
  const posted = (await get(`/v1/submissions/${onlyA.submission}`)).json
  assert.deepEqual((posted['provenance'] as { token: unknown }).token, { key: token.key, domains: ['a.example'] })
})

test('what was refused and is about no domain of ours is for tokens of all domains only', async () => {
  assert.ok((await get('/v1/submissions', asAdmin)).json.data.some((row) => row['verdict'] === 'not-ours'))
  assert.ok((await get('/v1/submissions')).json.data.every((row) => row['verdict'] !== 'not-ours'))
  assert.equal((await get('/v1/submissions?verdict=not-ours')).json.data.length, 0)
})

// Random worlds: what a tenant is told is what a store would tell that holds nothing but his domains.
const names = ['a.example', 'b.example', 'sub.a.example', 'c.example']
const from = fc.constantFrom
const count = fc.bigInt(0n, 9n)
const detail = fc.record({
  resultType: from('certificate-expired', 'starttls-not-supported'),
  receivingMxHostname: from('mx1.example', 'mx2.example', null),
  failed: count,
})
const policy = fc.record({
  policyType: from('sts', 'tlsa'),
  policyDomain: from(...names),
  successful: count,
  failed: count,
  details: fc.array(detail.map(aDetail), { maxLength: 2 }),
})
/** What one arrival says about each of some domains. */
type Told = { key: string; reports: ReportFact[] }
const told: fc.Arbitrary<Told> = fc
  .record({
    domains: fc.subarray(names, { minLength: 1, maxLength: 3 }),
    day: from('2026-02-27', '2026-02-28', '2026-03-01'),
    reporter: from('sender.example', 'other.example', null),
    standing: from('counted', 'counted', 'conflict'),
    policies: fc.array(policy.map(aPolicy), { minLength: 1, maxLength: 2 }),
  })
  .map(({ domains, ...said }) => {
    const trust = said.reporter === null ? 'unverified' : 'verified'
    const primaryType = said.policies[0]!.policyType // One type of a report is primary, as judge.ts has it.
    const policies = said.policies.map((policy) => ({ ...policy, primary: policy.policyType === primaryType }))
    const reports = domains.map((domain) => aReport({ ...said, policies, domain, trust, arrivedAt: later(0) }))
    return { key: newKey(later(0)), reports }
  })
const question = fc.record({
  groupBy: fc.uniqueArray(from(...dimensionNames), { minLength: 1, maxLength: 3 }),
  splitBy: from('domain', 'result_type', 'policy_domain'),
  domain: from('', '', '&domain=a.example', '&domain=b.example', '&domain=b.example&domain=c.example'),
  trust: from('', '&trust=any', '&trust=unverified'),
})

test('whatever a tenant asks, the answer is that of a store with nothing but his domains', async () => {
  const whole = await startApi({ now, any: true, limitExempt: () => true })
  const alone = await startApi({ now, any: true, limitExempt: () => true })
  const tenants = fc.subarray([...names, 'nobodys.example'], { minLength: 1 })
  const property = fc.asyncProperty(fc.array(told, { maxLength: 8 }), tenants, question, async (world, mine, asked) => {
    const { groupBy, splitBy, domain, trust } = asked
    await fill(whole.db, world)
    await fill(alone.db, partOf(world, mine))
    const headers = await tokenFor(whole.db, mine)
    for (const url of [
      `/v1/summary?group_by=${groupBy.join(',')}${domain}${trust}`,
      `/v1/timeseries?split_by=${splitBy}${domain}${trust}`,
      `/v1/timeseries?interval=week${domain}${trust}`,
      `/v1/failures?limit=3${domain}${trust}`,
      `/v1/causes?limit=3${domain}${trust}`,
      `/v1/policy-versions?limit=3${domain}${trust}`,
      `/v1/policy-versions?by=day${domain}${trust}`,
      `/v1/arrivals?${domain.slice(1)}`,
      `/v1/reports?limit=3&result_type=certificate-expired${domain}${trust}`,
      `/v1/reports?limit=3${domain}${trust}`,
      `/v1/submissions?limit=3${domain}${trust}`,
      '/v1/domains?limit=2',
      '/v1/domain-names?limit=2',
      '/v1/domain-names?order_by=need&limit=2',
      '/v1/reporters?limit=1',
      ...names.map((name) => `/v1/domains/${name}`),
      ...world.map(({ key }) => `/v1/submissions/${key}`),
      ...world.flatMap(({ reports }) => reports.map(({ key }) => `/v1/reports/${key}`)),
    ]) {
      const answer = await call(whole.api, 'GET', url, { headers })
      const expected = await call(alone.api, 'GET', url)
      assert.ok(answer.status === 200 || answer.status === 404, url)
      assert.equal(answer.status, expected.status, url)
      assert.deepEqual(without('request_id', answer.json), without('request_id', expected.json), url)
    }
    for (const list of [
      'summary?group_by=domain',
      'timeseries?',
      'failures?',
      'causes?',
      'policy-versions?',
      'reports?',
      'submissions?',
      'reporters?',
    ]) {
      const url = `/v1/${list}${domain}${trust}`.replace(/reporters.*/, 'reporters')
      const csv = { accept: 'text/csv' }
      const answer = await call(whole.api, 'GET', url, { headers: { ...headers, ...csv } })
      const expected = await call(alone.api, 'GET', url, { headers: { ...csv, authorization: `Bearer ${adminToken}` } })
      assert.match(String(answer.headers['content-type']), /^text\/csv/)
      assert.equal(answer.body, expected.body, url)
    }
  })
  await fc.assert(property, { numRuns: 30 })
})

const partOf = (world: readonly Told[], mine: readonly string[]): Told[] =>
  world
    .map(({ key, reports }) => ({ key, reports: reports.filter(({ domain }) => mine.includes(domain)) }))
    .filter(({ reports }) => reports.length > 0)

async function fill(db: Database, world: readonly Told[]): Promise<void> {
  await db.query('truncate report, policy, failure_detail, day_total, submission')
  await insertReports(
    db,
    world.flatMap(({ reports }) => reports),
  )
  for (const { key, reports } of world)
    await db.query('update report set submission_key = $1 where key = any($2)', [key, reports.map((row) => row.key)])
  await insertRows(db, 'submission', world.map(submissionRow))
}

const submissionRow = ({ key, reports }: Told) => ({
  arrived_on: later(0),
  key,
  domain: reports[0]!.domain,
  domains: reports.map(({ domain }) => domain),
  arrival_key: key,
  part: 0,
  arrived_at: later(0),
  transport: 'https',
  provenance: JSON.stringify({ transport: 'https', peerAddress: '192.0.2.7' }),
  verdict: 'accepted',
  trust: reports[0]!.trust,
  reporter: reports[0]!.reporter,
  anomalies: '[]',
  problems: '[]',
  dkim: '[]',
  reports: JSON.stringify(reports.map((report) => ({ key: report.key, domain: report.domain, verdict: 'accepted' }))),
})
