/** The API (design: JSON under /v1): what every request goes through, whatever it asks for. */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import fastify from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { makeTokenFinder, type TokenFinder } from '../store/tokens.ts'
import { addArrivals } from './arrivals.ts'
import { addCauses } from './causes.ts'
import { addChecks } from './checks.ts'
import { addDecisions } from './decisions.ts'
import { addDocs } from './docs.ts'
import { addDomains } from './domains.ts'
import { addFailures } from './failures.ts'
import { addHealth } from './health.ts'
import { addInstance } from './instance.ts'
import { answerLists } from './lists.ts'
import { addMetrics } from './metrics.ts'
import { addOpenApi, documentRoutes } from './openapi.ts'
import { addPage } from './page.ts'
import { addPolicyVersions } from './policy-versions.ts'
import { answerProblem, Problem, problemBody, problemType, toProblem, tooManyRequests } from './problem.ts'
import { addReadiness } from './readiness.ts'
import { addRecords } from './records.ts'
import { addReporters } from './reporters.ts'
import { addReportJson } from './report-json.ts'
import { addReports } from './reports.ts'
import { addResultTypes } from './result-types.ts'
import type { Api, ApiDeps } from './route.ts'
import { addSelfTest } from './selftest.ts'
import { addSession, makeSessions, type Sessions } from './session.ts'
import { bearerToken, findSignedIn, makeSignIn, nobody, requireScope, scopeOf } from './sign-in.ts'
import { addSubmissions } from './submissions.ts'
import { addSummary } from './summary.ts'
import { addTimeseries } from './timeseries.ts'
import { addTokens } from './tokens.ts'
import { addUploads } from './uploads.ts'

const bodyBytes = 64 * 1024
const keepAliveMs = 5_000
/** How often Node looks for requests beyond their deadline. */
const checkingMs = 1_000

/** All routes in place; the caller listens and closes. */
export async function makeApi(deps: ApiDeps): Promise<Api> {
  const { limits, log } = deps
  const requestMs = limits.httpRequestSeconds * 1000
  const app: Api = fastify({
    bodyLimit: bodyBytes,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    http: {
      headersTimeout: Math.min(limits.httpHeaderSeconds * 1000, requestMs),
      connectionsCheckingInterval: checkingMs,
    },
    routerOptions: { maxParamLength: 1_024 },
    genReqId: () => randomUUID(),
    frameworkErrors: (error, request, reply) => void answerProblem(toProblem(error), request, reply),
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.end(brokenRequest(error.code))
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.server.maxConnections = limits.httpConnections
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error as Parameters<typeof toProblem>[0])
    if (problem.status >= 500) log.error({ err: error, request_id: request.id }, 'a request could not be answered')
    return answerProblem(problem, request, reply)
  })
  app.addHook('onResponse', async (request, reply) => {
    const { id, method, ip, routeOptions } = request
    if (routeOptions.config.public && reply.statusCode < 400) return // Probes, every few seconds.
    const ms = Math.round(reply.elapsedTime)
    // The route, not the address: what stands in an address may be a secret put there by mistake.
    log.info({ request_id: id, method, route: routeOptions.url, status: reply.statusCode, ms, peer: ip }, 'answered')
  })
  const tokens = makeTokenFinder(deps.db, deps.now)
  const signIn = await addGuards(app, deps, tokens)
  await documentRoutes(app, deps)
  answerLists(app)
  await addRoutes(app, deps, tokens, signIn)
  await app.ready()
  return app
}

/** Security headers, limits, sign-in: in this order, before a body is read. Answers how a browser signs in. */
async function addGuards(app: Api, deps: ApiDeps, tokens: TokenFinder): Promise<SignIn> {
  const { limits, limitExempt } = deps
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'connect-src': ["'self'"],
        'frame-ancestors': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
      },
    },
    frameguard: { action: 'deny' },
    strictTransportSecurity: false, // Plain HTTP on loopback; a proxy in front knows better.
  })
  await app.register(rateLimit, { global: false, ipv6Subnet: 64 })
  const requests = app.createRateLimit({
    max: limits.apiRequestsPerMinute,
    timeWindow: 60_000,
    allowList: ({ ip }) => limitExempt(ip),
  })
  const sessions = await makeSessions(app, deps)
  const signIn = makeSignIn(app, deps, tokens)
  app.decorateRequest('caller')
  app.addHook('onRequest', async (request, reply) => {
    request.caller = nobody
    // What is told depends on who asks: no cache may keep it, and one that does must not mix them up.
    reply.headers({ 'cache-control': 'no-store', vary: 'Authorization, Cookie' })
    const rate = await requests(request)
    if (!rate.isAllowed && rate.isExceeded) throw tooManyRequests(rate.ttlInSeconds)
    const { config } = request.routeOptions
    if (request.is404 || config.public) return
    request.caller = (await findSignedIn(request, sessions, tokens)) ?? (await signIn(request, bearerToken(request)))
    requireScope(request.caller, config.scope ?? scopeOf(request.method))
  })
  return { sessions, signIn }
}

type SignIn = { sessions: Sessions; signIn: ReturnType<typeof makeSignIn> }

async function addRoutes(app: Api, deps: ApiDeps, tokens: TokenFinder, { sessions, signIn }: SignIn): Promise<void> {
  const methods = collectMethods(app)
  addSummary(app, deps)
  addTimeseries(app, deps)
  addCauses(app, deps)
  addFailures(app, deps)
  addPolicyVersions(app, deps)
  addReports(app, deps)
  addReportJson(app, deps)
  addDecisions(app, deps)
  addReporters(app, deps)
  addSubmissions(app, deps)
  addArrivals(app, deps)
  await addUploads(app, deps)
  addDomains(app, deps)
  addTokens(app, deps, tokens)
  addSession(app, deps, sessions, signIn)
  addResultTypes(app)
  addInstance(app, deps)
  addChecks(app, deps)
  addRecords(app, deps)
  addReadiness(app, deps)
  addSelfTest(app, deps)
  addHealth(app, deps)
  addMetrics(app, deps)
  addOpenApi(app)
  addDocs(app)
  await addPage(app, deps)
  refuseOtherMethods(app, methods())
}

/** Answers, when asked, which methods each address has by then. */
function collectMethods(app: Api): () => Map<string, string[]> {
  const methodsOf = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    methodsOf.set(url, [...(methodsOf.get(url) ?? []), ...[method].flat()])
  })
  return () => new Map(methodsOf)
}

/** RFC 9110 §15.5.6: fastify by itself would say 404. */
function refuseOtherMethods(app: Api, methodsOf: Map<string, string[]>): void {
  for (const [url, methods] of methodsOf) {
    const refuse = () => {
      throw new Problem(405, 'method-not-allowed', `Only ${methods.join(', ')} will do.`, {
        headers: { allow: methods.join(', ') },
      })
    }
    const others = app.supportedMethods.filter((method) => !methods.includes(method))
    app.route({
      url,
      method: others,
      config: { public: true },
      schema: { hide: true },
      onRequest: refuse,
      handler: refuse,
    })
  }
}

/** For what never became a request to Node: too slow, no HTTP, or headers beyond all measure. */
function brokenRequest(code: string | undefined): string {
  const problem =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new Problem(408, 'request-timeout', 'The request took too long to arrive.')
      : new Problem(400, 'bad-request', 'This is no proper HTTP request, or its headers are too large.')
  const body = JSON.stringify(problemBody(problem, randomUUID()))
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}
