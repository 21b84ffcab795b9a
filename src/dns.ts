/** The real resolver. Its one art: telling "there is no such record" from "cannot tell just now". */
import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ResolveTxt, TxtAnswer } from './dkim/verify.ts'

/** c-ares' words for an answer that says no; everything else is a question to ask again later. */
const noSuchRecord = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

/**
 * TXT look-ups at `servers` ('address' or 'address:port'), or at the system's resolvers when undefined. Rejects never:
 * a failing server, a time-out and an unreadable answer are `unreachable` with c-ares' code. One question takes
 * `timeoutMs` at most, all servers and tries together. CNAMEs are followed by the resolver asked (RFC 1034 §5.3.1).
 */
export function makeResolveTxt(servers: string[] | undefined, timeoutMs: number): ResolveTxt {
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 3), tries: 2 })
  if (servers) resolver.setServers(servers)
  return async (name) => {
    const done = new AbortController()
    const tooLate = sleep(timeoutMs, { kind: 'unreachable', reason: 'dns-timeout' } as const, {
      signal: done.signal,
      ref: false,
    })
    try {
      return await Promise.race([
        ask(resolver, name),
        tooLate.catch(() => ({ kind: 'unreachable', reason: 'dns-timeout' }) as const),
      ])
    } finally {
      done.abort()
    }
  }
}

async function ask(resolver: Resolver, name: string): Promise<TxtAnswer> {
  try {
    const records = await resolver.resolveTxt(name)
    return { kind: 'found', records: records.map((strings) => strings.join('')) } // RFC 6376 §3.6.2.2: joined with nothing between.
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN'
    if (noSuchRecord.has(code)) return { kind: 'missing' }
    return { kind: 'unreachable', reason: `dns-${code.replace(/^E/, '').toLowerCase()}` }
  }
}

/** As many names as an archive may ask for, and a bound against one made to ask for ever new ones. */
const mostRemembered = 10_000

/** Asks for each name once, for as long as the function lives; what could not be told is asked again. */
export function rememberAnswers(resolveTxt: ResolveTxt): ResolveTxt {
  const answers = new Map<string, Promise<TxtAnswer>>()
  return (name) => {
    const known = answers.get(name)
    if (known) return known
    const answer = resolveTxt(name)
    if (answers.size >= mostRemembered) answers.clear()
    answers.set(name, answer)
    void answer.then(({ kind }) => kind === 'unreachable' && answers.delete(name))
    return answer
  }
}
