/** RFC 8460: whether a report may be believed, what of it is ours, and what of that counts. Pure, so it can be asked again. */
import type { AnomalyCode } from './anomalies.ts'
import type { Authentication } from './authenticate.ts'
import { utcDay } from './dates.ts'
import { domainName } from './domain-name.ts'
import { contentHash, reportIdentity } from './identity.ts'
import type { Ownership } from './ownership.ts'
import { policyTypes, type Policy, type Report } from './report.ts'
import type { Anomaly, Problem, Refusal, Submission } from './submission.ts'
import type { DomainReport, Judgement, JudgedPolicy } from './verdict.ts'

export type Evidence = {
  submission: Submission
  report: Report
  /** Repairs made so far. */
  anomalies: Anomaly[]
  /** Absent where nothing could be authenticated: a bare report. */
  authentication?: Authentication
  /** Where else a policy domain may stand, best first; each as written. */
  hints: DomainHints
}

/** A report's own policy domains beat all of these (§5.6); they fill in for missing ones, in this order. */
export type DomainHints = {
  /** Only where the DKIM signature that verified covers it. */
  signedReportDomain?: string | undefined
  fileName?: string | undefined
  subject?: string | undefined
}

export type JudgeSettings = {
  ownership: Ownership
  /** What becomes of unauthenticated mail: refused, or taken as unverified (gateways that break signatures). */
  dkimPolicy: 'require' | 'mark'
  reportRetentionDays: number
  plausibleSessions: number
}

const day = 24 * 60 * 60 * 1000

/** The verdict on one report, before the store says whether it was there already. */
export function judge(evidence: Evidence, settings: JudgeSettings): Judgement {
  const trust = judgeTrust(evidence, settings)
  if (trust.kind !== 'trusted') return trust
  const ours = assign(evidence, settings.ownership)
  if (ours.byDomain.size === 0) return notOurs(evidence.report)
  const anomalies = [...evidence.anomalies, ...trust.anomalies, ...ours.anomalies, ...dateAnomalies(evidence)]
  const { report } = evidence
  const domains = [...ours.byDomain.keys()].sort()
  const accepted = {
    kind: 'accepted',
    trust: trust.trust,
    ...(trust.reporter !== undefined && { reporter: trust.reporter }),
    report,
    domains,
  } as const
  if (report.dateRange.start.getTime() < evidence.submission.arrivedAt.getTime() - settings.reportRetentionDays * day) {
    return { ...accepted, domainReports: [], anomalies: [...anomalies, note('older-than-retention', '/date-range')] }
  }
  const domainReports = domains.map((domain) =>
    domainReport(report, domain, ours.byDomain.get(domain)!, settings.plausibleSessions),
  )
  if (domainReports.some((part) => part.implausible)) anomalies.push(note('implausible-count', ''))
  return { ...accepted, domainReports, anomalies }
}

type Trusted = { kind: 'trusted'; trust: 'verified' | 'unverified'; reporter?: string; anomalies: Anomaly[] }

/** Mail must be signed; the operator's files need not be; HTTPS proves nothing, whatever the token. */
function judgeTrust({ submission, authentication }: Evidence, { dkimPolicy }: JudgeSettings): Trusted | Judgement {
  const imported = submission.provenance.transport === 'file'
  const unverified = (anomalies: Anomaly[]): Trusted => ({ kind: 'trusted', trust: 'unverified', anomalies })
  if (authentication === undefined) return unverified(imported ? [note('imported-unverified', '')] : [])
  if (authentication.kind === 'verified') {
    return {
      kind: 'trusted',
      trust: 'verified',
      reporter: authentication.reporter,
      anomalies: authentication.anomalies,
    }
  }
  if (imported) return unverified([note('imported-unverified', '')])
  if (authentication.kind === 'temporary') return { kind: 'deferred', reason: authentication.reason }
  if (dkimPolicy === 'mark') return unverified([note('unauthenticated', '')])
  const { code, reason, message } = authentication
  return { kind: 'unauthenticated', reason, problems: [{ code, pointer: '', message }] }
}

type Assigned = { byDomain: Map<string, (Policy & { policyDomain: string })[]>; anomalies: Anomaly[] }

/** Which policies are about which domain of ours; what is about none is dropped and noted. */
function assign(evidence: Evidence, ownership: Ownership): Assigned {
  const { report, submission, hints } = evidence
  const { provenance } = submission
  const tokenDomains = provenance.transport === 'https' ? (provenance.token?.domains ?? []) : []
  const allowed = (domain: string | undefined) =>
    domain !== undefined && (tokenDomains.length === 0 || tokenDomains.includes(domain)) ? domain : undefined
  const tokenDomain = tokenDomains.length === 1 ? tokenDomains[0] : undefined
  const named = [hints.signedReportDomain, tokenDomain].map(domainIn)
  const recovered = [hints.signedReportDomain, hints.fileName, hints.subject, tokenDomain]
    .map(domainIn)
    .find((name) => name !== undefined)
  const result: Assigned = { byDomain: new Map(), anomalies: [] }

  if (report.policies.length === 0 && recovered !== undefined) {
    const domain = allowed(ownership.ownerOf(recovered))
    if (domain !== undefined) {
      result.byDomain.set(domain, [])
      result.anomalies.push(note('policy-domain-recovered', ''), note('policies-empty', '/policies'))
    }
  }
  report.policies.forEach((policy, index) => {
    const pointer = `/policies/${index}/policy/policy-domain`
    const policyDomain = policy.policyDomain ?? recovered
    if (policyDomain === undefined) return result.anomalies.push(note('policy-dropped', pointer))
    if (policy.policyDomain === undefined) result.anomalies.push(note('policy-domain-recovered', pointer))
    const direct = allowed(ownership.ownerOf(policyDomain))
    const domain = direct ?? ownerOfHost(policy, policyDomain)
    if (domain === undefined) return result.anomalies.push(note('policy-dropped', pointer))
    if (direct === undefined) result.anomalies.push(note('policy-domain-is-mx', pointer))
    const policies = result.byDomain.get(domain)
    if (policies) policies.push({ ...policy, policyDomain })
    else result.byDomain.set(domain, [{ ...policy, policyDomain }])
    return undefined
  })
  return result

  /** RFC 8460 §4.4: a TLSA policy names the MX host (Postfix, mox), which may serve us from outside our domain. */
  function ownerOfHost(policy: Policy, host: string): string | undefined {
    const listed = ownership.ownersOfMx(host).filter((owner) => allowed(owner) !== undefined)
    const said = named
      .map((name) => (name === undefined ? undefined : allowed(ownership.ownerOf(name))))
      .find((name) => name !== undefined)
    if (listed.length > 0) return said !== undefined && listed.includes(said) ? said : listed[0]
    return namesMxHost(policy) ? said : undefined
  }
}

const domainIn = (text: string | undefined): string | undefined => (text === undefined ? undefined : domainName(text))

/** mox also reports DANE per recipient domain; the host then stands in mx-host, and the policy domain is no host. */
const namesMxHost = (policy: Policy): boolean =>
  policy.policyType === 'tlsa' &&
  (policy.mxHost.length === 0 || (policy.policyDomain !== undefined && policy.mxHost.includes(policy.policyDomain)))

function notOurs(report: Report): Refusal {
  const domains = [...new Set(report.policies.flatMap((policy) => policy.policyDomain ?? []))]
  const told: Problem[] = domains
    .slice(0, 3)
    .map((domain) => ({ code: 'not-ours', pointer: '', message: `${domain} is no policy domain of this receiver` }))
  const none: Problem = {
    code: 'no-policy-domain',
    pointer: '/policies',
    message: 'the report names no policy domain, and nothing else does',
  }
  return {
    kind: 'not-ours',
    reason: domains.length > 0 ? 'not-ours' : 'no-policy-domain',
    problems: told.length > 0 ? told : [none],
  }
}

/** Accepted all the same (hardening limits): a daily report seldom spans more than a day or is a month late. */
function dateAnomalies({ report: { dateRange }, submission }: Evidence): Anomaly[] {
  const span = dateRange.end.getTime() - dateRange.start.getTime()
  const age = submission.arrivedAt.getTime() - dateRange.end.getTime()
  return [
    ...(span > 25 * 60 * 60 * 1000 ? [note('long-date-range', '/date-range')] : []),
    ...(age > 30 * day ? [note('late', '/date-range')] : []),
  ]
}

function domainReport(
  report: Report,
  domain: string,
  policies: (Policy & { policyDomain: string })[],
  plausibleSessions: number,
): DomainReport {
  const primary = primaryPolicyType(policies)
  const judged: JudgedPolicy[] = policies.map((policy) => {
    const mode = policyMode(policy)
    return { ...policy, primary: policy.policyType === primary, ...(mode !== undefined && { policyMode: mode }) }
  })
  const counted = judged.filter((policy) => policy.primary)
  return {
    domain,
    day: utcDay(report.dateRange.start),
    dateRange: report.dateRange,
    identity: reportIdentity(report.organizationName, report.reportId, report.dateRange, domain),
    contentHash: contentHash(policies),
    policies: judged,
    successful: counted.reduce((sum, policy) => sum + BigInt(policy.totalSuccessfulSessionCount), 0n),
    failed: counted.reduce((sum, policy) => sum + BigInt(policy.totalFailureSessionCount), 0n),
    implausible: judged.some((policy) => counts(policy).some((count) => count > plausibleSessions)),
  }
}

const counts = (policy: Policy): number[] => [
  policy.totalSuccessfulSessionCount,
  policy.totalFailureSessionCount,
  ...policy.failureDetails.map((detail) => detail.failedSessionCount),
]

/**
 * The policy type whose counts stand for the report: different types may describe the same sessions, so they are never
 * added up. Most sessions, then most failures, then sts, tlsa, no-policy-found, then by name.
 */
export function primaryPolicyType(policies: readonly Policy[]): string | undefined {
  const totals = new Map<string, { sessions: bigint; failed: bigint }>()
  for (const policy of policies) {
    const total = totals.get(policy.policyType) ?? { sessions: 0n, failed: 0n }
    total.sessions += BigInt(policy.totalSuccessfulSessionCount) + BigInt(policy.totalFailureSessionCount)
    total.failed += BigInt(policy.totalFailureSessionCount)
    totals.set(policy.policyType, total)
  }
  const rank = (type: string) => (policyTypes as readonly string[]).indexOf(type) >>> 0 // -1 comes last
  return [...totals]
    .sort(
      ([typeA, a], [typeB, b]) =>
        order(b.sessions, a.sessions) ||
        order(b.failed, a.failed) ||
        order(rank(typeA), rank(typeB)) ||
        order(typeA, typeB),
    )
    .map(([type]) => type)[0]
}

const order = <T extends bigint | number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

/** The `mode` line of an STS policy as the sender saw it (RFC 8461 §3.2). */
export function policyMode(policy: Policy): string | undefined {
  if (policy.policyType !== 'sts') return undefined
  const line = policy.policyString.find((entry) => /^\s*mode\s*:/i.test(entry))
  return (
    line
      ?.slice(line.indexOf(':') + 1)
      .trim()
      .toLowerCase()
      .slice(0, 64) || undefined
  )
}

const note = (code: AnomalyCode, pointer: string): Anomaly => ({ code, pointer })
