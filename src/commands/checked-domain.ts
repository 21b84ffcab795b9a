/** What the commands begin with that look at a domain from outside. */
import { makeChecker, type Checker, type CheckerWorld } from '../checker.ts'
import type { Config } from '../config.ts'
import type { Say, Terminal } from './command.ts'

export type CheckDeps = CheckerWorld & Terminal & { say: Say }

/** `text` is what was typed; undefined where that is no domain to look at, which is told. */
export async function readCheckedDomain(
  config: Config,
  { say, ...world }: CheckerWorld & { say: Say },
  text: string,
): Promise<{ checker: Checker; domain: string } | undefined> {
  const checker = await makeChecker(config, world)
  const input = checker.readDomain(text)
  if (input.kind === 'domain') return { checker, domain: input.domain }
  say.err(`'${text}' ${input.message}`)
  return undefined
}
