/** How much arrived, and what became of it (RFC 8460 §5.3, §5.4): every submission is in one of these counts. */
import type { Transport } from '../tlsrpt/submission.ts'
import type { Database } from './database.ts'
import { makeBind, type Visible, type Window } from './question.ts'
import { isAbout, withWhole } from './submissions.ts'

export type ArrivalCount = {
  /** UTC day of arrival, 'YYYY-MM-DD'. */
  day: string
  transport: Transport
  verdict: string
  /** Finer than the verdict; null where that says it all. */
  reason: string | null
  /** Submissions. */
  count: bigint
  /** Of what is kept of them as they came. */
  bytes: bigint
}

export type ArrivalsQuestion = {
  /** Over the time of arrival. */
  window: Window
  /** Only what is about one of these. */
  domains: readonly string[] | undefined
  visible: Visible
  maxRows: number
}

/**
 * Newest day first, at most maxRows + 1. What came as one mail has its bytes beside the first of its parts that is counted,
 * and only where all of it is for whoever asks.
 */
export async function countArrivals(
  db: Database,
  { window, domains, visible, maxRows }: ArrivalsQuestion,
): Promise<ArrivalCount[]> {
  const { bind, values } = makeBind()
  const within = `arrived_on >= ${bind(window.from)} and arrived_on < ${bind(window.to)}`
  // Of all submissions of an arrival the first is part 0, and that need not be looked for.
  const first = domains === undefined ? 'part = 0' : 'part = min(part) over (partition by arrived_on, arrival_key)'
  const counted = `select arrived_on, arrival_key, transport, verdict, reason, ${first} as is_first
    from submission where ${within} and ${isAbout(domains, visible, bind)}`
  const { rows } = await db.query<Omit<ArrivalCount, 'bytes'> & { bytes: string }>(
    `${withWhole(counted, visible, bind)}
     select arrived_on as day, transport, verdict, reason, count(*) as count,
       coalesce(sum(size) filter (where whole and is_first), 0) as bytes
     from seen left join (select arrived_on, arrival_key, size from submission_raw where ${within}) raw using (arrived_on, arrival_key)
     group by arrived_on, transport, verdict, reason
     order by arrived_on desc, transport collate "C", verdict collate "C", reason collate "C" limit ${bind(maxRows + 1)}`,
    values,
  )
  return rows.map((row) => ({ ...row, bytes: BigInt(row.bytes) }))
}
