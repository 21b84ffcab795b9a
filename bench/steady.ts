/** HTTPS reports at a steady pace, as from many senders: each is sent when its time has come, whether the one before is answered or not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { httpClient, type Client } from './load.ts'
import { uniqueBodies } from './reports.ts'

export type SteadyLoad = {
  /** Reports answered with 200 so far, and the longest wait between two such answers since `mark`, in ms. */
  answered: () => number
  longestPauseMs: () => number
  mark: () => void
  /** Stops sending, and waits for the answers; rejects if one was not 200. */
  stop: () => Promise<void>
}

/** `seed` makes the reports; with another one they are others. They cost little while it runs: others are timed beside it. */
export function startLoad(port: number, perSecond: number, seed: number): SteadyLoad {
  const bodies = uniqueBodies(seed)
  const clients: Client[] = []
  const idle: Client[] = []
  const underway = new Set<Promise<void>>()
  const failures: unknown[] = []
  const stopping = new AbortController()
  let answered = 0
  let pause = 0
  let lastAnswerAt = performance.now()

  const open = () => {
    const client = httpClient(port)
    clients.push(client)
    return client
  }
  const send = async (body: Buffer) => {
    const client = idle.shift() ?? open() // In turns: a connection that is idle for long is closed.
    const status = await client.send(body)
    if (status !== 200) throw new Error(`a report of the bench was answered with ${status}`)
    idle.push(client)
    const now = performance.now()
    pause = Math.max(pause, now - lastAnswerAt)
    lastAnswerAt = now
    answered += 1
  }
  const sending = (async () => {
    bodies.next() // The first is dear: all that the others have in common is made.
    const startedAt = performance.now()
    for (let sent = 0; !stopping.signal.aborted;) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond)
      for (; sent < due; sent++) {
        const one: Promise<void> = send(bodies.next().value)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => underway.delete(one))
        underway.add(one)
      }
      await sleep(5)
    }
  })()
  return {
    answered: () => answered,
    longestPauseMs: () => Math.max(pause, performance.now() - lastAnswerAt),
    mark: () => {
      pause = 0
      lastAnswerAt = performance.now()
    },
    stop: async () => {
      stopping.abort()
      await sending
      await Promise.all(underway)
      for (const client of clients) client.close()
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} reports were not accepted`)
    },
  }
}
