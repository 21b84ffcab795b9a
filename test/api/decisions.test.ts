import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRecorder } from '../../src/store/recorder.ts'
import { call, noon, startApi, tokenFor } from '../support/api.ts'
import { arrival, newKey } from '../support/arrivals.ts'

const { api, db, get } = await startApi()
const limits = { commitBatch: 100, commitQueue: 1_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })

async function tell(telling: Parameters<typeof arrival>[0]): Promise<string> {
  const [outcome] = await recorder.record(arrival(telling, noon))
  assert.ok(outcome && 'reports' in outcome)
  return outcome.reports[0]!.key
}
const decide = (key: string, word: string, body?: unknown, headers?: Record<string, string>) =>
  call(api, 'POST', `/v1/reports/${key}/${word}`, { body, ...(headers && { headers }) })
const undecide = (key: string) => call(api, 'DELETE', `/v1/reports/${key}/decision`)
const totals = async (domain: string) =>
  (await get(`/v1/summary?domain=${domain}&from=2026-03-01&to=2026-03-02&trust=any`)).json.totals['failed']

test('an excluded report leaves the numbers, says who excluded it, when and why, and comes back', async () => {
  const key = await tell({ by: 'sender.example', domains: ['one.example'] })
  assert.equal(await totals('one.example'), 10)
  const excluded = await decide(key, 'exclude', { reason: 'a test of theirs' })
  assert.equal(excluded.status, 200)
  const decision = { word: 'exclude', by: 'admin', at: noon.toISOString(), reason: 'a test of theirs' }
  assert.deepEqual([excluded.json['standing'], excluded.json['counted'], excluded.json['decision']], ['excluded', false, decision]) // prettier-ignore
  assert.equal(await totals('one.example'), 0)
  const [listed] = (await get('/v1/reports?domain=one.example&from=2026-03-01&to=2026-03-02')).json.data
  assert.deepEqual(listed?.['decision'], decision)
  const undecided = await undecide(key)
  assert.deepEqual([undecided.status, undecided.json['standing'], undecided.json['decision']], [200, 'counted', null])
  assert.equal(await totals('one.example'), 10)
})

test('one of two reports that disagree counts when it is included', async () => {
  const key = await tell({ domains: ['two.example'] })
  await tell({ domains: ['two.example'], failed: 20 })
  assert.equal(await totals('two.example'), 0)
  assert.equal((await decide(key, 'include')).json['standing'], 'counted')
  assert.equal(await totals('two.example'), 10)
})

test('what would make a total larger than a total can be is not included, and nothing moves', async () => {
  await tell({ by: 'sender.example', domains: ['huge.example'], reportId: 'r1' })
  const key = await tell({ by: 'sender.example', domains: ['huge.example'], reportId: 'r2', implausible: true })
  await db.query(`update day_total set failed = ${2n ** 63n - 5n} where domain = 'huge.example' and failed > 0`)
  const refused = await decide(key, 'include')
  assert.deepEqual([refused.status, refused.json['reason']], [409, 'total-too-large'])
  const { json } = await get(`/v1/reports/${key}`)
  assert.deepEqual([json['standing'], json['decision']], ['implausible', null])
})

test('the decision bears the name of the token, which sees only its domains', async () => {
  const key = await tell({ by: 'sender.example', domains: ['three.example'] })
  const mine = await tokenFor(db, ['three.example'])
  const theirs = await tokenFor(db, ['one.example'])
  const { by } = (await decide(key, 'exclude', {}, mine)).json['decision'] as { by: string }
  assert.equal(by, 'of a test')
  const foreign = await decide(key, 'include', {}, theirs)
  const unknown = await decide(newKey(noon), 'include', {}, theirs)
  const plain = ({ json }: typeof foreign) => ({ ...json, request_id: '' })
  assert.deepEqual([foreign.status, plain(foreign)], [404, plain(unknown)])
  assert.equal((await decide(key, 'include', {}, await tokenFor(db, [], ['read']))).status, 403)
})

test('what is no key, no report or no reason is refused', async () => {
  assert.equal((await decide('none', 'exclude')).status, 404)
  assert.equal((await undecide(newKey(noon))).status, 404)
  const key = await tell({ by: 'sender.example', domains: ['four.example'] })
  assert.equal((await decide(key, 'forget')).status, 404)
  assert.equal((await decide(key, 'exclude', { why: 'x' })).json.errors?.[0]?.pointer, '/why')
  assert.equal((await decide(key, 'exclude', { reason: 'a\0b' })).json.errors?.[0]?.pointer, '/reason')
  assert.equal((await decide(key, 'exclude', { reason: 'x'.repeat(1_001) })).status, 400)
  assert.equal(await totals('four.example'), 10)
})
