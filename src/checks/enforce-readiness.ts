/** RFC 8461 §5, §8.3: whether a domain can go from mode testing to enforce, from what reports and the last check say. */
import { readPolicyString, samePolicy } from '../mtasts/compare.ts'
import { formatPolicy, policyId, type StsPolicy } from '../mtasts/policy.ts'
import { formatStsRecord } from '../mtasts/record.ts'
import { daysAfter } from '../tlsrpt/dates.ts'
import { resultTypes } from '../tlsrpt/result-types.ts'
import type { Check } from './check.ts'
import { freshMs, publishedPolicy } from './explain.ts'
import type { FindingCode } from './findings/codes.ts'

/** Verified reports of known reporters alone: nobody else's word may decide this. Days are UTC, 'YYYY-MM-DD'. */
export type Evidence = {
  /** Sessions under a policy of type sts, by day, reporter and policy string. */
  sessions: { day: string; reporter: string; policyString: string[]; successful: number; failed: number }[]
  /** Failed ones whatever the type of the policy; `mx` where the reporter named it. */
  failures: {
    day: string
    reporter: string
    policyType: string
    policyString: string[]
    resultType: string
    mx?: string
    failed: number
  }[]
}

/** How much is enough; the operator may ask otherwise, and the answer repeats it. */
export type Thresholds = { minSessions: number; minReporters: number }

export type Blocker = { code: BlockerCode; sentence: string; fix: string }

export type BlockerCode =
  | 'not-checked'
  | 'check-too-old'
  | 'no-sts-record'
  | 'sts-record-not-seen'
  | 'no-policy'
  | 'policy-not-seen'
  | 'no-mx'
  | 'mx-would-be-refused'
  | 'mx-not-seen'
  | 'failing'
  | 'too-few-sessions'
  | 'too-few-reporters'

/** These say that something is wrong; the others, that too little is known. */
const saysNo: readonly BlockerCode[] = ['no-sts-record', 'no-policy', 'no-mx', 'mx-would-be-refused', 'failing']

export type Readiness = {
  verdict: 'ready' | 'not-ready' | 'not-enough-evidence'
  /** Of the policy that is published now; absent where there is none. */
  mode?: StsPolicy['mode']
  blockers: Blocker[]
  /** Since the last failure under the policy published now, or since the window begins. */
  clean: { since: string; sessions: number; reporters: string[] }
  /**
   * What enforcing would have refused in the window, the most sessions first. Where a reporter tells of a day under DANE
   * and under another policy, these may be the same sessions: the larger count stands.
   */
  wouldHaveBeenRefused: { sessions: number; of: { resultType: string; mx?: string; sessions: number; reporters: string[]; lastSeen: string }[] } // prettier-ignore
  /** The two things to change; absent where there is no policy to change, or it is enforced already. */
  edits?: { policy: string; record: string }
}

/** The result type, in our own words, of failed sessions that a report counts and gives no detail of (RFC 8460 §4.4). */
const unattributed = 'unattributed'

/** `window` is [from, to) in UTC days, and `evidence` of it; `check` is the last one. */
export function judgeReadiness(
  domain: string,
  evidence: Evidence,
  check: Check | undefined,
  window: { from: string; to: string },
  thresholds: Thresholds,
  now: Date,
): Readiness {
  const live = publishedPolicy(check)
  const all = [...evidence.failures, ...unattributedOf(evidence)]
  const failures = all.filter((failure) => failure.failed > 0 && refusesUnderEnforce(failure))
  const clean = cleanSince(evidence, failures, live, window.from)
  const refused = groupFailures(failures)
  const blockers = [
    ...liveBlockers(domain, check, live, now),
    ...failureBlockers(evidence, failures, live),
    ...evidenceBlockers(clean, thresholds),
  ]
  return {
    verdict: blockers.length === 0 ? 'ready' : blockers.some(({ code }) => saysNo.includes(code)) ? 'not-ready' : 'not-enough-evidence', // prettier-ignore
    ...(live && { mode: live.mode }),
    blockers,
    clean,
    wouldHaveBeenRefused: { sessions: refused.reduce((sum, { sessions }) => sum + sessions, 0), of: refused },
    ...(live?.mode === 'testing' && { edits: editsFor(live, check?.observed.stsRecord?.id) }),
  }
}

type Failure = Evidence['failures'][number]

/** What the totals of a reporter's day under a policy count beyond its details. */
function unattributedOf({ sessions, failures }: Evidence): Failure[] {
  const nameOf = ({ day, reporter, policyString }: Pick<Failure, 'day' | 'reporter' | 'policyString'>) => JSON.stringify([day, reporter, policyString]) // prettier-ignore
  const details = Map.groupBy(failures.filter(({ policyType }) => policyType === 'sts'), nameOf) // prettier-ignore
  return sessions.map((total) => {
    const { day, reporter, policyString } = total
    const told = (details.get(nameOf(total)) ?? []).reduce((sum, { failed }) => sum + failed, 0)
    return { day, reporter, policyType: 'sts', policyString, resultType: unattributed, failed: total.failed - told }
  })
}

/**
 * Every failure that MTA-STS in mode enforce would turn into refused mail, which is not only the sts-* types; of the
 * sender's own types nothing is known, so they count. What fails under DANE is judged by TLSA records, and refused
 * already; but that there is no STARTTLS, or that a certificate has expired, is so under any policy.
 */
function refusesUnderEnforce({ policyType, resultType }: Failure): boolean {
  if (policyType === 'tlsa') return resultType === 'starttls-not-supported' || resultType === 'certificate-expired'
  return resultTypes.find(({ name }) => name === resultType)?.group !== 'policy-dane'
}

/** An empty or unreadable policy string (the policy could not be fetched) may be of any policy, so of this one. */
function isUnder(policyString: string[], live: StsPolicy | undefined): boolean {
  const read = readPolicyString(policyString)
  return live === undefined || read.kind === 'invalid' || samePolicy(read.policy, live)
}

const isSurelyUnder = (policyString: string[], live: StsPolicy | undefined): boolean =>
  readPolicyString(policyString).kind === 'valid' && isUnder(policyString, live)

function cleanSince(
  { sessions }: Evidence,
  failures: readonly Failure[],
  live: StsPolicy | undefined,
  from: string,
): Readiness['clean'] {
  const under = sessions.filter(({ policyString }) => isSurelyUnder(policyString, live))
  const failing = failures.filter(({ policyString }) => isUnder(policyString, live)).map(({ day }) => day)
  const last = failing.toSorted().at(-1)
  const since = last === undefined ? from : daysAfter(last, 1)
  const after = under.filter(({ day }) => day >= since)
  return {
    since,
    sessions: after.reduce((sum, { successful }) => sum + successful, 0),
    reporters: [...new Set(after.filter(({ successful }) => successful > 0).map(({ reporter }) => reporter))].sort(),
  }
}

function liveBlockers(domain: string, check: Check | undefined, live: StsPolicy | undefined, now: Date): Blocker[] {
  if (!check) return [{ code: 'not-checked', sentence: `${domain} has not been looked at from outside yet.`, fix: 'Run a check.' }] // prettier-ignore
  return [
    ...(now.getTime() - Date.parse(check.endedAt) > freshMs
      ? [{ code: 'check-too-old', sentence: `The last check is of ${check.endedAt.slice(0, 10)}.`, fix: 'Run a check.' } as const]
      : []),
    ...recordBlockers(domain, check),
    ...policyBlockers(check, live),
    ...mxBlockers(domain, check),
  ] // prettier-ignore
}

const again = 'Run a check again.'

function recordBlockers(domain: string, { observed: { stsRecord } }: Check): Blocker[] {
  if (!stsRecord) return [{ code: 'sts-record-not-seen', sentence: `The DNS could not tell the last check whether there is a TXT record at _mta-sts.${domain}.`, fix: again }] // prettier-ignore
  if (stsRecord.id !== undefined) return []
  return [{ code: 'no-sts-record', sentence: `There is no valid TXT record at _mta-sts.${domain}, so senders look for no policy.`, fix: 'Publish it, see the records to publish.' }] // prettier-ignore
}

function policyBlockers({ observed, findings }: Check, live: StsPolicy | undefined): Blocker[] {
  const { host } = observed.policyHost
  if (live && live.mode !== 'none') return []
  if (live) return [{ code: 'no-policy', sentence: `The policy at ${host} is of mode none: it takes MTA-STS away.`, fix: 'Publish one in mode testing first, see the records to publish.' }] // prettier-ignore
  if (findings.some(({ code }) => code === 'policy-not-seen')) return [{ code: 'policy-not-seen', sentence: `The last check could not look at ${host}.`, fix: again }] // prettier-ignore
  return [{ code: 'no-policy', sentence: `There is no valid policy at ${host}.`, fix: 'Publish one in mode testing first, see the records to publish.' }] // prettier-ignore
}

/** Reports tell no MX host of what succeeded: that each does is for the check to see. */
function mxBlockers(domain: string, { observed: { mx }, findings }: Check): Blocker[] {
  if (!mx) return [{ code: 'mx-not-seen', sentence: `The DNS could not tell the last check the MX hosts of ${domain}.`, fix: again }] // prettier-ignore
  if (mx.length === 0) return [{ code: 'no-mx', sentence: `${domain} has no MX host that takes mail.`, fix: 'Publish an MX record; without mail there is nothing to enforce.' }] // prettier-ignore
  const tooMany: FindingCode = 'mx-too-many'
  return [
    ...mx.flatMap(({ host, enforce }): Blocker[] => {
      const fix = `See what the check says of ${host}.`
      switch (enforce) {
        case 'delivers':
          return []
        case 'unknown':
          return [{ code: 'mx-not-seen', sentence: `The last check could not see how ${host} does TLS.`, fix: 'Run a check from where port 25 is open.' }] // prettier-ignore
        case 'partly':
          return [{ code: 'mx-would-be-refused', sentence: `A sender that enforces would refuse to deliver to ${host} by some of its addresses: the last check saw it.`, fix }] // prettier-ignore
        case 'refuses':
          return [{ code: 'mx-would-be-refused', sentence: `A sender that enforces would refuse to deliver to ${host}: the last check saw it.`, fix }] // prettier-ignore
      }
    }),
    ...findings.filter(({ code }) => code === tooMany).map(({ sentence }): Blocker => ({ code: 'mx-not-seen', sentence, fix: 'Have fewer MX hosts; a check looks at no more.' })), // prettier-ignore
  ]
}

/** A failure is over when one of those who told of it has told of a later day under this policy without it. */
function failureBlockers({ sessions }: Evidence, failures: readonly Failure[], live: StsPolicy | undefined): Blocker[] {
  const current = failures.filter(({ policyString }) => isUnder(policyString, live))
  const isOver = ({ reporters, lastSeen }: Refused) =>
    sessions.some(({ day, reporter, successful, policyString }) => day > lastSeen && successful > 0 && reporters.includes(reporter) && isSurelyUnder(policyString, live)) // prettier-ignore
  return groupFailures(current).filter((group) => !isOver(group)).map(failingBlocker) // prettier-ignore
}

function failingBlocker({ resultType, mx, sessions, reporters, lastSeen }: Refused): Blocker {
  const what = resultType === unattributed ? 'Failures that no report gives a detail of' : resultType
  const who = reporters.length === 1 ? reporters[0]! : `${reporters.length} reporters`
  const known = resultTypes.find(({ name }) => name === resultType)
  return {
    code: 'failing',
    sentence: `${what}${mx === undefined ? '' : ` on ${mx}`}: ${sessions} sessions of ${who} failed, the last on ${lastSeen}.`, // prettier-ignore
    fix: `${known?.fix ?? 'Ask the reporter what failed.'} Then wait for a report of the same reporter on a later day.`,
  }
}

function evidenceBlockers(
  { sessions, reporters, since }: Readiness['clean'],
  { minSessions, minReporters }: Thresholds,
): Blocker[] {
  // prettier-ignore
  return [
    ...(sessions < minSessions
      ? [{ code: 'too-few-sessions', sentence: `Since ${since} known reporters tell of ${sessions} sessions under this policy without a failure; ${minSessions} are asked for.`, fix: 'Wait for more reports, or mark reporters that you trust as known.' } as const]
      : []),
    ...(reporters.length < minReporters
      ? [{ code: 'too-few-reporters', sentence: `Since ${since} ${reporters.length} known reporters tell of them; ${minReporters} are asked for.`, fix: 'Wait for more reports, or mark reporters that you trust as known.' } as const]
      : []),
  ] // prettier-ignore
}

type Refused = Readiness['wouldHaveBeenRefused']['of'][number]

function groupFailures(failures: readonly Failure[]): Refused[] {
  const groups = Map.groupBy(failures, ({ resultType, mx }) => JSON.stringify([resultType, mx ?? null]))
  return [...groups.values()]
    .map((of) => ({
      resultType: of[0]!.resultType,
      ...(of[0]!.mx !== undefined && { mx: of[0]!.mx }),
      sessions: sessionsOf(of),
      reporters: [...new Set(of.map(({ reporter }) => reporter))].sort(),
      lastSeen: of.map(({ day }) => day).sort().at(-1)!, // prettier-ignore
    }))
    .sort((a, b) => b.sessions - a.sessions)
}

/** See `wouldHaveBeenRefused`. */
function sessionsOf(failures: readonly Failure[]): number {
  const sum = (of: readonly Failure[]) => of.reduce((total, { failed }) => total + failed, 0)
  const tellings = Map.groupBy(failures, ({ day, reporter }) => `${day} ${reporter}`)
  return [...tellings.values()].reduce((total, of) => {
    const dane = of.filter(({ policyType }) => policyType === 'tlsa')
    return total + Math.max(sum(dane), sum(of) - sum(dane))
  }, 0)
}

/** The id has to be another one, also where somebody had set the mode back without changing it. */
function editsFor(live: StsPolicy, liveId: string | undefined): NonNullable<Readiness['edits']> {
  const enforced: StsPolicy = { ...live, mode: 'enforce' }
  const id = policyId(enforced)
  return { policy: formatPolicy(enforced), record: formatStsRecord(id === liveId ? `${id}2` : id) }
}
