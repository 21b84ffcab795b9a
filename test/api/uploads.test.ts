import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { putDomain } from '../../src/store/domains.ts'
import { adminToken, call, startApi } from '../support/api.ts'
import { reportOn, unsignedMail } from '../support/report-mail.ts'

const { api, db, get } = await startApi({ environment: [{ domain: 'ours.example', includeSubdomains: true, mx: [] }] })

const told = (reportId: string, domain = 'ours.example') => ({ domain, day: '2026-11-20', reportId, failed: 2 })
const report = (reportId: string, domain?: string) => Buffer.from(JSON.stringify(reportOn(told(reportId, domain))))
const upload = async (body: Buffer, query = '?filename=x.json', type?: string) => {
  const headers = { authorization: `Bearer ${adminToken}`, ...(type !== undefined && { 'content-type': type }) }
  return call(api, 'POST', `/v1/submissions${query}`, { body, headers })
}
const replay = (key: unknown) => call(api, 'POST', `/v1/submissions/${String(key)}/replay`)

test('a file is taken as it is, whatever its media type says, and answered with its key and verdict', async () => {
  for (const [id, type] of [['r1', undefined], ['r2', 'application/json'], ['r3', 'text/plain'], ['r4', 'no type at all'], ['r5', 'multipart/form-data']] as const) {
    const { status, json } = await upload(gzipSync(report(id)), '?filename=sender!ours.example!1!2.json.gz', type)
    assert.equal(status, 200, type)
    const [taken, ...others] = json.data
    assert.deepEqual({ ...taken, others }, { key: taken!['key'], verdict: 'accepted', reason: null, others: [] })
    const submission = (await get(`/v1/submissions/${String(taken!['key'])}`)).json
    assert.deepEqual(submission['provenance'], { transport: 'file', file_name: 'sender!ours.example!1!2.json.gz' })
    assert.deepEqual(submission['anomalies'], [{ code: 'imported-unverified', pointer: '' }])
    assert.deepEqual((await get(`/v1/submissions/${String(taken!['key'])}/raw`)).bytes, gzipSync(report(id)))
  } // prettier-ignore
})

test('a refusal is an answer like any other, kept and named; a mail and an mbox are taken, too', async () => {
  const verdicts = async (body: Buffer) => (await upload(body, '')).json.data.map(({ verdict, reason }) => [verdict, reason]) // prettier-ignore
  assert.deepEqual(await verdicts(report('r1')), [['duplicate', null]])
  assert.deepEqual(await verdicts(report('r6', 'theirs.example')), [['not-ours', 'not-ours']])
  assert.deepEqual(await verdicts(Buffer.from('text')), [['malformed', 'not-gzip-or-json']])
  assert.deepEqual(await verdicts(Buffer.from('{}')), [['unreadable', 'object-expected']])
  assert.deepEqual(await verdicts(Buffer.alloc(0)), [['malformed', 'empty']])
  const mails = ['r7', 'r8'].map((id) => `From x Thu Jan  1 00:00:00 2026\n${unsignedMail(told(id)).toString()}\n`)
  assert.deepEqual(await verdicts(unsignedMail(told('r7'))), [['accepted', null]])
  assert.deepEqual(await verdicts(Buffer.from(mails.join(''))), [['duplicate', null], ['accepted', null]]) // prettier-ignore
})

test('an upload needs a token of all domains that may write, knows its parameters, and has a size', async () => {
  const body = report('r9')
  assert.equal((await call(api, 'POST', '/v1/submissions', { body, headers: {} })).status, 401)
  assert.equal((await upload(body, '?file=x')).status, 400)
  assert.equal((await upload(body, '?filename=')).status, 400)
  assert.equal((await upload(Buffer.alloc(10 * 1024 * 1024 + 1, 'x'))).status, 413)
  const token = async (members: object) => {
    const { json } = await call(api, 'POST', '/v1/tokens', { body: { name: 'x', ...members } })
    return { authorization: `Bearer ${String(json['token'])}` }
  }
  const reader = await token({ scopes: ['read'], domains: [] })
  const tenant = await token({ scopes: ['read', 'write'], domains: ['ours.example'] })
  const writer = await token({ scopes: ['write'], domains: [] })
  const statuses = [reader, tenant, writer].map(async (headers) => (await call(api, 'POST', '/v1/submissions', { body, headers })).status) // prettier-ignore
  assert.deepEqual(await Promise.all(statuses), [403, 403, 200])
  const key = (await upload(body)).json.data[0]!['key'] as string
  const replays = [reader, tenant, writer].map(async (headers) => (await call(api, 'POST', `/v1/submissions/${key}/replay`, { headers })).status) // prettier-ignore
  assert.deepEqual(await Promise.all(replays), [403, 403, 200])
})

test('a refused submission counts once it is acceptable and judged again, and only once', async () => {
  const { key } = (await upload(report('r10', 'later.example'))).json.data[0]!
  const summary = async () => (await get('/v1/summary?domain=later.example&trust=any')).json.totals['failed']
  const still = await replay(key)
  assert.deepEqual(still.json, { key, verdict: 'not-ours', reason: 'not-ours', reports: [] })
  await putDomain(db, { domain: 'later.example', includeSubdomains: true, mx: [] })
  const { status, json } = await replay(key)
  assert.equal(status, 200)
  const [told] = json['reports'] as { key: string; domain: string; verdict: string }[]
  assert.deepEqual(json, { key, verdict: 'accepted', reason: null, reports: [{ key: told!.key, domain: 'later.example', verdict: 'accepted' }] }) // prettier-ignore
  assert.equal(await summary(), 2)
  assert.deepEqual((await replay(key)).json, json)
  assert.equal(await summary(), 2)
  const submission = (await get(`/v1/submissions/${String(key)}`)).json
  assert.deepEqual([submission['verdict'], submission['reason'], submission['problems'], submission['reports']], ['accepted', null, [], json['reports']]) // prettier-ignore
})

test('what cannot be judged again says why', async () => {
  assert.equal((await replay('none')).status, 404)
  assert.equal((await replay('0199aaaa-0000-7000-8000-000000000000')).status, 404)
  const { key } = (await upload(report('r11'))).json.data[0]!
  await db.query('delete from submission_raw where arrival_key = (select arrival_key from submission where key = $1)', [key]) // prettier-ignore
  const gone = await replay(key)
  assert.deepEqual([gone.status, gone.json.reason], [409, 'raw-expired'])
})
