/** /v1/checks and /v1/records over a resolver that knows a zone, and with nobody to call. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeChecker, type Checker } from '../../src/checker.ts'
import type { Check } from '../../src/checks/check.ts'
import { readConfig } from '../../src/config.ts'
import type { LookUp } from '../../src/dns/look-up.ts'
import { checkWhatIsDue, type DailyChecksDeps } from '../../src/daily-checks.ts'
import { keyAt } from '../../src/keys.ts'
import { makeOwnDomains, putDomain } from '../../src/store/domains.ts'
import { listChecks, recordCheck, takeDailyTurn } from '../../src/store/checks.ts'
import { adminToken, call, noon, product, startApi, tokenFor, type TestApi } from '../support/api.ts'

const admin = { authorization: `Bearer ${adminToken}` }
const missing = { kind: 'missing', reason: 'no-such-name', authenticated: false, aliases: [] } as const

/** TXT records by name; whatever else is asked for is not there. */
const zoneOf =
  (txt: Record<string, string[]>): LookUp =>
  (name, type) =>
    Promise.resolve((type === 'TXT' && txt[name] ? { kind: 'found', records: txt[name], authenticated: false, aliases: [] } : missing) as never) // prettier-ignore

async function checkingApi(
  t: TestContext,
  txt: Record<string, string[]>,
  env: Record<string, string> = {},
): Promise<TestApi> {
  // prettier-ignore
  const config = readConfig({ CHECK_ALLOW_CIDRS: '127.0.0.0/8', ...env })
  let ms = 0
  const checker = await makeChecker(config, { now: () => new Date(noon.getTime() + ms++), nowMs: () => performance.now(), product, lookUp: zoneOf(txt) }) // prettier-ignore
  return startApi({ checker }, t)
}

const post = (api: TestApi, domain: string, headers: Record<string, string> = {}) =>
  call(api.api, 'POST', '/v1/checks', { body: { domain }, headers: { ...admin, ...headers } })

test('a check is made, kept, listed, and told again by its key', async (t) => {
  const api = await checkingApi(t, {})
  const made = await post(api, 'Ours.Example.')
  assert.equal(made.status, 200, made.body)
  assert.equal(made.json['domain'], 'ours.example')
  assert.equal(made.json['asked_by'], 'admin')
  const { json } = await api.get('/v1/checks?domain=ours.example')
  assert.deepEqual(json.data.map(({ key }) => key), [made.json['key']]) // prettier-ignore
  const again = await api.get(`/v1/checks/${made.json['key']}`)
  assert.deepEqual(again.json, made.json)
})

test('what changed since the check before is told as sentences', async (t) => {
  const txt: Record<string, string[]> = { '_mta-sts.ours.example': ['v=STSv1; id=1;'] }
  const api = await checkingApi(t, txt)
  const first = await post(api, 'ours.example')
  assert.deepEqual(first.json['changes'], [])
  txt['_mta-sts.ours.example'] = ['v=STSv1; id=2;']
  const second = await post(api, 'ours.example')
  assert.equal(second.json['previous_key'], first.json['key'])
  assert.match(JSON.stringify(second.json['changes']), /id changed from 1 to 2/)
})

test('whoever wants to watch is sent the steps as events, and the check at last', async (t) => {
  const api = await checkingApi(t, {})
  const { headers, body } = await post(api, 'ours.example', { accept: 'text/event-stream' })
  assert.match(String(headers['content-type']), /^text\/event-stream/)
  const events = body.trim().split('\n\n').map((event) => /^event: (.+)\ndata: (.+)$/.exec(event)!.slice(1)) // prettier-ignore
  assert.equal(events.at(-1)![0], 'check')
  assert.deepEqual(JSON.parse(events[0]![1]!), { step: 'sts-record', subject: '_mta-sts.ours.example', state: 'begun' })
  assert.equal((JSON.parse(events.at(-1)![1]!) as { domain: string }).domain, 'ours.example')
})

test('what is no domain is refused by name, and asking too often has to wait', async (t) => {
  const api = await checkingApi(t, {}, { LIMITS: '{"checksPerMinute":2}' })
  for (const domain of ['localhost', '127.0.0.1', '2130706433', 'com', 'a b.example', '-'])
    assert.equal((await post(api, domain)).status, 400, domain)
  assert.deepEqual((await post(api, 'co.uk')).json['errors'], [{ pointer: '/domain', message: 'is a public suffix, below which others have their domains' }]) // prettier-ignore
  const records = await api.get('/v1/records/localhost')
  assert.deepEqual([records.status, records.json['errors']], [400, [{ parameter: 'domain', message: 'must be a full domain name, such as example.com' }]]) // prettier-ignore
  assert.equal((await post(api, 'a.example')).status, 200)
  assert.equal((await post(api, 'b.example')).status, 200)
  const third = await post(api, 'c.example')
  assert.equal(third.status, 429)
  assert.ok(Number(third.headers['retry-after']) > 0)
})

test("another tenant's domain is as if it were not there, and so are its checks", async (t) => {
  const api = await checkingApi(t, {})
  const made = await post(api, 'theirs.example')
  const headers = await tokenFor(api.db, ['ours.example'])
  const ask = (method: 'GET' | 'POST', url: string, payload?: object) => call(api.api, method, url, { headers, body: payload }) // prettier-ignore
  assert.deepEqual((await ask('GET', '/v1/checks')).json.data, [])
  assert.equal((await ask('GET', `/v1/checks/${made.json['key']}`)).status, 404)
  assert.equal((await ask('POST', '/v1/checks', { domain: 'theirs.example' })).status, 404)
  assert.equal((await ask('GET', '/v1/records/theirs.example')).status, 404)
  assert.equal((await ask('POST', '/v1/checks', { domain: 'ours.example' })).status, 200)
})

test('what to publish names the addresses of this instance', async (t) => {
  const api = await checkingApi(t, {}, { RUA_ADDRESSES: 'reports@rua.example', INTAKE_URL: 'https://rua.example/v1/tlsrpt' }) // prettier-ignore
  const { status, json, body } = await api.get('/v1/records/ours.example')
  assert.equal(status, 200, body)
  const records = json['records'] as { name: string; value: string; matches: boolean }[]
  const tlsrpt = records.find(({ name }) => name === '_smtp._tls.ours.example')
  assert.equal(tlsrpt?.value, 'v=TLSRPTv1; rua=mailto:reports@rua.example,https://rua.example/v1/tlsrpt')
  assert.equal(tlsrpt.matches, false)
})

const checkOf = (domain: string, at: Date): Check => {
  const instant = at.toISOString()
  return { domain, startedAt: instant, endedAt: instant, severity: 'ok', findings: [], observed: { policyHost: { host: `mta-sts.${domain}` } } } // prettier-ignore
}

function dailyDeps({ db }: TestApi, checkPatiently: Checker['checkPatiently'], now: Date): DailyChecksDeps {
  const log = { info: () => undefined, error: (context: unknown) => assert.fail(String(context)) }
  return { db, checker: { checkPatiently }, ownDomains: makeOwnDomains(db, [], false, () => now), newKey: keyAt, now: () => now, isReady: () => true, log } // prettier-ignore
}

test('each domain of ours has its turn once a day, and of two instances one takes it', async (t) => {
  const api = await checkingApi(t, {})
  for (const domain of ['a.example', 'b.example', 'c.example'])
    await putDomain(api.db, { domain, includeSubdomains: true, mx: [] })
  const checked: string[] = []
  const run = (now: Date) => {
    const checkOne = (domain: string) => {
      checked.push(domain)
      return Promise.resolve(checkOf(domain, now))
    }
    return checkWhatIsDue(
      dailyDeps(api, () => checkOne, now),
      new AbortController().signal,
    )
  }
  await Promise.all([run(noon), run(noon)])
  assert.deepEqual(checked.sort(), ['a.example', 'b.example', 'c.example'])
  await run(new Date(noon.getTime() + 60 * 60 * 1000))
  assert.equal(checked.length, 3)
  await run(new Date(noon.getTime() + 24 * 60 * 60 * 1000))
  assert.equal(checked.length, 6)
})

test('of each domain the hundred newest checks are kept', async (t) => {
  const api = await checkingApi(t, {})
  for (let i = 0; i < 103; i++) {
    const at = new Date(noon.getTime() - 1_000_000 + i * 1000)
    await recordCheck(api.db, { key: keyAt(at), askedBy: null, check: checkOf('ours.example', at) })
  }
  const rows = await api.walk('/v1/checks?limit=50')
  assert.equal(rows.length, 100)
})

test('a daily check that is given up keeps nothing, and its domain has its turn again', async (t) => {
  const api = await checkingApi(t, {})
  await putDomain(api.db, { domain: 'a.example', includeSubdomains: true, mx: [] })
  const ending = new AbortController()
  const slow: Checker['checkPatiently'] = (signal) => async (domain) => {
    await sleep(0).then(() => ending.abort())
    assert.ok(signal.aborted)
    return checkOf(domain, noon)
  }
  await checkWhatIsDue(dailyDeps(api, slow, noon), ending.signal)
  assert.deepEqual((await api.get('/v1/checks')).json.data, [])
  assert.equal(await takeDailyTurn(api.db, ['a.example'], noon), 'a.example')
})

test('checks of the same millisecond are in the order in which they were made', async (t) => {
  const api = await checkingApi(t, {})
  const keys = Array.from({ length: 50 }, () => keyAt(noon))
  for (const key of keys) await recordCheck(api.db, { key, askedBy: null, check: checkOf('ours.example', noon) })
  const window = { from: '2026-01-01', to: '2027-01-01' }
  const listed = await listChecks(api.db, { window, filters: {}, visible: undefined, limit: 100 }, undefined)
  assert.deepEqual(listed.map(({ key }) => key).reverse(), keys) // prettier-ignore
})
