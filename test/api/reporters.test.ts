import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRecorder } from '../../src/store/recorder.ts'
import { call, noon, startApi, tokenFor } from '../support/api.ts'
import { arrival, newKey } from '../support/arrivals.ts'

const { api, db, get, walk } = await startApi()
const limits = { commitBatch: 100, commitQueue: 1_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })
const days = ['2026-11-14', '2026-11-15', '2026-11-16', '2026-11-17']
for (const day of days) await recorder.record(arrival({ by: 'sender.example', day, reportId: day }, noon))
await recorder.record(arrival({ by: 'google.com', day: '2026-11-20', domains: ['other.example'] }, noon))

const patch = (domain: string, body: unknown, headers?: Record<string, string>) =>
  call(api, 'PATCH', `/v1/reporters/${domain}`, { body, ...(headers && { headers }) })
const failed = async () => (await get('/v1/summary')).json.totals['failed']

test('the list says who reports, how regularly, and who has fallen silent', async () => {
  const { json } = await get('/v1/reporters')
  assert.deepEqual(json.data.map(({ domain, standing, standing_source, overdue, cadence_days, last_seen, reports, successful, failed, organizations }) => ({ domain, standing, standing_source, overdue, cadence_days, last_seen, reports, successful, failed, organizations })), [
    { domain: 'google.com', standing: 'known', standing_source: 'seed', overdue: false, cadence_days: null, last_seen: '2026-11-20', reports: 1, successful: 90, failed: 10, organizations: ['Example Reports'] },
    { domain: 'sender.example', standing: 'new', standing_source: 'default', overdue: true, cadence_days: 1, last_seen: '2026-11-17', reports: 4, successful: 360, failed: 40, organizations: ['Example Reports'] },
  ]) // prettier-ignore
  assert.deepEqual(json.window, { from: '2026-10-23', to: '2026-11-22' })
})

test('pages, filters and spellings are those of the other lists', async () => {
  assert.deepEqual((await walk('/v1/reporters?limit=1')).map(({ domain }) => domain), ['google.com', 'sender.example']) // prettier-ignore
  assert.deepEqual((await get('/v1/reporters?domain=GOOGLE.com.')).json.data.length, 1)
  assert.deepEqual((await get('/v1/reporters?standing=blocked')).json.data, [])
  for (const query of ['standing=x', 'domain=a..b', 'color=red', 'limit=0'])
    assert.equal((await get(`/v1/reporters?${query}`)).status, 400, query)
})

test('a blocked reporter counts for nothing until it is unblocked, and who did it is told', async () => {
  assert.equal(await failed(), 50)
  const blocked = await patch('Sender.Example', { standing: 'blocked' })
  assert.equal(blocked.status, 200)
  const { standing, standing_source, noted_by, noted_at, reports, uncounted_reports } = blocked.json
  assert.deepEqual({ standing, standing_source, noted_by, noted_at, reports, uncounted_reports }, { standing: 'blocked', standing_source: 'operator', noted_by: 'admin', noted_at: noon.toISOString(), reports: 0, uncounted_reports: 4 }) // prettier-ignore
  assert.equal(await failed(), 10)
  const listed = await get('/v1/reports?standing=blocked')
  assert.equal(listed.json.data.length, 4)
  assert.ok(listed.json.data.every(({ counted }) => counted === false))
  assert.equal((await patch('sender.example', { standing: 'known' })).json['standing'], 'known')
  assert.equal(await failed(), 50)
})

test('what is no organisational domain or no standing is refused by name', async () => {
  const host = await patch('mail.sender.example', { standing: 'blocked' })
  assert.deepEqual([host.status, host.json.errors], [400, [{ parameter: 'domain', message: 'must be an organisational domain: sender.example' }]]) // prettier-ignore
  assert.equal((await patch('com', { standing: 'blocked' })).status, 400)
  assert.equal((await patch('sender.example', { standing: 'loved' })).json.errors?.[0]?.pointer, '/standing')
  assert.equal((await patch('sender.example', { standing: 'known', name: 'x' })).status, 400)
  assert.equal((await patch('sender.example', undefined)).status, 400)
})

test('a token of some domains sees who reports about these, and sets no standing', async () => {
  const headers = await tokenFor(db, ['other.example'])
  const { json } = await call(api, 'GET', '/v1/reporters', { headers })
  assert.deepEqual(json.data.map(({ domain }) => domain), ['google.com']) // prettier-ignore
  const refused = await patch('google.com', { standing: 'blocked' }, headers)
  assert.deepEqual([refused.status, refused.json.reason], [403, 'insufficient-domains'])
  const reader = await tokenFor(db, [], ['read'])
  assert.equal((await patch('google.com', { standing: 'blocked' }, reader)).status, 403)
})
