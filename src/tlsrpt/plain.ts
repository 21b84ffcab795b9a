/**
 * RFC 8460 §4.4 read quickly: what no repair would change and the schema takes, which is nearly everything. Here it takes
 * 1 us a report, there 5. What is not plain is undefined, and goes there, where all that is odd or wrong is named.
 */
import { isPlainDomain } from './domain-name.ts'
import { readDateTime } from './dates.ts'
import { isObject, type JsonObject } from './json.ts'
import { isPlain, type Repairing } from './members.ts'
import { isCount, type WireFailureDetail, type WirePolicy, type WireReport } from './schema.ts'

const reportNames = new Set(['organization-name', 'date-range', 'contact-info', 'report-id', 'policies'])
const dateRangeNames = new Set(['start-datetime', 'end-datetime'])

/** All of a report but what is inside `policies`. */
export function plainReport(value: unknown, repairing: Repairing): WireReport | undefined {
  if (!isObject(value) || !hasOnly(value, reportNames)) return undefined
  const { 'organization-name': organizationName, 'contact-info': contactInfo, policies } = value
  const { 'report-id': reportId, 'date-range': range } = value
  if (!isPlain(organizationName, repairing) || !isPlain(contactInfo, repairing) || !isPlain(reportId, repairing)) return undefined // prettier-ignore
  if (!isPlainMailbox(contactInfo) || !Array.isArray(policies)) return undefined
  if (!isObject(range) || !hasOnly(range, dateRangeNames)) return undefined
  const start = plainInstant(range['start-datetime'])
  const end = plainInstant(range['end-datetime'])
  if (start === undefined || end === undefined) return undefined
  return {
    'organization-name': organizationName,
    'date-range': { 'start-datetime': start, 'end-datetime': end },
    'contact-info': contactInfo,
    'report-id': reportId,
    policies,
  }
}

const entryNames = new Set(['policy', 'summary', 'failure-details'])
const policyNames = new Set(['policy-type', 'policy-string', 'policy-domain', 'mx-host'])
const summaryNames = new Set(['total-successful-session-count', 'total-failure-session-count'])

/** All of an element of `policies` but what is inside its `failure-details`. */
export function plainPolicy(value: unknown, repairing: Repairing): WirePolicy | undefined {
  if (!isObject(value) || !hasOnly(value, entryNames)) return undefined
  const { policy, summary, 'failure-details': failureDetails = [] } = value
  if (!isObject(policy) || !hasOnly(policy, policyNames)) return undefined
  const { 'policy-type': type, 'policy-string': strings = [], 'policy-domain': domain, 'mx-host': hosts = [] } = policy
  if (!isPlain(type, repairing) || typeof domain !== 'string' || !isPlainDomain(domain)) return undefined
  if (!isPlainList(strings, notOneString, repairing) || !isPlainList(hosts, notOneHost, repairing)) return undefined
  if (!isObject(summary) || !hasOnly(summary, summaryNames) || !Array.isArray(failureDetails)) return undefined
  const { 'total-successful-session-count': successful, 'total-failure-session-count': failed } = summary
  if (!isCount(successful) || !isCount(failed)) return undefined
  return {
    policy: { 'policy-type': type, 'policy-string': strings, 'policy-domain': domain, 'mx-host': hosts },
    summary: { 'total-successful-session-count': successful, 'total-failure-session-count': failed },
    'failure-details': failureDetails,
  }
}

/** An element of `failure-details`; a report may have 50,000. */
export function isPlainFailureDetail(value: unknown, repairing: Repairing): value is WireFailureDetail {
  if (!isObject(value)) return false
  for (const name in value) {
    switch (name) {
      case 'failed-session-count':
        if (!isCount(value[name])) return false
        break
      case 'result-type':
      case 'sending-mta-ip':
      case 'receiving-mx-hostname':
      case 'receiving-mx-helo':
      case 'receiving-ip':
      case 'additional-information':
      case 'failure-reason-code':
        if (!isPlain(value[name], repairing)) return false
        break
      default: // Nobody's, or an alias.
        return false
    }
  }
  return value['result-type'] !== undefined && value['failed-session-count'] !== undefined
}

function hasOnly(object: JsonObject, names: ReadonlySet<string>): boolean {
  for (const name in object) if (!names.has(name)) return false
  return true
}

function plainInstant(value: unknown): Date | undefined {
  const read = typeof value === 'string' ? readDateTime(value) : undefined
  return read?.seen.length === 0 ? read.instant : undefined
}

/** Several lines or records, or a list in a string. */
const notOneString = /^\[|[\r\n;]/
/** With its "mx:". */
const notOneHost = /:/

function isPlainList(value: unknown, odd: RegExp, repairing: Repairing): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= repairing.limits.listEntries &&
    value.every((element) => isPlain(element, repairing) && !odd.test(element))
  )
}

function isPlainMailbox(text: string): boolean {
  const at = text.indexOf('@')
  return /^[\w.+-]+@/.test(text) && isPlainDomain(text.slice(at + 1))
}
