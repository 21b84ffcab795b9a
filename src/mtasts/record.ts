/** RFC 8461 §3.1: the TXT record at `_mta-sts.` + policy domain, which says that there is a policy, and by its id, which. */
import { trimBlanks } from '../tlsrpt/blanks.ts'
import { quote } from './text.ts'

export type StsRecord =
  | {
      kind: 'found'
      /** 1 to 32 letters and digits. Only whether it is another one counts; there is no order (§3.1). */
      id: string
      /** What some senders may stumble over, a sentence each. */
      warnings: string[]
    }
  /** `similar`: records that were meant to be one, by the look of it; no sender takes them for one. */
  | { kind: 'missing'; similar: string[] }
  /** To a sender the domain then has no MTA-STS. */
  | { kind: 'invalid'; problems: StsRecordProblem[] }

export type StsRecordProblem = { kind: 'several' | 'id' | 'syntax'; text: string }

/** §3.1: `v=STSv1` as it stands, and nothing that only begins so. */
const version = /^v=STSv1(?=[\t ]*(?:;|$))/
const similarVersion = /^["'\s]*v\s*=\s*STS/i
const idValue = /^[A-Za-z0-9]{1,32}$/
const extensionName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/
const extensionValue = /^[\x21-\x3a\x3c\x3e-\x7e]+$/

/** Reads all TXT records of one name, the strings of each already joined with nothing between. */
export function parseStsRecord(records: string[]): StsRecord {
  const candidates = records.filter((record) => version.test(record))
  if (candidates.length === 0) return { kind: 'missing', similar: records.filter((text) => similarVersion.test(text)) }
  if (candidates.length > 1) {
    return { kind: 'invalid', problems: [{ kind: 'several', text: `There are ${candidates.length} MTA-STS records.` }] }
  }
  const rest = candidates[0]!.replace(version, '')
  const warnings = /^[\t ]+;/.test(rest) ? ['Some senders want no blank between v=STSv1 and the semicolon.'] : []
  const fields = rest.split(';').map(trimBlanks).slice(1)
  if (fields.at(-1) === '') fields.pop()
  const ids = fields.filter((field) => field.startsWith('id=')).map((field) => field.slice('id='.length))
  const problems = [...idProblems(ids), ...fields.filter((field) => !field.startsWith('id=')).flatMap(fieldProblem)]
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'found', id: ids[0]!, warnings }
}

/** The record for an id of 1 to 32 letters and digits; `parseStsRecord` reads it back. */
export const formatStsRecord = (id: string): string => `v=STSv1; id=${id};`

function idProblems(ids: string[]): StsRecordProblem[] {
  const problem = (text: string): StsRecordProblem[] => [{ kind: 'id', text }]
  const [id] = ids
  if (id === undefined) return problem('There is no id.')
  if (ids.length > 1) return problem('There is more than one id.')
  return idValue.test(id) ? [] : problem(`The id ${quote(id)} is not 1 to 32 letters and digits.`)
}

function fieldProblem(field: string): StsRecordProblem[] {
  const equals = field.indexOf('=')
  const wellFormed = extensionName.test(field.slice(0, equals)) && extensionValue.test(field.slice(equals + 1))
  if (equals > 0 && wellFormed) return []
  return [{ kind: 'syntax', text: `${quote(field)} is no field of the form name=value.` }]
}
