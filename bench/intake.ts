/** One measured load on the real service: its CPU time, that of Postgres, and where the time goes. */
import { percentile, type Bench } from './bench.ts'
import { copyFloor } from './copy-floor.ts'
import type { Load } from './load.ts'
import { startReceiver } from './receiver.ts'
import { describeShares } from './shares.ts'

export type Measured = {
  /** CPU microseconds a report. */
  service: number
  postgres: number
  /** Of the server's own COPY of the rows that the load has made. */
  copy: number
  load: Load
  peakMemory: number
  shares: string
}

export type IntakeLoad = {
  env?: Record<string, string>
  /** Before the measured one, so that code is compiled and months are made; other reports than its own. */
  warmUp: (ports: Ports) => Promise<Load>
  measured: (ports: Ports) => Promise<Load>
  /** Once more under a profiler, on a store of its own; what it costs does not count. */
  profiled: (ports: Ports) => Promise<Load>
}

type Ports = { smtp: number; intake: number }

/** A bench whose posts are refused measures something else. */
const manyReports = JSON.stringify({ unverifiedReportsPerDomainAndDay: 10_000_000, httpRequestsPerMinute: 100_000_000 })

export async function measureIntake({ server, say }: Bench, what: string, intake: IntakeLoad): Promise<Measured> {
  const env = { LIMITS: manyReports, ...intake.env }
  const database = await server.freshDatabase()
  try {
    const receiver = await startReceiver({ databaseUrl: database.url, env })
    say(`${what}: warming up`)
    const before = await intake.warmUp(receiver.ports)
    assertAllAccepted(before)
    say(`${what}: measuring`)
    const service = receiver.cpu()
    const postgres = server.cpu()
    const load = await intake.measured(receiver.ports)
    const used = { service: receiver.cpu() - service, postgres: server.cpu() - postgres }
    const peakMemory = receiver.peakMemory()
    await receiver.stop()
    assertAllAccepted(load)
    say(`${what}: the floor`)
    const copy = (await copyFloor(server, database)) / (before.accepted + load.accepted)
    say(`${what}: where the time goes`)
    const shares = await profile(server, intake, env)
    return {
      service: used.service / load.accepted,
      postgres: used.postgres / load.accepted,
      copy,
      load,
      peakMemory,
      shares,
    }
  } finally {
    await database.close()
  }
}

async function profile(server: Bench['server'], intake: IntakeLoad, env: Record<string, string>): Promise<string> {
  const database = await server.freshDatabase()
  try {
    const receiver = await startReceiver({ databaseUrl: database.url, env, profile: true })
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

export function describe({ service, postgres, load, peakMemory, shares }: Measured): string {
  const each = `service ${Math.round(service)} us, Postgres ${Math.round(postgres)} us`
  const pace = `${Math.round(load.accepted / load.seconds)}/s by the clock, p99 ${Math.round(percentile(load.milliseconds, 0.99))} ms, peak ${Math.round(peakMemory)} MB`
  return `${each}; ${pace}; ${shares}`
}
