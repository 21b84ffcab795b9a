/** The public check page: off unless the operator wants it, the same for everybody, and nothing of a stranger's is markup. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../src/limits.ts'
import type { CheckPublicly } from '../../src/transport/check-page.ts'
import { request } from '../support/http-client.ts'
import { runService } from '../support/running-service.ts'
import { intakeListener } from './fixtures.ts'

const hostile = `"><script>alert(1)</script><img src=x onerror='x'>&amp;`
const asked: string[] = []
const checkPublicly: CheckPublicly = (text) => {
  asked.push(text)
  if (text === 'localhost') return Promise.resolve({ kind: 'refused', message: 'must be a full domain name' })
  const finding = { subject: hostile, sentence: hostile, evidence: [hostile], fix: hostile, value: hostile }
  return Promise.resolve({ kind: 'checked', domain: hostile, severity: 'error', findings: [{ severity: 'ok', ...finding }, { severity: 'error', ...finding }] }) // prettier-ignore
}
const get = (port: number, path: string, headers: Record<string, string> = {}) => request({ port }, 'GET', path, undefined, headers) // prettier-ignore

test('without PUBLIC_CHECKS there is no such page', async (t) => {
  const { port } = await intakeListener(t)
  for (const path of ['/check', '/check?domain=example.com']) assert.equal((await get(port, path)).status, 404, path)
})

test('the form is a page without scripts that nobody can frame, and asks nothing by itself', async (t) => {
  const { port } = await intakeListener(t, { checkPublicly })
  const { status, headers, body } = await get(port, '/check')
  assert.equal(status, 200)
  assert.match(headers['content-type'] ?? '', /^text\/html/)
  const policy = headers['content-security-policy'] ?? ''
  for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) assert.ok(policy.includes(part), part) // prettier-ignore
  assert.doesNotMatch(policy, /unsafe|script/)
  assert.doesNotMatch(body, /<script|onclick|javascript:/i)
  assert.match(body, /<form action="\/check" method="get">/)
  assert.deepEqual(asked, [])
  assert.equal((await request({ port }, 'POST', '/check', '')).status, 405)
})

test('whatever a stranger serves, and whatever was typed, is text; what is wrong stands first', async (t) => {
  const { port } = await intakeListener(t, { checkPublicly })
  const { status, body } = await get(port, `/check?domain=${encodeURIComponent(hostile)}`)
  assert.equal(status, 200)
  assert.equal(asked.at(-1), hostile)
  assert.doesNotMatch(body, /<script|<img/)
  const escaped = '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;x&#39;&gt;&amp;amp;'
  assert.equal(body.split(escaped).length - 1, 1 + 1 + 5 + 4) // The form, the heading, an error, and what is well less what was seen.
  assert.ok(body.indexOf('class="error"') < body.indexOf('class="ok"'))
})

test('what is no domain is a 400 that says why, on the page', async (t) => {
  const { port } = await intakeListener(t, { checkPublicly })
  const { status, body } = await get(port, '/check?domain=localhost')
  assert.equal(status, 400)
  assert.match(body, /<p role="alert">That name must be a full domain name\.<\/p>/)
  const before = asked.length
  for (const query of ['', '?domain=', '?domain=a&domain=b', '?other=x'])
    assert.equal((await get(port, `/check${query}`)).status, 200, query)
  assert.equal((await get(port, `/check?domain=${'a'.repeat(2_000)}`)).status, 400)
  assert.equal(asked.length, before)
})

test('an address may ask three times a minute, and nobody while ten are asking', async (t) => {
  const limits = { ...defaultLimits, publicChecksAtOnce: 1 }
  const { promise: goOn, resolve } = Promise.withResolvers<undefined>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>()
  const slow: CheckPublicly = async (text) => {
    begin(undefined)
    await goOn
    return { kind: 'refused', message: text }
  }
  const { port } = await intakeListener(t, { checkPublicly: slow, limits })
  const first = get(port, '/check?domain=a.example')
  await begun
  const second = await get(port, '/check?domain=b.example')
  assert.deepEqual([second.status, second.headers['retry-after']], [503, '30'])
  resolve(undefined)
  assert.equal((await first).status, 400)
  assert.equal((await get(port, '/check?domain=c.example')).status, 400)
  const fourth = await get(port, '/check?domain=d.example')
  assert.equal(fourth.status, 429)
  assert.ok(Number(fourth.headers['retry-after']) > 0)
  assert.equal((await get(port, '/check')).status, 200)
})

test("a stranger's page cannot make its visitors ask", async (t) => {
  const { port } = await intakeListener(t, { checkPublicly })
  const image = { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site' }
  assert.equal((await get(port, '/check?domain=victim.example', image)).status, 403)
  assert.ok(!asked.includes('victim.example'))
})

test('the service checks for strangers by the public internet alone, keeps nothing, and does not speak of itself', async (t) => {
  const zone = {
    '_mta-sts.shop.example.com': ['v=STSv1; id=1;', 'v=STSv1; id=<b>2</b>;'],
    '_smtp._tls.shop.example.com': 'v=TLSRPTv1; rua=mailto:else@where.example',
    'shop.example.com': { records: { MX: [{ preference: 1, exchange: 'mx.shop.example.com' }] } },
    'mx.shop.example.com': { records: { A: ['127.0.0.1'] } },
  }
  const env = { PUBLIC_CHECKS: 'on', CHECK_ALLOW_CIDRS: '127.0.0.0/8', INTAKE_TLS: 'off' }
  const { ports, get: ask } = await runService({ zone, env, now: () => new Date() }, t)
  const { status, body } = await get(ports.intake, '/check?domain=Shop.Example.COM')
  assert.equal(status, 200)
  assert.match(body, /127\.0\.0\.1 is not a public address/)
  assert.match(body, /id=&lt;b&gt;2&lt;\/b&gt;/)
  assert.doesNotMatch(body, /rua\.example|This instance/)
  assert.equal((await get(ports.intake, '/check?domain=mail.corp')).status, 400)
  assert.deepEqual((await ask<{ data: unknown[] }>('/v1/checks')).data, [])
})
