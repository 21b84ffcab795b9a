/** A DNS server on loopback, UDP and TCP, over a zone that is a plain object. Every question is kept in `queries`. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { AUTHENTIC_DATA, decode, encode, type Answer, type DecodedPacket, type Packet, type RecordType } from 'dns-packet' // prettier-ignore

/**
 * Name (lower case) -> one TXT record, several TXT records, records of any type, or how the server behaves when asked
 * for it. A name has no records of the types that are not told.
 */
export type Zone = Record<string, string | string[] | Behaviour>
export type Behaviour =
  | { servfail: true }
  | { drop: true }
  | { delay: number; txt: string } // In milliseconds.
  | { nodata: true; keep?: number } // `keep`: the minimum of the SOA record that comes with it; none without.
  | { nothing: true; keep: number } // NXDOMAIN with an SOA record.
  | { truncate: string }
  | { cname: string; ttl?: number }
  | { txt: string | string[]; ttl: number }
  | { records: DataOf; ttl?: number; ad?: boolean } // `ad`: validated, told to who asks for that (RFC 6840 §5.7).
  | { rcode: number; unless?: 'plain' } // With `unless: 'plain'`, a question without EDNS is answered with 'plain'.
  | { send: (query: Packet, over: 'udp' | 'tcp') => (Packet | Buffer)[] } // Whatever it takes, in this order.

/** As dns-packet takes the data of a record. */
export type DataOf = {
  A?: string[]
  AAAA?: string[]
  MX?: { preference: number; exchange: string }[]
  TLSA?: { usage: number; selector: number; matchingType: number; certificate: Buffer }[]
  TXT?: string[]
}

export type DnsServer = { address: string; queries: string[]; zone: Zone; close: () => Promise<void> }

/** Names that are not in the zone do not exist (NXDOMAIN). `zone` may be changed while the server runs. */
export async function startDnsServer(zone: Zone, host = '127.0.0.1'): Promise<DnsServer> {
  const queries: string[] = []
  const timers = new Set<NodeJS.Timeout>()
  const answer = (bytes: Buffer, over: 'udp' | 'tcp', send: (message: Buffer) => void) => {
    const query = decode(bytes)
    const name = query.questions?.[0]?.name.toLowerCase()
    if (name === undefined) return
    queries.push(name)
    const entry = zone[name]
    const messages = answersTo(query, zone, over)
    const go = () => {
      for (const message of messages) send(Buffer.isBuffer(message) ? message : encode(message))
    }
    if (isBehaviour(entry) && 'delay' in entry) timers.add(setTimeout(go, entry.delay))
    else go()
  }
  const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  udp.on('message', (message, peer) => {
    answer(message, 'udp', (reply) => {
      udp.send(reply, peer.port, peer.address)
    })
  })

  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => {
      answer(data.subarray(2), 'tcp', (reply) => {
        socket.end(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply]))
      })
    })
  })
  const port = await openBoth(tcp, udp, host)

  return {
    address: isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`,
    queries,
    zone,
    close: async () => {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await Promise.all([once(udp.close(), 'close'), once(tcp.close(), 'close')])
    },
  }
}

/** On one port, that of a pair of which nobody else has either. */
async function openBoth(tcp: Server, udp: UdpSocket, host: string): Promise<number> {
  for (;;) {
    await once(tcp.listen(0, host), 'listening')
    const { port } = tcp.address() as AddressInfo
    udp.bind(port, host)
    const isOpen = await once(udp, 'listening').then(
      () => true,
      () => false,
    )
    if (isOpen) return port
    await once(tcp.close(), 'close')
  }
}

const AUTHORITATIVE = 0x0400
const RECURSION = 0x0080
export const TRUNCATED = 0x0200
const NXDOMAIN = 3
const SERVFAIL = 2

/** A reply as this server makes them: `change` says what is to be wrong with it. */
export function replyTo(query: Packet, answers: Answer[] = [], change: Packet = {}): Packet {
  const flags = AUTHORITATIVE | RECURSION
  return { type: 'response', id: query.id ?? 0, flags, questions: query.questions ?? [], answers, ...change }
}

/** A record of as many strings of 255 bytes as it takes. */
export const txt = (name: string, record: string, ttl = 300): Answer => ({ type: 'TXT', name, ttl, data: strings(record) }) // prettier-ignore

function answersTo(query: Packet, zone: Zone, over: 'udp' | 'tcp'): (Packet | Buffer)[] {
  const { name, type } = query.questions![0]!
  const coded = (rcode: number) => [replyTo(query, [], { flags: AUTHORITATIVE | RECURSION | rcode })]
  const found = (records: string | string[], ttl?: number) => [replyTo(query, type === 'TXT' ? [records].flat().map((record) => txt(name, record, ttl)) : [])] // prettier-ignore
  const entry = zone[name.toLowerCase()]
  if (entry === undefined) return coded(NXDOMAIN)
  if (!isBehaviour(entry)) return found(entry)
  if ('drop' in entry) return []
  if ('send' in entry) return entry.send(query, over)
  if ('servfail' in entry) return coded(SERVFAIL)
  if ('rcode' in entry) return entry.unless === 'plain' && !query.additionals?.length ? found('plain') : coded(entry.rcode) // prettier-ignore
  if ('nodata' in entry) return [{ ...coded(0)[0], authorities: soa(entry.keep) }]
  if ('nothing' in entry) return [{ ...coded(NXDOMAIN)[0], authorities: soa(entry.keep) }]
  if ('truncate' in entry) return over === 'udp' ? coded(TRUNCATED) : found(entry.truncate)
  if ('cname' in entry || 'records' in entry) return [validated(query, zone, replyTo(query, chain(zone, name, type)))]
  return found(entry.txt, 'ttl' in entry ? entry.ttl : undefined)
}

const isBehaviour = (entry: Zone[string] | undefined): entry is Behaviour =>
  typeof entry === 'object' && !Array.isArray(entry)

/** The aliases from `name` on, and the records at their end, if there are any; a circle is told once. */
function chain(zone: Zone, name: string, type: RecordType, seen: string[] = []): Answer[] {
  const entry = zone[name.toLowerCase()]
  if (typeof entry === 'string') return type === 'TXT' ? [txt(name, entry)] : []
  if (!isBehaviour(entry)) return []
  if ('txt' in entry && 'ttl' in entry) return type === 'TXT' ? [entry.txt].flat().map((record) => txt(name, record, entry.ttl)) : [] // prettier-ignore
  if ('records' in entry) return answersOf(name, type, entry.records, entry.ttl)
  if (!('cname' in entry) || seen.includes(name)) return []
  const alias = { type: 'CNAME', name, ttl: entry.ttl ?? 300, data: entry.cname } as const
  return [alias, ...(type === 'CNAME' ? [] : chain(zone, entry.cname, type, [...seen, name]))]
}

function answersOf(name: string, type: RecordType, records: DataOf, ttl = 300): Answer[] {
  if (type === 'TXT') return (records.TXT ?? []).map((record) => txt(name, record, ttl))
  return (records[type as keyof DataOf] ?? []).map((data) => ({ type, name, ttl, data }) as Answer)
}

/** The end of the chain counts: a validated alias to what was not validated is not validated. */
function validated(query: Packet, zone: Zone, reply: Packet): Packet {
  const asked = (query as DecodedPacket).flag_ad || query.additionals?.some((record) => record.type === 'OPT' && record.flag_do) // prettier-ignore
  const alias = reply.answers?.findLast((record) => record.type === 'CNAME')
  const end = alias?.type === 'CNAME' ? alias.data : query.questions![0]!.name
  const entry = zone[end.toLowerCase()]
  const isValid = isBehaviour(entry) && 'ad' in entry && entry.ad
  return asked && isValid ? { ...reply, flags: reply.flags! | AUTHENTIC_DATA } : reply
}

/** The SOA record's own TTL is 900. */
function soa(minimum: number | undefined): Answer[] {
  if (minimum === undefined) return []
  return [{ type: 'SOA', name: 'example', ttl: 900, data: { mname: 'ns.example', rname: 'x.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum } }] // prettier-ignore
}

/** A TXT record is made of strings of at most 255 bytes. */
function strings(record: string): Buffer[] {
  const bytes = Buffer.from(record, 'latin1')
  return Array.from({ length: Math.max(1, Math.ceil(bytes.length / 255)) }, (_, i) =>
    bytes.subarray(i * 255, (i + 1) * 255),
  )
}
