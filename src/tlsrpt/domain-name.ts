/** RFC 5890 and RFC 1035 §2.3: one spelling for a domain name. RFC 8460 §4.4 wants A-labels. */
import { domainToASCII } from 'node:url'

/** RFC 1035 §2.3.4, without the final dot. */
const maxBytes = 253
const ldhName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
/** A last label of digits makes it an IPv4 address to some (WHATWG URL, "ends in a number"), a name to nobody. */
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/

/**
 * The name in lower-case A-labels without a final dot, from any spelling (upper case, U-labels, final dot, blanks
 * around). Undefined for what is no host name: an address, a wildcard, an empty or over-long label, over 253 bytes.
 */
export function domainName(text: string): string | undefined {
  const name = aLabels(text.trim()).replace(/\.$/, '')
  return name.length <= maxBytes && ldhName.test(name) && !endsInNumber.test(name) ? name : undefined
}

/** Says quickly that it is a name as `domainName` gives it: most are, and a text so short has no label too long. */
export const isPlainDomain = (text: string): boolean => text.length <= maxLabelBytes && plainName.test(text)

const maxLabelBytes = 63
const plainName = /^(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]+$/

/**
 * A host name as other members have it: as `domainName`, a leading `*.` kept (RFC 8461 §4.1); where it is none, its
 * text in lower case without a final dot. May be ''.
 */
export function hostName(text: string): string {
  if (/^(?:\*\.)?[a-z0-9.-]*[a-z0-9]$/.test(text)) return text // Nearly always; what follows would change nothing in it.
  const trimmed = text.trim()
  const wildcard = trimmed.startsWith('*.') ? '*.' : ''
  const name = domainName(trimmed.slice(wildcard.length))
  return name === undefined ? trimmed.toLowerCase().replace(/\.$/, '') : wildcard + name
}

function aLabels(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase()
  // domainToASCII reads the host of a URL: it would cut at "/", drop a tab and unescape "%41".
  return /[\0-,/:-@[-`{-\x7f]/.test(text) ? '' : domainToASCII(text)
}
