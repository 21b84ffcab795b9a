/** Ports for what is stopped and started again in a test: nobody else takes them meanwhile. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A TCP port of 127.0.0.1 that is free, and that no other call here gets, in whatever process, until this process ends:
 * the UDP port of that number is held for it. Below the ports that Linux gives to clients: one of them might take it
 * while nobody listens, or even connect to itself there.
 */
export async function claimPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const claim = createSocket('udp4').unref()
    claim.bind(port, '127.0.0.1')
    if (!(await isOpened(once(claim, 'listening')))) continue
    const server = createServer().listen(port, '127.0.0.1')
    if (!(await isOpened(once(server, 'listening')))) {
      claim.close()
      continue
    }
    await once(server.close(), 'close')
    return port
  }
}

const isOpened = (listening: Promise<unknown>): Promise<boolean> =>
  listening.then(
    () => true,
    () => false,
  )
