/** Preloaded into the service by watched-service.ts (node --import): says over IPC how long the event loop stood still. */

export type Stall = {
  /** CPU of the main thread between two turns of the loop: the stall itself, however many share the machine. */
  cpuMs: number
  /** As the clock saw it, waiting for a core included. */
  wallMs: number
  /** Of the process, since it began. */
  peakRssBytes: number
}

const everyMs = 5
let worst = { cpuMs: 0, wallMs: 0 }
let last = read()

function read(): { cpuMs: number; wallMs: number } {
  const { user, system } = process.threadCpuUsage()
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() }
}

function look(): void {
  const now = read()
  worst = {
    cpuMs: Math.max(worst.cpuMs, now.cpuMs - last.cpuMs),
    wallMs: Math.max(worst.wallMs, now.wallMs - last.wallMs - everyMs),
  }
  last = now
}

setInterval(look, everyMs).unref()

// Asked, it tells the worst since it was asked before. What stalled may end in the very turn of the question.
process.on('message', () => {
  look()
  const peakRssBytes = process.resourceUsage().maxRSS * 1024
  process.send!({ ...worst, peakRssBytes } satisfies Stall)
  worst = { cpuMs: 0, wallMs: 0 }
})
process.channel!.unref()
