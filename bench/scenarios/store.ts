/** Recording alone: judged reports into the store, in batches of one size, against the server's own COPY of the same rows. */
import { defaultLimits } from '../../src/limits.ts'
import { keyAt } from '../../src/keys.ts'
import type { Database } from '../../src/store/database.ts'
import type { Arrival } from '../../src/store/arrivals.ts'
import { makeRecordBatch, type RecordBatch } from '../../src/store/record.ts'
import { median, type Bench, type Figure, type Scenario } from '../bench.ts'
import { copyFloor } from '../copy-floor.ts'
import { judged } from '../judging.ts'
import { makeReports } from '../reports.ts'

const reportsARound = 5_100
const rounds = 3

export const storeScenario: Scenario = {
  name: 'store',
  run: async (bench) => {
    bench.say('making reports')
    const ofRounds = Array.from({ length: rounds }, (_, i) =>
      judged(makeReports(reportsARound, 'typical', new Date(), i + 1)),
    )
    return [...(await measure(bench, ofRounds, 30, 4.5)), ...(await measure(bench, ofRounds, 300, 3.2))]
  },
}

async function measure(
  { server, say }: Bench,
  ofRounds: readonly Arrival[][],
  batch: number,
  atMost: number,
): Promise<Figure[]> {
  const fresh: number[] = []
  const again: number[] = []
  const floors: number[] = []
  let shares = ''
  for (const [round, arrivals] of ofRounds.entries()) {
    say(`batches of ${batch}, round ${round + 1} of ${rounds}`)
    const database = await server.freshDatabase()
    const recording = recordingInto(database.db)
    // What happens once a connection and once a month is not what a report costs.
    await record(server, recording, judged(makeReports(10 * batch, 'typical', new Date(), 1_000 + round)), batch)
    const first = await record(server, recording, arrivals, batch)
    fresh.push(first.service + first.postgres)
    shares = `service ${Math.round(first.service)} us, Postgres ${Math.round(first.postgres)} us`
    floors.push(await copyFloor(server, database, reportsARound))
    await database.db.query('analyze') // As autovacuum does within a minute.
    const second = await record(server, recording, arrivals.map(arrivedAgain), batch)
    again.push(second.service + second.postgres)
    await database.close()
  }
  const floor = median(floors)
  return [
    {
      what: `batches of ${batch}`,
      value: median(fresh),
      unit: 'us',
      floor,
      target: { of: 'ratio', atMost },
      note: shares,
    },
    {
      what: `the same reports again, batches of ${batch}`,
      value: median(again),
      unit: 'us',
      floor: median(fresh),
      target: { of: 'ratio', atMost: 1 },
      note: 'the floor is what they cost when they were fresh',
    },
  ]
}

export const recordingInto = (db: Database): RecordBatch =>
  makeRecordBatch(db, {
    newKey: keyAt,
    unverifiedReportsPerDomainAndDay: defaultLimits.unverifiedReportsPerDomainAndDay,
  })

/** CPU microseconds a report. */
export async function record(
  server: Bench['server'],
  recordBatch: RecordBatch,
  arrivals: readonly Arrival[],
  batch: number,
): Promise<{ service: number; postgres: number }> {
  const service = process.cpuUsage()
  const postgres = server.cpu()
  for (let i = 0; i < arrivals.length; i += batch) await recordBatch(arrivals.slice(i, i + batch))
  const { user, system } = process.cpuUsage(service)
  return { service: (user + system) / arrivals.length, postgres: (server.cpu() - postgres) / arrivals.length }
}

const arrivedAgain = (arrival: Arrival): Arrival => ({
  ...arrival,
  submission: { ...arrival.submission, arrivedAt: new Date(arrival.submission.arrivedAt.getTime() + 1000) },
})
