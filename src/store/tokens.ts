/** Tokens: 256 random bits each, kept only as SHA-256, so that a copy of the store opens nothing. */
import { createHash } from 'node:crypto'
import { domainName } from '../tlsrpt/domain-name.ts'
import { organizationalDomain } from '../tlsrpt/ownership.ts'
import type { Database } from './database.ts'
import { makeBind, type Bind, type Visible } from './question.ts'

/** 'ingest' posts reports, and nothing else; the others are for the API, where 'admin' is all of them. */
export const scopes = ['read', 'write', 'ingest', 'admin'] as const

export type Scope = (typeof scopes)[number]

/** `domains` are what it may see and do, or what it ties a post to; [] is every domain. Names as in OwnDomain. */
export type TokenSpec = { name: string; scopes: readonly Scope[]; domains: readonly string[] }

const maxNameLength = 100
const maxDomains = 1_000

/** What is wrong with it, by a JSON pointer; undefined where it may be created. */
export function specProblem({ name, scopes, domains }: TokenSpec): { pointer: string; message: string } | undefined {
  const bad = domains.findIndex((name) => domainName(name) !== name || organizationalDomain(name) === undefined)
  if (name.trim() === '' || name.length > maxNameLength)
    return { pointer: '/name', message: `must have 1 to ${maxNameLength} characters` }
  if (/\p{Cc}|\p{Cs}/u.test(name)) return { pointer: '/name', message: 'must have no control characters' }
  if (scopes.length === 0) return { pointer: '/scopes', message: 'must name one scope at least' }
  if (scopes.includes('ingest') && scopes.length > 1)
    return { pointer: '/scopes', message: 'ingest goes with no other scope: its token stands in public DNS' }
  if (domains.length > maxDomains) return { pointer: '/domains', message: `may be ${maxDomains} at most` }
  if (bad !== -1) return { pointer: `/domains/${bad}`, message: 'must be a domain name with a public suffix below it' }
  return undefined
}

/** Keeps a new token under a key of the caller's making. Rejects when either was there before. */
export async function createToken(
  db: Database,
  { name, scopes, domains }: TokenSpec,
  key: string,
  token: string,
): Promise<void> {
  await db.query('insert into token (key, name, hash, scopes, domains) values ($1, $2, $3, $4, $5)', [
    key,
    name,
    hashOf(token),
    scopes,
    domains,
  ])
}

export type TokenRow = {
  key: string
  name: string
  scopes: Scope[]
  domains: string[]
  createdAt: Date
  /** Null while it is good. */
  revokedAt: Date | null
}

/** Newest first, the revoked ones as well; without a limit all. `after` is the key that a page ended with. */
export async function listTokens(
  db: Database,
  { visible, limit }: { visible: Visible; limit: number | undefined },
  after?: string,
): Promise<TokenRow[]> {
  const { bind, values } = makeBind()
  const { rows } = await db.query<TokenRow>(
    `select key, name, scopes, domains, created_at as "createdAt", revoked_at as "revokedAt" from token
     where ${isWithin(visible, bind)} and ${after === undefined ? 'true' : `key < ${bind(after)}`}
     order by key desc limit ${bind(limit)}`,
    values,
  )
  return rows
}

/** For good; false when whoever asks has no token of that key, which may be any text. Again is as once. */
export async function revokeToken(db: Database, key: string, visible: Visible): Promise<boolean> {
  const { bind, values } = makeBind()
  const { rowCount } = await db.query(
    `update token set revoked_at = least(revoked_at, now()) where key::text = ${bind(key.toLowerCase())} and ${isWithin(visible, bind)}`,
    values,
  )
  return rowCount === 1
}

/** Who may see some domains has to do with tokens for these alone. */
const isWithin = (visible: Visible, bind: Bind): string =>
  visible === undefined ? 'true' : `domains <> '{}' and domains <@ ${bind(visible)}::text[]`

/**
 * The intake token that a report was posted to, if it is one of ours and not revoked. `domains` are those it ties the
 * post to, [] all. Looked up by its hash, so timing tells nothing about the token.
 */
export async function findIntakeToken(
  db: Database,
  token: string,
): Promise<{ key: string; domains: string[] } | undefined> {
  const { rows } = await db.query<{ key: string; domains: string[] }>(
    `select key, domains from token where hash = $1 and revoked_at is null and 'ingest' = any(scopes)`,
    [hashOf(token)],
  )
  return rows[0]
}

export type ApiToken = { key: string; name: string; scopes: Scope[]; domains: string[] }

/** The same for the API. */
export async function findToken(db: Database, token: string): Promise<ApiToken | undefined> {
  const { rows } = await db.query<ApiToken>(
    `select key, name, scopes, domains from token where hash = $1 and revoked_at is null and not 'ingest' = any(scopes)`,
    [hashOf(token)],
  )
  return rows[0]
}

/** A token by its key, for who has shown before that it is his; undefined where it is revoked, or none of the API. */
export async function findTokenByKey(db: Database, key: string): Promise<ApiToken | undefined> {
  const { rows } = await db.query<ApiToken>(
    `select key, name, scopes, domains from token where key = $1 and revoked_at is null and not 'ingest' = any(scopes)`,
    [key],
  )
  return rows[0]
}

export type TokenFinder = {
  /** As of a second ago at most, so that a busy caller is not asked for with every request. Rejects as the database does. */
  find: (token: string) => Promise<ApiToken | undefined>
  /** The same by its key. */
  findByKey: (key: string) => Promise<ApiToken | undefined>
  /** What is asked from now on is asked anew: a token was revoked here. */
  forget: () => void
}

const maxAgeMs = 1_000
const maxKnown = 1_000

/** Only tokens that are good are remembered: of the others there is no end. */
export function makeTokenFinder(db: Database, now: () => Date): TokenFinder {
  type Known = { asOf: number; found: Promise<ApiToken | undefined> }
  const known = new Map<string, Known>()
  const isRecent = ({ asOf }: Known) => Math.abs(now().getTime() - asOf) < maxAgeMs // Clocks are set back, too.
  const remembered = async (id: string, ask: () => Promise<ApiToken | undefined>) => {
    const before = known.get(id)
    if (before && isRecent(before)) return before.found
    const asked = { asOf: now().getTime(), found: ask() }
    known.delete(id) // A Map is in the order of its insertions: the oldest goes first.
    known.set(id, asked)
    for (const oldest of known.keys()) if (known.size > maxKnown) known.delete(oldest)
    let isGood = false
    try {
      const found = await asked.found
      isGood = found !== undefined
      return found
    } finally {
      if (!isGood && known.get(id) === asked) known.delete(id)
    }
  }
  return {
    find: (token) => remembered(hashOf(token).toString('base64'), () => findToken(db, token)),
    findByKey: (key) => remembered(key, () => findTokenByKey(db, key)), // A UUID is no hash.
    forget: () => {
      known.clear()
    },
  }
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()
