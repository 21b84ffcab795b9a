import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { dimensionNames } from '../../src/store/question.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { createToken } from '../../src/store/tokens.ts'
import { adminToken, call, databaseAway, startApi, tokenFor, type Answer } from '../support/api.ts'
import { arrival, judgedArrival, later, newKey } from '../support/arrivals.ts'
import { reportOn } from '../support/report-mail.ts'
import { violations, type Schema } from '../support/json-schema.ts'

const now = () => later(3_600)
const { api, db, get } = await startApi({
  now,
  environment: [{ domain: 'fixed.example', includeSubdomains: true, mx: [] }],
})
const limits = { commitBatch: 100, commitQueue: 1_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })
const [told] = await recorder.record(arrival({ by: 'sender.example', successful: Number.MAX_SAFE_INTEGER, failed: 5 }))
await recorder.record(arrival({ by: 'sender.example', reportId: 'r2', successful: Number.MAX_SAFE_INTEGER }))
await recorder.record(arrival({ reportId: 'r3' }))
const [tooLarge] = await recorder.record(
  judgedArrival([{ judgement: { kind: 'too-large', reason: 'too-large', problems: [] }, dkim: [] }]),
)
await recorder.record(judgedArrival([{ judgement: { kind: 'quarantined', reason: 'defect' }, dkim: [] }], later(1), { provenance: { transport: 'file', fileName: 'x' } })) // prettier-ignore
assert.ok(told?.kind === 'accepted')
const reportKey = told.reports[0]!.key
const submissionKey = told.submissionKey
assert.ok(tooLarge?.kind === 'too-large')
const tooLargeKey = tooLarge.submissionKey!
const tokenKey = newKey(later(0))
await createToken(db, { name: 'x', scopes: ['read'], domains: [] }, tokenKey, 'a token to revoke')
const ofTenant = await tokenFor(db, ['example.com'], ['admin'])
const forNothing = await tokenFor(db, [], [])
const report = reportOn({ domain: 'fixed.example', day: '2026-03-01', reportId: 'r4', failed: 1 })
const uploaded = await call(api, 'POST', '/v1/submissions?filename=x.json', { body: { ...report, 'report-id': 'r5' } })
const uploadedKey = uploaded.json.data[0]!['key'] as string
const [uploadedReport] = (await get(`/v1/submissions/${uploadedKey}`)).json['reports'] as { key: string }[]
const checkKey = (await call(api, 'POST', '/v1/checks', { body: { domain: 'example.org' } })).json['key'] as string

type Operation = { parameters?: { name: string; description?: string }[]; summary?: string; security?: unknown[]; responses: Record<string, { content?: Record<string, { schema: Schema }> }> } // prettier-ignore

const document = (await get('/v1/openapi.json')).json as unknown as Schema & { openapi: string; paths: Record<string, Record<string, Operation>> } // prettier-ignore

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)

test("README's table has every path of /v1", () => {
  const [, table = ''] = /\n\| path \| answers \|\n((?:\|.*\n)+)/.exec(readFileSync('README.md', 'utf8')) ?? []
  const told = table.split('\n').flatMap((row) => {
    const names = [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
    const stem = names.findLast((name) => name.startsWith('/v1/'))?.replace(/\/[^/]+$/, '') ?? ''
    return names.flatMap((name) => [name, `${stem}${name}`])
  })
  const paths = Object.keys(document.paths).filter((path) => path.startsWith('/v1/'))
  assert.deepEqual(paths.filter((path) => !told.includes(path)), []) // prettier-ignore
})

/** One request and more for each operation, with the path as the document has it. */
const requests: [string, string, unknown?][] = [
  ['GET /v1/summary', '/v1/summary'],
  ...dimensionNames.map((name): [string, string] => [
    'GET /v1/summary',
    `/v1/summary?group_by=${name}&trust=any&limit=1`,
  ]),
  ['GET /v1/timeseries', '/v1/timeseries'],
  ...dimensionNames.flatMap((name): [string, string][] =>
    ['day', 'week', 'month'].includes(name) ? [] : [['GET /v1/timeseries', `/v1/timeseries?split_by=${name}`]],
  ),
  ['GET /v1/failures', '/v1/failures?trust=any'],
  ['GET /v1/causes', '/v1/causes?trust=any'],
  ['GET /v1/causes', '/v1/causes?from=2026-01-01'],
  ['GET /v1/policy-versions', '/v1/policy-versions?from=2026-01-01'],
  ['GET /v1/policy-versions', '/v1/policy-versions?from=2026-01-01&by=day'],
  ['GET /v1/arrivals', '/v1/arrivals'],
  ['GET /v1/reports', '/v1/reports'],
  ['GET /v1/reports/{key}', `/v1/reports/${reportKey}`],
  ['GET /v1/reports/{key}/raw', `/v1/reports/${reportKey}/raw`],
  ['GET /v1/reports/{key}/json', `/v1/reports/${uploadedReport!.key}/json`],
  ['GET /v1/submissions', '/v1/submissions'],
  ['GET /v1/submissions', '/v1/submissions?limit=1'],
  ['GET /v1/submissions/{key}', `/v1/submissions/${submissionKey}`],
  ['GET /v1/submissions/{key}/raw', `/v1/submissions/${submissionKey}/raw`],
  ['PUT /v1/domains/{domain}', '/v1/domains/example.org', { mx: ['mx.example.com'] }],
  ['PUT /v1/domains/{domain}', '/v1/domains/example.org', {}],
  ['GET /v1/domains', '/v1/domains'],
  ['GET /v1/domain-names', '/v1/domain-names'],
  ['GET /v1/domain-names', '/v1/domain-names?order_by=need'],
  ['GET /v1/domains/{domain}', '/v1/domains/example.org'],
  ['DELETE /v1/domains/{domain}', '/v1/domains/example.org'],
  ['DELETE /v1/domains/{domain}', '/v1/domains/example.org'],
  ['PUT /v1/domains/{domain}', '/v1/domains/purged.example', {}],
  ['DELETE /v1/domains/{domain}', '/v1/domains/purged.example?purge=true'],
  ['PUT /v1/domains/{domain}', '/v1/domains/fixed.example', {}],
  ['DELETE /v1/domains/{domain}', '/v1/domains/fixed.example'],
  ['GET /v1/domains/{domain}', '/v1/domains/none.example'],
  ['GET /v1/reports/{key}', '/v1/reports/none'],
  ['GET /v1/reports/{key}/raw', '/v1/reports/none/raw'],
  ['GET /v1/reports/{key}/json', '/v1/reports/none/json'],
  ['GET /v1/submissions/{key}', '/v1/submissions/none'],
  ['GET /v1/submissions/{key}/raw', '/v1/submissions/none/raw'],
  ['POST /v1/submissions', '/v1/submissions?filename=x.json', report],
  ['POST /v1/submissions/{key}/replay', `/v1/submissions/${submissionKey}/replay`],
  ['POST /v1/submissions/{key}/replay', `/v1/submissions/${tooLargeKey}/replay`],
  ['POST /v1/submissions/{key}/replay', '/v1/submissions/none/replay'],
  ['POST /v1/tokens', '/v1/tokens', { name: 'x', scopes: ['read'], domains: ['example.org'] }],
  ['GET /v1/tokens', '/v1/tokens'],
  ['DELETE /v1/tokens/{key}', `/v1/tokens/${tokenKey}`],
  ['DELETE /v1/tokens/{key}', '/v1/tokens/none'],
  ['POST /v1/reports/{key}/exclude', `/v1/reports/${reportKey}/exclude`, { reason: 'a test' }],
  ['GET /v1/reports', '/v1/reports?standing=excluded'],
  ['POST /v1/reports/{key}/include', `/v1/reports/${reportKey}/include`],
  ['DELETE /v1/reports/{key}/decision', `/v1/reports/${reportKey}/decision`],
  ['POST /v1/reports/{key}/exclude', '/v1/reports/none/exclude'],
  ['POST /v1/reports/{key}/include', '/v1/reports/none/include'],
  ['DELETE /v1/reports/{key}/decision', '/v1/reports/none/decision'],
  ['PATCH /v1/reporters/{domain}', '/v1/reporters/sender.example', { standing: 'known' }],
  ['POST /v1/session', '/v1/session', { token: adminToken }],
  ['GET /v1/session', '/v1/session'],
  ['DELETE /v1/session', '/v1/session'],
  ['GET /v1/reporters', '/v1/reporters?from=2026-01-01'],
  ['GET /v1/result-types', '/v1/result-types'],
  ['GET /v1/instance', '/v1/instance'],
  ['POST /v1/checks', '/v1/checks', { domain: 'example.org' }],
  ['POST /v1/checks', '/v1/checks', { domain: 'no domain' }],
  ['POST /v1/selftest', '/v1/selftest', { domain: 'example.org' }],
  ['POST /v1/selftest', '/v1/selftest', { domain: 'no domain' }],
  ['GET /v1/checks', '/v1/checks'],
  ['GET /v1/checks/{key}', `/v1/checks/${checkKey}`],
  ['GET /v1/checks/{key}', '/v1/checks/none'],
  ['GET /v1/records/{domain}', '/v1/records/example.org'],
  ['GET /v1/records/{domain}', '/v1/records/no%20domain'],
  ['GET /v1/domains/{domain}/readiness', '/v1/domains/fixed.example/readiness'],
  ['GET /v1/domains/{domain}/readiness', '/v1/domains/none.example/readiness'],
  ['GET /healthz', '/healthz'],
  ['GET /readyz', '/readyz'],
  ['GET /version', '/version'],
  ['GET /metrics', '/metrics'],
  ['GET /docs', '/docs'],
  ['GET /docs/style.css', '/docs/style.css'],
  ['GET /v1/openapi.json', '/v1/openapi.json'],
]

const seen = new Set<string>()
const heard: { what: string; headers: Answer['headers'] }[] = []

/** Holds an answer to what the document says of it. */
function hold(name: string, { status, headers, json }: Answer): void {
  const { operation } = operations.find((known) => known.name === name)!
  const response = operation.responses[String(status)]
  assert.ok(response, `${name} does not say that it may answer ${status}`)
  seen.add(`${name} ${status}`)
  heard.push({ what: `${name} ${status}`, headers })
  const type = (headers['content-type'] as string | undefined)?.split(';')[0]
  if (type === undefined) assert.equal(status, 204)
  if (type === undefined || type === 'application/octet-stream') return
  const schema = response.content?.[type]?.schema
  assert.ok(schema, `${name} ${status} does not say that it may be ${type}`)
  if (type.endsWith('json')) assert.deepEqual(violations(document, schema, json), [], name)
}

for (const [name, url, body] of requests) {
  test(`${name} answers as the document says: ${url}`, async () => {
    hold(name, await call(api, name.split(' ')[0] as 'GET', url, { body }))
  })
}

test('every list may answer CSV, as the document says', async () => {
  const headers = { accept: 'text/csv', authorization: `Bearer ${adminToken}` }
  const lists = operations.filter(({ operation }) => operation.responses['200']?.content?.['text/csv'])
  assert.equal(lists.length, 14)
  for (const { name } of lists) {
    const answer = await call(api, 'GET', name.slice('GET '.length), { headers })
    hold(name, answer)
    assert.match(String(answer.headers['content-type']), /^text\/csv;/, name)
  }
})

const urlOf = (path: string) => path.replace('{domain}', 'example.org').replace('{key}', submissionKey)

test('every operation answers its problems as the document says', async () => {
  const away = (
    await startApi({ db: databaseAway(), now, ready: () => Promise.resolve({ ready: false, reasons: ['away'] }) })
  ).api
  for (const { name, operation } of operations) {
    const [method, path] = name.split(' ') as ['GET', string]
    const url = urlOf(path)
    const body = requests.find(([known]) => known === name)?.[2]
    if (operation.security?.length !== 0) {
      hold(name, await call(api, method, url, { headers: {}, from: `2001:db8:${seen.size.toString(16)}::1` }))
      hold(name, await call(api, method, url, { headers: forNothing }))
    }
    hold(name, await call(api, method, `${url}?no-such-parameter=1`))
    const whileAway = await call(away, method, url, { body })
    if (whileAway.status >= 400) hold(name, whileAway)
  }
})

test('a body that is too large or no JSON is answered as the document says', async () => {
  for (const { name, operation } of operations) {
    if (!operation.responses['415']) continue
    const [method, path] = name.split(' ') as ['PUT', string]
    const send = (type: string, body: string) =>
      call(api, method, urlOf(path), {
        body,
        headers: { 'content-type': type, authorization: `Bearer ${adminToken}` },
      })
    hold(name, await send('text/plain', 'x'))
    hold(name, await send('application/json', ' '.repeat(70_000)))
  }
})

test('a total that can grow no further is answered as the document says', async () => {
  const tell = async (telling: object) => {
    const [outcome] = await recorder.record(arrival({ domains: ['full.example'], ...telling }))
    assert.ok(outcome && 'reports' in outcome)
    return outcome.reports[0]!.key
  }
  const decide = (key: string, word: string) => call(api, 'POST', `/v1/reports/${key}/${word}`)
  await tell({ by: 'sender.example' })
  const excluded = await tell({ by: 'sender.example', reportId: 'r2' })
  const implausible = await tell({ by: 'sender.example', reportId: 'r3', implausible: true })
  const [contested] = [await tell({ reportId: 'r4' }), await tell({ reportId: 'r4', failed: 2 })] // Without one the other counts.
  await tell({ reportId: 'r5' })
  await decide(excluded, 'exclude')
  await db.query(`update day_total set failed = ${2n ** 63n - 1n} where domain = 'full.example' and failed > 0`)
  hold('POST /v1/reports/{key}/include', await decide(implausible, 'include'))
  hold('POST /v1/reports/{key}/exclude', await decide(contested, 'exclude'))
  hold('DELETE /v1/reports/{key}/decision', await call(api, 'DELETE', `/v1/reports/${excluded}/decision`))
})

test('what is another’s is answered as the document says', async () => {
  hold('PUT /v1/domains/{domain}', await call(api, 'PUT', '/v1/domains/example.org', { headers: ofTenant, body: {} }))
  hold('POST /v1/checks', await call(api, 'POST', '/v1/checks', { headers: ofTenant, body: { domain: 'example.org' } })) // prettier-ignore
  hold('POST /v1/selftest', await call(api, 'POST', '/v1/selftest', { headers: ofTenant, body: { domain: 'example.org' } })) // prettier-ignore
  hold('GET /v1/records/{domain}', await call(api, 'GET', '/v1/records/example.org', { headers: ofTenant }))
})

test('every operation names the scope that it needs', () => {
  const scopes = operations.map(({ name, operation }) => [name, operation.security])
  const expected = operations.map(({ name }) => {
    if (name === 'GET /v1/session') return [name, [{ bearer: [] }, { session: [] }]]
    const isPublic = /\/(?:healthz|readyz|version|metrics|docs.*|v1\/openapi\.json|v1\/session)$/.test(name)
    const scope = name.includes('/v1/tokens') ? 'admin' : name.startsWith('GET ') ? 'read' : 'write'
    return [name, isPublic ? [] : [{ bearer: [scope] }, { session: [scope] }]]
  })
  assert.deepEqual(scopes, expected)
})

test('who is not let in, or asks for another site, is answered as the document says', async () => {
  const away = (await startApi({ db: databaseAway(), now })).api
  const body = { token: 'wrong' }
  const headers = { 'sec-fetch-site': 'cross-site' }
  hold('POST /v1/session', await call(api, 'POST', '/v1/session', { body, headers: {} }))
  hold('POST /v1/session', await call(away, 'POST', '/v1/session', { body, headers: {} }))
  hold('POST /v1/session', await call(api, 'POST', '/v1/session', { body, headers }))
  hold('GET /v1/session', await call(away, 'GET', '/v1/session', { headers: forNothing }))
  hold('DELETE /v1/session', await call(api, 'DELETE', '/v1/session', { headers }))
})

test('a file that is too large, or comes while the database is away, is answered as the document says', async () => {
  const away = (await startApi({ db: databaseAway(), now })).api
  hold('POST /v1/submissions', await call(api, 'POST', '/v1/submissions', { body: Buffer.alloc(11_000_000) }))
  hold('POST /v1/submissions', await call(away, 'POST', '/v1/submissions', { body: report }))
})

test('every operation that the document has was asked, and answered everything but the limits', () => {
  const promised = operations.flatMap(({ name, operation }) =>
    Object.keys(operation.responses).map((status) => `${name} ${status}`),
  )
  const hasNoDatabase =
    /(?:DELETE \/v1\/session|GET \/healthz|\/version|\/metrics|\/docs|\/docs\/style\.css|\/v1\/openapi\.json|\/v1\/result-types|\/v1\/instance|\/v1\/records\/\{domain\}) 503$/
  assert.deepEqual(promised.filter((one) => !seen.has(one) && !one.endsWith(' 429') && !hasNoDatabase.test(one)), []) // prettier-ignore
})

test('the document is OpenAPI 3.1, names every route, and describes every parameter', () => {
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(operations.map(({ name }) => name).sort(), [...new Set(requests.map(([name]) => name))].sort())
  for (const { name, operation } of operations) {
    assert.ok(operation.summary, `${name} has no summary`)
    for (const parameter of operation.parameters ?? []) {
      assert.ok(parameter.description, `${parameter.name} of ${name} has no description`)
    }
  }
})

test('every reference in the document leads somewhere', () => {
  for (const [, path] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    assert.ok(
      path!.split('/').reduce<unknown>((node, name) => (node as Schema | undefined)?.[name], document),
      path,
    )
  }
})

test('184, 202: no answer of any operation is kept by a cache, sniffed, framed, or says what we run on', () => {
  assert.ok(heard.length > 200, String(heard.length))
  for (const { what, headers } of heard) {
    assert.equal(headers['cache-control'], 'no-store', what)
    assert.match(String(headers['vary']), /\bAuthorization, Cookie\b/, what)
    for (const name of ['etag', 'last-modified', 'server', 'x-powered-by', 'access-control-allow-origin'])
      assert.equal(headers[name], undefined, `${what}: ${name}`)
    assert.equal(headers['x-content-type-options'], 'nosniff', what)
    assert.equal(headers['referrer-policy'], 'no-referrer', what)
    assert.equal(headers['x-frame-options'], 'DENY', what)
    assert.match(String(headers['content-security-policy']), /^default-src 'none';.*frame-ancestors 'none'/, what)
    assert.doesNotMatch(String(headers['content-security-policy']), /unsafe|\*|http/, what)
  }
})
