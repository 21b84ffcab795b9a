/** A browser that is signed in; the numbers are those of the list of attacks that the service was built against. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../src/limits.ts'
import { newToken } from '../../src/keys.ts'
import { createToken, revokeToken, type Scope } from '../../src/store/tokens.ts'
import { adminToken, call, databaseAway, noon, startApi, without, type Answer } from '../support/api.ts'

let time = noon.getTime()
const now = () => new Date(time)
const { api, db, logged } = await startApi({ now })
const other = await startApi({ db, now }) // Another instance, with the same admin token.

for (const domain of ['a.example', 'csrf.example']) await call(api, 'PUT', `/v1/domains/${domain}`, { body: {} })

type Headers = Record<string, string>
const ours: Headers = { 'sec-fetch-site': 'same-origin' }

const signIn = (token: string, headers: Headers = ours, on = api, from = '192.0.2.7') =>
  call(on, 'POST', '/v1/session', { body: { token }, headers, from })

const setCookies = ({ headers }: Answer) => [headers['set-cookie'] ?? []].flat().map(String)

/** The cookie of an answer, as a browser sends it back. */
const cookieOf = (answer: Answer): Headers => ({ cookie: setCookies(answer)[0]!.split(';')[0]! })

async function signedIn(token = adminToken): Promise<Headers> {
  const answer = await signIn(token)
  assert.equal(answer.status, 200)
  return cookieOf(answer)
}

async function makeToken(scopes: Scope[], domains: string[] = []) {
  const made = newToken(now())
  await createToken(db, { name: 'Ada', scopes, domains }, made.key, made.token)
  return made
}

const statusOf = async (headers: Headers, url = '/v1/result-types', on = api, method: 'GET' | 'PUT' = 'GET') =>
  (await call(on, method, url, { headers, ...(method === 'PUT' && { body: {} }) })).status

test('who signs in is told who he is and until when, and is known by the cookie from then on', async () => {
  const answer = await signIn(adminToken)
  const expected = { name: 'admin', scopes: ['admin'], domains: null, expires_at: '2026-11-22T00:00:00.000Z' }
  assert.deepEqual([answer.status, answer.json], [200, expected])
  const again = await call(api, 'GET', '/v1/session', { headers: cookieOf(answer) })
  assert.deepEqual([again.status, again.json], [200, expected])
  assert.equal(await statusOf(cookieOf(answer), '/v1/tokens'), 200)
})

test('the cookie holds no token, no script reads it, no other site makes the browser send it, and over http it has no claim to more', async () => {
  const { key, token } = await makeToken(['read'])
  const [cookie = '', ...rest] = setCookies(await signIn(token, { ...ours, origin: 'http://127.0.0.1:8080' }))
  assert.deepEqual(rest, [])
  assert.match(cookie, /^tlsrpt-session=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
  assert.ok(cookie.includes(key) && !cookie.includes(token))
})

test('over https it is Secure, and of a name that a browser takes from this host alone', async () => {
  const answer = await signIn(adminToken, { ...ours, origin: 'https://tlsrpt.example' })
  const [cookie = ''] = setCookies(answer)
  assert.match(cookie, /^__Host-tlsrpt-session=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  assert.equal(await statusOf(cookieOf(answer)), 200)
  const planted = `tlsrpt-session=x; ${cookieOf(answer)['cookie']}`
  assert.equal(await statusOf({ cookie: planted }), 200, 'and goes before the other')
})

test('a session may what its token may, and sees what it sees', async () => {
  const reader = await signedIn((await makeToken(['read'], ['a.example'])).token)
  const who = await call(api, 'GET', '/v1/session', { headers: reader })
  assert.deepEqual(without('expires_at', who.json), { name: 'Ada', scopes: ['read'], domains: ['a.example'] })
  assert.equal(await statusOf(reader, '/v1/domains/b.example'), 404)
  assert.equal(await statusOf({ ...reader, ...ours }, '/v1/domains/a.example', api, 'PUT'), 403)
  assert.equal(await statusOf(reader, '/v1/tokens'), 403)
  const writer = await signedIn((await makeToken(['write'])).token)
  assert.equal(await statusOf(writer, '/v1/session'), 200, 'whatever it is good for, it may ask who it is')
  assert.equal(await statusOf(writer), 403)
  assert.equal(await statusOf({ ...writer, ...ours }, '/v1/domains/a.example', api, 'PUT'), 200)
})

test('with a token instead, the same address says who asks, without an end', async () => {
  const { json } = await call(api, 'GET', '/v1/session')
  assert.deepEqual(json, { name: 'admin', scopes: ['admin'], domains: null, expires_at: null })
})

test('a bearer token beats the cookie, also one that is wrong', async () => {
  const headers = await signedIn()
  const { token } = await makeToken(['read'])
  const who = await call(api, 'GET', '/v1/session', { headers: { ...headers, authorization: `Bearer ${token}` } })
  assert.equal(who.json['name'], 'Ada')
  assert.equal(await statusOf({ ...headers, authorization: 'Bearer wrong' }), 401)
})

test('a session ends after twelve hours', async () => {
  const headers = await signedIn()
  const began = time
  time = began + 12 * 60 * 60 * 1000 - 1
  assert.equal(await statusOf(headers), 200)
  time = began + 12 * 60 * 60 * 1000
  assert.equal(await statusOf(headers), 401)
  time = began
})

test('it ends within a second of its token being revoked, and for every instance with a new admin token', async () => {
  const { key, token } = await makeToken(['read'])
  const headers = await signedIn(token)
  assert.deepEqual([await statusOf(headers), await statusOf(headers, '/v1/result-types', other.api)], [200, 200])
  await revokeToken(db, key, undefined)
  time += 1_000
  assert.equal(await statusOf(headers), 401)
  const renewed = await startApi({ db, now, adminToken: 'another-admin-token' })
  const before = [await signedIn(), await signedIn((await makeToken(['read'])).token)]
  for (const session of before) assert.equal(await statusOf(session, '/v1/result-types', renewed.api), 401)
})

test('signing out takes the cookie away, and is done again as once', async () => {
  for (const headers of [{ ...(await signedIn()), ...ours }, {}]) {
    const answer = await call(api, 'DELETE', '/v1/session', { headers })
    assert.deepEqual([answer.status, answer.body], [204, ''])
    const cookies = setCookies(answer).sort()
    assert.match(cookies[0]!, /^__Host-tlsrpt-session=; Max-Age=0; Path=\/; .*HttpOnly; Secure; SameSite=Strict$/)
    assert.match(cookies[1]!, /^tlsrpt-session=; Max-Age=0; Path=\/; .*HttpOnly; SameSite=Strict$/)
  }
})

test('who signs in is in the log by the key of the token, and neither token nor cookie is', async () => {
  logged.length = 0
  const { key, token } = await makeToken(['read'])
  const { cookie } = await signedIn(token)
  await signIn(`${token}x`)
  assert.ok(logged.some(({ level, context }) => level === 'info' && context['token'] === key))
  const text = JSON.stringify(logged)
  assert.ok(!text.includes(token) && !text.includes(cookie!.slice(-43)))
})

test('199: whatever is changed in a cookie, it is none', async () => {
  const { key } = await makeToken(['admin'])
  const { cookie = '' } = await signedIn()
  const [name, value = ''] = cookie.split('=')
  const [, end, mac] = value.split('.')
  const forged = [
    '',
    'x',
    '..',
    `admin.${end}.`,
    `${key}.${end}.${mac}`,
    `admin.${Number(end) + 1}.${mac}`,
    `admin.9999999999999.${mac}`,
    `admin.${end}.${mac!.slice(0, -2)}`,
    `admin.${end}.${'A'.repeat(43)}`,
    `.${value}`,
    adminToken,
  ]
  for (const one of forged) {
    const answer = await call(api, 'GET', '/v1/session', { headers: { cookie: `${name}=${one}` }, from: '192.0.2.30' })
    assert.equal(answer.status, 401, one)
    assert.deepEqual(answer.json, { ...answer.json, reason: 'unauthorized', detail: 'A valid token is needed.' })
  }
})

test('199: fixation: what a browser brings is never made a session, and each signing in makes its own', async () => {
  const { cookie: first = '' } = await signedIn()
  time += 1
  const answer = await signIn(adminToken, { ...ours, cookie: `${first}; __Host-tlsrpt-session=planted` })
  const { cookie: second = '' } = cookieOf(answer)
  assert.notEqual(second, first)
  assert.equal(await statusOf({ cookie: second }), 200)
})

test('199: brute force: signing in is counted with the tokens that are wrong, and keeps no signed-in browser out', async () => {
  const limited = (await startApi({ db, now, limits: { ...defaultLimits, apiFailedSignInsPerMinute: 5 } })).api
  const from = '192.0.2.40'
  const session = cookieOf(await signIn(adminToken, ours, limited, from))
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push((await signIn(`wrong-${i}`, ours, limited, from)).status)
  for (const headers of [{ authorization: 'Bearer wrong' }, { authorization: `Bearer ${adminToken}` }]) {
    statuses.push((await call(limited, 'GET', '/v1/session', { headers, from })).status)
  }
  const blocked = await signIn(adminToken, ours, limited, from)
  assert.deepEqual([...statuses, blocked.status], [401, 401, 401, 401, 401, 429, 429])
  assert.ok(Number(blocked.headers['retry-after']) > 0)
  assert.deepEqual(setCookies(blocked), [])
  assert.equal((await call(limited, 'GET', '/v1/session', { headers: session, from })).status, 200)
  assert.equal((await signIn(adminToken, ours, limited, '192.0.2.41')).status, 200)
})

test('199: whatever is wrong with the token, signing in answers the same 401 and sets nothing', async () => {
  const ingest = await makeToken(['ingest'])
  const revoked = await makeToken(['read'])
  await revokeToken(db, revoked.key, undefined)
  const bodies = new Set<string>()
  for (const token of ['', 'x', ingest.token, revoked.token, `${adminToken} `, adminToken.toUpperCase(), revoked.key]) {
    const answer = await signIn(token, ours, api, '192.0.2.50')
    assert.equal(answer.status, 401, token)
    assert.deepEqual(setCookies(answer), [])
    bodies.add(JSON.stringify(without('request_id', answer.json)))
  }
  assert.equal(bodies.size, 1)
})

for (const [what, headers, status] of [
  ['a page of ours', { 'sec-fetch-site': 'same-origin' }, 200],
  ['a page of ours, where the browser sends no Fetch Metadata', { origin: 'http://tlsrpt.test:8080' }, 200],
  ['a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
  ['a page of another host of the same site', { 'sec-fetch-site': 'same-site' }, 403],
  ['a link or the address bar', { 'sec-fetch-site': 'none' }, 403],
  ['a page of another site, where the browser sends no Fetch Metadata', { origin: 'https://evil.example' }, 403],
  ['a page of another port', { origin: 'http://tlsrpt.test:8081' }, 403],
  ['a page without an origin', { origin: 'null' }, 403],
  ['what is no origin', { origin: 'tlsrpt.test:8080' }, 403],
  ['something that says neither', {}, 403],
] as const) {
  test(`199: CSRF: a change that ${what} asks for with the cookie is ${status}`, async () => {
    const session = { ...(await signedIn()), host: 'tlsrpt.test:8080' }
    const answer = await call(api, 'PUT', '/v1/domains/csrf.example', { headers: { ...session, ...headers }, body: {} })
    assert.equal(answer.status, status)
    if (status === 403) assert.equal(answer.json.reason, 'cross-site')
    assert.equal(await statusOf({ ...session, ...headers }), 200, 'to look is no change')
  })
}

test('199: CSRF: no other site signs a browser in or out', async () => {
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }] as Headers[]) {
    for (const answer of [await signIn(adminToken, headers), await call(api, 'DELETE', '/v1/session', { headers })]) {
      assert.deepEqual([answer.status, answer.json.reason, setCookies(answer)], [403, 'cross-site', []])
    }
  }
  const form = { ...ours, 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal((await call(api, 'POST', '/v1/session', { headers: form, body: `token=${adminToken}` })).status, 415)
})

test('199: CSRF: with a bearer token, which no browser sends by itself, nobody asks where it came from', async () => {
  const headers = { authorization: `Bearer ${adminToken}`, 'sec-fetch-site': 'cross-site' }
  assert.equal(await statusOf(headers, '/v1/domains/csrf.example', api, 'PUT'), 200)
})

test('199: open redirect: nothing of signing in leads anywhere', async () => {
  const answer = await call(api, 'POST', '/v1/session?next=https://evil.example', { body: { token: adminToken }, headers: ours }) // prettier-ignore
  assert.deepEqual([answer.status, answer.headers['location']], [400, undefined])
  const more = { token: adminToken, next: 'https://evil.example' }
  assert.equal((await call(api, 'POST', '/v1/session', { body: more, headers: ours })).status, 400)
})

test('202: two who are signed in are told apart by any cache, and nothing is kept of either', async () => {
  const tenant = await signedIn((await makeToken(['read'], ['a.example'])).token)
  const bodies = new Set<string>()
  for (const headers of [tenant, await signedIn()]) {
    const answer = await call(api, 'GET', '/v1/session', { headers: { ...headers, 'if-none-match': '*' } })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['vary'], 'Authorization, Cookie')
    assert.equal(answer.headers['etag'], undefined)
    bodies.add(answer.body)
  }
  assert.equal(bodies.size, 2)
  assert.match(String((await call(api, 'GET', '/v1/summary', { headers: tenant })).headers['vary']), /\bCookie\b/)
})

test('201: what goes wrong with signing in says no more than its name', async () => {
  for (const body of ['{"token":"<script>"', { token: '<script>' }, { token: 1 }, { '<script>': '' }, '"\\u0000"']) {
    const headers = { ...ours, 'content-type': 'application/json' }
    const answer = await call(api, 'POST', '/v1/session', { headers, body, from: '192.0.2.60' })
    assert.ok(answer.status === 400 || answer.status === 401)
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.doesNotMatch(answer.body, /\.ts\b|select|node_modules/)
  }
})

test('while the database is away a session of the admin is known, and of any other the answer is 503', async () => {
  const away = (await startApi({ db: databaseAway(), now })).api
  const session = await signedIn((await makeToken(['read'])).token)
  assert.equal(await statusOf(await signedIn(), '/v1/session', away), 200)
  assert.equal(await statusOf(session, '/v1/session', away), 503)
  assert.equal((await signIn('x', ours, away)).status, 503)
})
