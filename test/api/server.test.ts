import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { test, type TestContext } from 'node:test'
import { defaultLimits } from '../../src/limits.ts'
import { resultTypes } from '../../src/tlsrpt/result-types.ts'
import { adminToken, call, databaseAway, product, startApi, without } from '../support/api.ts'

const { api, get, logged } = await startApi()

test('without the token every failure is the same 401', async () => {
  const tried = [
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer wrong' },
    { authorization: `Bearer ${adminToken}x` },
    { authorization: `Bearer ${adminToken.slice(1)}` },
    { authorization: `Bearer ${adminToken} ${adminToken}` },
    { authorization: adminToken },
    { authorization: `Basic ${Buffer.from(`admin:${adminToken}`).toString('base64')}` },
    { 'x-api-key': adminToken },
    { cookie: `token=${adminToken}` },
  ]
  const bodies = new Set<string>()
  for (const headers of tried) {
    const answer = await call(api, 'GET', '/v1/summary', { headers, from: '192.0.2.50' })
    assert.equal(answer.status, 401)
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
    bodies.add(JSON.stringify(without('request_id', answer.json)))
  }
  assert.equal(bodies.size, 1)
})

test('the token is taken from nowhere but the header', async () => {
  const { status } = await call(api, 'GET', `/v1/summary?token=${adminToken}&access_token=${adminToken}`, {
    headers: {},
  })
  assert.equal(status, 401)
  assert.ok(!JSON.stringify(logged).includes(adminToken), 'nor is it in the log')
})

test('the scheme is Bearer in any case', async () => {
  assert.equal(
    (await call(api, 'GET', '/v1/summary', { headers: { authorization: `bearer ${adminToken}` } })).status,
    200,
  )
})

test('sign-ins that fail too often from one address are 429, for it and for nobody else', async () => {
  const limits = { ...defaultLimits, apiFailedSignInsPerMinute: 5 }
  const limited = (await startApi({ limits, limitExempt: (address) => address === '192.0.2.99' })).api
  const wrong = { headers: { authorization: 'Bearer wrong' } }
  const statuses = async (from: string) => {
    const all = []
    for (let i = 0; i < 8; i++) all.push((await call(limited, 'GET', '/v1/summary', { ...wrong, from })).status)
    return all
  }
  assert.deepEqual(await statuses('192.0.2.1'), [401, 401, 401, 401, 401, 429, 429, 429])
  const blocked = await call(limited, 'GET', '/v1/summary', { from: '192.0.2.1' })
  assert.equal(blocked.status, 429)
  assert.ok(Number(blocked.headers['retry-after']) > 0)
  assert.equal((await call(limited, 'GET', '/v1/summary', { from: '192.0.2.2' })).status, 200)
  assert.deepEqual([...new Set(await statuses('192.0.2.99'))], [401])
})

test('sign-ins that succeed are not counted', async () => {
  const limited = (await startApi({ limits: { ...defaultLimits, apiFailedSignInsPerMinute: 3 } })).api
  for (let i = 0; i < 10; i++) assert.equal((await call(limited, 'GET', '/v1/domains')).status, 200)
})

test('requests beyond the limit of an address are 429 with Retry-After', async () => {
  const limited = (await startApi({ limits: { ...defaultLimits, apiRequestsPerMinute: 3 } })).api
  const answers = []
  for (let i = 0; i < 5; i++) answers.push(await call(limited, 'GET', '/healthz'))
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 429, 429]) // prettier-ignore
  assert.equal(answers[4]!.json.reason, 'too-many-requests')
  assert.ok(Number(answers[4]!.headers['retry-after']) > 0)
})

test('what needs no token answers without one, and tells no secret', async () => {
  const open = (url: string) => call(api, 'GET', url, { headers: {} })
  assert.deepEqual((await open('/healthz')).json, { status: 'ok' })
  assert.deepEqual((await open('/readyz')).json, { ready: true, reasons: [] })
  assert.deepEqual((await open('/version')).json, product)
  assert.equal((await open('/v1/openapi.json')).status, 200)
})

test('while it is not ready /readyz says why, and /healthz lives', async () => {
  const reasons = ['the database does not answer']
  const waiting = await startApi({ ready: () => Promise.resolve({ ready: false, reasons }) })
  const { status, json } = await waiting.get('/readyz')
  assert.equal(status, 503)
  assert.deepEqual(json, { ready: false, reasons })
  assert.equal((await waiting.get('/healthz')).status, 200)
})

test('the result types are told in the words of the RFC', async () => {
  const { json } = await get('/v1/result-types')
  assert.deepEqual(json.data.map((row) => row['name']), resultTypes.map(({ name }) => name)) // prettier-ignore
  assert.equal(json.data.find((row) => row['name'] === 'certificate-expired')?.['enforce_refuses'], true)
})

test('while the database is away the answer is 503 with Retry-After and nothing of its words', async () => {
  const broken = await startApi({ db: databaseAway() })
  const key = '01a1fcb0-af00-7769-ba39-17b3daa80a5c'
  for (const path of [
    'summary',
    'timeseries',
    'failures',
    'reports',
    `reports/${key}`,
    `reports/${key}/raw`,
    'submissions',
    `submissions/${key}`,
    `submissions/${key}/raw`,
    'domains',
    'domains/a.example',
  ]) {
    const { status, headers, json, body } = await broken.get(`/v1/${path}`)
    assert.equal(status, 503, path)
    assert.ok(Number(headers['retry-after']) > 0)
    assert.equal(json.reason, 'temporary-failure')
    assert.doesNotMatch(body, /ECONNREFUSED|127\.0\.0\.1|select|at .*\.ts/)
  }
  assert.equal((await call(broken.api, 'PUT', '/v1/domains/a.example', { body: {} })).status, 503)
  assert.equal((await broken.get('/healthz')).status, 200)
  assert.ok(
    broken.logged.some(({ level, context }) => level === 'error' && context['request_id']),
    'the log has it',
  )
})

test('where readiness itself cannot be told, that is a 503 as well', async () => {
  const unsure = await startApi({ ready: () => Promise.reject(new Error('secret of ours')) })
  const { status, json, body } = await unsure.get('/readyz')
  assert.deepEqual([status, json.reason], [503, 'temporary-failure'])
  assert.doesNotMatch(body, /secret/)
})

test('a defect of ours is a 500 that says so and no more', async () => {
  const broken = await startApi({ ready: () => Promise.reject(new TypeError('secret of ours')) })
  const { status, json, body } = await broken.get('/readyz')
  assert.equal(status, 500)
  assert.equal(json.reason, 'internal-error')
  assert.doesNotMatch(body, /secret|TypeError|\.ts/)
})

test('every answer keeps browsers and caches off', async () => {
  for (const [method, url] of [
    ['GET', '/v1/summary'],
    ['GET', '/healthz'],
    ['GET', '/nowhere'],
    ['POST', '/v1/summary'],
    ['GET', '/v1/summary?x=1'],
  ] as const) {
    const { headers } = await call(api, method, url)
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';frame-ancestors 'none';base-uri 'none';form-action 'self'",
    )
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['server'], undefined)
    assert.equal(headers['x-powered-by'], undefined)
  }
})

test('an unknown address is 404, also without the token', async () => {
  for (const url of [
    '/v1',
    '/v1/',
    '/v2/summary',
    '/v1/summary/',
    '/v1/Summary',
    '/metrics/',
    '/docs/x',
    '/admin',
    '/v1/reports/a/b',
    '//v1/summary',
    '/%3Cscript%3E',
    `/v1/reports/${'x'.repeat(2_000)}`,
  ]) {
    for (const headers of [{}, { authorization: `Bearer ${adminToken}` }]) {
      const answer = await call(api, 'GET', url, { headers })
      assert.equal(answer.status, 404, url)
      assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
      assert.doesNotMatch(answer.body, /script|summary/i)
    }
  }
})

test('a known address with another method is 405 with Allow', async () => {
  for (const [method, url, allow] of [
    ['POST', '/v1/summary', 'GET, HEAD'],
    ['PUT', '/v1/reports/x', 'GET, HEAD'],
    ['DELETE', '/healthz', 'GET, HEAD'],
    ['PATCH', '/v1/domains', 'GET, HEAD'],
    ['OPTIONS', '/v1/failures', 'GET, HEAD'],
    ['POST', '/v1/domains/a.example', 'GET, HEAD, PUT, DELETE'],
  ] as const) {
    const answer = await call(api, method, url, { body: 'x', headers: { 'content-type': 'text/weird' } })
    assert.equal(answer.status, 405, `${method} ${url}`)
    assert.equal(answer.headers['allow'], allow)
    assert.equal(answer.json.reason, 'method-not-allowed')
  }
})

test('HEAD is GET without a body', async () => {
  const { status, body } = await call(api, 'HEAD', '/v1/summary')
  assert.deepEqual([status, body], [200, ''])
})

for (const [what, headers, body, status, reason] of [
  ['no JSON', { 'content-type': 'application/json' }, '{', 400, 'bad-request'],
  ['an empty body', { 'content-type': 'application/json' }, '', 400, 'bad-request'],
  ['a prototype', { 'content-type': 'application/json' }, '{"__proto__": {"x": 1}}', 400, 'bad-request'],
  ['text', { 'content-type': 'text/plain' }, 'hello', 415, 'media-type-unsupported'],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'mx=a', 415, 'media-type-unsupported'],
  [
    'over 64 KiB',
    { 'content-type': 'application/json' },
    JSON.stringify({ mx: ['x'.repeat(70_000)] }),
    413,
    'body-too-large',
  ],
] as const) {
  test(`a body that is ${what} is ${status} ${reason}`, async () => {
    const answer = await call(api, 'PUT', '/v1/domains/a.example', {
      body,
      headers: { ...headers, authorization: `Bearer ${adminToken}` },
    })
    assert.equal(answer.status, status)
    assert.equal(answer.json.reason, reason)
  })
}

test('an address that cannot be decoded is 400', async () => {
  assert.equal((await get('/v1/%zz')).status, 400)
  assert.equal((await get('/v1/reports/%c0%af')).status, 400)
})

/** Says `text` on a connection of its own, and hears all that is answered. */
async function say(listening: TestContext, limits: typeof defaultLimits, text: string): Promise<string> {
  const { api: server } = await startApi({ limits })
  listening.after(() => server.close())
  const { port } = new URL(await server.listen({ port: 0, host: '127.0.0.1' }))
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = createConnection({ port: Number(port), host: '127.0.0.1' }, () => socket.write(text))
    socket.on('data', (data) => (heard += data.toString()))
    socket.on('end', () => {
      socket.end()
      resolve(heard)
    })
    socket.on('error', reject)
  })
}

const filters = Array.from({ length: 10_000 }, (_, i) => `domain=d${i}.example`).join('&')
for (const [what, text] of [
  ['ten thousand filters', `GET /v1/summary?${filters} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a pattern of a megabyte', `GET /v1/summary?organization=${'%'.repeat(1_000_000)} HTTP/1.1\r\n\r\n`],
  ['what is no HTTP', 'EHLO mail.example\r\n'],
] as const) {
  test(`${what} is a 400 on the wire`, async (t) => {
    const answer = await say(t, defaultLimits, text)
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
    assert.match(answer, /content-type: application\/problem\+json/)
    assert.match(answer, /"reason":"bad-request"/)
  })
}

test('a request that does not end is a 408', async (t) => {
  const answer = await say(
    t,
    { ...defaultLimits, httpRequestSeconds: 1 },
    'PUT /v1/domains/a.example HTTP/1.1\r\nHost: a\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  assert.match(answer, /"reason":"request-timeout"/)
})

test('the log has the route and the status of each request, and nothing a stranger wrote into the address', async () => {
  logged.length = 0
  await get('/v1/reports/01a1fcb0-af00-7769-ba39-17b3daa80a5c?secret=1')
  assert.equal(logged.length, 1)
  const { request_id, ...rest } = without('ms', logged[0]!.context)
  assert.match(String(request_id), /^[0-9a-f-]{36}$/)
  assert.deepEqual(rest, { method: 'GET', route: '/v1/reports/:key', status: 400, peer: '192.0.2.7' })
})
