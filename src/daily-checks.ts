/** Each domain of ours is looked at from outside once a day, by whichever instance takes its turn. */
import type { Logger } from 'pino'
import type { Checker } from './checker.ts'
import { giveDailyTurnBack, recordCheck, takeDailyTurn } from './store/checks.ts'
import type { Database } from './store/database.ts'
import type { OwnDomains } from './store/domains.ts'

export type DailyChecksDeps = {
  db: Database
  checker: Pick<Checker, 'checkPatiently'>
  ownDomains: OwnDomains
  newKey: (at: Date) => string
  now: () => Date
  isReady: () => boolean
  log: Pick<Logger, 'info' | 'error'>
}

const lookEveryMs = 60_000
/** Ten thousand domains of five seconds each are through in three hours. */
const atOnce = 5

/** Begins a minute after the start. The answer ends it; checks that are under way are given up, and made again later. */
export function startDailyChecks(deps: DailyChecksDeps): () => Promise<void> {
  const ending = new AbortController()
  let running = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => (deps.isReady() ? checkWhatIsDue(deps, ending.signal) : undefined))
  }, lookEveryMs)
  return async () => {
    ending.abort()
    clearInterval(timer)
    await running
  }
}

/** Never rejects: what failed is tried again tomorrow, and the log says so. */
export async function checkWhatIsDue(deps: DailyChecksDeps, ending: AbortSignal): Promise<void> {
  try {
    const domains = (await deps.ownDomains.list()).map(({ domain }) => domain)
    const checkOne = deps.checker.checkPatiently(ending)
    await Promise.all(Array.from({ length: atOnce }, () => workThrough(domains, checkOne, deps, ending)))
  } catch (error) {
    deps.log.error({ err: error }, 'daily checks failed; trying again in a minute')
  }
}

async function workThrough(
  domains: string[],
  checkOne: ReturnType<Checker['checkPatiently']>,
  { db, newKey, now, log }: DailyChecksDeps,
  ending: AbortSignal,
): Promise<void> {
  const isEnding = () => ending.aborted
  while (!isEnding()) {
    const domain = await takeDailyTurn(db, domains, now())
    if (domain === undefined) return
    const check = await checkOne(domain)
    if (isEnding()) return giveDailyTurnBack(db, domain)
    await recordCheck(db, { key: newKey(new Date(check.startedAt)), askedBy: null, check })
    log.info({ domain, severity: check.severity }, 'checked')
  }
}
