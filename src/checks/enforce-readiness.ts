/** RFC 8461 §5, §8.3: whether a domain can go from mode testing to enforce, from what reports and the last check say. */
import { readPolicyString, samePolicy } from '../mtasts/compare.ts'
import { formatPolicy, parsePolicy, policyId, type StsPolicy } from '../mtasts/policy.ts'
import { formatStsRecord } from '../mtasts/record.ts'
import { resultTypes } from '../tlsrpt/result-types.ts'
import type { Check } from './check.ts'

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
  | 'no-policy'
  | 'mx-would-be-refused'
  | 'mx-not-seen'
  | 'failing'
  | 'too-few-sessions'
  | 'too-few-reporters'

/** These say that something is wrong; the others, that too little is known. */
const saysNo: readonly BlockerCode[] = ['no-sts-record', 'no-policy', 'mx-would-be-refused', 'failing']

export type Readiness = {
  verdict: 'ready' | 'not-ready' | 'not-enough-evidence'
  /** Of the policy that is published now; absent where there is none. */
  mode?: StsPolicy['mode']
  blockers: Blocker[]
  /** Since the last failure under the policy published now, or since the window begins. */
  clean: { since: string; sessions: number; reporters: string[] }
  /** What enforcing would have refused in the window, the most sessions first. */
  wouldHaveBeenRefused: { sessions: number; of: { resultType: string; mx?: string; sessions: number; reporters: string[]; lastSeen: string }[] } // prettier-ignore
  /** The two things to change; absent where there is no valid policy to change. */
  edits?: { policy: string; record: string }
}

const dayMs = 86_400_000
/** The daily check, and a day of grace. */
const freshMs = 2 * dayMs

/** `window` is [from, to) in UTC days, and `evidence` of it; `check` is the last one. */
export function judgeReadiness(
  domain: string,
  evidence: Evidence,
  check: Check | undefined,
  window: { from: string; to: string },
  thresholds: Thresholds,
  now: Date,
): Readiness {
  const live = livePolicy(check)
  const failures = evidence.failures.filter((failure) => failure.failed > 0 && refusesUnderEnforce(failure))
  const clean = cleanSince(evidence, failures, live, window.from)
  const refused = groupFailures(failures)
  const blockers = [
    ...liveBlockers(domain, check, live, now),
    ...failureBlockers(evidence, failures, live, clean.since),
    ...evidenceBlockers(clean, thresholds),
  ]
  return {
    verdict: blockers.length === 0 ? 'ready' : blockers.some(({ code }) => saysNo.includes(code)) ? 'not-ready' : 'not-enough-evidence', // prettier-ignore
    ...(live && { mode: live.mode }),
    blockers,
    clean,
    wouldHaveBeenRefused: { sessions: refused.reduce((sum, { sessions }) => sum + sessions, 0), of: refused },
    ...(live && { edits: editsFor(live) }),
  }
}

/** As senders read it: fetched and valid. */
function livePolicy(check: Check | undefined): StsPolicy | undefined {
  const seen = check?.observed.policy
  const read = seen?.fetched && seen.valid ? parsePolicy(seen.text) : undefined
  return read?.kind === 'valid' ? read.policy : undefined
}

/**
 * Every failure that MTA-STS in mode enforce would turn into refused mail, which is not only the sts-* types; of the
 * sender's own types nothing is known, so they count. What fails under DANE is refused already, whatever this mode is.
 */
function refusesUnderEnforce({ policyType, resultType }: Evidence['failures'][number]): boolean {
  const known = resultTypes.find(({ name }) => name === resultType)
  return policyType !== 'tlsa' && known?.group !== 'policy-dane'
}

/** An empty or unreadable policy string (the policy could not be fetched) may be of any policy, so of this one. */
function isUnder(policyString: string[], live: StsPolicy | undefined): boolean {
  const read = readPolicyString(policyString)
  return live === undefined || read.kind === 'invalid' || samePolicy(read.policy, live)
}

function cleanSince(
  { sessions }: Evidence,
  failures: Evidence['failures'],
  live: StsPolicy | undefined,
  from: string,
): Readiness['clean'] {
  const under = sessions.filter(({ policyString }) => readPolicyString(policyString).kind === 'valid' && isUnder(policyString, live)) // prettier-ignore
  const failing = [
    ...failures.filter(({ policyString }) => isUnder(policyString, live)).map(({ day }) => day),
    ...under.filter(({ failed }) => failed > 0).map(({ day }) => day), // Also what no detail tells of.
  ]
  const last = failing.toSorted().at(-1)
  const since = last === undefined ? from : dayAfter(last)
  const after = under.filter(({ day }) => day >= since)
  return {
    since,
    sessions: after.reduce((sum, { successful }) => sum + successful, 0),
    reporters: [...new Set(after.filter(({ successful }) => successful > 0).map(({ reporter }) => reporter))].sort(),
  }
}

const dayAfter = (day: string): string => new Date(Date.parse(day) + dayMs).toISOString().slice(0, 10)

function liveBlockers(domain: string, check: Check | undefined, live: StsPolicy | undefined, now: Date): Blocker[] {
  if (!check) return [{ code: 'not-checked', sentence: `${domain} has not been looked at from outside yet.`, fix: 'Run a check.' }] // prettier-ignore
  const { observed, endedAt } = check
  return [
    ...(now.getTime() - Date.parse(endedAt) > freshMs
      ? [{ code: 'check-too-old', sentence: `The last check is of ${endedAt.slice(0, 10)}.`, fix: 'Run a check.' } as const]
      : []),
    ...(observed.stsRecord?.id === undefined
      ? [{ code: 'no-sts-record', sentence: `There is no valid TXT record at _mta-sts.${domain}, so senders look for no policy.`, fix: 'Publish it, see the records to publish.' } as const]
      : []),
    ...(live === undefined
      ? [{ code: 'no-policy', sentence: `There is no valid policy at ${observed.policyHost.host}.`, fix: 'Publish one in mode testing first, see the records to publish.' } as const]
      : []),
    ...(observed.mx ?? []).flatMap(({ host, enforce }): Blocker[] =>
      enforce === 'refuses' || enforce === 'partly'
        ? [{ code: 'mx-would-be-refused', sentence: `A sender that enforces would refuse to deliver to ${host}${enforce === 'partly' ? ' by some of its addresses' : ''}: the last check saw it.`, fix: `See what the check says of ${host}.` }]
        : enforce === 'unknown'
          ? [{ code: 'mx-not-seen', sentence: `The last check could not see how ${host} does TLS.`, fix: 'Run a check from where port 25 is open.' }]
          : [],
    ),
  ] // prettier-ignore
}

/** What still goes on: no report under this policy has come from a day after it. */
function failureBlockers(
  { sessions }: Evidence,
  failures: Evidence['failures'],
  live: StsPolicy | undefined,
  cleanSinceDay: string,
): Blocker[] {
  const isOver = sessions.some(({ day, policyString }) => day >= cleanSinceDay && isUnder(policyString, live))
  if (isOver) return []
  const current = failures.filter(({ policyString }) => isUnder(policyString, live))
  return groupFailures(current).map(({ resultType, mx, sessions: count, reporters, lastSeen }) => ({
    code: 'failing',
    sentence: `${resultType}${mx === undefined ? '' : ` on ${mx}`}: ${count} sessions of ${reporters.length === 1 ? reporters[0]! : `${reporters.length} reporters`} failed, the last on ${lastSeen}.`,
    fix: resultTypes.find(({ name }) => name === resultType)?.fix ?? 'Ask the reporter what this result type means.',
  }))
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

function groupFailures(failures: Evidence['failures']): Readiness['wouldHaveBeenRefused']['of'] {
  const groups = Map.groupBy(failures, ({ resultType, mx }) => `${resultType} ${mx ?? ''}`)
  return [...groups.values()]
    .map((of) => ({
      resultType: of[0]!.resultType,
      ...(of[0]!.mx !== undefined && { mx: of[0]!.mx }),
      sessions: of.reduce((sum, { failed }) => sum + failed, 0),
      reporters: [...new Set(of.map(({ reporter }) => reporter))].sort(),
      lastSeen: of.map(({ day }) => day).sort().at(-1)!, // prettier-ignore
    }))
    .sort((a, b) => b.sessions - a.sessions)
}

function editsFor(live: StsPolicy): NonNullable<Readiness['edits']> {
  const enforced: StsPolicy = { ...live, mode: 'enforce' }
  return { policy: formatPolicy(enforced), record: formatStsRecord(policyId(enforced)) }
}
