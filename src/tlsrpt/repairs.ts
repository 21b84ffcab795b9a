/**
 * RFC 8460 §4.4: every deviation from it that we accept, one function each, with who does it; members.ts has those of any
 * member. They mend the parsed JSON in place. What they cannot mend they leave, and the schema, which is strict, names it.
 */
import { readDateTime } from './dates.ts'
import { domainName } from './domain-name.ts'
import { isObject, type JsonObject } from './json.ts'
import { isPlain, members, repairMembers, repairTexts, type At, type Members, type Repairing } from './members.ts'
import { prescan } from './prescan.ts'

/** Mends all of a report but what is inside `policies`. */
export function repairReport(report: JsonObject, repairing: Repairing): void {
  const at = () => ''
  repairMembers(report, reportMembers, at, repairing)
  reportIdIsNumber(report, at, repairing)
  contactInfoUnparsable(report, at, repairing)
  policiesIsObject(report, at, repairing)
  const range = report['date-range']
  if (!isObject(range)) return
  const atRange = () => '/date-range'
  repairMembers(range, dateRangeMembers, atRange, repairing)
  dateTimeSpelling(range, 'start-datetime', atRange, repairing)
  dateTimeSpelling(range, 'end-datetime', atRange, repairing)
}

/** Mends all of an element of `policies` but what is inside its `failure-details`. */
export function repairPolicy(entry: JsonObject, at: At, repairing: Repairing): void {
  repairMembers(entry, entryMembers, at, repairing)
  policyIsFlat(entry, at, repairing)
  const { policy, summary } = entry
  if (isObject(policy)) {
    const atPolicy = () => `${at()}/policy`
    repairMembers(policy, policyMembers, atPolicy, repairing)
    policyDomainNormalised(policy, atPolicy, repairing)
    repairPolicyString(policy, atPolicy, repairing)
    repairMxHost(policy, atPolicy, repairing)
  }
  if (isObject(summary)) {
    const atSummary = () => `${at()}/summary`
    repairMembers(summary, summaryMembers, atSummary, repairing)
    countIsString(summary, 'total-successful-session-count', atSummary, repairing)
    countIsString(summary, 'total-failure-session-count', atSummary, repairing)
  }
}

/** Mends an element of `failure-details`. */
export function repairFailureDetail(detail: JsonObject, at: At, repairing: Repairing): void {
  repairMembers(detail, failureDetailMembers, at, repairing)
  countIsString(detail, 'failed-session-count', at, repairing)
}

const reportMembers = members({
  'organization-name': { text: true, absent: 'organization-name-missing' },
  'date-range': {},
  'contact-info': { text: true, absent: 'contact-info-missing', alias: 'email-address' },
  'report-id': {},
  policies: {},
})

const dateRangeMembers = members({ 'start-datetime': { alias: 'date-time' }, 'end-datetime': {} })

const entryMembers = members({
  policy: {},
  summary: { otherwise: () => ({}) },
  'failure-details': { otherwise: () => [] },
})

const policyMembers = members({
  // What the counts are about stays open: no known type is guessed.
  'policy-type': { text: true, absent: 'policy-type-missing', otherwise: () => 'unknown' },
  'policy-string': { otherwise: () => [] },
  'policy-domain': { absent: 'policy-domain-missing', alias: 'domain' },
  'mx-host': { otherwise: () => [], alias: 'mx-host-pattern' },
})

const summaryMembers = members({
  'total-successful-session-count': { absent: 'count-missing', otherwise: () => 0 },
  'total-failure-session-count': { absent: 'count-missing', otherwise: () => 0 },
})

const failureDetailMembers = members({
  // §4.3.3: for what fits nowhere else.
  'result-type': { text: true, absent: 'result-type-missing', otherwise: () => 'validation-failure' },
  'sending-mta-ip': { text: true, alias: 'ip-address' },
  'receiving-mx-hostname': { text: true },
  'receiving-mx-helo': { text: true },
  'receiving-ip': { text: true },
  'failed-session-count': {},
  'additional-information': { text: true, alias: 'additional-info-uri' },
  'failure-reason-code': { text: true },
})

// Report

/** Nobody known. A number that a double does not hold is no id any more, and is left to be refused. */
function reportIdIsNumber(report: JsonObject, at: At, { note }: Repairing): void {
  const id = report['report-id']
  if (!Number.isSafeInteger(id)) return
  report['report-id'] = String(id)
  note('report-id-is-number', `${at()}/report-id`)
}

/** Nobody known. It only helps to find out whose report it is, so what is no string is as good as none. */
function contactInfoUnparsable(report: JsonObject, at: At, { note }: Repairing): void {
  const contact = report['contact-info']
  if (contact === undefined) return
  const domain = typeof contact === 'string' ? /^[^\s@<>()[\],;:\\"]+@([^@]+)$/.exec(contact)?.[1] : undefined
  if (domain !== undefined && domainName(domain) !== undefined) return
  if (typeof contact !== 'string') report['contact-info'] = undefined
  note('contact-info-unparsable', `${at()}/contact-info`)
}

/** Nobody known. */
function policiesIsObject(report: JsonObject, at: At, { note }: Repairing): void {
  if (!isObject(report['policies'])) return
  report['policies'] = [report['policies']]
  note('policies-is-object', `${at()}/policies`)
}

/** Puts a Date for the text: Microsoft left out the zone until 2023; dates.ts has the other spellings. */
function dateTimeSpelling(range: JsonObject, name: string, at: At, { note }: Repairing): void {
  const text = range[name]
  const read = typeof text === 'string' ? readDateTime(text) : undefined
  if (read === undefined) return
  range[name] = read.instant
  for (const code of read.seen) note(code, `${at()}/${name}`)
}

// Policy

/** The tests of a Rust parser have it (serde's "flatten"): members of `policy` and `summary` right in the element. */
function policyIsFlat(entry: JsonObject, at: At, { note }: Repairing): void {
  if (entry['policy'] !== undefined || entry['policy-type'] === undefined) return
  entry['policy'] = pick(entry, policyMembers)
  if (isObject(entry['summary']) && Object.keys(entry['summary']).length === 0) {
    entry['summary'] = pick(entry, summaryMembers)
  }
  note('policy-is-flat', at())
}

const pick = (object: JsonObject, { byName }: Members): JsonObject =>
  Object.fromEntries([...byName.keys()].map((name) => [name, object[name]]))

/** Any spelling of the name is taken; §4.4 wants A-labels. */
function policyDomainNormalised(policy: JsonObject, at: At, { note }: Repairing): void {
  const written = policy['policy-domain']
  const name = typeof written === 'string' ? domainName(written) : undefined
  if (name === undefined || name === written) return
  policy['policy-domain'] = name
  note('policy-domain-normalised', `${at()}/policy-domain`)
}

function repairPolicyString(policy: JsonObject, at: At, repairing: Repairing): void {
  const atString = () => `${at()}/policy-string`
  const wasString = policyStringIsString(policy, atString, repairing)
  const list = policy['policy-string']
  if (!Array.isArray(list) || list.length > repairing.limits.listEntries) return
  if (list.every((element) => isPlain(element, repairing) && !/^\[|[\r\n;]/.test(element))) return
  const ofTlsa = typeof policy['policy-type'] === 'string' && policy['policy-type'].trim().toLowerCase() === 'tlsa'
  // A line of an STS policy may itself have a semicolon (RFC 8461 §3.2, extensions).
  const separator = ofTlsa || wasString ? /[\r\n;]+/ : /[\r\n]+/
  const unpacked = policyStringHoldsJson(list, atString, repairing)
  const apart = policyStringJoined(unpacked, separator, atString, repairing)
  policy['policy-string'] = repairTexts(apart, atString, repairing)
}

/** Nobody known; §4 of the RFC speaks of the policy "as a string". */
function policyStringIsString(policy: JsonObject, at: At, { note }: Repairing): boolean {
  const value = policy['policy-string']
  if (typeof value !== 'string') return false
  policy['policy-string'] = [value]
  note('policy-string-is-string', at())
  return true
}

/** Microsoft writes TLSA records as ["[\"3 1 1 aabb\",\"3 1 1 ccdd\"]"]. */
function policyStringHoldsJson(list: unknown[], at: At, { note, limits }: Repairing): unknown[] {
  return list.flatMap((element, i) => {
    if (typeof element !== 'string' || !element.startsWith('[')) return [element]
    // The prescan of the report has not seen what is inside a string.
    const { kind } = prescan(element, { jsonDepth: 1, jsonTokens: limits.listEntries })
    const inner = kind === 'bounded' ? jsonOrUndefined(element) : undefined
    if (!Array.isArray(inner) || !inner.every((text) => typeof text === 'string')) return [element]
    note('policy-string-holds-json', `${at()}/${i}`)
    return inner
  })
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Nobody known; §4 joins TLSA records by semicolons, and a policy file in one string has line ends. */
function policyStringJoined(list: unknown[], separator: RegExp, at: At, { note, limits }: Repairing): unknown[] {
  return list.flatMap((element, i) => {
    if (typeof element !== 'string' || !separator.test(element)) return [element]
    const parts = element.split(separator, limits.listEntries + 1)
    if (parts.length > limits.listEntries) return parts
    const lines = parts.map((part) => part.trim()).filter((part) => part !== '')
    if (lines.length > 1) note('policy-string-joined', `${at()}/${i}`)
    return lines
  })
}

function repairMxHost(policy: JsonObject, at: At, repairing: Repairing): void {
  const atHost = () => `${at()}/mx-host`
  mxHostIsString(policy, atHost, repairing)
  const list = policy['mx-host']
  if (!Array.isArray(list) || list.length > repairing.limits.listEntries) return
  if (list.every((element) => isPlain(element, repairing) && !element.includes(':'))) return
  policy['mx-host'] = repairTexts(mxHostPrefixed(list, atHost, repairing), atHost, repairing)
}

/** The example of RFC 8460 appendix B (erratum 6241), and those who copied it. */
function mxHostIsString(policy: JsonObject, at: At, { note }: Repairing): void {
  const value = policy['mx-host']
  if (typeof value !== 'string') return
  policy['mx-host'] = [value]
  note('mx-host-is-string', at())
}

/** A sender in dmarc-report-viewer's tests writes the line of the policy, "mx: mx.example.com". */
function mxHostPrefixed(list: unknown[], at: At, { note }: Repairing): unknown[] {
  return list.map((element, i) => {
    const host = typeof element === 'string' ? /^\s*mx\s*:(.*)$/is.exec(element)?.[1] : undefined
    if (host === undefined) return element
    note('mx-host-prefixed', `${at()}/${i}`)
    return host.trim()
  })
}

// Counts

/** Nobody known. Digits only, and no more than a double holds; anything else is left to be refused. */
function countIsString(object: JsonObject, name: string, at: At, { note }: Repairing): void {
  const text = object[name]
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text)) return
  const count = Number(text)
  if (!Number.isSafeInteger(count)) return
  object[name] = count
  note('count-is-string', `${at()}/${name}`)
}
