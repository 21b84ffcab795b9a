/** A report's own words, out of whatever they came in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { adminToken, call, startApi, tokenFor } from '../support/api.ts'
import { reportOn, unsignedMail, type Told } from '../support/report-mail.ts'

const own = (domain: string) => ({ domain, includeSubdomains: true, mx: [] })
const { api, db, get } = await startApi({ environment: [own('a.example'), own('b.example')] })

const told = (reportId: string, domain = 'a.example'): Told => ({ domain, day: '2026-11-20', reportId, failed: 2 })
/** In a spelling of its own, which JSON.parse and back would not keep. */
const spelt = (of: Told): string => JSON.stringify(reportOn(of), undefined, 3).replace('10', '10.0')

/** The keys of the reports in it, in the order of its parts. */
async function take(file: Buffer): Promise<string[]> {
  const headers = { authorization: `Bearer ${adminToken}` }
  const { json } = await call(api, 'POST', '/v1/submissions?filename=x', { body: file, headers })
  const taken = json.data.map(async ({ key, verdict }) => {
    assert.equal(verdict, 'accepted')
    const { json: submission } = await get(`/v1/submissions/${String(key)}`)
    return (submission['reports'] as { key: string }[]).map((report) => report.key)
  })
  return (await Promise.all(taken)).flat()
}

const mailOf = (parts: string[]): Buffer =>
  Buffer.from(
    [
      'From: tls@sender.example',
      'Content-Type: multipart/report; report-type=tlsrpt; boundary=b',
      '',
      ...parts.flatMap((json) => [
        '--b',
        'Content-Type: application/tlsrpt+gzip',
        'Content-Transfer-Encoding: base64',
        '',
        ...gzipSync(json).toString('base64').match(/.{1,76}/g)!,
      ]),
      '--b--',
      '',
    ].join('\r\n'),
  ) // prettier-ignore

test('the JSON is told byte by byte, out of a post, a gzip and a mail', async () => {
  const post = spelt(told('r1'))
  const marked = `\ufeff${spelt(told('r2'))}`
  const mailed = told('r3')
  for (const [file, expected] of [
    [Buffer.from(post), post],
    [gzipSync(marked), marked],
    [unsignedMail(mailed), JSON.stringify(reportOn(mailed))],
  ] as const) {
    const [key] = await take(file)
    const { status, bytes } = await get(`/v1/reports/${key!}/json`)
    assert.deepEqual([status, bytes.toString()], [200, expected])
  }
})

test('it is inert: plain text in UTF-8 that no browser sniffs, runs, frames or keeps', async () => {
  const [key] = await take(Buffer.from(spelt(told('<script>alert(1)</script>'))))
  const { headers } = await get(`/v1/reports/${key!}/json`)
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'; sandbox")
  assert.equal(headers['cache-control'], 'no-store')
})

test('of a mail with several reports each is told by itself', async () => {
  const all = ['m1', 'm2', 'm3'].map((id) => spelt(told(id)))
  const keys = await take(mailOf(all))
  assert.equal(keys.length, 3)
  const answers = await Promise.all(keys.map(async (key) => (await get(`/v1/reports/${key}/json`)).bytes.toString()))
  assert.deepEqual(answers, all)
})

test('what is another’s, in part at least, is withheld; what is no more is said to be gone', async () => {
  const [ofB] = await take(Buffer.from(spelt(told('b1', 'b.example'))))
  const [ofA] = await take(Buffer.from(spelt(told('a1'))))
  const [mixed] = await take(mailOf([spelt(told('x1')), spelt(told('x2', 'b.example'))]))
  const headers = await tokenFor(db, ['a.example'])
  const answer = async (key: string | undefined) => {
    const { status, json } = await call(api, 'GET', `/v1/reports/${key ?? 'none'}/json`, { headers })
    return [status, json.reason]
  }
  assert.deepEqual(await answer(ofA), [200, undefined])
  assert.deepEqual(await answer(mixed), [404, 'raw-withheld'])
  const nowhere = await answer('01a201a0-1c80-73bf-abcc-16d4bdbd6422')
  assert.deepEqual(nowhere, [404, 'not-found'])
  assert.deepEqual(await answer(ofB), nowhere)
  assert.deepEqual(await answer(undefined), nowhere)
  await db.query('delete from submission_raw')
  assert.deepEqual(await answer(ofA), [404, 'raw-expired'])
})

test('where today’s limits find no report in the bytes, that is said', async () => {
  const [key] = await take(unsignedMail(told('n1')))
  await db.query("update submission_raw set bytes = 'no report'")
  const { status, json } = await get(`/v1/reports/${key!}/json`)
  assert.deepEqual([status, json.reason], [404, 'raw-unreadable'])
})
