/** RFC 9112: the HTTP server below fastify, with TLS or without; its deadlines, and answers to what is no HTTP request. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { plainAddress } from '../addresses.ts'
import type { Limits } from '../limits.ts'
import { minVersion, type CertificateSource } from './certificate.ts'
import { badRequest, problem, tooLarge, tooSlow, wireText, type HttpReply } from './https-reply.ts'
import type { Logger } from './listener.ts'
import { makeConnectionCount } from './peers.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const keepAliveMs = 5_000
/** How often Node looks for requests beyond their deadline. */
const checkingMs = 1_000
/** How long a client that is still sending may take to read our answer: to close at once would be to reset it away. */
const lingerMs = 5_000

/**
 * A server with a deadline on every part of a request. Expect (RFC 9110 §10.1.1) is answered before the body comes: with
 * 100 where it is not too large, so that the handler, which gets the request in any case, can say why.
 */
export function makeHttpServer(
  limits: Limits,
  certificate: CertificateSource | undefined,
  exempt: (address: string) => boolean,
  log: Logger,
  handler: Handler,
): Server {
  const requestTimeout = limits.httpRequestSeconds * 1000
  const headersTimeout = Math.min(limits.httpHeaderSeconds * 1000, requestTimeout) // More would be an error to Node.
  const options = {
    requestTimeout,
    headersTimeout,
    connectionsCheckingInterval: checkingMs,
    keepAliveTimeout: keepAliveMs,
    requireHostHeader: false, // We say so ourselves, in words.
  }
  const server = certificate ? makeTlsServer(options, certificate, handler) : createServer(options, handler)
  countConnections(server, limits, exempt, log)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (declaredBytes(request) <= limits.compressedBytes) response.writeContinue()
    server.emit('request', request, response)
  })
  server.on('checkExpectation', ({ socket }: IncomingMessage) => {
    answerRaw(log, socket, problem(417, 'expectation-failed', 'The only expectation we know is 100-continue.'))
  })
  return server
}

/** Whoever is one too many is cut off: to say why would take a TLS handshake. */
function countConnections(server: Server, limits: Limits, exempt: (address: string) => boolean, log: Logger): void {
  const enter = makeConnectionCount({
    total: limits.httpConnections,
    perAddress: limits.httpConnectionsPerAddress,
    perNetwork: limits.httpConnectionsPerNetwork,
  })
  server.prependListener('connection', (socket: Socket) => {
    const peer = plainAddress(socket.remoteAddress)
    const leave = peer === undefined ? undefined : enter(peer, exempt(peer)) // Without an address it has left already.
    if (leave) {
      socket.on('close', leave)
      return
    }
    if (peer !== undefined) log.info({ transport: 'https', peer, reason: 'too-many-connections' }, 'refused')
    socket.destroy()
  })
}

function makeTlsServer(options: { headersTimeout: number }, certificate: CertificateSource, handler: Handler): Server {
  const tls = { ...certificate.current(), minVersion, handshakeTimeout: options.headersTimeout } as const
  const server = createTlsServer({ ...options, ...tls }, handler)
  certificate.onChange(({ key, cert }) => {
    server.setSecureContext({ key, cert, minVersion })
  })
  return server
}

/**
 * Watches a server, and gives a function that closes what has no request under way: connections kept alive, and those
 * on which nothing has come yet or only the beginning of a header, which Node's closeIdleConnections() leaves open.
 */
export function makeIdleCloser(server: Server): () => void {
  const open = new Set<Socket>()
  const requests = new Map<Socket, number>()
  const silent = new Set<Socket>() // Below TLS, where a connection that sends nothing stays.
  const keep = (sockets: Set<Socket>) => (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  }
  const encrypted = 'setSecureContext' in server
  server.on('connection', keep(encrypted ? silent : open))
  server.on('secureConnection', keep(open))
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1)
    response.on('close', () => {
      const others = (requests.get(socket) ?? 1) - 1
      if (others > 0) requests.set(socket, others)
      else requests.delete(socket)
    })
  })
  return () => {
    for (const socket of open) if (!requests.has(socket)) socket.destroySoon()
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy()
  }
}

/** Of the body; 0 where nothing is said, as with chunks. */
export const declaredBytes = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0)

const brokenRequests: Record<string, HttpReply> = {
  ERR_HTTP_REQUEST_TIMEOUT: tooSlow,
  HPE_HEADER_OVERFLOW: problem(431, 'header-too-large', 'The header is larger than we take.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: tooLarge,
}

/** For Node's 'clientError': what is not HTTP, or beyond a deadline. */
export function answerBrokenRequest(log: Logger, { code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.writable && code !== 'ECONNRESET') answerRaw(log, socket, brokenRequests[code] ?? badRequest)
  else socket.destroy()
}

function answerRaw(log: Logger, socket: Socket, reply: HttpReply): void {
  const requestId = randomUUID()
  const peer = plainAddress(socket.remoteAddress)
  log.info({ transport: 'https', status: reply.status, peer, request_id: requestId }, 'no request')
  sayGoodbye(socket, wireText(reply, requestId))
}

/** Says the last words on a connection and leaves the client time to read them. */
export function sayGoodbye(socket: Socket, words: string): void {
  socket.end(words)
  setTimeout(() => socket.destroy(), lingerMs).unref()
}
