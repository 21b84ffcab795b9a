/** Judging again what has arrived: the bytes and signatures of the day of arrival come out, what the new verdict changes goes in. */
import { isDeepStrictEqual } from 'node:util'
import type { Problem, Refusal } from '../tlsrpt/submission.ts'
import type { Deferred, Outcome, ReportOutcome } from '../tlsrpt/verdict.ts'
import { submissionRow, submissionTable, type JudgedPart } from './arrivals.ts'
import { holdBlocked } from './blocked.ts'
import { claimRows, type Share } from './claims.ts'
import { copyRows } from './copy.ts'
import { inTransaction, repeated, type Database, type Queryable } from './database.ts'
import { moveDayTotals } from './day-totals.ts'
import { factRows } from './facts.ts'
import { makePartitions, type EnsurePartitions } from './partitions.ts'
import { makeQuota, type WithinQuota } from './quota.ts'
import { mostCollisions, outcomeOf, sharesOf, verdictOf } from './record.ts'
import { isPoison, quarantined, type RecorderOptions } from './recorder.ts'
import { settleShares } from './settle.ts'
import { readArrival, type ArrivalPlace, type StoredArrival } from './stored-arrivals.ts'

/** One part of an arrival as it stands now; `before` is the verdict until then, null for a part not seen before. */
export type JudgedAgain = {
  key: string
  verdict: string
  /** Finer than the verdict; null on what is accepted. */
  reason: string | null
  reports: ReportOutcome[]
  before: string | null
}

export type Archive = {
  /** Undefined when the bytes are no longer kept, or never were. */
  read: (place: ArrivalPlace) => Promise<StoredArrival | undefined>
  /**
   * Records what was judged again, in one transaction, and answers each part as it stands now; undefined when the bytes
   * went meanwhile. What was refused or quarantined gets the new verdict, and its reports count from now on. What stands
   * keeps what it said: only domains that have no word of it yet are added. So a second time changes nothing, and
   * whatever was decided on a report stays. Rejects as the database does.
   */
  recordAgain: (arrival: StoredArrival, judged: readonly JudgedPart[]) => Promise<JudgedAgain[] | Deferred | undefined>
}

/** `newKey` as for the recorder. */
export function makeArchive(db: Database, { limits, newKey }: ArchiveOptions): Archive {
  const withinQuota = makeQuota(limits.unverifiedReportsPerDomainAndDay)
  const options: Again = { ensurePartitions: makePartitions(db), newKey, withinQuota }
  return {
    read: (place) => readArrival(db, place),
    recordAgain: async (arrival, judged) => {
      try {
        return await recordAgain(db, arrival, judged, options)
      } catch (error) {
        if (!isPoison(error) || judged.every(({ judgement }) => judgement.kind === 'quarantined')) throw error
        return recordAgain(db, arrival, judged.map(quarantined), options)
      }
    },
  }
}

type Again = { ensurePartitions: EnsurePartitions; newKey: RecorderOptions['newKey']; withinQuota: WithinQuota }

type ArchiveOptions = Pick<RecorderOptions, 'newKey'> & { limits: Pick<RecorderOptions['limits'], 'unverifiedReportsPerDomainAndDay'> } // prettier-ignore

async function recordAgain(
  db: Database,
  { place, submission }: StoredArrival,
  judged: readonly JudgedPart[],
  { ensurePartitions, newKey, withinQuota }: Again,
): Promise<JudgedAgain[] | Deferred | undefined> {
  const reported = judged.flatMap(({ judgement }) => ('domainReports' in judgement ? judgement.domainReports : []))
  await ensurePartitions({ reported: reported.map(({ day }) => day), arrived: [] })
  const inTurn = async (tx: Queryable): Promise<JudgedAgain[] | Deferred | undefined> => {
    const stored = await lockParts(tx, place)
    if (!stored) return undefined
    const parts: Part[] = []
    for (const [seq, part] of judged.entries()) {
      const key = stored[seq]?.key ?? newKey(submission.arrivedAt)
      const shares = await withoutTold(tx, sharesOf(part, key, submission), stored[seq])
      parts.push({ seq, key, judged: part, stored: stored[seq], shares })
    }
    const shares = parts.flatMap((part) => part.shares)
    const [within] = await withinQuota(tx, [shares])
    if (!within) return { kind: 'deferred', reason: 'unverified-quota' }
    const blocked = await holdBlocked(tx)
    const settled = await settleShares(tx, shares, blocked, newKey)
    const decided = parts.map((part) => ({ part, outcome: outcomeAgain(part, settled.told) }))
    await copyRows(tx, [claimRows(settled.created), ...factRows(settled.created)])
    await replaceRows(
      tx,
      { place, submission },
      decided.flatMap(({ part, outcome }) => (outcome ? [{ part, outcome }] : [])),
    )
    await moveDayTotals(tx, settled.changes)
    return [...decided.map(answer), ...stored.slice(parts.length).map(unchanged)]
  }
  return repeated(['duplicate'], mostCollisions, () => inTransaction(db, inTurn))
}

type StoredPart = {
  key: string
  verdict: string
  reason: string | null
  problems: Problem[]
  reports: ReportOutcome[]
}

/** `shares` is what it says that nobody has heard yet. */
type Part = { seq: number; key: string; judged: JudgedPart; stored: StoredPart | undefined; shares: Share[] }

const refusedVerdicts: readonly string[] = ['unauthenticated', 'malformed', 'unreadable', 'not-ours', 'too-large'] satisfies Refusal['kind'][] // prettier-ignore

const stands = ({ verdict }: StoredPart): boolean => verdict !== 'quarantined' && !refusedVerdicts.includes(verdict)

/**
 * The parts in their order, locked until the end of the transaction by way of the bytes, which are there once; undefined
 * when these are gone. Read after the lock: who held it before may have replaced the rows.
 */
async function lockParts(
  tx: Queryable,
  { arrivedOn, arrivalKey, domain }: StoredArrival['place'],
): Promise<StoredPart[] | undefined> {
  const { rowCount } = await tx.query(
    'select from submission_raw where arrived_on = $1 and arrival_key = $2 and domain = $3 for update',
    [arrivedOn, arrivalKey, domain],
  )
  if (rowCount === 0) return undefined
  const { rows } = await tx.query<StoredPart>(
    `select key, verdict, reason, problems, reports from submission
     where arrived_on = $1 and arrival_key = $2 order by part`,
    [arrivedOn, arrivalKey],
  )
  return rows
}

/**
 * Of a part that stands nothing is said twice: neither about a domain nor about a policy domain that, by what was ours
 * on the day of arrival, went to another domain.
 */
async function withoutTold(tx: Queryable, shares: Share[], stored: StoredPart | undefined): Promise<Share[]> {
  if (!stored || !stands(stored)) return shares
  const added = shares.filter(
    ({ domainReport }) => !stored.reports.some(({ domain }) => domain === domainReport.domain),
  )
  if (added.length === 0 || stored.reports.length === 0) return added
  const told = await policyDomainsOf(tx, stored.reports)
  return added.filter(({ domainReport }) => !domainReport.policies.some(({ policyDomain }) => told.has(policyDomain)))
}

async function policyDomainsOf(tx: Queryable, reports: readonly ReportOutcome[]): Promise<Set<string>> {
  const keys = reports.map(({ key }) => key)
  const places = await tx.query<{ key: string; domain: string; day: string }>(
    'select key, domain, day from report where key = any($1::uuid[])',
    [keys],
  )
  const of = (name: 'key' | 'domain' | 'day') => places.rows.map((row) => row[name])
  const { rows } = await tx.query<{ name: string }>(
    `select distinct p.policy_domain as name
     from unnest($1::uuid[], $2::text[], $3::date[]) as w (key, domain, day)
     join policy p on p.domain = w.domain and p.day = w.day and p.report_key = w.key
     where p.day = any($3::date[])`,
    [of('key'), of('domain'), of('day')],
  )
  return new Set(rows.map(({ name }) => name))
}

/** What the part is from now on; undefined where that is what it was. */
function outcomeAgain({ key, judged, stored, shares }: Part, told: Map<Share, ReportOutcome>): Outcome | undefined {
  if (stored && stands(stored)) {
    if (shares.length === 0) return undefined
    const reports = [...stored.reports, ...shares.map((share) => told.get(share)!)]
    reports.sort((a, b) => (a.domain < b.domain ? -1 : 1))
    return { kind: verdictOf(reports), submissionKey: key, reports, anomalies: [] }
  }
  const outcome = outcomeOf({ key, judged, shares }, told)
  const { judgement } = judged
  const reason = 'reason' in judgement ? judgement.reason : null
  const problems = 'problems' in judgement ? judgement.problems : []
  const isSame = outcome.kind === stored?.verdict && reason === stored.reason && isDeepStrictEqual(problems, stored.problems) // prettier-ignore
  return isSame ? undefined : outcome
}

type Replacement = { part: Part; outcome: Outcome }

/** Whole rows, since the domain stands in their key. The bytes stay; what is about them follows all parts of the arrival. */
async function replaceRows(
  tx: Queryable,
  { place: { arrivedOn, arrivalKey, domain }, submission }: Pick<StoredArrival, 'place' | 'submission'>,
  replacements: readonly Replacement[],
): Promise<void> {
  if (replacements.length === 0) return
  await tx.query('delete from submission where arrived_on = $1 and arrival_key = $2 and key = any($3::uuid[])', [
    arrivedOn,
    arrivalKey,
    replacements.map(({ part }) => part.key),
  ])
  const rows = replacements.map(({ part, outcome }) => {
    return submissionRow(submission, arrivalKey, { ...part, domains: domainsIn(part, outcome) }, outcome)
  })
  await copyRows(tx, [{ table: submissionTable, groups: [{ shared: [], rows }] }])
  await tx.query(
    `update submission_raw r set refused = s.refused
     from (select bool_and(verdict = any($4::text[])
                           or verdict = 'accepted' and reports = '[]' and trust = 'unverified' and transport <> 'file') as refused
           from submission where arrived_on = $1 and arrival_key = $2) as s
     where r.arrived_on = $1 and r.arrival_key = $2 and r.domain = $3`,
    [arrivedOn, arrivalKey, domain, refusedVerdicts],
  )
}

/** A report that is older than the retention is about domains of ours, and nothing of it is told. */
function domainsIn({ judged: { judgement } }: Part, outcome: Outcome): readonly string[] {
  const told = 'reports' in outcome ? outcome.reports.map(({ domain }) => domain) : []
  return told.length === 0 && judgement.kind === 'accepted' ? judgement.domains : told
}

function answer({ part, outcome }: { part: Part; outcome: Outcome | undefined }): JudgedAgain {
  if (!outcome) return unchanged(part.stored!)
  return {
    key: part.key,
    verdict: outcome.kind,
    reason: 'reason' in part.judged.judgement ? part.judged.judgement.reason : null,
    reports: 'reports' in outcome ? outcome.reports : [],
    before: part.stored?.verdict ?? null,
  }
}

const unchanged = ({ key, verdict, reason, reports }: StoredPart): JudgedAgain => ({ key, verdict, reason, reports, before: verdict }) // prettier-ignore
