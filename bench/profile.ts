/** A CPU profile of a Node process while it runs, by its inspector (Chrome DevTools Protocol, the domain Profiler). */
import { once } from 'node:events'

/** The parts of it that we read. */
export type CpuProfile = {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[]
  samples: number[]
  timeDeltas: number[]
}

/** What its main thread does while `work` runs, and what comes of that; `url` is where its inspector listens. */
export async function profileWhile<T>(
  url: string,
  work: () => Promise<T>,
): Promise<{ profile: CpuProfile; result: T }> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const send = async (method: string): Promise<unknown> => {
    socket.send(JSON.stringify({ id: 1, method }))
    const [message] = (await once(socket, 'message')) as [{ data: string }]
    const answer = JSON.parse(message.data) as { result?: unknown; error?: { message: string } }
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`)
    return answer.result
  }
  try {
    await send('Profiler.enable')
    await send('Profiler.start')
    const result = await work()
    const { profile } = (await send('Profiler.stop')) as { profile: CpuProfile }
    return { profile, result }
  } finally {
    socket.close()
    await once(socket, 'close') // A process that is still looked at does not end.
  }
}
