/** What the transports that listen on a port have in common. */
import { once } from 'node:events'
import type { Server } from 'node:net'

export type Listener = {
  port: number
  /** Takes nothing new, finishes and answers what is under way (`sendingMs` at most), then closes. */
  close: () => Promise<void>
}

/** Of the time there is to drain, what those may use who are still sending; the rest is for what has come. */
export const sendingMs = (limits: { drainSeconds: number }): number => limits.drainSeconds * 800

/** As much of pino's logger as the transports use. */
export type Logger = Record<'debug' | 'info' | 'error', (fields: object, message: string) => void>

/** Opens the port (0: any free one) and resolves to it; on all addresses when `host` is undefined. Rejects when it is taken. */
export async function openPort(server: Server, host: string | undefined, port: number): Promise<number> {
  server.listen({ port, ...(host !== undefined && { host }) })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
