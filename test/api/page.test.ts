/** The dashboard as files; the numbers are those of the list of attacks that the service was built against. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { call, startApi } from '../support/api.ts'

const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-page-'))
after(() => rm(folder, { recursive: true }))
const html = '<!doctype html><title>the page</title><script type="module" src="/assets/main-x1.js"></script>'
const script = 'console.log("a script")\n'.repeat(100)
await mkdir(join(folder, 'assets'))
await writeFile(join(folder, 'index.html'), html)
await writeFile(join(folder, '.made-from'), 'a secret of the folder')
await writeFile(join(folder, 'assets/main-x1.js'), script)
await writeFile(join(folder, 'assets/main-x1.js.br'), brotliCompressSync(script))
await writeFile(join(folder, 'assets/main-x1.js.gz'), gzipSync(script))
await writeFile(join(folder, 'assets/plain-x2.css'), 'p {}')
await writeFile(join(folder, 'assets/.hidden'), 'a secret of the folder')

const page = Promise.resolve(folder)
const { api } = await startApi({ page, limitExempt: () => true })
const none = await startApi({ limitExempt: () => true })

/** As a browser goes to an address. */
const visit = (url: string, on = api) => call(on, 'GET', url, { headers: { accept: 'text/html,*/*;q=0.8' } })
const ask = (url: string, headers: Record<string, string> = {}) => call(api, 'GET', url, { headers })

test('the page is at /, for everybody and for whatever asks', async () => {
  for (const accept of ['text/html', '*/*', 'application/json']) {
    const answer = await ask('/', { accept })
    assert.deepEqual([answer.status, answer.body], [200, html])
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['etag'], undefined)
  }
})

test('a browser that goes to an address of the page gets the page', async () => {
  for (const url of [
    '/domains/alpha.example',
    '/domains/alpha.example?from=2026-11-01',
    '/reports/01a1fcb0-af00-7769-ba39-17b3daa80a5c',
    '/v1x',
    '/docsx',
    '/a/b/c',
    '/%3Cscript%3E',
  ]) {
    const { status, body, headers } = await visit(url)
    assert.deepEqual([status, body, headers['cache-control']], [200, html, 'no-store'], url)
  }
})

test('what is the API’s, the docs’ or a file’s is never the page: a wrong address there is a problem, for a browser too', async () => {
  for (const url of ['/v1', '/v1/', '/v1/nothing', '/v1/summary/', '/v1?x', '/docs/x', '/assets/none.js', '/assets/']) {
    const { status, headers, json } = await visit(url)
    assert.deepEqual([status, json.reason], [404, 'not-found'], url)
    assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.equal(headers['cache-control'], 'no-store')
  }
  for (const url of ['/docs', '/healthz', '/version']) assert.notEqual((await visit(url)).body, html, url)
  assert.equal((await visit('/v1/summary')).status, 401)
})

test('who asks for no page, or does not only look, gets none', async () => {
  for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }, { accept: 'text/htmlx' }] as const) {
    assert.equal((await ask('/domains/alpha.example', headers)).status, 404)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'] as const) {
    const headers = { accept: 'text/html' }
    assert.equal((await call(api, method, '/domains/alpha.example', { headers })).status, 404)
    assert.equal((await call(api, method, '/', { headers })).status, 405)
  }
  const head = await call(api, 'HEAD', '/domains/alpha.example', { headers: { accept: 'text/html' } })
  assert.deepEqual([head.status, head.body], [200, ''])
})

test('files are kept by browsers for good, and are the same for everybody', async () => {
  const { status, headers, body } = await ask('/assets/main-x1.js')
  assert.deepEqual([status, body], [200, script])
  assert.equal(headers['content-type'], 'application/javascript; charset=utf-8')
  assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.equal(headers['vary'], 'accept-encoding')
  assert.equal(headers['set-cookie'], undefined)
})

test('a browser is sent the smallest form it takes', async () => {
  for (const [accepted, sent, bytes] of [
    ['gzip, deflate, br, zstd', 'br', brotliCompressSync(script)],
    ['gzip, deflate', 'gzip', gzipSync(script)],
    ['identity', undefined, Buffer.from(script)],
  ] as const) {
    const answer = await ask('/assets/main-x1.js', { 'accept-encoding': accepted })
    assert.equal(answer.headers['content-encoding'], sent)
    assert.equal(answer.headers['content-type'], 'application/javascript; charset=utf-8')
    assert.ok(answer.bytes.equals(bytes))
  }
  const plain = await ask('/assets/plain-x2.css', { 'accept-encoding': 'br, gzip' })
  assert.deepEqual([plain.status, plain.headers['content-encoding'], plain.body], [200, undefined, 'p {}'])
})

test('nothing but the files in assets is served, by whatever spelling', async () => {
  for (const path of [
    '.hidden',
    '../.made-from',
    '..%2f.made-from',
    '%2e%2e/index.html',
    '..%5cindex.html',
    '....//index.html',
    '/etc/passwd',
    '%2fetc%2fpasswd',
    'main-x1.js%00.css',
    'x'.repeat(3_000),
  ]) {
    const answer = await ask(`/assets/${path}`)
    assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`)
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.doesNotMatch(answer.body, /secret|root:|doctype/)
  }
})

test('the first request waits for the page to be built', async () => {
  const built = Promise.withResolvers<string>()
  const early = await startApi({ page: built.promise })
  const answers = [visit('/', early.api), visit('/domains/a.example', early.api)]
  assert.equal((await call(early.api, 'GET', '/healthz')).status, 200)
  built.resolve(folder)
  for (const answer of answers) assert.equal((await answer).body, html)
})

test('without a dashboard the answer is a plain page that says so, and how to make it', async () => {
  for (const url of ['/', '/domains/alpha.example']) {
    const { status, headers, body } = await visit(url, none.api)
    assert.equal(status, 404)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.match(body, /not part of this installation[^]*npm ci &amp;&amp; npm run build/)
    assert.doesNotMatch(body, /<script|<style| style=/)
  }
  assert.equal((await visit('/assets/main-x1.js', none.api)).status, 404)
})

test('184: every answer has the policy that keeps a browser to what we serve, and none says more of us than it must', async () => {
  for (const url of [
    '/',
    '/domains/a.example',
    '/assets/main-x1.js',
    '/assets/none.js',
    '/v1/summary',
    '/v1/x',
    '/docs',
  ]) {
    const { headers } = await visit(url)
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';frame-ancestors 'none';base-uri 'none';form-action 'self'",
    )
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['server'], undefined)
    assert.equal(headers['x-powered-by'], undefined)
  }
})

test('199: clickjacking: no other page has ours in a frame', async () => {
  const { headers } = await visit('/')
  assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
  assert.equal(headers['x-frame-options'], 'DENY')
})

test('199: open redirect: no address of the page leads anywhere else', async () => {
  for (const url of [
    '//evil.example',
    '//evil.example/%2f..',
    '/\\evil.example',
    '/?next=https://evil.example',
    '/assets//evil.example',
  ]) {
    const { status, headers } = await visit(url)
    assert.ok(status < 300 || status >= 400, url)
    assert.equal(headers['location'], undefined)
  }
})

test('201: no error page has anything of the request in it', async () => {
  for (const url of [
    '/v1/<script>alert(1)</script>',
    '/assets/<script>',
    '/%zz<script>',
    '/domains/<script>alert(1)</script>',
  ]) {
    for (const on of [api, none.api])
      assert.doesNotMatch((await visit(url, on)).body, /alert|<script>|\.ts\b|node_modules/)
  }
})
