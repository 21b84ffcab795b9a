/** Large submissions, read in a thread of their own: the same answers, and the event loop goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { defaultLimits } from '../src/limits.ts'
import { makeReadLarge } from '../src/read-large.ts'
import { readSubmission } from '../src/tlsrpt/read.ts'
import type { Submission } from '../src/tlsrpt/submission.ts'
import { base64Lines, rawMail } from './support/report-mail.ts'
import { goodReport } from './tlsrpt/good-report.ts'

const submission = (raw: Buffer, form: Submission['form'] = 'report'): Submission => ({
  raw,
  form,
  arrivedAt: new Date('2026-03-03T12:00:00Z'),
  provenance: { transport: 'https', peerAddress: '192.0.2.1', mediaType: 'application/tlsrpt+gzip' },
})
const json = JSON.stringify(goodReport)
const large = gzipSync(json.replace(/}$/, `,"x":[${'{},'.repeat(490_000)}{}]}`).padEnd(20 * 1024 * 1024))
const mail = rawMail({ 'Content-Type': 'application/tlsrpt+gzip' }, base64Lines(gzipSync(json)))
const readLarge = makeReadLarge(defaultLimits)

const cases = {
  'a large report': submission(large),
  'a mail': submission(mail, 'message'),
  'a part of a larger piece of memory': submission(Buffer.concat([Buffer.alloc(100), large, Buffer.alloc(100)]).subarray(100, 100 + large.length)),
  'what is no report': submission(gzipSync('[]'.padEnd(300_000))),
  'what is broken': submission(large.subarray(0, 1_000)),
  'a bomb': submission(gzipSync(Buffer.alloc(30 * 1024 * 1024))),
} // prettier-ignore

for (const [what, sent] of Object.entries(cases)) {
  test(`${what} is read as it would be here`, async () => {
    assert.deepEqual(await readLarge(sent), await readSubmission(sent, defaultLimits))
  })
}

test('reading a large one takes the event loop a tenth of the time', async () => {
  const cpu = () => {
    const { user, system } = process.threadCpuUsage()
    return user + system
  }
  await readLarge(submission(mail, 'message')) // The thread is there.
  const before = cpu()
  const read = await readLarge(submission(large))
  const aside = cpu() - before
  assert.deepEqual(await readSubmission(submission(large), defaultLimits), read)
  const here = cpu() - before - aside
  assert.ok(aside < here / 10, `${aside} us of ${here}`)
})

test('what our own code throws in there is thrown here, and the next is read', async () => {
  const noDate = { ...submission(large), arrivedAt: undefined as unknown as Date }
  await assert.rejects(readLarge(noDate), TypeError)
  const read = await readLarge(submission(large))
  assert.equal(read.kind === 'read' && read.parts[0]?.parsed.kind, 'parsed')
})
