/** Reports as they were accepted, one row for each domain of ours in them (RFC 8460 §4.4). */
import type { Standing } from '../tlsrpt/identity.ts'
import type { Anomaly, Transport, Trust } from '../tlsrpt/submission.ts'
import { sumByType } from './aggregates.ts'
import type { Database } from './database.ts'
import type { Decision } from './decisions.ts'
import { failureDetailColumns, type FailureDetailRow } from './failures.ts'
import { jsonText } from './json-text.ts'
import { among, isVisible, makeBind, type Bind, type TrustScope, type Visible, type Window } from './question.ts'
import { readRaw, type Raw } from './submissions.ts'

/** Null is "the sender did not say". */
export type ReportRow = {
  key: string
  domain: string
  /** UTC day on which the range starts. */
  day: string
  organization: string | null
  contactInfo: string | null
  reporter: string | null
  trust: Trust
  standing: Standing
  /** Whether it is in the numbers. */
  counted: boolean
  reportId: string
  startDatetime: Date
  endDatetime: Date
  arrivedAt: Date
  transport: Transport
  /** Sessions, by the primary policies. */
  successful: bigint
  failed: bigint
  failedByPolicyType: Record<string, bigint>
  anomalies: Anomaly[]
  submissionKey: string
  /** The operator's last word on it; null where there is none. */
  decision: Decision | null
}

export type ReportFilters = Partial<
  Record<
    'domain' | 'reporter' | 'organization' | 'standing' | 'report_id' | 'transport' | PolicyColumn | DetailColumn,
    readonly (string | null)[]
  >
> & {
  /** Codes of what was odd about it. */
  anomaly?: readonly string[]
}

/** Of one policy of it, and of one failure detail. */
type PolicyColumn = 'policy_domain' | 'policy_type' | 'policy_mode'
type DetailColumn = 'result_type' | 'receiving_mx_hostname'

export type ReportsQuestion = {
  window: Window
  trust: TrustScope
  filters: ReportFilters
  visible: Visible
  limit: number
}

/** Where a page ended. */
export type ReportPosition = [day: string, key: string]

const columns = `r.key, r.domain, r.day, r.organization, r.contact_info as "contactInfo", r.reporter, r.trust, r.standing, r.counted,
  r.report_id as "reportId", r.start_datetime as "startDatetime", r.end_datetime as "endDatetime", r.arrived_at as "arrivedAt",
  r.transport, r.successful, r.failed, r.anomalies, r.submission_key as "submissionKey",
  r.decision as "decisionWord", r.decided_by as "decidedBy", r.decided_at as "decidedAt", r.decision_reason as "decisionReason",
  (select coalesce(jsonb_agg(jsonb_build_array(policy_type, p.failed::text)), '[]') from policy p
   where p.domain = r.domain and p.day = r.day and p.report_key = r.key) as "failedOfTypes"`

type SqlRow = Omit<ReportRow, 'failedByPolicyType' | 'decision'> & {
  failedOfTypes: [type: string, sum: string][]
  decisionReason: string | null
} & (
    | { decisionWord: Decision['word']; decidedBy: string; decidedAt: Date }
    | { decisionWord: null; decidedBy: null; decidedAt: null }
  )

/** Counted or not, newest day first, then by key; at most `limit`. */
export async function listReports(
  db: Database,
  question: ReportsQuestion,
  after: ReportPosition | undefined,
): Promise<ReportRow[]> {
  const { bind, values } = makeBind()
  const { window, trust, visible, limit } = question
  const { policy_domain, policy_type, policy_mode, result_type, receiving_mx_hostname, anomaly, ...own } =
    question.filters
  const where = [
    `r.day >= ${bind(window.from)} and r.day < ${bind(window.to)}`,
    isVisible('r.domain', visible, bind),
    ...(trust === 'any' ? [] : [`r.trust = ${bind(trust)}`]),
    ...Object.entries(own).map(([column, given]) => among(`r.${column}`, given, bind)),
    ...hasOne('policy', { policy_domain, policy_type, policy_mode }, bind),
    ...hasOne('failure_detail', { result_type, receiving_mx_hostname }, bind),
    ...(anomaly ? [`r.anomalies @> any(${bind(anomaly.map((code) => jsonText([{ code }])))}::jsonb[])`] : []),
    ...(after ? [isAfter(after, bind)] : []),
  ]
  const { rows } = await db.query<SqlRow>(
    `select ${columns} from report r where ${where.join(' and ')} order by r.day desc, r.key limit ${bind(limit)}`,
    values,
  )
  return rows.map(readRow)
}

/** One row of the report in this table has a value of each of the filters. */
function hasOne(
  table: 'policy' | 'failure_detail',
  filters: Partial<Record<PolicyColumn | DetailColumn, readonly (string | null)[] | undefined>>,
  bind: Bind,
): string[] {
  const asked = Object.entries(filters).flatMap(([column, given]) => (given ? [among(`f.${column}`, given, bind)] : []))
  if (asked.length === 0) return []
  return [
    `exists (select from ${table} f where f.domain = r.domain and f.day = r.day and f.report_key = r.key and ${asked.join(' and ')})`,
  ]
}

const isAfter = ([day, key]: ReportPosition, bind: (value: unknown) => string): string => {
  const on = bind(day)
  return `r.day <= ${on} and (r.day < ${on} or r.key > ${bind(key)})`
}

const readRow = ({
  failedOfTypes,
  decisionWord: word,
  decidedBy: by,
  decidedAt: at,
  decisionReason: reason,
  ...row
}: SqlRow): ReportRow => ({
  ...row,
  failedByPolicyType: sumByType(failedOfTypes),
  decision: word === null ? null : { word, by, at, reason },
})

export type ReportWithPolicies = ReportRow & { policies: (PolicyRow & { failureDetails: FailureDetailRow[] })[] }

export type PolicyRow = {
  policyType: string
  policyDomain: string
  policyMode: string | null
  policyString: string[]
  mxHost: string[]
  primary: boolean
  successful: bigint
  failed: bigint
  /** `failed` minus what the failure details add up to, either sign. */
  unattributedFailed: bigint
}

/** Undefined when there is none of that key for whoever asks. */
export async function getReport(db: Database, key: string, visible: Visible): Promise<ReportWithPolicies | undefined> {
  const { bind, values } = makeBind()
  const found = await db.query<SqlRow>(
    `select ${columns} from report r where r.key = ${bind(key)} and ${isVisible('r.domain', visible, bind)}`,
    values,
  )
  const report = found.rows[0]
  if (!report) return undefined
  const at = [report.domain, report.day, key]
  const policies = await db.query<Omit<PolicyRow, 'unattributedFailed'> & { seq: number; unattributed: string }>(
    `select seq, policy_type as "policyType", policy_domain as "policyDomain", policy_mode as "policyMode",
       policy_string as "policyString", mx_host as "mxHost", "primary", successful, failed, failed - attributed as unattributed
     from policy where domain = $1 and day = $2 and report_key = $3 order by policy.seq`,
    at,
  )
  const details = await db.query<FailureDetailRow & { policySeq: number }>(
    `select policy_seq as "policySeq", ${failureDetailColumns}
     from failure_detail where domain = $1 and day = $2 and report_key = $3 order by policy_seq, seq`,
    at,
  )
  const detailsOf = new Map(policies.rows.map(({ seq }) => [seq, [] as FailureDetailRow[]]))
  for (const { policySeq, ...detail } of details.rows) detailsOf.get(policySeq)?.push(detail)
  return {
    ...readRow(report),
    policies: policies.rows.map(({ seq, unattributed, ...policy }) => ({
      ...policy,
      unattributedFailed: BigInt(unattributed),
      failureDetails: detailsOf.get(seq) ?? [],
    })),
  }
}

/** The bytes of the arrival that the report was taken from. Undefined when there is no report of that key for whoever asks. */
export async function readRawOfReport(db: Database, key: string, visible: Visible): Promise<Raw | undefined> {
  const { bind, values } = makeBind()
  const { rows } = await db.query<{ submissionKey: string }>(
    `select submission_key as "submissionKey" from report where key = ${bind(key)} and ${isVisible('domain', visible, bind)}`,
    values,
  )
  if (!rows[0]) return undefined
  return (await readRaw(db, rows[0].submissionKey, visible)) ?? { kind: 'expired' }
}
