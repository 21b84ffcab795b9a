/** Whose reports never count, held still while it is acted upon: no arrival may slip past a block that was just set. */
import type { QueryResult } from 'pg'
import type { Queryable } from './database.ts'

/** Any number that no other program takes on the same database: RFC 8460, fourth lock. */
const advisoryLock = 84604

const blockedReporters = `select domain from reporter where standing = 'blocked'`

type Rows = QueryResult<{ domain: string }>

/**
 * The blocked reporters, who stay the same until the end of the transaction: whoever blocks or unblocks one waits for
 * it. To be called before any claim is locked.
 */
export const holdBlocked = (tx: Queryable): Promise<ReadonlySet<string>> => askHolding(tx, [])

/** The same as the first thing a transaction does, in one round trip with BEGIN. */
export const beginHoldingBlocked = (client: Queryable): Promise<ReadonlySet<string>> => askHolding(client, ['begin'])

async function askHolding(tx: Queryable, first: string[]): Promise<ReadonlySet<string>> {
  // One message, several statements, each with a snapshot of its own: the last sees what the lock has waited for.
  const statements = [...first, `select pg_advisory_xact_lock_shared(${advisoryLock})`, blockedReporters]
  const answers = (await tx.query(statements.join(';'))) as unknown as (QueryResult | Rows)[]
  return namesOf(answers.at(-1) as Rows)
}

/** The blocked reporters as this statement sees them, for who only looks. */
export async function readBlocked(tx: Queryable): Promise<ReadonlySet<string>> {
  return namesOf(await tx.query(blockedReporters))
}

const namesOf = ({ rows }: Rows): ReadonlySet<string> => new Set(rows.map(({ domain }) => domain))

/** Waits for all who hold the blocked reporters, and has new ones wait until COMMIT: to be called before a change. */
export async function lockBlocked(tx: Queryable): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [advisoryLock])
}
