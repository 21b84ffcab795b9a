/**
 * Root causes: what a cause of failures comes of, and whether it is still so, from what reports say (RFC 8460 §4.3, §4.4)
 * and the checks of the domain beside them. Pure. What strangers wrote is quoted, cut short and without control characters.
 */
import { comparePolicies, readPolicyString, samePolicy } from '../mtasts/compare.ts'
import { nearMiss, patternsFor } from '../mtasts/match.ts'
import { deviations, parsePolicy, type StsPolicy } from '../mtasts/policy.ts'
import type { Check } from './check.ts'
import type { FindingCode } from './findings/codes.ts'
import { explainReasonCode } from './reason-codes.ts'
import { readable } from './strangers-text.ts'
import { tlsaName } from './tlsa-seen.ts'

/** Days are UTC, 'YYYY-MM-DD'. */
export type CauseFacts = {
  domain: string
  resultType: string
  /** Null is "the sender did not say". */
  receivingMxHostname: string | null
  /** Most frequent first. */
  reasonCodes: readonly string[]
  /** In the window. */
  lastSeen: string
  /** Reporters that tell of it. */
  senders: number
  /** What it failed under, the one seen last first; only of type sts. */
  policies: readonly TimedPolicy[]
}

/** Who could not send, and who could: for failures that a check does not show. */
export type Surroundings = {
  /** Of the MTAs that failed, /24 or /48, as far as they were told. */
  networks: number
  /** Reporters that tell of sessions that succeeded, and of none that failed so. */
  othersSucceed: number
}

/** A check of the history, oldest first: what it found, and the MX hosts; absent: not told. One that found what the one before found may be left out. */
export type PastCheck = { startedAt: string; found: readonly Found[]; mx?: readonly string[] }
export type Found = { code: string; subject: string }

/**
 * `suspicious`: the failure came from one network, others succeed, and the host is as it should be: somebody may stand in
 * between. `unknown`: no fresh check, or none that could show it.
 */
export type LiveState = 'still-broken' | 'fixed' | 'cannot-be-reproduced' | 'suspicious' | 'unknown'

/** `since`: of 'fixed', the day of the first check without the fault. */
export type Live = { state: LiveState; since?: string; sentence: string; checkedAt: string }

const dayMs = 86_400_000

/** The daily check, and a day of grace. */
export const freshMs = 2 * dayMs

/** As senders read it: fetched and valid; undefined where the check saw none. */
export function publishedPolicy(check: Check | undefined): StsPolicy | undefined {
  const seen = check?.observed.policy
  const read = seen?.fetched && seen.valid ? parsePolicy(seen.text) : undefined
  return read?.kind === 'valid' ? read.policy : undefined
}

/** A policy as a report has it, with the last day on which it was told of. */
type TimedPolicy = { policyString: readonly string[]; lastDay: string }

/** Undefined where there is nothing to compare, or the policy was seen after the check: then it may be the newer one. */
export function comparedToPublished(
  { policyString, lastDay }: TimedPolicy,
  check: Check | undefined,
): 'same' | 'older' | undefined {
  // prettier-ignore
  const live = publishedPolicy(check)
  const read = readPolicyString(policyString)
  if (!live || !check || read.kind === 'invalid') return undefined
  if (samePolicy(read.policy, live)) return 'same'
  return lastDay <= dayOf(check.startedAt) ? 'older' : undefined
}

/** The last day on which a sender that applied the policy on `lastDay` may go on with it (RFC 8461 §3.2, max_age in seconds). */
export const cacheUntil = (lastDay: string, maxAge: number): string =>
  dayOf(new Date(Date.parse(lastDay) + Math.ceil((maxAge * 1000) / dayMs) * dayMs).toISOString())

/** Why it failed, in one or more sentences; undefined where there is nothing to say beyond the result type. */
export function becauseOf(facts: CauseFacts, check: Check | undefined): string | undefined {
  const sentences = [...mxSentences(facts, check), ...olderSentences(facts, check), ...reasonSentences(facts)]
  return sentences.length === 0 ? undefined : sentences.join(' ')
}

/** Of these the MX host and the policy say nothing. */
const notOfMx = (resultType: string): boolean =>
  /^sts-|^(?:tlsa-invalid|dnssec-invalid|dane-required)$/.test(resultType)

function mxSentences({ domain, resultType, receivingMxHostname: mx, policies }: CauseFacts, check?: Check): string[] {
  if (mx === null || notOfMx(resultType)) return []
  return [
    ...(isOldMx(mx, check) ? [`${quote(mx)} is no MX host of ${domain} any more, by the check of ${dayOf(check.startedAt)}: whoever still delivers there goes by an old answer of the DNS, or by settings of his own.`] : []), // prettier-ignore
    ...(policies[0] ? coverageSentences(mx, policies[0].policyString) : []),
  ]
}

const isOldMx = (mx: string, check: Check | undefined): check is Check =>
  check?.observed.mx !== undefined &&
  check.observed.mx.length > 0 &&
  !check.findings.some(({ code }) => code === 'mx-too-many') && // Then nobody knows.
  !check.observed.mx.some(({ host }) => host === mx)

function coverageSentences(mx: string, policyString: readonly string[]): string[] {
  const read = readPolicyString(policyString)
  const { mx: patterns } = read.kind === 'valid' ? read.policy : read.meant
  if (patterns.length === 0 || patternsFor(patterns, mx).length > 0) return []
  const near = nearMiss(patterns, mx)
  if (near === undefined) return [`The policy that it failed under does not list ${quote(mx)}.`]
  const where = mx === near.slice(2) ? 'is one label too short' : 'is a label too long'
  return [`The policy that it failed under lists ${quote(near)}, which stands for exactly one label in place of the asterisk: ${quote(mx)} ${where}.`] // prettier-ignore
}

function olderSentences({ policies: [newest] }: CauseFacts, check: Check | undefined): string[] {
  const live = publishedPolicy(check)
  const read = readPolicyString(newest?.policyString ?? [])
  if (!newest || !live || !check || read.kind === 'invalid' || comparedToPublished(newest, check) !== 'older') return []
  const until = cacheUntil(newest.lastDay, read.policy.maxAge)
  const cache = until < dayOf(check.startedAt) ? `its cache ran out by ${until}` : `its cache runs out by ${until}`
  return [`The sender applies an older policy than the one published now (${differenceOf(read.policy, live)}); ${cache}.`] // prettier-ignore
}

function differenceOf(from: StsPolicy, to: StsPolicy): string {
  const { mode, maxAge, mxAdded, mxRemoved } = comparePolicies(from, to)
  return [
    ...(mode ? [`mode was ${mode.from}`] : []),
    ...(maxAge ? [`max_age was ${maxAge.from}`] : []),
    ...(mxAdded.length > 0 ? [`it does not list ${listed(mxAdded)}`] : []),
    ...(mxRemoved.length > 0 ? [`it lists ${listed(mxRemoved)}`] : []),
  ].join(', ')
}

const mostListed = 3
const listed = (names: readonly string[]): string =>
  names.length > mostListed ? `${names.slice(0, mostListed).map(quote).join(', ')} and ${names.length - mostListed} more` : names.map(quote).join(', ') // prettier-ignore

const mostReasons = 2

function reasonSentences({ reasonCodes, resultType }: CauseFacts): string[] {
  const told = reasonCodes.flatMap((code) => {
    const meaning = explainReasonCode(code, resultType)
    return meaning === undefined ? [] : [`The reason given is ${quote(code)}, that is: ${meaning}.`]
  })
  return told.slice(0, mostReasons)
}

/** Whether it is still so by the newest check; undefined where that does not show it: then the history tells more. */
export function stateByCheck(facts: CauseFacts, check: Check, now: Date): Live | undefined {
  const told = (state: LiveState, sentence: string): Live => ({ state, sentence, checkedAt: check.endedAt })
  const on = dayOf(check.startedAt)
  if (now.getTime() - Date.parse(check.endedAt) > freshMs) return told('unknown', `The last check is of ${on}: run one to see whether it is still so.`) // prettier-ignore
  const codes = codesOf(facts.resultType)
  if (codes.length === 0) return told('unknown', 'A check cannot show this failure.')
  const shown = check.findings.find((one) => isAbout(one, codes, facts))
  if (shown) return told('still-broken', `The check of ${on} shows it: ${shown.subject}: ${shown.sentence}`)
  if (facts.lastSeen > on) return told('unknown', `The last check, of ${on}, is older than the last failure.`)
  if (isBlind(check.findings, facts)) return told('unknown', `The check of ${on} could not look there.`)
  return undefined
}

/** Whether stateByHistory looks at the surroundings of such a failure. */
export const hangsOnSurroundings = (resultType: string): boolean => resultType === 'starttls-not-supported'

/** What became of a failure that the newest check does not show: see stateByCheck. `history` ends with that check. */
export function stateByHistory(facts: CauseFacts & Surroundings, check: Check, history: readonly PastCheck[]): Live {
  const told = (state: LiveState, sentence: string, since?: string): Live => ({
    state,
    ...(since !== undefined && { since }),
    sentence,
    checkedAt: check.endedAt,
  })
  const { receivingMxHostname: mx, lastSeen, senders, networks, othersSucceed } = facts
  const on = dayOf(check.startedAt)
  const lastFaulty = history.findLastIndex(({ found }) => found.some((one) => isAbout(one, codesOf(facts.resultType), facts))) // prettier-ignore
  const firstClear = history.slice(lastFaulty + 1).find(({ found }) => !isBlind(found, facts))
  const since = dayOf((firstClear ?? check).startedAt)
  const first = `The check of ${since} was the first without it`
  if (lastFaulty >= 0 && lastSeen <= since) return told('fixed', `${first}.`, since)
  if (mx !== null && isOldMx(mx, check)) {
    const gone = history[history.findLastIndex((past) => past.mx?.includes(mx)) + 1] ?? check
    return told('fixed', `${quote(mx)} is no MX host any more.`, dayOf(gone.startedAt))
  }
  if (isOfOlderPolicy(facts, check)) return told('fixed', `${first}; whoever tells of it later applies an older policy.`, since) // prettier-ignore
  if (hangsOnSurroundings(facts.resultType) && networks === 1 && othersSucceed > 0) {
    const others = othersSucceed === 1 ? 'another sender succeeds' : `${othersSucceed} other senders succeed`
    return told('suspicious', `It fails from one network alone, ${others}, and the check of ${on} is offered STARTTLS: somebody between that network and the MX host may take the offer away.`) // prettier-ignore
  }
  if (senders > 1 && lastSeen <= since) return told('fixed', `${first}, and nobody tells of it after that day.`, since)
  const whose = senders <= 1 ? 'One sender alone tells of it: the fault may be his' : `${senders} senders tell of it`
  return told('cannot-be-reproduced', `The check of ${on} does not show it. ${whose}, or somebody stands in between.`)
}

/** Only what hangs on the policy passes with it: an expired certificate is one under any. */
function isOfOlderPolicy({ resultType, policies }: CauseFacts, check: Check): boolean {
  if (!/^(?:validation-failure|sts-policy-invalid)$/.test(resultType)) return false
  return policies.length > 0 && policies.every((policy) => comparedToPublished(policy, check) === 'older')
}

const certificateKinds = ['expired', 'not-yet-valid', 'host-mismatch', 'not-trusted'] as const
const invalidPolicy = Object.entries(deviations).flatMap(([code, weight]) => weight === 'problem' ? [`policy-${code}` as FindingCode] : []) // prettier-ignore

/** The findings that show a failure of this type; without any, a check cannot. */
const shownBy = new Map<string, readonly FindingCode[]>([
  ['starttls-not-supported', ['mx-no-starttls']],
  ['certificate-expired', ['mx-certificate-expired']],
  ['certificate-host-mismatch', ['mx-certificate-host-mismatch']],
  ['certificate-not-trusted', ['mx-certificate-not-trusted', 'mx-certificate-not-yet-valid', 'mx-certificate-expired']],
  ['tlsa-invalid', ['dane-mismatch', 'dane-none-usable', 'dane-ta-certificate']],
  ['dane-required', ['dane-not-used', 'dane-not-authenticated', 'dane-mx-not-authenticated', 'dane-partly']],
  ['sts-policy-fetch-error', ['sts-record-without-policy', 'policy-host-missing', 'policy-address-blocked', 'policy-unreachable', 'policy-redirect', 'policy-status', 'policy-too-large']],
  ['sts-policy-invalid', invalidPolicy],
  ['sts-webpki-invalid', certificateKinds.map((kind) => `policy-certificate-${kind}` as const)],
  ['validation-failure', ['mx-not-covered', 'mx-no-starttls', 'mx-tls-too-old', 'mx-tls-failed', 'mx-bad-reply', ...certificateKinds.map((kind) => `mx-certificate-${kind}` as const)]],
]) // prettier-ignore

const codesOf = (resultType: string): readonly FindingCode[] => shownBy.get(resultType) ?? []

/** Subjects are a host, a host with an address or a name behind it, its TLSA name, or a name below the domain; a cause may name no host. */
function isAbout(
  { code, subject }: Found,
  codes: readonly FindingCode[],
  { resultType, receivingMxHostname: mx, domain }: CauseFacts,
): boolean {
  // prettier-ignore
  if (!codes.some((one) => one === code)) return false
  if (mx === null || resultType.startsWith('sts-')) return true
  return subject === domain || subject === mx || subject === tlsaName(mx) || subject.startsWith(`${mx} [`)
}

const blindOfMx: readonly FindingCode[] = ['mx-not-told', 'mx-none-answers', 'mx-not-seen', 'mx-unreachable', 'mx-enforce-unknown'] // prettier-ignore
const blindOfPolicy: readonly FindingCode[] = ['policy-not-seen', 'sts-record-unreachable']
const noPolicyHost: readonly FindingCode[] = ['policy-host-missing', 'policy-address-blocked', 'policy-unreachable']

/** Findings by which a check saw too little: what was not looked at proves nothing. */
function blindOf(resultType: string): readonly FindingCode[] {
  switch (resultType) {
    case 'sts-policy-fetch-error':
      return blindOfPolicy
    case 'sts-webpki-invalid':
      return [...blindOfPolicy, ...noPolicyHost]
    case 'sts-policy-invalid':
      return [...blindOfPolicy, ...noPolicyHost, 'policy-redirect', 'policy-status', 'policy-too-large']
    case 'tlsa-invalid':
    case 'dane-required':
      return [...blindOfMx, 'dane-lookup-failed', 'dane-not-compared']
    default:
      return blindOfMx
  }
}

const isBlind = (found: readonly Found[], facts: CauseFacts): boolean =>
  found.some((one) => isAbout(one, blindOf(facts.resultType), facts))

const dayOf = (instant: string): string => instant.slice(0, 10)

/** A sentence has no room for more. */
const mostCharacters = 80
const quote = (text: string): string => `"${readable(text, mostCharacters).replaceAll('"', "'")}"`
