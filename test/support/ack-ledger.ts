/** What senders were told, written down after they were told it, and held against the store at the end. */
import type { Database } from '../../src/store/database.ts'
import { verifyStore } from '../../src/store/verify.ts'

export type Via = 'smtp' | 'https'

/** 'unheard': the connection ended, or the time was up, before an answer came. */
export type Reply = { kind: 'accepted' | 'temporary' | 'permanent' | 'unheard'; text: string; submissionKey?: string }

export type AckLedger = {
  /** To be called once the reply has been read, and not before. */
  write: (reportId: string, via: Via, reply: Reply, waitedMs: number) => void
  /** Resolves with the next acceptance by this transport. */
  nextAccepted: (via: Via) => Promise<void>
  counts: () => Record<Reply['kind'], number>
  /** The longest that anybody waited for a reply of the service. */
  slowestReplyMs: () => number
  /** Replies that were neither an acceptance nor temporary: the senders of this ledger send nothing bad. */
  refused: () => string[]
  /** What stands in it by now, as a ledger of its own. */
  fork: () => AckLedger
  /** Once all senders have stopped. */
  check: (db: Database) => Promise<Tally>
}

export type Tally = {
  /** Reports of which somebody was told that they were accepted. */
  acknowledged: number
  /** Reports that were acknowledged and do not count; submissions that were acknowledged and are not there. */
  lost: string[]
  /** Reports that count more than once, acknowledged or not. */
  twice: string[]
  /** What the store finds wrong with itself. */
  findings: unknown[]
}

/** Report id -> submission keys. */
type Accepted = Map<string, Set<string>>

export function makeAckLedger(accepted: Accepted = new Map()): AckLedger {
  const counts = { accepted: 0, temporary: 0, permanent: 0, unheard: 0 }
  const refused: string[] = []
  const waiting: Record<Via, (() => void)[]> = { smtp: [], https: [] }
  let slowestMs = 0

  return {
    write: (reportId, via, { kind, text, submissionKey }, waitedMs) => {
      counts[kind]++
      if (kind !== 'unheard') slowestMs = Math.max(slowestMs, waitedMs)
      if (kind === 'permanent') refused.push(`${via} ${reportId}: ${text}`)
      if (kind !== 'accepted') return
      const keys = accepted.get(reportId) ?? new Set()
      accepted.set(reportId, keys)
      if (submissionKey !== undefined) keys.add(submissionKey)
      for (const resolve of waiting[via].splice(0)) resolve()
    },
    nextAccepted: (via) => new Promise((resolve) => waiting[via].push(resolve)),
    counts: () => ({ ...counts }),
    slowestReplyMs: () => slowestMs,
    refused: () => refused,
    fork: () => makeAckLedger(new Map([...accepted].map(([reportId, keys]) => [reportId, new Set(keys)]))),
    check: async (db) => {
      const reports = await db.query<{ report_id: string; times: number }>(
        'select report_id, count(*) filter (where counted)::int as times from report group by report_id',
      )
      const times = new Map(reports.rows.map((row) => [row.report_id, row.times]))
      // The bytes of a repeat may be left to those of the first.
      const submissions = await db.query<{ key: string }>(
        `select key from submission s left join submission_raw r using (arrived_on, arrival_key)
         where r.arrival_key is not null or s.verdict = 'duplicate'`,
      )
      const kept = new Set(submissions.rows.map(({ key }) => key))
      const { findings } = await verifyStore(db, new Date())
      return {
        acknowledged: accepted.size,
        lost: [...accepted].flatMap(([reportId, keys]) => [
          ...(times.get(reportId) ? [] : [`report ${reportId}`]),
          ...[...keys].filter((key) => !kept.has(key)).map((key) => `submission ${key} of ${reportId}`),
        ]),
        twice: [...times].filter(([, n]) => n > 1).map(([reportId, n]) => `${reportId}: ${n} times`),
        findings,
      }
    },
  }
}
