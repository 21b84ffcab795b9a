/** Reports as plain objects, and their rows in the store: for tests that ask what the store answers, not how it came to know. */
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../../src/store/database.ts'
import { tallies } from '../../src/store/tally.ts'
import type { Standing } from '../../src/tlsrpt/identity.ts'
import type { FailureDetail } from '../../src/tlsrpt/report.ts'
import type { Transport, Trust } from '../../src/tlsrpt/submission.ts'

export type ReportFact = {
  key: string
  domain: string
  day: string
  trust: Trust
  reporter: string | null
  organization: string | null
  transport: Transport
  standing: Standing
  reportId: string
  arrivedAt: Date
  policies: PolicyFact[]
}

export type PolicyFact = {
  policyDomain: string
  policyType: string
  policyMode: string | null
  /** Left out: none. */
  policyString?: string[]
  mxHost?: string[]
  primary: boolean
  successful: bigint
  failed: bigint
  details: DetailFact[]
}

export type DetailFact = {
  resultType: string
  sendingMtaIp: string | null
  receivingMxHostname: string | null
  receivingIp: string | null
  failureReasonCode: string | null
  failed: bigint
}

/** A report of one verified day for ours.example, but for what is given. */
export function aReport(given: Partial<ReportFact> = {}): ReportFact {
  const arrivedAt = given.arrivedAt ?? new Date('2026-11-21T06:00:00Z')
  return {
    key: uuidv7({ msecs: arrivedAt.getTime() }),
    domain: 'ours.example',
    day: '2026-11-20',
    trust: 'verified',
    reporter: given.trust === 'unverified' ? null : 'sender.example',
    organization: 'Sender',
    transport: 'smtp',
    standing: 'counted',
    reportId: 'id-1',
    arrivedAt,
    policies: [aPolicy()],
    ...given,
  }
}

/** A primary STS policy with ten sessions that succeeded, but for what is given. */
export const aPolicy = (given: Partial<PolicyFact> = {}): PolicyFact => ({
  policyDomain: 'ours.example',
  policyType: 'sts',
  policyMode: 'testing',
  primary: true,
  successful: 10n,
  failed: 0n,
  details: [],
  ...given,
})

/** Three sessions that failed for an expired certificate, but for what is given. */
export const aDetail = (given: Partial<DetailFact> = {}): DetailFact => ({
  resultType: 'certificate-expired',
  sendingMtaIp: '192.0.2.1',
  receivingMxHostname: 'mx1.ours.example',
  receivingIp: '198.51.100.1',
  failureReasonCode: null,
  failed: 3n,
  ...given,
})

const sum = (numbers: bigint[]): bigint => numbers.reduce((total, number) => total + number, 0n)

/** Writes the rows that the recorder would write for accepted reports, day totals included. */
export async function insertReports(db: Database, reports: readonly ReportFact[]): Promise<void> {
  await insertRows(db, 'report', reports.map(reportRow))
  await insertRows(db, 'policy', reports.flatMap(policyRows))
  await insertRows(db, 'failure_detail', reports.flatMap(detailRows))
  const counted = reports.filter(isCounted)
  const said = counted.flatMap(({ policies, ...report }) => policies.map((policy) => ({ ...report, ...policy })))
  const byTotal = Map.groupBy(said, ({ domain, day, trust, policyType }) => [domain, day, trust, policyType].join(' '))
  const totals = [...byTotal.values()].map((same) => {
    const { domain, day, trust, policyType } = same[0]!
    const primary = same.filter((policy) => policy.primary)
    return {
      domain,
      day,
      trust,
      policy_type: policyType,
      successful: sum(primary.map(({ successful }) => successful)),
      failed: sum(primary.map(({ failed }) => failed)),
      attributed: sum(primary.flatMap(({ details }) => details.map(({ failed }) => failed))),
      reports: new Set(primary.map(({ key }) => key)).size,
      failed_of_type: sum(same.map(({ failed }) => failed)),
      policies: same.length,
    }
  })
  await insertRows(db, 'day_total', totals)
}

const isCounted = ({ standing }: ReportFact): boolean => standing === 'counted'

const primaryOf = ({ policies }: ReportFact): PolicyFact[] => policies.filter(({ primary }) => primary)

const reportRow = (report: ReportFact) => ({
  domain: report.domain,
  day: report.day,
  identity: createHash('sha256').update(report.key).digest(),
  variant: 0,
  key: report.key,
  submission_key: uuidv7({ msecs: report.arrivedAt.getTime() }),
  content_hash: createHash('sha256').update(report.key).digest(),
  trust: report.trust,
  reporter: report.reporter,
  standing: report.standing,
  counted: isCounted(report),
  implausible: report.standing === 'implausible',
  transport: report.transport,
  organization: report.organization,
  report_id: report.reportId,
  contact_info: null,
  start_datetime: `${report.day}T00:00:00Z`,
  end_datetime: `${report.day}T23:59:59Z`,
  arrived_at: report.arrivedAt,
  anomalies: '[]',
  successful: sum(primaryOf(report).map((policy) => policy.successful)),
  failed: sum(primaryOf(report).map((policy) => policy.failed)),
})

const borne = (report: ReportFact, policy: PolicyFact) => ({
  domain: report.domain,
  day: report.day,
  report_key: report.key,
  policy_domain: policy.policyDomain,
  policy_type: policy.policyType,
  policy_mode: policy.policyMode,
  primary: policy.primary,
  trust: report.trust,
  reporter: report.reporter,
  organization: report.organization,
  transport: report.transport,
  counted: isCounted(report),
})

const policyRows = (report: ReportFact) => {
  const tallied = tallies(report.policies.map(({ details }) => ({ failureDetails: details.map(toldDetail) })))
  return report.policies.map((policy, seq) => ({
    ...borne(report, policy),
    seq,
    policy_string: policy.policyString ?? [],
    mx_host: policy.mxHost ?? [],
    successful: policy.successful,
    failed: policy.failed,
    attributed: sum(policy.details.map((detail) => detail.failed)),
    tally_result_type: tallied[seq]?.resultTypes,
    tally_mx: tallied[seq]?.mx,
    tally_failed: tallied[seq]?.failed,
    tally_first: tallied[seq]?.first,
  }))
}

const toldDetail = ({ resultType, receivingMxHostname, failed }: DetailFact): FailureDetail => ({
  resultType,
  failedSessionCount: Number(failed),
  ...(receivingMxHostname !== null && { receivingMxHostname }),
})

const detailRows = (report: ReportFact) =>
  report.policies.flatMap((policy, policySeq) =>
    policy.details.map((detail, seq) => ({
      ...borne(report, policy),
      policy_seq: policySeq,
      seq,
      result_type: detail.resultType,
      sending_mta_ip: detail.sendingMtaIp,
      receiving_mx_hostname: detail.receivingMxHostname,
      receiving_ip: detail.receivingIp,
      failure_reason_code: detail.failureReasonCode,
      failed_session_count: detail.failed,
    })),
  )

/** Columns are those of the first row. */
export async function insertRows(db: Database, table: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  if (rows.length === 0) return
  const columns = Object.keys(rows[0]!)
  const values: unknown[] = []
  const tuples = rows.map((row) => `(${columns.map((column) => `$${values.push(row[column])}`).join(', ')})`)
  await db.query(
    `insert into ${table} (${columns.map((column) => `"${column}"`).join(', ')}) values ${tuples.join(', ')}`,
    values,
  )
}
