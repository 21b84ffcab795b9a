/** A month out of ten million failure details goes while reports come in. Comes last: it takes the shared world apart. */
import { setTimeout as sleep } from 'node:timers/promises'
import { applyRetention } from '../../src/store/retention.ts'
import type { Bench, Figure, Scenario } from '../bench.ts'
import { startReceiver } from '../receiver.ts'
import { startLoad } from '../steady.ts'
import { timed } from '../timing.ts'
import { worldOf } from '../world.ts'

export const retentionScenario: Scenario = { name: 'retention', run: measure }

const dayMs = 86_400_000
const keepAll = 10_000

async function measure(bench: Bench): Promise<Figure[]> {
  const { db, url, whole } = await worldOf(bench, 10_000_000)
  /** Drops the months that ended before the second of that month. */
  const keepFrom = (month: number) => {
    const first = new Date(`${whole.from.slice(0, 7)}-02T00:00:00Z`)
    first.setUTCMonth(first.getUTCMonth() + month)
    const now = new Date()
    const reportDays = Math.floor((now.getTime() - first.getTime()) / dayMs)
    return applyRetention(db, now, {
      rawDays: keepAll,
      reportDays,
      refusedDays: keepAll,
      refusedBytes: Number.MAX_SAFE_INTEGER,
    })
  }
  await keepFrom(1) // The oldest month is not a whole one.
  const receiver = await startReceiver({ databaseUrl: url })
  const load = startLoad(receiver.ports.intake, 500, 4_000)
  try {
    bench.say('dropping a month while 500 reports/s come in')
    await sleep(2_000)
    load.mark()
    let dropped: string[] = []
    const ms = await timed(async () => ({ dropped } = await keepFrom(2)))
    await sleep(500)
    if (dropped.length === 0) throw new Error('no month was dropped')
    return [
      {
        what: 'a month out of 10 M',
        value: ms / 1000,
        unit: 's',
        target: { of: 'value', atMost: 0.5 },
        note: dropped.join(', '),
      },
      {
        what: 'longest pause of the intake meanwhile',
        value: load.longestPauseMs(),
        unit: 'ms',
        target: { of: 'value', atMost: 200 },
      },
    ]
  } finally {
    await load.stop()
    await receiver.stop()
  }
}
