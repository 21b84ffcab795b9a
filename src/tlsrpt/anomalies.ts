/** RFC 8460 §4.4 as the field writes it: every repair made and oddity seen, by its stable code. */
import type { Anomaly } from './submission.ts'

/** Code -> what was seen, and who does it where somebody is known to. Codes are published: added to, never renamed. */
export const anomalyCodes = {
  'address-in-brackets': 'An address stands in brackets, as in a mail address; they are taken off.',
  'address-v4-mapped': 'An IPv4 address is written as an IPv6 one (::ffff:192.0.2.1); it is kept so.',
  'byte-order-mark': 'The JSON begins with a byte order mark, which RFC 7493 does not allow.',
  'contact-info-missing': 'No contact-info (Stalwart leaves it out or null).',
  'contact-info-unparsable': 'The contact-info is no single mail address.',
  'content-encoding-mismatch': 'Content-Encoding says gzip and the body is not.',
  'count-is-string': 'A count is written as a string of digits.',
  'count-missing': 'A session total is left out, which is read as 0 (Google in 2019).',
  'date-blank-separator': 'A date-time has a blank for the T.',
  'date-lower-case': 'A date-time has a lower-case t or z.',
  'date-only': 'A date-time is a date without a time, which is read as midnight UTC.',
  'date-without-zone': 'A date-time has no zone, which is read as UTC (Microsoft until 2023).',
  'details-differ-from-total': 'The failure details do not add up to the failure total (Mail.ru); both are kept.',
  'empty-member': 'A member is an empty string, which is read as absent (Google: sending-mta-ip).',
  'end-of-day-24': 'A date-time says 24:00:00, which is read as the next midnight.',
  'gzip-twice': 'The report is compressed twice.',
  'header-fields-repeated': 'A Content-* or Subject field stands twice in the mail.',
  'implausible-count': 'A count is too large to believe; the report is not counted unless the operator includes it.',
  'imported-unverified': 'A file without a signature that verifies; the operator vouches for it, nobody else does.',
  late: 'The report came more than 30 days after its date-range.',
  'leap-second': 'A date-time has second 60, which is read as 59.',
  'lone-surrogate': 'A text has half of a surrogate pair, which is replaced by U+FFFD.',
  'long-date-range': 'The date-range is longer than a day (Mail.ru: a week).',
  'media-type-mismatch': 'The media type says gzip and it is JSON, or the reverse.',
  'media-type-unknown': 'The media type is missing, or none that is used for TLS reports.',
  'member-alias': 'A member has another name than in RFC 8460, say failure_details (Mail::TLSRPT).',
  'mx-host-is-string': 'The mx-host is a string and no list (the example in RFC 8460 itself, erratum 6241).',
  'mx-host-prefixed': 'An mx-host still has the "mx:" of its line in the policy, which is taken off.',
  'nul-stripped': 'A text has NUL characters, which are taken out.',
  'null-member': 'A member is null, which is read as absent (Stalwart).',
  'older-than-retention': 'The report is older than what we keep; its bytes are kept, and it is not counted.',
  'organization-name-missing': 'No organization-name (Stalwart leaves it null).',
  'policies-empty': 'The report has no policies; its domain is known from elsewhere.',
  'policies-is-object': 'The policies are a single object and no list.',
  'policy-domain-is-mx': 'The policy-domain is the name of an MX host (DANE), which serves a domain of ours.',
  'policy-domain-missing': 'A policy has no policy-domain (Postfix with tlsrpt-reporter, where none was found).',
  'policy-domain-normalised': 'A policy-domain is not in lower-case A-labels without a final dot.',
  'policy-domain-recovered':
    'A missing policy-domain was taken from TLS-Report-Domain, the file name, the Subject or the intake token.',
  'policy-dropped': 'A policy is about no domain of ours; it is left out.',
  'policy-is-flat': 'The members of a policy or of its summary stand beside and not inside that object.',
  'policy-string-holds-json': 'A policy-string holds a JSON list in a string, which is read again (Microsoft).',
  'policy-string-is-string': 'The policy-string is a string and no list.',
  'policy-string-joined': 'One policy-string holds several records or lines, which are taken apart.',
  'policy-type-missing': 'A policy has no policy-type, which is kept as "unknown".',
  'report-id-is-number': 'The report-id is a number and no string.',
  'result-type-missing': 'A failure has no result-type, which is read as validation-failure (RFC 8460 §4.3.3).',
  'submitter-differs':
    'TLS-Report-Submitter is not the domain of contact-info (Mail.ru, Stalwart, old tlsrpt-reporter).',
  'text-truncated': 'A text is longer than we keep; its beginning is kept.',
  unauthenticated: 'A mail without an acceptable signature, taken because DKIM_POLICY is mark.',
  'unknown-policy-type': 'A policy-type that RFC 8460 does not name; it is kept as written.',
  'unknown-result-type': 'A result-type that is not registered with IANA; it is kept as written.',
  'unparsable-address': 'An address is none (a host name, a network, a zone, a placeholder); its text is kept.',
} satisfies Record<string, string>

export type AnomalyCode = keyof typeof anomalyCodes

/** `pointer` is a JSON pointer into the report. */
export type Note = (code: AnomalyCode, pointer: string) => void

/** A report of 50,000 failures may deviate in each of them alike; the first places tell as much as all. */
export const maxAnomaliesPerCode = 10

/** Returns a Note that appends to `anomalies`, at most `maxAnomaliesPerCode` of each code. */
export function noteInto(anomalies: Anomaly[]): Note {
  const noted = new Map<AnomalyCode, number>()
  return (code, pointer) => {
    const before = noted.get(code) ?? 0
    noted.set(code, before + 1)
    if (before < maxAnomaliesPerCode) anomalies.push({ code, pointer })
  }
}
