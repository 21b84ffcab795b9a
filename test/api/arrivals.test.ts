import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRecorder } from '../../src/store/recorder.ts'
import { call, startApi, tokenFor } from '../support/api.ts'
import { arrival, judgedArrival, later, newKey } from '../support/arrivals.ts'

const now = () => later(3_600)
const { api, db, get } = await startApi({ now })
const limits = { commitBatch: 100, commitQueue: 1_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })
const by = 'sender.example'
const raw = (size: number) => ({ raw: Buffer.alloc(size) })
const day = 86_400

await recorder.record(arrival({ by, reportId: 'a', domains: ['a.example'] }, later(0), raw(100)))
await recorder.record(arrival({ by, reportId: 'a', domains: ['a.example'] }, later(1), raw(100)))
await recorder.record(arrival({ reportId: 'b', domains: ['b.example'] }, later(2), raw(20)))
await recorder.record(arrival([{ by, reportId: 'p1', domains: ['a.example'] }, { by, reportId: 'p2', domains: ['b.example'] }], later(3), raw(1_000))) // prettier-ignore
await recorder.record(arrival([{ by, reportId: 'o1', domains: ['b.example'] }, { by, reportId: 'o2', domains: ['b.example'] }], later(-day), raw(3_000))) // prettier-ignore
const refusal = { kind: 'not-ours' as const, reason: 'not-ours', problems: [] }
await recorder.record(judgedArrival([{ judgement: refusal, dkim: [] }], later(4), raw(7)))

type Count = { day: string; transport: string; verdict: string; reason: string | null; count: number; bytes: number }
const ask = async (query = '', headers?: Record<string, string>) => {
  const { json, status } = await call(api, 'GET', `/v1/arrivals?${query}`, headers ? { headers } : {})
  assert.equal(status, 200, json.detail)
  return (json.data as Count[]).map((row) => [row.day, row.transport, row.verdict, row.reason, row.count, row.bytes])
}

test('arrivals are counted by day, transport, verdict and reason, and bytes once for each mail', async () => {
  assert.deepEqual(await ask(), [
    ['2026-03-02', 'https', 'accepted', null, 1, 20],
    ['2026-03-02', 'https', 'not-ours', 'not-ours', 1, 7],
    ['2026-03-02', 'smtp', 'accepted', null, 3, 1_100],
    ['2026-03-02', 'smtp', 'duplicate', null, 1, 0],
    ['2026-03-01', 'smtp', 'accepted', null, 2, 3_000],
  ])
})

test('the counts add up to all submissions that are listed', async () => {
  const headers = await tokenFor(db, ['a.example'])
  for (const as of [undefined, headers]) {
    for (const query of ['', 'domain=b.example', 'to=2026-03-02', 'domain=none.example']) {
      const url = `/v1/submissions?limit=500&${query}`
      const listed = (await call(api, 'GET', url, as ? { headers: as } : {})).json.data.length
      assert.equal((await ask(query, as)).reduce((sum, row) => sum + Number(row[4]), 0), listed, query) // prettier-ignore
    }
  }
})

test('by domain a mail about several has its bytes once', async () => {
  assert.deepEqual(await ask('domain=b.example&from=2026-03-02'), [
    ['2026-03-02', 'https', 'accepted', null, 1, 20],
    ['2026-03-02', 'smtp', 'accepted', null, 1, 1_000],
  ])
  assert.deepEqual(await ask('domain=a.example&domain=b.example&to=2026-03-02'), [
    ['2026-03-01', 'smtp', 'accepted', null, 2, 3_000],
  ])
})

test('193: of what is about another’s domain as well not even the size is told', async () => {
  assert.deepEqual(await ask('', await tokenFor(db, ['a.example'])), [
    ['2026-03-02', 'smtp', 'accepted', null, 2, 100],
    ['2026-03-02', 'smtp', 'duplicate', null, 1, 0],
  ])
  assert.deepEqual(await ask('domain=b.example', await tokenFor(db, ['a.example'])), [])
})

test('a parameter that is wrong is named', async () => {
  assert.equal((await get('/v1/arrivals?from=soon')).json.errors?.[0]?.parameter, 'from')
  assert.equal((await get('/v1/arrivals?limit=1')).json.errors?.[0]?.parameter, 'limit')
})
