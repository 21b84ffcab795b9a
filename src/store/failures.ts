/** Failure details as they were reported, one by one (RFC 8460 §4.4, "failure-details"). */
import type { Trust } from '../tlsrpt/submission.ts'
import type { Database } from './database.ts'
import { among, conditions, isOfSome, makeBind, type Question } from './question.ts'

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

type FailuresQuestion = Question & { reportKeys: readonly string[] | undefined; limit: number }

type Found = { failure: Failure; position: FailurePosition }

/** That many of the newest days with reports are looked through one by one before all the others are. */
const mostDaysApart = 3

/**
 * Counted ones, newest day first, at most `limit`, each with its position. `trust` decides which are shown. An index has
 * those of one domain in order. Of several, or all, the newest day nearly always fills a page: at 10 million it is read in
 * 60 ms, where to sort all of the window takes more than a second.
 */
export async function listFailures(
  db: Database,
  question: FailuresQuestion,
  after: FailurePosition | undefined,
): Promise<Found[]> {
  const { limit, reportKeys, filters } = question
  if (filters.domain?.length === 1 || reportKeys) return read(db, question, after, 'true')
  const found: Found[] = []
  let window = question.window
  for (let apart = 0; apart < mostDaysApart; apart++) {
    const day = await newestDay(db, { ...question, window }, after)
    if (day === null) return found
    const ofDay = { ...question, window: { ...window, from: day }, limit: limit - found.length }
    found.push(...(await read(db, ofDay, after, isOfSome(question) ? 'true' : isOnDay)))
    if (found.length >= limit) return found
    window = { ...window, to: day }
  }
  return [...found, ...(await read(db, { ...question, window, limit: limit - found.length }, after, 'true'))]
}

/** With a report on one of the domains, and not after the day on which the page before ended. */
async function newestDay(
  db: Database,
  { window, visible, filters: { domain } }: Question,
  after: FailurePosition | undefined,
): Promise<string | null> {
  const { bind, values } = makeBind()
  const where = [
    conditions({ window, visible, filters: domain ? { domain } : {} }, bind),
    ...(after ? [`day <= ${bind(after[0])}`] : []),
  ]
  const { rows } = await db.query<{ day: string | null }>(
    `select max(day) as day from report where ${where.join(' and ')}`,
    values,
  )
  return rows[0]!.day
}

/** Of a window of one day: by the domains that have totals on it, since the index begins with the domain. */
const isOnDay = 'domain = any(array(select domain from day_total where day >= $1 and day < $2))'

/** `where` is one more condition, of which $1 and $2 are the window. */
async function read(
  db: Database,
  question: FailuresQuestion,
  after: FailurePosition | undefined,
  where: string,
): Promise<Found[]> {
  const { bind, values } = makeBind()
  const { trust, reportKeys, limit } = question
  const all = [
    'counted',
    conditions(question, bind),
    where,
    ...(trust === 'any' ? [] : [`trust = ${bind(trust)}`]),
    ...(reportKeys ? [among('report_key', reportKeys, bind, 'uuid')] : []),
    ...(after ? [isAfter(after, bind)] : []),
  ]
  const { rows } = await db.query<Failure & { policySeq: number; seq: number }>(
    `select report_key as "reportKey", policy_seq as "policySeq", seq, day, domain, policy_domain as "policyDomain",
       policy_type as "policyType", "primary", organization, reporter, trust, ${failureDetailColumns}
     from failure_detail where ${all.join(' and ')}
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
