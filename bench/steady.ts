/** HTTPS reports at a steady pace, as from many senders: each is sent when its time has come, whether the one before is answered or not. */
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipReports, makeReports } from './reports.ts'

export type SteadyLoad = {
  /** Reports answered with 200 so far, and the longest wait between two such answers since `mark`, in ms. */
  answered: () => number
  longestPauseMs: () => number
  mark: () => void
  /** Stops sending, and waits for the answers; rejects if one was not 200. */
  stop: () => Promise<void>
}

/** `seed` makes the reports; with another one they are others. */
export function startLoad(port: number, perSecond: number, seed: number): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const bodies: Buffer[] = []
  const underway = new Set<Promise<void>>()
  const failures: unknown[] = []
  const stopping = new AbortController()
  let answered = 0
  let pause = 0
  let lastAnswerAt = performance.now()

  const send = async (body: Buffer) => {
    const status = await post(agent, port, body)
    if (status !== 200) throw new Error(`a report of the bench was answered with ${status}`)
    const now = performance.now()
    pause = Math.max(pause, now - lastAnswerAt)
    lastAnswerAt = now
    answered += 1
  }
  const sending = (async () => {
    const startedAt = performance.now()
    for (let sent = 0; !stopping.signal.aborted;) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond)
      for (; sent < due; sent++) {
        if (bodies.length === 0) bodies.push(...gzipReports(makeReports(100, 'typical', new Date(), seed + sent)))
        const one: Promise<void> = send(bodies.pop()!)
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
      agent.destroy()
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} reports were not accepted`)
    },
  }
}

function post(agent: Agent, port: number, body: Buffer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const headers = { 'content-type': 'application/tlsrpt+gzip', 'content-length': body.length }
  const sending = request({ agent, port, host: '127.0.0.1', path: '/v1/tlsrpt', method: 'POST', headers }, (answer) => {
    answer.resume().on('end', () => resolve(answer.statusCode!))
  })
  sending.on('error', reject).end(body)
  return promise
}
