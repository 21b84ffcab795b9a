/** One thing that a check says of a domain. */
import { readable } from '../strangers-text.ts'
import { codes, type FindingCode, type Severity } from './codes.ts'

export type Finding = {
  code: FindingCode
  severity: Severity
  /** What it is about: a name of the DNS, an MX host, or one with an address or a name behind it, as 'mx.example.com [192.0.2.1]'. */
  subject: string
  sentence: string
  /** What was seen, a line each, at most 20. */
  evidence: string[]
  /** What to do about it. */
  fix?: string
  /** To be copied as it stands: a record, a line of a policy. */
  value?: string
}

const mostEvidence = 20
const mostChars = 512
const mostValueChars = 4_096 // A TXT record may be as long.

/** Texts of strangers may be handed in as they are. */
export function finding(
  code: FindingCode,
  subject: string,
  sentence: string,
  { evidence = [], fix, value }: { evidence?: string[]; fix?: string; value?: string } = {},
): Finding {
  return {
    code,
    severity: codes[code].severity,
    subject: readable(subject, mostChars),
    sentence: readable(sentence, mostChars),
    evidence: evidence.slice(0, mostEvidence).map((line) => readable(line, mostChars)),
    ...(fix !== undefined && { fix: readable(fix, mostChars) }),
    ...(value !== undefined && {
      value: value
        .split('\n')
        .map((line) => readable(line, mostValueChars))
        .join('\n'),
    }),
  }
}

const weights: readonly Severity[] = ['ok', 'advice', 'warning', 'error']

/** 'ok' where nothing was found. */
export const worstOf = (findings: readonly Finding[]): Severity =>
  weights[Math.max(0, ...findings.map(({ severity }) => weights.indexOf(severity)))]!
