/** RFC 8461 §3.3 and §4.2, RFC 6125: TLS as a sender does it, but for hanging up: what was shown, and all that is wrong with it. */
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls'
import { within } from './outgoing.ts'
import type { CertificateProblem, CertificateSeen } from './seen.ts'
import { readable } from './strangers-text.ts'
import { utcDay } from '../tlsrpt/dates.ts'

/** Whom we believe, and how much TLS we understand; made once, because a context takes 12 ms. */
export type Trust = { forPolicy: SecureContext; forMail: SecureContext; authorities: X509Certificate[] }

/** Node's authorities, and those of `extra` (PEM, CHECK_CA_FILE). Throws where that holds what is no certificate. */
export function makeTrust(extra = ''): Trust {
  const added = [...extra.matchAll(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs)].map(([pem]) => pem)
  const authorities = [...getCACertificates('default'), ...added]
  const ca = added.length > 0 ? { ca: authorities } : {}
  return {
    forPolicy: createSecureContext({ ...ca, minVersion: 'TLSv1.2' }),
    // Down to what no sender takes any more, so that it can be told from a host that has no TLS at all.
    forMail: createSecureContext({ ...ca, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    authorities: authorities.map((pem) => new X509Certificate(pem)),
  }
}

/** With SNI, and whatever certificate is shown. Rejects with the network's or OpenSSL's error, or with ETIMEDOUT. */
export async function shakeHands(
  socket: Socket,
  host: string,
  secureContext: SecureContext,
  { checkTlsMs }: { checkTlsMs: number },
): Promise<TLSSocket> {
  const tls = connect({
    socket,
    servername: host,
    secureContext,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined, // Then authorizationError is about the chain alone.
  })
  tls.on('error', () => undefined) // Whoever waits hears of it; this is for when nobody does.
  await within(checkTlsMs, 'the TLS handshake', once(tls, 'secureConnect'))
  return tls
}

const maxChain = 10
const maxNames = 100

/** `tls` is past its handshake; `host` is the name that a sender looks for. Undefined when none was shown. */
export function seeCertificate(
  tls: TLSSocket,
  host: string,
  { authorities }: Trust,
  now: Date,
): CertificateSeen | undefined {
  const chain = chainAsSent(tls)
  const leaf = chain[0]
  if (!leaf) return undefined
  const publicKey = leaf.publicKey.export({ type: 'spki', format: 'der' })
  // Not an Error, whatever the types say: OpenSSL's name for what is wrong.
  const verdict = tls.authorizationError as unknown as string | null | undefined
  return {
    names: dnsNames(leaf),
    issuer: readable(leaf.issuer.replaceAll('\n', ', '), 255),
    validFrom: leaf.validFromDate,
    validTo: leaf.validToDate,
    fingerprint: sha256(leaf.raw),
    publicKeyFingerprint: sha256(publicKey),
    chain: chain.map(({ raw }) => raw),
    problems: problemsOf(chain, host, verdict ?? undefined, authorities, now),
  }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** What `issuerCertificate` steps through is the server's list in its order, without anything of ours. */
function chainAsSent(tls: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next = tls.getPeerX509Certificate()
  while (next && chain.length < maxChain) {
    chain.push(next)
    next = next.issuerCertificate
  }
  return chain
}

/** Node writes 'DNS:a.example, DNS:"..."', quoted as JSON where a name holds what could be mistaken. */
function dnsNames({ subjectAltName = '' }: X509Certificate): string[] {
  const entries = subjectAltName.matchAll(/([^:]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy)
  const names = [...entries].flatMap(([, type, name]) => (type === 'DNS' ? readable(name!.toLowerCase(), 255) : []))
  return names.slice(0, maxNames)
}

/** RFC 8461 §3.3: a DNS-ID must match, the CN does not count; a wildcard is the whole leftmost label. */
const dnsIdOnly = { subject: 'never', wildcards: true, partialWildcards: false } as const

function problemsOf(
  chain: X509Certificate[],
  host: string,
  verdict: string | undefined,
  authorities: X509Certificate[],
  now: Date,
): CertificateProblem[] {
  const leaf = chain[0]!
  const dates = outOfDate(leaf, now)
  const distrust = verdict === undefined ? undefined : whyNotTrusted(chain, verdict, authorities, now)
  return [
    ...(dates ? [{ kind: dates.kind, text: `it ${dates.text}` }] : []),
    ...(leaf.checkHost(host, dnsIdOnly) === undefined ? [hostMismatch(leaf, host)] : []),
    ...(distrust === undefined ? [] : [{ kind: 'not-trusted' as const, text: distrust }]),
  ]
}

function hostMismatch(leaf: X509Certificate, host: string): CertificateProblem {
  const names = dnsNames(leaf)
  const told = names.length > 5 ? [...names.slice(0, 5), 'others'] : names
  const text = names.length > 0 ? `it is for ${told.join(', ')}, not for ${host}` : `it names no host, so not ${host}`
  return { kind: 'host-mismatch', text }
}

function outOfDate({ validFromDate, validToDate }: X509Certificate, now: Date) {
  if (validToDate < now) return { kind: 'expired' as const, text: `ended on ${utcDay(validToDate)}` }
  if (validFromDate > now) return { kind: 'not-yet-valid' as const, text: `begins on ${utcDay(validFromDate)}` }
  return undefined
}

const verdicts: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its chain ends with an authority that is no public one',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no certificate was sent that leads to a known authority: the chain may be missing',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its chain does not lead to a known authority: a part of it may be missing',
}

/**
 * OpenSSL tells the last thing that it found, and dates come last: where it tells of dates, whether there would be
 * trust but for them is still open. Undefined when there would.
 */
function whyNotTrusted(
  chain: X509Certificate[],
  verdict: string,
  authorities: X509Certificate[],
  now: Date,
): string | undefined {
  if (verdict !== 'CERT_HAS_EXPIRED' && verdict !== 'CERT_NOT_YET_VALID') return verdicts[verdict] ?? verdict
  const path = pathToAuthority(chain, authorities)
  if (!path) {
    const isSelfSigned = chain[0]!.checkIssued(chain[0]!)
    return verdicts[isSelfSigned ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY']
  }
  const stale = path.flatMap((issuer) => outOfDate(issuer, now)?.text ?? [])[0]
  return stale && `it was issued with a certificate that ${stale}`
}

/** The issuers from the leaf's to an authority of ours, by signatures alone; undefined where they do not lead to one. */
function pathToAuthority([leaf, ...sent]: X509Certificate[], authorities: X509Certificate[]) {
  const path: X509Certificate[] = []
  for (let last = leaf!; ; last = path.at(-1)!) {
    const issued = (issuer: X509Certificate) => issuer.ca && last.checkIssued(issuer) && last.verify(issuer.publicKey)
    const authority = authorities.find(issued)
    if (authority) return [...path, authority]
    const next = sent.find((issuer) => !path.includes(issuer) && issued(issuer))
    if (!next) return undefined
    path.push(next)
  }
}

/** Of a certificate with problems, for a person. */
export const problemsText = (problems: CertificateProblem[]): string =>
  `the certificate: ${problems.map(({ text }) => text).join('; ')}`
