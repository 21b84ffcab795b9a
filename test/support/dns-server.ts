/** A DNS server on loopback, UDP and TCP, over a zone that is a plain object. Every question is kept in `queries`. */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { decode, encode, streamEncode, type Packet } from 'dns-packet'

/** TXT name (lower case) -> one record, several records, or how the server behaves when asked for it. */
export type Zone = Record<string, string | string[] | Misbehaviour>
export type Misbehaviour =
  { servfail: true } | { drop: true } | { nodata: true } | { truncate: string } | { cname: string }

export type DnsServer = { address: string; queries: string[]; zone: Zone; close: () => Promise<void> }

/** Names that are not in the zone do not exist (NXDOMAIN). `zone` may be changed while the server runs. */
export async function startDnsServer(zone: Zone, host = '127.0.0.1'): Promise<DnsServer> {
  const queries: string[] = []
  const udp = createSocket('udp4')
  udp.on('message', (message, peer) => {
    const reply = answer(decode(message), zone, queries, 'udp')
    if (reply) udp.send(encode(reply), peer.port, peer.address)
  })
  udp.bind(0, host)
  await once(udp, 'listening')
  const { port } = udp.address()

  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => {
      const reply = answer(decode(data.subarray(2)), zone, queries, 'tcp')
      if (reply) socket.end(streamEncode(reply))
    })
  })
  tcp.listen(port, host)
  await once(tcp, 'listening')

  return {
    address: `${host}:${port}`,
    queries,
    zone,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all([once(udp.close(), 'close'), once(tcp.close(), 'close')])
    },
  }
}

const AUTHORITATIVE = 0x0400
const RECURSION = 0x0080
const TRUNCATED = 0x0200
const NXDOMAIN = 3
const SERVFAIL = 2

function answer(query: Packet, zone: Zone, queries: string[], over: 'udp' | 'tcp'): Packet | undefined {
  const [question] = query.questions ?? []
  if (!question) return undefined
  const name = question.name.toLowerCase()
  queries.push(name)
  const reply = (flags: number, answers: Packet['answers'] = []): Packet => ({
    type: 'response',
    id: query.id ?? 0,
    flags: AUTHORITATIVE | RECURSION | flags,
    questions: [question],
    answers,
  })
  const txt = (record: string, owner: string) =>
    ({ type: 'TXT', name: owner, ttl: 300, data: strings(record) }) as const
  const entry = zone[name]
  if (entry === undefined) return reply(NXDOMAIN)
  if (typeof entry === 'string') return reply(0, [txt(entry, question.name)])
  if (Array.isArray(entry)) return reply(0, entry.map((record) => txt(record, question.name))) // prettier-ignore
  if ('drop' in entry) return undefined
  if ('servfail' in entry) return reply(SERVFAIL)
  if ('nodata' in entry) return reply(0)
  if ('truncate' in entry) return over === 'udp' ? reply(TRUNCATED) : reply(0, [txt(entry.truncate, question.name)])
  const target = zone[entry.cname]
  const alias = { type: 'CNAME', name: question.name, ttl: 300, data: entry.cname } as const
  return reply(0, typeof target === 'string' ? [alias, txt(target, entry.cname)] : [alias])
}

/** A TXT record is made of strings of at most 255 bytes. */
function strings(record: string): Buffer[] {
  const bytes = Buffer.from(record, 'latin1')
  return Array.from({ length: Math.max(1, Math.ceil(bytes.length / 255)) }, (_, i) =>
    bytes.subarray(i * 255, (i + 1) * 255),
  )
}
