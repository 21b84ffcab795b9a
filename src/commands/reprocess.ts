/** `reprocess`: judges what has arrived again, by today's code and domains, after an upgrade or an outage. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Replayed } from '../ingest.ts'
import { keyAt } from '../keys.ts'
import { makeRoad, type World } from '../road.ts'
import type { Database } from '../store/database.ts'
import { listArrivals, type ArrivalPlace } from '../store/stored-arrivals.ts'
import { withStore, type ExitCode, type Progress, type Say } from './command.ts'

/** `since` is a UTC day of arrival, YYYY-MM-DD; `verdict` are those to look at, all unless given. */
export type ReprocessOptions = { since?: string; verdict?: string[] }

/** What was deferred is named up to here, the rest counted. */
const mostNamed = 50
/** Each arrival is a transaction of its own; as many at a time. */
const workers = 4

export async function runReprocess(
  config: Config,
  log: Logger,
  { say, progress, world }: { say: Say; progress: Progress; world: World },
  { since, verdict }: ReprocessOptions,
): Promise<ExitCode> {
  if (since !== undefined && !isDay(since)) {
    say.err(`--since: '${since}' is no date; write YYYY-MM-DD`)
    return 2
  }
  const tally = makeTally()
  const work = async (db: Database) => {
    const road = makeRoad(db, config, log, world)
    const asked = { ...(since !== undefined && { since }), ...(verdict && { verdicts: verdict }) }
    // What arrives while this runs is judged by today's rules anyway.
    await forEach(listArrivals(db, { ...asked, last: keyAt(world.now()) }), async (place) => {
      tally.add(place, await road.replay(place))
      progress(`${tally.judged()} judged again`)
    })
  }
  await withStore(config, log, work, workers + 1).finally(() => progress(''))
  for (const line of tally.lines()) say.out(line)
  for (const line of tally.deferred()) say.err(line)
  return tally.deferred().length === 0 ? 0 : 1
}

function isDay(text: string): boolean {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

async function forEach<T>(items: AsyncGenerator<T>, act: (item: T) => Promise<void>): Promise<void> {
  const work = async () => {
    try {
      for (let next = await items.next(); !next.done; next = await items.next()) await act(next.value)
    } finally {
      await items.return(undefined) // The others stop as well, each behind what it has under way.
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: workers }, work))
  for (const each of ended) if (each.status === 'rejected') throw each.reason
}

function makeTally() {
  let judged = 0
  let changed = 0
  const changes = new Map<string, number>()
  let deferred = 0
  const named: string[] = []
  return {
    judged: () => judged,
    add: ({ arrivalKey }: ArrivalPlace, replayed: Replayed) => {
      if (replayed.kind === 'deferred' && deferred++ < mostNamed) named.push(`  ${arrivalKey}: ${replayed.reason}`)
      if (replayed.kind !== 'judged') return
      judged += replayed.parts.length
      for (const { before, verdict } of replayed.parts) {
        if (before === verdict) continue
        changed++
        const change = `${before ?? 'new'} -> ${verdict}`
        changes.set(change, (changes.get(change) ?? 0) + 1)
      }
    },
    /** [] when there was none. */
    deferred: () => [
      ...(deferred > 0 ? ['Cannot be told just now, by arrival; try again later:', ...named] : []),
      ...(deferred > named.length ? [`  and ${deferred - named.length} more`] : []),
    ],
    lines: () => [
      `Judged again: ${judged}, changed: ${changed}`,
      ...[...changes].sort().map(([change, count]) => `  ${change.padEnd(32)} ${String(count).padStart(9)}`),
    ],
  }
}
