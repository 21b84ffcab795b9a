/** A store as it is after ninety days: as many failure details as asked for, made by Postgres itself. */
import { createPartitions, factTables } from '../src/store/partitions.ts'
import { inTransaction, unhurried, type Database } from '../src/store/database.ts'
import type { Window } from '../src/store/question.ts'
import type { Bench } from './bench.ts'
import { copyBack, dropIndexes, makeIndexes, twoAtATime } from './bulk.ts'
import type { BenchDatabase, BenchServer } from './server.ts'
import { days, fillSpan, makeDomains } from './world-rows.ts'

export type World = BenchDatabase & {
  details: number
  /** The last 30 of its days, and the two UTC days between which all its reports start. */
  window: Window
  whole: Window
  /** They have the same rows in every world, so that worlds of two sizes can be compared. */
  domains: { biggest: string; middling: string; small: string }
}

/** Each report of these comes again this many days before, and once more: history, which counts by its size alone. */
const windowDays = 30
const domainCount = 5_000
const compared = { biggest: 1, middling: 1_950, small: 4_900 }

const worlds = new WeakMap<BenchServer, Map<number, Promise<World>>>()

/** Made when it is first asked for, and then shared by all scenarios; the server drops it when it stops. */
export function worldOf(bench: Bench, details: number): Promise<World> {
  const made = worlds.get(bench.server) ?? new Map<number, Promise<World>>()
  worlds.set(bench.server, made)
  const known = made.get(details) ?? makeWorld(bench, details)
  made.set(details, known)
  return known
}

async function makeWorld({ server, say }: Bench, details: number): Promise<World> {
  const database = await server.freshDatabase()
  const size = { details, domains: domainCount, today: dayBefore(new Date(), 0) }
  const windows = await server.whileFilling(() => fillWorld(database.db, size, say))
  const domains = {
    biggest: nameOf(compared.biggest),
    middling: nameOf(compared.middling),
    small: nameOf(compared.small),
  }
  return { ...database, ...windows, details, domains }
}

const nameOf = (rank: number): string => `domain${rank}.example`

const dayBefore = (at: Date, count: number): string =>
  new Date(at.getTime() - count * 86_400_000).toISOString().slice(0, 10)

export type WorldSize = {
  /** Failure details, more than the 100,000 of the compared domains. */
  details: number
  domains: number
  /** 'YYYY-MM-DD'; the ninety days before it have reports. */
  today: string
}

/** Fills an empty store. */
export async function fillWorld(
  db: Database,
  { details, domains, today }: WorldSize,
  say: (what: string) => void,
): Promise<Pick<World, 'window' | 'whole'>> {
  const at = new Date(`${today}T00:00:00Z`)
  const whole = { from: dayBefore(at, days), to: today }
  await makeDomains(db, { details, domains, fixed: Object.values(compared) })
  const months = [...new Set(Array.from({ length: days }, (_, i) => dayBefore(at, days - i).slice(0, 7)))]
  const wanted = months.flatMap((month) => factTables.map((table) => ({ table, month })))
  await inTransaction(db, (tx) => createPartitions(tx, wanted))
  const indexes = await dropIndexes(db, largeFirst)
  const making = `making ${details.toLocaleString('en')} failure details`
  let done = 0
  await twoAtATime(spans(at), async (span) => {
    say(`${making}, ${done} of ${windowDays} days done`)
    await inTransaction(db, (tx) => fillSpan(tx, span))
    done += spanDays
  })
  say(`${making}, the days before these`)
  const copies = [windowDays, 2 * windowDays].flatMap((back) => largeFirst.map((table) => ({ table, back })))
  await twoAtATime(copies, ({ table, back }) => copyBack(db, table, dayBefore(at, windowDays), back))
  say(`${making}, the indexes`)
  await makeIndexes(db, indexes)
  await db.query('drop table bench_domain')
  // As autovacuum would have done by then. It also writes down which pages all can see, for index-only scans.
  await twoAtATime(largeFirst, (table) => db.query({ text: `vacuum analyze ${table}`, ...unhurried }))
  return { window: { from: dayBefore(at, windowDays), to: today }, whole }
}

/** So few days that what is sorted fits into memory. */
const spanDays = 5

/** The days of the window, `spanDays` at a time, each from the first day to the one behind the last. */
const spans = (today: Date): Window[] =>
  Array.from({ length: windowDays / spanDays }, (_, i) => ({
    from: dayBefore(today, windowDays - i * spanDays),
    to: dayBefore(today, windowDays - (i + 1) * spanDays),
  }))

/** So that no long one comes last and alone. */
const largeFirst = factTables.toReversed()
