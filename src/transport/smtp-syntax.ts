/** RFC 5321: what is not left to smtp-server: whose mail we take, unknown parameters, and ends of mails that are none. */
import { domainName } from '../tlsrpt/domain-name.ts'

/**
 * A test for forward-paths. An address of ours is meant in any case, in U-labels or A-labels, with any `+tag`; a
 * `postmaster` without domain (RFC 5321 §4.5.1) is one at `hostname`. Nothing else is: we relay for nobody.
 */
export function makeRecipientTest(ruaAddresses: readonly string[], hostname: string): (address: string) => boolean {
  const split = (address: string) => {
    const at = address.lastIndexOf('@')
    const [local, domain] = at < 0 ? [address, hostname] : [address.slice(0, at), address.slice(at + 1)]
    return { local: local.toLowerCase(), domain: domainName(domain) ?? domain.toLowerCase() }
  }
  const ours = new Set(ruaAddresses.map(split).map(({ local, domain }) => `${local}@${domain}`))
  return (address) => {
    const { local, domain } = split(address)
    return ours.has(`${local}@${domain}`) || ours.has(`${local.replace(/\+.*$/, '')}@${domain}`)
  }
}

/** Offered by us (RFC 1870, 6152, 6531), or without effect on us and sent by some who were not offered it (RFC 3461, 4954). */
const mailParameters = ['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID', 'AUTH']
const rcptParameters = ['NOTIFY', 'ORCPT']

/** The first parameter that RFC 5321 §4.1.1.11 wants refused with 555; keys are upper case. */
export const unknownMailParameter = (args: object | false): string | undefined => unknown(args, mailParameters)
export const unknownRcptParameter = (args: object | false): string | undefined => unknown(args, rcptParameters)

const unknown = (args: object | false, known: string[]): string | undefined =>
  Object.keys(args || {}).find((key) => !known.includes(key))

const [dot, cr, lf] = [0x2e, 0x0d, 0x0a]

/**
 * Whether a dot stands alone on a line that begins or ends with a bare LF: the end of a mail to a careless server, and
 * what follows it a smuggled mail. (smtp-server ends a mail at CRLF . CRLF only; a bare CR is refused in any place.)
 */
export function hasSmuggledEnd(message: Buffer): boolean {
  for (let i = 0; i < message.length - 1; i++) {
    if (message[i] !== dot || (i > 0 && message[i - 1] !== lf)) continue
    const afterCrlf = i === 0 || message[i - 2] === cr
    const beforeCrlf = message[i + 1] === cr && message[i + 2] === lf
    if (message[i + 1] === lf || (beforeCrlf && !afterCrlf)) return true
  }
  return false
}
