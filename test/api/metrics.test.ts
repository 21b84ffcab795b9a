import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { makeMetrics, type MetricsSources } from '../../src/metrics.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { setReporterStanding } from '../../src/store/reporters.ts'
import { makeLastReportDays } from '../../src/store/domains.ts'
import { arrival, later, newKey, type Telling } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'
import { runService } from '../support/running-service.ts'

const now = () => new Date('2026-03-02T12:00:00Z')
const service = await runService({ now, env: { POLICY_DOMAINS: 'ours.example' } })

const scrape = async () => {
  const answer = await fetch(`http://127.0.0.1:${service.ports.api}/metrics`)
  return { answer, text: await answer.text() }
}
/** Of a series, by its name and labels as they are printed. */
const valueOf = (text: string, series: string) =>
  Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length + 1)) // prettier-ignore

const report = Buffer.from(
  JSON.stringify({
    'organization-name': 'Sender',
    'date-range': { 'start-datetime': '2026-03-01T00:00:00Z', 'end-datetime': '2026-03-01T23:59:59Z' },
    'report-id': 'r-1',
    policies: [
      {
        policy: { 'policy-type': 'sts', 'policy-domain': 'ours.example' },
        summary: { 'total-successful-session-count': 7, 'total-failure-session-count': 3 },
        'failure-details': [
          { 'result-type': 'certificate-expired', 'failed-session-count': 2 },
          { 'result-type': 'made-up-by-somebody', 'failed-session-count': 1 },
        ],
      },
    ],
  }),
)

test('what arrives is counted by transport, verdict, domain and result type, and needs no token to be seen', async () => {
  const before = (await scrape()).text
  await service.post(report)
  await service.post(report)
  await service.post(Buffer.from('{'))
  const { answer, text } = await scrape()
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const verdict = (name: string) => `tlsrpt_submissions_total{transport="https",verdict="${name}"}`
  assert.equal(valueOf(before, verdict('accepted')), 0, 'a series is there before the first arrival')
  assert.deepEqual(['accepted', 'duplicate', 'malformed'].map((name) => valueOf(text, verdict(name))), [1, 1, 1]) // prettier-ignore
  const sessions = (outcome: string) => `tlsrpt_sessions_total{domain="ours.example",outcome="${outcome}",trust="unverified"}` // prettier-ignore
  assert.deepEqual(['successful', 'failed'].map((outcome) => valueOf(text, sessions(outcome))), [7, 3]) // prettier-ignore
  const failed = (type: string) => `tlsrpt_failed_sessions_total{domain="ours.example",result_type="${type}",trust="unverified"}` // prettier-ignore
  assert.deepEqual(['certificate-expired', 'other'].map((type) => valueOf(text, failed(type))), [2, 1]) // prettier-ignore
  assert.equal(valueOf(text, 'tlsrpt_commit_arrivals_sum'), 3)
  assert.ok(valueOf(text, 'tlsrpt_commit_seconds_sum') > 0)
  assert.equal(valueOf(text, 'tlsrpt_commit_queue_depth'), 0)
  assert.ok(valueOf(text, 'tlsrpt_certificate_expiry_timestamp_seconds') > now().getTime() / 1000)
})

const metricNames = /\b(?:tlsrpt|nodejs|process)_[a-z0-9_]+/g

for (const file of ['dashboard.json', 'alerts.yml']) {
  test(`every metric that contrib/grafana/${file} names is there`, async () => {
    const { text } = await scrape()
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]))
    const source = readFileSync(new URL(`../../contrib/grafana/${file}`, import.meta.url), 'utf8')
    const expressions = file.endsWith('.json')
      ? [...source.matchAll(/"(?:expr|query)": "((?:[^"\\]|\\.)*)"/g)].map(([, expr]) => expr!)
      : [...source.matchAll(/^ +expr: (?:\|\n((?: {10}.*\n)+)|(.*))/gm)].map(([, block, line]) => block ?? line!)
    const named = new Set(expressions.flatMap((expr) => expr.match(metricNames) ?? []))
    assert.ok(named.size >= 5, 'it names some')
    for (const name of named) {
      const base = name.replace(/_(?:bucket|sum|count)$/, '')
      assert.ok(types.has(name) || types.get(base) === 'histogram', `${name} is in no answer of /metrics`)
    }
  })
}

test('the board is one that Grafana can read: panels with queries, none on top of another', () => {
  const board = JSON.parse(readFileSync(new URL('../../contrib/grafana/dashboard.json', import.meta.url), 'utf8')) as {
    panels: { id: number; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] }[]
  }
  const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)}/${y + Math.floor(i / w)}`),
  )
  assert.equal(new Set(cells).size, cells.length)
  assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length)
  assert.ok(board.panels.every(({ targets }) => targets.every(({ expr }) => expr.includes('job="$job"'))))
})

const sources: MetricsSources = { version: '1.2.3', maxDomains: 2, queueDepth: () => 0, certificateExpiresAt: () => later(0), lastReportDays: () => Promise.resolve([]) } // prettier-ignore
const limits = { commitBatch: 100, commitQueue: 1_000, unverifiedReportsPerDomainAndDay: 1_000 }

test('of however many domains a few have a name of their own, and the others share one', async (t) => {
  const { db } = await freshDatabase(t)
  const { onCommit, expose } = makeMetrics(sources)
  const recorder = makeRecorder(db, { limits, newKey, onCommit })
  for (let i = 0; i < 5; i++) await recorder.record(arrival({ by: 's.example', domains: [`d${i}.example`] }, later(i)))
  const { text } = await expose()
  const series = [...text.matchAll(/^tlsrpt_sessions_total\{domain="([^"]+)",outcome="failed",trust="verified"\} (\d+)$/gm)].map(([, domain, value]) => [domain, value]) // prettier-ignore
  assert.deepEqual(series, [['d0.example', '10'], ['d1.example', '10'], ['other', '30']]) // prettier-ignore
})

test('sessions are those that count: none of a blocked reporter, none that is implausible, none twice', async (t) => {
  const { db } = await freshDatabase(t)
  const { onCommit, expose } = makeMetrics(sources)
  const recorder = makeRecorder(db, { limits, newKey, onCommit })
  await setReporterStanding(db, { domain: 'bad.example', standing: 'blocked', by: 'admin', at: later(0) })
  const tellings: Telling[] = [{ by: 'bad.example' }, { by: 's.example', reportId: 'huge', implausible: true }, { by: 's.example' }, { by: 's.example' }] // prettier-ignore
  for (const telling of tellings) await recorder.record(arrival({ ...telling, domains: ['d.example'] }))
  assert.match((await expose()).text, /^tlsrpt_sessions_total\{domain="d.example",outcome="failed",trust="verified"\} 10$/m) // prettier-ignore
})

test('the last report of each domain is told, and what was known stands while the database is away', async (t) => {
  const { db } = await freshDatabase(t)
  const recorder = makeRecorder(db, { limits, newKey })
  for (const day of ['2026-02-27', '2026-02-28']) await recorder.record(arrival({ by: 's.example', domains: ['d.example'], day, reportId: day })) // prettier-ignore
  await recorder.record(arrival({ by: 's.example', domains: ['old.example'], day: '2025-10-01' }))
  const read = makeLastReportDays(db, now)
  let isAway = false
  const { expose } = makeMetrics({
    ...sources,
    lastReportDays: (most) => (isAway ? Promise.reject(new Error('away')) : read(most)),
  })
  const lines = async () => (await expose()).text.match(/^tlsrpt_last_report_timestamp_seconds.*$/gm)
  const told = [`tlsrpt_last_report_timestamp_seconds{domain="d.example"} ${Date.parse('2026-02-28') / 1000}`]
  assert.deepEqual(await lines(), told)
  isAway = true
  assert.deepEqual(await lines(), told)
})

test('what the database cannot take is counted as failed, and still rejects', async () => {
  const { watch, expose } = makeMetrics(sources)
  const ingest = watch(() => Promise.reject(new Error('away')))
  const { submission } = arrival({})
  await assert.rejects(ingest(submission), /away/)
  assert.match((await expose()).text, /^tlsrpt_submissions_total\{transport="https",verdict="failed"\} 1$/m)
})
