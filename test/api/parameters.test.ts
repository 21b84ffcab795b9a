import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dimensionNames } from '../../src/store/question.ts'
import { startApi } from '../support/api.ts'
import { aDetail, aPolicy, aReport, insertReports } from '../support/rows.ts'

const { db, get, logged } = await startApi()
await insertReports(db, [
  aReport({ policies: [aPolicy({ failed: 3n, details: [aDetail(), aDetail()] })] }),
  aReport(),
  aReport(),
])

const many = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}=v${i}.example`).join('&')

for (const [url, ...parameters] of [
  ['/v1/summary?group_by=domain;drop', 'group_by'],
  ['/v1/summary?group_by=1)--', 'group_by'],
  ['/v1/summary?group_by=pg_sleep(5)', 'group_by'],
  ['/v1/summary?group_by=toString', 'group_by'],
  ['/v1/summary?group_by=', 'group_by'],
  ['/v1/summary?group_by=domain,domain', 'group_by'],
  ['/v1/summary?group_by=domain&group_by=domain', 'group_by'],
  ['/v1/summary?group_by=domain,day,week,month,trust', 'group_by'],
  [`/v1/summary?group_by=${Array(1_000).fill('domain').join(',')}`, 'group_by'],
  ['/v1/summary?group_by[0]=domain', 'group_by[0]'],
  ['/v1/summary?group_by[x]=domain', 'group_by[x]'],
  ['/v1/summary?order_by=domain', 'order_by'],
  ['/v1/summary?order_by=failed;select', 'order_by'],
  ['/v1/summary?order_by=--failed', 'order_by'],
  ['/v1/summary?order_by=constructor', 'order_by'],
  ['/v1/summary?order_by=failed&order_by=reports', 'order_by'],
  ['/v1/summary?limit=-1', 'limit'],
  ['/v1/summary?limit=0', 'limit'],
  ['/v1/summary?limit=501', 'limit'],
  ['/v1/summary?limit=1e9', 'limit'],
  ['/v1/summary?limit=NaN', 'limit'],
  ['/v1/summary?limit=1.5', 'limit'],
  ['/v1/summary?limit=', 'limit'],
  ['/v1/summary?limit=5&limit=6', 'limit'],
  ['/v1/summary?trust=all', 'trust'],
  ['/v1/summary?trust=', 'trust'],
  ['/v1/summary?tz=../../etc', 'tz'],
  ['/v1/summary?token=secret', 'token'],
  ['/v1/summary?__proto__=x', '__proto__'],
  ['/v1/summary?from=2026-11-05&to=2026-11-05', 'from'],
  ['/v1/summary?from=2026-11-06&to=2026-11-05', 'from'],
  ['/v1/summary?from=2099-01-01', 'from'],
  ['/v1/summary?from=1976-01-01&to=2026-01-01', 'from'],
  ['/v1/summary?from=2026-02-30', 'from'],
  ['/v1/summary?from=0000-01-01&to=0001-01-01', 'from', 'to'],
  ['/v1/summary?from=infinity', 'from'],
  ['/v1/summary?from=now', 'from'],
  ['/v1/summary?from=2026-11-05T10:00:00Z', 'from'],
  ['/v1/summary?from=2026-11-05&from=2026-11-06', 'from'],
  ['/v1/summary?domain=', 'domain'],
  ['/v1/summary?domain=a..b', 'domain'],
  ['/v1/summary?domain=*.example', 'domain'],
  ['/v1/summary?domain=192.0.2.1', 'domain'],
  [`/v1/summary?domain=${'a'.repeat(2_000)}`, 'domain'],
  ['/v1/summary?policy_domain=ok.example&policy_domain=not%20ok', 'policy_domain'],
  ['/v1/summary?reporter=%00', 'reporter'],
  ['/v1/summary?policy_type=', 'policy_type'],
  ['/v1/summary?result_type=', 'result_type'],
  ['/v1/summary?organization=%00', 'organization'],
  ['/v1/summary?failure_reason_code=a%00b', 'failure_reason_code'],
  ['/v1/summary?receiving_mx_hostname=%00', 'receiving_mx_hostname'],
  ['/v1/summary?sending_mta_ip=192.0.2.256', 'sending_mta_ip'],
  ['/v1/summary?sending_mta_ip=192.0.2.0/33', 'sending_mta_ip'],
  ['/v1/summary?sending_mta_ip=192.0.2', 'sending_mta_ip'],
  ['/v1/summary?receiving_ip=fe80::1%25eth0', 'receiving_ip'],
  ['/v1/summary?receiving_ip=x', 'receiving_ip'],
  ['/v1/summary?transport=carrier-pigeon', 'transport'],
  ['/v1/summary?day=yesterday', 'day'],
  [`/v1/summary?${many('domain', 101)}`, 'domain'],
  ['/v1/summary?cursor=x', 'cursor'],
  ['/v1/timeseries?interval=0s', 'interval'],
  ['/v1/timeseries?interval=minute&from=1976-01-01', 'interval'],
  ['/v1/timeseries?interval=day&interval=week', 'interval'],
  ['/v1/timeseries?split_by=day', 'split_by'],
  ['/v1/timeseries?split_by=domain,trust', 'split_by'],
  ['/v1/timeseries?group_by=domain', 'group_by'],
  ['/v1/timeseries?limit=5', 'limit'],
  ['/v1/failures?report_key=1', 'report_key'],
  ['/v1/failures?group_by=domain', 'group_by'],
  ['/v1/failures?cursor=W10.x', 'cursor'],
  ['/v1/reports?standing=good', 'standing'],
  ['/v1/reports?receiving_ip=192.0.2.1', 'receiving_ip'],
  ['/v1/reports?anomaly=', 'anomaly'],
  ['/v1/causes?sending_mta_ip=192.0.2.1', 'sending_mta_ip'],
  ['/v1/causes?trust=all', 'trust'],
  ['/v1/causes?cursor=W10.x', 'cursor'],
  ['/v1/policy-versions?by=week', 'by'],
  ['/v1/policy-versions?result_type=x', 'result_type'],
  ['/v1/arrivals?verdict=accepted', 'verdict'],
  ['/v1/reports?report_id=%00', 'report_id'],
  ['/v1/submissions?verdict=guilty', 'verdict'],
  ['/v1/submissions?reason=', 'reason'],
  ['/v1/domains?domain=ours.example', 'domain'],
  ['/v1/domains/not%20ok', 'domain'],
  ['/v1/domains/ours.example?purge=yes', 'purge'],
  ['/v1/result-types?x=1', 'x'],
  ['/v1/reports/01a1fcb0-af00-7769-ba39-17b3daa80a5c?x=1', 'x'],
  ['/healthz?x=1', 'x'],
] as const) {
  test(`400 names ${parameters.join(' and ')} of ${url.slice(0, 100)}`, async () => {
    const { status, headers, json } = await get(url)
    assert.equal(status, 400)
    assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.equal(json.reason, 'invalid-parameter')
    assert.deepEqual(
      json.errors?.map((error) => error.parameter),
      parameters,
    )
  })
}

test('a hundred values of a filter are fine', async () => {
  assert.equal((await get(`/v1/summary?${many('domain', 100)}`)).status, 200)
})

test('at most ten errors are told at once', async () => {
  const unknown = Array.from({ length: 50 }, (_, i) => `x${i}=1`).join('&')
  assert.equal((await get(`/v1/summary?${unknown}`)).json.errors?.length, 10)
})

test('a cursor changed in any place, or given to another question, is refused', async () => {
  await insertReports(db, [aReport({ day: '2026-11-18' })])
  await insertReports(db, [aReport({ domain: 'b.example', policies: [aPolicy({ failed: 3n, details: [aDetail()] })] })])
  for (const url of [
    '/v1/summary?group_by=day&limit=1',
    '/v1/reports?limit=1',
    '/v1/failures?limit=1',
    '/v1/causes?limit=1',
    '/v1/policy-versions?limit=1',
  ]) {
    // prettier-ignore
    const cursor = (await get(url)).json.page.next_cursor!
    assert.equal((await get(`${url}&cursor=${cursor}`)).status, 200)
    assert.equal((await get(`${url}&cursor=${cursor}&domain=ours.example`)).status, 400)
    for (let i = 0; i < cursor.length; i++) {
      const tampered = cursor.slice(0, i) + (cursor[i] === 'A' ? 'B' : 'A') + cursor.slice(i + 1)
      assert.equal((await get(`${url}&cursor=${tampered}`)).status, 400, `${url} at ${i}`)
    }
  }
})

test('whatever stands in a query, the answer is 200 or 400 and no statement fails', async () => {
  const paths = [
    'summary',
    'timeseries',
    'failures',
    'causes',
    'policy-versions',
    'arrivals',
    'reports',
    'submissions',
    'domains',
    'domain-names',
    'domains/ours.example',
  ].map(
    // prettier-ignore
    (name) => `/v1/${name}`,
  )
  const names = [
    ...dimensionNames,
    'from',
    'to',
    'limit',
    'cursor',
    'order_by',
    'group_by',
    'split_by',
    'interval',
    'standing',
    'report_id',
    'verdict',
    'report_key',
    'anomaly',
    'by',
  ]
  const hostile = [
    "'",
    '"',
    ';',
    '--',
    '\0',
    '%',
    '\\',
    '{}',
    '()',
    '0',
    'null',
    "' or 1=1",
    '::inet',
    '1/0',
    '0.0.0.0/0',
    '::',
    '2026-11-01',
    'domain',
    '-failed',
    '\u{1f600}',
    '\ud800',
  ]
  const value = fc.oneof(fc.constantFrom(...hostile, ...dimensionNames), fc.string({ unit: 'binary', maxLength: 30 }), fc.ipV4(), fc.ipV6(), fc.domain(), fc.uuid()) // prettier-ignore
  const query = fc.array(fc.tuple(fc.constantFrom(...names), value), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), query, async (path, pairs) => {
      const { status } = await get(`${path}?${new URLSearchParams(pairs).toString()}`)
      assert.ok(status === 200 || status === 400 || (status === 404 && path.endsWith('.example')), `${status}`)
    }),
    { numRuns: 1_500 },
  )
  assert.deepEqual(
    logged.filter(({ level }) => level === 'error'),
    [],
  )
})
