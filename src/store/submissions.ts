/** Every arrival and what became of it, accepted or refused (RFC 8460 §5.3, §5.4). */
import type { Anomaly, Problem, Provenance, Transport, Trust } from '../tlsrpt/submission.ts'
import type { ReportOutcome } from '../tlsrpt/verdict.ts'
import type { Database } from './database.ts'
import { among, makeBind, type Bind, type TrustScope, type Visible, type Window } from './question.ts'

export type SubmissionRow = {
  key: string
  /** Shared by the parts of one mail. */
  arrivalKey: string
  arrivedAt: Date
  transport: Transport
  provenance: ShownProvenance
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

/** Less what would tell of others' domains. */
export type ShownProvenance =
  | Provenance
  | Omit<Extract<Provenance, { transport: 'smtp' }>, 'rcptTo'>
  | Omit<Extract<Provenance, { transport: 'file' }>, 'fileName'>

export type SubmissionFilters = Partial<Record<'verdict' | 'reason' | 'transport', readonly (string | null)[]>> & {
  domain?: readonly string[]
}

/** The window is over the time of arrival. */
export type SubmissionsQuestion = {
  window: Window
  trust: TrustScope
  filters: SubmissionFilters
  visible: Visible
  limit: number
}

const columns = `key, arrival_key as "arrivalKey", arrived_at as "arrivedAt", transport, provenance, verdict, reason, trust, reporter,
  anomalies, dkim, problems, reports`

/** Newest first, at most `limit`. `after` is the key that a page ended with: keys are UUIDs of version 7, so they are in order of time. */
export async function listSubmissions(
  db: Database,
  question: SubmissionsQuestion,
  after: string | undefined,
): Promise<SubmissionRow[]> {
  const { bind, values } = makeBind()
  const { window, trust, visible, limit } = question
  const { domain, ...own } = question.filters
  const where = [
    `arrived_on >= ${bind(window.from)} and arrived_on < ${bind(window.to)}`,
    ...(trust === 'any' ? [] : [`trust = ${bind(trust)}`]),
    ...Object.entries(own).map(([column, given]) => among(column, given, bind)),
    isAbout(domain, visible, bind),
    ...(after === undefined ? [] : [`key < ${bind(after)}`]),
  ]
  const page = `select * from submission where ${where.join(' and ')} order by key desc limit ${bind(limit)}`
  const { rows } = await db.query<SqlRow>(
    `${withWhole(page, visible, bind)} select ${columns}, whole from seen order by key desc`,
    values,
  )
  return rows.map((row) => partOf(row, visible))
}

/** Undefined when there is none of that key for whoever asks. */
export async function getSubmission(db: Database, key: string, visible: Visible): Promise<SubmissionRow | undefined> {
  const { bind, values } = makeBind()
  const found = `select * from submission where key = ${bind(key)} and ${isAbout(undefined, visible, bind)}`
  const { rows } = await db.query<SqlRow>(
    `${withWhole(found, visible, bind)} select ${columns}, whole from seen`,
    values,
  )
  return rows[0] && partOf(rows[0], visible)
}

/** What is about several domains is found by those that whoever asks may know of, and by no other. */
export function isAbout(wanted: readonly string[] | undefined, visible: Visible, bind: Bind): string {
  if (wanted === undefined && visible === undefined) return 'true'
  const domains = visible && wanted ? wanted.filter((domain) => visible.includes(domain)) : (visible ?? wanted)
  return `domains && ${bind(domains)}::text[]`
}

/**
 * The submissions that `found` selects as `seen`, with `whole`: whether all of the arrival is for whoever asks, each part
 * accepted, about no other domain, and nothing left out of it. The parts of an arrival may lie on several shards
 * (docs/scale.md), so they are looked up once for all, and not by a subquery for each.
 */
export const withWhole = (found: string, visible: Visible, bind: Bind): string =>
  visible === undefined
    ? `with seen as (select *, true as whole from (${found}) found)`
    : `with found as (${found}), arrival as (
         select arrived_on, arrival_key,
           bool_and(domains <> '{}' and domains <@ ${bind(visible)}::text[] and not anomalies @> '[{"code": "policy-dropped"}]') as whole
         from submission where (arrived_on, arrival_key) in (select arrived_on, arrival_key from found)
         group by arrived_on, arrival_key
       ), seen as (select * from found join arrival using (arrived_on, arrival_key))`

type SqlRow = SubmissionRow & { whole: boolean; provenance: Provenance }

function partOf({ whole, ...row }: SqlRow, visible: Visible): SubmissionRow {
  if (visible === undefined) return row
  const reports = row.reports.filter(({ domain }) => visible.includes(domain))
  return { ...row, provenance: shownProvenance(row.provenance, whole, visible), reports }
}

/** Recipients, a file's name (RFC 8460 §5.1) and the token may name domains of others. */
function shownProvenance(provenance: Provenance, whole: boolean, visible: readonly string[]): ShownProvenance {
  switch (provenance.transport) {
    case 'smtp': {
      const { transport, peerAddress, helo, mailFrom, tls } = provenance
      return whole ? provenance : { transport, peerAddress, helo, mailFrom, tls }
    }
    case 'https': {
      const { token, ...rest } = provenance
      const domains = token?.domains.filter((domain) => visible.includes(domain)) ?? []
      return token ? { ...rest, token: { ...token, domains } } : rest
    }
    case 'file':
      return whole ? provenance : { transport: 'file' }
  }
}

/** The bytes as they came: a whole message, or a bare report. */
export type Raw =
  | { kind: 'found'; form: 'message' | 'report'; bytes: Buffer }
  /** Retention took them, or they were never kept. */
  | { kind: 'expired' }
  /** Not everything in them is for whoever asks. */
  | { kind: 'withheld' }

/** Undefined when there is no submission of that key for whoever asks. */
export async function readRaw(db: Database, submissionKey: string, visible: Visible): Promise<Raw | undefined> {
  const { bind, values } = makeBind()
  const found = `select * from submission where key = ${bind(submissionKey)} and ${isAbout(undefined, visible, bind)}`
  const submissions = await db.query<{ whole: boolean; arrived_on: string; arrival_key: string }>(
    `${withWhole(found, visible, bind)} select whole, arrived_on, arrival_key from seen`,
    values,
  )
  const submission = submissions.rows[0]
  if (!submission) return undefined
  if (!submission.whole) return { kind: 'withheld' }
  const { rows } = await db.query<{ form: 'message' | 'report'; bytes: Buffer }>(
    'select form, bytes from submission_raw where arrived_on = $1 and arrival_key = $2',
    [submission.arrived_on, submission.arrival_key],
  )
  return rows[0] ? { kind: 'found', ...rows[0] } : { kind: 'expired' }
}
