/** How much may be on the road at once: who comes when it is full waits for a while, or is told to come back. */

export type Gate = {
  /**
   * Runs `work` on so many bytes when it is its turn. Resolves to undefined, without having run it, where too many wait or
   * it waited too long.
   */
  inTurn: <T>(bytes: number, work: () => Promise<T>) => Promise<T | undefined>
  /** Makes room for so many bytes until the function it returns is called; undefined where there is none. */
  hold: (bytes: number) => Leave | undefined
}

export type Leave = () => void

export type GateLimits = { readAtOnce: number; readQueue: number; readWaitSeconds: number; underWayBytes: number }

type Waiting = { since: number; bytes: number; start: () => void; giveUp: () => void }

/** What is heavier than this share of the room leaves the last quarter of it to what is lighter. */
const heavyShare = 1 / 64

/** Read in one turn of the event loop; then who waits for anything else is heard. A report of 20 MiB takes 150 ms by itself. */
const turnMs = 20

/** A stranger's 20 KB can be a report of 20 MiB: what it is worth in memory is known only when it has been read. */
export function makeGate({ readAtOnce, readQueue, readWaitSeconds, underWayBytes }: GateLimits): Gate {
  const queue: Waiting[] = []
  let running = 0
  let byAge = false
  let held = 0
  let turnBegan = 0
  let owed = 0

  /** The oldest and the smallest take turns: a burst of large ones does not hold up the usual few kilobytes. */
  function takeNext(): Waiting | undefined {
    byAge = !byAge
    const smallest = byAge ? 0 : queue.reduce((best, { bytes }, i) => (bytes < queue[best]!.bytes ? i : best), 0)
    return queue.splice(smallest, 1)[0]
  }

  /** Whoever waited too long is told now; its sender has its own idea of how long to wait. */
  function next(): void {
    running--
    const oldest = performance.now() - readWaitSeconds * 1000
    while (queue[0] && queue[0].since < oldest) queue.shift()!.giveUp()
    takeNext()?.start()
  }

  /** Small ones follow one another at once; behind a large one, or many, the event loop has its own turn before each. */
  function handOver(): void {
    if (performance.now() - turnBegan < turnMs) next()
    else if (owed++ === 0) setImmediate(handOneOver)
  }

  function handOneOver(): void {
    turnBegan = performance.now()
    next()
    if (--owed > 0) setImmediate(handOneOver)
  }

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (running++ === 0) turnBegan = performance.now()
    try {
      return await work()
    } finally {
      handOver()
    }
  }

  return {
    inTurn: (bytes, work) => {
      if (running < readAtOnce) return run(work)
      if (queue.length >= readQueue) return Promise.resolve(undefined)
      return new Promise((resolve, reject) => {
        const giveUp = () => {
          resolve(undefined)
        }
        queue.push({ since: performance.now(), bytes, start: () => void run(work).then(resolve, reject), giveUp })
      })
    },
    hold: (bytes) => {
      const most = bytes > underWayBytes * heavyShare ? underWayBytes * 0.75 : underWayBytes
      // One always may, however large: told to come back, it would be as large the next time.
      if (bytes > 0 && held > 0 && held + bytes > most) return undefined
      held += bytes
      return () => {
        held -= bytes
      }
    },
  }
}
