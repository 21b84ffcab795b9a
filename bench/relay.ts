/** Between the service and Postgres: how long Postgres takes over what it is asked, in the very request that is timed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

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
    client.on('data', (bytes) => {
      askedAt ??= performance.now()
      upstream.write(bytes)
    })
    upstream.on('data', (bytes: Buffer) => {
      client.write(bytes)
      if (askedAt === undefined || !isEnd(bytes)) return
      longest = Math.max(longest, performance.now() - askedAt)
      askedAt = undefined
    })
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
    }
  }) // prettier-ignore
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

/** ReadyForQuery, the last message of every answer: 'Z', a length of 5, and the state of the transaction. */
const isEnd = (bytes: Buffer): boolean => bytes.length >= 6 && bytes.at(-6) === 0x5a && bytes.readUInt32BE(bytes.length - 5) === 5 // prettier-ignore

function addressOf(url: string): { path: string } | { host: string; port: number } {
  const { hostname, port, searchParams } = new URL(url)
  const host = searchParams.get('host') ?? decodeURIComponent(hostname)
  const number = Number(port || 5432)
  return host.startsWith('/') ? { path: join(host, `.s.PGSQL.${number}`) } : { host, port: number }
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
