/** `token create|list|revoke`: who may see and do what, beside the holder of the admin token. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { newToken } from '../keys.ts'
import * as store from '../store/tokens.ts'
import { utcDay } from '../tlsrpt/dates.ts'
import { domainName } from '../tlsrpt/domain-name.ts'
import { withStore, type ExitCode, type Say } from './command.ts'

type AsJson = { json: boolean }

/** Scopes may be repeated or stand in comma lists, and so may domains. */
export async function createToken(
  config: Config,
  log: Logger,
  say: Say,
  now: () => Date,
  name: string,
  options: AsJson & { scope: string[]; domain?: string[] },
): Promise<ExitCode> {
  const words = listed(options.scope)
  const scopes = store.scopes.filter((scope) => words.includes(scope))
  const unknown = words.find((word) => !scopes.some((scope) => scope === word))
  const names = listed(options.domain ?? [])
  const domains = names.map((text) => domainName(text) ?? text)
  const spec = { name, scopes, domains }
  const problem =
    unknown === undefined ? store.specProblem(spec) : { pointer: '/scopes', message: `knows no '${unknown}'` }
  if (problem) {
    say.err(`${optionOf(problem.pointer, names)} ${problem.message}`)
    return 2
  }
  const { key, token } = newToken(now())
  await withStore(config, log, (db) => store.createToken(db, spec, key, token))
  if (options.json) say.out(JSON.stringify({ key, token, ...spec }))
  else {
    say.out(`Key    ${key}\nToken  ${token}`)
    say.err(`${describe(spec)}. The token is not shown again.`)
  }
  return 0
}

export async function listTokens(config: Config, log: Logger, say: Say, options: AsJson): Promise<ExitCode> {
  const tokens = await withStore(config, log, (db) => store.listTokens(db, { visible: undefined, limit: undefined }))
  if (options.json) {
    const rows = tokens.map(({ createdAt, revokedAt, ...token }) => ({
      ...token,
      created_at: createdAt,
      revoked_at: revokedAt,
    }))
    say.out(JSON.stringify(rows))
  } else {
    for (const { key, createdAt, revokedAt, ...spec } of tokens) {
      const since = revokedAt ? `revoked ${utcDay(revokedAt)}` : `since ${utcDay(createdAt)}`
      say.out(`${key}  ${since}  ${spec.name}: ${describe(spec)}`)
    }
  }
  if (tokens.length === 0) say.err('There is no token but the admin token.')
  return 0
}

export async function revokeToken(
  config: Config,
  log: Logger,
  say: Say,
  key: string,
  options: AsJson,
): Promise<ExitCode> {
  const revoked = await withStore(config, log, (db) => store.revokeToken(db, key, undefined))
  if (options.json) say.out(JSON.stringify({ key, revoked }))
  else if (revoked) say.out(`${key} opens nothing any more.`)
  if (!revoked) say.err(`'${key}' is the key of no token: token list shows them`)
  return revoked ? 0 : 1
}

const listed = (given: readonly string[]): string[] => [...new Set(given.flatMap((text) => text.split(',')))]

/** What of the command line a JSON pointer of a specProblem is about. */
function optionOf(pointer: string, domains: readonly string[]): string {
  const [, member, seq] = pointer.split('/')
  if (member === 'name') return 'NAME'
  return member === 'scopes' ? '--scope' : ['--domain', domains[Number(seq)]].filter(Boolean).join(' ')
}

const describe = ({ scopes, domains }: store.TokenSpec): string =>
  `${scopes.join(', ')} for ${domains.length === 0 ? 'every domain' : domains.join(', ')}`
