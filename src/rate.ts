/** How often somebody comes in a minute. */

const minuteMs = 60_000

/**
 * Counts by key in minutes, each of which begins with the first that comes after the one before. The function it returns
 * takes one and gives 0, or, beyond `perMinute`, the seconds until the next minute. `nowMs` is of a clock that nobody
 * sets, as performance.now() is. Memory is bounded by a minute's keys. Addresses are counted as `callerOf` has them.
 */
export function makeRateCount(perMinute: number): (key: string, nowMs: number) => number {
  let began = -Infinity
  let counts = new Map<string, number>()
  return (key, nowMs) => {
    if (nowMs - began >= minuteMs) {
      began = nowMs
      counts = new Map()
    }
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count <= perMinute ? 0 : Math.ceil((began + minuteMs - nowMs) / 1000)
  }
}
