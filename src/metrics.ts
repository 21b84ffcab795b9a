/** What Prometheus is told. Whatever strangers can name (domains, result types) is bounded, or each name would be a series. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Ingest } from './ingest.ts'
import type { RecorderOptions } from './store/recorder.ts'
import { resultTypes } from './tlsrpt/result-types.ts'
import type { JudgedPolicy, Outcome } from './tlsrpt/verdict.ts'

export type MetricsSources = {
  version: string
  /** Domains with series of their own; all others together are 'other'. */
  maxDomains: number
  /** Arrivals that wait for a commit. */
  queueDepth: () => number
  certificateExpiresAt: () => Date
  /** The last UTC day with a report of at most `maxDomains` domains, those with most reports first. */
  lastReportDays: (maxDomains: number) => Promise<{ domain: string; day: string }[]>
}

export type Metrics = {
  /** In Prometheus' text format. */
  expose: () => Promise<{ contentType: string; text: string }>
  /** The same road, with what comes out of it counted. */
  watch: (ingest: Ingest) => Ingest
  onCommit: NonNullable<RecorderOptions['onCommit']>
  /** The longest stall of the event loop within a second, in seconds. */
  onStall: (seconds: number) => void
}

/** 'failed': the database was away, or said nothing; the sender was told to come again. */
type Verdict = Outcome['kind'] | 'failed'

const transports = ['smtp', 'https', 'file'] as const
const verdicts: Verdict[] = ['accepted', 'duplicate', 'conflict', 'quarantined', 'unauthenticated', 'malformed', 'unreadable', 'not-ours', 'too-large', 'deferred', 'failed'] // prettier-ignore

const other = 'other'

/** A registry of its own for each service, with the process' own numbers in it. */
export function makeMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const info = new Gauge({ registers, name: 'tlsrpt_info', help: 'Which release this is.', labelNames: ['version'] })
  info.set({ version: sources.version }, 1)

  const submissions = new Counter({
    registers,
    name: 'tlsrpt_submissions_total',
    help: 'Report parts that arrived, by what became of them.',
    labelNames: ['transport', 'verdict'],
  })
  for (const transport of transports) for (const verdict of verdicts) submissions.inc({ transport, verdict }, 0)

  const sessions = new Counter({
    registers,
    name: 'tlsrpt_sessions_total',
    help: 'Sessions that reports told of when they were first counted, by the primary policies.',
    labelNames: ['domain', 'outcome', 'trust'],
  })
  const failedSessions = new Counter({
    registers,
    name: 'tlsrpt_failed_sessions_total',
    help: 'Failed sessions that the failure details told of when they were first counted, by the primary policies.',
    labelNames: ['domain', 'result_type', 'trust'],
  })
  const commitSeconds = new Histogram({
    registers,
    name: 'tlsrpt_commit_seconds',
    help: 'How long it took to record a batch of arrivals, COMMIT included.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })
  const commitArrivals = new Histogram({
    registers,
    name: 'tlsrpt_commit_arrivals',
    help: 'Arrivals in a batch.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 200, 300],
  })
  const stallSeconds = new Histogram({
    registers,
    name: 'tlsrpt_event_loop_stall_seconds',
    help: 'The longest stall of the event loop in each second.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })
  new Gauge({
    registers,
    name: 'tlsrpt_commit_queue_depth',
    help: 'Arrivals that wait for a commit.',
    collect() {
      this.set(sources.queueDepth())
    },
  })
  new Gauge({
    registers,
    name: 'tlsrpt_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of both intakes expires.',
    collect() {
      this.set(sources.certificateExpiresAt().getTime() / 1000)
    },
  })
  const domainLabels = makeLabels(sources.maxDomains)
  new Gauge({
    registers,
    name: 'tlsrpt_last_report_timestamp_seconds',
    help: 'Start of the last day with a counted report, for the domains with most reports.',
    labelNames: ['domain'],
    async collect() {
      const days = await sources.lastReportDays(sources.maxDomains).catch(() => undefined)
      if (!days) return // The database is away: what was known stands.
      this.reset()
      for (const { domain, day } of days) {
        domainLabels(domain) // Who reports most shall have a name in the counters, too.
        this.set({ domain }, Date.parse(day) / 1000)
      }
    },
  })

  return {
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    watch: (ingest) => async (submission) => {
      const { transport } = submission.provenance
      const count = (verdict: Verdict) => {
        submissions.inc({ transport, verdict })
      }
      try {
        const outcomes = await ingest(submission)
        for (const { kind } of outcomes) count(kind)
        return outcomes
      } catch (error) {
        count('failed')
        throw error
      }
    },
    onStall: (seconds) => {
      stallSeconds.observe(seconds)
    },
    onCommit: ({ arrivals, milliseconds, counted }) => {
      commitSeconds.observe(milliseconds / 1000)
      commitArrivals.observe(arrivals)
      const [sums, failedSums] = [sumsFor(sessions), sumsFor(failedSessions)]
      for (const { domainReport, teller } of counted) {
        const { trust } = teller
        const domain = domainLabels(domainReport.domain)
        sums.add({ domain, outcome: 'successful', trust }, Number(domainReport.successful))
        sums.add({ domain, outcome: 'failed', trust }, Number(domainReport.failed))
        for (const [result_type, failed] of failedByResultType(domainReport.policies)) {
          failedSums.add({ domain, result_type, trust }, failed)
        }
      }
      sums.tell()
      failedSums.tell()
    },
  }
}

/** Of the primary policies. */
function failedByResultType(policies: readonly JudgedPolicy[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { primary, failureDetails } of policies) {
    if (!primary) continue
    for (const { resultType, failedSessionCount } of failureDetails) {
      const label = resultTypeLabel(resultType)
      sums.set(label, (sums.get(label) ?? 0) + failedSessionCount)
    }
  }
  return sums
}

/** Added up first: a batch has thousands of details, most of them with the same labels, and a counter takes a microsecond. */
function sumsFor<Label extends string>(counter: Counter<Label>) {
  const sums = new Map<string, { labels: Record<Label, string>; sum: number }>()
  return {
    add: (labels: Record<Label, string>, value: number) => {
      const name = Object.values(labels).join(' ')
      const known = sums.get(name)
      if (known) known.sum += value
      else sums.set(name, { labels, sum: value })
    },
    tell: () => {
      for (const { labels, sum } of sums.values()) counter.inc(labels, sum)
    },
  }
}

/** The name itself for the first `max` names, 'other' for all that come later. */
function makeLabels(max: number): (name: string) => string {
  const known = new Set<string>()
  return (name) => {
    if (known.size < max) known.add(name)
    return known.has(name) ? name : other
  }
}

/** Senders make up result types; the registered ones are few. */
const resultTypeLabel = (name: string): string => (resultTypeNames.has(name) ? name : other)

const resultTypeNames: ReadonlySet<string> = new Set(resultTypes.map(({ name }) => name))
