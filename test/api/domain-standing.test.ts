import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { aDetail, aPolicy, aReport, insertReports, type ReportFact } from '../support/rows.ts'

const names = ['fine', 'failing', 'recovered', 'silent', 'older', 'none', 'web', 'both', 'unexplained', 'dane', 'untold', 'quiet'] // prettier-ignore
const environment = names.map((name) => ({ domain: `${name}.example`, includeSubdomains: true, mx: [] }))
const { db, get } = await startApi({ environment })

const said = (domain: string, day: string, failed: bigint, given: Partial<ReportFact> = {}): ReportFact =>
  aReport({
    domain: `${domain}.example`,
    day,
    policies: [aPolicy({ failed, details: failed > 0n ? [aDetail({ failed })] : [] })],
    ...given,
  })
const unverified = { trust: 'unverified', reporter: null } as const
const dane = (failed: bigint) => [
  aPolicy(),
  aPolicy({ policyType: 'tlsa', policyMode: null, primary: false, failed, details: [aDetail({ resultType: 'tlsa-invalid', failed })] }),
] // prettier-ignore

await insertReports(db, [
  said('fine', '2026-11-19', 0n),
  said('fine', '2026-11-20', 0n, { policies: [aPolicy({ policyMode: 'enforce' })] }),
  said('failing', '2026-10-20', 4n),
  said('failing', '2026-11-19', 4n),
  said('failing', '2026-11-20', 2n),
  said('recovered', '2026-11-18', 4n),
  said('recovered', '2026-11-20', 0n),
  said('silent', '2026-11-16', 0n),
  said('silent', '2026-11-17', 1n),
  said('quiet', '2026-11-18', 0n),
  said('older', '2026-09-17', 1n),
  said('web', '2026-11-20', 2n, { ...unverified }),
  said('both', '2026-11-20', 0n),
  said('both', '2026-11-21', 900n, { ...unverified }),
  said('unexplained', '2026-11-18', 3n),
  said('unexplained', '2026-11-20', 0n, { policies: [aPolicy({ failed: 7n })] }),
  said('dane', '2026-11-19', 0n, { policies: dane(0n) }),
  said('dane', '2026-11-20', 0n, { policies: dane(6n) }),
  said('untold', '2026-11-19', 0n, { policies: dane(6n) }),
  said('untold', '2026-11-20', 0n, { policies: dane(6n).map((policy) => ({ ...policy, failed: 0n })) }),
])

const ask = async (name: string, query = '') => (await get(`/v1/domains/${name}.example?${query}`)).json
const cause = (failed: number, since: string, ongoing: boolean) => ({ result_type: 'certificate-expired', receiving_mx_hostname: 'mx1.ours.example', failed, since, ongoing }) // prettier-ignore

for (const [name, state, trust, top, headline] of [
  ['fine', 'healthy', 'verified', null, /^All 20 sessions with fine\.example succeeded$/],
  ['failing', 'failing', 'verified', cause(6, '2026-10-20', true), /^MX mx1\.ours\.example presents an expired certificate since 20 October 2026; 1 sender, 6 sessions; delivered all the same/],
  ['recovered', 'healthy', 'verified', cause(4, '2026-11-18', false), /^Nothing failed by the last reports; before that: MX mx1\.ours\.example presented an expired certificate on 18 November 2026; /],
  ['silent', 'silent', 'verified', cause(1, '2026-11-17', true), /^No report on silent\.example for 4 days, since 17 November 2026; the last ones said: MX mx1/],
  ['quiet', 'healthy', 'verified', null, /^All 10 sessions with quiet\.example succeeded$/],
  ['older', 'silent', 'verified', null, /^No report on older\.example for 65 days, since 17 September 2026$/],
  ['none', 'no-reports', null, null, /^No report on none\.example yet: /],
  ['web', 'failing', 'unverified', cause(2, '2026-11-20', true), /; 2 sessions in 1 report, none verified; /],
  ['both', 'healthy', 'verified', null, /^All 10 sessions with both\.example succeeded$/],
  ['unexplained', 'failing', 'verified', cause(3, '2026-11-18', false), /^7 sessions with unexplained\.example failed on 20 November 2026, and no report says how$/],
  ['dane', 'failing', 'verified', { result_type: 'tlsa-invalid', receiving_mx_hostname: 'mx1.ours.example', failed: 0, since: '2026-11-20', ongoing: true }, /, 6 sessions; DANE is always enforced, so this mail is refused$/],
  ['untold', 'healthy', 'verified', { result_type: 'tlsa-invalid', receiving_mx_hostname: 'mx1.ours.example', failed: 0, since: '2026-11-19', ongoing: false }, /^Nothing failed by the last reports; before that: MX/],
] as const) {
  test(`${name}.example is ${state}, by ${trust ?? 'no'} reports`, async () => {
    const json = await ask(name)
    assert.deepEqual([json['state'], json['trust'], json['top_cause']], [state, trust, top])
    assert.match(String(json['headline']), headline)
  })
} // prettier-ignore

test('the policies that senders applied are those seen last first', async () => {
  const { policy_modes, policy_types } = await ask('fine')
  assert.deepEqual([policy_modes, policy_types], [['enforce', 'testing'], ['sts']])
  assert.deepEqual((await ask('dane'))['policy_types'], ['sts', 'tlsa'])
  assert.deepEqual((await ask('older'))['policy_modes'], [])
})

test('in a window of the past a domain stood as it stood then', async () => {
  const past = await ask('failing', 'from=2026-10-10&to=2026-10-22')
  assert.deepEqual([past['state'], past['top_cause']], ['failing', cause(4, '2026-10-20', true)])
  assert.equal((await ask('failing', 'from=2026-10-10&to=2026-10-25'))['state'], 'silent')
  assert.equal((await ask('recovered', 'to=2026-11-19'))['state'], 'failing')
  const before = await ask('fine', 'from=2026-10-10&to=2026-10-22')
  assert.deepEqual([before['state'], before['headline']], ['silent', 'No report on fine.example in this time'])
})

test('the list says of each domain what its own page says', async () => {
  const { json } = await get('/v1/domains')
  assert.equal(json.data.length, names.length)
  for (const row of json.data) assert.deepEqual(row, (await get(`/v1/domains/${String(row['domain'])}`)).json)
})
