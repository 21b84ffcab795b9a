/** RFC 6698 §2.1, RFC 7671 §5, RFC 7672 §3.1: TLSA records, and whether they match a certificate chain. */
import { createHash, X509Certificate } from 'node:crypto'
import type { RecordOf } from '../dns/look-up.ts'

export type Tlsa = RecordOf['TLSA']

/** Hash and its length by matching type; 0 is the data itself. */
const hashes = new Map([
  [1, { algorithm: 'sha256', bytes: 32 }],
  [2, { algorithm: 'sha512', bytes: 64 }],
])

/** As in a zone file and in reports (RFC 8460 §4.4): `usage selector matching-type hexdata`. */
export const formatTlsa = ({ usage, selector, matchingType, data }: Tlsa): string =>
  `${usage} ${selector} ${matchingType} ${data.toString('hex')}`

/** Why SMTP does not use a record; undefined for one that it uses: DANE-TA (2) or DANE-EE (3), in known forms. */
export function unusableBecause({ usage, selector, matchingType, data }: Tlsa): string | undefined {
  if (usage === 0 || usage === 1) return `usage ${usage} is not for SMTP (RFC 7672 section 3.1.3)`
  if (usage !== 2 && usage !== 3) return `usage ${usage} is not known`
  if (selector > 1) return `selector ${selector} is not known`
  if (matchingType > 2) return `matching type ${matchingType} is not known`
  const hash = hashes.get(matchingType)
  if (hash && data.length !== hash.bytes) return `its data has ${data.length} bytes instead of ${hash.bytes}`
  return data.length === 0 ? 'it has no data' : undefined
}

/**
 * What a record with this selector (0 certificate, 1 SubjectPublicKeyInfo) and matching type (0 whole, 1 SHA-256, 2
 * SHA-512) holds for a certificate in DER. Undefined where the certificate cannot be read.
 */
export function associationData(der: Buffer, selector: number, matchingType: number): Buffer | undefined {
  const selected = selector === 0 ? der : publicKeyOf(der)
  const hash = hashes.get(matchingType)
  return selected && hash ? createHash(hash.algorithm).update(selected).digest() : selected
}

function publicKeyOf(der: Buffer): Buffer | undefined {
  try {
    return new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' })
  } catch {
    return undefined // A key of a kind that OpenSSL does not know.
  }
}

/** Whether a usable record matches a chain (DER, the leaf first): DANE-EE the leaf, DANE-TA what stands above it. */
export function matchesChain(record: Tlsa, chain: readonly Buffer[]): boolean {
  const candidates = record.usage === 3 ? chain.slice(0, 1) : chain.slice(1)
  return candidates.some((der) => associationData(der, record.selector, record.matchingType)?.equals(record.data))
}
