/** The API on a database of its own, asked without a socket. */
import type { TestContext } from 'node:test'
import pino from 'pino'
import type { Api, ApiDeps } from '../../src/api/route.ts'
import { makeApi } from '../../src/api/server.ts'
import { makeChecker } from '../../src/checker.ts'
import { readConfig } from '../../src/config.ts'
import { keyAt, newToken } from '../../src/keys.ts'
import { defaultLimits } from '../../src/limits.ts'
import { makeRoad } from '../../src/road.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { makeOwnDomains } from '../../src/store/domains.ts'
import { createToken, type Scope } from '../../src/store/tokens.ts'
import type { OwnDomain } from '../../src/tlsrpt/ownership.ts'
import { takeFile } from '../../src/transport/file.ts'
import { freshDatabase, testDatabaseOptions } from './database.ts'

export const adminToken = 'the-admin-token-of-the-tests'
export const product = { name: 'tlsrpt-receiver', version: '0.0.0' }
/** The windows of the tests stand by this. */
export const noon = new Date('2026-11-21T12:00:00Z')

export type TestApi = {
  api: Api
  db: Database
  logged: { level: string; context: Record<string, unknown> }[]
  get: (url: string) => Promise<Answer>
  /** The rows of all pages, one after the other. */
  walk: (url: string) => Promise<Body['data']>
}

export type Answer = { status: number; headers: Record<string, unknown>; json: Body; body: string; bytes: Buffer }

/** What answers have in common; which members there are depends on what was asked. */
export type Body = Record<string, unknown> & {
  data: Record<string, unknown>[]
  totals: Record<string, unknown>
  page: { next_cursor: string | null }
  window: { from: string; to: string }
  reason: string
  detail: string
  errors?: { parameter?: string; pointer?: string; message: string }[]
}

type Given = Partial<Omit<ApiDeps, 'ownDomains'>> & { environment?: OwnDomain[]; any?: boolean }

export async function startApi(given: Given = {}, t?: TestContext): Promise<TestApi> {
  const { environment = [], any = false, ...replaced } = given
  const db = given.db ?? (await freshDatabase(t)).db
  const logged: TestApi['logged'] = []
  const hear = (level: string) => (context: unknown) => {
    logged.push({ level, context: context as Record<string, unknown> })
  }
  const now = given.now ?? (() => noon)
  const domains = { policyDomains: environment.map(({ domain }) => domain), anyPolicyDomain: any }
  const resolveTxt = () => Promise.resolve({ kind: 'missing' } as const)
  const { ingest, replay } = makeRoad(db, { ...readConfig({}), ...domains }, pino({ level: 'silent' }), {
    now,
    resolveTxt,
  })
  const lookUp = () => Promise.resolve({ kind: 'missing' as const, reason: 'no-such-name' as const, authenticated: false, aliases: [] }) // prettier-ignore
  const checker = await makeChecker(readConfig({}), { now, nowMs: () => performance.now(), product, lookUp })
  const api = await makeApi({
    db,
    ownDomains: makeOwnDomains(db, environment, any, () => noon),
    adminToken,
    newToken,
    newKey: keyAt,
    checker,
    product,
    rua: ['mailto:tlsrpt@rua.example'],
    now: () => noon,
    limits: defaultLimits,
    limitExempt: () => false,
    takeFile: (bytes, fileName) => takeFile(bytes, fileName, { ingest, limits: defaultLimits, now }),
    replay,
    ready: () => Promise.resolve({ ready: true, reasons: [] }),
    exposeMetrics: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }),
    page: Promise.resolve('/nonexistent'),
    log: { info: hear('info'), error: hear('error') },
    ...replaced,
  })
  const get = (url: string) => call(api, 'GET', url)
  const walk = async (url: string) => {
    const rows: Body['data'] = []
    let cursor: string | null = null
    do {
      const { json } = await get(cursor === null ? url : `${url}&cursor=${cursor}`)
      rows.push(...json.data)
      cursor = json.page.next_cursor
    } while (cursor !== null)
    return rows
  }
  return { api, db, logged, get, walk }
}

/** With the admin token, unless other headers say so. */
export async function call(
  api: Api,
  method: 'GET' | 'PUT' | 'DELETE' | 'POST' | 'HEAD' | 'PATCH' | 'OPTIONS',
  url: string,
  {
    headers = { authorization: `Bearer ${adminToken}` },
    body,
    from = '192.0.2.7',
  }: { headers?: Record<string, string>; body?: unknown; from?: string } = {},
): Promise<Answer> {
  const response = await api.inject({
    method,
    url,
    headers,
    remoteAddress: from,
    ...(body !== undefined && { payload: body as object }),
  })
  const isJson = response.body !== '' && String(response.headers['content-type']).includes('json')
  return {
    status: response.statusCode,
    headers: response.headers,
    json: (isJson ? response.json<Body>() : {}) as Body,
    body: response.body,
    bytes: response.rawPayload,
  }
}

export const without = (name: string, members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([key]) => key !== name))

/** Headers of a new token for these domains; without any, for all. */
export async function tokenFor(db: Database, domains: readonly string[], scopes: readonly Scope[] = ['read', 'write']) {
  const { key, token } = newToken(noon)
  await createToken(db, { name: 'of a test', scopes, domains }, key, token)
  return { authorization: `Bearer ${token}` }
}

/** A database that nobody answers for. */
export const databaseAway = (): Database =>
  openDatabase(
    'postgres://nobody@127.0.0.1:1/none',
    { ...testDatabaseOptions, connectionTimeoutMs: 500 },
    () => undefined,
  )
