/** RFC 7672: TLSA records of each MX host, held against the certificate that it shows; and DANE beside MTA-STS. */
import { matchesMx } from '../../mtasts/match.ts'
import type { ReadPolicy } from '../../mtasts/policy.ts'
import type { HostSeen } from '../domain-seen.ts'
import type { MailHosts } from '../mail-hosts.ts'
import type { MxAddressSeen } from '../seen.ts'
import { associationData, formatTlsa, matchesChain, unusableBecause, type Tlsa } from '../tlsa.ts'
import { tlsaName } from '../tlsa-seen.ts'
import { finding, type Finding } from './finding.ts'

export function daneFindings(
  domain: string,
  mailHosts: MailHosts,
  hosts: readonly HostSeen[],
  read: ReadPolicy | undefined,
): Finding[] {
  const withRecords = hosts.filter(({ tlsa }) => tlsa.kind === 'found')
  const without = hosts.filter(({ tlsa }) => tlsa.kind === 'missing')
  const found = hosts.flatMap((host) => hostFindings(domain, host))
  if (withRecords.length === 0) {
    return without.length > 0 ? [...found, finding('dane-not-used', domain, 'No MX host has TLSA records: the domain does without DANE.')] : found // prettier-ignore
  }
  const insecure = mailHosts.kind === 'hosts' && !mailHosts.authenticated
  return [
    ...found,
    ...(insecure ? [finding('dane-mx-not-authenticated', domain, 'The resolver has not validated the MX records by DNSSEC: whoever forges them gets round the TLSA records.', { fix: 'Sign the zone of the domain itself, too; or ask a resolver that validates.' })] : []), // prettier-ignore
    ...(without.length > 0 ? [finding('dane-partly', domain, 'Some MX hosts have TLSA records and some have none; only the former are protected by DANE.', { evidence: without.map(({ mx }) => `without: ${mx.host}`) })] : []), // prettier-ignore
    besideSts(domain, read),
  ]
}

function besideSts(domain: string, read: ReadPolicy | undefined): Finding {
  if (read?.kind === 'valid' && read.policy.mode !== 'none') {
    return finding('dane-beside-sts', domain, 'DANE and MTA-STS stand beside each other: senders that know both go by DANE, the others by MTA-STS.') // prettier-ignore
  }
  return finding('dane-without-sts', domain, 'There is DANE and no MTA-STS; many senders, Google among them, know only MTA-STS.', { fix: 'Publish an MTA-STS policy as well.' }) // prettier-ignore
}

function hostFindings(domain: string, { mx, tlsaBase, tlsa }: HostSeen): Finding[] {
  const name = tlsaBase === mx.host ? tlsaName(tlsaBase) : `${mx.host} [${tlsaName(tlsaBase)}]`
  if (tlsa.kind === 'missing') return []
  if (tlsa.kind === 'unreachable') {
    const sentence = 'The DNS cannot tell the TLSA records. Where that is so for a sender with DANE, it skips the host.'
    return [finding('dane-lookup-failed', name, sentence, { evidence: [tlsa.reason], fix: 'Check the DNSSEC chain of the zone of the MX host: expired signatures, or a DS record that fits no key.' })] // prettier-ignore
  }
  const usable = tlsa.records.filter((record) => unusableBecause(record) === undefined)
  return [
    ...(tlsa.authenticated ? [] : [notAuthenticated(name, tlsa.records)]),
    ...unusableFindings(name, tlsa.records, usable),
    ...(usable.length > 0
      ? compareFindings({ name, base: tlsaBase, references: [tlsaBase, mx.host, domain] }, usable, mx.addresses)
      : []),
  ]
}

const notAuthenticated = (name: string, records: Tlsa[]): Finding =>
  finding('dane-not-authenticated', name, 'There are TLSA records, but the resolver has not validated them by DNSSEC; senders ignore such records.', { evidence: records.map(formatTlsa), fix: 'Sign the zone and have its DS record published; or ask a resolver that validates (DNS_SERVERS).' }) // prettier-ignore

function unusableFindings(name: string, records: Tlsa[], usable: Tlsa[]): Finding[] {
  const unusable = records.filter((record) => !usable.includes(record))
  if (unusable.length === 0) return []
  const evidence = unusable.map((record) => `${formatTlsa(record).slice(0, 200)}: ${unusableBecause(record)!}`)
  const fix = 'Publish records of the form 3 1 1, and take these away.'
  return usable.length === 0
    ? [finding('dane-none-usable', name, 'None of the TLSA records is usable: senders with DANE insist on TLS and cannot authenticate it.', { evidence, fix })] // prettier-ignore
    : [finding('dane-unusable', name, `${unusable.length} TLSA records are not usable for SMTP.`, { evidence, fix })]
}

type Compared = MxAddressSeen & { certificate: NonNullable<MxAddressSeen['certificate']> }

/** `references`: RFC 7672 §3.2.2, the names that a certificate may be for. */
type Place = { name: string; base: string; references: string[] }

function compareFindings(place: Place, usable: Tlsa[], addresses: MxAddressSeen[]): Finding[] {
  const { name } = place
  const compared = addresses.filter((seen): seen is Compared => seen.certificate !== undefined)
  if (compared.length === 0) {
    return [finding('dane-not-compared', name, 'No certificate was seen to hold the TLSA records against.', { evidence: usable.map(formatTlsa) })] // prettier-ignore
  }
  const mismatched = compared.filter(({ certificate }) => !usable.some((record) => matchesChain(record, certificate.chain))) // prettier-ignore
  if (mismatched.length > 0) return mismatched.map((seen) => mismatch(place, usable, seen))
  const stale = usable.filter((record) => !compared.some(({ certificate }) => matchesChain(record, certificate.chain)))
  const overdue = compared.flatMap((seen) => taFinding(place, usable, seen))
  return [
    ...(overdue.length > 0 ? overdue : [finding('dane-good', name, 'A TLSA record matches the certificate of the MX host.', { evidence: usable.map(formatTlsa) })]), // prettier-ignore
    ...(stale.length > 0 ? [finding('dane-record-stale', name, 'A TLSA record matches nothing that the MX host shows.', { evidence: stale.map(formatTlsa), fix: 'Right for the next key before a change; otherwise take it away.' })] : []), // prettier-ignore
  ]
}

function mismatch({ name, base }: Place, usable: Tlsa[], { address, certificate }: Compared): Finding {
  const value = tlsaValue(base, certificate.chain)
  const sentence = `No TLSA record matches the certificate shown at ${address}: senders with DANE do not deliver there.`
  const fix = 'Publish this record beside the others; before a change of key, publish the new one first and wait for its TTL.' // prettier-ignore
  return finding('dane-mismatch', name, sentence, { evidence: usable.map(formatTlsa), fix, ...(value !== undefined && { value }) }) // prettier-ignore
}

/** RFC 7672 §3.1.1 recommends 3 1 1: the key outlives renewals. */
function tlsaValue(base: string, [leaf]: Buffer[]): string | undefined {
  const data = leaf && associationData(leaf, 1, 1)
  return data && `${tlsaName(base)}. TLSA ${formatTlsa({ usage: 3, selector: 1, matchingType: 1, data })}`
}

/** RFC 7672 §3.1.1 and §3.1.2: usage 3 asks neither for dates nor for names, usage 2 does for both. */
function taFinding({ name, references }: Place, usable: Tlsa[], { address, certificate }: Compared): Finding[] {
  const { chain, names, problems } = certificate
  const byLeaf = usable.some((record) => record.usage === 3 && matchesChain(record, chain))
  const isNamed = names.some((pattern) => references.some((reference) => matchesMx(pattern, reference)))
  const wrong = problems.filter(({ kind }) => kind !== 'not-trusted' && !(kind === 'host-mismatch' && isNamed))
  if (byLeaf || wrong.length === 0) return []
  const sentence = `The certificate at ${address} matches by its authority (usage 2), but ${wrong[0]!.text}: senders with DANE refuse it.` // prettier-ignore
  return [finding('dane-ta-certificate', name, sentence, { evidence: usable.map(formatTlsa), fix: 'Renew the certificate with the name of the MX host in it.' })] // prettier-ignore
}
