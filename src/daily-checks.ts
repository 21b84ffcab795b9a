/** Each domain of ours is looked at from outside once a day, by whichever instance takes its turn. */
import type { Logger } from 'pino'
import type { Checker } from './checker.ts'
import { recordCheck, takeDailyTurn } from './store/checks.ts'
import type { Database } from './store/database.ts'
import type { OwnDomains } from './store/domains.ts'

export type DailyChecksDeps = {
  db: Database
  checker: Pick<Checker, 'check'>
  ownDomains: OwnDomains
  newKey: (at: Date) => string
  now: () => Date
  isReady: () => boolean
  log: Pick<Logger, 'info' | 'error'>
}

const lookEveryMs = 60_000
/** Ten thousand domains of five seconds each are through in three hours. */
const atOnce = 5

/** Begins a minute after the start. The answer ends it, and waits for the checks that are under way. */
export function startDailyChecks(deps: DailyChecksDeps): () => Promise<void> {
  let isEnding = false
  let running = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => (deps.isReady() ? checkWhatIsDue(deps, () => isEnding) : undefined))
  }, lookEveryMs)
  return async () => {
    isEnding = true
    clearInterval(timer)
    await running
  }
}

/** Never rejects: what failed is tried again tomorrow, and the log says so. */
export async function checkWhatIsDue(deps: DailyChecksDeps, isEnding: () => boolean): Promise<void> {
  try {
    const domains = (await deps.ownDomains.list()).map(({ domain }) => domain)
    await Promise.all(Array.from({ length: atOnce }, () => workThrough(domains, deps, isEnding)))
  } catch (error) {
    deps.log.error({ err: error }, 'daily checks failed; trying again in a minute')
  }
}

async function workThrough(domains: string[], deps: DailyChecksDeps, isEnding: () => boolean): Promise<void> {
  const { db, checker, newKey, now, log } = deps
  while (!isEnding()) {
    const domain = await takeDailyTurn(db, domains, now())
    if (domain === undefined) return
    const check = await checker.check(domain, () => undefined)
    await recordCheck(db, { key: newKey(new Date(check.startedAt)), askedBy: null, check })
    log.info({ domain, severity: check.severity }, 'checked')
  }
}
