/** RFC 8460 §5.4, RFC 9110, RFC 9112 over real sockets: posts, what is refused before them, and how it is said. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { connectHttp, head, request, type HttpResponse } from '../support/http-client.ts'
import { intakeListener, outcomes, submissionKey, token } from './fixtures.ts'

const body = (outcome = 'accepted') => `{"x":"outcome=${outcome}"}`
const tlsrpt = { 'content-type': 'application/tlsrpt+gzip' }
const json = ({ body: text }: HttpResponse) => JSON.parse(text) as Record<string, unknown>

/** A refusal is a problem with all its members, and tells nothing of the inside. */
function assertProblem(response: HttpResponse, status: number, reason: string): void {
  assert.equal(response.status, status, response.body)
  assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/)
  const problem = json(response)
  assert.deepEqual({ status: problem['status'], reason: problem['reason'] }, { status, reason })
  assert.match(String(problem['type']), /^urn:tlsrpt-receiver:problem:[a-z-]+$/)
  for (const member of ['title', 'detail', 'request_id']) assert.equal(typeof problem[member], 'string', member)
  assert.doesNotMatch(response.body, /node_modules|\.ts\b|\bat /)
}

test('who posts hears what became of the report, with its key', async (t) => {
  const { port } = await intakeListener(t)
  for (const verdict of ['accepted', 'duplicate', 'conflict', 'quarantined']) {
    const response = await request({ port }, 'POST', '/v1/tlsrpt', body(verdict), tlsrpt)
    assert.equal(response.status, 200)
    assert.match(response.headers['content-type'] ?? '', /^application\/json/)
    const { reports, anomalies } = outcomes[verdict] as { reports: unknown; anomalies: unknown }
    assert.deepEqual(json(response), { submission_key: submissionKey, verdict, reports, anomalies })
  }
  for (const [outcome, status, reason, type] of [
    ['malformed', 400, 'not-gzip-or-json', 'malformed'],
    ['unlabelled', 415, 'not-gzip-or-json', 'malformed'],
    ['encoded', 415, 'content-encoding-unsupported', 'malformed'],
    ['unreadable', 422, 'date-range-missing', 'unreadable'],
    ['not-ours', 422, 'not-ours', 'not-ours'],
    ['unsigned', 422, 'no-passing-signature', 'unauthenticated'],
    ['too-large', 413, 'unpacked-too-large', 'too-large'],
  ] as const) {
    const response = await request({ port }, 'POST', '/v1/tlsrpt', body(outcome), tlsrpt)
    assertProblem(response, status, reason)
    assert.equal(json(response)['submission_key'], submissionKey)
    assert.equal(json(response)['type'], `urn:tlsrpt-receiver:problem:${type}`)
  }
  const unreadable = await request({ port }, 'POST', '/v1/tlsrpt', body('unreadable'))
  assert.deepEqual(json(unreadable)['errors'], [{ pointer: '/date-range', message: 'there is no date-range' }])
  const keyless = await request({ port }, 'POST', '/v1/tlsrpt', body('keyless'))
  assert.equal('submission_key' in json(keyless), false)
})

test('our own trouble is 503 with Retry-After, and in the log once', async (t) => {
  const { port, entries } = await intakeListener(t, {
    findToken: () => Promise.reject(new Error('the database is away')),
  })
  for (const [outcome, reason] of [
    ['dns-timeout', 'dns-timeout'],
    ['overloaded', 'overloaded'],
    ['throws', 'temporary-failure'],
  ] as const) {
    const response = await request({ port }, 'POST', '/v1/tlsrpt', body(outcome))
    assertProblem(response, 503, reason)
    assert.equal(json(response)['type'], 'urn:tlsrpt-receiver:problem:unavailable')
    assert.match(response.headers['retry-after'] ?? '', /^\d+$/)
  }
  assertProblem(await request({ port }, 'POST', '/v1/tlsrpt/known-token', body()), 503, 'temporary-failure')
  assert.equal(entries().filter(({ level }) => level === 50).length, 2)
})

test('a post comes with how it came: the bytes, the labels and the token as they are', async (t) => {
  const { port, seen } = await intakeListener(t)
  const bytes = gzipSync(body())
  const headers = { 'content-type': 'Application/TLSRPT+gzip;charset=x', 'content-encoding': 'gzip' }
  await request({ port, from: '127.0.0.6' }, 'POST', '/v1/tlsrpt/known-token', bytes, headers)
  await request({ port }, 'POST', '/v1/tlsrpt', bytes)
  const arrived = { form: 'report', arrivedAt: new Date('2026-06-01T12:00:00Z') }
  assert.deepEqual(seen, [
    {
      ...arrived,
      raw: bytes,
      provenance: {
        transport: 'https',
        peerAddress: '127.0.0.6',
        mediaType: headers['content-type'],
        contentEncoding: 'gzip',
        token,
      },
    },
    { ...arrived, raw: bytes, provenance: { transport: 'https', peerAddress: '127.0.0.1' } },
  ])
})

test('whatever the label, the road gets to see the body', async (t) => {
  const { port, seen } = await intakeListener(t)
  const labels = [
    'text/plain',
    'application/json',
    'application/octet-stream',
    'APPLICATION/TLSRPT+JSON',
    'application/json\t',
    ' application/json',
    ';',
    'nonsense',
    'a/b/c',
    'multipart/form-data; boundary=x',
    'message/rfc822',
    'application/x-www-form-urlencoded',
    'text/html; charset="',
    '\xff\xfe',
  ]
  for (const label of labels) {
    assert.equal(
      (await request({ port }, 'POST', '/v1/tlsrpt', 'not json', { 'content-type': label })).status,
      200,
      label,
    )
  }
  assert.deepEqual(
    seen.map(({ raw }) => raw.toString()),
    labels.map(() => 'not json'),
  )
  for (const coding of ['identity', 'deflate', 'br', 'gzip, gzip', 'x'.repeat(5000)]) {
    await request({ port }, 'POST', '/v1/tlsrpt', 'as it is', { 'content-encoding': coding })
    const { raw, provenance } = seen.at(-1)!
    assert.deepEqual(
      [raw.toString(), (provenance as { contentEncoding: string }).contentEncoding],
      ['as it is', coding],
    )
  }
})

test('a missing label is no wrong label', async (t) => {
  const { port } = await intakeListener(t)
  assert.equal((await request({ port }, 'POST', '/v1/tlsrpt', body('unlabelled'))).status, 400)
})

test('an empty post goes down the road as one', async (t) => {
  const { port, seen } = await intakeListener(t)
  for (const headers of [
    {},
    { 'content-length': 0 },
    { 'content-type': 'application/json' },
    { 'content-type': 'application/json', 'content-length': 0 },
  ]) {
    await request({ port }, 'POST', '/v1/tlsrpt', '', headers)
  }
  const chunked = await connectHttp({ port })
  await chunked.write(`${head('POST', '/v1/tlsrpt', { 'transfer-encoding': 'chunked' })}0\r\n\r\n`)
  await chunked.read()
  assert.deepEqual(
    seen.map(({ raw }) => raw.length),
    [0, 0, 0, 0, 0],
  )
})

test('a token that is none of ours, an address with a query and any other path are all not there', async (t) => {
  const { port, seen } = await intakeListener(t)
  const answers = await Promise.all(
    [
      '/v1/tlsrpt/unknown',
      '/v1/tlsrpt/',
      '/v1/tlsrpt?token=known-token',
      '/v1/tlsrpt/known-token?x=1',
      '/v1/tlsrpt/known-token/',
      '/v1/tlsrpt/..%2fhealthz',
      '/v1/tlsrpt/%00',
      '//v1/tlsrpt',
      '/v1/tlsrpt/a/../known-token',
      '/V1/TLSRPT',
      '/',
      '/v1/summary',
      '/metrics',
      '/.well-known/mta-sts.txt',
      `/v1/tlsrpt/${'x'.repeat(101)}`,
    ].map((path) => request({ port }, 'POST', path, body(), tlsrpt)),
  )
  for (const answer of answers) assertProblem(answer, 404, 'not-found')
  assert.equal(new Set(answers.map((answer) => answer.body.replace(/"request_id":"[^"]+"/, ''))).size, 1)
  assertProblem(await request({ port }, 'POST', '/v1/tlsrpt/%zz', body()), 400, 'bad-request')
  assert.equal(seen.length, 0)
})

test('other methods are told which one will do', async (t) => {
  const { port } = await intakeListener(t)
  for (const path of ['/v1/tlsrpt', '/v1/tlsrpt/known-token', '/v1/tlsrpt/unknown']) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY']) {
      const response = await request({ port }, method, path)
      assertProblem(response, 405, 'method-not-allowed')
      assert.equal(response.headers['allow'], 'POST, OPTIONS')
    }
    const options = await request({ port }, 'OPTIONS', path, '', {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
    })
    assert.deepEqual([options.status, options.headers['allow'], options.body], [204, 'POST, OPTIONS', ''])
    assert.equal(
      Object.keys(options.headers).some((name) => name.startsWith('access-control')),
      false,
    )
  }
  const client = await connectHttp({ port })
  await client.write(head('HEAD', '/v1/tlsrpt', { connection: 'close' }))
  assert.equal(await connectAndStatus(port, head('HEAD', '/v1/tlsrpt')), 405)
  client.close()
})

/** The status of the answer to these bytes. */
async function connectAndStatus(port: number, bytes: string): Promise<number | undefined> {
  const client = await connectHttp({ port })
  let text = ''
  client.socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  await client.write(bytes)
  while (!text.includes('\r\n')) await sleep(5)
  client.close()
  return Number(text.split(' ')[1])
}

test('/healthz says 200 and nothing else, and is not counted', async (t) => {
  const { port, lines } = await intakeListener(t, { limits: { httpRequestsPerMinute: 1 } })
  for (let i = 0; i < 3; i++) {
    const { status, body: text } = await request({ port }, 'GET', '/healthz')
    assert.deepEqual({ status, text }, { status: 200, text: '' })
  }
  assert.equal(lines.length, 0)
  const post = await request({ port }, 'POST', '/healthz')
  assert.deepEqual([post.status, post.headers['allow']], [405, 'GET, HEAD, OPTIONS'])
})

test('answers are for no browser, and do not say who made them', async (t) => {
  const { port } = await intakeListener(t)
  for (const { headers } of [
    await request({ port }, 'POST', '/v1/tlsrpt', body()),
    await request({ port }, 'GET', '/'),
    await request({ port }, 'POST', '/', '', { expect: 'banana' }),
  ]) {
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['server'] ?? headers['x-powered-by'], undefined)
  }
})

test('too many posts from one address are told when to come again', async (t) => {
  const { port, seen } = await intakeListener(t, {
    limits: { httpRequestsPerMinute: 2 },
    limitExempt: (address) => address === '127.0.0.8',
  })
  const post = (from: string) => request({ port, from }, 'POST', '/v1/tlsrpt', body())
  assert.deepEqual([(await post('127.0.0.1')).status, (await post('127.0.0.1')).status], [200, 200])
  const refused = await post('127.0.0.1')
  assertProblem(refused, 429, 'too-many-requests')
  assert.equal(refused.headers['retry-after'], '60')
  assert.equal((await post('127.0.0.2')).status, 200)
  for (let i = 0; i < 4; i++) assert.equal((await post('127.0.0.8')).status, 200)
  assert.equal(seen.length, 7)
})

test('a body of the largest size is taken, and a byte more is not, however it comes', async (t) => {
  const { port, seen } = await intakeListener(t, { limits: { compressedBytes: 1000 } })
  assert.equal((await request({ port }, 'POST', '/v1/tlsrpt', 'x'.repeat(1000))).status, 200)
  const chunk = (size: number) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`
  const chunked = head('POST', '/v1/tlsrpt', { 'transfer-encoding': 'chunked' })
  for (const bytes of [
    head('POST', '/v1/tlsrpt', { 'content-length': 1001 }), // Before any of it has come.
    head('POST', '/v1/tlsrpt', { 'content-length': 1001 }) + 'x'.repeat(1001),
    chunked + chunk(600) + chunk(401), // Before it has ended.
    `${chunked}${chunk(600)}${chunk(401)}0\r\n\r\n`,
  ]) {
    const client = await connectHttp({ port })
    await client.write(bytes)
    assertProblem((await client.read())!, 413, 'body-too-large')
    assert.equal(await client.read(), undefined, 'the connection ends')
    client.close()
  }
  assert.equal(seen.length, 1)
})

test('a client that sends all of a large body before it listens still hears 413', async (t) => {
  const { port } = await intakeListener(t, { limits: { compressedBytes: 1000 }, tls: true })
  const size = 4 * 1024 * 1024
  const response = await request({ port, tls: true }, 'POST', '/v1/tlsrpt', Buffer.alloc(size, 'x'))
  assertProblem(response, 413, 'body-too-large')
})

test('all posts under way share one room, and who finds none is told to come back', async (t) => {
  const { port } = await intakeListener(t, { limits: { compressedBytes: 1000 } })
  const clients = await Promise.all(Array.from({ length: 17 }, () => connectHttp({ port })))
  for (const client of clients) {
    await client.write(`${head('POST', '/v1/tlsrpt', { 'content-length': 1000 })}${'x'.repeat(960)}`)
    await sleep(2)
  }
  for (const client of clients.slice(0, 16)) await client.write('x'.repeat(40))
  assertProblem((await clients[16]!.read())!, 503, 'overloaded')
  const others = await Promise.all(clients.slice(0, 16).map((client) => client.read()))
  assert.deepEqual(
    others.map((response) => response?.status).filter((status) => status !== 200 && status !== 503),
    [],
  )
  assert.equal((await request({ port }, 'POST', '/v1/tlsrpt', 'x'.repeat(1000))).status, 200, 'the room is given back')
})

test('Expect: 100-continue is answered before the body, and any other expectation refused', async (t) => {
  const { port, seen } = await intakeListener(t, { limits: { compressedBytes: 1000 } })
  const polite = await connectHttp({ port })
  await polite.write(head('POST', '/v1/tlsrpt', { 'content-length': 4, expect: '100-continue' }))
  assert.equal((await polite.read())?.status, 100)
  await polite.write('{"x"')
  assert.equal((await polite.read())?.status, 200)
  const large = await connectHttp({ port })
  await large.write(head('POST', '/v1/tlsrpt', { 'content-length': 99_000_000, expect: '100-continue' }))
  assertProblem((await large.read())!, 413, 'body-too-large')
  assertProblem(await request({ port }, 'POST', '/v1/tlsrpt', 'x', { expect: 'banana' }), 417, 'expectation-failed')
  assert.equal(seen.length, 1)
})

test('framing that can be read in two ways is refused, and the connection with it', async (t) => {
  const { port, seen } = await intakeListener(t)
  const post = 'POST /v1/tlsrpt HTTP/1.1\r\n'
  const host = 'Host: rua.example\r\n'
  const body3 = '3\r\nabc\r\n0\r\n\r\n'
  for (const [name, bytes] of Object.entries({
    'two Host fields': `${post}${host}Host: evil.example\r\nContent-Length: 1\r\n\r\nx`,
    'no Host': `${post}Content-Length: 1\r\n\r\nx`,
    'length and chunks': `${post}${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${body3}`,
    'two lengths': `${post}${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
    'signed length': `${post}${host}Content-Length: +3\r\n\r\nabc`,
    'unknown coding': `${post}${host}Transfer-Encoding: xchunked\r\n\r\n${body3}`,
    'chunked, identity': `${post}${host}Transfer-Encoding: chunked, identity\r\n\r\n${body3}`,
    'gzip, chunked': `${post}${host}Transfer-Encoding: gzip, chunked\r\n\r\n${body3}`,
    'chunk size overflow': `${post}${host}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\nabc\r\n0\r\n\r\n`,
    'bare LF in chunks': `${post}${host}Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n`,
    'blank before colon': `${post}${host}Content-Length : 1\r\n\r\nx`,
    'folded field': `${post}${host}X: a\r\n b\r\nContent-Length : 1\r\n\r\nx`,
    NUL: `${post}${host}X: a\0b\r\n\r\n`,
    'HTTP/0.9': 'GET /healthz\r\n\r\n',
    'HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a TLS client': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  })) {
    const client = await connectHttp({ port })
    await client.write(Buffer.from(bytes, 'latin1'))
    const response = await client.read()
    assert.ok(response, name)
    assert.equal(response.status, 400, name)
    assertProblem(response, 400, 'bad-request')
    assert.equal(await client.read(), undefined, name)
    client.close()
  }
  assert.equal(seen.length, 0)
})

test('headers beyond measure are refused, none is dropped in silence', async (t) => {
  const { port, seen } = await intakeListener(t)
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, '']))
  assert.equal((await request({ port }, 'POST', '/v1/tlsrpt', 'x', many(97))).status, 200)
  assertProblem(await request({ port }, 'POST', '/v1/tlsrpt', 'x', many(99)), 431, 'too-many-headers')
  const beyond = await connectHttp({ port }) // Node drops what comes behind 2,000 of them.
  await beyond.write(
    `POST /v1/tlsrpt HTTP/1.1\r\nHost: rua.example\r\n${'a:\r\n'.repeat(2100)}Content-Length: 1\r\n\r\nx`,
  )
  assert.equal((await beyond.read())?.status, 431)
  assertProblem(await request({ port }, 'POST', '/v1/tlsrpt', 'x', { a: 'x'.repeat(17_000) }), 431, 'header-too-large')
  assertProblem(await request({ port }, 'POST', `/v1/tlsrpt/${'x'.repeat(20_000)}`, 'x'), 431, 'header-too-large')
  const extension = await connectHttp({ port })
  await extension.write(
    `${head('POST', '/v1/tlsrpt', { 'transfer-encoding': 'chunked' })}3;${'x'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`,
  )
  assertProblem((await extension.read())!, 413, 'body-too-large')
  assert.equal(seen.length, 1)
})

test('names from the depths of JavaScript are only names', async (t) => {
  const { port } = await intakeListener(t)
  const headers = { __proto__x: 'x', constructor: 'x', 'content-type': 'application/json' }
  const client = await connectHttp({ port })
  await client.write(
    `${head('POST', '/v1/tlsrpt', { ...headers, 'content-length': 1 }).replace('__proto__x', '__proto__')}x`,
  )
  assert.equal((await client.read())?.status, 200)
  assert.equal((await request({ port }, 'POST', '/v1/tlsrpt/__proto__', 'x')).status, 404)
})

test('HTTP/1.0, an absolute URI and an offer of HTTP/2 are served like anything else', async (t) => {
  const { port } = await intakeListener(t)
  for (const bytes of [
    'POST /v1/tlsrpt HTTP/1.0\r\nContent-Length: 1\r\n\r\nx',
    'POST http://evil.example/v1/tlsrpt HTTP/1.1\r\nHost: rua.example\r\nContent-Length: 1\r\n\r\nx',
    'POST /v1/tlsrpt HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 1\r\n\r\nx',
  ]) {
    const client = await connectHttp({ port })
    await client.write(bytes)
    const response = await client.read()
    assert.equal(response?.status, 200)
    assert.doesNotMatch(JSON.stringify(response), /evil/)
    client.close()
  }
})

test('of the proxies in front only ours are believed, and the right-most other hop is the peer', async (t) => {
  const { port, seen } = await intakeListener(t, { trustProxy: ['127.0.0.9', '10.0.0.0/8'] })
  const post = async (from: string, forwarded: string) => {
    await request({ port, from }, 'POST', '/v1/tlsrpt', body(), {
      'x-forwarded-for': forwarded,
      forwarded: 'for=192.0.2.66',
    })
    return (seen.at(-1)!.provenance as { peerAddress: string }).peerAddress
  }
  assert.equal(await post('127.0.0.1', '192.0.2.1'), '127.0.0.1', 'a stranger says nothing about himself')
  assert.equal(await post('127.0.0.9', '192.0.2.1'), '192.0.2.1')
  assert.equal(await post('127.0.0.9', '203.0.113.1, 192.0.2.1, 10.1.2.3'), '192.0.2.1')
  assert.equal(await post('127.0.0.9', '::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(await post('127.0.0.9', 'unknown'), '127.0.0.9')
})

test('without a list no proxy is believed', async (t) => {
  const { port, seen } = await intakeListener(t)
  await request({ port }, 'POST', '/v1/tlsrpt', body(), { 'x-forwarded-for': '192.0.2.1' })
  assert.equal((seen[0]!.provenance as { peerAddress: string }).peerAddress, '127.0.0.1')
})

test('a hundred posts in one segment are answered each, in their order', async (t) => {
  const { port, seen } = await intakeListener(t)
  const client = await connectHttp({ port })
  const verdicts = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? 'duplicate' : 'accepted'))
  await client.write(
    verdicts
      .map((verdict) => head('POST', '/v1/tlsrpt', { 'content-length': body(verdict).length }) + body(verdict))
      .join(''),
  )
  for (const verdict of verdicts) assert.equal(json((await client.read())!)['verdict'], verdict)
  assert.equal(seen.length, 100)
})

test('a connection goes on after a refusal, and what hides behind a short length is a request of its own', async (t) => {
  const { port, seen } = await intakeListener(t)
  const client = await connectHttp({ port })
  const refused = body('malformed')
  await client.write(
    `${head('POST', '/v1/tlsrpt', { 'content-length': refused.length })}${refused}${head('GET', '/metrics')}`,
  )
  assert.equal((await client.read())?.status, 400)
  assert.equal((await client.read())?.status, 404)
  await client.write(`${head('POST', '/v1/tlsrpt', { 'content-length': 1 })}x`)
  assert.equal((await client.read())?.status, 200)
  assert.equal(seen.length, 2)
})

test('a large request behind one still unanswered waits for its turn', async (t) => {
  const { port } = await intakeListener(t, {
    limits: { compressedBytes: 1000 },
    ingest: async ({ cut }) => {
      await sleep(50)
      return [outcomes[cut ? 'too-large' : 'accepted']!]
    },
  })
  const client = await connectHttp({ port })
  await client.write(
    `${head('POST', '/v1/tlsrpt', { 'content-length': 1 })}x${head('POST', '/v1/tlsrpt', { 'content-length': 1001 })}`,
  )
  assert.equal((await client.read())?.status, 200)
  assertProblem((await client.read())!, 413, 'unpacked-too-large')
})

test('a client that breaks off in the middle of a body leaves nothing behind', async (t) => {
  const { port, seen, entries } = await intakeListener(t)
  for (const end of ['reset', 'close'] as const) {
    for (const bytes of [
      head('POST', '/v1/tlsrpt', { 'content-length': 10 }),
      `${head('POST', '/v1/tlsrpt', { 'content-length': 10 })}12345`,
    ]) {
      const client = await connectHttp({ port })
      await client.write(bytes)
      await sleep(5)
      client[end]()
    }
  }
  assert.equal((await request({ port }, 'POST', '/v1/tlsrpt', body())).status, 200)
  assert.equal(seen.length, 1)
  assert.deepEqual(
    entries().filter(({ level }) => level === 50),
    [],
  )
})

test('who leaves right behind the last byte is committed all the same', async (t) => {
  let committed = 0
  const { port } = await intakeListener(t, {
    ingest: async () => {
      await sleep(40)
      committed++
      return [outcomes['accepted']!]
    },
  })
  const client = await connectHttp({ port })
  await client.write(`${head('POST', '/v1/tlsrpt', { 'content-length': 1 })}x`)
  await sleep(20)
  client.reset()
  await sleep(40)
  assert.equal(committed, 1)
})

/** They wait and do no work, so both of them wait at once. */
suite('who takes his time', { concurrency: true }, () => {
  test('headers and bodies that trickle, or do not come, end in 408', { timeout: 10_000 }, async (t) => {
    const { port, seen } = await intakeListener(t, { limits: { httpHeaderSeconds: 1, httpRequestSeconds: 2 } })
    const trickle = async (start: string, then: string) => {
      const client = await connectHttp({ port })
      await client.write(start)
      const timer = setInterval(() => void client.write(then), 200)
      const response = await client.read()
      clearInterval(timer)
      assertProblem(response!, 408, 'request-timeout')
      assert.equal(await client.read(), undefined)
    }
    const started = performance.now()
    await Promise.all([
      trickle('', ''),
      trickle('POST /v1/tlsrpt HTTP/1.1\r\n', 'a'),
      trickle(head('POST', '/v1/tlsrpt', { 'content-length': 1000 }), 'x'),
      trickle(head('POST', '/v1/tlsrpt', { 'transfer-encoding': 'chunked' }), '1\r\nx\r\n'),
    ])
    assert.ok(performance.now() - started < 5000)
    assert.equal(seen.length, 0)
  })

  test('a body that comes too slowly ends in 408 long before the deadline', { timeout: 10_000 }, async (t) => {
    const { port, seen } = await intakeListener(t, { limits: { slowGraceSeconds: 1, slowestBytesPerSecond: 100 } })
    const client = await connectHttp({ port })
    const started = performance.now()
    await client.write(head('POST', '/v1/tlsrpt', { 'content-length': 1000 }))
    const timer = setInterval(() => void client.write('xxxxx'), 100)
    const response = await client.read()
    clearInterval(timer)
    assertProblem(response!, 408, 'request-timeout')
    await client.closed
    assert.ok(performance.now() - started < 5000)
    assert.equal(seen.length, 0)
  })
})

test('connections are counted by address, by network and in total; who leaves makes room', async (t) => {
  const limits = { httpConnections: 5, httpConnectionsPerAddress: 2, httpConnectionsPerNetwork: 3 }
  for (const tls of [false, true]) {
    const { port, entries } = await intakeListener(t, {
      tls,
      limits,
      limitExempt: (address) => address === '127.9.0.1',
    })
    const from = (address: string) => connectHttp({ port, from: address })
    const kept = [await from('127.0.0.1'), await from('127.0.0.1'), await from('127.0.0.2')]
    await (
      await from('127.0.0.1')
    ).closed // Its address has two.
    await (
      await from('127.0.0.3')
    ).closed // Its network has three.
    for (const address of ['127.9.0.1', '127.9.0.1']) kept.push(await from(address))
    await (
      await from('127.9.0.1')
    ).closed // Exempt, but all places are taken.
    assert.equal(await request({ port, tls }, 'GET', '/healthz').catch(() => undefined), undefined)
    assert.deepEqual(new Set(entries().map(({ reason }) => reason)), new Set(['too-many-connections']))
    for (const client of kept) client.close()
    await Promise.all(kept.map((client) => client.closed))
    await sleep(20)
    assert.equal((await request({ port, tls }, 'GET', '/healthz')).status, 200)
  }
})

test('a proxy of ours is not counted by its address', async (t) => {
  const { port } = await intakeListener(t, { trustProxy: ['127.0.0.1'], limits: { httpConnectionsPerAddress: 1 } })
  const first = await connectHttp({ port })
  assert.equal((await request({ port }, 'GET', '/healthz')).status, 200)
  first.close()
})

test('a deadline for headers above that for the whole request does not stop the start', async (t) => {
  const { port } = await intakeListener(t, { limits: { httpHeaderSeconds: 15, httpRequestSeconds: 5 } })
  assert.equal((await request({ port }, 'GET', '/healthz')).status, 200)
})

test('every post is one line in the log, without the token itself', async (t) => {
  const { port, lines, entries } = await intakeListener(t)
  await request({ port }, 'POST', '/v1/tlsrpt/known-token', body('not-ours'), { 'content-type': 'a/"b' })
  await request({ port }, 'POST', '/v1/tlsrpt/secret-token', body())
  assert.equal(lines.length, 2)
  const [{ verdict, reason, status, peer, size, submission_key, token: key }] = entries() as [Record<string, unknown>]
  assert.deepEqual(
    { verdict, reason, status, peer, size, submission_key, key },
    {
      verdict: 'not-ours',
      reason: 'not-ours',
      status: 422,
      peer: '127.0.0.1',
      size: body('not-ours').length,
      submission_key: submissionKey,
      key: token.key,
    },
  )
  for (const line of lines) assert.doesNotMatch(line, /known-token|secret-token/)
})

test(
  'closing answers what is under way, tells newcomers to come back, and does not wait for the idle',
  { timeout: 10_000 },
  async (t) => {
    let arrived = () => {}
    let finish = () => {}
    const underWay = new Promise<void>((resolve) => (arrived = resolve))
    const allowed = new Promise<void>((resolve) => (finish = resolve))
    const { port, close } = await intakeListener(t, {
      limits: { drainSeconds: 10 },
      ingest: async ({ raw }) => {
        if (raw.toString() === 'slow') {
          arrived()
          await allowed
        }
        return [outcomes['accepted']!]
      },
    })
    const idle = await connectHttp({ port })
    await idle.write(head('GET', '/healthz'))
    await idle.read()
    const sending = await connectHttp({ port })
    await sending.write(`${head('POST', '/v1/tlsrpt', { 'content-length': 4 })}ha`)
    const unanswered = await connectHttp({ port })
    await unanswered.write(`${head('POST', '/v1/tlsrpt', { 'content-length': 4 })}slow`)
    await underWay
    await unanswered.write(head('POST', '/v1/tlsrpt', { 'content-length': 1 })) // A second one on the same connection.
    await sleep(5)
    const started = performance.now()
    const closed = close()
    await idle.closed
    await assert.rejects(connectHttp({ port }), { code: 'ECONNREFUSED' })
    await sending.write(`lf${head('GET', '/healthz')}`)
    const half = (await sending.read())!
    assert.deepEqual([half.status, half.headers['connection']], [200, 'close'])
    finish()
    const last = (await unanswered.read())!
    assert.deepEqual([last.status, last.headers['connection']], [200, 'close'])
    await closed
    assert.ok(performance.now() - started < 4000) // Of five seconds of keep-alive, and ten of drain.
    await close()
  },
)

test('closing does not wait for those who have asked for nothing', { timeout: 10_000 }, async (t) => {
  for (const tls of [false, true]) {
    const { port, close } = await intakeListener(t, { tls, limits: { drainSeconds: 5 } })
    const connected = await connectHttp({ port })
    const beginning = await connectHttp({ port, tls })
    await beginning.write('POST /v1/tl')
    const shaken = await connectHttp({ port, tls })
    await sleep(10)
    const started = performance.now()
    await close()
    assert.ok(performance.now() - started < 2000)
    await Promise.all([connected, beginning, shaken].map((client) => client.closed))
  }
})

test('closing does not wait for ever for a body that does not come', { timeout: 10_000 }, async (t) => {
  const { port, close } = await intakeListener(t, { limits: { drainSeconds: 1 } })
  const client = await connectHttp({ port })
  await client.write(head('POST', '/v1/tlsrpt', { 'content-length': 4 }))
  await sleep(10)
  const started = performance.now()
  await close()
  assert.ok(performance.now() - started < 5000)
  assert.equal(await client.read(), undefined)
})

test('over TLS it is the same', async (t) => {
  const { port } = await intakeListener(t, { tls: true })
  assert.equal((await request({ port, tls: true }, 'POST', '/v1/tlsrpt', body(), tlsrpt)).status, 200)
  assertProblem(
    await request({ port, tls: true }, 'POST', '/v1/tlsrpt', 'x', { expect: 'banana' }),
    417,
    'expectation-failed',
  )
})
