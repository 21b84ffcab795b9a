/** Questions of one shape, asked again and again, are parsed and planned once a connection. */
import { createHash } from 'node:crypto'
import type { QueryConfig } from 'pg'
import type { Database } from './database.ts'

/** Of one pool. A shape more is planned each time: each connection keeps some 100 kB for every plan. */
const mostShapes = 100

/** Text -> name. */
const shapesOf = new WeakMap<Database, Map<string, string>>()

/**
 * The statement under a name, so that Postgres keeps its plan. For what touches few rows: planning the sums of a domain
 * over a dozen partitions takes 1.2 ms, and the answer for a small one 0.4. Not for statements over all domains, whose
 * best plan depends on the window.
 */
export function prepared(db: Database, text: string, values: unknown[]): QueryConfig {
  const shapes = shapesOf.get(db) ?? new Map<string, string>()
  shapesOf.set(db, shapes)
  const known = shapes.get(text)
  if (known === undefined && shapes.size >= mostShapes) return { text, values }
  const name = known ?? createHash('sha256').update(text).digest('base64url')
  shapes.set(text, name)
  return { name, text, values }
}
