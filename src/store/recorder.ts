/**
 * Group commit: while one transaction is under way arrivals wait, and go into the next one together, with those who come
 * meanwhile. No timers.
 */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises'
import type { Outcome, Quarantined } from '../tlsrpt/verdict.ts'
import type { Arrival, JudgedPart } from './arrivals.ts'
import type { Share } from './claims.ts'
import { classifyError, type Database } from './database.ts'
import { makeRecordBatch, type Recorded } from './record.ts'

export type Recorder = {
  /**
   * Resolves after COMMIT with one outcome for each part, in order, or with the one outcome 'deferred' when too much is
   * waiting or the domain has its fill of unverified reports. Rejects when the database cannot be reached or does not
   * say whether it has committed: the sender must try again, and what was recorded after all is then a duplicate.
   */
  record: (arrival: Arrival) => Promise<Outcome[]>
  /**
   * Somebody is on the way, until he is recorded or what this returns is called: a batch may wait a moment for him. To
   * call it again does nothing.
   */
  announce: () => () => void
  /** Arrivals not yet answered. */
  pending: () => number
  /** Waits for what is under way and waiting. Whoever calls it has stopped recording. */
  close: () => Promise<void>
}

export type RecorderOptions = {
  limits: { commitBatch: number; commitQueue: number; unverifiedReportsPerDomainAndDay: number }
  /** UUIDv7 with the time given; the day of arrival stands in every key. */
  newKey: (at: Date) => string
  /** Hears of each COMMIT; `counted` is what was not known before and counts. */
  onCommit?: (stats: { arrivals: number; milliseconds: number; counted: readonly Share[] }) => void
}

type Waiting = {
  arrival: Arrival
  bytes: number
  resolve: (outcomes: Outcome[]) => void
  reject: (error: unknown) => void
}

/** What one transaction carries at most, roughly: all of it is in memory twice, and has to pass within a statement time-out. */
const batchBytes = 16 * 1024 * 1024
/** A row of facts in a batch, roughly. */
const factBytes = 512

/** So soon behind a batch it is a rush, and so long at most does a batch wait for others to join. */
const gatherMs = 20
/** A turn of the event loop that takes longer has done some work. */
const idleTurnMs = 0.05
/** Who is on the way and was not worked on for so long waits for something else: a DNS answer, or a thread. */
const quietMs = 0.5

/** One committer. Any number of instances may record into the same database. */
export function makeRecorder(db: Database, { limits, newKey, onCommit }: RecorderOptions): Recorder {
  const { commitBatch, commitQueue, unverifiedReportsPerDomainAndDay } = limits
  const recordBatch = makeRecordBatch(db, { newKey, unverifiedReportsPerDomainAndDay })
  const waiting: Waiting[] = []
  let committing = 0
  let coming = 0
  let rushUntil = 0
  let underWay: Promise<void> | undefined

  async function commitWaiting(): Promise<void> {
    while (waiting.length > 0) {
      if (performance.now() < rushUntil) await gather()
      const batch = waiting.splice(0, fitting(waiting, commitBatch))
      committing = batch.length
      await commit(batch)
      committing = 0
      rushUntil = performance.now() + gatherMs
    }
    underWay = undefined
  }

  /**
   * Waits as long as each turn of the event loop brings more, and for who is worked on. With 64 senders of reports: batches
   * of 50, not 31. With 64 of mails, each of which takes a millisecond: of 40, not 3, for two thirds of the CPU.
   */
  async function gather(): Promise<void> {
    const startedAt = performance.now()
    let [turnAt, workedAt] = [startedAt, startedAt]
    for (;;) {
      const before = waiting.length
      await turnOfEventLoop()
      const now = performance.now()
      if (waiting.length > before || now - turnAt > idleTurnMs) workedAt = now
      turnAt = now
      if (waiting.length >= commitBatch || now > startedAt + gatherMs) return
      if (waiting.length === before && (coming === 0 || now - workedAt > quietMs)) return
    }
  }

  /** Settles every promise of the batch; rejects never. */
  async function commit(batch: Waiting[]): Promise<void> {
    const startedAt = performance.now()
    let recorded: Recorded
    try {
      recorded = await recordBatch(batch.map(({ arrival }) => arrival))
    } catch (error) {
      await recover(batch, error)
      return
    }
    batch.forEach(({ resolve }, i) => {
      resolve(recorded.outcomes[i]!)
    })
    onCommit?.({ arrivals: batch.length, milliseconds: performance.now() - startedAt, counted: recorded.counted })
  }

  /** One poisoned item must not fail its neighbours: it is searched for by halves, and kept as bytes alone. */
  async function recover(batch: Waiting[], error: unknown): Promise<void> {
    const [first] = batch
    if (isPoison(error) && batch.length > 1) {
      const middle = Math.ceil(batch.length / 2)
      await commit(batch.slice(0, middle))
      await commit(batch.slice(middle))
    } else if (isPoison(error) && first && !isQuarantined(first.arrival)) {
      await commit([{ ...first, arrival: inQuarantine(first.arrival) }])
    } else {
      for (const { reject } of batch) reject(error)
    }
  }

  return {
    announce: () => {
      let own = 1
      coming += own
      return () => {
        coming -= own
        own = 0
      }
    },
    record: (arrival) => {
      if (waiting.length >= commitQueue) return Promise.resolve([{ kind: 'deferred', reason: 'overloaded' }])
      return new Promise((resolve, reject) => {
        waiting.push({ arrival, bytes: weigh(arrival), resolve, reject })
        underWay ??= commitWaiting()
      })
    },
    pending: () => waiting.length + committing,
    close: async () => {
      while (underWay) await underWay
    },
  }
}

/** Whether trying again would only fail again: the database refuses the values, or our own code cannot write them. */
export const isPoison = (error: unknown): boolean =>
  classifyError(error) === 'input' || error instanceof TypeError || error instanceof RangeError

const isQuarantined = ({ parts }: Arrival): boolean => parts.every(({ judgement }) => judgement.kind === 'quarantined')

const inQuarantine = (arrival: Arrival): Arrival => ({ ...arrival, parts: arrival.parts.map(quarantined) })

/** For values that the database refuses: a defect of ours. */
export function quarantined({ dkim }: JudgedPart): JudgedPart {
  const judgement: Quarantined = { kind: 'quarantined', reason: 'store-refused-values' }
  return { judgement, dkim }
}

/** How many of those waiting go into one transaction: one at least, however large. */
function fitting(waiting: readonly Waiting[], most: number): number {
  let bytes = waiting[0]!.bytes
  let count = 1
  while (count < waiting.length && count < most && (bytes += waiting[count]!.bytes) <= batchBytes) count++
  return count
}

function weigh({ submission, parts }: Arrival): number {
  let facts = 0
  for (const { judgement } of parts) {
    if (judgement.kind !== 'accepted') continue
    for (const { policies } of judgement.domainReports) {
      for (const { failureDetails } of policies) facts += 1 + failureDetails.length
    }
  }
  return submission.raw.length + facts * factBytes
}
