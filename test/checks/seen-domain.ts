/** A domain as it should be, seen from outside, and what can be seen instead. */
import { createHash, X509Certificate } from 'node:crypto'
import type { DomainSeen, HostSeen } from '../../src/checks/domain-seen.ts'
import { readMailHosts } from '../../src/checks/mail-hosts.ts'
import type { CertificateProblem, CertificateSeen, MxAddressSeen, PolicySeen, Unseen } from '../../src/checks/seen.ts'
import { associationData, type Tlsa } from '../../src/checks/tlsa.ts'
import { makeAuthority } from '../../src/demo/simulators.ts'
import type { LookedUp } from '../../src/dns/look-up.ts'

export const at = new Date('2025-06-01T12:00:00Z')
export const own = ['mailto:tls@reports.example', 'https://reports.example/v1/tlsrpt']
export const policyLines = ['version: STSv1', 'mode: enforce', 'mx: mx1.good.example', 'mx: mx2.good.example', 'max_age: 2592000'] // prettier-ignore

const { cert } = await (await makeAuthority(at)).issue('mx1.good.example', {})
/** DER of a leaf and of its issuer. */
export const chain = cert.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g)!.map((pem) => new X509Certificate(pem).raw)

export const days = (count: number): Date => new Date(at.getTime() + count * 86_400_000)
const hash = (text: string) => createHash('sha256').update(text).digest('hex')

export const certificate = (host: string, change: Partial<CertificateSeen> = {}): CertificateSeen => ({
  names: [host],
  issuer: 'CN=A Public Authority',
  validFrom: days(-10),
  validTo: days(80),
  fingerprint: hash(host),
  publicKeyFingerprint: hash(`key of ${host}`),
  chain,
  problems: [],
  ...change,
})

export const faulty = (host: string, kind: CertificateProblem['kind']): CertificateSeen =>
  certificate(host, {
    ...(kind === 'host-mismatch' && { names: ['elsewhere.example.net'] }),
    problems: [{ kind, text: `it is ${kind}` }],
  })

export const found = (...records: string[]): LookedUp<'TXT'> => ({ kind: 'found', records, authenticated: false, aliases: [] }) // prettier-ignore
export const missing = (aliases: string[] = []) => ({ kind: 'missing', reason: 'no-data', authenticated: false, aliases }) as const // prettier-ignore
export const unreachable = { kind: 'unreachable', reason: 'dns-servfail' } as const
export const unseen = (reason: Unseen['reason']): Unseen => ({ reason, text: `because of ${reason}` })

/** mx1 and mx2 of good.example are 192.0.2.1 and 192.0.2.2. */
export function mxHost(name: string, change: Partial<MxAddressSeen> = {}): HostSeen {
  const host = `${name}.good.example`
  const address: MxAddressSeen = {
    address: `192.0.2.${name.slice(2)}`,
    greeting: `${host} ESMTP`,
    offersStarttls: true,
    tlsVersion: 'TLSv1.3',
    certificate: certificate(host),
    ...change,
  }
  return { mx: { host, preference: 10 * Number(name.slice(2)), addresses: [address] }, tlsaBase: host, tlsa: missing() }
}

/** An address that showed nothing. */
export const mxUnseen = (name: string, reason: Unseen['reason']): HostSeen => {
  const { mx, ...tlsaSeen } = mxHost(name)
  return { mx: { ...mx, addresses: [{ address: mx.addresses[0]!.address, unseen: unseen(reason) }] }, ...tlsaSeen }
}

export const mxRecords = (...exchanges: string[]): LookedUp<'MX'> => ({
  kind: 'found',
  records: exchanges.map((exchange, i) => ({ preference: 10 * (i + 1), exchange })),
  authenticated: false,
  aliases: [],
})

export const mailHosts = (looked: LookedUp<'MX'>, hasAddress = false) =>
  readMailHosts('good.example', looked, hasAddress, 10)

export const policySeen = (change: Partial<PolicySeen> = {}): PolicySeen => ({
  host: 'mta-sts.good.example',
  addresses: ['192.0.2.80'],
  address: '192.0.2.80',
  certificate: certificate('mta-sts.good.example'),
  reply: reply(),
  ...change,
})

export const reply = (
  lines: string[] = policyLines,
  change: Partial<NonNullable<PolicySeen['reply']>> = {},
): NonNullable<PolicySeen['reply']> => ({
  status: 200,
  mediaType: 'text/plain',
  body: Buffer.from(lines.map((line) => `${line}\r\n`).join('')),
  truncated: false,
  ...change,
})

export const policyText = (text: string): PolicySeen => policySeen({ reply: { ...reply(), body: Buffer.from(text) } })
export const policyUnseen = (reason: Unseen['reason']): PolicySeen => ({
  host: 'mta-sts.good.example',
  addresses: [],
  unseen: unseen(reason),
})

export const tlsa = (usage: number, of: 'leaf' | 'issuer' | 'other', change: Partial<Tlsa> = {}): Tlsa => {
  const der = of === 'leaf' ? chain[0]! : chain[1]!
  const data = of === 'other' ? Buffer.alloc(32, 1) : associationData(der, 1, 1)!
  return { usage, selector: 1, matchingType: 1, data, ...change }
}

/** The host with these TLSA records. */
export const withTlsa = (host: HostSeen, records: Tlsa[], authenticated = true): HostSeen => ({
  ...host,
  tlsa: { kind: 'found', records, authenticated, aliases: [] },
})

export const goodDomain = (change: Partial<DomainSeen> = {}): DomainSeen => ({
  domain: 'good.example',
  stsRecord: found('v=STSv1; id=20250601T000000;'),
  tlsrptRecord: found(`v=TLSRPTv1; rua=${own.join(',')}`),
  policy: policySeen(),
  mailHosts: mailHosts(mxRecords('mx1.good.example', 'mx2.good.example')),
  hosts: [mxHost('mx1'), mxHost('mx2')],
  loops: [],
  ownRua: own.map((uri) => ({ uri })),
  ...change,
})
