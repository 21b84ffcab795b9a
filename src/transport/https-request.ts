/** RFC 9110: what a request says of itself, and which are refused before their body is read. */
import type { FastifyRequest } from 'fastify'
import { plainAddress } from '../addresses.ts'
import type { Limits } from '../limits.ts'
import type { Provenance } from '../tlsrpt/submission.ts'
import { badRequest, noContent, notFound, problem, tooLarge, type HttpReply } from './https-reply.ts'
import { declaredBytes } from './https-server.ts'

export type Post = Extract<Provenance, { transport: 'https' }>

const maxHeaders = 100 // Beyond 2,000 Node drops them silently.

/** The right-most hop that is no proxy of ours (fastify); the socket's own address where that is none. */
export const peerOf = ({ ip, socket }: FastifyRequest): string =>
  plainAddress(ip) ?? plainAddress(socket.remoteAddress) ?? 'unknown'

/** Needs `setAsideMediaType`, and the decorator `token` where the path has one. */
export function provenanceOf(request: FastifyRequest): Post {
  const mediaType = request.getDecorator<string | undefined>('statedMediaType')
  const token = request.getDecorator<Post['token']>('token')
  const contentEncoding = request.headers['content-encoding']
  return {
    transport: 'https',
    peerAddress: peerOf(request),
    ...(mediaType !== undefined && { mediaType }),
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(token && { token }),
  }
}

/** The content decides, and fastify would refuse a label it cannot read before anybody has seen the content. */
export function setAsideMediaType(request: FastifyRequest): void {
  request.setDecorator('statedMediaType', request.headers['content-type'])
  delete request.headers['content-type']
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? ''

/** What an orchestrator asks every few seconds. */
export const isHealthCheck = (request: FastifyRequest): boolean => pathOf(request) === '/healthz'

/** What Node lets pass although a proxy in front may read it otherwise, and what is too much. */
export function refuseFraming({ raw }: FastifyRequest, limits: Limits): HttpReply | undefined {
  const names = raw.rawHeaders.filter((_, i) => i % 2 === 0)
  if (names.length > maxHeaders) return problem(431, 'too-many-headers', 'There are too many header fields.')
  const hosts = names.filter((name) => name.toLowerCase() === 'host').length
  if (hosts > 1 || (hosts === 0 && raw.httpVersion !== '1.0')) return badRequest // RFC 9112 §3.2.
  if ((raw.headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked') return badRequest
  return declaredBytes(raw) > limits.compressedBytes ? tooLarge : undefined
}

/**
 * fastify knows 404 only; RFC 9110 §15.5.6 wants 405 with Allow for a method. No address but /check has a query: a token
 * there would be a token in many a log. No CORS: browsers have no business here.
 */
export function refuseRoute(request: FastifyRequest, hasCheckPage: boolean): HttpReply | undefined {
  if (isHealthCheck(request)) return request.is404 ? refuseMethod(request, 'GET, HEAD, OPTIONS') : undefined
  if (hasCheckPage && pathOf(request) === '/check')
    return request.is404 ? refuseMethod(request, 'GET, OPTIONS') : undefined
  if (request.url.includes('?')) return notFound
  if (!request.is404) return undefined
  return /^\/v1\/tlsrpt(?:\/[^/]+)?$/.test(pathOf(request)) ? refuseMethod(request, 'POST, OPTIONS') : notFound
}

const refuseMethod = ({ method }: FastifyRequest, allow: string): HttpReply =>
  method === 'OPTIONS'
    ? noContent({ allow })
    : problem(405, 'method-not-allowed', `Only ${allow} will do.`, { headers: { allow } })
