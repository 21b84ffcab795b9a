/** P4, P7: a report is the same report however it is written, wrapped and sent, and counts once however often it comes. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import pino from 'pino'
import { readConfig } from '../../src/config.ts'
import { makeRoad } from '../../src/road.ts'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import type { Provenance, Submission } from '../../src/tlsrpt/submission.ts'
import { freshDatabase } from '../support/database.ts'
import { keyPair, keyRecord, signDkim } from '../support/dkim-signer.ts'

const { db } = await freshDatabase()
const key = keyPair('ed25519')
const arrivedAt = new Date('2026-11-21T12:00:00Z')
const config = readConfig({ POLICY_DOMAINS: '*' })
const road = makeRoad(db, config, pino({ level: 'silent' }), {
  now: () => arrivedAt,
  resolveTxt: () => Promise.resolve({ kind: 'found', records: [keyRecord(key)] }),
})
after(() => road.recorder.close())

type Json = { [name: string]: unknown }

const count = fc.oneof(fc.nat(50), fc.integer({ min: 0, max: 1_000_000_000 }))
const host = fc.constantFrom('mx1.ours.example', 'mx2.ours.example')
const detail = fc.record(
  {
    'result-type': fc.constantFrom('certificate-expired', 'starttls-not-supported', 'of-the-future'),
    'failed-session-count': count,
    'sending-mta-ip': fc.oneof(fc.ipV4(), fc.ipV6()),
    'receiving-mx-hostname': host,
    'failure-reason-code': fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() === text),
  },
  { requiredKeys: ['result-type', 'failed-session-count'] },
)
const policy = fc.record({
  policy: fc.record({
    'policy-type': fc.constantFrom('sts', 'tlsa', 'no-policy-found'),
    'policy-string': fc.constantFrom([], ['version: STSv1', 'mode: enforce']),
    'policy-domain': fc.constantFrom('ours.example', 'sub.ours.example', 'other.example'),
    'mx-host': fc.array(host, { maxLength: 2 }),
  }),
  summary: fc.record({ 'total-successful-session-count': count, 'total-failure-session-count': count }),
  'failure-details': fc.array(detail, { maxLength: 4 }),
})
let reports = 0
const report = fc.array(policy, { minLength: 1, maxLength: 4 }).map((policies): Json => ({
  'organization-name': 'Sender',
  'date-range': { 'start-datetime': '2026-11-20T00:00:00Z', 'end-datetime': '2026-11-20T23:59:59Z' },
  'contact-info': 'tls@sender.example',
  'report-id': `r-${++reports}`,
  policies,
}))

/** How it is written and sent. Policies and details are sets, whatever the JSON says; the lines of a policy are not. */
const wording = fc.record({
  shift: fc.nat(5),
  reverses: fc.boolean(),
  indent: fc.constantFrom('', ' ', '\t'),
  gzip: fc.constantFrom(undefined, 1, 9),
  by: fc.constantFrom('https' as const, 'smtp' as const, 'file' as const),
})
type Wording = typeof wording extends fc.Arbitrary<infer T> ? T : never

function reordered(value: unknown, order: Pick<Wording, 'shift' | 'reverses'>, name = ''): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = value.map((item) => reordered(item, order))
    const at = ['policies', 'failure-details'].includes(name) ? order.shift % Math.max(items.length, 1) : 0
    return [...items.slice(at), ...items.slice(0, at)]
  }
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([own, item]) => [own, reordered(item, order, own)])
  return Object.fromEntries(order.reverses ? members.reverse() : members)
}

const smtp: Provenance = { transport: 'smtp', peerAddress: '192.0.2.1', helo: 'x', mailFrom: '', rcptTo: [], tls: true }

function submissionOf(json: Json, how: Wording): Submission {
  const text = JSON.stringify(reordered(json, how), null, how.indent)
  const bytes = how.gzip === undefined ? Buffer.from(text) : gzipSync(text, { level: how.gzip })
  if (how.by === 'https') return { raw: bytes, form: 'report', arrivedAt, provenance: { transport: 'https', peerAddress: '192.0.2.1' } } // prettier-ignore
  if (how.by === 'file') return { raw: bytes, form: 'report', arrivedAt, provenance: { transport: 'file', fileName: 'a.json' } } // prettier-ignore
  const fields = ['From: tls@sender.example', `Content-Type: application/tlsrpt+${how.gzip === undefined ? 'json' : 'gzip'}`, 'Content-Transfer-Encoding: base64'] // prettier-ignore
  const body = bytes.toString('base64').match(/.{1,76}/g)!
  const raw = signDkim([...fields, '', ...body, ''].join('\r\n'), { key, domain: 'sender.example', selector: 'tls' })
  return { raw, form: 'message', arrivedAt, provenance: smtp }
}

/** All that anybody counts, and how many claims there are. */
const story = async () => {
  const { rows } = await db.query<{ story: unknown }>(
    `select jsonb_build_array((select count(*) from report), jsonb_agg(t order by domain, day)) as story
     from (select domain, day, sum(successful) as successful, sum(failed) as failed, sum(reports) as reports
           from day_total group by domain, day) t`,
  )
  return rows[0]!.story
}

test('P4, P7: in any order of members, indentation, compression and transport it is a duplicate, and moves no number', async () => {
  await fc.assert(
    fc.asyncProperty(report, wording, fc.array(wording, { minLength: 1, maxLength: 3 }), async (json, first, again) => {
      assert.deepEqual((await road.ingest(submissionOf(json, first))).map(({ kind }) => kind), ['accepted']) // prettier-ignore
      const before = await story()
      for (const how of again) {
        const [outcome] = await road.ingest(submissionOf(json, how))
        assert.equal(outcome?.kind, 'duplicate')
      }
      assert.deepEqual(await story(), before)
    }),
    { numRuns: 60 },
  )
  assert.deepEqual(await verifyDayTotals(db), [])
})

test('P4: one count more in one place is no repeat', async () => {
  await fc.assert(
    fc.asyncProperty(report, wording, wording, async (json, first, again) => {
      await road.ingest(submissionOf(json, first))
      const changed = structuredClone(json) as { policies: { summary: Record<string, number> }[] }
      changed.policies[0]!.summary['total-successful-session-count']! += 1
      const [outcome] = await road.ingest(submissionOf(changed, again))
      assert.ok(outcome && ['conflict', 'accepted'].includes(outcome.kind), outcome?.kind)
    }),
    { numRuns: 30 },
  )
})
