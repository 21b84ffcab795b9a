/** One batch of arrivals in one transaction: verdicts and bytes, reports and facts, and the totals they move. */
import type { Outcome, ReportOutcome } from '../tlsrpt/verdict.ts'
import { arrivalDay, arrivalRows } from './arrivals.ts'
import type { Arrival, JudgedPart, KeyedArrival, KeyedPart } from './arrivals.ts'
import { beginHoldingBlocked } from './blocked.ts'
import { claimRows, isCounted, type Share } from './claims.ts'
import { copyAndCommit } from './copy.ts'
import { onConnection, repeated, type Database } from './database.ts'
import { dayTotalMoves, prepareMoves } from './day-totals.ts'
import { factRows } from './facts.ts'
import { makePartitions } from './partitions.ts'
import { bytesOf, makeQuota } from './quota.ts'
import { settleAsNew, settleShares } from './settle.ts'

export type RecordOptions = {
  /** UUIDv7 with the time given; the day of arrival stands in every key. */
  newKey: (at: Date) => string
  unverifiedReportsPerDomainAndDay: number
}

/** One outcome for each part of each arrival, in order, and what was not known before and counts. */
export type Recorded = { outcomes: Outcome[][]; counted: Share[] }

/**
 * Records all arrivals or none, in a number of statements that does not depend on how many they are. One outcome for
 * each part of each arrival, in order; an arrival beyond the quota has the one outcome 'deferred', and nothing of it
 * is kept. The same report may come several times in one batch. Rejects as the database does (database.ts).
 */
export type RecordBatch = (arrivals: readonly Arrival[]) => Promise<Recorded>

/** Another instance may commit one of the same reports between our looking and our writing: each time one more is seen. */
export const mostCollisions = 10

/**
 * Nearly every report is new, and then all of it is one round trip: whether it was there is only asked after the unique
 * key has said so, and as long as repeats keep coming, since they come in swarms.
 */
export function makeRecordBatch(db: Database, options: RecordOptions): RecordBatch {
  const { newKey } = options
  const ensurePartitions = makePartitions(db)
  const withinQuota = makeQuota(options.unverifiedReportsPerDomainAndDay)
  let expectsRepeats = false

  return async (arrivals) => {
    const keyed = arrivals.map((arrival) => giveKeys(arrival, newKey))
    const shares = keyed.map(({ parts }) => parts.flatMap((part) => part.shares))
    const reported = shares.flat().map(({ domainReport }) => domainReport.day)
    await ensurePartitions({ reported, arrived: arrivals.map(arrivalDay) })
    return repeated(['retry', 'duplicate'], mostCollisions, (attempt) =>
      onConnection(db, async (client) => {
        const within = await withinQuota(client, shares)
        const kept = shares.filter((_, i) => within[i]).flat()
        const looks = expectsRepeats || attempt > 0
        // Nobody verified, nobody blocked.
        const begins = looks || kept.some(({ teller }) => teller.reporter !== undefined)
        const blocked = begins ? await beginHoldingBlocked(client) : new Set<string>()
        const settled = looks ? await settleShares(client, kept, blocked, newKey) : settleAsNew(kept, blocked, newKey)
        const outcomes = keyed.map(({ parts }, i): Outcome[] =>
          within[i]
            ? parts.map((part) => outcomeOf(part, settled.told))
            : [{ kind: 'deferred', reason: 'unverified-quota' }],
        )
        const decided = keyed.map((arrived, i) => ({ ...arrived, outcomes: outcomes[i]! })).filter((_, i) => within[i])
        const { created, changes, metKnown } = settled
        const tellers = new Set(changes.map(({ after }) => after.submissionKey))
        const rows = [claimRows(created), ...factRows(created), ...arrivalRows(decided, tellers)]
        await prepareMoves(client)
        await copyAndCommit(client, begins ? [] : ['begin'], rows, dayTotalMoves(changes))
        expectsRepeats = metKnown
        return { outcomes, counted: created.filter(({ row }) => isCounted(row)).map(({ share }) => share) }
      }),
    )
  }
}

function giveKeys(arrival: Arrival, newKey: RecordOptions['newKey']): KeyedArrival {
  const { submission, parts } = arrival
  return {
    arrival,
    key: newKey(submission.arrivedAt),
    parts: parts.map((judged) => {
      const key = newKey(submission.arrivedAt)
      return { key, judged, shares: sharesOf(judged, key, submission) }
    }),
  }
}

/** What an accepted part says about each domain of ours; of any other part nothing. */
export function sharesOf(
  { judgement }: JudgedPart,
  submissionKey: string,
  { arrivedAt, provenance, raw }: Arrival['submission'],
): Share[] {
  if (judgement.kind !== 'accepted') return []
  const { trust, reporter, report, domainReports, anomalies } = judgement
  const teller = {
    trust,
    ...(reporter !== undefined && { reporter }),
    submissionKey,
    transport: provenance.transport,
    arrivedAt,
    contactInfo: report.contactInfo,
    anomalies,
  }
  return domainReports.map((domainReport) => ({
    domainReport,
    report,
    teller,
    bytes: bytesOf(teller, domainReport, raw),
  }))
}

/** `told` has what became of each share of the part. */
export function outcomeOf({ key, judged, shares }: KeyedPart, told: Map<Share, ReportOutcome>): Outcome {
  const { judgement } = judged
  if (judgement.kind === 'quarantined') return { kind: 'quarantined', submissionKey: key, reports: [], anomalies: [] }
  if (judgement.kind !== 'accepted') return { ...judgement, submissionKey: key }
  const reports = shares.map((share) => told.get(share)!)
  return { kind: verdictOf(reports), submissionKey: key, reports, anomalies: judgement.anomalies }
}

/** Of a whole submission: the best of its reports. One that says nothing we still count is accepted all the same. */
export function verdictOf(reports: readonly ReportOutcome[]): ReportOutcome['verdict'] {
  const has = (verdict: ReportOutcome['verdict']) => reports.some((report) => report.verdict === verdict)
  if (reports.length === 0 || has('accepted')) return 'accepted'
  return has('conflict') ? 'conflict' : 'duplicate'
}
