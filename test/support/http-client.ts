/** A raw HTTP/1.1 client: every byte and moment is the test's; it may come from any loopback address. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls'

export type HttpResponse = { status: number; headers: Record<string, string>; body: string }

export type HttpClient = {
  /** Sends bytes as they are; resolves once the kernel has them. */
  write: (bytes: string | Buffer) => Promise<void>
  /** The next response, with 1xx ones like any other; undefined once the server has hung up. The answer to HEAD has no body. */
  read: (toHead?: boolean) => Promise<HttpResponse | undefined>
  /** Resolves when the server has hung up. */
  closed: Promise<void>
  isOpen: () => boolean
  socket: Socket
  /** The same, where there is TLS. */
  encrypted: TLSSocket | undefined
  /** Sends a RST. */
  reset: () => void
  close: () => void
}

export type HttpTarget = { port: number; tls?: boolean; from?: string }

const secureContext = createSecureContext() // To make one takes as long as a handshake.

export async function connectHttp({ port, tls = false, from = '127.0.0.1' }: HttpTarget): Promise<HttpClient> {
  const options = {
    port,
    host: '127.0.0.1',
    localAddress: from,
    noDelay: true,
    rejectUnauthorized: false,
    secureContext,
  }
  const encrypted = tls ? connectTls(options) : undefined
  const socket = encrypted ?? connect(options)
  let received = Buffer.alloc(0)
  let ended = false
  let wake = () => {}
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('error', () => undefined) // A reset is an end like any other to a test.
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      ended = true
      wake()
    })
  }
  const closed = new Promise<void>((resolve) => socket.on('close', () => { resolve() })) // prettier-ignore
  await once(socket, tls ? 'secureConnect' : 'connect')
  return {
    write: (bytes) =>
      new Promise((resolve) => {
        socket.write(bytes, () => {
          resolve()
        })
      }),
    read: async (toHead = false) => {
      for (;;) {
        const response = parse(received.toString('latin1'), toHead)
        if (response) {
          received = received.subarray(response.bytes)
          return response
        }
        if (ended) return undefined
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    closed,
    isOpen: () => !ended,
    socket,
    encrypted,
    reset: () => {
      socket.resetAndDestroy()
    },
    close: () => {
      socket.destroy()
    },
  }
}

function parse(text: string, toHead: boolean): (HttpResponse & { bytes: number }) | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const bytes = end + 4 + (toHead ? 0 : Number(headers['content-length'] ?? 0))
  if (text.length < bytes) return undefined
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4, bytes), bytes }
}

/** The head of a request, with Host and the given fields; a body may follow. */
export const head = (method: string, path: string, headers: Record<string, string | number> = {}): string =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: rua.example',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n')

/** One request on a connection of its own. */
export async function request(
  target: HttpTarget,
  method: string,
  path: string,
  body: string | Buffer = '',
  headers: Record<string, string | number> = {},
): Promise<HttpResponse> {
  const client = await connectHttp(target)
  const length = body.length > 0 ? { 'content-length': Buffer.byteLength(body) } : {}
  await client.write(
    Buffer.concat([Buffer.from(head(method, path, { ...length, ...headers }), 'latin1'), Buffer.from(body)]),
  )
  const response = await client.read(method === 'HEAD')
  client.close()
  if (!response) throw new Error('the server hung up without an answer')
  return response
}

/** Writes `pieces` as they are, each a segment of its own, and reads `count` answers; fewer where the server hangs up. */
export async function exchange(target: HttpTarget, pieces: (string | Buffer)[], count = 1): Promise<HttpResponse[]> {
  const client = await connectHttp(target)
  for (const piece of pieces) await client.write(piece)
  const responses: HttpResponse[] = []
  while (responses.length < count) {
    const response = await client.read()
    if (!response) break
    responses.push(response)
  }
  client.close()
  return responses
}
