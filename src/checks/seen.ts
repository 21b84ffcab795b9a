/** What was seen of a domain from outside: the values between the probes (which touch the network) and the findings (pure). */

/** Why something could not be seen; kebab-case and stable. The text is for a person and quotes no secret of ours. */
export type Unseen = { reason: UnseenReason; text: string }

export type UnseenReason =
  | 'no-address' // The name exists, without A or AAAA.
  | 'no-such-name'
  | 'dns-unreachable' // Cannot tell now: SERVFAIL, a time-out.
  | 'blocked-address' // Not a public unicast address (or not in CHECK_ALLOW_CIDRS): not a packet was sent.
  | 'refused' // ECONNREFUSED; or an SMTP server that greets us, or answers EHLO, with 4xx or 5xx.
  | 'unreachable' // No way there from here: the network's word, or our own lack of IPv6.
  | 'timeout'
  | 'reset'
  | 'tls-failed' // The handshake failed for another reason than the certificate.
  | 'bad-certificate' // See the certificate's problems.
  | 'bad-reply' // Not HTTP, or not SMTP.
  | 'too-large'
  | 'budget' // The time or the number of attempts for one check was used up.

/** A certificate as it was shown, and what a sender would have against it. Times are UTC instants. */
export type CertificateSeen = {
  /** DNS names of subjectAltName, lower case, at most 100. */
  names: string[]
  issuer: string
  validFrom: Date
  validTo: Date
  /** SHA-256 of the DER, hex, lower case. */
  fingerprint: string
  /** SHA-256 of the SubjectPublicKeyInfo, hex: for TLSA records with selector 1. */
  publicKeyFingerprint: string
  /** DER of the chain as it was sent, the leaf first, at most 10: what TLSA records are held against. */
  chain: Buffer[]
  /** Empty when a sender takes it. In the order of weight. */
  problems: CertificateProblem[]
}

export type CertificateProblem = { kind: 'expired' | 'not-yet-valid' | 'host-mismatch' | 'not-trusted'; text: string }

/** RFC 8461 §3.3: what came of GET https://mta-sts.DOMAIN/.well-known/mta-sts.txt. The first address that connects is asked. */
export type PolicySeen = {
  host: string
  /** Those that were vetted, in the order of asking. */
  addresses: string[]
  address?: string
  certificate?: CertificateSeen
  /** Present once a status line came, also under a bad certificate (then only to tell more; no sender would read it). */
  reply?: { status: number; location?: string; mediaType?: string; body: Buffer; truncated: boolean }
  /** Why there is no reply, or why the reply would not count. */
  unseen?: Unseen
}

/** What one address of an MX host showed on port 25 (RFC 3207, RFC 8461 §4). No mail is ever sent. */
export type MxAddressSeen = {
  address: string
  /** First line of the greeting, control characters replaced, at most 512 characters. */
  greeting?: string
  offersStarttls?: boolean
  /** 'TLSv1.3', 'TLSv1.2', ... as Node names it; also when it is too old for a sender. */
  tlsVersion?: string
  certificate?: CertificateSeen
  unseen?: Unseen
}

export type MxSeen = { host: string; preference: number; addresses: MxAddressSeen[]; unseen?: Unseen }
