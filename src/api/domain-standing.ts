/** How domains do by now, in a word and a sentence: what /v1/domains says beside the sums. */
import { worstCauses, type Cause } from '../store/causes.ts'
import type { Database } from '../store/database.ts'
import { newestDays, seenPolicies, type NewestDays } from '../store/domain-days.ts'
import { domainHealth, type DomainHealth } from '../store/domains.ts'
import type { Window } from '../store/question.ts'
import { utcDay } from '../tlsrpt/dates.ts'
import { domainHeadline, type DomainState } from '../tlsrpt/headline.ts'
import type { Trust } from '../tlsrpt/submission.ts'
import { wordsOf } from './causes.ts'

const dayMs = 86_400_000

/** Large senders report daily, on the day after: who missed two reports and a late one makes no alarm yet. */
const quietDays = 3

/** The day by which a domain stands, in milliseconds of 1970 as Date.parse has it. */
const asOfMs = (window: Window, now: Date): number =>
  Math.min(Math.floor(now.getTime() / dayMs) * dayMs, Date.parse(window.to) - dayMs)

/** Who had no report since this day, 'YYYY-MM-DD', is silent. */
export const quietSince = (window: Window, now: Date): string =>
  utcDay(new Date(asOfMs(window, now) - quietDays * dayMs))

export type Standing = {
  state: DomainState
  /** Whose word this is: of verified reports, of the others where there is no verified one; null without a report. */
  trust: Trust | null
  headline: string
  topCause: Pick<Cause, 'resultType' | 'receivingMxHostname' | 'failed' | 'since' | 'ongoing'> | null
  /** Those seen last first. */
  policyTypes: string[]
  policyModes: string[]
}

/** For each of the domains, by name, with its sums, as of the last day of the window, or of today where it ends later. */
export async function domainStandings(
  db: Database,
  names: readonly string[],
  window: Window,
  now: Date,
): Promise<Map<string, { health: DomainHealth; standing: Standing }>> {
  const [health, newest, seen] = await Promise.all([
    domainHealth(db, names, window),
    newestDays(db, names, window),
    seenPolicies(db, names, window),
  ])
  const days = new Map(newest.map((row) => [sideOf(row.domain, row.trust), row]))
  const policies = new Map(seen.map((row) => [sideOf(row.domain, row.trust), row]))
  const sides = health.map((one) => {
    const trust = trustOf(one, (trust) => days.has(sideOf(one.domain, trust)))
    return { health: one, trust, days: days.get(sideOf(one.domain, trust)) }
  })
  const failing = (side: Trust) =>
    sides.flatMap(({ trust, days }) =>
      trust === side && days && days.explained !== null ? [{ domain: days.domain, day: days.explained }] : [],
    )
  const worst = async (side: Trust) => {
    const days = failing(side)
    return days.length === 0 ? [] : [...(await worstCauses(db, days, window, side))]
  }
  const causes = new Map((await Promise.all([worst('verified'), worst('unverified')])).flat())
  const asOf = asOfMs(window, now)
  return new Map(
    sides.map(({ health, trust, days }) => {
      const { policyTypes = [], policyModes = [] } = policies.get(sideOf(health.domain, trust)) ?? {}
      const cause = causes.get(health.domain)
      const standing = { ...stateOf(health, trust, days, cause, window, asOf), policyTypes, policyModes }
      return [health.domain, { health, standing }]
    }),
  )
}

const sideOf = (domain: string, trust: Trust | null): string => `${domain} ${trust ?? ''}`

/** Reports of the window go before older ones, then verified ones before the others. */
function trustOf(health: DomainHealth, isInWindow: (trust: Trust) => boolean): Trust | null {
  const trusts = ['verified', 'unverified'] as const
  const isHeard = (trust: Trust) => (trust === 'verified' ? health : health.unverified).lastReportDay !== null
  return trusts.find(isInWindow) ?? trusts.find(isHeard) ?? null
}

function stateOf(
  health: DomainHealth,
  trust: Trust | null,
  days: NewestDays | undefined,
  worst: Cause | undefined,
  window: Window,
  asOf: number,
): Pick<Standing, 'state' | 'trust' | 'headline' | 'topCause'> {
  const { domain } = health
  const side = trust === 'unverified' ? health.unverified : health
  const before = side.lastReportDay !== null && side.lastReportDay < window.to ? side.lastReportDay : null
  const lastReportDay = days?.newest ?? before
  const silentDays = lastReportDay === null ? 0 : (asOf - Date.parse(lastReportDay)) / dayMs
  const failedOnLastDay = days?.failedOnNewest ?? 0n
  // Details of a policy that is not the primary one, and says that nothing failed, are in no total: they make no alarm.
  const cause = worst && { ...worst, ongoing: worst.ongoing && failedOnLastDay > 0n }
  const state =
    trust === null
      ? 'no-reports'
      : days === undefined || silentDays > quietDays
        ? 'silent'
        : failedOnLastDay > 0n
          ? 'failing'
          : 'healthy'
  const { successful, failed } = side
  const words = { domain, state, lastReportDay, silentDays, successful, failed, failedOnLastDay } as const
  const headline = domainHeadline({ ...words, trust: trust ?? 'verified', cause: cause && wordsOf(cause) })
  return { state, trust, headline, topCause: cause ? topCauseOf(cause) : null }
}

const topCauseOf = ({ resultType, receivingMxHostname, failed, since, ongoing }: Cause): Standing['topCause'] => ({
  resultType,
  receivingMxHostname,
  failed,
  since,
  ongoing,
})
