import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRecorder } from '../../src/store/recorder.ts'
import { startApi } from '../support/api.ts'
import { arrival, arrivedAt, judgedArrival, newKey, later } from '../support/arrivals.ts'

const { db, get, walk } = await startApi({ now: () => later(3_600) })
const limits = { commitBatch: 100, commitQueue: 1_000, unverifiedReportsPerDomainAndDay: 1_000 }
const recorder = makeRecorder(db, { limits, newKey })

const mail = Buffer.from('From: reports@sender.example\r\n\r\nhello \xff\0', 'latin1')
const gzip = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0])
const verified = arrival({ by: 'sender.example', reportId: 'a', contactInfo: 'reports@sender.example' }, arrivedAt, {
  raw: mail,
  form: 'message',
})
const posted = arrival({ reportId: 'b', day: '2026-02-28', domains: ['example.org', 'example.net'] }, later(1), {
  raw: gzip,
})
const contested = [arrival({ reportId: 'c', failed: 1 }, later(2)), arrival({ reportId: 'c', failed: 2 }, later(3))]
const refused = judgedArrival(
  [
    {
      judgement: {
        kind: 'unreadable',
        reason: 'report-invalid',
        problems: [{ code: 'missing', pointer: '/report-id', message: 'is missing' }],
      },
      dkim: [
        {
          result: 'pass',
          domain: 'sender.example',
          selector: 's',
          algorithm: 'rsa-sha256',
          keyBits: 2048,
          unacceptable: [],
          signedHeaders: ['from'],
        },
      ],
    },
  ],
  later(4),
  { raw: Buffer.from('{}') },
)
const [of] = await recorder.record(verified)
const [ofPost] = await recorder.record(posted)
for (const one of contested) await recorder.record(one)
const [ofRefused] = await recorder.record(refused)
const [ofRepeat] = await recorder.record(verified)

const reportKey = of?.kind === 'accepted' ? of.reports[0]!.key : ''
const keyOf = (outcome: typeof of) => (outcome && 'submissionKey' in outcome ? outcome.submissionKey : '')

test('a report row says whose it is, who said so, whether it counts and what it sums up to', async () => {
  const { json } = await get('/v1/reports?reporter=sender.example')
  assert.deepEqual(json.data, [
    {
      key: reportKey,
      domain: 'example.org',
      day: '2026-03-01',
      organization: 'Example Reports',
      contact_info: 'reports@sender.example',
      reporter: 'sender.example',
      trust: 'verified',
      standing: 'counted',
      counted: true,
      report_id: 'a',
      start_datetime: '2026-03-01T00:00:00.000Z',
      end_datetime: '2026-03-01T23:59:59.000Z',
      arrived_at: '2026-03-02T05:00:00.000Z',
      transport: 'smtp',
      successful: 90,
      failed: 10,
      failed_by_policy_type: { sts: 10, tlsa: 0 },
      anomalies: [],
      submission_key: keyOf(of),
      decision: null,
    },
  ])
})

for (const [query, ids] of [
  ['', ['a', 'b', 'b', 'c', 'c']],
  ['domain=example.net', ['b']],
  ['policy_domain=mx.example.net', ['b']],
  ['policy_domain=none.example', []],
  ['trust=verified', ['a']],
  ['trust=unverified&domain=example.org', ['b', 'c', 'c']],
  ['standing=contested', ['c', 'c']],
  ['standing=contested&standing=counted&domain=example.org', ['a', 'b', 'c', 'c']],
  ['report_id=b&report_id=a', ['a', 'b', 'b']],
  ['transport=smtp', ['a']],
  ['organization=Example%20Reports&reporter=', ['b', 'b', 'c', 'c']],
  ['organization=', []],
  ['from=2026-02-28&to=2026-03-01', ['b', 'b']],
] as const) {
  test(`/v1/reports?${query} finds ${ids.join(', ') || 'none'}`, async () => {
    const { json } = await get(`/v1/reports?${query}`)
    assert.deepEqual(json.data.map((row) => row['report_id']).sort(), ids)
  })
}

test('pages of reports are newest day first, without loss or repeat', async () => {
  const whole = (await get('/v1/reports')).json.data
  assert.equal((await get('/v1/reports?limit=2')).json.data.length, 2)
  assert.deepEqual(await walk('/v1/reports?limit=2'), whole)
  assert.deepEqual(whole.map((row) => row['day']), ['2026-03-01', '2026-03-01', '2026-03-01', '2026-02-28', '2026-02-28']) // prettier-ignore
})

test('a report by its key tells its policies and what failed under each', async () => {
  const { json } = await get(`/v1/reports/${reportKey}`)
  assert.equal(json['report_id'], 'a')
  const detail = { receiving_mx_helo: null, additional_information: null, failure_reason_code: null }
  assert.deepEqual(json['policies'], [
    {
      policy_type: 'sts',
      policy_domain: 'example.org',
      policy_mode: 'enforce',
      policy_string: ['version: STSv1', 'mode: enforce', String.raw`note: "a, {b}" \ c`],
      mx_host: ['*.example.org'],
      primary: true,
      successful: 90,
      failed: 10,
      unattributed_failed: -1,
      failure_details: [
        { ...detail, result_type: 'certificate-expired', sending_mta_ip: '2001:db8::1', receiving_mx_hostname: null, receiving_ip: null, failed_session_count: 10 },
        { ...detail, result_type: 'starttls-not-supported', sending_mta_ip: null, receiving_mx_hostname: 'mx.example.org', receiving_ip: 'unknown', failed_session_count: 1 },
      ],
    },
    {
      policy_type: 'tlsa',
      policy_domain: 'mx.example.org',
      policy_mode: null,
      policy_string: [],
      mx_host: [],
      primary: false,
      successful: 1,
      failed: 0,
      unattributed_failed: 0,
      failure_details: [],
    },
  ]) // prettier-ignore
})

test('the failures of a report are found by its key', async () => {
  const { json } = await get(`/v1/failures?report_key=${reportKey}`)
  assert.deepEqual(json.data.map((row) => row['key']), [`${reportKey}.0.0`, `${reportKey}.0.1`]) // prettier-ignore
  assert.equal(json.data[0]?.['report_key'], reportKey)
})

test('a submission tells its verdict, why, and what the signatures came to', async () => {
  const { json } = await get(`/v1/submissions/${keyOf(ofRefused)}`)
  const { key, arrival_key, ...rest } = json
  assert.equal(key, keyOf(ofRefused))
  assert.match(String(arrival_key), /^[0-9a-f-]{36}$/)
  assert.deepEqual(rest, {
    arrived_at: '2026-03-02T05:00:04.000Z',
    transport: 'https',
    provenance: { transport: 'https', peer_address: '192.0.2.7' },
    verdict: 'unreadable',
    reason: 'report-invalid',
    trust: null,
    reporter: null,
    anomalies: [],
    dkim: [{ result: 'pass', domain: 'sender.example', selector: 's', algorithm: 'rsa-sha256', key_bits: 2048, unacceptable: [], signed_headers: ['from'] }],
    problems: [{ code: 'missing', pointer: '/report-id', message: 'is missing' }],
    reports: [],
  }) // prettier-ignore
})

test('submissions come newest first, page by page, repeats and refusals with them', async () => {
  const { json } = await get('/v1/submissions')
  const verdicts = json.data.map((row) => row['verdict'])
  assert.deepEqual(verdicts, ['unreadable', 'conflict', 'accepted', 'accepted', ...verdicts.slice(4)])
  assert.deepEqual([...verdicts.slice(4)].sort(), ['accepted', 'duplicate'], 'of one instant')
  assert.deepEqual(await walk('/v1/submissions?limit=1'), json.data)
})

for (const [query, count] of [
  ['verdict=accepted', 3],
  ['verdict=duplicate&verdict=conflict', 2],
  ['reason=report-invalid', 1],
  ['transport=smtp', 2],
  ['trust=unverified', 3],
  ['trust=verified', 2],
  ['domain=example.net', 1],
  ['domain=example.net&domain=example.org', 5],
  ['from=2026-03-02&to=2026-03-03', 6],
  ['from=2026-03-01&to=2026-03-02', 0],
] as const) {
  test(`/v1/submissions?${query} finds ${count}`, async () => {
    assert.equal((await get(`/v1/submissions?${query}`)).json.data.length, count)
  })
}

test('186: the bytes come back as they came, as a download that no browser runs', async () => {
  for (const [path, bytes, name] of [
    [`/v1/reports/${reportKey}/raw`, mail, `tlsrpt-${reportKey}.eml`],
    [`/v1/submissions/${keyOf(of)}/raw`, mail, `tlsrpt-${keyOf(of)}.eml`],
    [`/v1/submissions/${keyOf(ofPost)}/raw`, gzip, `tlsrpt-${keyOf(ofPost)}.json.gz`],
    [`/v1/submissions/${keyOf(ofRefused)}/raw`, Buffer.from('{}'), `tlsrpt-${keyOf(ofRefused)}.json`],
  ] as const) {
    const answer = await get(path)
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.bytes, bytes)
    assert.equal(answer.headers['content-type'], 'application/octet-stream')
    assert.equal(answer.headers['content-disposition'], `attachment; filename="${name}"`)
    assert.match(String(answer.headers['content-security-policy']), /default-src 'none'.*sandbox/)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  }
})

test('a key that is none of ours is 404, whatever it looks like', async () => {
  for (const list of ['reports', 'submissions']) {
    for (const key of [
      '01a1fcb0-af00-7769-ba39-17b3daa80a5c',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      'x',
      "'",
      '%00',
      '1'.repeat(900),
    ]) {
      for (const raw of ['', '/raw']) {
        const { status, json } = await get(`/v1/${list}/${key}${raw}`)
        assert.equal(status, 404)
        assert.equal(json.reason, 'not-found')
      }
    }
  }
})

test('bytes that retention took are 404 with a reason of its own; the verdict stays', async () => {
  await db.query('delete from submission_raw')
  for (const path of [`/v1/reports/${reportKey}`, `/v1/submissions/${keyOf(ofRepeat)}`]) {
    const { status, json } = await get(`${path}/raw`)
    assert.equal(status, 404)
    assert.equal(json.reason, 'raw-expired')
    assert.equal((await get(path)).status, 200)
  }
})
