/** RFC 5321 §5.1, RFC 7505, RFC 8461 §4.1: the MX records, and whether policy and MX hosts cover each other. */
import { nearMiss, patternsFor } from '../../mtasts/match.ts'
import type { ReadPolicy } from '../../mtasts/policy.ts'
import type { HostSeen } from '../domain-seen.ts'
import type { MailHosts } from '../mail-hosts.ts'
import { finding, type Finding } from './finding.ts'

export function mxRecordFindings(domain: string, mailHosts: MailHosts, hosts: readonly HostSeen[]): Finding[] {
  switch (mailHosts.kind) {
    case 'unreachable':
      return [finding('mx-not-told', domain, 'The DNS cannot tell the MX hosts just now.', { evidence: [mailHosts.reason] })] // prettier-ignore
    case 'null':
      return [finding('mx-null', domain, 'A null MX says that the domain takes no mail, so MTA-STS and TLSRPT have nothing to protect.', { evidence: ['MX 0 .'] })] // prettier-ignore
    case 'none': {
      const sentence = mailHosts.nameExists
        ? 'The domain has neither an MX record nor an address: it gets no mail.'
        : 'The domain does not exist in the DNS.'
      return [finding('mx-missing', domain, sentence, { fix: 'Publish an MX record; or a null MX (0 .) if the domain takes no mail.' })] // prettier-ignore
    }
    case 'hosts':
      return [
        ...(mailHosts.implicit ? [finding('mx-implicit', domain, 'There is no MX record; senders fall back on the address of the domain itself.', { fix: 'Publish an MX record.', value: `${domain}. MX 10 ${domain}.` })] : []), // prettier-ignore
        ...mailHosts.odd.map((odd) => oddFinding(domain, odd)),
        ...(mailHosts.beyond > 0 ? [finding('mx-too-many', domain, `There are more MX hosts than a check looks at; ${mailHosts.beyond} were left out.`)] : []), // prettier-ignore
        ...hosts.flatMap(aliasFinding),
      ]
  }
}

type Odd = (MailHosts & { kind: 'hosts' })['odd'][number]

function oddFinding(domain: string, { exchange, kind }: Odd): Finding {
  const evidence = [`MX ${exchange}`]
  switch (kind) {
    case 'null':
      return finding('mx-null-among-others', domain, 'A null MX stands beside other MX hosts; it must stand alone.', { evidence, fix: 'Take the null MX away.' }) // prettier-ignore
    case 'address':
      return finding('mx-is-address', domain, `An MX record holds the address ${exchange}; it must hold a host name.`, { evidence, fix: 'Give the mail server a name, and put the name into the MX record.' }) // prettier-ignore
    case 'not-a-host-name':
      return finding('mx-not-a-host-name', domain, `An MX record holds "${exchange}", which is no host name.`, { evidence, fix: 'Put the full host name of the mail server into the MX record.' }) // prettier-ignore
  }
}

function aliasFinding({ mx, alias }: HostSeen): Finding[] {
  if (alias === undefined) return []
  const sentence = `The MX host is an alias for ${alias}; senders check the name in the MX record, and may not take an alias.`
  return [finding('mx-is-alias', mx.host, sentence, { evidence: [`CNAME ${alias}`], fix: 'Put the host name itself into the MX record.' })] // prettier-ignore
}

/** Of a policy also where it is invalid, as far as it can be told what was meant; of mode none, nothing. */
export function coverageFindings(domain: string, mailHosts: MailHosts, read: ReadPolicy | undefined): Finding[] {
  const meant = read?.kind === 'valid' ? read.policy : read?.meant
  if (mailHosts.kind !== 'hosts' || !meant || meant.mode === 'none' || meant.mx.length === 0) return []
  const { mx: patterns, mode } = meant
  return [
    ...mailHosts.hosts.map(({ host }) => hostFinding(host, patterns, mode)),
    ...unusedFinding(domain, patterns, mailHosts),
  ]
}

function hostFinding(host: string, patterns: string[], mode: string | undefined): Finding {
  const covering = patternsFor(patterns, host)
  if (covering.length > 0) {
    return finding('mx-covered', host, 'The policy lists the MX host.', { evidence: covering.map((pattern) => `mx: ${pattern}`) }) // prettier-ignore
  }
  const near = nearMiss(patterns, host)
  const why = near === undefined ? '' : `; "${near}" stands for exactly one label in place of the asterisk`
  const now = mode === 'enforce' ? 'senders do not deliver to it' : 'under enforce, senders would not deliver to it'
  const evidence = patterns.map((pattern) => `mx: ${pattern}`)
  const fix = 'Add this line to the policy, then change the id of the record.'
  return finding('mx-not-covered', host, `The policy does not list the MX host${why}: ${now}.`, { evidence, fix, value: `mx: ${host}` }) // prettier-ignore
}

/** Where MX hosts were left out, nobody knows. */
function unusedFinding(domain: string, patterns: string[], mailHosts: MailHosts & { kind: 'hosts' }): Finding[] {
  const { hosts, beyond } = mailHosts
  const unused = patterns.filter((pattern) => !hosts.some(({ host }) => patternsFor([pattern], host).length > 0))
  if (unused.length === 0 || beyond > 0) return []
  const sentence = `The policy lists ${unused.length === 1 ? `"${unused[0]!}", which no MX host matches` : `${unused.length} patterns that no MX host matches`}.` // prettier-ignore
  const fix = 'Fine while mail is being moved; otherwise take it out, for who can be that host can take the mail.'
  return [finding('policy-pattern-unused', domain, sentence, { evidence: unused.map((pattern) => `mx: ${pattern}`), fix })] // prettier-ignore
}
