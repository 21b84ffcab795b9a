/** One measured load on the real service: its CPU time, that of Postgres, and where the time goes. */
import { arrivalTables, factTables } from '../src/store/partitions.ts'
import { percentile, type Bench } from './bench.ts'
import { addUp, type Load } from './load.ts'
import { startReceiver, type Receiver } from './receiver.ts'
import type { BenchDatabase } from './server.ts'
import { describeShares } from './shares.ts'

export type Measured = {
  /** CPU microseconds a report. */
  service: number
  postgres: number
  /** Of Postgres: the report's share in autovacuum's visit. */
  autovacuum?: number
  load: Load
  /** MB. */
  peakMemory: number
}

/** A service that takes reports in, and its store. */
export type Intake = { bench: Bench; database: BenchDatabase; receiver: Receiver }

type Ports = Receiver['ports']

/** How often a measured load and its floor take turns: a machine that is slow for a while is so for both. */
export const turns = 4

/** A bench whose posts are refused measures something else. */
const manyReports = JSON.stringify({ unverifiedReportsPerDomainAndDay: 10_000_000, httpRequestsPerMinute: 100_000_000 })

export async function withIntake<T>(
  bench: Bench,
  env: Record<string, string>,
  work: (intake: Intake) => Promise<T>,
): Promise<T> {
  const database = await bench.server.freshDatabase()
  try {
    const receiver = await startReceiver({ databaseUrl: database.url, env: { LIMITS: manyReports, ...env } })
    try {
      return await work({ bench, database, receiver })
    } finally {
      await receiver.stop()
    }
  } finally {
    await database.close()
  }
}

/** Before what is measured, so that code is compiled and months are made; other reports than its own. */
export async function warmUp({ bench, receiver }: Intake, what: string, load: (ports: Ports) => Promise<Load>) {
  bench.say(`${what}: warming up`)
  allAccepted(await load(receiver.ports))
}

/** As if nothing had come yet: the floor's COPY goes into empty tables, too. */
export const emptyStore = ({ database }: Intake) =>
  database.db.query(`truncate ${[...factTables, ...arrivalTables].join(', ')}`)

/** All that a load costs, with whatever Postgres does beside. */
export function measure(intake: Intake, what: string, load: (ports: Ports) => Promise<Load>): Promise<Measured> {
  intake.bench.say(`${what}: measuring`)
  return measured(intake, load, [() => Promise.resolve()])
}

/** The same in turns with its floor, and with its share of autovacuum's visits. */
export const compare = (
  intake: Intake,
  what: string,
  load: (ports: Ports, turn: number) => Promise<Load>,
  floor: (turn: number) => Promise<void>,
): Promise<Measured> =>
  intake.bench.server.withoutAutovacuum(async (visit) => {
    await visit(intake.database.db) // As it would have come by now.
    intake.bench.say(`${what}: measuring`)
    const floors = Array.from({ length: turns }, () => floor)
    const found = await measured(intake, load, floors)
    const autovacuum = (await visit(intake.database.db)) / ((60 * found.load.accepted) / found.load.seconds)
    return { ...found, postgres: found.postgres + autovacuum, autovacuum }
  })

/** Where the time goes. Nothing is measured afterwards. */
export async function shares({ bench, receiver }: Intake, what: string, load: (ports: Ports) => Promise<Load>) {
  bench.say(`${what}: where the time goes`)
  const { profile, result } = await receiver.profileWhile(() => load(receiver.ports))
  allAccepted(result)
  return describeShares(profile)
}

async function measured(
  { bench: { server }, receiver }: Intake,
  load: (ports: Ports, turn: number) => Promise<Load>,
  besides: readonly ((turn: number) => Promise<void>)[],
): Promise<Measured> {
  receiver.peakMemory() // What came before does not count.
  const used = { service: 0, postgres: 0 }
  const loads: Load[] = []
  for (const [turn, beside] of besides.entries()) {
    const [service, postgres] = [receiver.cpu(), server.cpu()]
    loads.push(await load(receiver.ports, turn))
    used.service += receiver.cpu() - service
    used.postgres += server.cpu() - postgres
    await beside(turn)
  }
  const whole = allAccepted(addUp(loads))
  return {
    service: used.service / whole.accepted,
    postgres: used.postgres / whole.accepted,
    load: whole,
    peakMemory: receiver.peakMemory(),
  }
}

function allAccepted(load: Load): Load {
  const { accepted, refused } = load
  if (refused.size > 0) throw new Error(`of ${accepted} reports some were refused: ${JSON.stringify([...refused])}`)
  return load
}

export function describe({ service, postgres, autovacuum, load, peakMemory }: Measured): string {
  const share = autovacuum === undefined ? '' : ` (autovacuum ${Math.round(autovacuum)})`
  const each = `service ${Math.round(service)} us, Postgres ${Math.round(postgres)} us${share}`
  const pace = `${Math.round(load.accepted / load.seconds)}/s by the clock, p99 ${Math.round(percentile(load.milliseconds, 0.99))} ms, peak ${Math.round(peakMemory)} MB`
  return `${each}; ${pace}`
}
