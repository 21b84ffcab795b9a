/** Questions at ten million failure details while 500 reports a second come in to the same service. */
import { percentile, type Bench, type Figure, type Scenario } from '../bench.ts'
import { startReceiver } from '../receiver.ts'
import { startLoad } from '../steady.ts'
import { ask, timed } from '../timing.ts'
import { worldOf } from '../world.ts'

export const togetherScenario: Scenario = { name: 'together', run: measure }

const perSecond = 500
/** Of each kind: p99 is the slowest but one of 120. */
const questions = 120
const pauseMs = 20

async function measure(bench: Bench): Promise<Figure[]> {
  const world = await worldOf(bench, 10_000_000)
  const receiver = await startReceiver({ databaseUrl: world.url })
  const load = startLoad(receiver.ports.intake, perSecond, 3_000)
  const { from, to } = world.window
  const kinds = [
    { what: 'one domain', atMost: 50, count: questions, path: `summary?group_by=result_type,receiving_mx_hostname&domain=${world.domains.middling}` },
    { what: 'the biggest domain', count: 60, path: `summary?group_by=result_type,receiving_mx_hostname&domain=${world.domains.biggest}` },
    { what: 'all domains, by day', atMost: 100, count: questions, path: 'timeseries?interval=day' },
    { what: 'all domains, the top 20', atMost: 100, count: 7, path: 'summary?group_by=domain&limit=20' },
  ] // prettier-ignore
  try {
    const figures: Figure[] = []
    const startedAt = performance.now()
    for (const { what, path, atMost, count } of kinds) {
      bench.say(`${what} while ${perSecond} reports/s come in`)
      const times: number[] = []
      for (let i = -3; i < count; i++) {
        const ms = await timed(() => ask(receiver, `${path}&from=${from}&to=${to}`))
        if (i >= 0) times.push(ms)
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
      figures.push({
        what: `p99 of ${what} at 10 M`,
        value: percentile(times, 0.99),
        unit: 'ms',
        ...(atMost !== undefined && { target: { of: 'value', atMost } as const }),
        note: `p50 ${percentile(times, 0.5).toFixed(1)} ms, of ${count}`,
      })
    }
    const rate = load.answered() / ((performance.now() - startedAt) / 1000)
    figures.push({
      what: 'reports accepted meanwhile',
      value: rate,
      unit: '/s',
      target: { of: 'value', atLeast: 0.95 * perSecond },
    })
    return figures
  } finally {
    await load.stop()
    await receiver.stop()
  }
}
