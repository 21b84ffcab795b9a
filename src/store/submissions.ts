/** Every arrival and what became of it, accepted or refused (RFC 8460 §5.3, §5.4). */
import type { Anomaly, Problem, Provenance, Transport, Trust } from '../tlsrpt/submission.ts'
import type { ReportOutcome } from '../tlsrpt/verdict.ts'
import type { Database } from './database.ts'
import { among, makeBind, type TrustScope, type Window } from './question.ts'

export type SubmissionRow = {
  key: string
  /** Shared by the parts of one mail. */
  arrivalKey: string
  arrivedAt: Date
  transport: Transport
  provenance: Provenance
  verdict: string
  /** Finer than the verdict; null on what is accepted. */
  reason: string | null
  /** Null on what was refused before anybody could tell. */
  trust: Trust | null
  reporter: string | null
  anomalies: Anomaly[]
  /** DkimResult[] of dkim/verify.ts, which the store keeps as it is. */
  dkim: Record<string, unknown>[]
  problems: Problem[]
  reports: ReportOutcome[]
}

export type SubmissionFilters = Partial<Record<'verdict' | 'reason' | 'transport', readonly (string | null)[]>> & {
  domain?: readonly string[]
}

/** The window is over the time of arrival. */
export type SubmissionsQuestion = { window: Window; trust: TrustScope; filters: SubmissionFilters; limit: number }

const columns = `key, arrival_key as "arrivalKey", arrived_at as "arrivedAt", transport, provenance, verdict, reason, trust, reporter,
  anomalies, dkim, problems, reports`

/** Newest first, at most `limit`. `after` is the key that a page ended with: keys are UUIDs of version 7, so they are in order of time. */
export async function listSubmissions(
  db: Database,
  question: SubmissionsQuestion,
  after: string | undefined,
): Promise<SubmissionRow[]> {
  const { bind, values } = makeBind()
  const { window, trust, limit } = question
  const { domain, ...own } = question.filters
  const where = [
    `arrived_on >= ${bind(window.from)} and arrived_on < ${bind(window.to)}`,
    ...(trust === 'any' ? [] : [`trust = ${bind(trust)}`]),
    ...Object.entries(own).map(([column, given]) => among(column, given, bind)),
    ...(domain ? [`domains && ${bind(domain)}::text[]`] : []),
    ...(after === undefined ? [] : [`key < ${bind(after)}`]),
  ]
  const { rows } = await db.query<SubmissionRow>(
    `select ${columns} from submission where ${where.join(' and ')} order by key desc limit ${bind(limit)}`,
    values,
  )
  return rows
}

/** Undefined when there is none of that key. */
export async function getSubmission(db: Database, key: string): Promise<SubmissionRow | undefined> {
  const { rows } = await db.query<SubmissionRow>(`select ${columns} from submission where key = $1`, [key])
  return rows[0]
}

/** The bytes as they came: a whole message, or a bare report. 'expired' when retention took them or they were never kept. */
export type Raw = { kind: 'found'; form: 'message' | 'report'; bytes: Buffer } | { kind: 'expired' }

/** Undefined when there is no submission of that key. */
export async function readRaw(db: Database, submissionKey: string): Promise<Raw | undefined> {
  const { rows } = await db.query<{ form: 'message' | 'report' | null; bytes: Buffer | null }>(
    `select form, bytes from submission s left join submission_raw r on r.arrived_on = s.arrived_on and r.arrival_key = s.arrival_key
     where s.key = $1`,
    [submissionKey],
  )
  const row = rows[0]
  if (!row) return undefined
  return row.form === null || row.bytes === null
    ? { kind: 'expired' }
    : { kind: 'found', form: row.form, bytes: row.bytes }
}
