/** Reports by HTTPS, plain behind a proxy: 64 keep-alive connections, each answer after COMMIT. */
import { mean, type Bench, type Figure, type Scenario } from '../bench.ts'
import { parseFloor, withNullServer } from '../floors.ts'
import { compareIntake, describe, measureIntake, turns } from '../intake.ts'
import { partOf, post } from '../load.ts'
import { gzipReports, makeReports, uniqueBodies, type Size } from '../reports.ts'

const connections = 64

export const httpsScenario: Scenario = {
  name: 'https',
  run: async (bench) => [
    await measure(bench, 'typical', 32_000, 48_000),
    await measure(bench, 10, 8_000, 16_000),
    await measure(bench, 1_000, 250, 500),
  ],
}

/** `before` as many others come, until which V8 still compiles. */
async function measure(bench: Bench, size: Size, count: number, before: number): Promise<Figure> {
  const what = size === 'typical' ? 'typical report' : `report with ${size} failure details`
  bench.say(`${what}: making reports`)
  const bodies = gzipReports(makeReports(count, size))
  const others = uniqueBodies(2, size)
  const some = (count: number) => Array.from({ length: count }, () => others.next().value)
  const floors = { http: [] as number[], parse: [] as number[] }
  const postAll = (port: number, all: readonly Buffer[]) => post(port, all.values(), { connections })
  const measured = await withNullServer('http', async (nullServer) => {
    await nullServer((port) => postAll(port, some(before / 4))) // Compiled from then on.
    return compareIntake(bench, {
      what,
      warmUp: ({ intake }) => postAll(intake, some(before)),
      measured: ({ intake }, turn) => postAll(intake, partOf(bodies, turn, turns)),
      beside: async (turn) => {
        const same = partOf(bodies, turn, turns)
        floors.http.push(await nullServer((port) => postAll(port, same)))
        floors.parse.push(parseFloor(same.slice(0, 1_000)))
      },
      profiled: ({ intake }) => post(intake, others, { connections, seconds: 2 }),
    })
  })
  const [http, parse] = [mean(floors.http), mean(floors.parse)]
  return {
    what,
    value: measured.service + measured.postgres,
    unit: 'us',
    floor: http + parse + measured.copy,
    target: { of: 'ratio', atMost: 2.3 },
    note: `${describe(measured)}; ${measured.shares}; floor: HTTP ${Math.round(http)}, gunzip + JSON.parse ${Math.round(parse)}, COPY ${Math.round(measured.copy)}`,
  }
}

/** Beyond what queues and caches can hide. */
const sustainedSeconds = 60

/** As fast as they are taken, with the load on the same processors. */
export const httpsSustainedScenario: Scenario = {
  name: 'https-sustained',
  run: async (bench) => {
    const measured = await measureIntake(bench, `${sustainedSeconds} s`, {
      warmUp: ({ intake }) => post(intake, uniqueBodies(1), { connections, seconds: 5 }),
      measured: ({ intake }) => post(intake, uniqueBodies(2), { connections, seconds: sustainedSeconds }),
    })
    return [
      {
        what: `typical report, ${sustainedSeconds} s`,
        value: measured.load.accepted / measured.load.seconds,
        unit: '/s',
        target: { of: 'value', atLeast: 5_000 },
        note: describe(measured),
      },
    ]
  },
}
