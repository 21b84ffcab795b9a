/** Between the service and Postgres: how long Postgres takes over what it is asked, in the very request that is timed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

export type Relay = {
  /** The database that it leads to, by a socket of its own. */
  url: string
  /** Milliseconds from a question to the end of its answer, of the one that took longest since `mark`. */
  longest: () => number
  mark: () => void
  close: () => Promise<void>
}

/** Leads to the database at `url`, whatever is said. A server whose name has to stand in its certificate is not reached. */
export async function startRelay(url: string): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-relay-'))
  const sockets = new Set<Socket>()
  let longest = 0
  const server = createServer((client) => {
    const upstream = connect(addressOf(url))
    let askedAt: number | undefined
    let tail = Buffer.alloc(0)
    client.on('data', (bytes) => {
      askedAt ??= performance.now()
      upstream.write(bytes)
    })
    upstream.on('data', (bytes: Buffer) => {
      client.write(bytes)
      tail = Buffer.concat([tail, bytes.subarray(-endLength)]).subarray(-endLength)
      if (askedAt === undefined || !isEnd(tail)) return
      longest = Math.max(longest, performance.now() - askedAt)
      askedAt = undefined
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
    }
  })
  await listen(server, join(folder, '.s.PGSQL.5432'))
  return {
    url: urlBy(url, folder),
    longest: () => longest,
    mark: () => {
      longest = 0
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true })
    },
  }
}

const endLength = 6

/** ReadyForQuery, the last message of every answer: 'Z', a length of 5, and the state of the transaction. */
const isEnd = (tail: Buffer): boolean => tail.length === endLength && tail[0] === 0x5a && tail.readUInt32BE(1) === 5

function addressOf(url: string): { path: string } | { host: string; port: number } {
  const { host, port } = new Client(url) // As node-postgres reads it.
  return host.startsWith('/') ? { path: join(host, `.s.PGSQL.${port}`) } : { host, port }
}

function urlBy(url: string, folder: string): string {
  const by = new URL(url)
  by.port = '5432'
  by.searchParams.set('host', folder)
  return by.href
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(path, resolve)
  })
