/** Failure details as they were reported, one by one (RFC 8460 §4.4, "failure-details"). */
import type { Trust } from '../tlsrpt/submission.ts'
import type { Database } from './database.ts'
import { among, conditions, makeBind, type Question } from './question.ts'

/** Null is "the sender did not say". */
export type Failure = FailureDetailRow & {
  /** `<report key>.<seq of its policy>.<seq in the policy>`. */
  key: string
  reportKey: string
  day: string
  domain: string
  policyDomain: string
  policyType: string
  /** False: another policy type of the same report stands for its sessions. */
  primary: boolean
  organization: string | null
  reporter: string | null
  trust: Trust
}

export type FailureDetailRow = {
  resultType: string
  /** As written where it is no address. */
  sendingMtaIp: string | null
  receivingMxHostname: string | null
  receivingMxHelo: string | null
  receivingIp: string | null
  /** Sessions. */
  failedSessionCount: bigint
  additionalInformation: string | null
  failureReasonCode: string | null
}

/** What a FailureDetailRow is read from. */
export const failureDetailColumns = `result_type as "resultType", coalesce(host(sending_mta_ip), sending_mta_ip_raw) as "sendingMtaIp",
  receiving_mx_hostname as "receivingMxHostname", receiving_mx_helo as "receivingMxHelo",
  coalesce(host(receiving_ip), receiving_ip_raw) as "receivingIp", failed_session_count as "failedSessionCount",
  additional_information as "additionalInformation", failure_reason_code as "failureReasonCode"`

/** Where a page ended: day, report key, seq of the policy, seq in the policy. */
export type FailurePosition = [day: string, reportKey: string, policySeq: number, seq: number]

/** Counted ones, newest day first, at most `limit`, each with its position. `trust` decides which are shown. */
export async function listFailures(
  db: Database,
  question: Question & { reportKeys: readonly string[] | undefined; limit: number },
  after: FailurePosition | undefined,
): Promise<{ failure: Failure; position: FailurePosition }[]> {
  const { bind, values } = makeBind()
  const { trust, reportKeys, limit } = question
  const where = [
    'counted',
    conditions(question, bind),
    ...(trust === 'any' ? [] : [`trust = ${bind(trust)}`]),
    ...(reportKeys ? [among('report_key', reportKeys, bind, 'uuid')] : []),
    ...(after ? [isAfter(after, bind)] : []),
  ]
  const { rows } = await db.query<Failure & { policySeq: number; seq: number }>(
    `select report_key as "reportKey", policy_seq as "policySeq", seq, day, domain, policy_domain as "policyDomain",
       policy_type as "policyType", "primary", organization, reporter, trust, ${failureDetailColumns}
     from failure_detail where ${where.join(' and ')}
     order by failure_detail.day desc, report_key, policy_seq, failure_detail.seq limit ${bind(limit)}`,
    values,
  )
  return rows.map(({ policySeq, seq, ...row }) => ({
    failure: { ...row, key: `${row.reportKey}.${policySeq}.${seq}` },
    position: [row.day, row.reportKey, policySeq, seq],
  }))
}

const isAfter = ([day, reportKey, policySeq, seq]: FailurePosition, bind: (value: unknown) => string): string => {
  const on = bind(day)
  return `day <= ${on} and (day < ${on} or (report_key, policy_seq, seq) > (${bind(reportKey)}, ${bind(policySeq)}, ${bind(seq)}))`
}
