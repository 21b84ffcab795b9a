/** Reports by HTTPS, plain behind a proxy: 64 keep-alive connections, each answer after COMMIT. */
import { mean, type Figure, type Scenario } from '../bench.ts'
import { copyFloor } from '../copy-floor.ts'
import { parseFloor, withNullServer, type NullServer } from '../floors.ts'
import {
  compare,
  describe,
  emptyStore,
  measure,
  shares,
  turns,
  warmUp,
  withIntake,
  type Intake,
  type Measured,
} from '../intake.ts'
import { partOf, post } from '../load.ts'
import { gzipReports, makeReports, uniqueBodies, type Size } from '../reports.ts'

const connections = 64

type Case = {
  size: Size
  /** Reports that come before, are compared with their floor, and are copied for it. */
  counts: { before: number; compared: number; copied: number }
}

const cases: Case[] = [
  { size: 'typical', counts: { before: 16_000, compared: 32_000, copied: 20_000 } },
  { size: 10, counts: { before: 4_000, compared: 8_000, copied: 8_000 } },
  { size: 1_000, counts: { before: 100, compared: 240, copied: 240 } },
]

export const httpsScenario: Scenario = {
  name: 'https',
  run: (bench) =>
    withIntake(bench, {}, async (intake) => {
      const perSecond = await sustained(intake) // First, so that V8 has nothing left to compile.
      const all = await withNullServer('http', async (nullServer) => {
        const found: Compared[] = []
        for (const one of cases) found.push(await besideFloor(intake, one, nullServer))
        return found
      })
      const figures: Figure[] = []
      for (const one of all) figures.push(await figureOf(intake, one))
      return [...figures, perSecond]
    }),
}

/** Beyond what queues and caches can hide. */
const sustainedSeconds = 60

/** As fast as they are taken, with the load on the same processors. */
async function sustained(intake: Intake): Promise<Figure> {
  const what = `typical report, ${sustainedSeconds} s`
  const bodies = uniqueBodies(1)
  await warmUp(intake, what, ({ intake: port }) => post(port, bodies, { connections, seconds: 5 }))
  const found = await measure(intake, what, ({ intake: port }) =>
    post(port, bodies, { connections, seconds: sustainedSeconds }),
  )
  return {
    what,
    value: found.load.accepted / found.load.seconds,
    unit: '/s',
    target: { of: 'value', atLeast: 5_000 },
    note: describe(found),
  }
}

/** CPU microseconds a report, of each part of the floor. */
type Compared = { what: string; others: Iterator<Buffer>; found: Measured; http: number; parse: number; copy: number }

async function besideFloor(intake: Intake, { size, counts }: Case, nullServer: NullServer): Promise<Compared> {
  const { bench, database } = intake
  const what = size === 'typical' ? 'typical report' : `report with ${size} failure details`
  bench.say(`${what}: making reports`)
  const bodies = gzipReports(makeReports(counts.compared, size))
  const others = uniqueBodies(2, size)
  const some = (count: number) => Array.from({ length: count }, () => others.next().value)
  const postAll = (port: number, all: readonly Buffer[]) => post(port, all.values(), { connections })
  await emptyStore(intake)
  await warmUp(intake, what, ({ intake: port }) => postAll(port, some(counts.before)))
  await nullServer((port) => postAll(port, some(counts.compared))) // Compiled from then on.
  const floors = { http: [] as number[], parse: [] as number[] }
  const found = await compare(
    intake,
    what,
    ({ intake: port }, turn) => postAll(port, partOf(bodies, turn, turns)),
    async (turn) => {
      const same = partOf(bodies, turn, turns)
      floors.http.push(await nullServer((port) => postAll(port, same)))
      floors.parse.push(parseFloor(same.slice(0, 1_000)))
    },
  )
  bench.say(`${what}: the floor of the rows`)
  const copy = await copyFloor(bench.server, database, counts.copied)
  return { what, others, found, http: mean(floors.http), parse: mean(floors.parse), copy }
}

async function figureOf(intake: Intake, { what, others, found, http, parse, copy }: Compared): Promise<Figure> {
  const times = await shares(intake, what, ({ intake: port }) => post(port, others, { connections, seconds: 2 }))
  return {
    what,
    value: found.service + found.postgres,
    unit: 'us',
    floor: http + parse + copy,
    target: { of: 'ratio', atMost: 2.3 },
    note: `${describe(found)}; ${times}; floor: HTTP ${Math.round(http)}, gunzip + JSON.parse ${Math.round(parse)}, COPY ${Math.round(copy)}`,
  }
}
