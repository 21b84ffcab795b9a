/** RFC 8460 §4.3 (IANA "STARTTLS Validation Result Types"): what each result type means and what to do about it. */

export type ResultType = {
  name: string
  /** §4.3.1, §4.3.2.1, §4.3.2.2, §4.3.3. */
  group: 'negotiation' | 'policy-dane' | 'policy-mta-sts' | 'general'
  /** One sentence. */
  meaning: string
  /**
   * Whether the session that failed so is one that a sender refuses to use for mail when the policy is enforced: STS in
   * mode enforce (RFC 8461 §5), or DANE, which always is (RFC 7672 §2.2).
   */
  enforceRefuses: boolean
  /** One or two sentences to whoever runs the mail server. */
  fix: string
  /** Of RFC 8460. */
  section: string
}

/** All that are registered, in the order of the RFC. The registry may grow: reports keep what they say. */
export const resultTypes: readonly ResultType[] = [
  {
    name: 'starttls-not-supported',
    group: 'negotiation',
    meaning: 'The MX host did not offer STARTTLS.',
    enforceRefuses: true,
    fix: 'Turn on STARTTLS on port 25 of the MX host. If it is on, look for a firewall or mail gateway in front that hides the offer.',
    section: '4.3.1',
  },
  {
    name: 'certificate-host-mismatch',
    group: 'negotiation',
    meaning: 'The names in the certificate of the MX host are not those that the policy asks for.',
    enforceRefuses: true,
    fix: 'Get a certificate that names the MX host itself, as it stands in the MX record, among its subject alternative names. The mail domain alone is not enough for MTA-STS.',
    section: '4.3.1',
  },
  {
    name: 'certificate-expired',
    group: 'negotiation',
    meaning: 'The certificate of the MX host has expired.',
    enforceRefuses: true,
    fix: 'Renew the certificate and make the mail server load it: many go on with the old one until they are reloaded.',
    section: '4.3.1',
  },
  {
    name: 'certificate-not-trusted',
    group: 'negotiation',
    meaning:
      'The certificate of the MX host does not lead to an authority the sender trusts; the reason code may say why.',
    enforceRefuses: true,
    fix: 'Use a certificate of a public authority and serve it with its intermediate certificates. Self-signed ones only pass with DANE.',
    section: '4.3.1',
  },
  {
    name: 'tlsa-invalid',
    group: 'policy-dane',
    meaning: 'None of the TLSA records of the MX host matches the certificate that it shows.',
    enforceRefuses: true,
    fix: 'Publish the TLSA record of the certificate in use. Before the next change of key, publish the new record beside the old one and wait for its TTL.',
    section: '4.3.2.1',
  },
  {
    name: 'dnssec-invalid',
    group: 'policy-dane',
    meaning: 'The resolver of the sender got no valid answer about the MX host: its DNSSEC is broken.',
    enforceRefuses: true,
    fix: 'Check the DNSSEC chain of the zone that the MX host is in: expired signatures, or a DS record in the parent that fits no key.',
    section: '4.3.2.1',
  },
  {
    name: 'dane-required',
    group: 'policy-dane',
    meaning:
      'The sender is set up to insist on DANE for this domain, and the MX host has no TLSA record secured by DNSSEC.',
    enforceRefuses: true,
    fix: 'Sign the zone of the MX host and publish TLSA records for every MX host. Or ask the sender to drop its own rule.',
    section: '4.3.2.1',
  },
  {
    name: 'sts-policy-fetch-error',
    group: 'policy-mta-sts',
    meaning: 'The MTA-STS policy could not be fetched.',
    // RFC 8461 §3.3, §5.1: as if there were no policy, or by the one still cached.
    enforceRefuses: false,
    fix: 'See that https://mta-sts.DOMAIN/.well-known/mta-sts.txt answers 200 from everywhere, without a redirect. If you want no MTA-STS, take away the _mta-sts TXT record as well.',
    section: '4.3.2.2',
  },
  {
    name: 'sts-policy-invalid',
    group: 'policy-mta-sts',
    meaning: 'The MTA-STS policy was fetched, but it is not a valid one.',
    enforceRefuses: false,
    fix: 'Check the policy file: version, mode and max_age once each, and one mx line for each MX host or pattern.',
    section: '4.3.2.2',
  },
  {
    name: 'sts-webpki-invalid',
    group: 'policy-mta-sts',
    meaning: 'The web server of the MTA-STS policy could not be authenticated: its certificate is not valid for it.',
    enforceRefuses: false,
    fix: 'Give the host mta-sts.DOMAIN a certificate of a public authority that names it and has not expired.',
    section: '4.3.2.2',
  },
  {
    name: 'validation-failure',
    group: 'general',
    meaning: 'Something failed that no other type names, such as an MX host that the MTA-STS policy does not list.',
    enforceRefuses: true,
    fix: 'Look at the reason code and the MX host of the failure. Often an MX record was added that has no mx line in the MTA-STS policy.',
    section: '4.3.3',
  },
]
