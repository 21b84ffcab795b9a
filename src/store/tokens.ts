/** Tokens: 256 random bits each, kept only as SHA-256, so that a copy of the store opens nothing. */
import { createHash } from 'node:crypto'
import type { Database } from './database.ts'

/** 'ingest' posts reports; the others read and write through the API. */
export type Scope = 'read' | 'write' | 'ingest' | 'admin'

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

/** Keeps a new token under a key of the caller's making. Rejects when either was there before. */
export async function createToken(
  db: Database,
  { name, scopes, domains }: { name: string; scopes: readonly Scope[]; domains: readonly string[] },
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

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()
