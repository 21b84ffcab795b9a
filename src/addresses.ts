/** Addresses of peers: the network they come from, and whether it is one the operator named. */
import ipaddr from 'ipaddr.js'

type Parsed = ipaddr.IPv4 | ipaddr.IPv6

const recent = new Map<string, Parsed | undefined>()
const mostRecent = 1_000

/**
 * v4-mapped addresses as IPv4; undefined for what is no address. Each request asks for the address of its peer several
 * times, and few peers send most of them: parsing takes 2 us, finding again 50 ns.
 */
export function parseAddress(text: string): Parsed | undefined {
  if (recent.has(text)) return recent.get(text)
  const parsed = ipaddr.isValid(text) ? ipaddr.process(text) : undefined
  if (recent.size >= mostRecent) recent.clear()
  recent.set(text, parsed)
  return parsed
}

/** The /24 or /64 of an address, v4-mapped ones as IPv4, as 'a.b.c.0/24' or 'x::/64': what limits by network count by. */
export function networkOf(address: string): string {
  const parsed = parseAddress(address)
  if (!parsed) return 'unknown'
  const isV4 = parsed.kind() === 'ipv4'
  const bytes = parsed.toByteArray().fill(0, isV4 ? 3 : 8)
  return `${ipaddr.fromByteArray(bytes).toString()}/${isV4 ? 24 : 64}`
}

/** An address as what it does is counted by: of IPv6 the /64, which is what one customer has. */
export const callerOf = (address: string): string => (address.includes(':') ? networkOf(address) : address)

/** A test for addresses in any of the ranges (CIDR text, or bare addresses), v4-mapped addresses as IPv4. */
export function makeAddressTest(cidrs: readonly string[]): (address: string) => boolean {
  const ranges = cidrs.map((cidr) => (cidr.includes('/') ? rangeOf(cidr) : rangeOfOne(ipaddr.process(cidr))))
  return (address) => {
    const parsed = ranges.length === 0 ? undefined : parseAddress(address)
    return parsed !== undefined && ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits)) // prettier-ignore
  }
}

const mappedBits = 96 // RFC 4291 §2.5.5.2: ::ffff:0:0/96.

function rangeOf(cidr: string): [Parsed, number] {
  const [network, bits] = ipaddr.parseCIDR(cidr)
  const isMapped = network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= mappedBits
  return isMapped ? [network.toIPv4Address(), bits - mappedBits] : [network, bits]
}

const rangeOfOne = (address: Parsed): [Parsed, number] => [address, address.kind() === 'ipv4' ? 32 : 128]
