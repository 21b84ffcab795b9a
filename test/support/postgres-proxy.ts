/** Between a service and its Postgres: a TCP port in front of the server's unix socket, where anything may happen. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type ProxyMode =
  | { kind: 'pass' }
  /** A new connection is reset, old ones live on. */
  | { kind: 'refuse' }
  /** Bytes vanish in both directions; new connections open and hear nothing. */
  | { kind: 'blackhole' }
  /** Any connection is reset with its next bytes. */
  | { kind: 'reset' }
  /** Each piece, in each direction, is `ms` late. */
  | { kind: 'delay'; ms: number }
  /** The server commits, nobody hears of it, and the connection is reset. */
  | { kind: 'drop-commit-acknowledgement' }
  /** Each connection is reset after so many bytes from the server. */
  | { kind: 'cut-after'; bytes: number }
  /** Once, the so many-th piece from now on, in either direction, resets its connection; half of it arrives where it is torn. */
  | { kind: 'fail-at'; piece: number; torn: boolean; reached: () => void }
  /** Once, at this point of one transaction: `reached` is called, and nothing more passes on that connection. */
  | { kind: 'stop-at'; point: ProxyPoint; reached: () => void }

/**
 * Where a transaction that records can be: begun; asked for (its statements have come as far as the proxy), its rows on
 * the way (half of them have arrived), committed (the server says so, the client does not know), acknowledged (the
 * client has been told).
 */
export type ProxyPoint = 'begun' | 'asked' | 'half-sent' | 'committed' | 'acknowledged'

export type PostgresProxy = {
  port: number
  urlOf: (database: string) => string
  set: (mode: ProxyMode) => void
  /** Resets every connection, now. */
  cut: () => void
  /** Acknowledgements that were dropped. */
  dropped: () => number
  close: () => Promise<void>
}

/** One connection through the proxy. */
type Pair = {
  client: Socket
  server: Socket
  /** Bytes from the server. */
  received: number
  /** Bytes were lost or held back on the way: what comes later makes no sense any more. */
  broken: boolean
  /** The client has asked for a COMMIT. */
  committing: boolean
}

/** CommandComplete with the tag COMMIT (PostgreSQL, Message Formats). */
const commitComplete = Buffer.from([...Buffer.from('C'), 0, 0, 0, 11, ...Buffer.from('COMMIT\0')])

/** A query that writes rows and commits them: store/copy.ts sends both in one message, and its data behind it. */
const recording = /copy submission[^]*;commit\0/

export async function startPostgresProxy(socketPath: string): Promise<PostgresProxy> {
  let mode: ProxyMode = { kind: 'pass' }
  let dropped = 0
  let pieces = 0
  const pairs = new Set<Pair>()

  const kill = (pair: Pair) => {
    pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.server.destroy()
  }
  const stopHere = (pair: Pair, reached: () => void) => {
    mode = { kind: 'pass' }
    pair.broken = true
    reached()
  }

  /** Whether this is the piece that fails. */
  function fails(pair: Pair, to: Socket, data: Buffer): boolean {
    if (mode.kind !== 'fail-at' || ++pieces < mode.piece) return false
    const { torn, reached } = mode
    mode = { kind: 'pass' }
    const end = () => {
      kill(pair)
    }
    if (torn) to.write(data.subarray(0, Math.ceil(data.length / 2)), end)
    else end()
    reached()
    return true
  }

  function fromClient(pair: Pair, data: Buffer): void {
    if (fails(pair, pair.server, data)) return
    const text = data.toString('latin1')
    const asks = recording.test(text)
    if (mode.kind === 'stop-at') {
      const { point, reached } = mode
      if (point === 'begun' && text.includes('begin')) {
        stopHere(pair, reached)
        return
      }
      if (point === 'asked' && asks) {
        stopHere(pair, reached)
        return
      }
      if (point === 'half-sent' && asks) {
        pair.server.write(data.subarray(0, Math.ceil(data.length / 2)))
        stopHere(pair, reached)
        return
      }
    }
    if (asks) pair.committing = true
    pair.server.write(data)
  }

  function fromServer(pair: Pair, data: Buffer): void {
    if (fails(pair, pair.client, data)) return
    pair.received += data.length
    const end = data.indexOf(commitComplete)
    if (end >= 0 && pair.committing) {
      pair.committing = false
      if (mode.kind === 'drop-commit-acknowledgement') {
        dropped++
        pair.client.write(data.subarray(0, end), () => {
          kill(pair)
        })
        return
      }
      if (mode.kind === 'stop-at' && mode.point === 'committed') {
        stopHere(pair, mode.reached)
        return
      }
      if (mode.kind === 'stop-at' && mode.point === 'acknowledged') {
        const { reached } = mode
        pair.client.write(data, () => {
          stopHere(pair, reached)
        })
        return
      }
    }
    if (mode.kind === 'cut-after' && pair.received > mode.bytes) kill(pair)
    else pair.client.write(data)
  }

  const listener = createServer((client) => {
    if (mode.kind === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const server = connect(socketPath)
    const pair: Pair = { client, server, received: 0, broken: false, committing: false }
    pairs.add(pair)
    const forward = (from: Socket, pass: (pair: Pair, data: Buffer) => void) => {
      let turn = Promise.resolve() // In order, also where some are late.
      from.on('data', (data: Buffer) => {
        const lateMs = mode.kind === 'delay' ? mode.ms : 0
        turn = turn.then(() => late(lateMs)).then(() => {
          if (mode.kind === 'blackhole') pair.broken = true
          if (mode.kind === 'reset') kill(pair)
          else if (!pair.broken && pairs.has(pair)) pass(pair, data)
        }) // prettier-ignore
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        if (mode.kind === 'blackhole')
          pair.broken = true // Not even the end is heard of.
        else kill(pair)
      })
    }
    forward(client, fromClient)
    forward(server, fromServer)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo

  return {
    port,
    urlOf: (database) => `postgres://tlsrpt@127.0.0.1:${port}/${database}`,
    set: (next) => {
      // Who comes back from a hole knows nothing of the connections of before, and resets them.
      if (mode.kind === 'blackhole') for (const pair of pairs) if (pair.broken) kill(pair)
      mode = next
      pieces = 0
    },
    cut: () => {
      for (const pair of pairs) kill(pair)
    },
    dropped: () => dropped,
    close: async () => {
      const closed = once(listener.close(), 'close')
      for (const pair of pairs) kill(pair)
      await closed
    },
  }
}

const late = (ms: number): Promise<void> | undefined =>
  ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined
