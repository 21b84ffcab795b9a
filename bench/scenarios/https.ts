/** Reports by HTTPS, plain behind a proxy: 64 keep-alive connections, each answer after COMMIT. */
import type { Bench, Figure, Scenario } from '../bench.ts'
import { nullServerFloor, parseFloor } from '../floors.ts'
import { compareIntake, describe, measureIntake } from '../intake.ts'
import { post } from '../load.ts'
import { gzipReports, makeReports, uniqueBodies, type Size } from '../reports.ts'

const connections = 64

export const httpsScenario: Scenario = {
  name: 'https',
  run: async (bench) => [
    await measure(bench, 'typical', 16_000),
    await measure(bench, 10, 8_000),
    await measure(bench, 1_000, 250),
  ],
}

async function measure(bench: Bench, size: Size, count: number): Promise<Figure> {
  const what = size === 'typical' ? 'typical report' : `report with ${size} failure details`
  bench.say(`${what}: making reports`)
  const bodies = gzipReports(makeReports(count, size))
  const others = gzipReports(makeReports(2 * count, size, new Date(), 2)) // Until then V8 still compiles.
  const measured = await compareIntake(bench, what, {
    warmUp: ({ intake }) => post(intake, others.values(), { connections }),
    measured: ({ intake }) => post(intake, bodies.values(), { connections }),
    profiled: ({ intake }) => post(intake, bodies.values(), { connections, seconds: 3 }),
  })
  const parse = parseFloor(bodies.slice(0, 2_000))
  const http = await nullServerFloor('http', (port) => post(port, bodies.values(), { connections }))
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
const sustainedSeconds = 30

/** As fast as they are taken, with the load on the same processors. */
export const httpsSustainedScenario: Scenario = {
  name: 'https-sustained',
  run: async (bench) => {
    const measured = await measureIntake(bench, `${sustainedSeconds} s`, {
      warmUp: ({ intake }) => post(intake, uniqueBodies(1), { connections, seconds: 2 }),
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
