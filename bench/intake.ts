/** One measured load on the real service: its CPU time, that of Postgres, and where the time goes. */
import { percentile, type Bench } from './bench.ts'
import { copyFloor } from './copy-floor.ts'
import { addUp, type Load } from './load.ts'
import { startReceiver } from './receiver.ts'
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
  /** Of the server's own COPY of the rows that the load has made. */
  copy: number
  shares: string
}

export type IntakeLoad = {
  env?: Record<string, string>
  /** Before the measured one, so that code is compiled and months are made; other reports than its own. */
  warmUp: (ports: Ports, database: BenchDatabase) => Promise<Load>
  measured: (ports: Ports, turn: number) => Promise<Load>
}

/** How often the measured load and its floor take turns: a machine that is slow for a while is so for both. */
export const turns = 4

export type ComparedLoad = IntakeLoad & {
  /** The floor of what has just been measured, but for COPY. */
  beside: (turn: number) => Promise<void>
  /** Once more under a profiler, on a store of its own; what it costs does not count. */
  profiled: (ports: Ports) => Promise<Load>
}

type Ports = { smtp: number; intake: number }

/** A bench whose posts are refused measures something else. */
const manyReports = JSON.stringify({ unverifiedReportsPerDomainAndDay: 10_000_000, httpRequestsPerMinute: 100_000_000 })

export const measureIntake = (bench: Bench, what: string, intake: IntakeLoad): Promise<Measured> =>
  withLoad(bench, what, intake, [() => Promise.resolve()], (measured) => Promise.resolve(measured))

/** With the floor of its rows, and where the time goes. */
export const compareIntake = (bench: Bench, what: string, intake: ComparedLoad): Promise<Compared> =>
  bench.server.withoutAutovacuum((visit) => {
    const warmUp = async (ports: Ports, database: BenchDatabase) => {
      const load = await intake.warmUp(ports, database)
      await visit(database.db) // As it would have come by now.
      return load
    }
    const besides = Array.from({ length: turns }, () => intake.beside)
    return withLoad(bench, what, { ...intake, warmUp }, besides, async (measured, database, recorded) => {
      bench.say(`${what}: the floor`)
      const autovacuum = (await visit(database.db)) / ((60 * measured.load.accepted) / measured.load.seconds)
      const copy = (await copyFloor(bench.server, database)) / recorded
      bench.say(`${what}: where the time goes`)
      const shares = await profile(bench.server, intake)
      return { ...measured, postgres: measured.postgres + autovacuum, autovacuum, copy, shares }
    })
  })

async function withLoad<T>(
  { server, say }: Bench,
  what: string,
  intake: IntakeLoad,
  besides: readonly ((turn: number) => Promise<void>)[],
  then: (measured: Measured, database: BenchDatabase, recorded: number) => Promise<T>,
): Promise<T> {
  const database = await server.freshDatabase()
  try {
    const receiver = await startReceiver({ databaseUrl: database.url, env: envOf(intake) })
    say(`${what}: warming up`)
    const before = await intake.warmUp(receiver.ports, database)
    assertAllAccepted(before)
    say(`${what}: measuring`)
    const used = { service: 0, postgres: 0 }
    const loads: Load[] = []
    for (const [turn, beside] of besides.entries()) {
      const [service, postgres] = [receiver.cpu(), server.cpu()]
      loads.push(await intake.measured(receiver.ports, turn))
      used.service += receiver.cpu() - service
      used.postgres += server.cpu() - postgres
      await beside(turn)
    }
    const load = addUp(loads)
    const peakMemory = receiver.peakMemory()
    await receiver.stop()
    assertAllAccepted(load)
    const each = { service: used.service / load.accepted, postgres: used.postgres / load.accepted }
    return await then({ ...each, load, peakMemory }, database, before.accepted + load.accepted)
  } finally {
    await database.close()
  }
}

const envOf = ({ env }: IntakeLoad): Record<string, string> => ({ LIMITS: manyReports, ...env })

async function profile(server: Bench['server'], intake: ComparedLoad): Promise<string> {
  const database = await server.freshDatabase()
  try {
    const receiver = await startReceiver({ databaseUrl: database.url, env: envOf(intake), profile: true })
    await intake.profiled(receiver.ports)
    const found = await receiver.stop()
    return found ? describeShares(found) : 'no profile'
  } finally {
    await database.close()
  }
}

function assertAllAccepted({ accepted, refused }: Load): void {
  if (refused.size > 0) throw new Error(`of ${accepted} reports some were refused: ${JSON.stringify([...refused])}`)
}

export function describe({ service, postgres, autovacuum, load, peakMemory }: Measured): string {
  const share = autovacuum === undefined ? '' : ` (autovacuum ${Math.round(autovacuum)})`
  const each = `service ${Math.round(service)} us, Postgres ${Math.round(postgres)} us${share}`
  const pace = `${Math.round(load.accepted / load.seconds)}/s by the clock, p99 ${Math.round(percentile(load.milliseconds, 0.99))} ms, peak ${Math.round(peakMemory)} MB`
  return `${each}; ${pace}`
}
