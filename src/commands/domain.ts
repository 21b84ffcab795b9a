/** `domain add|list|remove`: what is ours. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Database } from '../store/database.ts'
import { deleteDomain, makeOwnDomains, putDomain } from '../store/domains.ts'
import { purgeDomain } from '../store/purge.ts'
import { domainName } from '../tlsrpt/domain-name.ts'
import { covering, organizationalDomain } from '../tlsrpt/ownership.ts'
import { withStore, type ExitCode, type Say } from './command.ts'

export async function addDomain(
  config: Config,
  log: Logger,
  say: Say,
  name: string,
  options: { mx?: string[]; subdomains: boolean },
): Promise<ExitCode> {
  const domain = domainName(name)
  if (domain === undefined || organizationalDomain(domain) === undefined) {
    say.err(`'${name}' is no domain name that can be ours`)
    return 2
  }
  const mx = (options.mx ?? []).map((host) => domainName(host) ?? host)
  const bad = mx.find((host) => domainName(host) === undefined)
  if (bad !== undefined) {
    say.err(`'${bad}' is no host name`)
    return 2
  }
  await withStore(config, log, (db) => putDomain(db, { domain, includeSubdomains: options.subdomains, mx }))
  say.out(
    `${domain} is ours${options.subdomains ? ', with its subdomains' : ''}${mx.length > 0 ? `, served by ${mx.join(', ')}` : ''}.`,
  )
  return 0
}

export async function removeDomain(
  config: Config,
  log: Logger,
  say: Say,
  name: string,
  options: { purge: boolean },
): Promise<ExitCode> {
  const domain = domainName(name)
  if (domain !== undefined && config.policyDomains.includes(domain)) {
    say.err(`${domain} stands in POLICY_DOMAINS: take it out there`)
    return 1
  }
  const removed =
    domain !== undefined &&
    (await withStore(config, log, (db) => (options.purge ? purge(db, say, domain) : remove(db, say, domain))))
  if (!removed) say.err(`'${name}' was none of our domains`)
  return removed ? 0 : 1
}

async function remove(db: Database, say: Say, domain: string): Promise<boolean> {
  const removed = await deleteDomain(db, domain)
  if (removed) say.out(`${domain} is no longer ours. What came for it stays.`)
  return removed
}

/** Also for a domain that was removed before: true where something of it was kept. */
async function purge(db: Database, say: Say, domain: string): Promise<boolean> {
  const { wasOurs, reports, submissions, bytes } = await purgeDomain(db, domain)
  const erased = wasOurs || reports + submissions > 0
  if (erased)
    say.out(`${domain} is no longer ours. Erased: ${reports} reports, ${submissions} submissions, ${bytes} bytes.`)
  return erased
}

export async function listDomains(
  config: Config,
  log: Logger,
  say: Say,
  now: () => Date,
  options: { json: boolean },
): Promise<ExitCode> {
  const listed = await withStore(config, log, (db) =>
    makeOwnDomains(db, config.policyDomains.map(covering), false, now).list(),
  )
  if (options.json) {
    say.out(
      JSON.stringify(
        listed.map(({ domain, includeSubdomains, mx, source }) => ({
          domain,
          include_subdomains: includeSubdomains,
          mx,
          source,
        })),
      ),
    )
  } else {
    for (const { domain, source, includeSubdomains, mx } of listed) {
      say.out(
        [domain, source, ...(includeSubdomains ? [] : ['without subdomains']), ...mx.map((host) => `mx ${host}`)].join(
          '  ',
        ),
      )
    }
  }
  if (listed.length === 0 && !config.anyPolicyDomain)
    say.err('No domain is ours yet: domain add example.com, or POLICY_DOMAINS.')
  return 0
}
