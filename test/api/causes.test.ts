import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../src/checks/check.ts'
import { finding } from '../../src/checks/findings/finding.ts'
import type { FindingCode } from '../../src/checks/findings/codes.ts'
import { keyAt } from '../../src/keys.ts'
import { recordCheck } from '../../src/store/checks.ts'
import { resultTypes } from '../../src/tlsrpt/result-types.ts'
import { call, startApi, tokenFor } from '../support/api.ts'
import { aDetail, aPolicy, aReport, insertReports } from '../support/rows.ts'

const { api, db, get, walk } = await startApi()
const failing = (details: ReturnType<typeof aDetail>[]) => [aPolicy({ failed: 20n, details })]
await insertReports(db, [
  aReport({ day: '2026-11-19', policies: failing([aDetail(), aDetail({ resultType: 'sts-policy-invalid', receivingMxHostname: null, failed: 90n })]) }),
  aReport({ day: '2026-11-20', policies: failing([aDetail({ failureReasonCode: 'X509_V_ERR_CERT_HAS_EXPIRED' })]) }),
  aReport({ day: '2026-11-20', domain: 'web.example', trust: 'unverified', organization: 'Hosting', policies: failing([aDetail({ resultType: 'made-up', receivingMxHostname: null })]) }),
  aReport({ day: '2026-10-20', domain: 'old.example', policies: failing([aDetail()]) }),
]) // prettier-ignore

test('a cause has its sentence, its meaning and its fix beside its numbers', async () => {
  const { status, json } = await get('/v1/causes?domain=OURS.example.')
  assert.equal(status, 200)
  assert.deepEqual(json.window, { from: '2026-10-23', to: '2026-11-22' })
  const { meaning, fix } = resultTypes.find(({ name }) => name === 'certificate-expired')!
  assert.deepEqual(json.data[0], {
    domain: 'ours.example',
    result_type: 'certificate-expired',
    receiving_mx_hostname: 'mx1.ours.example',
    headline:
      'MX mx1.ours.example presents an expired certificate since 19 November 2026; 1 sender, 6 sessions; delivered all the same; under enforce this mail would be refused',
    because: 'The reason given is "X509_V_ERR_CERT_HAS_EXPIRED", that is: the certificate has expired.',
    live: null,
    ongoing: true,
    since: '2026-11-19',
    until: '2026-11-20',
    first_seen: '2026-11-19',
    last_seen: '2026-11-20',
    enforce_refuses: true,
    meaning,
    fix,
    failed: 6,
    failed_by_policy_type: { sts: 6 },
    reports: 2,
    reporters: 1,
    unverified: { failed: 0, reports: 0 },
    trust: 'verified',
    sessions: 6,
    reporter_domains: ['sender.example'],
    organizations: [],
    reason_codes: [{ failure_reason_code: 'X509_V_ERR_CERT_HAS_EXPIRED', failed: 3 }],
    policy_types: ['sts'],
    policy_modes: ['testing'],
  })
  assert.equal(
    json.data[1]?.['headline'],
    'The MTA-STS policy of ours.example was not valid on 19 November 2026; 1 sender, 90 sessions; mail was delivered all the same',
  )
  assert.equal(json.data.length, 2)
})

test('of a sender’s own word there is no meaning, and of what nobody verified the sentence says so', async () => {
  const { json } = await get('/v1/causes?domain=web.example')
  const [row] = json.data
  assert.deepEqual([row!['enforce_refuses'], row!['meaning'], row!['fix']], [null, null, null])
  assert.deepEqual([row!['trust'], row!['failed'], row!['unverified']], ['unverified', 0, { failed: 3, reports: 1 }])
  assert.equal(
    row!['headline'],
    'An MX of web.example fails with "made-up" since 20 November 2026; 3 sessions in 1 report, none verified',
  )
})

for (const [query, count] of [
  ['', 3],
  ['domain=ours.example&domain=web.example', 3],
  ['domain=none.example', 0],
  ['result_type=Certificate-Expired', 1],
  ['receiving_mx_hostname=', 2],
  ['receiving_mx_hostname=MX1.ours.example', 1],
  ['trust=unverified', 1],
  ['trust=any', 3],
  ['from=2026-10-01', 4],
  ['to=2026-11-20', 2],
] as const) {
  test(`'${query}' leaves ${count} causes`, async () => {
    const { json, status } = await get(`/v1/causes?${query}`)
    assert.equal(status, 200, json.detail)
    assert.equal(json.data.length, count)
  })
}

test('pages put together are the whole', async () => {
  const whole = (await get('/v1/causes')).json.data
  assert.deepEqual(await walk('/v1/causes?limit=1'), whole)
  assert.deepEqual(await walk('/v1/causes?limit=2'), whole)
})

test('every count of a cause leads to its rows', async () => {
  const { json } = await get('/v1/causes?domain=ours.example&result_type=certificate-expired')
  const [row] = json.data
  const filters = 'domain=ours.example&result_type=certificate-expired&receiving_mx_hostname=mx1.ours.example'
  const failures = (await get(`/v1/failures?${filters}`)).json.data
  assert.equal(failures.reduce((sum, failure) => sum + Number(failure['failed_session_count']), 0), row!['failed']) // prettier-ignore
  assert.equal((await get(`/v1/reports?${filters}`)).json.data.length, row!['reports'])
  const [sum] = (await get(`/v1/summary?group_by=domain,result_type,receiving_mx_hostname&${filters}`)).json.data
  assert.equal(sum!['failed'], row!['failed'])
})

/** What checks found of this domain, at six in the morning of days in November 2026. */
async function looked(domain: string, days: Record<number, [FindingCode, string][]>, mx: string[]): Promise<void> {
  for (const [day, found] of Object.entries(days)) {
    const at = new Date(`2026-11-${day}T06:00:00Z`)
    const findings = found.map(([code, subject]) => finding(code, subject, 'A sentence.'))
    const hosts = mx.map((host) => ({
      host,
      preference: 10,
      patterns: [],
      enforce: 'delivers' as const,
      addresses: [],
    }))
    const observed = { policyHost: { host: `mta-sts.${domain}` }, mx: hosts }
    const check: Check = { domain, startedAt: at.toISOString(), endedAt: at.toISOString(), severity: 'ok', findings, observed } // prettier-ignore
    await recordCheck(db, { key: keyAt(at), askedBy: null, check })
  }
}

const liveOf = async (domain: string) => (await get(`/v1/causes?domain=${domain}`)).json.data.map((row) => row['live']) // prettier-ignore

test('the checks of the domain say whether it is still so, and since when not', async () => {
  const host = 'mx1.seen.example'
  const fault: [FindingCode, string] = ['mx-certificate-expired', `${host} [192.0.2.1]`]
  const details = [aDetail({ receivingMxHostname: host })]
  await insertReports(db, [aReport({ day: '2026-11-18', domain: 'seen.example', policies: failing(details) })])
  assert.deepEqual(await liveOf('seen.example'), [null])
  await looked('seen.example', { 18: [fault], 19: [fault], 20: [fault] }, [host])
  const [broken] = (await liveOf('seen.example')) as [Record<string, unknown>]
  assert.deepEqual([broken['state'], broken['since'], broken['checked_at']], ['still-broken', null, '2026-11-20T06:00:00.000Z']) // prettier-ignore
  await looked('seen.example', { 21: [] }, [host])
  const [fixed] = (await liveOf('seen.example')) as [Record<string, unknown>]
  assert.deepEqual([fixed['state'], fixed['since']], ['fixed', '2026-11-21'])
})

test('STARTTLS that is missing from one network, while others succeed and the check is clean, is suspicious', async () => {
  const host = 'mx1.odd.example'
  const detail = (ip: string) => aDetail({ resultType: 'starttls-not-supported', receivingMxHostname: host, sendingMtaIp: ip }) // prettier-ignore
  const told = (reporter: string, policies: ReturnType<typeof aPolicy>[], day = '2026-11-20') => aReport({ day, domain: 'odd.example', reporter, policies }) // prettier-ignore
  await looked('odd.example', { 10: [], 21: [] }, [host])
  await insertReports(db, [told('one.example', failing([detail('192.0.2.1'), detail('192.0.2.77')])), told('two.example', [aPolicy()])]) // prettier-ignore
  const stateOf = async () => ((await liveOf('odd.example')) as { state: string }[]).map(({ state }) => state)
  assert.deepEqual(await stateOf(), ['suspicious'])
  await insertReports(db, [told('one.example', failing([detail('198.51.100.1')]), '2026-11-19')])
  assert.deepEqual(await stateOf(), ['cannot-be-reproduced'], 'it comes from two networks now')
})

test('the policy that it failed under says which line is missing', async () => {
  const policyString = ['version: STSv1', 'mode: testing', 'mx: *.deep.example', 'max_age: 86400']
  const details = [aDetail({ resultType: 'validation-failure', receivingMxHostname: 'a.b.deep.example', failureReasonCode: 'MX_HOSTS_MISMATCH' })] // prettier-ignore
  await insertReports(db, [aReport({ domain: 'deep.example', policies: [aPolicy({ policyString, failed: 3n, details })] })]) // prettier-ignore
  const { json } = await get('/v1/causes?domain=deep.example')
  assert.equal(
    json.data[0]!['because'],
    'The policy that it failed under lists "*.deep.example", which stands for exactly one label in place of the asterisk: "a.b.deep.example" is a label too long. The reason given is "MX_HOSTS_MISMATCH", that is: the MX host is not one that the MTA-STS policy lists.',
  )
})

test('a tenant is told the proof of its own domains and of no other', async () => {
  const headers = await tokenFor(db, ['seen.example'], ['read'])
  const ask = async (query: string) => (await call(api, 'GET', `/v1/causes${query}`, { headers })).json.data
  assert.deepEqual((await ask('')).map(({ domain, live }) => [domain, (live as { state: string }).state]), [['seen.example', 'fixed']]) // prettier-ignore
  assert.deepEqual(await ask('?domain=odd.example'), [])
})
