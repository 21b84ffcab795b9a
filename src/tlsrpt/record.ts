/** RFC 8460 §3: the TXT record at `_smtp._tls.` + policy domain, which says where reports go. */
import { trimBlanks } from './blanks.ts'
import { domainName } from './domain-name.ts'

export type TlsRptRecord =
  | {
      kind: 'found'
      /** `mailto:` and `https:` URIs as written, in order; never empty. A reporter may use all of them or just one. */
      rua: string[]
      /** What some senders may stumble over, a sentence each. */
      warnings: string[]
    }
  | { kind: 'missing' }
  /** To a sender the domain then has no record. A sentence for each thing that is wrong. */
  | { kind: 'invalid'; problems: string[] }

/** §3: `v=TLSRPTv1` as it stands, and nothing that only begins so. */
const version = /^v=TLSRPTv1(?=[\t ]*(?:;|$))/
const extensionName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/
const extensionValue = /^[\x21-\x3a\x3c\x3e-\x7e]+$/

/** Reads all TXT records of one name, the strings of each already joined with nothing between. */
export function parseRecord(records: string[]): TlsRptRecord {
  const candidates = records.filter((record) => version.test(record))
  if (candidates.length === 0) return { kind: 'missing' }
  if (candidates.length > 1) return { kind: 'invalid', problems: ['There is more than one TLSRPT record.'] }
  const rest = candidates[0]!.replace(version, '')
  const warnings = /^[\t ]+;/.test(rest) ? ['Some senders want no blank between v=TLSRPTv1 and the semicolon.'] : []
  const fields = rest.split(';').map(trimBlanks).slice(1)
  if (fields.at(-1) === '') fields.pop()
  const lists = fields.filter((field) => field.startsWith('rua='))
  if (lists.length > 1) warnings.push('Some senders read only one rua; list all URIs in it, with commas between.')
  const rua = lists.flatMap((field) => field.slice('rua='.length).split(',').map(trimBlanks))
  const problems = [
    ...(lists.length === 0 ? ['There is no rua.'] : []),
    ...fields.filter((field) => !field.startsWith('rua=')).flatMap(extensionProblem),
    ...rua.flatMap(uriProblem),
  ]
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'found', rua, warnings }
}

/** The record for these URIs. Makes what `parseRecord` reads back, if they are `mailto:` or `https:` URIs and not none. */
export function formatRecord(rua: string[]): string {
  // §3: these three must be percent-encoded in a URI.
  return `v=TLSRPTv1; rua=${rua.map((uri) => uri.replace(/[,!;]/g, encodeByte)).join(',')}`
}

const encodeByte = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

function extensionProblem(field: string): string[] {
  const equals = field.indexOf('=')
  const wellFormed = extensionName.test(field.slice(0, equals)) && extensionValue.test(field.slice(equals + 1))
  return equals > 0 && wellFormed ? [] : [`"${field}" is no field of the form name=value.`]
}

function uriProblem(uri: string): string[] {
  if (/[\s!]/.test(uri)) return [`"${uri}" has a blank or "!" in it, which must be percent-encoded.`]
  const mailDomain = /^mailto:[^@]+@([^@?]+)(?:\?.*)?$/i.exec(uri)?.[1]
  if (mailDomain !== undefined) return domainName(mailDomain) === undefined ? [`"${uri}" has no mail domain.`] : []
  return /^https:\/\/[^/]/i.test(uri) && URL.canParse(uri) ? [] : [`"${uri}" is no mailto: or https: URI.`]
}
