/** RFC 5952: addresses of a report (RFC 8460 §4.4) in one canonical form. */
import { isIPv4, isIPv6 } from 'node:net'
import type { Address } from './report.ts'

/**
 * The address in `text`, brackets and blanks around it taken off. Only `raw` when there is none that Postgres' inet
 * takes: a zone (fe80::1%eth0), a mask, a host name, a placeholder.
 */
export function readAddress(text: string): Address {
  const ip = canonical(text) ?? canonical(text.trim().replace(/^\[(.*)\]$/s, '$1'))
  if (ip === undefined) return { raw: text }
  return ip === text ? { ip } : { ip, raw: text }
}

/**
 * Says quickly that `text` is an address and canonical. Nearly every sender writes nearly all of his so: no zeros to leave
 * out or compress, in eight groups or in one to four before the gap and one or two behind it.
 */
export const isPlainAddress = (text: string): boolean => isIPv4(text) || plainIPv6.test(text)

const plainIPv6 =
  /^(?:[1-9a-f][0-9a-f]{0,3}:){1,4}(?::[1-9a-f][0-9a-f]{0,3}){1,2}$|^(?:[1-9a-f][0-9a-f]{0,3}:){7}[1-9a-f][0-9a-f]{0,3}$/

const canonical = (text: string): string | undefined =>
  isIPv4(text) ? text : isIPv6(text) && !text.includes('%') ? canonicalIPv6(text) : undefined

/** Written ::ffff:192.0.2.1 in canonical form (RFC 5952 §5). */
export const isV4Mapped = (ip: string) => ip.startsWith('::ffff:') && ip.includes('.')

function canonicalIPv6(text: string): string {
  // WHATWG URL's serializer is RFC 5952 §4; only the dotted end of §5 it does not write.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical)
  if (mapped === null) return canonical
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)]
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}
