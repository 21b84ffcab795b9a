/** RFC 5321 §5.1, RFC 7505: the hosts that take the mail of a domain, read from its MX records as they are. */
import { isIP } from 'node:net'
import type { LookedUp } from '../dns/look-up.ts'
import { domainName } from '../tlsrpt/domain-name.ts'

export type MailHosts =
  | {
      kind: 'hosts'
      /** By preference, each host once; lower-case A-labels. */
      hosts: MailHost[]
      /** No MX record, but an address: the domain itself is the host. */
      implicit: boolean
      authenticated: boolean
      /** MX records that name no host, as they stand. */
      odd: { exchange: string; kind: 'null' | 'address' | 'not-a-host-name' }[]
      /** Hosts beyond the most that are looked at. */
      beyond: number
    }
  | { kind: 'null' }
  | { kind: 'none'; nameExists: boolean }
  | { kind: 'unreachable'; reason: string }

export type MailHost = { host: string; preference: number }

/** `hasAddress` is asked only where there is no MX record. */
export function readMailHosts(domain: string, mx: LookedUp<'MX'>, hasAddress: boolean, mostHosts: number): MailHosts {
  if (mx.kind === 'unreachable') return mx
  if (mx.kind === 'missing') {
    if (!hasAddress) return { kind: 'none', nameExists: mx.reason === 'no-data' }
    const hosts = [{ host: domain, preference: 0 }]
    return { kind: 'hosts', hosts, implicit: true, authenticated: mx.authenticated, odd: [], beyond: 0 }
  }
  const isNull = ({ exchange }: { exchange: string }) => exchange === '.' || exchange === ''
  if (mx.records.every(isNull)) return { kind: 'null' }
  const byPreference = mx.records.toSorted((a, b) => a.preference - b.preference)
  const known = new Map<string, MailHost>()
  const odd: (MailHosts & { kind: 'hosts' })['odd'] = []
  for (const { exchange, preference } of byPreference) {
    const host = domainName(exchange)
    if (host?.includes('.')) {
      if (!known.has(host)) known.set(host, { host, preference })
    } else if (isNull({ exchange })) odd.push({ exchange: '.', kind: 'null' })
    else
      odd.push({ exchange, kind: isIP(exchange) === 0 && !/^[\d.]+$/.test(exchange) ? 'not-a-host-name' : 'address' })
  }
  const hosts = [...known.values()]
  return {
    kind: 'hosts',
    hosts: hosts.slice(0, mostHosts),
    implicit: false,
    authenticated: mx.authenticated,
    odd,
    beyond: Math.max(0, hosts.length - mostHosts),
  }
}
