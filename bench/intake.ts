/** One measured load on the real service: its CPU time, that of Postgres, and where the time goes. */
import { percentile, type Bench } from './bench.ts'
import { copyFloor } from './copy-floor.ts'
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

export type Compared = Measured & {
  /** Of the server's own COPY of the rows that the loads have made. */
  copy: number
  shares: string
}

type Ports = Receiver['ports']
type Env = Record<string, string>

export type IntakeLoad = {
  /** Before what is measured, so that code is compiled and months are made; other reports than its own. */
  warmUp: (ports: Ports) => Promise<Load>
  measured: (ports: Ports, turn: number) => Promise<Load>
}

/** How often the measured load and its floor take turns: a machine that is slow for a while is so for both. */
export const turns = 4

export type ComparedLoad = IntakeLoad & {
  what: string
  /** The floor of what has just been measured, but for COPY. */
  beside: (turn: number) => Promise<void>
  /** Once more under a profiler; what it costs does not count. */
  profiled: (ports: Ports) => Promise<Load>
}

/** A bench whose posts are refused measures something else. */
const manyReports = JSON.stringify({ unverifiedReportsPerDomainAndDay: 10_000_000, httpRequestsPerMinute: 100_000_000 })

export const measureIntake = (bench: Bench, what: string, intake: IntakeLoad, env?: Env): Promise<Measured> =>
  withDatabase(bench, (database) =>
    withReceiver(database, env, async (receiver) => {
      bench.say(`${what}: warming up`)
      allAccepted(await intake.warmUp(receiver.ports))
      bench.say(`${what}: measuring`)
      return measure(bench, receiver, intake, [() => Promise.resolve()])
    }),
  )

/** One load after another on the same service, with the floor of their rows, which are of one kind, and where the time goes. */
export const compareIntakes = (bench: Bench, loads: readonly ComparedLoad[], env?: Env): Promise<Compared[]> =>
  bench.server.withoutAutovacuum((visit) =>
    withDatabase(bench, async (database) => {
      const counts: number[] = []
      const measured = await withReceiver(database, env, async (receiver) => {
        const found: Omit<Compared, 'copy' | 'shares'>[] = []
        for (const load of loads) {
          bench.say(`${load.what}: warming up`)
          counts.push(allAccepted(await load.warmUp(receiver.ports)).accepted)
          await visit(database.db) // As it would have come by now.
          bench.say(`${load.what}: measuring`)
          const besides = Array.from({ length: turns }, () => load.beside)
          const one = await measure(bench, receiver, load, besides)
          counts.push(one.load.accepted)
          const autovacuum = (await visit(database.db)) / ((60 * one.load.accepted) / one.load.seconds)
          found.push({ ...one, postgres: one.postgres + autovacuum, autovacuum })
        }
        const shares: string[] = []
        for (const { what, profiled } of loads) {
          bench.say(`${what}: where the time goes`)
          const { profile, result } = await receiver.profileWhile(() => profiled(receiver.ports))
          counts.push(allAccepted(result).accepted)
          shares.push(describeShares(profile))
        }
        return found.map((one, i) => ({ ...one, shares: shares[i]! }))
      })
      bench.say('the floor of their rows')
      const copy = (await copyFloor(bench.server, database)) / counts.reduce((sum, count) => sum + count, 0)
      return measured.map((one) => ({ ...one, copy }))
    }),
  )

export const compareIntake = async (bench: Bench, load: ComparedLoad, env?: Env): Promise<Compared> =>
  (await compareIntakes(bench, [load], env))[0]!

/** In turns with what is to be measured beside it. */
async function measure(
  { server }: Bench,
  receiver: Receiver,
  { measured }: IntakeLoad,
  besides: readonly ((turn: number) => Promise<void>)[],
): Promise<Measured> {
  receiver.peakMemory() // What came before does not count.
  const used = { service: 0, postgres: 0 }
  const loads: Load[] = []
  for (const [turn, beside] of besides.entries()) {
    const [service, postgres] = [receiver.cpu(), server.cpu()]
    loads.push(await measured(receiver.ports, turn))
    used.service += receiver.cpu() - service
    used.postgres += server.cpu() - postgres
    await beside(turn)
  }
  const load = allAccepted(addUp(loads))
  return {
    service: used.service / load.accepted,
    postgres: used.postgres / load.accepted,
    load,
    peakMemory: receiver.peakMemory(),
  }
}

async function withDatabase<T>({ server }: Bench, work: (database: BenchDatabase) => Promise<T>): Promise<T> {
  const database = await server.freshDatabase()
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

async function withReceiver<T>(
  { url }: BenchDatabase,
  env: Env | undefined,
  work: (receiver: Receiver) => Promise<T>,
): Promise<T> {
  const receiver = await startReceiver({ databaseUrl: url, env: { LIMITS: manyReports, ...env } })
  try {
    return await work(receiver)
  } finally {
    await receiver.stop()
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
