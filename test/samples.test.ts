/** Every file in samples/ through the transport it comes by, against the outcome that is written beside it. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { runService, type RunningService } from './support/running-service.ts'

/** What stands in NAME.expected.json; what is absent is not there in the outcome either. */
type Expected = {
  /** What the sample shows. */
  about: string
  /** '250 2.6.0' in SMTP, '200' in HTTPS. */
  answer: string
  verdict: string
  reason?: string
  trust?: string
  reporter?: string
  /** Codes, each once, sorted. */
  anomalies: string[]
  reports: ExpectedReport[]
}

/** One domain of ours in the report. Counts are sessions; `successful` and `failed` by the primary policies. */
type ExpectedReport = {
  domain: string
  organization: string
  day: string
  trust: string
  counted: boolean
  successful: number
  failed: number
  failed_by_policy_type: Record<string, number>
  /** In the failure details of all policies. */
  result_types: Record<string, number>
}

const folder = new URL('../samples/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder))
const readJson = (name: string): unknown => JSON.parse(read(name).toString())

const samples = globSync(['*.eml', '*.json', '*.json.gz'], {
  cwd: folder,
  exclude: ['*.expected.json', 'zone.json'],
}).sort()

/** The morning after the week that the samples tell of. */
const now = new Date('2026-11-22T09:00:00Z')

const service = await runService({ zone: readJson('zone.json') as Record<string, string>, now: () => now })
await service.put('/v1/domains/alpha.example', {})
await service.put('/v1/domains/dane.example', { mx: ['mx1.hoster.example', 'mx2.hoster.example'] })
await service.put('/v1/domains/web.example', {})

// All of them before the first test, in the order of their names: some are copies of earlier ones.
const answers = new Map<string, { answer: string; submissionKey: string }>()
for (const name of samples) answers.set(name, await send(service, name))

for (const name of samples) {
  const expected = readJson(name.replace(/\.(?:eml|json|json\.gz)$/, '.expected.json')) as Expected
  test(`${name}: ${expected.about}`, async () => {
    const { answer, submissionKey } = answers.get(name)!
    assert.deepEqual({ about: expected.about, answer, ...(await readOutcome(service, submissionKey)) }, expected)
  })
}

test('every expected outcome belongs to a sample', () => {
  const described = globSync('*.expected.json', { cwd: folder }).map((name) => basename(name, '.expected.json'))
  assert.deepEqual(described.sort(), samples.map((name) => name.replace(/\.(?:eml|json|json\.gz)$/, '')).sort())
})

async function send(service: RunningService, name: string): Promise<{ answer: string; submissionKey: string }> {
  if (name.endsWith('.eml')) {
    const { text, submissionKey } = await service.sendMail(read(name))
    return { answer: text.split(' ').slice(0, 2).join(' '), submissionKey: submissionKey! }
  }
  const mediaType = name.endsWith('.gz') ? 'application/tlsrpt+gzip' : 'application/tlsrpt+json'
  const { status, body } = await service.post(read(name), { 'content-type': mediaType })
  return { answer: String(status), submissionKey: body['submission_key'] as string }
}

type Submission = Record<'verdict', string> &
  Record<'reason' | 'trust' | 'reporter', string | null> & {
    anomalies: { code: string }[]
    reports: { key: string; domain: string }[]
  }

type Report = Omit<ExpectedReport, 'result_types'> & {
  policies: { failure_details: { result_type: string; failed_session_count: number }[] }[]
}

/** The outcome as the API tells it, in the form of an expected one. */
async function readOutcome(
  { get }: RunningService,
  submissionKey: string,
): Promise<Omit<Expected, 'about' | 'answer'>> {
  const submission = await get<Submission>(`/v1/submissions/${submissionKey}`)
  const { verdict, reason, trust, reporter } = submission
  const reports = submission.reports.map(({ key }) => get<Report>(`/v1/reports/${key}`))
  return {
    verdict,
    ...(reason !== null && { reason }),
    ...(trust !== null && { trust }),
    ...(reporter !== null && { reporter }),
    anomalies: [...new Set(submission.anomalies.map(({ code }) => code))].sort(),
    reports: (await Promise.all(reports)).map(readReport),
  }
}

function readReport(report: Report): ExpectedReport {
  const { domain, organization, day, trust, counted, successful, failed, failed_by_policy_type, policies } = report
  const result_types: Record<string, number> = {}
  for (const detail of policies.flatMap((policy) => policy.failure_details)) {
    result_types[detail.result_type] = (result_types[detail.result_type] ?? 0) + detail.failed_session_count
  }
  return { domain, organization, day, trust, counted, successful, failed, failed_by_policy_type, result_types }
}
