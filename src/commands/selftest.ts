/** `selftest DOMAIN`: whether reports about a domain find their way here, by what it has published (RFC 8460 §3). */
import { styleText } from 'node:util'
import type { Logger } from 'pino'
import type { Link } from '../checks/selftest.ts'
import type { Config } from '../config.ts'
import { makeOwnDomains } from '../store/domains.ts'
import { makeSelfTestStore } from '../store/self-test.ts'
import { covering } from '../tlsrpt/ownership.ts'
import { readCheckedDomain, type CheckDeps } from './checked-domain.ts'
import { printedJson, withStore, type ExitCode } from './command.ts'

export async function runSelfTestCommand(
  config: Config,
  log: Logger,
  { say, progress, colour, ...world }: CheckDeps,
  text: string,
  options: { json: boolean },
): Promise<ExitCode> {
  const read = await readCheckedDomain(config, { say, ...world }, text)
  if (!read) return 2
  const { checker, domain } = read
  const tested = await withStore(config, log, async (db) => {
    const ownDomains = makeOwnDomains(db, config.policyDomains.map(covering), config.anyPolicyDomain, world.now)
    progress(`sending reports about ${domain} to this instance`)
    return checker.selfTest(domain, {
      isOurs: (await ownDomains.ownership()).ownerOf(domain) !== undefined,
      store: makeSelfTestStore(db),
      onLink: ({ link, subject }) => {
        progress(`${link} ${subject}; a mail may take a minute`)
      },
    })
  })
  progress('')
  if (options.json) say.out(printedJson(tested))
  else {
    for (const link of tested.links) say.out(lineOf(link, colour))
    say.out('')
    say.out(tested.firstBroken ? tested.firstBroken.sentence : `Reports about ${domain} find their way here.`)
  }
  return tested.holds ? 0 : 4
}

function lineOf({ link, subject, holds, sentence }: Link, colour: boolean): string {
  const label = `${holds ? '✓' : '✕'} ${link.padEnd(16)}`
  const painted = colour ? styleText(holds ? 'green' : 'red', label, { validateStream: false }) : label
  return `${painted} ${subject}: ${sentence}`
}
