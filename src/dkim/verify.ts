/** RFC 6376 with RFC 8301 and RFC 8463: which signatures of a message pass, and what RFC 8460 §3 must know about each. */
import { hash, verify } from 'node:crypto'
import { canonicalizeBody, signedBytes, splitMessage, type Canonicalization, type HeaderField } from './canonical.ts'
import { chooseKey, type DkimKey } from './key.ts'
import { keyName, parseSignature, type Signature, type UnusableSignature } from './signature.ts'

/** One TXT name -> its records, each already joined into one string. `unreachable` is a reason to ask the sender to retry. */
export type ResolveTxt = (name: string) => Promise<TxtAnswer>
export type TxtAnswer =
  { kind: 'found'; records: string[] } | { kind: 'missing' } | { kind: 'unreachable'; reason: string }

/** What one DKIM-Signature header came to. Kept with the submission as jsonb in this shape. */
export type DkimResult = {
  /** RFC 8601 §2.7.1. 'pass' says only that the mathematics hold: see `unacceptable`. */
  result: 'pass' | 'fail' | 'permerror' | 'temperror'
  /** Why it is no pass, or the resolver's reason for 'temperror'; kebab-case and stable. */
  reason?: string
  /** d=, lower case; '' when unreadable. */
  domain: string
  /** s= of the signature. */
  selector: string
  /** a= as written, lower case. */
  algorithm: string
  /** Bits of the RSA key, once the key was read. */
  keyBits?: number
  /** Why a passing signature is no proof for TLS-RPT all the same; [] when it is. */
  unacceptable: Unacceptable[]
  /** Header names of h=, lower case, as listed (repeats kept): what is not in here is not signed. */
  signedHeaders: string[]
}

export type Unacceptable =
  | 'body-length-limited' // l= is present: RFC 8460 §3 forbids it.
  | 'weak-key' // RSA below 1024 bit, RFC 8301 §3.2.
  | 'sha1' // rsa-sha1, RFC 8301 §3.1.
  | 'service-type' // The key's s= lists neither * nor tlsrpt, RFC 6376 §3.6.1.
  | 'testing' // The key has t=y: no more than unsigned mail, RFC 6376 §3.6.1.
  | 'identity-mismatch' // The key has t=s and the domain of i= is not d=.

export type DkimLimits = {
  /** Signatures tried for one mail: so many aligned ones, then so many others. */
  signatures: number
  /** Different key names asked for, for one mail. */
  lookups: number
  /** How long after x= a signature still counts: clocks differ. */
  clockSkewSeconds: number
  /** How far ahead t= may be. */
  futureSeconds: number
}

/** RFC 8301 §3.2. 1024 must do: Microsoft signs its reports with it. */
const minRsaBits = 1024

/**
 * Verifies the DKIM signatures of a message (RFC 6376 §6) until one settles it.
 *
 * `message` as received over SMTP: CRLF, dots unstuffed. `now` is the time of arrival. `isAligned` says of a d= (lower
 * case, never a public suffix) whether it may speak for this report: those signatures are tried first, in header order,
 * and the first that passes with nothing `unacceptable` ends it. The others are tried only after that, so that "nothing
 * passes" can be told from "passes, but not aligned". Results come in the order of trying; what was not tried for lack of
 * limits is not reported. A name is asked for once. Throws only what `resolveTxt` throws.
 */
export async function verifyDkim(
  message: Uint8Array,
  resolveTxt: ResolveTxt,
  now: Date,
  isAligned: (domain: string) => boolean,
  limits: DkimLimits,
): Promise<DkimResult[]> {
  const { fields, body, hasBareLineBreak } = splitMessage(message)
  const verification: Verification = {
    fieldsByName: Map.groupBy(fields, (field) => field.name),
    hasBareLineBreak,
    hashBody: bodyHasher(body),
    lookUp: boundedLookUps(resolveTxt, limits.lookups),
    nowSeconds: now.getTime() / 1000,
    limits,
  }
  const results: DkimResult[] = []
  const others: [HeaderField, Signature | UnusableSignature][] = []
  let aligned = 0
  for (const field of verification.fieldsByName.get('dkim-signature') ?? []) {
    const signature = parseSignature(field.raw.slice(field.raw.indexOf(':') + 1))
    if (signature.kind === 'unusable' || !isAligned(signature.domain)) {
      if (others.length < limits.signatures) others.push([field, signature])
    } else if (aligned < limits.signatures) {
      aligned++
      const result = await verifySignature(field, signature, verification)
      if (result) results.push(result)
      if (result?.result === 'pass' && result.unacceptable.length === 0) return results
    }
  }
  for (const [field, signature] of others) {
    const result = await verifySignature(field, signature, verification)
    if (result) results.push(result)
  }
  return results
}

/** What all signatures of one message share. */
type Verification = {
  fieldsByName: Map<string, HeaderField[]>
  hasBareLineBreak: boolean
  hashBody: (signature: Signature) => Buffer | undefined
  lookUp: (name: string) => Promise<TxtAnswer | undefined>
  nowSeconds: number
  limits: DkimLimits
}

/** Undefined: the look-ups are used up, so nothing can be said. What needs no key is judged before the key is asked for. */
async function verifySignature(
  field: HeaderField,
  signature: Signature | UnusableSignature,
  { fieldsByName, hasBareLineBreak, hashBody, lookUp, nowSeconds, limits }: Verification,
): Promise<DkimResult | undefined> {
  const { domain, selector, algorithm, signedHeaders } = signature
  const told: Omit<DkimResult, 'result' | 'reason'> = { domain, selector, algorithm, signedHeaders, unacceptable: [] }
  const refuse = (result: 'fail' | 'permerror' | 'temperror', reason: string) => ({ ...told, result, reason })
  if (signature.kind === 'unusable') return refuse('permerror', signature.reason)
  if (hasBareLineBreak) return refuse('permerror', 'bare-line-break-in-header')
  const early = findTimeDefect(signature, nowSeconds, limits) ?? findBodyDefect(signature, hashBody)
  if (early !== undefined) return refuse('fail', early)

  const answer = await lookUp(keyName(signature))
  if (answer === undefined) return undefined
  if (answer.kind === 'unreachable') return refuse('temperror', answer.reason)
  if (answer.kind === 'missing' || answer.records.length === 0) return refuse('permerror', 'no-key')
  const key = chooseKey(answer.records)
  if (key.kind === 'unusable') return refuse('permerror', key.reason)

  if (key.bits !== undefined) told.keyBits = key.bits
  if (key.type !== signature.keyType) return refuse('permerror', 'key-algorithm-mismatch')
  if (key.hashes?.includes(signature.hash) === false) return refuse('permerror', 'key-hash-mismatch')
  const signed = signedBytes(field, signedHeaders, signature.headerCanonicalization, fieldsByName)
  if (!holds(signature, key, signed)) return refuse('fail', 'signature-mismatch')
  return { ...told, result: 'pass', unacceptable: findUnacceptable(signature, key) }
}

function findTimeDefect(signature: Signature, nowSeconds: number, limits: DkimLimits): string | undefined {
  const { timestamp, expiration } = signature
  if (expiration !== undefined && expiration + limits.clockSkewSeconds < nowSeconds) return 'signature-expired'
  if (timestamp !== undefined && timestamp - limits.futureSeconds > nowSeconds) return 'signature-from-the-future'
  return undefined
}

function findBodyDefect(signature: Signature, hashBody: Verification['hashBody']): string | undefined {
  const bodyHash = hashBody(signature)
  if (bodyHash === undefined) return 'body-shorter-than-signed'
  return bodyHash.equals(signature.bodyHash) ? undefined : 'body-hash-mismatch'
}

/** Each canonical form is made once and hashed once for each (hash, l=). Undefined: l= is more than there is. */
function bodyHasher(body: Buffer): (signature: Signature) => Buffer | undefined {
  const bodies = new Map<Canonicalization, Buffer>()
  const hashes = new Map<string, Buffer>()
  return ({ bodyCanonicalization, hash: algorithm, bodyLength }) => {
    const canonical = bodies.get(bodyCanonicalization) ?? canonicalizeBody(body, bodyCanonicalization)
    bodies.set(bodyCanonicalization, canonical)
    if (bodyLength !== undefined && bodyLength > canonical.length) return undefined
    const length = bodyLength ?? canonical.length
    const what = `${bodyCanonicalization} ${algorithm} ${length}`
    const bodyHash = hashes.get(what) ?? hash(algorithm, canonical.subarray(0, length), 'buffer')
    hashes.set(what, bodyHash)
    return bodyHash
  }
}

/** At most `max` different names; undefined beyond. */
function boundedLookUps(resolveTxt: ResolveTxt, max: number): (name: string) => Promise<TxtAnswer | undefined> {
  const answers = new Map<string, TxtAnswer>()
  return async (name) => {
    const known = answers.get(name)
    if (known || answers.size >= max) return known
    const answer = await resolveTxt(name)
    answers.set(name, answer)
    return answer
  }
}

/** RFC 8463 §3: Ed25519 signs the SHA-256 of the bytes, not the bytes. */
function holds(signature: Signature, key: DkimKey, signed: Buffer): boolean {
  return key.type === 'rsa'
    ? verify(signature.hash, signed, key.publicKey, signature.signature)
    : verify(null, hash('sha256', signed, 'buffer'), key.publicKey, signature.signature)
}

function findUnacceptable(signature: Signature, key: DkimKey): Unacceptable[] {
  const { services, flags } = key
  const rules: [Unacceptable, boolean][] = [
    ['body-length-limited', signature.bodyLength !== undefined],
    ['weak-key', key.bits !== undefined && key.bits < minRsaBits],
    ['sha1', signature.hash === 'sha1'],
    ['service-type', !services.includes('*') && !services.includes('tlsrpt')],
    ['testing', flags.includes('y')],
    ['identity-mismatch', flags.includes('s') && signature.identityDomain !== signature.domain],
  ]
  return rules.filter(([, broken]) => broken).map(([name]) => name)
}
