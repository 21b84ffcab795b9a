import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../src/checks/check.ts'
import { keyAt } from '../../src/keys.ts'
import { recordCheck } from '../../src/store/checks.ts'
import { noon, startApi } from '../support/api.ts'
import { aPolicy, aReport, insertReports, type PolicyFact } from '../support/rows.ts'

const { db, get, walk } = await startApi()
const version = (mode: string, given: Partial<PolicyFact> = {}) =>
  aPolicy({ policyMode: mode, policyString: ['version: STSv1', `mode: ${mode}`, 'mx: *.ours.example', 'max_age: 604800'], mxHost: ['*.ours.example'], failed: 1n, ...given }) // prettier-ignore
const dane = aPolicy({ policyType: 'tlsa', policyMode: null, primary: false, policyString: ['3 1 1 abcd'], successful: 5n, policyDomain: 'mx.ours.example' }) // prettier-ignore
const verified = { reporter: 'sender.example', organization: 'Sender' }
await insertReports(db, [
  aReport({ day: '2026-11-17', policies: [version('testing'), dane] }),
  aReport({ day: '2026-11-18', policies: [version('testing')] }),
  aReport({ day: '2026-11-18', ...verified, reporter: 'other.example', organization: 'Other', policies: [version('enforce')] }),
  aReport({ day: '2026-11-19', policies: [version('enforce')] }),
  aReport({ day: '2026-11-20', trust: 'unverified', organization: 'Forger', policies: [version('testing')] }),
  aReport({ day: '2026-11-20', trust: 'unverified', organization: 'Forger', domain: 'web.example', policies: [version('none', { policyString: [], mxHost: [] })] }),
  aReport({ day: '2026-11-20', standing: 'excluded', policies: [version('excluded')] }),
]) // prettier-ignore

test('a version of a policy is told once, with who applied it from when to when', async () => {
  const { json, status } = await get('/v1/policy-versions?domain=ours.example')
  assert.equal(status, 200, json.detail)
  assert.deepEqual(
    json.data.map((row) => [row['policy_type'], row['policy_mode'], row['first_day'], row['last_day'], row['reports']]),
    [
      ['sts', 'enforce', '2026-11-18', '2026-11-19', 2],
      ['sts', 'testing', '2026-11-17', '2026-11-18', 2],
      ['tlsa', null, '2026-11-17', '2026-11-17', 1],
    ],
  )
  assert.deepEqual(json.data[1], {
    domain: 'ours.example',
    policy_domain: 'ours.example',
    policy_type: 'sts',
    policy_mode: 'testing',
    policy_string: ['version: STSv1', 'mode: testing', 'mx: *.ours.example', 'max_age: 604800'],
    mx_host: ['*.ours.example'],
    max_age: 604_800,
    live: null,
    cache_until: '2026-11-25',
    first_day: '2026-11-17',
    last_day: '2026-11-18',
    successful: 20,
    failed: 2,
    reports: 2,
    unverified: { successful: 10, failed: 1, reports: 1 },
    reporters: [
      {
        ...verified,
        trust: 'verified',
        first_day: '2026-11-17',
        last_day: '2026-11-18',
        cache_until: '2026-11-25',
        reports: 2,
      },
      { reporter: null, organization: 'Forger', trust: 'unverified', first_day: '2026-11-20', last_day: '2026-11-20', cache_until: '2026-11-27', reports: 1 }, // prettier-ignore
    ],
  })
  assert.deepEqual([json.data[2]!['max_age'], json.data[2]!['policy_domain']], [null, 'mx.ours.example'])
})

test('by day each day of a version is a row', async () => {
  const { json } = await get('/v1/policy-versions?domain=ours.example&by=day&policy_type=sts')
  const reporters = (row: Record<string, unknown>) => (row['reporters'] as { reporter: string | null }[]).map(({ reporter }) => reporter) // prettier-ignore
  const rows = json.data.map((row) => [row['day'], row['policy_mode'], row['reports'], ...reporters(row)].join(' '))
  assert.deepEqual(rows.toSorted().toReversed(), [
    '2026-11-20 testing 0 ',
    '2026-11-19 enforce 1 sender.example',
    '2026-11-18 testing 1 sender.example',
    '2026-11-18 enforce 1 other.example',
    '2026-11-17 testing 1 sender.example',
  ])
  const days = json.data.map((row) => String(row['day']))
  assert.deepEqual(days, days.toSorted().toReversed())
})

for (const [query, modes] of [
  ['reporter=other.example', ['enforce']],
  ['organization=Forger&domain=ours.example', ['testing']],
  ['policy_mode=', [null]],
  ['policy_mode=none', ['none']],
  ['policy_type=tlsa', [null]],
  ['policy_domain=MX.ours.example', [null]],
  ['trust=unverified&domain=ours.example', ['testing']],
  ['trust=any&domain=ours.example', ['testing', 'enforce', null]],
  ['domain=web.example', ['none']],
  ['domain=none.example', []],
  ['to=2026-11-18', ['testing', null]],
] as const) {
  test(`'${query}' leaves the modes ${modes.join(' ')}`, async () => {
    const { json } = await get(`/v1/policy-versions?${query}`)
    const found = json.data.map((row) => row['policy_mode'])
    assert.deepEqual(new Set(found), new Set(modes))
    assert.equal(found.length, modes.length)
  })
}

test('pages put together are the whole', async () => {
  for (const by of ['version', 'day']) {
    const whole = (await get(`/v1/policy-versions?by=${by}`)).json.data
    assert.deepEqual(await walk(`/v1/policy-versions?by=${by}&limit=1`), whole)
  }
})

test('who applied a policy is told of fifty at most, however many names strangers make up', async () => {
  const named = Array.from({ length: 60 }, (_, i) =>
    aReport({ domain: 'many.example', trust: 'unverified', organization: `O${i}` }),
  )
  await insertReports(db, [...named, aReport({ domain: 'many.example' })])
  const [row] = (await get('/v1/policy-versions?domain=many.example')).json.data
  const reporters = row!['reporters'] as { trust: string }[]
  assert.deepEqual([reporters.length, reporters[0]!.trust], [50, 'verified'])
})

/** The policy of mode enforce, in other words than reports have it. */
const checkOf = (domain: string, at: Date): Check => ({
  domain,
  startedAt: at.toISOString(),
  endedAt: at.toISOString(),
  severity: 'ok',
  findings: [],
  observed: {
    policyHost: { host: `mta-sts.${domain}` },
    policy: { text: 'version: STSv1\r\nmax_age: 604800\r\nmx: *.ours.example\r\nmode: enforce\r\n', sha256: '', fetched: true, valid: true, mx: [] }, // prettier-ignore
  },
})

test('each version is held against the policy that the last check found published', async () => {
  const liveOf = async () => {
    const { json } = await get('/v1/policy-versions?domain=ours.example')
    return json.data.map((row) => [row['policy_mode'], row['live'], row['cache_until']])
  }
  const look = (at: Date) => recordCheck(db, { key: keyAt(at), askedBy: null, check: checkOf('ours.example', at) })
  await look(new Date('2026-11-17T12:00:00Z'))
  assert.deepEqual(
    await liveOf(),
    [['enforce', 'same', '2026-11-26'], ['testing', null, '2026-11-25'], [null, null, null]],
    'what was seen after the check may be the newer one',
  ) // prettier-ignore
  await look(noon)
  assert.deepEqual(await liveOf(), [['enforce', 'same', '2026-11-26'], ['testing', 'older', '2026-11-25'], [null, null, null]]) // prettier-ignore
})
