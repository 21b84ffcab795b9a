/** Reports by HTTPS, plain behind a proxy: 64 keep-alive connections, each answer after COMMIT. */
import { mean, type Bench, type Figure, type Scenario } from '../bench.ts'
import { copyFloor } from '../copy-floor.ts'
import { parseFloor, withNullServer } from '../floors.ts'
import { compare, describe, measure, shares, turns, warmUp, withIntake, type Intake } from '../intake.ts'
import { partOf, post } from '../load.ts'
import { gzipReports, makeReports, uniqueBodies, type Size } from '../reports.ts'

const connections = 64

export const httpsScenario: Scenario = {
  name: 'https',
  run: async (bench) => [
    ...(await sustainedAndTypical(bench)),
    await withIntake(bench, {}, (intake) => compared(intake, 10, 8_000, 16_000)),
    await withIntake(bench, {}, (intake) => compared(intake, 1_000, 250, 500)),
  ],
}

/** Beyond what queues and caches can hide. */
const sustainedSeconds = 60

/** As fast as they are taken, with the load on the same processors. What comes then finds V8 with nothing left to compile. */
const sustainedAndTypical = (bench: Bench): Promise<Figure[]> =>
  withIntake(bench, {}, async (intake) => {
    const what = `typical report, ${sustainedSeconds} s`
    const bodies = uniqueBodies(1)
    await warmUp(intake, what, ({ intake: port }) => post(port, bodies, { connections, seconds: 5 }))
    const sustained = await measure(intake, what, ({ intake: port }) =>
      post(port, bodies, { connections, seconds: sustainedSeconds }),
    )
    const perSecond: Figure = {
      what,
      value: sustained.load.accepted / sustained.load.seconds,
      unit: '/s',
      target: { of: 'value', atLeast: 5_000 },
      note: describe(sustained),
    }
    return [await compared(intake, 'typical', 32_000, 0), perSecond]
  })

/** `count` reports beside their floor, after as many others as V8 has to see `before`. */
async function compared(intake: Intake, size: Size, count: number, before: number): Promise<Figure> {
  const { bench, database } = intake
  const what = size === 'typical' ? 'typical report' : `report with ${size} failure details`
  bench.say(`${what}: making reports`)
  const bodies = gzipReports(makeReports(count, size))
  const others = uniqueBodies(2, size)
  const some = (number: number) => Array.from({ length: number }, () => others.next().value)
  const postAll = (port: number, all: readonly Buffer[]) => post(port, all.values(), { connections })
  await warmUp(intake, what, ({ intake: port }) => postAll(port, some(before)))
  const floors = { http: [] as number[], parse: [] as number[] }
  const found = await withNullServer('http', async (nullServer) => {
    await nullServer((port) => postAll(port, some(count))) // Compiled from then on.
    return compare(
      intake,
      what,
      ({ intake: port }, turn) => postAll(port, partOf(bodies, turn, turns)),
      async (turn) => {
        const same = partOf(bodies, turn, turns)
        floors.http.push(await nullServer((port) => postAll(port, same)))
        floors.parse.push(parseFloor(same.slice(0, 1_000)))
      },
    )
  })
  const times = await shares(intake, what, ({ intake: port }) => post(port, others, { connections, seconds: 2 }))
  bench.say(`${what}: the floor of the rows`)
  const copy = await copyFloor(bench.server, database)
  const [http, parse] = [mean(floors.http), mean(floors.parse)]
  return {
    what,
    value: found.service + found.postgres,
    unit: 'us',
    floor: http + parse + copy,
    target: { of: 'ratio', atMost: 2.3 },
    note: `${describe(found)}; ${times}; floor: HTTP ${Math.round(http)}, gunzip + JSON.parse ${Math.round(parse)}, COPY ${Math.round(copy)}`,
  }
}
