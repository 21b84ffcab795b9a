/** Addresses of peers: in one spelling, the network they come from, and whether it is one the operator named. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { remembered } from './remembered.ts'

type Parsed = ipaddr.IPv4 | ipaddr.IPv6

/** An address in all forms that are asked for. `plain` is absent for spellings that only ipaddr.js takes (127.1). */
type Known = { parsed: Parsed; plain: string | undefined; network: string }

/** Each request asks for its peer several times, and few peers send most of them: reading one takes 3 us, finding it 50 ns. */
const knownBy = remembered(read, 1_000)

function read(text: string): Known | undefined {
  if (!ipaddr.isValid(text)) return undefined
  const parsed = ipaddr.process(text)
  const isV4 = parsed.kind() === 'ipv4'
  const network = ipaddr.fromByteArray(parsed.toByteArray().fill(0, isV4 ? 3 : 8))
  const plain = isIP(text) === 0 ? undefined : parsed.toString()
  return { parsed, plain, network: `${network.toString()}/${isV4 ? 24 : 64}` }
}

/** v4-mapped addresses as IPv4; undefined for what is no address. */
export const parseAddress = (text: string): Parsed | undefined => knownBy(text)?.parsed

/**
 * An address in its one spelling: IPv4 also where a dual-stack socket says ::ffff:192.0.2.1, IPv6 as RFC 5952 has it,
 * without a zone. undefined for what is no address, which a proxy's header may well hold.
 */
export function plainAddress(text: string | undefined): string | undefined {
  const [address = ''] = (text ?? '').split('%', 1)
  return knownBy(address)?.plain
}

/** The /24 or /64 of an address, v4-mapped ones as IPv4, as 'a.b.c.0/24' or 'x::/64': what limits by network count by. */
export const networkOf = (address: string): string => knownBy(address)?.network ?? 'unknown'

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
