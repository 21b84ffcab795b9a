/** Times of answers by the clock, taken in turns, so that whatever else the machine does falls on all of them alike. */
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { median } from './bench.ts'
import { adminToken, type Receiver } from './receiver.ts'

/** Milliseconds of each, the median of its rounds. */
export async function inTurns<Name extends string>(
  rounds: number,
  works: Record<Name, () => Promise<unknown>>,
): Promise<Record<Name, number>> {
  const times = Object.entries<number[]>(await byRound(rounds, works))
  return Object.fromEntries(times.map(([name, ms]) => [name, median(ms)])) as Record<Name, number>
}

/**
 * Milliseconds of each in each of the rounds, after as many that do not count: a service that runs for weeks is warm, and
 * only what is asked once is too dear for that. Each round begins with another: who comes second finds the pages of the
 * first in the processor's cache.
 */
export async function byRound<Name extends string>(
  rounds: number,
  works: Record<Name, () => Promise<unknown>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(works) as Name[]
  const times = new Map(names.map((name) => [name, [] as number[]]))
  for (let round = rounds > 1 ? -rounds : 0; round < rounds; round++) {
    for (const [i] of names.entries()) {
      const name = names[(rounds + round + i) % names.length]!
      const ms = await timed(works[name])
      if (round >= 0) times.get(name)!.push(ms)
    }
  }
  return Object.fromEntries(times) as Record<Name, number[]>
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

const agent = new Agent({ keepAlive: true })

/**
 * What the API answers to `GET /v1/...`, over a connection that is kept; rejects unless it is a 200. By node:http: fetch
 * takes half a millisecond more, which would be the API's in every comparison.
 */
export async function askText(receiver: Receiver, path: string): Promise<string> {
  const asking = get({
    host: '127.0.0.1',
    port: receiver.ports.api,
    path: `/v1/${path}`,
    agent,
    headers: { authorization: `Bearer ${adminToken}` },
  })
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  const answer = await text(response)
  if (response.statusCode !== 200) throw new Error(`GET /v1/${path}: ${String(response.statusCode)} ${answer}`)
  return answer
}

/** The same, as the JSON that it is. */
export const ask = async (receiver: Receiver, path: string): Promise<unknown> =>
  JSON.parse(await askText(receiver, path))
