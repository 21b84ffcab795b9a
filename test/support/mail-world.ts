/** Mail domains seen from outside, on loopback: their DNS, their policy hosts, their MX, and an authority that vouches for them. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ResolveAddresses } from '../../src/checks/outgoing.ts'
import { makeResolveAddresses } from '../../src/checks/resolve-addresses.ts'
import { makeAuthority, startMx, startPolicyHost, type Authority, type Mx, type MxSimulator, type Place, type Simulator, type Site } from '../../src/demo/simulators.ts' // prettier-ignore
import { makeLookUp } from '../../src/dns/look-up.ts'
import { startDnsServer, type DnsServer, type Zone } from './dns-server.ts'

/** Whatever a peer does with a connection. */
export type Conversation = (socket: Socket) => void

export type WorldDomain = {
  /** TXT of _mta-sts.DOMAIN. */
  sts?: string | string[]
  /** TXT of _smtp._tls.DOMAIN. */
  tlsRpt?: string | string[]
  /** The body of the policy, or all that mta-sts.DOMAIN does. */
  policy?: string | Site | Conversation
  /** In the order of preference: 10, 20, ... */
  mx?: Record<string, Mx | Conversation>
}

export type MailWorld = {
  authority: Authority
  dns: DnsServer
  /** What the policy hosts have at hand, by host; may be changed. */
  sites: Map<string, Site>
  mx: Map<string, MxSimulator>
  /** Of a policy host or an MX. */
  addressOf: (host: string) => string
  ports: { smtp: number; https: number }
  /** Every address of this world. */
  cidr: string
  /** By the DNS of this world. */
  resolveAddresses: ResolveAddresses
  /** What was said: 'mx1.good.example QUIT', 'mta-sts.good.example /.well-known/mta-sts.txt'. */
  heard: string[]
  headers: NodeJS.Dict<string | string[]>[]
  /** For a service that is to look at this world. */
  env: Record<string, string>
  close: () => Promise<void>
}

/**
 * A /24 of loopback, for what has to have the same port as something else on this machine. All are of one length: no
 * line of a terminal is longer by chance.
 */
export const loopbackNetwork = (): string => {
  const octet = () => 100 + Math.floor(Math.random() * 150)
  return `127.${octet()}.${octet()}`
}

/** One for all worlds of a process: it takes a third of a second. */
let theAuthority: Promise<Authority> | undefined

const mostTries = 5

/** Each has a network of its own; where somebody else is in it, another one. */
export async function startMailWorld(domains: Record<string, WorldDomain>): Promise<MailWorld> {
  for (let tries = 1; ; tries++) {
    const open: Simulator[] = []
    try {
      return await openMailWorld(domains, open)
    } catch (error) {
      await Promise.all(open.map((server) => server.close()))
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === mostTries) throw error
    }
  }
}

async function openMailWorld(domains: Record<string, WorldDomain>, open: Simulator[]): Promise<MailWorld> {
  const authority = { ...(await (theAuthority ??= makeAuthority(new Date()))) }
  const network = loopbackNetwork()
  const addresses = new Map<string, string>()
  const sites = new Map<string, Site>()
  const mx = new Map<string, MxSimulator>()
  const heard: string[] = []
  const headers: MailWorld['headers'] = []
  const policyAddress = `${network}.1`
  let lastOctet = 1
  const settle = (host: string) => {
    const address = `${network}.${++lastOctet}`
    addresses.set(host, address)
    return address
  }

  const policyHost = await startPolicyHost(
    authority,
    { address: policyAddress, port: 0 },
    sites,
    (host, path, sent) => {
      heard.push(`${host} ${path}`)
      headers.push(sent)
    },
  )
  open.push(policyHost)
  let smtp = 0
  for (const [domain, { policy, mx: hosts = {} }] of Object.entries(domains)) {
    const policyName = `mta-sts.${domain}`
    if (typeof policy === 'function') open.push(await startConversation(settle(policyName), policyHost.port, policy))
    else if (policy !== undefined) {
      addresses.set(policyName, policyAddress)
      sites.set(policyName, typeof policy === 'string' ? { body: policy } : policy)
    }
    for (const [host, behaviour] of Object.entries(hosts)) {
      const place = { address: settle(host), port: smtp }
      const started = await startHost(authority, place, host, behaviour, (command) => heard.push(`${host} ${command}`))
      if ('become' in started) mx.set(host, started)
      open.push(started)
      smtp = started.port
    }
  }

  const dns = await startDnsServer(zoneOf(domains, addresses), `${network}.254`)
  const folder = await mkdtemp(join(tmpdir(), 'mail-world-'))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority.certificate)
  return {
    authority,
    dns,
    sites,
    mx,
    addressOf: (host) => addresses.get(host)!,
    ports: { smtp, https: policyHost.port },
    cidr: `${network}.0/24`,
    resolveAddresses: makeResolveAddresses(makeLookUp([dns.address], { dnsTimeoutMs: 60_000, dnsQuestions: 100 })),
    heard,
    headers,
    env: {
      DNS_SERVERS: dns.address,
      CHECK_ALLOW_CIDRS: `${network}.0/24`,
      CHECK_SMTP_PORT: String(smtp || 25),
      CHECK_HTTPS_PORT: String(policyHost.port),
      CHECK_CA_FILE: caFile,
    },
    close: async () => {
      await Promise.all([dns, ...open].map((server) => server.close()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function startHost(
  authority: Authority,
  place: Place,
  host: string,
  behaviour: Mx | Conversation,
  heard: (command: string) => void,
): Promise<MxSimulator | Simulator> {
  if (typeof behaviour === 'function') return startConversation(place.address, place.port, behaviour)
  return startMx(authority, place, host, behaviour, heard)
}

function zoneOf(domains: Record<string, WorldDomain>, addresses: Map<string, string>): Zone {
  const zone: Zone = {}
  for (const [domain, { sts, tlsRpt, mx }] of Object.entries(domains)) {
    if (sts !== undefined) zone[`_mta-sts.${domain}`] = sts
    if (tlsRpt !== undefined) zone[`_smtp._tls.${domain}`] = tlsRpt
    const exchanges = Object.keys(mx ?? {}).map((exchange, i) => ({ preference: 10 * (i + 1), exchange }))
    zone[domain] = { records: { MX: exchanges } }
  }
  for (const [host, address] of addresses) zone[host] = { records: { A: [address] } }
  return zone
}

/** A listener that does with each connection what it is told. */
export async function startConversation(address: string, port: number, conversation: Conversation): Promise<Simulator> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    conversation(socket)
  })
  server.listen(port, address)
  await once(server, 'listening')
  const at = server.address()
  return {
    port: typeof at === 'object' && at ? at.port : 0,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}
