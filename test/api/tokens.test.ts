/** Who may ask, and what for; the numbers are those of the list of attacks that the service was built against. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../src/limits.ts'
import { adminToken, call, noon, startApi, tokenFor, without, type Answer } from '../support/api.ts'
import { runService } from '../support/running-service.ts'

const service = await runService({ now: () => new Date(), env: { POLICY_DOMAINS: 'a.example,b.example' } })

let time = noon.getTime()
const now = () => new Date(time)
const { api, db, get, logged } = await startApi({ now, limitExempt: () => true })
const other = await startApi({ db, now, limitExempt: () => true }) // Another instance on the same store.

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const make = (body: unknown, headers: Record<string, string> = bearer(adminToken)) =>
  call(api, 'POST', '/v1/tokens', { body, headers })

async function makeToken(scopes: string[], domains: string[] = [], name = 'test') {
  time++ // Newest first goes by the milliseconds in the key.
  const { status, json } = await make({ name, scopes, domains })
  assert.equal(status, 201)
  return json as unknown as { key: string; token: string }
}

const asks = async (url: string, token: string, method: 'GET' | 'PUT' | 'DELETE' | 'POST' = 'GET', on = api) =>
  (await call(on, method, url, { headers: bearer(token), ...(method === 'PUT' && { body: {} }) })).status

test('a token is told once, listed without what opens anything, and good at once', async () => {
  const { status, json, headers } = await make({ name: 'Grafana', scopes: ['read', 'read'], domains: ['A.Example.'] })
  assert.equal(status, 201)
  assert.equal(headers['cache-control'], 'no-store')
  assert.deepEqual(Object.keys(json), ['key', 'token'])
  const { key, token } = json as unknown as { key: string; token: string }
  assert.match(token, /^[\w-]{43}$/)
  assert.equal(await asks('/v1/summary', token), 200)
  const list = await get('/v1/tokens')
  assert.deepEqual(
    list.json.data.map((row) => without('created_at', row)),
    [{ key, name: 'Grafana', scopes: ['read'], domains: ['a.example'], revoked_at: null }],
  )
  assert.ok(!list.body.includes(token))
})

test('a revoked token is refused here at once, by another instance within a second, and stays in the list', async () => {
  const { key, token } = await makeToken(['read'])
  assert.equal(await asks('/v1/summary', token), 200)
  assert.equal(await asks('/v1/summary', token, 'GET', other.api), 200)
  assert.equal(await asks(`/v1/tokens/${key}`, adminToken, 'DELETE'), 204)
  assert.equal(await asks('/v1/summary', token), 401)
  time += 1_000
  assert.equal(await asks('/v1/summary', token, 'GET', other.api), 401)
  assert.equal(await asks(`/v1/tokens/${key}`, adminToken, 'DELETE'), 204, 'again is as once')
  const row = (await get('/v1/tokens')).json.data.find((one) => one['key'] === key)
  assert.match(String(row?.['revoked_at']), /^\d{4}-.*Z$/)
})

test('a key that is none is 404, whatever it looks like', async () => {
  for (const key of ['01a1fcb0-af00-7769-ba39-17b3daa80a5c', 'x', '%00', "'"])
    assert.equal(await asks(`/v1/tokens/${key}`, adminToken, 'DELETE'), 404)
})

test('pages of tokens put together are all of them, newest first', async () => {
  for (let i = 0; i < 5; i++) await makeToken(['read'], [], `page ${i}`)
  const rows: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { json } = await get(`/v1/tokens?limit=2${cursor && `&cursor=${cursor}`}`)
    rows.push(...json.data)
    cursor = json.page.next_cursor
  }
  const whole = (await get('/v1/tokens')).json.data
  assert.deepEqual(rows, whole)
  assert.deepEqual(
    whole.slice(0, 5).map((row) => row['name']),
    ['page 4', 'page 3', 'page 2', 'page 1', 'page 0'],
  )
})

test('192: whatever is wrong with a token, the answer is the same 401', async () => {
  const revoked = await makeToken(['read'])
  await asks(`/v1/tokens/${revoked.key}`, adminToken, 'DELETE')
  const ingest = await makeToken(['ingest'])
  const good = await makeToken(['read'])
  const tried = [
    {},
    bearer('x'),
    bearer(revoked.token),
    bearer(ingest.token),
    bearer(good.token.slice(1)),
    bearer(`${good.token}=`),
    bearer(good.token.toLowerCase()),
    bearer(good.key),
    bearer(`${good.token},${good.token}`),
    { authorization: good.token },
    { authorization: `Basic ${Buffer.from(`x:${good.token}`).toString('base64')}` },
    { authorization: `Token ${good.token}` },
    { 'x-api-key': good.token, cookie: `token=${good.token}` },
  ]
  const answers = new Set<string>()
  for (const headers of tried) {
    const statements = await countStatements(() => call(api, 'GET', '/v1/result-types', { headers }))
    assert.equal(statements.answer.status, 401)
    assert.equal(statements.answer.headers['www-authenticate'], 'Bearer')
    answers.add(`${JSON.stringify(without('request_id', statements.answer.json))} after ${statements.count} statement`)
  }
  assert.equal(answers.size, 1, [...answers].join('\n'))
})

/** What takes the database as often takes as long, and can be counted where time cannot. */
async function countStatements(work: () => Promise<Answer>): Promise<{ answer: Answer; count: number }> {
  let count = 0
  const hear = () => count++
  db.on('acquire', hear)
  const answer = await work()
  db.off('acquire', hear)
  return { answer, count }
}

const routes = [
  ['GET', '/v1/summary', 'read'],
  ['GET', '/v1/domains/a.example', 'read'],
  ['GET', '/v1/tokens', 'admin'],
  ['PUT', '/v1/domains/a.example', 'write'],
  ['DELETE', '/v1/domains/a.example', 'write'],
  ['POST', '/v1/tokens', 'admin'],
  ['DELETE', '/v1/tokens/01a1fcb0-af00-7769-ba39-17b3daa80a5c', 'admin'],
] as const

for (const scope of ['read', 'write', 'admin'] as const) {
  test(`194: a token of the scope ${scope} does what it is for, and the rest is 403 with the scope that it lacks`, async () => {
    const { token } = await makeToken([scope])
    for (const [method, url, needed] of routes) {
      const { status, json, headers } = await call(api, method, url, { headers: bearer(token) })
      if (scope === needed || scope === 'admin') {
        assert.notEqual(status, 403, `${method} ${url}`)
        assert.notEqual(status, 401, `${method} ${url}`)
        continue
      }
      assert.equal(status, 403, `${method} ${url}`)
      assert.equal(json.reason, 'insufficient-scope')
      assert.equal(headers['www-authenticate'], `Bearer error="insufficient_scope", scope="${needed}"`)
    }
  })
}

test('194: a wrong scope is told before the body is looked at', async () => {
  const { token } = await makeToken(['read'])
  const answer = await call(api, 'PUT', '/v1/domains/a.example', {
    headers: { ...bearer(token), 'content-type': 'text/weird' },
    body: 'x'.repeat(100_000),
  })
  assert.equal(answer.status, 403)
})

test('194: the intake takes ingest tokens only, the API any other', async () => {
  const url = `http://127.0.0.1:${service.ports.api}/v1`
  const created = async (scope: string): Promise<string> => {
    const response = await fetch(`${url}/tokens`, {
      method: 'POST',
      headers: { ...bearer('a-token-for-tests-only'), 'content-type': 'application/json' },
      body: JSON.stringify({ name: scope, scopes: [scope], domains: ['a.example'] }),
    })
    return ((await response.json()) as { token: string }).token
  }
  for (const scope of ['read', 'write', 'admin', 'ingest']) {
    const token = await created(scope)
    const posted = await service.post(Buffer.from('{}'), {}, `/v1/tlsrpt/${token}`)
    const asked = await fetch(`${url}/summary`, { headers: bearer(token) })
    const statuses = { read: [404, 200], write: [404, 403], admin: [404, 200], ingest: [422, 401] }[scope]
    assert.deepEqual([posted.status, asked.status], statuses, scope)
  }
})

test('195: of a thousand wrong tokens at once the first sixty are 401 and the rest 429; other addresses go on', async () => {
  const limited = (await startApi({ db, now, limits: defaultLimits })).api
  const { token } = await makeToken(['read'])
  const wrong = (i: number) =>
    call(limited, 'GET', '/v1/summary', { headers: bearer(`wrong-${i}`), from: '192.0.2.66' })
  const statuses = (await Promise.all(Array.from({ length: 1_000 }, (_, i) => wrong(i)))).map(({ status }) => status)
  assert.equal(statuses.filter((status) => status === 401).length, defaultLimits.apiFailedSignInsPerMinute)
  assert.equal(statuses.filter((status) => status === 429).length, 1_000 - defaultLimits.apiFailedSignInsPerMinute)
  const from = async (address: string) =>
    (await call(limited, 'GET', '/v1/summary', { headers: bearer(token), from: address })).status
  assert.deepEqual([await from('192.0.2.66'), await from('192.0.2.67')], [429, 200])
})

test('196: a token opens nothing from an address, and is in no log, no answer and no row', async () => {
  logged.length = 0
  const { token } = await makeToken(['read'])
  for (const url of [`/v1/summary?token=${token}`, `/v1/summary?access_token=${token}`])
    assert.equal((await call(api, 'GET', url, { headers: {} })).status, 401)
  for (const url of [`/v1/summary?token=${token}`, `/v1/reports/${token}`, `/v1/tokens/${token}`, `/${token}`]) {
    const { body, status } = await call(api, 'GET', url)
    assert.ok(status >= 400 && !body.includes(token), url)
  }
  await asks('/v1/summary', token)
  assert.ok(!JSON.stringify(logged).includes(token))
  const { rows } = await db.query<{ text: string }>('select token::text as text from token')
  assert.ok(rows.every(({ text }) => !text.includes(token)))
})

const good = { name: 'x', scopes: ['read'], domains: ['a.example'] }
for (const [what, body, pointer] of [
  ['197: a role that nobody asked for', { ...good, role: 'admin' }, '/role'],
  ['197: a token of the caller’s making', { ...good, token: 'x' }, '/token'],
  ['197: a key of the caller’s making', { ...good, key: '01a1fcb0-af00-7769-ba39-17b3daa80a5c' }, '/key'],
  ['no name', { scopes: ['read'] }, '/name'],
  ['a blank name', { ...good, name: '  ' }, '/name'],
  ['a long name', { ...good, name: 'x'.repeat(101) }, '/name'],
  ['a name of two lines', { ...good, name: 'a\nb' }, '/name'],
  ['a name with half a character', { ...good, name: 'a\ud800' }, '/name'],
  ['no scopes', { name: 'x' }, '/scopes'],
  ['an empty list of scopes', { ...good, scopes: [] }, '/scopes'],
  ['an unknown scope', { ...good, scopes: ['read', 'root'] }, '/scopes/1'],
  ['a scope that is no list', { ...good, scopes: 'read' }, '/scopes'],
  ['ingest beside another scope', { ...good, scopes: ['ingest', 'read'] }, '/scopes'],
  ['a domain that is none', { ...good, domains: ['a.example', 'not ours'] }, '/domains/1'],
  ['198: localhost', { ...good, domains: ['localhost'] }, '/domains/0'],
  ['198: a top-level domain', { ...good, domains: ['a.example', 'co.uk'] }, '/domains/1'],
  ['198: an address', { ...good, domains: ['192.0.2.1'] }, '/domains/0'],
  [
    'more domains than a list has',
    { ...good, domains: Array.from({ length: 1_001 }, (_, i) => `d${i}.example`) },
    '/domains',
  ],
  ['no object', [], ''],
] as const) {
  test(`a token with ${what} is refused at '${pointer}'`, async () => {
    const { status, json } = await make(body)
    assert.equal(status, 400)
    assert.equal(json.reason, 'invalid-body')
    assert.equal(json.errors?.[0]?.pointer, pointer)
  })
}

test('197: a body with a prototype in it is no JSON to us', async () => {
  const headers = { ...bearer(adminToken), 'content-type': 'application/json' }
  const body = '{"name":"x","scopes":["read"],"__proto__":{"scopes":["admin"]}}'
  assert.equal((await call(api, 'POST', '/v1/tokens', { headers, body })).status, 400)
})

test('an admin of some domains makes, sees and revokes tokens for these alone', async () => {
  const tenant = await makeToken(['admin'], ['tenant.example', 'also.example'])
  const others = [await makeToken(['read']), await makeToken(['read'], ['tenant.example', 'other.example'])]
  const asTenant = bearer(tenant.token)
  for (const [domains, pointer] of [
    [[], '/domains'],
    [['other.example'], '/domains/0'],
    [['tenant.example', 'sub.tenant.example'], '/domains/1'],
  ] as const) {
    const { status, json } = await make({ name: 'x', scopes: ['read'], domains }, asTenant)
    assert.equal(status, 403)
    assert.equal(json.reason, 'insufficient-domains')
    assert.equal(json.errors?.[0]?.pointer, pointer)
  }
  time++
  const made = await make({ name: 'x', scopes: ['read'], domains: ['TENANT.example'] }, asTenant)
  assert.equal(made.status, 201)
  const { json } = await call(api, 'GET', '/v1/tokens', { headers: asTenant })
  assert.deepEqual(json.data.map((row) => row['key']), [made.json['key'], tenant.key]) // prettier-ignore
  const nobodys = '01a1fcb0-af00-7769-ba39-17b3daa80a5c'
  const answers = new Set<string>()
  for (const key of [...others.map((one) => one.key), nobodys]) {
    const answer = await call(api, 'DELETE', `/v1/tokens/${key}`, { headers: asTenant })
    assert.equal(answer.status, 404)
    answers.add(JSON.stringify(without('request_id', answer.json)))
  }
  assert.equal(answers.size, 1)
  for (const one of others) assert.equal(await asks('/v1/summary', one.token), 200)
  assert.equal(await asks(`/v1/tokens/${String(made.json['key'])}`, tenant.token, 'DELETE'), 204)
})

test('201: what goes wrong says no more than its name: no stack, no SQL, no path, no page', async () => {
  for (const [method, url, body] of [
    ['POST', '/v1/tokens', '{"name":"<script>alert(1)</script>","scopes":["<b>"]}'],
    ['POST', '/v1/tokens', '{'],
    ['DELETE', '/v1/tokens/%3Cscript%3E', undefined],
    ['GET', '/v1/tokens?limit=%3Cscript%3E', undefined],
    ['GET', '/v1/tokens?cursor=%27%20or%20true--', undefined],
    ['GET', '/v1/tokens/<script>', undefined],
  ] as const) {
    const headers = { ...bearer(adminToken), ...(body !== undefined && { 'content-type': 'application/json' }) }
    const answer = await call(api, method, url, { headers, body })
    assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${url}: ${answer.status}`)
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.doesNotMatch(answer.body, /script>|select|\.ts\b|\bat \w+ \(|node_modules/)
  }
})

test('202: no cache keeps an answer, and one that does not mind that tells callers apart', async () => {
  const headers = await tokenFor(db, ['a.example'])
  const first = await call(api, 'GET', '/v1/summary', { headers })
  for (const url of ['/v1/summary', '/v1/domains', '/v1/tokens', '/v1/nothing', '/v1/openapi.json']) {
    const answer = await call(api, 'GET', url, { headers: { ...headers, 'if-none-match': '*' } })
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.match(String(answer.headers['vary']), /\bAuthorization\b/)
    assert.equal(answer.headers['etag'], undefined)
    assert.notEqual(answer.status, 304)
  }
  const denied = await call(api, 'GET', '/v1/summary', { headers: bearer('x') })
  assert.match(String(denied.headers['vary']), /\bAuthorization\b/)
  assert.equal((await call(api, 'GET', '/v1/summary', { headers })).body, first.body)
})
