/** What was seen of a domain, as JSON: to be stored, shown, and compared with the next time. Times are RFC 3339 in UTC. */
import { createHash } from 'node:crypto'
import type { LookedUp } from '../dns/look-up.ts'
import { patternsFor } from '../mtasts/match.ts'
import type { Mode } from '../mtasts/policy.ts'
import { parseStsRecord } from '../mtasts/record.ts'
import { parseRecord } from '../tlsrpt/record.ts'
import { policyTextOf, type DomainSeen, type HostSeen } from './domain-seen.ts'
import { enforceVerdicts, type EnforceVerdict } from './findings/mx-hosts.ts'
import type { CertificateSeen, MxAddressSeen } from './seen.ts'
import { readable } from './strangers-text.ts'
import { formatTlsa } from './tlsa.ts'

export type Observed = {
  /** Absent where the DNS could not tell. `id` only of a valid record; `records` are all TXT records at the name. */
  stsRecord?: { records: string[]; aliases: string[]; id?: string }
  /** Absent where nothing came with status 200. `fetched`: a sender would read it. `mx` as far as it can be told. */
  policy?: {
    text: string
    sha256: string
    fetched: boolean
    valid: boolean
    mode?: Mode
    maxAge?: number
    mx: string[]
  }
  policyHost: { host: string; address?: string; status?: number; certificate?: CertificateObserved; unseen?: string }
  /** Absent where the DNS could not tell; empty where there is none. By preference. */
  mx?: MxObserved[]
  /** Absent where the DNS could not tell. */
  tlsrptRecord?: { records: string[]; aliases: string[]; rua: string[] }
}

export type MxObserved = {
  host: string
  preference: number
  /** The patterns of the policy that cover it. */
  patterns: string[]
  enforce: EnforceVerdict
  addresses: MxAddressObserved[]
  /** TLSA records, as `3 1 1 hex`, sorted; absent where the DNS could not tell. */
  tlsa?: string[]
  unseen?: string
}

export type MxAddressObserved = {
  address: string
  greeting?: string
  offersStarttls?: boolean
  tlsVersion?: string
  certificate?: CertificateObserved
  unseen?: string
}

/** Fingerprints are SHA-256 in hex. `problems`: what a sender has against it, by kind. */
export type CertificateObserved = {
  names: string[]
  issuer: string
  validFrom: string
  validTo: string
  fingerprint: string
  publicKeyFingerprint: string
  problems: string[]
}

export function observe(seen: DomainSeen): Observed {
  const policyText = policyTextOf(seen.policy)
  const read = policyText?.read
  const meant = read?.kind === 'valid' ? read.policy : read?.meant
  const verdicts = enforceVerdicts(seen.hosts, read)
  return {
    ...(seen.stsRecord.kind !== 'unreachable' && { stsRecord: stsRecordOf(seen.stsRecord) }),
    ...(policyText && meant && {
        policy: {
          text: readableLines(policyText.text),
          sha256: createHash('sha256').update(seen.policy.reply!.body).digest('hex'),
          fetched: policyText.fetched,
          valid: read?.kind === 'valid',
          ...(meant.mode && { mode: meant.mode }),
          ...(meant.maxAge !== undefined && { maxAge: meant.maxAge }),
          mx: meant.mx,
        },
      }), // prettier-ignore
    policyHost: policyHostOf(seen),
    ...(seen.mailHosts.kind !== 'unreachable' && { mx: seen.hosts.map((host, i) => mxOf(host, verdicts[i]!, meant?.mx ?? [])) }), // prettier-ignore
    ...(seen.tlsrptRecord.kind !== 'unreachable' && { tlsrptRecord: tlsrptRecordOf(seen.tlsrptRecord) }),
  }
}

const mostLines = 1_000
const mostRecords = 20

const readableLines = (text: string): string =>
  text
    .split(/\r\n|\n|\r/, mostLines)
    .map((line) => readable(line, 512))
    .join('\n')

type Told = LookedUp<'TXT'> & { kind: 'found' | 'missing' }

const recordsOf = (looked: Told): string[] => (looked.kind === 'found' ? looked.records : [])
const shown = (looked: Told) => ({
  records: recordsOf(looked).slice(0, mostRecords).map((record) => readable(record, 1_024)),
  aliases: looked.aliases.slice(0, mostRecords).map((alias) => readable(alias, 255)),
}) // prettier-ignore

function stsRecordOf(looked: Told): NonNullable<Observed['stsRecord']> {
  const parsed = parseStsRecord(recordsOf(looked))
  return { ...shown(looked), ...(parsed.kind === 'found' && { id: parsed.id }) }
}

function tlsrptRecordOf(looked: Told): NonNullable<Observed['tlsrptRecord']> {
  const parsed = parseRecord(recordsOf(looked))
  const rua = parsed.kind === 'found' ? parsed.rua.slice(0, mostRecords).map((uri) => readable(uri, 1_024)) : []
  return { ...shown(looked), rua }
}

function policyHostOf({ policy: { host, address, reply, certificate, unseen } }: DomainSeen): Observed['policyHost'] {
  return {
    host,
    ...(address !== undefined && { address }),
    ...(reply && { status: reply.status }),
    ...(certificate && { certificate: certificateOf(certificate) }),
    ...(unseen && { unseen: unseen.text }),
  }
}

function mxOf({ mx, tlsa }: HostSeen, enforce: EnforceVerdict, patterns: string[]): MxObserved {
  const { host, preference, addresses, unseen } = mx
  return {
    host,
    preference,
    patterns: patternsFor(patterns, host),
    enforce,
    addresses: addresses.map(addressOf),
    ...(tlsa.kind === 'found' && { tlsa: tlsa.records.map((record) => readable(formatTlsa(record), 1_024)).sort() }),
    ...(tlsa.kind === 'missing' && { tlsa: [] }),
    ...(unseen && { unseen: unseen.text }),
  }
}

function addressOf({ certificate, unseen, ...seen }: MxAddressSeen): MxAddressObserved {
  return {
    ...seen,
    ...(certificate && { certificate: certificateOf(certificate) }),
    ...(unseen && { unseen: unseen.text }),
  }
}

const certificateOf = ({ validFrom, validTo, problems, chain: _chain, ...seen }: CertificateSeen): CertificateObserved => ({
  ...seen,
  validFrom: validFrom.toISOString(),
  validTo: validTo.toISOString(),
  problems: problems.map(({ kind }) => kind),
}) // prettier-ignore
