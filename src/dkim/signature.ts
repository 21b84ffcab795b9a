/** RFC 6376 §3.2 and §3.5: the tag list, and what a DKIM-Signature header says of itself. */
import { getDomain } from 'tldts'
import type { Canonicalization } from './canonical.ts'

/** What a signature claims to be. Only text that is safe to store, to show and to ask DNS for; '' or [] where it is not. */
export type Claims = { domain: string; selector: string; algorithm: string; signedHeaders: string[] }

/** A signature that keeps the rules of §3.5. Times are seconds since 1970, lengths are octets. */
export type Signature = Claims & {
  kind: 'signature'
  keyType: 'rsa' | 'ed25519'
  hash: 'sha256' | 'sha1'
  headerCanonicalization: Canonicalization
  bodyCanonicalization: Canonicalization
  /** bh=, decoded. */
  bodyHash: Buffer
  /** b=, decoded. */
  signature: Buffer
  /** l=: how much of the canonical body is signed. */
  bodyLength?: number
  /** The domain of i=, lower case; d= where there is no i=. */
  identityDomain: string
  /** t= */
  timestamp?: number
  /** x= */
  expiration?: number
}

/** A signature that can never pass; no DNS query is worth it. */
export type UnusableSignature = Claims & { kind: 'unusable'; reason: string }

/** §3.3, RFC 8463 §3. rsa-sha1 is known, so that it can be told from nonsense; who signs with it is no proof. */
const algorithms = new Map<string, Pick<Signature, 'keyType' | 'hash'>>([
  ['rsa-sha256', { keyType: 'rsa', hash: 'sha256' }],
  ['rsa-sha1', { keyType: 'rsa', hash: 'sha1' }],
  ['ed25519-sha256', { keyType: 'ed25519', hash: 'sha256' }],
])

/** §3.4; what is not said is simple. */
const canonicalizations = new Map<string, [Canonicalization, Canonicalization]>([
  ['simple', ['simple', 'simple']],
  ['simple/simple', ['simple', 'simple']],
  ['simple/relaxed', ['simple', 'relaxed']],
  ['relaxed', ['relaxed', 'simple']],
  ['relaxed/simple', ['relaxed', 'simple']],
  ['relaxed/relaxed', ['relaxed', 'relaxed']],
])

const required = ['v', 'a', 'b', 'bh', 'd', 'h', 's']

const tagName = /^[a-z][a-z0-9_]*$/i
const algorithmName = /^[a-z][a-z0-9]*-[a-z][a-z0-9]*$/

/** §2.10: folding may have left blanks in it; the decoder passes over them. */
const base64 = /^[A-Za-z0-9+/ \t]+(?:=[ \t]*){0,2}$/

const seconds = /^\d{1,12}$/
const octets = /^\d{1,76}$/

/** Printable ASCII without the colon, RFC 5322 §3.6.8. */
const fieldName = /^[\x21-\x39\x3b-\x7e]+$/

/** RFC 5321 §4.1.2 in lower case. A last label that starts with a digit is no name: 192.0.2.1, 0x7f.1. */
const domainName = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** The same, but underscores are in use and the last label may be a number. */
const selectorName = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i

/**
 * Reads the value of a DKIM-Signature header (all after the first colon, folded as it came).
 * What is wrong with it is told as a stable kebab-case reason, the first in the order of `findDefect`.
 */
export function parseSignature(value: string): Signature | UnusableSignature {
  const tags = parseTagList(value) ?? new Map<string, string>()
  const claims = readClaims(tags)
  const reason = findDefect(tags, claims)
  if (reason !== undefined) return { kind: 'unusable', reason, ...claims }
  const [headerCanonicalization, bodyCanonicalization] = readCanonicalization(tags)!
  return {
    kind: 'signature',
    ...claims,
    ...algorithms.get(claims.algorithm)!,
    headerCanonicalization,
    bodyCanonicalization,
    bodyHash: Buffer.from(tags.get('bh')!, 'base64'),
    signature: Buffer.from(tags.get('b')!, 'base64'),
    identityDomain: readIdentityDomain(tags, claims),
    ...(tags.has('l') && { bodyLength: Number(tags.get('l')) }),
    ...(tags.has('t') && { timestamp: Number(tags.get('t')) }),
    ...(tags.has('x') && { expiration: Number(tags.get('x')) }),
  }
}

/** The name to ask for the key, §3.6.2.1. Names are lower case, so that the same name is asked once. */
export function keyName({ domain, selector }: Pick<Claims, 'domain' | 'selector'>): string {
  return `${selector.toLowerCase()}._domainkey.${domain}`
}

/**
 * §3.2: `name=value; name=value`, in the order of the list; undefined if it is no such list, names a tag twice, or holds
 * control characters. Names are case-sensitive, folding and blanks around names and values are gone. Empty entries are
 * passed over: §3.2 has them only at the end, but they change nothing.
 */
export function parseTagList(text: string): Map<string, string> | undefined {
  const unfolded = text.replace(/[\r\n]+/g, '')
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(unfolded)) return undefined
  const tags = new Map<string, string>()
  for (const entry of unfolded.split(';')) {
    const equals = entry.indexOf('=')
    const name = entry.slice(0, Math.max(equals, 0)).trim()
    if (equals === -1 && entry.trim() === '') continue
    if (!tagName.test(name) || tags.has(name)) return undefined
    tags.set(name, entry.slice(equals + 1).trim())
  }
  return tags
}

/** A list separated by colons, blanks around the entries, any case; empty entries say nothing. */
export function parseColonList(value: string): string[] {
  return value
    .split(':')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
}

/** Undefined if it is no base64. */
export function decodeBase64(text: string): Buffer | undefined {
  return base64.test(text) ? Buffer.from(text, 'base64') : undefined
}

function readClaims(tags: Map<string, string>): Claims {
  const domain = (tags.get('d') ?? '').toLowerCase()
  const selector = tags.get('s') ?? ''
  const algorithm = (tags.get('a') ?? '').toLowerCase()
  const names = parseColonList(tags.get('h') ?? '')
  return {
    domain: domainName.test(domain) ? domain : '',
    selector: selectorName.test(selector) ? selector : '',
    algorithm: algorithmName.test(algorithm) ? algorithm : '',
    signedHeaders: names.every((name) => fieldName.test(name)) ? names : [],
  }
}

function findDefect(tags: Map<string, string>, claims: Claims): string | undefined {
  if (!isWellFormed(tags, claims)) return 'signature-malformed'
  if (tags.get('v') !== '1') return 'unknown-version'
  const { domain, selector, algorithm, signedHeaders } = claims
  if (domain === '' || /(?:^|\.)localhost$/.test(domain)) return 'unusable-domain' // RFC 6761 §6.3
  if (getDomain(domain, { allowPrivateDomains: true, extractHostname: false }) === null)
    return 'domain-is-public-suffix'
  if (selector === '' || keyName(claims).length > 253) return 'unusable-selector'
  if (!algorithms.has(algorithm)) return 'unknown-algorithm'
  if (readCanonicalization(tags) === undefined) return 'unknown-canonicalization'
  if (!parseColonList(tags.get('q') ?? 'dns/txt').includes('dns/txt')) return 'unknown-query-method'
  if (!signedHeaders.includes('from')) return 'from-not-signed'
  const identityDomain = readIdentityDomain(tags, claims)
  if (identityDomain !== domain && !identityDomain.endsWith(`.${domain}`)) return 'identity-outside-domain'
  if (tags.has('t') && tags.has('x') && Number(tags.get('x')) <= Number(tags.get('t'))) return 'expires-before-signed'
  return undefined
}

/** Whether every tag that must be there is there, and every tag we read has the form of §3.5. */
function isWellFormed(tags: Map<string, string>, { algorithm, signedHeaders }: Claims): boolean {
  return (
    required.every((name) => tags.has(name)) &&
    algorithm !== '' &&
    signedHeaders.length > 0 &&
    base64.test(tags.get('b')!) &&
    base64.test(tags.get('bh')!) &&
    seconds.test(tags.get('t') ?? '0') &&
    seconds.test(tags.get('x') ?? '0') &&
    octets.test(tags.get('l') ?? '0') &&
    (tags.get('i') ?? '@').includes('@')
  )
}

function readCanonicalization(tags: Map<string, string>): [Canonicalization, Canonicalization] | undefined {
  return canonicalizations.get((tags.get('c') ?? 'simple/simple').toLowerCase())
}

/** What follows the last @ of i=: the local part may hold one in quotes, a domain cannot. */
function readIdentityDomain(tags: Map<string, string>, { domain }: Claims): string {
  const identity = tags.get('i') ?? `@${domain}`
  return identity.slice(identity.lastIndexOf('@') + 1).toLowerCase()
}
