import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, noon, startApi } from '../support/api.ts'
import { aPolicy, aReport, insertReports } from '../support/rows.ts'

const environment = [{ domain: 'fixed.example', includeSubdomains: true, mx: [] }]
const { api, db, get, walk } = await startApi({ environment })
const put = (domain: string, body?: unknown) => call(api, 'PUT', `/v1/domains/${domain}`, { body })
const remove = (domain: string) => call(api, 'DELETE', `/v1/domains/${domain}`)

const quiet = { successful: 0, failed: 0, failure_rate: null, reports: 0, last_report_day: null }

test('a domain is put, listed, replaced and removed', async () => {
  const created = await put('New.Example.', { mx: ['MX1.Host.example', 'mx2.host.example'] })
  assert.equal(created.status, 201)
  const { created_at, ...rest } = created.json
  assert.match(String(created_at), /^\d{4}-.*Z$/)
  assert.deepEqual(rest, {
    domain: 'new.example',
    include_subdomains: true,
    mx: ['mx1.host.example', 'mx2.host.example'],
    source: 'store',
    state: 'no-reports',
    trust: null,
    headline:
      'No report on new.example yet: senders report a day after the mail, once its _smtp._tls record names this service',
    top_cause: null,
    policy_types: [],
    policy_modes: [],
    ...quiet,
    unverified: quiet,
    contested_reports: 0,
  })
  const { json } = await get('/v1/domains')
  assert.deepEqual(json.data.map((row) => [row['domain'], row['source']]), [
    ['fixed.example', 'environment'],
    ['new.example', 'store'],
  ]) // prettier-ignore

  const replaced = await put('new.example', { include_subdomains: false })
  assert.equal(replaced.status, 200)
  assert.deepEqual([replaced.json['include_subdomains'], replaced.json['mx']], [false, []])
  assert.equal(replaced.json['created_at'], created_at)

  assert.equal((await remove('new.example')).status, 204)
  assert.equal((await get('/v1/domains/new.example')).status, 404)
  assert.equal((await remove('new.example')).status, 404)
})

test('a purged domain is gone with all that came for it, and the answer says how much that was', async () => {
  const purge = (domain: string) => call(api, 'DELETE', `/v1/domains/${domain}?purge=true`)
  await put('purged.example')
  await insertReports(db, [aReport({ domain: 'purged.example' }), aReport({ domain: 'purged.example' })])
  const { status, json } = await purge('Purged.example.')
  assert.equal(status, 200)
  assert.deepEqual(json, { domain: 'purged.example', reports: 2, submissions: 0, bytes: 0 })
  assert.equal((await get('/v1/domains/purged.example')).status, 404)
  assert.deepEqual((await get('/v1/reports?domain=purged.example')).json.data, [])
  assert.equal((await purge('purged.example')).status, 404)
  assert.equal((await purge('fixed.example')).status, 409)
})

test('a domain that was removed can still be purged', async () => {
  await put('removed.example')
  await insertReports(db, [aReport({ domain: 'removed.example' })])
  assert.equal((await remove('removed.example')).status, 204)
  const { status, json } = await call(api, 'DELETE', '/v1/domains/removed.example?purge=true')
  assert.deepEqual([status, json['reports']], [200, 1])
})

test('a domain needs no body to be put', async () => {
  assert.equal((await put('bare.example')).status, 201)
  assert.equal((await remove('bare.example')).status, 204)
})

test('a domain of the environment cannot be changed here', async () => {
  for (const answer of [await put('fixed.example', {}), await remove('FIXED.example')]) {
    assert.equal(answer.status, 409)
    assert.equal(answer.json.reason, 'environment-domain')
  }
  assert.equal((await get('/v1/domains/fixed.example')).json['created_at'], null)
})

for (const name of [
  'localhost',
  'com',
  'example',
  'co.uk',
  'github.io',
  '192.0.2.1',
  '%5B::1%5D',
  'a..example',
  '*.example',
  '-',
  `${'a'.repeat(64)}.example`,
]) {
  test(`${name.slice(0, 20)} cannot be ours`, async () => {
    const { status, json } = await put(name, {})
    assert.equal(status, 400)
    assert.equal(json.errors?.[0]?.parameter, 'domain')
  })
}

for (const [body, pointer] of [
  [{ tenant_id: 1 }, '/tenant_id'],
  [{ domain: 'other.example' }, '/domain'],
  [{ include_subdomains: 'yes' }, '/include_subdomains'],
  [{ mx: 'mx.example' }, '/mx'],
  [{ mx: ['ok.example', 'not ok'] }, '/mx/1'],
  [{ mx: [5] }, '/mx/0'],
  [{ mx: Array(101).fill('mx.example') }, '/mx'],
  [[], ''],
] as const) {
  test(`the body ${JSON.stringify(body).slice(0, 60)} is refused at '${pointer}'`, async () => {
    const { status, json } = await put('body.example', body)
    assert.equal(status, 400)
    assert.equal(json.reason, 'invalid-body')
    assert.equal(json.errors?.[0]?.pointer, pointer)
    assert.equal((await get('/v1/domains/body.example')).status, 404)
  })
}

test('health at a glance: sessions in the window, the last day of all time, and what waits for the operator', async () => {
  await insertReports(db, [
    aReport({ domain: 'fixed.example', day: '2026-01-05' }),
    aReport({ domain: 'fixed.example', day: '2026-11-19', policies: [aPolicy({ successful: 7n, failed: 2n })] }),
    aReport({ domain: 'fixed.example', day: '2026-11-20', trust: 'unverified' }),
    aReport({ domain: 'fixed.example', trust: 'unverified', standing: 'contested' }),
    aReport({ domain: 'fixed.example', trust: 'unverified', standing: 'contested' }),
    aReport({ domain: 'fixed.example', day: '2026-01-05', trust: 'unverified', standing: 'contested' }),
  ])
  const { json } = await get('/v1/domains/fixed.example')
  assert.deepEqual(
    [json['successful'], json['failed'], json['reports'], json['last_report_day'], json['contested_reports']],
    [7, 2, 1, '2026-11-19', 2],
  )
  assert.equal(json['failure_rate'], 2 / 9)
  assert.deepEqual(json['unverified'], {
    successful: 10,
    failed: 0,
    failure_rate: 0,
    reports: 1,
    last_report_day: '2026-11-20',
  })
  const earlier = await get('/v1/domains/fixed.example?from=2026-01-01&to=2026-02-01')
  assert.deepEqual(
    [earlier.json['successful'], earlier.json['last_report_day'], earlier.json['contested_reports']],
    [10, '2026-11-19', 1],
  )
})

test('pages of domains put together are all of them, by name', async () => {
  const names = ['a.example', 'b.example', 'c.example', 'd.example']
  for (const name of names) await put(name)
  const seen = (await walk('/v1/domains?limit=2')).map((row) => row['domain'])
  assert.deepEqual(seen, [...names, 'fixed.example'])
})

test('under POLICY_DOMAINS=* what was reported on in the window is listed as well', async () => {
  await insertReports(db, [aReport({ domain: 'zz.example' })])
  const open = await startApi({ db, environment, any: true, now: () => noon })
  const { json } = await open.get('/v1/domains')
  assert.deepEqual(json.data.map((row) => row['domain']).slice(-2), ['fixed.example', 'zz.example'])
  assert.equal((await open.get('/v1/domains/zz.example')).status, 200)
  assert.equal((await open.get('/v1/domains/zz.example?from=2025-01-01&to=2025-02-01')).status, 404)
  assert.equal((await get('/v1/domains/zz.example')).status, 404)
})
