/** Every finding there is: how much it weighs, and what it means. Codes are stable: they are stored, and compared. */
import type { DeviationCode } from '../../mtasts/policy.ts'

/** ok: as it should be. advice: works, could be better. warning: will hurt some day, or someone. error: is broken. */
export type Severity = 'ok' | 'advice' | 'warning' | 'error'

type Meaning = { severity: Severity; meaning: string }

const ok = (meaning: string): Meaning => ({ severity: 'ok', meaning })
const advice = (meaning: string): Meaning => ({ severity: 'advice', meaning })
const warning = (meaning: string): Meaning => ({ severity: 'warning', meaning })
const error = (meaning: string): Meaning => ({ severity: 'error', meaning })

export type FindingCode = keyof typeof codes

/** RFC 8461 §3.2: one for each deviation of the policy text. */
const policyText = {
  'policy-empty': error('The policy file is empty.'),
  'policy-byte-order-mark': error(
    'The policy file begins with a byte order mark, which becomes a part of the first key.',
  ),
  'policy-line-ending': error('Lines of the policy end in a lone CR: to a sender it is all one line.'),
  'policy-line-malformed': error('The policy has lines that are not of the form key: value.'),
  'policy-key-misspelt': error('A key of the policy is misspelt; keys are case-sensitive.'),
  'policy-version-missing': error('The policy has no version.'),
  'policy-version-unknown': error('The version of the policy is not STSv1.'),
  'policy-mode-missing': error('The policy has no mode.'),
  'policy-mode-unknown': error('The mode of the policy is not enforce, testing or none.'),
  'policy-max-age-missing': error('The policy has no max_age.'),
  'policy-max-age-malformed': error('max_age of the policy is no number of seconds.'),
  'policy-max-age-too-large': error('max_age of the policy is more than the 31557600 seconds of a year.'),
  'policy-mx-missing': error('The policy lists no MX host.'),
  'policy-mx-malformed': error('An mx of the policy is no host name or pattern.'),
  'policy-mx-not-a-labels': error('An mx of the policy is not written in A-labels (xn--).'),
  'policy-line-endings-mixed': warning('The policy mixes CRLF and LF.'),
  'policy-line-blank': warning('The policy has blank lines, which its grammar does not know.'),
  'policy-blank-misplaced': warning('The policy has blanks before a key or before its colon.'),
  'policy-key-unknown': warning('The policy has keys that RFC 8461 does not know.'),
  'policy-key-twice': warning('A key of the policy is there more than once; the first one counts.'),
  'policy-mx-twice': warning('An MX host is listed more than once.'),
  'policy-value-malformed': warning('A value of the policy is empty or has control characters in it.'),
} satisfies Record<`policy-${DeviationCode}`, Meaning>

export const codes = {
  // RFC 8461 §3.1: `_mta-sts`
  'sts-record-found': ok('There is one MTA-STS record, and it is well-formed.'),
  'sts-not-set-up': warning('The domain has neither an MTA-STS record nor a policy.'),
  'sts-policy-without-record': error('There is a policy, and no MTA-STS record: no sender will look for the policy.'),
  'sts-record-without-policy': error('There is an MTA-STS record, and no policy that a sender could use.'),
  'sts-record-unreachable': warning('The DNS could not tell whether there is an MTA-STS record.'),
  'sts-record-several': error('There is more than one MTA-STS record: to a sender there is none.'),
  'sts-record-id': error('The id of the MTA-STS record is missing, or not 1 to 32 letters and digits.'),
  'sts-record-syntax': error('The MTA-STS record has a malformed field: to a sender there is none.'),
  'sts-record-similar': error('There is a TXT record that was meant to be an MTA-STS record, and is none.'),
  'sts-record-odd': warning('Some senders may stumble over the MTA-STS record.'),
  'sts-record-alias-dangling': error('The name of the MTA-STS record is an alias that leads to no record.'),

  // RFC 8461 §3.3: the policy host
  'policy-fetched': ok('The policy was fetched with status 200.'),
  'policy-host-missing': error('The policy host has no address in the DNS.'),
  'policy-address-blocked': error('The policy host has an address that is not public.'),
  'policy-unreachable': error('The policy host cannot be reached by HTTPS.'),
  'policy-not-seen': warning('The policy host could not be looked at just now.'),
  'policy-certificate-good': ok('The certificate of the policy host is valid for it.'),
  'policy-certificate-expired': error('The certificate of the policy host has expired.'),
  'policy-certificate-not-yet-valid': error('The certificate of the policy host is not valid yet.'),
  'policy-certificate-host-mismatch': error('The certificate of the policy host does not name it.'),
  'policy-certificate-not-trusted': error('The certificate of the policy host does not lead to a public authority.'),
  'policy-certificate-ends-soon': warning('The certificate of the policy host ends within 14 days.'),
  'policy-redirect': error('The policy host redirects; senders do not follow.'),
  'policy-status': error('The policy host answers with another status than 200.'),
  'policy-media-type': warning('The policy is not served as text/plain.'),
  'policy-too-large': error('The policy is larger than the 64 KiB that senders read.'),

  // RFC 8461 §3.2: the policy
  'policy-valid': ok('The policy is valid.'),
  ...policyText,
  'policy-mode-enforce': ok('The policy is enforced.'),
  'policy-mode-testing': advice('The policy is in testing: failures are reported, and mail is delivered all the same.'),
  'policy-mode-none': advice('The policy says that there is none: MTA-STS is being taken away.'),
  'policy-max-age-short': warning('max_age is less than a day, which Google ignores, and which protects from little.'),
  'policy-max-age-low': advice('max_age of an enforced policy is less than two weeks.'),

  // RFC 5321 §5.1, RFC 7505, RFC 8461 §4.1: the MX hosts as the DNS names them
  'mx-not-told': warning('The DNS could not tell the MX hosts.'),
  'mx-missing': error('The domain has neither MX hosts nor an address.'),
  'mx-implicit': warning('The domain has no MX record; senders fall back on its address.'),
  'mx-null': advice('The domain says that it takes no mail (null MX).'),
  'mx-null-among-others': error('A null MX stands beside other MX hosts.'),
  'mx-is-address': error('An MX record holds an address instead of a host name.'),
  'mx-not-a-host-name': error('An MX record holds what is no host name.'),
  'mx-is-alias': warning('An MX host is an alias (CNAME), which RFC 2181 forbids.'),
  'mx-too-many': warning('There are more MX hosts than a check looks at.'),
  'mx-covered': ok('The policy lists the MX host.'),
  'mx-not-covered': error('The policy does not list the MX host: under enforce it gets no mail.'),
  'policy-pattern-unused': advice('The policy lists what no MX host matches.'),

  // RFC 3207, RFC 8461 §4.2: what each MX host shows on port 25
  'mx-tls-good': ok('An address of an MX host offers TLS as a sender wants it.'),
  'mx-no-address': error('An MX host has no address in the DNS.'),
  'mx-address-blocked': error('An MX host has an address that is not public.'),
  'mx-unreachable': error('An address of an MX host does not answer on port 25.'),
  'mx-turns-us-away': warning(
    'An address of an MX host answers this instance with 4xx or 5xx; others may fare better.',
  ),
  'mx-none-answers': warning('No MX host answers on port 25: all are down, or the network of this instance blocks it.'),
  'mx-not-seen': warning('An MX host could not be looked at just now.'),
  'mx-no-route': advice('There is no way from this instance to an address of an MX host, as without IPv6.'),
  'mx-bad-reply': error('An address of an MX host answers with what is not SMTP.'),
  'mx-no-starttls': error('An address of an MX host does not offer STARTTLS.'),
  'mx-tls-too-old': error('An address of an MX host offers no TLS 1.2 or better.'),
  'mx-tls-failed': error('The TLS handshake with an address of an MX host fails.'),
  'mx-certificate-expired': error('The certificate of an MX host has expired.'),
  'mx-certificate-not-yet-valid': error('The certificate of an MX host is not valid yet.'),
  'mx-certificate-host-mismatch': error('The certificate of an MX host does not name it.'),
  'mx-certificate-not-trusted': error('The certificate of an MX host does not lead to a public authority.'),
  'mx-certificate-ends-soon': warning('The certificate of an MX host ends within 14 days.'),
  'mx-enforce-delivers': ok('Under enforce, a sender delivers to the MX host.'),
  'mx-enforce-partly': warning('Under enforce, a sender delivers to the MX host by some of its addresses.'),
  'mx-enforce-refuses': error('Under enforce, a sender does not deliver to the MX host.'),
  'mx-enforce-unknown': warning('It could not be seen what a sender would do with the MX host under enforce.'),
  'enforce-no-mx-left': error('Under enforce, no MX host is left that a sender delivers to.'),

  // RFC 8460 §3: `_smtp._tls`
  'tlsrpt-record-found': ok('There is one TLSRPT record, and it is well-formed.'),
  'tlsrpt-record-missing': warning('There is no TLSRPT record: nobody reports what fails.'),
  'tlsrpt-record-unreachable': warning('The DNS could not tell whether there is a TLSRPT record.'),
  'tlsrpt-record-several': error('There is more than one TLSRPT record: to a sender there is none.'),
  'tlsrpt-record-syntax': error('The TLSRPT record is malformed: to a sender there is none.'),
  'tlsrpt-record-similar': error('There is a TXT record that was meant to be a TLSRPT record, and is none.'),
  'tlsrpt-record-odd': warning('Some senders may stumble over the TLSRPT record.'),
  'tlsrpt-record-alias-dangling': error('The name of the TLSRPT record is an alias that leads to no record.'),
  'tlsrpt-names-us': ok('This instance is the first address in the TLSRPT record.'),
  'tlsrpt-names-us-later': advice(
    'This instance is in the TLSRPT record, but not first; some senders use only the first.',
  ),
  'tlsrpt-does-not-name-us': warning('This instance is not in the TLSRPT record.'),
  'tlsrpt-rua-reached': ok('An address of this instance answers under its published name.'),
  'tlsrpt-rua-not-reached': warning('An address of this instance could not be reached under its published name.'),
  'tlsrpt-loop': advice('The domain that receives the reports asks for reports itself.'),

  // RFC 7672: DANE
  'dane-not-used': ok('No MX host has TLSA records: DANE is not used.'),
  'dane-good': ok('A TLSA record matches the certificate of the MX host.'),
  'dane-mismatch': error('No TLSA record matches the certificate of the MX host: senders with DANE refuse it.'),
  'dane-record-stale': advice('A TLSA record matches nothing, beside one that does.'),
  'dane-unusable': warning('TLSA records that SMTP does not use, or that are malformed.'),
  'dane-none-usable': error('All TLSA records are unusable: senders insist on TLS and authenticate nobody.'),
  'dane-not-authenticated': warning('TLSA records that the resolver has not validated by DNSSEC: senders ignore them.'),
  'dane-mx-not-authenticated': warning(
    'The MX records are not validated by DNSSEC, so DANE of the hosts is of little use.',
  ),
  'dane-lookup-failed': warning('The DNS could not tell the TLSA records: senders with DANE then skip the host.'),
  'dane-ta-certificate': error(
    'A certificate that matches by its authority (usage 2) is expired or does not name the host.',
  ),
  'dane-not-compared': warning('There are TLSA records, and no certificate was seen to hold them against.'),
  'dane-partly': advice('Some MX hosts have TLSA records and some have none.'),
  'dane-beside-sts': ok('DANE and MTA-STS stand beside each other.'),
  'dane-without-sts': advice('There is DANE and no MTA-STS; many senders do only MTA-STS.'),
} satisfies Record<string, Meaning>
