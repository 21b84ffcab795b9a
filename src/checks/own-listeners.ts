/** RFC 8460 §3, §5.3, §5.4: whether an address in `rua` that is this instance's is reached by its published name. */
import { shakeHands, type Trust } from './certificate-seen.ts'
import { readMailHosts } from './mail-hosts.ts'
import type { SeeMx } from './mx-host.ts'
import { findAddresses, unseenOf, type Outgoing, type ResolveAddresses } from './outgoing.ts'
import { mailDomainOf } from './rua.ts'
import type { Unseen } from './seen.ts'
import type { LookUp } from '../dns/look-up.ts'

export type SeeRuaDeps = {
  lookUp: LookUp
  seeMx: SeeMx
  resolveAddresses: ResolveAddresses
  outgoing: Outgoing
  trust: Trust
  limits: { checkTlsMs: number }
}

/** Undefined when somebody answers. Certificates do not matter: senders of reports may ignore them. Rejects never. */
export type SeeRua = (uri: string) => Promise<Unseen | undefined>

/** `mailto:`: the first MX host of its domain talks SMTP. `https:`: somebody at the name, on our port for it, talks TLS. */
export function makeSeeRua(deps: SeeRuaDeps): SeeRua {
  return (uri) => {
    const mailDomain = mailDomainOf(uri)
    return mailDomain === undefined ? seeHttps(new URL(uri).hostname, deps) : seeMail(mailDomain, deps)
  }
}

/** The same, and each of our servers only once in `keepMs`, however many domains name it. `nowMs` as for makeOutgoing. */
export function seeSeldom(seeRua: SeeRua, keepMs: number, nowMs: () => number): SeeRua {
  const kept = new Map<string, { until: number; seen: ReturnType<SeeRua> }>()
  return (uri) => {
    const server = mailDomainOf(uri) ?? new URL(uri).origin // Behind it stands a token, or a mailbox.
    const known = kept.get(server)
    if (known && nowMs() < known.until) return known.seen
    const seen = seeRua(uri)
    kept.set(server, { until: nowMs() + keepMs, seen })
    return seen
  }
}

async function seeMail(mailDomain: string, { lookUp, seeMx }: SeeRuaDeps): Promise<Unseen | undefined> {
  const mailHosts = readMailHosts(mailDomain, await lookUp(mailDomain, 'MX'), true, 1)
  if (mailHosts.kind === 'unreachable') return { reason: 'dns-unreachable', text: `the MX of ${mailDomain} cannot be told (${mailHosts.reason})` } // prettier-ignore
  const first = mailHosts.kind === 'hosts' ? mailHosts.hosts[0] : undefined
  if (!first) return { reason: 'no-such-name', text: `${mailDomain} has no MX host` }
  const { addresses, unseen } = await seeMx(first.host, first.preference)
  if (addresses.some(({ offersStarttls }) => offersStarttls !== undefined)) return undefined
  return addresses.find((seen) => seen.unseen)?.unseen ?? unseen
}

async function seeHttps(host: string, deps: SeeRuaDeps): Promise<Unseen | undefined> {
  const found = await findAddresses(host, deps.resolveAddresses, deps.outgoing)
  if (found.kind === 'failed') return found.unseen
  let last: Unseen = { reason: 'blocked-address', text: `${host} has no public address` }
  for (const address of found.allowed) {
    const connected = await deps.outgoing.connect(address, 'https')
    if (connected.kind === 'failed') {
      last = connected.unseen
      continue
    }
    try {
      await shakeHands(connected.socket, host, deps.trust.forPolicy, deps.limits)
      return undefined
    } catch (error) {
      last = unseenOf(error, 'tls-failed')
    } finally {
      connected.socket.destroy()
    }
  }
  return last
}
