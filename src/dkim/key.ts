/** RFC 6376 §3.6.1 and RFC 8463 §4: the TXT record that holds a public key. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { decodeBase64, parseColonList, parseTagList } from './signature.ts'

export type DkimKey = {
  kind: 'key'
  type: 'rsa' | 'ed25519'
  publicKey: KeyObject
  /** Of the modulus; RSA only. */
  bits?: number
  /** h=: the only hashes it may be used with, lower case; any if absent. */
  hashes?: string[]
  /** s=, lower case; ['*'] if absent. */
  services: string[]
  /** t=, lower case. */
  flags: string[]
}

export type UnusableKey = {
  kind: 'unusable'
  reason: 'several-keys' | 'key-malformed' | 'key-revoked' | 'key-algorithm-mismatch'
}

/** A key of 16384 bit takes 2.8 KB. */
const maxRecordLength = 4096

/** Making a KeyObject costs as much as a verification or more; a record is some 400 bytes, 4 KiB at most. */
export const maxCachedRecords = 1000

const keysByRecord = new Map<string, DkimKey | UnusableKey>()

/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself, RFC 8410 §4: DKIM publishes the bare 32 octets. */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * The key among the TXT records of one name (at least one). Records that are plainly something else, as a wildcard may
 * bring in, do not count; several keys are refused, because §3.6.2.2 leaves open which one is meant.
 */
export function chooseKey(records: string[]): DkimKey | UnusableKey {
  const candidates = records.length === 1 ? records : records.filter(looksLikeKey)
  if (candidates.length > 1) return { kind: 'unusable', reason: 'several-keys' }
  return readKeyRecord(candidates[0] ?? '')
}

/** Reads one record. The same text gives the same KeyObject for as long as it is among the last 1000 read. */
export function readKeyRecord(record: string): DkimKey | UnusableKey {
  if (record.length > maxRecordLength) return { kind: 'unusable', reason: 'key-malformed' }
  const cached = keysByRecord.get(record)
  if (cached) return cached
  const key = parseKeyRecord(record)
  if (keysByRecord.size >= maxCachedRecords) keysByRecord.delete(keysByRecord.keys().next().value!)
  keysByRecord.set(record, key)
  return key
}

function looksLikeKey(record: string): boolean {
  const tags = parseTagList(record)
  return tags !== undefined && (tags.get('v') ?? 'DKIM1') === 'DKIM1' && (tags.has('v') || tags.has('p'))
}

function parseKeyRecord(record: string): DkimKey | UnusableKey {
  const tags = parseTagList(record)
  const encoded = tags?.get('p')
  if (tags === undefined || encoded === undefined) return { kind: 'unusable', reason: 'key-malformed' }
  if (tags.has('v') && (tags.get('v') !== 'DKIM1' || tags.keys().next().value !== 'v')) {
    return { kind: 'unusable', reason: 'key-malformed' }
  }
  if (encoded === '') return { kind: 'unusable', reason: 'key-revoked' }
  const type = (tags.get('k') ?? 'rsa').toLowerCase()
  if (type !== 'rsa' && type !== 'ed25519') return { kind: 'unusable', reason: 'key-algorithm-mismatch' }
  const bytes = decodeBase64(encoded)
  const publicKey = bytes && (type === 'rsa' ? readRsaKey(bytes) : readEd25519Key(bytes))
  if (!publicKey) return { kind: 'unusable', reason: 'key-malformed' }
  const bits = publicKey.asymmetricKeyDetails?.modulusLength
  return {
    kind: 'key',
    type,
    publicKey,
    ...(bits !== undefined && { bits }),
    ...(tags.has('h') && { hashes: parseColonList(tags.get('h')!) }),
    services: parseColonList(tags.get('s') ?? '*'),
    flags: parseColonList(tags.get('t') ?? ''),
  }
}

/** SubjectPublicKeyInfo in practice; §3.6.1 says RSAPublicKey (PKCS#1), and some old keys are. */
function readRsaKey(der: Buffer): KeyObject | undefined {
  const key = readDer(der, 'spki') ?? readDer(der, 'pkcs1')
  return key?.asymmetricKeyType === 'rsa' ? key : undefined
}

function readEd25519Key(bytes: Buffer): KeyObject | undefined {
  return bytes.length === 32 ? readDer(Buffer.concat([ed25519Prefix, bytes]), 'spki') : undefined
}

function readDer(key: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'der', type })
  } catch {
    return undefined // The stranger's bytes are no key; OpenSSL's words for it help nobody.
  }
}
