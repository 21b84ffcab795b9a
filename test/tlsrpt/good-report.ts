/** A report as RFC 8460 wants it, to be bent by one test at a time, and the limits that the service runs with. */
import assert from 'node:assert/strict'
import { parseReport, type ParseLimits } from '../../src/tlsrpt/parse.ts'
import type { Report } from '../../src/tlsrpt/report.ts'
import type { Anomaly, Refusal } from '../../src/tlsrpt/submission.ts'

export const limits: ParseLimits = {
  jsonDepth: 16,
  jsonTokens: 1_000_000,
  policies: 10_000,
  failureDetails: 50_000,
  listEntries: 1_000,
  reportIdBytes: 1_024,
  textBytes: 4_096,
  dateSpanDays: 31,
  futureHours: 48,
}

export const arrivedAt = new Date('2026-03-02T04:00:00Z')

export const goodDetail = {
  'result-type': 'certificate-expired',
  'sending-mta-ip': '192.0.2.10',
  'receiving-mx-hostname': 'mx.rcpt.example',
  'receiving-ip': '198.51.100.7',
  'failed-session-count': 2,
}

export const goodPolicy = {
  policy: {
    'policy-type': 'sts',
    'policy-string': ['version: STSv1', 'mode: enforce', 'mx: mx.rcpt.example', 'max_age: 86400'],
    'policy-domain': 'rcpt.example',
    'mx-host': ['mx.rcpt.example'],
  },
  summary: { 'total-successful-session-count': 10, 'total-failure-session-count': 2 },
  'failure-details': [goodDetail],
}

export const goodReport = {
  'organization-name': 'Sender Example',
  'date-range': { 'start-datetime': '2026-03-01T00:00:00Z', 'end-datetime': '2026-03-01T23:59:59Z' },
  'contact-info': 'tlsrpt@sender.example',
  'report-id': 'r-1',
  policies: [goodPolicy],
}

/** The members with these changes; a member that becomes undefined is not in the JSON. */
export const reportWith = (changes: object) => ({ ...goodReport, ...changes })
export const policyWith = (changes: object) =>
  reportWith({ policies: [{ ...goodPolicy, policy: { ...goodPolicy.policy, ...changes } }] })
export const entryWith = (changes: object) => reportWith({ policies: [{ ...goodPolicy, ...changes }] })
export const summaryWith = (changes: object) => entryWith({ summary: { ...goodPolicy.summary, ...changes } })
export const detailWith = (changes: object) => entryWith({ 'failure-details': [{ ...goodDetail, ...changes }] })
export const datesWith = (start: unknown, end: unknown) =>
  reportWith({ 'date-range': { 'start-datetime': start, 'end-datetime': end } })

export const bytes = (json: unknown) => Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))

export const parse = (json: unknown, changed: Partial<ParseLimits> = {}) =>
  parseReport(bytes(json), arrivedAt, { ...limits, ...changed })

export function accepted(json: unknown, changed: Partial<ParseLimits> = {}): { report: Report; anomalies: Anomaly[] } {
  const parsed = parse(json, changed)
  assert.ok(parsed.kind === 'parsed', JSON.stringify(parsed))
  return parsed
}

export function refused(json: unknown, changed: Partial<ParseLimits> = {}): Refusal {
  const parsed = parse(json, changed)
  assert.ok(parsed.kind !== 'parsed', JSON.stringify(parsed))
  return parsed
}

/** 'kind reason pointer' of a refusal: its first problem is its reason. */
export function verdict(json: unknown, changed: Partial<ParseLimits> = {}): string {
  const { kind, reason, problems } = refused(json, changed)
  return `${kind} ${reason} ${problems[0]!.pointer}`.trimEnd()
}
