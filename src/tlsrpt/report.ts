/** RFC 8460 §4.4 as values: a report after repairs and schema. Types and constants only; nothing here runs or throws. */

/** What one organization saw while sending to us over one period. */
export type Report = {
  /** Free text, a label anyone can write; absent when the sender left it out (Stalwart). */
  organizationName?: string
  /** One addr-spec as written; absent or unparsable ones are anomalies, never refusals. */
  contactInfo?: string
  /** Unique only as far as its author made it so (§4.4): never a key on its own. 1..1024 bytes. */
  reportId: string
  dateRange: DateRange
  /** May be empty: the policy domain is then recovered from elsewhere, or the report is not ours. */
  policies: Policy[]
}

/** Instants in UTC, start <= end. Normally one UTC day (§4.1). */
export type DateRange = { start: Date; end: Date }

/** One policy the sender applied, its session counts, and what failed under it. */
export type Policy = {
  /** Trimmed and lower-cased: 'sts', 'tlsa', 'no-policy-found', or whatever the sender wrote. */
  policyType: string
  /** The sender's spelling, only where it differs from `policyType`. */
  policyTypeRaw?: string
  /** The policy as the sender saw it: one STS line or one TLSA record an element (§4.4). May be empty. */
  policyString: string[]
  /** A-labels, lower case, no trailing dot. Absent when the sender left it out (Postfix with sys4). */
  policyDomain?: string
  /** The `mx` patterns of an STS policy, A-labels in lower case; may be empty. */
  mxHost: string[]
  /** Sessions, 0..2^53-1. */
  totalSuccessfulSessionCount: number
  /** Sessions, 0..2^53-1. */
  totalFailureSessionCount: number
  failureDetails: FailureDetail[]
}

/** Sessions that failed alike. Absent means the sender did not say; never ''. */
export type FailureDetail = {
  /** Trimmed and lower-cased; absent ones are 'validation-failure' with an anomaly (§4.3.3). */
  resultType: string
  /** The sender's spelling, only where it differs. */
  resultTypeRaw?: string
  /** Sessions, 0..2^53-1. */
  failedSessionCount: number
  sendingMtaIp?: Address
  /** Lower case, no trailing dot. */
  receivingMxHostname?: string
  receivingMxHelo?: string
  receivingIp?: Address
  /** A URI by the RFC. Untrusted: shown as text, never fetched. */
  additionalInformation?: string
  failureReasonCode?: string
}

/** `ip` in canonical form when it is an address Postgres' inet takes (no zone, no mask); `raw` when it differs. */
export type Address = { ip?: string; raw?: string }

/** §4.4: "presently" only these; others are kept as written. */
export const policyTypes = ['sts', 'tlsa', 'no-policy-found'] as const
