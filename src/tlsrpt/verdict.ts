/** RFC 8460: the verdict on one submission. Pure: the same evidence always gives the same verdict, so that it can be asked again. */
import type { DateRange, Policy, Report } from './report.ts'
import type { Anomaly, Refusal, Trust } from './submission.ts'

/** What we make of one submission, before the store says whether it has seen the report already. */
export type Judgement = Accepted | Refusal | Deferred | Quarantined

export type Accepted = {
  kind: 'accepted'
  trust: Trust
  /** Organisational domain of the verified d=; absent when unverified. */
  reporter?: string
  report: Report
  /** Those of ours that it is about, sorted; one at least. */
  domains: string[]
  /** One for each of these, in their order. Empty only when the report is older than the retention. */
  domainReports: DomainReport[]
  anomalies: Anomaly[]
}

/** We cannot tell now; nothing is kept and the sender tries again. */
export type Deferred = { kind: 'deferred'; reason: string }

/** Our own code threw: a defect of ours, so the bytes are kept, and judged again after an upgrade. */
export type Quarantined = { kind: 'quarantined'; reason: string }

/** A report's part for one domain of ours: the unit of identity, of counting and of sharding. */
export type DomainReport = {
  domain: string
  /** UTC day on which the range starts, YYYY-MM-DD. */
  day: string
  dateRange: DateRange
  /** SHA-256 over (organization name, report id, date range, domain): what makes a repeat a repeat. */
  identity: Buffer
  /** SHA-256 over the canonical content of this part: what makes it the same report. */
  contentHash: Buffer
  policies: JudgedPolicy[]
  /** Totals of the primary policies: sessions. */
  successful: bigint
  failed: bigint
  /** A count above the limit (1e9): accepted, but counted only when the operator includes it. */
  implausible: boolean
}

export type JudgedPolicy = Policy & {
  policyDomain: string
  /** Of the one policy type whose counts stand for the report: the others may describe the same sessions. */
  primary: boolean
  /** 'enforce' | 'testing' | 'none' or another word, from the policy string; only for STS. */
  policyMode?: string
}

/** What became of one submission, as its sender is told; an arrival has one for each report part. */
export type Outcome =
  | {
      kind: 'accepted' | 'duplicate' | 'conflict' | 'quarantined'
      submissionKey: string
      reports: ReportOutcome[]
      anomalies: Anomaly[]
    }
  | (Refusal & { submissionKey?: string }) // No key: the refusal could not be recorded just now.
  | Deferred

/** `key` is the report's in the store: for a duplicate, of the one that was there. */
export type ReportOutcome = { key: string; domain: string; verdict: 'accepted' | 'duplicate' | 'conflict' }

/** Of several parts the one the reply is made from: deferred beats refused beats accepted. Takes one outcome at least. */
export function decisiveOutcome(outcomes: Outcome[]): Outcome {
  const weight = (outcome: Outcome) => (outcome.kind === 'deferred' ? 2 : 'problems' in outcome ? 1 : 0)
  return outcomes.reduce((heaviest, outcome) => (weight(outcome) > weight(heaviest) ? outcome : heaviest))
}

/** What can stand on an arrival whose bytes are kept. */
export const reprocessable = ['accepted', 'duplicate', 'conflict', 'quarantined', 'unauthenticated', 'malformed', 'unreadable', 'not-ours'] as const satisfies Outcome['kind'][] // prettier-ignore
