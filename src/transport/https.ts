/** RFC 8460 §5.4: reports by POST. Strangers reach this listener, and nothing else of ours but its /healthz. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { callerOf, makeAddressTest } from '../addresses.ts'
import type { Ingest } from '../ingest.ts'
import type { Limits } from '../limits.ts'
import { makeRateCount } from '../rate.ts'
import { decisiveOutcome } from '../tlsrpt/verdict.ts'
import { addCheckPage, type CheckPublicly } from './check-page.ts'
import type { CertificateSource } from './certificate.ts'
import { collect, makeRoom, paceOf, type Collected, type Room } from './collect.ts'
import {
  badRequest,
  bodyText,
  httpReply,
  notFound,
  problem,
  success,
  tooLarge,
  tooSlow,
  unavailable,
  wireText,
  type HttpReply,
} from './https-reply.ts'
import {
  isHealthCheck,
  peerOf,
  provenanceOf,
  refuseFraming,
  refuseRoute,
  setAsideMediaType,
  type Post,
} from './https-request.ts'
import { answerBrokenRequest, makeHttpServer, makeIdleCloser, sayGoodbye } from './https-server.ts'
import { openPort, sendingMs, type Listener, type Logger } from './listener.ts'

export type IntakeDeps = {
  ingest: Ingest
  /** undefined where there is no such token; rejects when the store cannot tell. */
  findToken: (token: string) => Promise<Post['token']>
  /** Absent: there is no such page. */
  checkPublicly?: CheckPublicly
  /** false: a proxy in front has the certificate. */
  tls: boolean
  /** CIDRs of proxies whose X-Forwarded-For counts. */
  trustProxy: string[]
  limits: Limits
  limitExempt: (address: string) => boolean
  certificate: CertificateSource
  now: () => Date
  log: Logger
}

/** Opens the HTTPS port (HTTP without `tls`); on all addresses when `host` is undefined. Rejects when it is taken. */
export async function startIntake(deps: IntakeDeps, host: string | undefined, port: number): Promise<Listener> {
  const { limits, log } = deps
  const requestsOf = makeRateCount(limits.httpRequestsPerMinute)
  const isProxy = makeAddressTest(deps.trustProxy)
  const isUncounted = (peer: string) => isProxy(peer) || deps.limitExempt(peer)
  let draining = false
  const app = fastify({
    serverFactory: (handler) =>
      makeHttpServer(limits, deps.tls ? deps.certificate : undefined, isUncounted, log, handler),
    trustProxy: deps.trustProxy.length > 0 ? deps.trustProxy : false,
    genReqId: () => randomUUID(),
    clientErrorHandler: (error, socket) => {
      answerBrokenRequest(log, error, socket)
    },
    frameworkErrors: (error, request, reply) => {
      // A path that cannot be decoded; or one whose token is longer than any of ours.
      void answer(log, request, reply, error.code === 'FST_ERR_MAX_PARAM_LENGTH' ? notFound : badRequest)
    },
  })
  app.setErrorHandler((error, request, reply) => {
    log.error({ err: error, request_id: request.id }, 'a request made our own code throw')
    return answer(log, request, reply, unavailable('internal-error'))
  })
  app.addHook('onRequest', async (request, reply) => {
    const framing = refuseFraming(request, limits)
    if (framing && framing !== tooLarge) return hangUp(log, request, reply, framing)
    if (draining) return answer(log, request, reply, unavailable('shutting-down'))
    const peer = peerOf(request)
    const wait = isHealthCheck(request) || deps.limitExempt(peer) ? 0 : requestsOf(callerOf(peer), performance.now())
    if (framing)
      return hangUp(log, request, reply, wait > 0 ? tooManyRequests(wait) : await refuseTooLarge(deps, request))
    const refusal = wait > 0 ? tooManyRequests(wait) : refuseRoute(request, deps.checkPublicly !== undefined)
    if (refusal) return answer(log, request, reply, refusal)
    setAsideMediaType(request)
    return undefined
  })
  app.addHook('onSend', (_request, reply, _body, done) => {
    if (draining) reply.header('connection', 'close')
    done()
  })
  addRoutes(app, deps)
  const closeIdle = makeIdleCloser(app.server)
  await app.ready()
  const bound = await openPort(app.server, host, port)

  let closed: Promise<void> | undefined
  const drain = async () => {
    draining = true
    const done = once(app.server.close(), 'close')
    closeIdle()
    const idle = setInterval(closeIdle, 100) // More become idle as they are answered.
    const tooLate = setTimeout(() => {
      app.server.closeAllConnections()
    }, sendingMs(limits))
    await done
    clearInterval(idle)
    clearTimeout(tooLate)
    await app.close()
  }
  return { port: bound, close: () => (closed ??= drain()) }
}

const tooManyRequests = (seconds: number): HttpReply =>
  problem(429, 'too-many-requests', 'There were too many requests from this address.', {
    headers: { 'retry-after': String(seconds) },
  })

function addRoutes(app: FastifyInstance, deps: IntakeDeps): void {
  const { limits, log } = deps
  const room = makeRoom(limits.compressedBytes)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request: FastifyRequest, payload: FastifyRequest['raw']) =>
    collect(payload, limits.compressedBytes, room, paceOf(limits)),
  )
  app.decorateRequest('statedMediaType', undefined)
  app.decorateRequest('token', undefined)

  if (deps.checkPublicly) addCheckPage(app, { ...deps, checkPublicly: deps.checkPublicly })
  app.get('/healthz', (_request, reply) => reply.headers(success().headers).send())
  app.post('/v1/tlsrpt', (request, reply) => receive(deps, room, request, reply))
  const findToken = async (request: FastifyRequest<{ Params: { token: string } }>, reply: FastifyReply) => {
    let token: Post['token']
    try {
      token = await deps.findToken(request.params.token)
    } catch (error) {
      log.error({ err: error, request_id: request.id }, 'an intake token could not be looked up')
      return answer(log, request, reply, unavailable('temporary-failure'))
    }
    if (token === undefined) return answer(log, request, reply, notFound)
    request.setDecorator('token', token)
    return undefined
  }
  app.post('/v1/tlsrpt/:token', { onRequest: findToken }, (request, reply) => receive(deps, room, request, reply))
}

/** A body that is not there is an empty one: the road knows what to say of it. */
async function receive(
  deps: IntakeDeps,
  room: Room,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = (request.body ?? { kind: 'whole', bytes: Buffer.alloc(0) }) as Collected
  switch (body.kind) {
    case 'broken-off':
      return reply.hijack() // Nobody is there to hear an answer.
    case 'too-large':
      return hangUp(deps.log, request, reply, await refuseTooLarge(deps, request))
    case 'too-slow':
      return hangUp(deps.log, request, reply, tooSlow)
    case 'no-room':
      return hangUp(deps.log, request, reply, unavailable('overloaded'))
    case 'whole': {
      const { answered, ...facts } = await takePost(deps, request, body.bytes)
      room.left += body.bytes.length
      return answer(deps.log, request, reply, answered, facts)
    }
  }
}

/** Nothing of it is kept but that it came. */
const refuseTooLarge = async (deps: IntakeDeps, request: FastifyRequest): Promise<HttpReply> =>
  (await takePost(deps, request, Buffer.alloc(0), true)).answered

/** Sends one post down the road. Never rejects. */
async function takePost({ ingest, log, now }: IntakeDeps, request: FastifyRequest, raw: Buffer, isCut = false) {
  const provenance = provenanceOf(request)
  const facts = { size: raw.length, media_type: provenance.mediaType, token: provenance.token?.key }
  try {
    const outcome = decisiveOutcome(
      await ingest({ raw, form: 'report', arrivedAt: now(), provenance, ...(isCut && { cut: true }) }),
    )
    return { answered: httpReply(outcome, provenance.mediaType), verdict: outcome.kind, ...facts }
  } catch (error) {
    log.error({ err: error, request_id: request.id, ...facts }, 'a post could not be taken')
    return { answered: unavailable('temporary-failure'), ...facts }
  }
}

/** Gives an answer, and the log its one line; `facts` go into that. */
function answer(
  log: Logger,
  request: FastifyRequest,
  reply: FastifyReply,
  answered: HttpReply,
  facts: object = {},
): FastifyReply {
  tell(log, request, answered, facts)
  return reply
    .code(answered.status)
    .headers(answered.headers)
    .send(bodyText(answered, request.id) || undefined)
}

/** Gives an answer to a client that may still be sending, and takes no more from this connection. */
function hangUp(log: Logger, request: FastifyRequest, reply: FastifyReply, answered: HttpReply): FastifyReply {
  // With earlier requests on the connection still unanswered it has to wait for its turn, and closes the hard way.
  if (reply.raw.socket === null) return answer(log, request, reply.header('connection', 'close'), answered)
  tell(log, request, answered, {})
  request.raw.resume()
  sayGoodbye(request.raw.socket, wireText(answered, request.id))
  return reply.hijack()
}

function tell(log: Logger, request: FastifyRequest, { status, body }: HttpReply, facts: object): void {
  const { reason, submission_key } = { reason: undefined, submission_key: undefined, ...body }
  const peer = peerOf(request)
  log.info({ transport: 'https', status, reason, submission_key, ...facts, peer, request_id: request.id }, 'post')
}
