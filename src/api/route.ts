/** What every route is given: the server to stand in, and what it may ask. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Limits } from '../limits.ts'
import type { Database } from '../store/database.ts'
import type { OwnDomains } from '../store/domains.ts'

export type ApiDeps = {
  db: Database
  ownDomains: OwnDomains
  adminToken: string
  product: { name: string; version: string }
  now: () => Date
  limits: Pick<
    Limits,
    | 'apiRequestsPerMinute'
    | 'apiFailedSignInsPerMinute'
    | 'httpConnections'
    | 'httpHeaderSeconds'
    | 'httpRequestSeconds'
  >
  /** Whether an address is free of the limits that go by address. */
  limitExempt: (address: string) => boolean
  ready: () => Promise<{ ready: boolean; reasons: string[] }>
  log: Pick<FastifyBaseLogger, 'info' | 'error'>
}

export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

declare module 'fastify' {
  // Only an interface can be added to.
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions
  interface FastifyContextConfig {
    /** Needs no token. */
    public?: boolean
  }
}
