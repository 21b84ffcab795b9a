/** Whether the event loop comes round: while it stands still nobody is answered, and no deadline is kept. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How finely it looks; a stall is found to within this. */
const resolutionMs = 20
const everyMs = 1_000
const warnFromSeconds = 1
const warnEveryMs = 60_000

type Log = { warn: (context: object, message: string) => void }

/**
 * Tells `hear` the longest stall of each second, in seconds, and warns in the log of one longer than a second, at most
 * once a minute. The function it returns ends it; it keeps no process alive.
 */
export function startWatchdog(log: Log, hear: (seconds: number) => void): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  let warnedAt = -Infinity
  const account = () => {
    const seconds = Math.max(0, delay.max / 1e9 - resolutionMs / 1000) // It measures from tick to tick.
    delay.reset()
    hear(seconds)
    if (seconds < warnFromSeconds || performance.now() - warnedAt < warnEveryMs) return
    warnedAt = performance.now()
    log.warn({ seconds: Math.round(seconds * 100) / 100 }, 'the event loop stood still: somebody waited that long')
  }
  // Behind a stall timers of ours may be run before the one that measures it; what is immediate comes after both.
  const timer = setInterval(() => setImmediate(account).unref(), everyMs).unref()
  return () => {
    clearInterval(timer)
    delay.disable()
  }
}
