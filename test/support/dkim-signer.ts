/** RFC 6376 §5: a DKIM signer for tests, with a hand on every tag and on the key record. Shares no code with the verifier. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, generatePrimeSync, hash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export type KeyPair = {
  type: 'rsa' | 'ed25519'
  privateKey: KeyObject
  /** The plainest TXT record for it; `keyRecord` makes others. */
  record: string
}

export type SignOptions = {
  key: KeyPair
  domain: string
  selector: string
  /** a=; rsa-sha256 or ed25519-sha256, as the key is, unless given. */
  algorithm?: 'rsa-sha256' | 'rsa-sha1' | 'ed25519-sha256'
  /** c=, relaxed/relaxed unless given. */
  canonicalization?: `${'simple' | 'relaxed'}/${'simple' | 'relaxed'}`
  /** h=, every field there is, in order, unless given. Repeats and absent names are written as they are. */
  headers?: string[]
  /**
   * Raw tags, the last word over all the above: { l: '5', t: '1772323200', i: '@sub.example', a: 'rsa-md5' }. l= and h=
   * are followed in signing; bh= and b= are written as given instead of computed; undefined leaves the tag out.
   */
  tags?: Record<string, string | undefined>
  /** Raw tags written after b=. */
  lateTags?: Record<string, string>
}

const keyPairs = new Map<string, KeyPair>()

/** The key pair of that name, made once for each process. `bits` counts for RSA only. */
export function keyPair(type: 'rsa' | 'ed25519' = 'rsa', bits = 2048, name = 'first'): KeyPair {
  const id = `${type} ${bits} ${name}`
  const known = keyPairs.get(id)
  if (known) return known
  const privateKey = type === 'ed25519' ? generateKeyPairSync('ed25519').privateKey : rsaKey(bits)
  const made: KeyPair = { type, privateKey, record: '' }
  made.record = keyRecord(made)
  keyPairs.set(id, made)
  return made
}

/** The key record of RFC 6376 §3.6.1 with raw tags: { s: 'tlsrpt', p: '' }. Undefined leaves a tag out. */
export function keyRecord(key: KeyPair, tags: Record<string, string | undefined> = {}): string {
  return formatTags({ v: 'DKIM1', k: key.type, ...tags, p: 'p' in tags ? tags['p'] : publicKeyText(key, 'spki') })
}

/** p= of a key. 'pkcs1' is the bare RSAPublicKey of RFC 6376; an Ed25519 key is its 32 octets in any case. */
export function publicKeyText(key: KeyPair, form: 'spki' | 'pkcs1'): string {
  const publicKey = createPublicKey(key.privateKey)
  if (key.type === 'rsa') return publicKey.export({ type: form, format: 'der' }).toString('base64')
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
}

/** `message` (CRLF, dots unstuffed; a string is latin1) with a DKIM-Signature on top. */
export function signDkim(message: string | Uint8Array, options: SignOptions): Buffer {
  const text = typeof message === 'string' ? message : Buffer.from(message).toString('latin1')
  const { fields, body } = split(text)
  const { key, tags: given = {}, lateTags = {} } = options
  const algorithm = options.algorithm ?? `${key.type}-sha256`
  const digest = algorithm.endsWith('sha1') ? 'sha1' : 'sha256'
  const canonicalization = options.canonicalization ?? 'relaxed/relaxed'
  const tags: Record<string, string | undefined> = {
    v: '1',
    a: algorithm,
    c: canonicalization,
    d: options.domain,
    s: options.selector,
    h: (options.headers ?? fields.map((field) => field.split(':')[0]!)).join(':'),
    bh: '',
    ...given,
  }
  if (!('bh' in given)) {
    const signedBody = canonicalBody(body, canonicalization.endsWith('/relaxed'))
    const signedPart = Buffer.from(signedBody, 'latin1').subarray(0, Number(tags['l'] ?? signedBody.length))
    tags['bh'] = hash(digest, signedPart, 'buffer').toString('base64')
  }

  const header = (b: string | undefined) => `DKIM-Signature: ${formatTags({ ...tags, b, ...lateTags }, ';\r\n\t')}`
  if ('b' in given) return Buffer.from(`${header(given['b'])}\r\n${text}`, 'latin1')
  const signed = [...selectFields(fields, tags['h'] ?? ''), header('')]
    .map((field) => (canonicalization.startsWith('relaxed/') ? relaxedField(field) : field))
    .join('\r\n')
  const folded = signText(signed, digest, key).replace(/.{72}(?=.)/g, '$&\r\n\t ')
  return Buffer.from(`${header(folded)}\r\n${text}`, 'latin1')
}

function split(text: string): { fields: string[]; body: string } {
  if (text.startsWith('\r\n')) return { fields: [], body: text.slice(2) }
  const end = text.indexOf('\r\n\r\n')
  const header = end === -1 ? text.replace(/\r\n$/, '') : text.slice(0, end)
  return { fields: header.split(/\r\n(?![ \t])/), body: end === -1 ? '' : text.slice(end + 4) }
}

function formatTags(tags: Record<string, string | undefined>, separator = '; '): string {
  const present = Object.entries(tags).filter(([, value]) => value !== undefined)
  return present.map(([name, value]) => `${name}=${value!}`).join(separator)
}

/** RFC 8463 §3: Ed25519 signs the hash. */
function signText(text: string, digest: 'sha1' | 'sha256', { type, privateKey }: KeyPair): string {
  const bytes = Buffer.from(text, 'latin1')
  const signature =
    type === 'rsa' ? sign(digest, bytes, privateKey) : sign(null, hash('sha256', bytes, 'buffer'), privateKey)
  return signature.toString('base64')
}

/** §5.4.2: of repeated fields the last one first; what is not there adds nothing. */
function selectFields(fields: string[], names: string): string[] {
  const left = [...fields].reverse()
  return names.split(':').flatMap((name) => {
    const i = left.findIndex((field) => field.split(':')[0]!.trim().toLowerCase() === name.trim().toLowerCase())
    return i === -1 ? [] : left.splice(i, 1)
  })
}

function relaxedField(field: string): string {
  const [name, ...value] = field.split(':')
  const words = value
    .join(':')
    .replaceAll('\r\n', '')
    .split(/[ \t]+/)
  return `${name!.trim().toLowerCase()}:${words.filter((word) => word !== '').join(' ')}`
}

function canonicalBody(body: string, relaxed: boolean): string {
  const lines = body.split('\r\n').map((line) => (relaxed ? line.replace(/[ \t]+/g, ' ').replace(/ $/, '') : line))
  while (lines.at(-1) === '') lines.pop()
  if (lines.length === 0) return relaxed ? '' : '\r\n'
  return `${lines.join('\r\n')}\r\n`
}

function rsaKey(bits: number): KeyObject {
  return bits <= 1024 ? generateKeyPairSync('rsa', { modulusLength: bits }).privateKey : composedRsaKey(bits)
}

/**
 * Finding primes of 1024 bits takes half a second, and of 4096 minutes, so p and q are products of 512-bit primes instead:
 * no secret, but the sums hold, and a verifier cannot tell.
 */
function composedRsaKey(bits: number): KeyObject {
  const e = 65537n
  const product = (factors: bigint[]) => factors.reduce((a, b) => a * b, 1n)
  const primes = Array.from({ length: bits / 512 - 1 }, () => generatePrimeSync(512, { bigint: true }))
  const missing = bits - lengthOf(product(primes)) // The last prime makes up for what the others are short of.
  for (let tries = 0; lengthOf(product(primes)) !== bits; tries++) {
    primes.length = bits / 512 - 1
    primes.push(generatePrimeSync(missing + (tries % 2), { bigint: true }))
  }
  const ps = primes.slice(0, primes.length / 2)
  const qs = primes.slice(primes.length / 2)
  const totient = (factors: bigint[]) => product(factors.map((prime) => prime - 1n))
  const [p, q] = [product(ps), product(qs)]
  const d = inverse(e, totient(primes))
  const numbers = { n: p * q, e, d, p, q, dp: d % totient(ps), dq: d % totient(qs), qi: inverse(q, p) }
  const texts = Object.entries(numbers).map(([name, value]): [string, string] => [name, base64url(value)])
  return createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries<string>(texts) }, format: 'jwk' })
}

/** In bits. */
const lengthOf = (value: bigint): number => value.toString(2).length

/** The extended algorithm of Euclid; `a` and `modulus` have no common factor. */
function inverse(a: bigint, modulus: bigint): bigint {
  let [r, nextR, s, nextS] = [a % modulus, modulus, 1n, 0n]
  while (nextR !== 0n) {
    const quotient = r / nextR
    ;[r, nextR] = [nextR, r - quotient * nextR]
    ;[s, nextS] = [nextS, s - quotient * nextS]
  }
  return ((s % modulus) + modulus) % modulus
}

function base64url(value: bigint): string {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}
