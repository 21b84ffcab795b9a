/**
 * What is wrong, in one sentence to a postmaster: a cause of failures (RFC 8460 §4.3), and how a domain does. What becomes
 * of the mail is in RFC 8461 §5 for MTA-STS, and in RFC 7672 §2.2 for DANE.
 */
import { resultTypes } from './result-types.ts'

/** Null is what no sender said. Days are 'YYYY-MM-DD'. */
export type CauseWords = {
  domain: string
  resultType: string
  receivingMxHostname: string | null
  /** The most frequent one. */
  failureReasonCode: string | null
  /** Of the failures, newest first. */
  policyTypes: readonly string[]
  policyModes: readonly string[]
  /** First and last day of the run that is still going on, or was the last one. */
  since: string
  until: string
  ongoing: boolean
  trust: 'verified' | 'unverified' | 'any'
  /** Verified ones. */
  reporters: bigint
  reports: bigint
  sessions: bigint
}

/**
 * Such as "MX mx2.alpha.example presents an expired certificate since 12 May 2026; 3 senders, 412 sessions; delivered all
 * the same; under enforce this mail would be refused". What a stranger wrote is quoted, cut short and without control
 * characters.
 */
export const causeHeadline = (cause: CauseWords): string =>
  [`${whatFails(cause)} ${when(cause)}`, whoSaysSo(cause), ...whatOfTheMail(cause)].join('; ')

/** What the subject does, and did. */
type Verb = readonly [now: string, then: string]

const ofMx = new Map<string, Verb>([
  ['starttls-not-supported', ['does not offer STARTTLS', 'did not offer STARTTLS']],
  ['certificate-host-mismatch', ['presents a certificate for another name', 'presented a certificate for another name']],
  ['certificate-expired', ['presents an expired certificate', 'presented an expired certificate']],
  ['certificate-not-trusted', ['presents a certificate that senders do not trust', 'presented a certificate that senders did not trust']],
  ['tlsa-invalid', ['presents a certificate that its TLSA records do not match', 'presented a certificate that its TLSA records did not match']],
  ['dnssec-invalid', ['fails DNSSEC validation', 'failed DNSSEC validation']],
  ['dane-required', ['has no secure TLSA record, on which a sender insists,', 'had no secure TLSA record, on which a sender insisted,']],
]) // prettier-ignore

const ofPolicy = new Map<string, Verb>([
  ['sts-policy-fetch-error', ['cannot be fetched', 'could not be fetched']],
  ['sts-policy-invalid', ['is not valid', 'was not valid']],
  ['sts-webpki-invalid', ['is served with an invalid certificate', 'was served with an invalid certificate']],
])

/** Whether the headline of such a cause has the reason code in it: §4.3 tells what the others mean. */
export const tellsReason = (resultType: string): boolean => !ofPolicy.has(resultType) && !ofMx.has(resultType)

function whatFails(cause: CauseWords): string {
  const { domain, resultType } = cause
  const policy = ofPolicy.get(resultType)
  const [now, then] = policy ?? ofMx.get(resultType) ?? otherVerb(cause)
  const subject = policy ? `The MTA-STS policy of ${domain}` : mxOf(cause)
  return `${subject} ${cause.ongoing ? now : then}`
}

/** §4.3.3 names nothing but the failure, and of a sender's own word we know nothing: the reason code may say more. */
function otherVerb({ resultType, failureReasonCode }: CauseWords): Verb {
  const reason = failureReasonCode === null ? '' : quoted(failureReasonCode)
  if (resultType === 'validation-failure') {
    const why = reason && ` with ${reason}`
    return [`fails validation${why}`, `failed validation${why}`]
  }
  const why = `${quoted(resultType)}${reason && ` (${reason})`}`
  return [`fails with ${why}`, `failed with ${why}`]
}

function mxOf({ domain, receivingMxHostname: mx }: CauseWords): string {
  if (mx === null) return `An MX of ${domain}`
  return `MX ${/^[a-z0-9._:-]{1,253}$/.test(mx) ? mx : quoted(mx)}`
}

function when({ since, until, ongoing }: CauseWords): string {
  if (ongoing) return `since ${date(since)}`
  if (since === until) return `on ${date(since)}`
  const [year, month, day] = partsOf(since)
  const [lastYear, lastMonth] = partsOf(until)
  const from = year !== lastYear ? date(since) : month !== lastMonth ? `${day} ${month}` : day
  return `from ${from} to ${date(until)}`
}

function whoSaysSo({ trust, reporters, reports, sessions }: CauseWords): string {
  switch (trust) {
    case 'verified':
      return `${count(reporters, 'sender')}, ${count(sessions, 'session')}`
    case 'unverified':
      return `${count(sessions, 'session')} in ${count(reports, 'report')}, none verified`
    case 'any':
      return `${count(sessions, 'session')} in ${count(reports, 'report')}, verified or not`
  }
}

/** By the newest mode: what was so before it is no longer. Of a sender's own word nobody can tell. */
function whatOfTheMail({ resultType, policyTypes, policyModes, ongoing }: CauseWords): string[] {
  const known = resultTypes.find(({ name }) => name === resultType)
  if (known === undefined) return []
  if (!known.enforceRefuses) return [`mail ${ongoing ? 'is' : 'was'} delivered all the same`]
  const isRefused = `this mail ${ongoing ? 'is' : 'was'} refused`
  if (policyTypes.includes('tlsa')) return [`DANE is always enforced, so ${isRefused}`]
  const [mode] = policyModes
  if (mode === 'enforce') return [`the policy ${ongoing ? 'is' : 'was'} enforced, so ${isRefused}`]
  const wouldBe = `under enforce this mail would ${ongoing ? 'be' : 'have been'} refused`
  return mode === 'testing' || mode === 'none' || policyTypes[0] === 'no-policy-found'
    ? ['delivered all the same', wouldBe]
    : [wouldBe]
}

export const domainStates = ['healthy', 'failing', 'silent', 'no-reports'] as const

export type DomainState = (typeof domainStates)[number]

/** By the reports of `trust`. */
export type DomainWords = {
  domain: string
  state: DomainState
  trust: 'verified' | 'unverified'
  /** The newest day with a report; null where there is none by then. */
  lastReportDay: string | null
  /** Whole days since. */
  silentDays: number
  /** Sessions of the window. */
  successful: bigint
  failed: bigint
  /** Sessions. */
  failedOnLastDay: bigint
  /** The worst of those that are going on, or else of the last day that failed. */
  cause: CauseWords | undefined
}

/** What is wrong where something is, and else what there is to say. */
export function domainHeadline(words: DomainWords): string {
  const { domain, trust, lastReportDay, cause } = words
  const note = trust === 'unverified' ? '; no report is verified' : ''
  switch (words.state) {
    case 'no-reports':
      return `No report on ${domain} yet: senders report a day after the mail, once its _smtp._tls record names this service`
    case 'silent':
      if (lastReportDay === null) return `No report on ${domain} in this time`
      return `No report on ${domain} for ${count(words.silentDays, 'day')}, since ${date(lastReportDay)}${
        cause?.ongoing ? `; the last ones said: ${causeHeadline(cause)}` : note
      }`
    case 'failing':
      return cause?.ongoing ? causeHeadline(cause) : `${unexplained(words)}${note}`
    case 'healthy':
      return cause
        ? `Nothing failed by the last reports; before that: ${causeHeadline(cause)}`
        : `${fine(words)}${note}`
  }
}

/** Totals may count failures that no failure detail tells of (§4.4). */
const unexplained = ({ domain, failedOnLastDay, lastReportDay }: DomainWords): string =>
  `${count(failedOnLastDay, 'session')} with ${domain} failed${lastReportDay === null ? '' : ` on ${date(lastReportDay)}`}, and no report says how`

function fine({ domain, successful, failed }: DomainWords): string {
  if (failed > 0n)
    return `Nothing failed by the last reports; before that ${count(failed, 'session')} with ${domain} failed, and no report says how`
  if (successful === 0n) return `No session with ${domain} failed`
  return successful === 1n ? `The one session with ${domain} succeeded` : `All ${number(successful)} sessions with ${domain} succeeded` // prettier-ignore
}

const number = (value: bigint | number): string => value.toLocaleString('en')

const count = (value: bigint | number, unit: string): string =>
  `${number(value)} ${unit}${value === 1n || value === 1 ? '' : 's'}`

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'] // prettier-ignore

const partsOf = (day: string): [year: string, month: string, day: string] => [
  day.slice(0, 4),
  months[Number(day.slice(5, 7)) - 1]!,
  String(Number(day.slice(8, 10))),
]

function date(day: string): string {
  const [year, month, dayOfMonth] = partsOf(day)
  return `${dayOfMonth} ${month} ${year}`
}

/** A sentence has no room for more. */
const mostCharacters = 60

/** Invisible characters and those that turn the direction of text would let a stranger write another sentence. */
function quoted(text: string): string {
  const plain = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
    .replaceAll('"', "'")
  return `"${plain.length > mostCharacters ? `${plain.slice(0, mostCharacters).toWellFormed()}…` : plain}"`
}
