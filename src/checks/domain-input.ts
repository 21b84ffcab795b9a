/** Which names may be checked at all: a check calls whom the DNS of the name says. */
import { parse } from 'tldts'
import { domainName } from '../tlsrpt/domain-name.ts'

export type DomainInput = { kind: 'domain'; domain: string } | { kind: 'refused'; message: string }

/**
 * A host name of two labels or more below a suffix of the public suffix list's ICANN part, in any spelling; answers
 * lower-case A-labels. `openNames` (the operator has set CHECK_ALLOW_CIDRS) also takes names that only a local DNS knows,
 * such as mail.corp or a.test. Addresses, single labels, and what others read as an address (127.1, 0x7f.1) never are.
 */
export function readDomainInput(text: string, openNames: boolean): DomainInput {
  const domain = domainName(text)
  if (domain === undefined) return refused('is no domain name')
  if (!domain.includes('.') || isLocal(domain)) return refused('must be a full domain name, such as example.com')
  const { isIcann, publicSuffix } = parse(domain)
  if (domain === publicSuffix && isIcann) return refused('is a public suffix, below which others have their domains')
  if (!openNames && (!isIcann || publicSuffix === 'onion')) return refused('has no public suffix') // RFC 7686: no DNS.
  return { kind: 'domain', domain }
}

const refused = (message: string): DomainInput => ({ kind: 'refused', message })

/** RFC 6761 §6.3: answered by the machine itself, whatever the DNS says. */
const isLocal = (domain: string) => domain === 'localhost' || domain.endsWith('.localhost')
