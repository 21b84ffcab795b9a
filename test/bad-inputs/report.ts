/** RFC 8460 §4.4: a report as it should be, no two alike, to be spoilt by one row at a time. */
import { gzipSync } from 'node:zlib'

export type Json = Record<string, unknown>

const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
let made = 0

export const detail = (changes: Json = {}): Json => ({
  'result-type': 'certificate-expired',
  'sending-mta-ip': '192.0.2.7',
  'receiving-mx-hostname': 'mx.ours.example',
  'receiving-ip': '198.51.100.7',
  'failed-session-count': 2,
  ...changes,
})

/** `changes` are to what the policy is, `beside` to what stands beside it. */
export const policy = (changes: Json = {}, beside: Json = {}): Json => ({
  policy: {
    'policy-type': 'sts',
    'policy-string': ['version: STSv1', 'mode: enforce'],
    'policy-domain': 'ours.example',
    'mx-host': ['mx.ours.example'],
    ...changes,
  },
  summary: { 'total-successful-session-count': 10, 'total-failure-session-count': 2 },
  'failure-details': [detail()],
  ...beside,
})

/** A member that becomes undefined is not in the JSON. */
export const report = (changes: Json = {}): Json => ({
  'organization-name': 'Sender',
  'date-range': { 'start-datetime': `${yesterday}T00:00:00Z`, 'end-datetime': `${yesterday}T23:59:59Z` },
  'contact-info': 'tls@sender.example',
  'report-id': `${process.pid}-${++made}`,
  policies: [policy()],
  ...changes,
})

export const withPolicy = (changes: Json, beside: Json = {}): Json => report({ policies: [policy(changes, beside)] })
export const withCounts = (successful: unknown, failed: unknown): Json =>
  withPolicy(
    {},
    {
      summary: { 'total-successful-session-count': successful, 'total-failure-session-count': failed },
      'failure-details': [],
    },
  )
export const withDetail = (changes: Json): Json => withPolicy({}, { 'failure-details': [detail(changes)] })
export const withDates = (start: unknown, end: unknown): Json =>
  report({ 'date-range': { 'start-datetime': start, 'end-datetime': end } })

/** `days` from now, as RFC 3339 has it. */
export const at = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+/, '')

/** A string as it stands, anything else as JSON. */
export const bytes = (json: Json | string): Buffer =>
  Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))

export const zipped = (json: Json | string = report()): Buffer => gzipSync(bytes(json), { level: 1 })
