/** The one door to the outside: a stranger's DNS says whom we are to call, so it is decided here whether we do. */
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import { callerOf, makeAddressTest, parseAddress } from '../addresses.ts'
import { makeRateCount } from '../rate.ts'
import type { Unseen, UnseenReason } from './seen.ts'
import { readable } from './strangers-text.ts'

export type OutgoingLimits = {
  /** Checks that one key may ask for in a minute. */
  checksPerMinute: number
  /** Connections open at once, and to one address (IPv6: one /64) in a minute. */
  checkConnections: number
  checkConnectionsPerMinute: number
  /** Of one host, that are connected to. */
  checkAddresses: number
  checkConnectMs: number
}

/** The only two services that are ever called; which ports they have is the operator's word, never a stranger's. */
export type Service = 'https' | 'smtp'

export type OutgoingDeps = {
  /** Ranges that may be called besides public addresses. */
  allowCidrs: readonly string[]
  ports: Record<Service, number>
  limits: OutgoingLimits
  /** A clock in milliseconds that nobody sets. */
  nowMs: () => number
}

export type Outgoing = {
  /** Counts a check that `key` asks for: 0, or the seconds to wait, where there were too many in this minute. */
  admit: (key: string) => number
  /** Those that may be called, the first few of both families in turn; and those that may not, as many. */
  vet: (addresses: readonly string[]) => { allowed: string[]; blocked: string[] }
  /** Connects to the address itself, never to a name. Vets it once more. Rejects never; the caller destroys the socket. */
  connect: (address: string, service: Service) => Promise<{ kind: 'connected'; socket: Socket } | Failed>
}

export type Failed = { kind: 'failed'; unseen: Unseen }

export function makeOutgoing({ allowCidrs, ports, limits, nowMs }: OutgoingDeps): Outgoing {
  const isAllowed = makeAddressTest(allowCidrs)
  const mayCall = (address: string) => isIP(address) !== 0 && (isPublicUnicast(address) || isAllowed(address))
  const checksOf = makeRateCount(limits.checksPerMinute)
  const connectionsTo = makeRateCount(limits.checkConnectionsPerMinute)
  let open = 0
  const hasRoomFor = (address: string) =>
    open < limits.checkConnections && connectionsTo(callerOf(address), nowMs()) === 0

  return {
    admit: (key) => checksOf(key, nowMs()),
    vet: (addresses) => ({
      allowed: inTurn(addresses.filter(mayCall)).slice(0, limits.checkAddresses),
      blocked: addresses.filter((address) => !mayCall(address)).slice(0, limits.checkAddresses),
    }),
    connect: async (address, service) => {
      if (!mayCall(address)) return failed(blocked(address))
      if (!hasRoomFor(address)) return failed(crowded(address))
      const socket = connect({ host: address, port: ports[service] })
      open++
      socket.once('close', () => open--)
      socket.on('error', () => undefined) // Whoever waits for the socket hears of it; this is for when nobody does.
      try {
        await within(limits.checkConnectMs, `connecting to ${address}`, once(socket, 'connect'))
        return { kind: 'connected', socket }
      } catch (error) {
        socket.destroy()
        return failed(unseenOf(error, 'unreachable'))
      }
    },
  }
}

const crowded = (address: string): Unseen => ({
  reason: 'budget',
  text: `too many calls just now, to ${address} or in all`,
})

export type PatientDeps = Pick<OutgoingDeps, 'nowMs'> & {
  limits: Pick<OutgoingLimits, 'checkConnectionsPerMinute'> & {
    /** How long a call waits for room. */
    checkPatienceMs: number
  }
  wait: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

const moment = 1_000

/**
 * The door for checks that nobody waits for. They leave half of the calls that an address may get in a minute to those
 * that people ask for, and wait for room where those would go without: an address may be the MX of thousands of domains
 * that are all checked daily. The signal ends the waiting.
 */
export function makePatient(
  outgoing: Outgoing,
  { limits, nowMs, wait }: PatientDeps,
): (signal: AbortSignal) => Outgoing {
  const connectionsTo = makeRateCount(Math.ceil(limits.checkConnectionsPerMinute / 2))
  return (signal) => ({
    ...outgoing,
    connect: async (address, service) => {
      const until = nowMs() + limits.checkPatienceMs
      for (;;) {
        const seconds = connectionsTo(callerOf(address), nowMs())
        const connected = seconds === 0 ? await outgoing.connect(address, service) : failed(crowded(address))
        if (connected.kind === 'connected' || connected.unseen.reason !== 'budget') return connected
        if (signal.aborted || nowMs() >= until) return connected
        await wait(Math.max(seconds * 1000, moment), signal)
      }
    },
  })
}

const failed = (unseen: Unseen): Failed => ({ kind: 'failed', unseen })

export const blocked = (address: string): Unseen => ({
  reason: 'blocked-address',
  text: `${address} is not a public address`,
})

/** RFC 4291 §2.4 as it is given out: whatever else ipaddr.js has no name for is nobody's. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

/**
 * Whether an address is one of the public internet (the registries of RFC 6890). RFC 6052 §3.1: behind the well-known
 * prefix, which is how a machine without IPv4 reaches an IPv4 host, stands an address that has to be public itself.
 */
function isPublicUnicast(text: string): boolean {
  const address = parseAddress(text)
  if (address instanceof ipaddr.IPv6) {
    if (address.match(nat64)) return ipaddr.fromByteArray(address.toByteArray().slice(12)).range() === 'unicast'
    return address.match(globalUnicast) && address.range() === 'unicast'
  }
  return address?.range() === 'unicast'
}

/** The first of each family, the second of each, ...: four IPv4 addresses must not hide that IPv6 is broken. */
function inTurn(addresses: string[]): string[] {
  const [ipv6, ipv4] = [addresses.filter((address) => isIP(address) === 6), addresses.filter((address) => isIP(address) === 4)] // prettier-ignore
  return ipv4.length > ipv6.length
    ? ipv4.flatMap((address, i) => [address, ...ipv6.slice(i, i + 1)])
    : ipv6.flatMap((address, i) => [...ipv4.slice(i, i + 1), address])
}

/**
 * Waits for a step as long as it may take, whatever trickles in meanwhile; then rejects with ETIMEDOUT. The step goes
 * on until its socket is destroyed, which is for the caller.
 */
export async function within<T>(ms: number, what: string, step: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(Object.assign(new Error(`${what} took longer than ${ms / 1000} s`), { code: 'ETIMEDOUT' }))
  }, ms)
  try {
    return await Promise.race([step, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

/** Codes that are to be told in words of ours; '' keeps those of the error. */
const words = new Map<string, Unseen>([
  ['ETIMEDOUT', { reason: 'timeout', text: '' }],
  ['ECONNREFUSED', { reason: 'refused', text: 'the connection is refused' }],
  ['ECONNRESET', { reason: 'reset', text: 'the connection was broken off' }],
  ['EPIPE', { reason: 'reset', text: 'the connection was broken off' }],
  ['ENETUNREACH', { reason: 'unreachable', text: 'there is no way from here to its network' }],
  ['EHOSTUNREACH', { reason: 'unreachable', text: 'there is no way from here to its address' }],
  ['EMSGSIZE', { reason: 'too-large', text: '' }],
  ['HPE_HEADER_OVERFLOW', { reason: 'too-large', text: 'the header fields are too many or too long' }],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', { reason: 'too-large', text: '' }],
])
/** What the network, OpenSSL and the HTTP parser say of a peer; other errors are defects of ours. */
const ofStrangers = /^(?:E[A-Z]+|ERR_(?:SSL|OSSL)_\w+|HPE_\w+)$/

/** An error as a word on the peer; `otherwise` is the reason where its code has none. Throws what is no word on him. */
export function unseenOf(error: unknown, otherwise: UnseenReason): Unseen {
  const { code = '', message, reason } = error as NodeJS.ErrnoException & { reason?: string }
  if (!ofStrangers.test(code)) throw error
  const word = words.get(code) ?? { reason: otherwise, text: '' }
  return { reason: word.reason, text: word.text || readable(reason ?? message, 200) }
}

/** A, AAAA of a name, CNAMEs followed. `nameExists` tells no address from no such name. */
export type ResolveAddresses = (
  host: string,
) => Promise<
  | { kind: 'found'; addresses: string[] }
  | { kind: 'missing'; nameExists: boolean }
  | { kind: 'unreachable'; reason: string }
>

/** RFC 1035 §2.3.4 and the underscores that MX names are seen with. A last label of digits makes it an address to some. */
const hostName = /^(?=.{1,253}$)(?:[a-z0-9_-]{1,63}\.)+(?!\d+$)[a-z0-9_-]{1,63}$/i

/** Looks a host up, once: the addresses that are vetted are the ones that are called, whatever the DNS says next. */
export async function findAddresses(
  host: string,
  resolveAddresses: ResolveAddresses,
  outgoing: Outgoing,
): Promise<{ kind: 'found'; allowed: string[]; blocked: string[] } | Failed> {
  if (!hostName.test(host)) return failed({ reason: 'no-such-name', text: `'${readable(host, 64)}' is no host name` }) // prettier-ignore
  const resolved = await resolveAddresses(host)
  switch (resolved.kind) {
    case 'found':
      return { kind: 'found', ...outgoing.vet(resolved.addresses) }
    case 'missing':
      return resolved.nameExists
        ? failed({ reason: 'no-address', text: `${host} has neither an A nor an AAAA record` })
        : failed({ reason: 'no-such-name', text: `${host} does not exist` })
    case 'unreachable':
      return failed({ reason: 'dns-unreachable', text: `${host} cannot be looked up just now (${resolved.reason})` })
  }
}
