/** RFC 8460 §4.4: from the bytes of a JSON text to a Report. Bounded, parsed, repaired, checked, and only then ours. */
import type { z } from 'zod'
import { isPlainAddress, isV4Mapped, readAddress } from './address.ts'
import { noteInto } from './anomalies.ts'
import { hostName } from './domain-name.ts'
import { isObject, parseJson, type JsonObject } from './json.ts'
import type { At, Repairing, RepairLimits } from './members.ts'
import { isPlainFailureDetail, plainPolicy, plainReport } from './plain.ts'
import type { PrescanLimits } from './prescan.ts'
import { problem, refusal, type ProblemCode } from './problems.ts'
import { repairFailureDetail, repairPolicy, repairReport } from './repairs.ts'
import { policyTypes, type Address, type DateRange, type FailureDetail, type Policy, type Report } from './report.ts'
import { resultTypes } from './result-types.ts'
import { failureDetailSchema, policySchema, reportSchema } from './schema.ts'
import type { WireFailureDetail, WirePolicy, WireReport } from './schema.ts'
import { maxProblems, type Anomaly, type Problem, type Refusal } from './submission.ts'

export type ParseLimits = PrescanLimits &
  RepairLimits & {
    policies: number
    /** In all policies together. */
    failureDetails: number
    /** A longer report-id is refused: cut, it could be another's. */
    reportIdBytes: number
    dateSpanDays: number
    /** How long after its arrival the end of a report may lie. */
    futureHours: number
  }

export type Parsed = { kind: 'parsed'; report: Report; anomalies: Anomaly[] } | Refusal

/**
 * Reads one report. What is in the future is judged by `arrivedAt`. Throws for no bytes whatever: a refusal is
 * 'malformed' (no JSON), 'unreadable' (JSON, but no acceptable report) or 'too-large', its reason the first problem's code.
 */
export function parseReport(json: Uint8Array, arrivedAt: Date, limits: ParseLimits): Parsed {
  const parsed = parseJson(json, limits)
  if (parsed.kind !== 'json') return parsed
  const anomalies: Anomaly[] = []
  const note = noteInto(anomalies)
  if (parsed.byteOrderMark) note('byte-order-mark', '')
  const repairing = { note, limits, escapes: parsed.escapes }
  const reading: Reading = { repairing, limits, problems: [], failureDetails: 0, sessions: 0, addresses: new Map() }
  const report = readReport(parsed.value, arrivedAt, reading)
  if (reading.tooLarge !== undefined) return refusal('too-large', [reading.tooLarge])
  // Where one stands for a count, that is told already, with its place.
  if (reading.problems.length === 0 && parsed.unsafeNumbers > 0) tell(reading, 'unsafe-number', '')
  if (reading.sessions > mostSessions) tell(reading, 'too-many-sessions', '/policies')
  if (report === undefined || reading.problems.length > 0) return refusal('unreadable', reading.problems)
  return { kind: 'parsed', report, anomalies }
}

/** What the reading of one report gathers. */
type Reading = {
  repairing: Repairing
  limits: ParseLimits
  /** At most `maxProblems`, and then the reading stops. */
  problems: Problem[]
  tooLarge?: Problem
  /** Seen so far. */
  failureDetails: number
  /** Told so far, by all counts of all policies and their details, roughly. */
  sessions: number
  /** By their text: reading one of IPv6 takes ten times as long as finding it again. */
  addresses: Map<string, Address>
}

/** Whatever of it is added up fits into a bigint of Postgres, which ends at 9.22e18. */
const mostSessions = 9e18

const stopped = ({ problems, tooLarge }: Reading) => problems.length >= maxProblems || tooLarge !== undefined

function readReport(value: unknown, arrivedAt: Date, reading: Reading): Report | undefined {
  const { repairing, limits } = reading
  const wire = plainReport(value, repairing) ?? repairedReport(value, reading)
  // Also where something else is wrong: whoever mends their sender is told more at once.
  const policies = isObject(value) ? readPolicies(value['policies'], reading) : []
  if (wire === undefined) return undefined
  const dateRange = { start: wire['date-range']['start-datetime'], end: wire['date-range']['end-datetime'] }
  checkDateRange(dateRange, arrivedAt, reading)
  const reportId = wire['report-id']
  if (Buffer.byteLength(reportId) > limits.reportIdBytes) tell(reading, 'report-id-too-long', '/report-id')
  const report: Report = { reportId, dateRange, policies }
  if (wire['organization-name'] !== undefined) report.organizationName = wire['organization-name']
  if (wire['contact-info'] !== undefined) report.contactInfo = wire['contact-info']
  return report
}

function repairedReport(value: unknown, reading: Reading): WireReport | undefined {
  if (isObject(value)) repairReport(value, reading.repairing)
  return check(reportSchema, value, '', reading)
}

const hour = 60 * 60 * 1000
const day = 24 * hour

function checkDateRange({ start, end }: DateRange, arrivedAt: Date, reading: Reading): void {
  const { dateSpanDays, futureHours } = reading.limits
  const span = end.getTime() - start.getTime()
  if (start.getTime() < Date.UTC(2016, 0, 1)) tell(reading, 'start-before-2016', '/date-range/start-datetime')
  if (span < 0) tell(reading, 'end-before-start', '/date-range/end-datetime')
  if (span > dateSpanDays * day) tell(reading, 'date-range-too-long', '/date-range')
  if (end.getTime() > arrivedAt.getTime() + futureHours * hour)
    tell(reading, 'end-in-future', '/date-range/end-datetime')
}

function readPolicies(list: unknown, reading: Reading): Policy[] {
  const policies: Policy[] = []
  if (!Array.isArray(list)) return policies
  if (list.length > reading.limits.policies) reading.tooLarge = problem('too-many-policies', '/policies')
  let i = 0
  const at = () => `/policies/${i}`
  for (; i < list.length && !stopped(reading); i++) {
    const policy = readPolicy(list[i], at, reading)
    if (policy !== undefined) policies.push(policy)
  }
  return policies
}

function readPolicy(entry: unknown, at: At, reading: Reading): Policy | undefined {
  const { note } = reading.repairing
  const wire = wirePolicy(entry, at, reading)
  if (wire === undefined) return undefined
  const failureDetails: FailureDetail[] = []
  let attributed = 0
  const elements = wire['failure-details']
  let i = 0
  const atDetail = () => `${at()}/failure-details/${i}`
  for (; i < elements.length && !stopped(reading); i++) {
    const detail = readFailureDetail(elements[i], atDetail, reading)
    if (detail === undefined) continue
    failureDetails.push(detail)
    attributed += detail.failedSessionCount
  }
  const { policy, summary } = wire
  const total = summary['total-failure-session-count']
  reading.sessions += summary['total-successful-session-count'] + total + attributed
  // Beyond 2^53 the sum is not exact, and still not the total.
  if (attributed !== total) note('details-differ-from-total', `${at()}/summary/total-failure-session-count`)
  const policyType = cut(normalWord(policy['policy-type']))
  if (!knownPolicyTypes.has(policyType)) note('unknown-policy-type', `${at()}/policy/policy-type`)
  const result: Policy = {
    policyType,
    policyString: policy['policy-string'],
    mxHost: policy['mx-host'].map(hostName).filter((host) => host !== ''),
    totalSuccessfulSessionCount: summary['total-successful-session-count'],
    totalFailureSessionCount: total,
    failureDetails,
  }
  if (policyType !== policy['policy-type']) result.policyTypeRaw = policy['policy-type']
  if (policy['policy-domain'] !== undefined) result.policyDomain = policy['policy-domain']
  return result
}

function wirePolicy(entry: unknown, at: At, reading: Reading): WirePolicy | undefined {
  const plain = plainPolicy(entry, reading.repairing)
  if (plain === undefined && isObject(entry)) repairPolicy(entry, at, reading.repairing)
  if (isObject(entry)) checkListSizes(entry, at, reading)
  if (reading.tooLarge !== undefined) return undefined
  return plain ?? check(policySchema, entry, at(), reading)
}

/** Before the schema, which would look at every element. */
function checkListSizes({ policy, 'failure-details': details }: JsonObject, at: At, reading: Reading): void {
  const { limits } = reading
  if (isObject(policy)) {
    for (const name of ['policy-string', 'mx-host']) {
      const list = policy[name]
      if (Array.isArray(list) && list.length > limits.listEntries) {
        reading.tooLarge = problem('too-many-list-entries', `${at()}/policy/${name}`)
      }
    }
  }
  if (Array.isArray(details)) reading.failureDetails += details.length
  if (reading.failureDetails > limits.failureDetails) {
    reading.tooLarge = problem('too-many-failure-details', `${at()}/failure-details`)
  }
}

function readFailureDetail(element: unknown, at: At, reading: Reading): FailureDetail | undefined {
  if (isPlainFailureDetail(element, reading.repairing)) return toFailureDetail(element, at, reading)
  if (isObject(element)) repairFailureDetail(element, at, reading.repairing)
  const wire = check(failureDetailSchema, element, at(), reading)
  return wire === undefined ? undefined : toFailureDetail(wire, at, reading)
}

function toFailureDetail(wire: WireFailureDetail, at: At, reading: Reading): FailureDetail {
  const written = wire['result-type']
  const known = knownResultTypes.has(written)
  const resultType = known ? written : normalWord(written)
  if (!known && !knownResultTypes.has(resultType)) reading.repairing.note('unknown-result-type', `${at()}/result-type`)
  const detail: FailureDetail = { resultType, failedSessionCount: wire['failed-session-count'] }
  if (resultType !== written) detail.resultTypeRaw = written
  const sendingMtaIp = wire['sending-mta-ip']
  if (sendingMtaIp !== undefined) detail.sendingMtaIp = toAddress(sendingMtaIp, 'sending-mta-ip', at, reading)
  const receivingMxHostname = hostName(wire['receiving-mx-hostname'] ?? '')
  if (receivingMxHostname !== '') detail.receivingMxHostname = receivingMxHostname
  const receivingMxHelo = wire['receiving-mx-helo']
  if (receivingMxHelo !== undefined) detail.receivingMxHelo = receivingMxHelo
  const receivingIp = wire['receiving-ip']
  if (receivingIp !== undefined) detail.receivingIp = toAddress(receivingIp, 'receiving-ip', at, reading)
  const additionalInformation = wire['additional-information']
  if (additionalInformation !== undefined) detail.additionalInformation = additionalInformation
  const failureReasonCode = wire['failure-reason-code']
  if (failureReasonCode !== undefined) detail.failureReasonCode = failureReasonCode
  return detail
}

function toAddress(text: string, name: string, at: At, { addresses, repairing: { note } }: Reading): Address {
  if (isPlainAddress(text)) return { ip: text }
  let address = addresses.get(text)
  if (address === undefined) addresses.set(text, (address = readAddress(text)))
  const { ip, raw } = address
  if (ip === undefined) note('unparsable-address', `${at()}/${name}`)
  else {
    if (raw?.includes('[') === true) note('address-in-brackets', `${at()}/${name}`)
    if (isV4Mapped(ip)) note('address-v4-mapped', `${at()}/${name}`)
  }
  return address
}

const knownPolicyTypes: ReadonlySet<string> = new Set([...policyTypes, 'unknown'])
const knownResultTypes: ReadonlySet<string> = new Set(resultTypes.map(({ name }) => name))

/** Open vocabularies are compared without regard to case (RFC 8460 §4.4 leaves it open) and to blanks around. */
const normalWord = (text: string) => text.trim().toLowerCase()

/** It is part of a key of the store; whoever wrote more finds it in `policyTypeRaw`. */
const mostTypeLength = 255

/** By code points, so that none is cut in two. */
const cut = (word: string) => (word.length > mostTypeLength ? Array.from(word).slice(0, mostTypeLength).join('') : word)

/** The value if the schema takes it; else undefined, and the problems are told. */
function check<T>(schema: z.ZodType<T>, value: unknown, pointer: string, reading: Reading): T | undefined {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const { message, path } of result.error.issues) {
    // The schema knows no other messages.
    tell(
      reading,
      message as ProblemCode,
      path.reduce<string>((parent, name) => `${parent}/${String(name)}`, pointer),
    )
  }
  return undefined
}

function tell({ problems }: Reading, code: ProblemCode, pointer: string): void {
  if (problems.length < maxProblems) problems.push(problem(code, pointer))
}
