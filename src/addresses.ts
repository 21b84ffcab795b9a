/** Addresses of peers: the network they come from, and whether it is one the operator named. */
import ipaddr from 'ipaddr.js'

/** The /24 or /64 of an address, v4-mapped ones as IPv4, as 'a.b.c.0/24' or 'x::/64': what limits by network count by. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown'
  const parsed = ipaddr.process(address)
  const bits = parsed.kind() === 'ipv4' ? 24 : 64
  const network =
    parsed.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${parsed.toString()}/24`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`)
  return `${network.toString()}/${bits}`
}

/** A test for addresses in any of the ranges (CIDR text, or bare addresses), v4-mapped addresses as IPv4. */
export function makeAddressTest(cidrs: readonly string[]): (address: string) => boolean {
  const ranges = cidrs.map((cidr) => (cidr.includes('/') ? ipaddr.parseCIDR(cidr) : rangeOfOne(ipaddr.process(cidr))))
  return (address) => {
    if (ranges.length === 0 || !ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
  }
}

const rangeOfOne = (address: ipaddr.IPv4 | ipaddr.IPv6): [ipaddr.IPv4 | ipaddr.IPv6, number] => [
  address,
  address.kind() === 'ipv4' ? 32 : 128,
]
