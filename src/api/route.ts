/** What every route is given: the server to stand in, and what it may ask. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Checker } from '../checker.ts'
import type { Replay } from '../ingest.ts'
import type { Limits } from '../limits.ts'
import type { Database } from '../store/database.ts'
import type { OwnDomains } from '../store/domains.ts'
import type { ReadLimits } from '../tlsrpt/read.ts'
import type { Outcome } from '../tlsrpt/verdict.ts'
import type { Visible } from '../store/question.ts'
import type { Scope } from '../store/tokens.ts'

export type ApiDeps = {
  db: Database
  ownDomains: OwnDomains
  adminToken: string
  /** 256 random bits and a key for them; the time stands in the key. */
  newToken: (at: Date) => { key: string; token: string }
  /** In order of time. */
  newKey: (at: Date) => string
  checker: Checker
  product: { name: string; version: string }
  /** Where reports reach this instance: `mailto:` and `https:` URIs. */
  rua: string[]
  now: () => Date
  limits: ReadLimits &
    Pick<
      Limits,
      | 'apiRequestsPerMinute'
      | 'apiFailedSignInsPerMinute'
      | 'apiSessionHours'
      | 'httpConnections'
      | 'httpHeaderSeconds'
      | 'httpRequestSeconds'
      | 'messageBytes'
      | 'compressedBytes'
    >
  /** Sends a file down the road: an outcome for each report in it (transport/file.ts). */
  takeFile: (bytes: Buffer, fileName: string) => Promise<Outcome[]>
  replay: Replay
  /** Whether an address is free of the limits that go by address. */
  limitExempt: (address: string) => boolean
  ready: () => Promise<{ ready: boolean; reasons: string[] }>
  /** What Prometheus is told (metrics.ts). */
  exposeMetrics: () => Promise<{ contentType: string; text: string }>
  /** The folder of the dashboard, once it is as ready as it gets (page-build.ts); without index.html in it, there is none. */
  page: Promise<string>
  log: Pick<FastifyBaseLogger, 'info' | 'error'>
}

export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

/** Who asks, by the token that was brought. */
export type Caller = {
  /** Of the token; 'admin' is the admin token. */
  key: string
  /** For what is noted about who did what. */
  name: string
  scopes: readonly Scope[]
  /** The wall: whatever a route asks of the store it asks with this. */
  visible: Visible
  /** When the session ends, for who came with its cookie. */
  sessionEndsAt?: Date
}

declare module 'fastify' {
  // Only an interface can be added to.
  /* eslint-disable @typescript-eslint/consistent-type-definitions */
  interface FastifyContextConfig {
    /** Needs no token. */
    public?: boolean
    /** What the token must be good for, 'any' is for whatever it is; left out: 'read' to GET, 'write' for anything else. */
    scope?: Scope | 'any'
  }
  interface FastifyRequest {
    caller: Caller
  }
  /* eslint-enable @typescript-eslint/consistent-type-definitions */
}
