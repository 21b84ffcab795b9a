/** Whether the database is there, is one that we may use, and has our schema: asked from the start until it is so. */
import { setTimeout as sleep } from 'node:timers/promises'
import { UnusableDatabase, type Database } from './store/database.ts'
import { migrate } from './store/migrate.ts'

type Log = Record<'info' | 'error', (context: object, message: string) => void>

export type Schema = {
  isReady: () => boolean
  /** Why not, for /readyz. */
  reason: () => string
  done: Promise<void>
  /**
   * Resolves after the first try, well or not, and after a few seconds at most: who says ready should mean it. Rejects
   * when the database answers and is none that we may use.
   */
  tried: Promise<unknown>
  outdated: Promise<never>
  close: () => Promise<void>
}

/** Brings the schema up to date, now or as soon as the database answers. */
export function startMigration(db: Database, folder: string, log: Log): Schema {
  const stopping = new AbortController()
  let ready = false
  let reason = 'the database schema is being brought up to date'
  let told: string | undefined
  const firstTry = Promise.withResolvers<undefined>()
  const outdated = Promise.withResolvers<never>()
  const tried = Promise.race([firstTry.promise, sleep(5_000, undefined, { ref: false })])
  for (const promise of [tried, outdated.promise]) promise.catch(() => undefined) // Who waits for it hears it all the same.
  const succeeds = async (): Promise<boolean> => {
    try {
      await migrate(db, folder, (name) => {
        log.info({ migration: name }, 'migrated')
      })
      ready = true
    } catch (error) {
      reason = whyNotReady(error, 'the database schema cannot be brought up to date; the log says why')
      const { message } = error as Error
      if (message !== told) log.error({ err: error }, 'the database schema cannot be brought up to date; trying again')
      told = message // Once a second is too often to say the same.
      if (error instanceof UnusableDatabase) firstTry.reject(error)
      if (error instanceof UnusableDatabase && error.forGood) outdated.reject(error)
    }
    firstTry.resolve(undefined)
    return ready
  }
  const done = (async () => {
    while (!stopping.signal.aborted && !(await succeeds())) {
      await sleep(1_000, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  })()
  return {
    isReady: () => ready,
    reason: () => reason,
    done,
    tried,
    outdated: outdated.promise,
    close: async () => {
      stopping.abort()
      await done
    },
  }
}

/** What /readyz tells anybody: no word of the driver's, which may name what is nobody's business. */
const whyNotReady = (error: unknown, otherwise: string): string =>
  error instanceof UnusableDatabase ? error.message : otherwise

/** Whether it can take and answer, and why not; for anybody who asks. */
export async function readiness(db: Database, schema: Schema): Promise<{ ready: boolean; reasons: string[] }> {
  if (!schema.isReady()) return { ready: false, reasons: [schema.reason()] }
  return db.query('select 1').then(
    () => ({ ready: true, reasons: [] }),
    (error: unknown) => ({ ready: false, reasons: [whyNotReady(error, 'the database does not answer')] }),
  )
}
