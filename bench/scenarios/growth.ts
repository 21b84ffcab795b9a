/** What ten times the history costs: one domain asked for the same rows, and the recording of one report. */
import { summarize } from '../../src/store/aggregates.ts'
import { median, type Bench, type Figure, type Scenario } from '../bench.ts'
import type { BenchDatabase } from '../server.ts'
import { judged } from '../judging.ts'
import { makeReports } from '../reports.ts'
import { inTurns } from '../timing.ts'
import { worldOf, type World } from '../world.ts'
import { record, recordingInto } from './store.ts'

export const growthScenario: Scenario = {
  name: 'growth',
  run: async (bench) => {
    const worlds = { young: await worldOf(bench, 1_000_000), old: await worldOf(bench, 10_000_000) }
    return [...(await reading(bench, worlds)), ...(await writing(bench, worlds))]
  },
}

type Worlds = { young: World; old: World }

async function reading({ say }: Bench, { young, old }: Worlds): Promise<Figure[]> {
  const ask = ({ db, window }: World, domain: string) =>
    summarize(db, {
      ...{ window, trust: 'verified', filters: { domain: [domain] }, visible: undefined, limit: 101, offset: 0 },
      groupBy: ['result_type', 'receiving_mx_hostname'],
      orderBy: { column: 'failed', descending: true },
    })
  const figures: Figure[] = []
  for (const [name, domain] of Object.entries(old.domains)) {
    say(`a ${name} domain at 1 M and at 10 M`)
    const ms = await inTurns(25, { young: () => ask(young, domain), old: () => ask(old, domain) })
    figures.push({
      what: `result types x MX of a ${name} domain at 10 M`,
      value: ms.old,
      unit: 'ms',
      floor: ms.young,
      target: { of: 'ratio', atMost: 1.3 },
      note: 'the floor is the same at 1 M, with the same rows in the window',
    })
  }
  return figures
}

const batch = 300
const reports = 3_000
const rounds = 3

async function writing({ server, say }: Bench, { young, old }: Worlds): Promise<Figure[]> {
  const empty = await server.freshDatabase()
  const costs = { empty: [] as number[], young: [] as number[], old: [] as number[] }
  const stores = { empty, young, old } satisfies Record<string, BenchDatabase>
  const recordings = { empty: recordingInto(empty.db), young: recordingInto(young.db), old: recordingInto(old.db) }
  for (let round = 0; round <= rounds; round++) {
    say(`recording into an empty store, at 1 M and at 10 M, round ${round} of ${rounds}`)
    const arrivals = judged(makeReports(reports, 'typical', new Date(), 2_000 + round))
    for (const name of Object.keys(stores) as (keyof typeof stores)[]) {
      const { service, postgres } = await record(server, recordings[name], arrivals, batch)
      if (round > 0) costs[name].push(service + postgres) // The first one makes connections, plans and partitions.
    }
  }
  await empty.close()
  return (['young', 'old'] as const).map((name) => ({
    what: `recording at ${name === 'young' ? '1 M' : '10 M'}, batches of ${batch}`,
    value: median(costs[name]),
    unit: 'us',
    floor: median(costs.empty),
    target: { of: 'ratio', atMost: 1.3 },
    note: 'the floor is the same in an empty store',
  }))
}
