import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi, without } from '../support/api.ts'
import { aDetail, aPolicy, aReport, insertReports } from '../support/rows.ts'

const { db, get, walk } = await startApi()

// Two days of ours.example and its MX hosts, told by two senders and by a stranger; and another domain.
await insertReports(db, [
  aReport({
    day: '2026-11-19',
    policies: [
      aPolicy({
        successful: 90n,
        failed: 10n,
        details: [aDetail({ failed: 6n }), aDetail({ failed: 3n, receivingMxHostname: null })],
      }),
      aPolicy({ policyType: 'tlsa', policyMode: null, primary: false, successful: 99n, failed: 1n }),
    ],
  }),
  aReport({
    day: '2026-11-20',
    reporter: 'other.example',
    organization: 'Other, Inc.',
    policies: [
      aPolicy({
        successful: 40n,
        failed: 8n,
        details: [aDetail({ resultType: 'starttls-not-supported', sendingMtaIp: '2001:db8::25', failed: 8n })],
      }),
    ],
  }),
  aReport({
    day: '2026-11-20',
    trust: 'unverified',
    transport: 'https',
    policies: [aPolicy({ successful: 1n, failed: 500n })],
  }),
  aReport({ day: '2026-11-20', standing: 'superseded', policies: [aPolicy({ failed: 7000n })] }),
  aReport({
    domain: 'xn--bcher-kva.example',
    policies: [aPolicy({ policyDomain: 'xn--bcher-kva.example', successful: 5n })],
  }),
])

test('a summary row has every number, and the totals beside it', async () => {
  const { status, json } = await get('/v1/summary?group_by=domain')
  assert.equal(status, 200)
  const ours = {
    domain: 'ours.example',
    successful: 130,
    failed: 18,
    failure_rate: 18 / 148,
    failed_by_policy_type: { sts: 18, tlsa: 1 },
    unattributed_failed: 1,
    reports: 2,
    reporters: 2,
    first_seen: '2026-11-19',
    last_seen: '2026-11-20',
    unverified: { successful: 1, failed: 500, reports: 1 },
  }
  assert.deepEqual(json.data[0], ours)
  assert.equal(json.data[1]?.['domain'], 'xn--bcher-kva.example')
  assert.deepEqual(json.totals, { ...without('domain', ours), successful: 135, failure_rate: 18 / 153, reports: 3 })
  assert.deepEqual(json.page, { next_cursor: null })
  assert.deepEqual(json.window, { from: '2026-10-23', to: '2026-11-22' })
})

test('one call tells which sending addresses failed, why, and how many attempts were affected', async () => {
  const { json } = await get('/v1/summary?group_by=sending_mta_ip,result_type&domain=ours.example')
  assert.deepEqual(
    json.data.map((row) => [
      row['sending_mta_ip'],
      row['result_type'],
      row['failed'],
      row['successful'],
      row['failure_rate'],
    ]),
    [
      ['192.0.2.1', 'certificate-expired', 9, null, null],
      ['2001:db8::25', 'starttls-not-supported', 8, null, null],
    ],
  )
  assert.equal(json.totals['unattributed_failed'], 1, 'what the details do not explain stands beside them')
})

test('one call tells the result types by domain and MX', async () => {
  const { json } = await get('/v1/summary?group_by=domain&group_by=receiving_mx_hostname&group_by=result_type')
  assert.deepEqual(
    json.data.map((row) => [row['domain'], row['receiving_mx_hostname'], row['result_type'], row['failed']]),
    [
      ['ours.example', 'mx1.ours.example', 'starttls-not-supported', 8],
      ['ours.example', 'mx1.ours.example', 'certificate-expired', 6],
      ['ours.example', null, 'certificate-expired', 3],
    ],
  )
})

test('one call tells how that moved by day', async () => {
  const { json } = await get('/v1/timeseries?split_by=result_type')
  assert.deepEqual(json.data, [
    { bucket: '2026-11-19', result_type: 'certificate-expired', successful: null, failed: 9, reports: 1, unverified: { successful: null, failed: 0, reports: 0 } },
    { bucket: '2026-11-20', result_type: 'starttls-not-supported', successful: null, failed: 8, reports: 1, unverified: { successful: null, failed: 0, reports: 0 } },
  ]) // prettier-ignore
  assert.deepEqual(json.window, { from: '2026-10-23', to: '2026-11-22' })
})

test('a time series has a row for each day with a report, and none for a gap', async () => {
  const { json } = await get('/v1/timeseries?domain=ours.example&from=2026-11-01')
  assert.deepEqual(json.data, [
    {
      bucket: '2026-11-19',
      successful: 90,
      failed: 10,
      reports: 1,
      unverified: { successful: 0, failed: 0, reports: 0 },
    },
    {
      bucket: '2026-11-20',
      successful: 40,
      failed: 8,
      reports: 1,
      unverified: { successful: 1, failed: 500, reports: 1 },
    },
  ])
  const weekly = await get('/v1/timeseries?interval=week&split_by=domain&trust=any')
  assert.deepEqual(
    weekly.json.data.map((row) => [row['bucket'], row['domain'], row['failed']]),
    [
      ['2026-11-16', 'ours.example', 518],
      ['2026-11-16', 'xn--bcher-kva.example', 0],
    ],
  )
})

for (const [query, failed] of [
  ['', 18],
  ['trust=verified', 18],
  ['trust=any', 518],
  ['trust=unverified', 500],
  ['domain=OURS.example.', 18],
  ['domain=ours.example&domain=b%C3%BCcher.example', 18],
  ['domain=b%C3%BCcher.example', 0],
  ['domain=none.example', 0],
  ['policy_type=tlsa', 1],
  ['policy_type=sts&policy_type=tlsa', 18],
  ['policy_mode=', 0],
  ['policy_type=TLSA&policy_mode=', 1],
  ['organization=Other%2C%20Inc.', 8],
  ['reporter=other.example&organization=Sender', 0],
  ['reporter=', 0],
  ['reporter=&trust=any', 500],
  ['transport=https', 0],
  ['result_type=Certificate-Expired', 9],
  ['receiving_mx_hostname=', 3],
  ['receiving_mx_hostname=&receiving_mx_hostname=MX1.ours.example', 17],
  ['sending_mta_ip=192.0.2.0/24', 9],
  ['sending_mta_ip=2001:DB8::/32&sending_mta_ip=192.0.2.1', 17],
  ['sending_mta_ip=', 0],
  ['failure_reason_code=', 17],
  ['day=2026-11-19', 10],
  ['week=2026-11-16', 18],
  ['month=2026-10-01', 0],
  ['from=2026-11-20', 8],
  ['to=2026-11-20', 10],
  ['from=2026-11-19T00:00:00Z&to=2026-11-20T00:00:00.000Z', 10],
] as const) {
  test(`the filter '${query}' leaves ${failed} failed sessions in the totals`, async () => {
    const { json, status } = await get(`/v1/summary?${query}`)
    assert.equal(status, 200, json.detail)
    assert.equal(json.totals['failed'], failed)
  })
}

test('grouped by trust, both sides are told, unless one is asked for', async () => {
  const told = async (query: string) =>
    (await get(`/v1/summary?group_by=trust${query}`)).json.data.map((row) => [row['trust'], row['failed']])
  assert.deepEqual(await told(''), [
    ['unverified', 500],
    ['verified', 18],
  ])
  assert.deepEqual(await told('&trust=verified'), [
    ['verified', 18],
    ['unverified', 0],
  ])
})

test('rows come in the order asked for', async () => {
  const days = async (order: string) => (await get(`/v1/summary?group_by=day,domain&order_by=${order}`)).json.data.map((row) => `${String(row['day'])} ${String(row['domain'])}`) // prettier-ignore
  const [first, second, third] = [
    '2026-11-19 ours.example',
    '2026-11-20 ours.example',
    '2026-11-20 xn--bcher-kva.example',
  ]
  assert.deepEqual(await days('-failed'), [first, second, third])
  assert.deepEqual(await days('failed'), [third, second, first])
  assert.deepEqual(await days('day'), [first, second, third])
  assert.deepEqual(await days('-failure_rate'), [second, first, third])
})

test('pages put together are the whole, each with the same totals', async () => {
  const whole = (await get('/v1/summary?group_by=day,domain')).json
  const page = (await get('/v1/summary?group_by=day,domain&limit=1')).json
  assert.equal(page.data.length, 1)
  assert.deepEqual(page.totals, whole.totals)
  assert.deepEqual(await walk('/v1/summary?group_by=day,domain&limit=1'), whole.data)
})

test('without anything to add up the answer is zeros, not an error', async () => {
  const { json } = await get('/v1/summary?from=2020-01-01&to=2020-02-01')
  assert.deepEqual(json.data, [])
  assert.deepEqual(json.totals, {
    successful: 0,
    failed: 0,
    failure_rate: null,
    failed_by_policy_type: {},
    unattributed_failed: 0,
    reports: 0,
    reporters: 0,
    first_seen: null,
    last_seen: null,
    unverified: { successful: 0, failed: 0, reports: 0 },
  })
})

test('a sum beyond 2^53-1 is a decimal string, exact to the last session', async () => {
  const huge = BigInt(Number.MAX_SAFE_INTEGER)
  const policies = [aPolicy({ policyDomain: 'huge.example', successful: huge, failed: huge })]
  await insertReports(db, [1, 2, 3].map(() => aReport({ domain: 'huge.example', policies }))) // prettier-ignore
  const { totals } = (await get('/v1/summary?domain=huge.example')).json
  assert.equal(totals['failed'], '27021597764222973')
  assert.equal(totals['failure_rate'], 0.5)
  assert.deepEqual(totals['failed_by_policy_type'], { sts: '27021597764222973' })
  const [day] = (await get('/v1/timeseries?domain=huge.example')).json.data
  assert.equal(day?.['successful'], '27021597764222973')
  const [failed] = (await get('/v1/reports?domain=huge.example')).json.data
  assert.equal(failed?.['failed'], Number.MAX_SAFE_INTEGER)
})
