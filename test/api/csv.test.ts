import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { columnsOf, csvText } from '../../src/api/csv.ts'
import { countSchema } from '../../src/api/json.ts'
import { call, startApi, adminToken, type Answer } from '../support/api.ts'
import { aDetail, aPolicy, aReport, insertReports } from '../support/rows.ts'

const { api, db } = await startApi({ environment: [{ domain: 'ours.example', includeSubdomains: true, mx: [] }] })
const hostile = '=HYPERLINK("http://x.example";"a, b")\r\nsecond'
await insertReports(db, [
  aReport({ organization: hostile, policies: [aPolicy({ failed: 3n, details: [aDetail({ failureReasonCode: '-1+1' })] })] }),
  aReport({ reportId: 'id-2', day: '2026-11-19', trust: 'unverified', policies: [aPolicy({ successful: 2n ** 60n })] }),
  aReport({ reportId: 'id-3', day: '2026-11-18', policies: [aPolicy({ failed: 1n, details: [aDetail({ failed: 5n })] })] }),
]) // prettier-ignore

const ask = (url: string, accept = 'text/csv'): Promise<Answer> =>
  call(api, 'GET', url, { headers: { authorization: `Bearer ${adminToken}`, accept } })

/** RFC 4180 read back: every record has as many cells as the header. */
function read(text: string): Record<string, string>[] {
  const records = [...text.matchAll(/((?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*))*)\r\n/gy)].map(
    ([, record]) =>
      [...`,${record!}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
      ),
  )
  const [header, ...rows] = records
  return rows.map((row) => {
    assert.equal(row.length, header!.length)
    return Object.fromEntries(row.map((cell, i) => [header![i]!, cell]))
  })
}

const lists = ['/v1/summary', '/v1/timeseries', '/v1/causes', '/v1/failures', '/v1/policy-versions', '/v1/arrivals', '/v1/reports', '/v1/submissions', '/v1/domains', '/v1/domain-names', '/v1/reporters', '/v1/result-types', '/v1/tokens'] // prettier-ignore

for (const url of lists) {
  test(`${url} answers CSV to who accepts it: a header line, and a row for each of JSON's`, async () => {
    const csv = await ask(url)
    const json = (await ask(url, 'application/json')).json
    assert.equal(csv.status, 200)
    assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8; header=present')
    assert.equal(csv.headers['content-disposition'], `attachment; filename="tlsrpt-${url.slice('/v1/'.length)}.csv"`)
    assert.match(String(csv.headers['vary']), /Accept/)
    assert.match(csv.body, /^[a-z_]+(,[a-z_]+)*\r\n/)
    assert.equal(read(csv.body).length, json.data.length)
  })
}

test('members of members have columns of their own, and numbers stay numbers', async () => {
  const [row] = read((await ask('/v1/summary?group_by=domain')).body)
  assert.deepEqual(row, {
    domain: 'ours.example',
    successful: '20',
    failed: '4',
    failure_rate: String(4 / 24),
    failed_by_policy_type: '{"sts":4}',
    unattributed_failed: '-4',
    reports: '2',
    reporters: '1',
    first_seen: '2026-11-18',
    last_seen: '2026-11-20',
    unverified_successful: '1152921504606846976',
    unverified_failed: '0',
    unverified_reports: '1',
  })
})

test('columns are those that were asked for, also where there is no row', async () => {
  const { body } = await ask('/v1/summary?group_by=domain,receiving_ip&domain=nobody.example')
  assert.match(body, /^domain,receiving_ip,successful,[a-z_,]+\r\n$/)
  assert.match((await ask('/v1/timeseries?split_by=reporter&domain=nobody.example')).body, /^bucket,reporter,successful,/) // prettier-ignore
})

test('185: what a spreadsheet would run is text, in one record', async () => {
  const reports = read((await ask('/v1/reports')).body)
  assert.equal(reports[0]!['organization'], `'${hostile}`)
  const failures = read((await ask('/v1/failures')).body)
  assert.equal(failures[0]!['failure_reason_code'], "'-1+1")
})

const columns = columnsOf(z.object({ text: z.string(), list: z.array(z.string()), count: countSchema.nullable() }))

test('185: whatever a text begins with, its cell begins harmlessly and is read back whole', () => {
  const start = fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠', '"', ';', ',', '')
  fc.assert(
    fc.property(start, fc.string({ unit: 'binary' }), (first, rest) => {
      const given = first + rest
      const [row] = read(csvText(columns, [{ text: given, list: [], count: null }]))
      assert.equal(row!['text'], /^[=+\-@\t\r\n\0＝＋－＠]/.test(given) ? `'${given}` : given)
      assert.equal(row!['count'], '')
    }),
  )
})

test('lists are joined by blanks, and a count beyond what a number can hold keeps its digits and its sign', () => {
  const rows = [{ text: '-5', list: ['=a', 'b c'], count: '-9007199254740993' }]
  assert.equal(csvText(columns, rows), "text,list,count\r\n'-5,'=a b c,-9007199254740993\r\n")
})

test('JSON is for everybody else, CSV for who prefers it, and an error is a problem to both', async () => {
  const typeOf = async (accept: string) => String((await ask('/v1/reports', accept)).headers['content-type']).split(';')[0] // prettier-ignore
  for (const accept of ['*/*', 'application/json', 'text/html, */*;q=0.8', 'text/csv;q=0', 'text/csv;q=0.5, application/json', 'text/csv, application/json', 'text/*'])
    assert.equal(await typeOf(accept), 'application/json', accept) // prettier-ignore
  for (const accept of ['text/csv', 'TEXT/CSV; charset=utf-8', 'text/csv, */*;q=0.1', 'application/json;q=0.4, text/csv;q=0.5'])
    assert.equal(await typeOf(accept), 'text/csv', accept) // prettier-ignore
  const wrong = await ask('/v1/reports?limit=0')
  assert.equal(wrong.status, 400)
  assert.equal(wrong.json.errors?.[0]?.parameter, 'limit')
})

test('a page says where the next one is, which is how CSV is paged', async () => {
  const days: string[] = []
  const links: string[] = []
  let url: string | undefined = '/v1/reports?limit=1&organization=%3DHYPERLINK&organization=Sender&organization=' + encodeURIComponent(hostile) // prettier-ignore
  while (url !== undefined) {
    const { headers, body } = await ask(url)
    days.push(...read(body).map((row) => row['day']!))
    const link = headers['link'] as string | undefined
    links.push(link ?? '')
    url = link === undefined ? undefined : /^<(\/v1\/reports\?[!-~]+)>; rel="next"$/.exec(link)![1]
  }
  assert.deepEqual(days, ['2026-11-20', '2026-11-19', '2026-11-18'])
  assert.equal(links.at(-1), '')
  const json = await ask('/v1/reports?limit=1', 'application/json')
  assert.ok(String(json.headers['link']).includes(`cursor=${encodeURIComponent(json.json.page.next_cursor!)}`))
})
