/** How much may be on the road at once: who comes when it is full waits for a while, or is told to come back. */

export type Gate = {
  /** Resolves when all are heard who come in this turn of the event loop: they go on together, in the order they came. */
  together: () => Promise<void>
  /**
   * Runs `work` on so many bytes when it is its turn. Resolves to undefined, without having run it, where too many wait or
   * it waited too long.
   */
  inTurn: InTurn
  /** The same, one at a time, and beside the others: for what is large. */
  oneByOne: InTurn
  /** The same, beside the others too, and as many at a time as are no larger, all of them, than one that is not large. */
  sideBySide: InTurn
  /** Makes room for so many bytes until the function it returns is called; undefined where there is none. */
  hold: (bytes: number) => Leave | undefined
  /** The same for what is not read yet, and so may be the heaviest: waits for room, as long as for a turn. */
  holdUnread: () => Promise<Unread | undefined>
}

type InTurn = <T>(bytes: number, work: () => Promise<T>) => Promise<T | undefined>

export type Leave = () => void

/** Room for something whose weight is yet to be told: until then it counts as heavy. */
export type Unread = { weigh: (bytes: number) => void; leave: Leave }

export type GateLimits = {
  readAtOnce: number
  largeBytes: number
  readQueue: number
  readWaitSeconds: number
  underWayBytes: number
}

/** `took` hears how many milliseconds it was at work. */
type Waiting = {
  since: number
  bytes: number
  start: (took: (milliseconds: number) => void) => void
  giveUp: () => void
}

/** What is heavier than this share of the room leaves the last quarter of it to what is lighter. */
const heavyShare = 1 / 64

/** Read in one turn of the event loop; then who waits for anything else is heard. 256 KiB take 50 ms at worst. */
const turnMs = 20

/** Of more the others go on in the turns after it. */
const mostTogether = 64

export const makeGate = (limits: GateLimits): Gate => ({
  together: makeTogether(mostTogether),
  inTurn: makeTurns({ many: limits.readAtOnce, bytes: Infinity }, limits),
  oneByOne: makeTurns({ many: 1, bytes: Infinity }, limits),
  sideBySide: makeTurns({ many: Infinity, bytes: limits.largeBytes }, limits),
  ...makeRoom(limits),
})

/**
 * What is done for many, one after the other, costs the processor less than what is done for each as he comes, in between
 * the code that hears him: of 64 senders of reports each takes 165 us in place of 240 (docs/performance.md).
 */
function makeTogether(most: number): Gate['together'] {
  const waiting: (() => void)[] = []

  function goOn(): void {
    const group = waiting.splice(0, most)
    if (waiting.length > 0) setImmediate(goOn)
    for (const resolve of group) resolve()
  }

  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(goOn)
    })
}

/** At a time there are at most so many, of so many bytes; and always one, however large. */
function makeTurns(most: { many: number; bytes: number }, { readQueue, readWaitSeconds }: GateLimits): InTurn {
  const queue: Waiting[] = []
  const running = { many: 0, bytes: 0 }
  let owedToSmallest = 0 // Milliseconds.
  let turnBegan = 0
  const leaving: number[] = [] // Bytes of who has finished, and keeps his place until the event loop has had its turn.

  const fits = (bytes: number): boolean =>
    running.many === 0 || (running.many < most.many && running.bytes + bytes <= most.bytes)

  /**
   * The oldest and the smallest share the time, half and half: a burst of bombs does not hold up the usual few kilobytes.
   * Taking turns one by one would give the small ones as many turns as there are bombs, and a bomb takes a hundred times
   * as long. False where there is no room for whose turn it is.
   */
  function startNext(): boolean {
    const byAge = owedToSmallest <= 0
    const next = byAge ? 0 : queue.reduce((best, { bytes }, i) => (bytes < queue[best]!.bytes ? i : best), 0)
    if (!fits(queue[next]!.bytes)) return false
    queue.splice(next, 1)[0]!.start((milliseconds) => {
      owedToSmallest += byAge ? milliseconds : -milliseconds
    })
    return true
  }

  /** Whoever waited too long is told now; its sender has its own idea of how long to wait. */
  function next(bytes: number): void {
    running.many--
    running.bytes -= bytes
    const oldest = performance.now() - readWaitSeconds * 1000
    while (queue[0] && queue[0].since < oldest) queue.shift()!.giveUp()
    while (queue.length > 0 && startNext());
  }

  /** Small ones follow one another at once; behind a large one, or many, the event loop has its own turn before each. */
  function handOver(bytes: number): void {
    if (performance.now() - turnBegan < turnMs) next(bytes)
    else if (leaving.push(bytes) === 1) setImmediate(handOneOver)
  }

  function handOneOver(): void {
    turnBegan = performance.now()
    next(leaving.shift()!)
    if (leaving.length > 0) setImmediate(handOneOver)
  }

  async function run<T>(bytes: number, work: () => Promise<T>, took?: (milliseconds: number) => void): Promise<T> {
    const startedAt = performance.now()
    if (running.many++ === 0) turnBegan = startedAt
    running.bytes += bytes
    try {
      return await work()
    } finally {
      took?.(performance.now() - startedAt)
      handOver(bytes)
    }
  }

  return (bytes, work) => {
    if (queue.length === 0 && fits(bytes)) return run(bytes, work)
    if (queue.length >= readQueue) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        resolve(undefined)
      }
      const start: Waiting['start'] = (took) => void run(bytes, work, took).then(resolve, reject)
      queue.push({ since: performance.now(), bytes, start, giveUp })
    })
  }
}

/** A stranger's 20 KB can be a report of 20 MiB: what it is worth in memory is known only when it has been read. */
function makeRoom({ underWayBytes, readWaitSeconds }: GateLimits): Pick<Gate, 'hold' | 'holdUnread'> {
  let held = 0
  let waiting: (() => void)[] = []

  /** One always does, however large: told to come back, it would be as large the next time. */
  function fits(bytes: number): boolean {
    const most = bytes > underWayBytes * heavyShare ? underWayBytes * 0.75 : underWayBytes
    return bytes === 0 || held === 0 || held + bytes <= most
  }

  function add(bytes: number): void {
    held += bytes
    if (bytes < 0 && waiting.length > 0) wake()
  }

  function wake(): void {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }

  function hold(bytes: number): Leave | undefined {
    if (!fits(bytes)) return undefined
    add(bytes)
    return () => {
      add(-bytes)
    }
  }

  async function holdUnread(): Promise<Unread | undefined> {
    let own = underWayBytes / 2
    const deadline = performance.now() + readWaitSeconds * 1000
    const timer = setInterval(wake, Math.min(readWaitSeconds, 1) * 1000)
    while (!fits(own) && performance.now() < deadline) await new Promise<void>((resolve) => waiting.push(resolve))
    clearInterval(timer)
    if (!fits(own)) return undefined
    const weigh = (bytes: number) => {
      add(bytes - own)
      own = bytes
    }
    add(own)
    return { weigh, leave: () => { weigh(0) } } // prettier-ignore
  }

  return { hold, holdUnread }
}
