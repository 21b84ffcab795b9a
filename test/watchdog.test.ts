import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startWatchdog } from '../src/watchdog.ts'

test('a stall is measured, and one of more than a second is in the log, once a minute', async () => {
  const stalls: number[] = []
  const warnings: object[] = []
  const stop = startWatchdog({ warn: (context) => warnings.push(context) }, (seconds) => stalls.push(seconds))
  await sleep(100)
  standStill(1_100)
  await sleep(50) // The tick behind the stall, then the second's account of it.
  await sleep(1_050)
  standStill(1_100)
  await sleep(1_100)
  stop()
  const long = stalls.filter((seconds) => seconds > 1)
  assert.equal(long.length, 2, stalls.join())
  assert.ok(long.every((seconds) => seconds < 3))
  assert.equal(warnings.length, 1)
})

test('a stall is not lost where timers of ours are due before the one that measures', async () => {
  const stalls: number[] = []
  const stop = startWatchdog({ warn: () => undefined }, (seconds) => stalls.push(seconds))
  for (const round of [1, 2]) {
    await sleep(100)
    setTimeout(() => undefined, 1) // Behind the stall Node runs all timers that are due, when the first of them was.
    standStill(1_200)
    await sleep(1_050) // The second's account of it, whenever that is due.
    assert.equal(stalls.filter((seconds) => seconds > 1).length, round, stalls.join())
  }
  stop()
})

const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
