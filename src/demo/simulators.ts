/** Policy hosts (RFC 8461 §3.3) and MX (RFC 3207) on loopback, as they should be and as they should not: for the demo and for tests. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket, type SecureContext, type TlsOptions } from 'node:tls'
import { generate } from 'selfsigned'

/** What is to be wrong with a certificate; {} is a good one. Days are counted from now. */
export type CertificateSpec = {
  /** Absent: the host's own. */
  names?: string[]
  days?: [from: number, to: number]
  /** Absent: the authority of this world. */
  signer?: 'stranger' | 'itself'
}

export const certificates = {
  good: {},
  expired: { days: [-90, -5] },
  'not-yet-valid': { days: [5, 90] },
  'wrong-name': { names: ['www.elsewhere.example'] },
  untrusted: { signer: 'stranger' },
  'self-signed': { signer: 'itself' },
} satisfies Record<string, CertificateSpec>

/** Both PEM; `cert` with its chain. */
type Pair = { key: string; cert: string }

/** `certificate` is what has to be trusted (PEM, for CHECK_CA_FILE). */
export type Authority = { certificate: string; issue: (host: string, spec: CertificateSpec) => Promise<Pair> }

/** A certificate authority of one's own. All that it issues has one key, and is issued once: keys take 100 ms, signatures 20. */
export async function makeAuthority(now: Date): Promise<Authority> {
  const leafKeys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const [own, stranger] = await Promise.all([makeIssuer('A Private Authority', now), makeIssuer('Nobody You Know', now)]) // prettier-ignore
  const issued = new Map<string, Promise<Pair>>()
  const issue = async (host: string, { names = [host], days = [-10, 80], signer }: CertificateSpec): Promise<Pair> => {
    const issuer = signer === 'stranger' ? stranger : own
    const { private: key, cert } = await generate([{ name: 'commonName', value: host }], {
      keyPair: leafKeys,
      algorithm: 'sha256',
      notBeforeDate: daysFrom(now, days[0]),
      notAfterDate: daysFrom(now, days[1]),
      extensions: [{ name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) }],
      ...(signer !== 'itself' && { ca: issuer }),
    })
    return { key, cert: signer === 'itself' ? cert : `${cert}\n${issuer.cert}` }
  }
  return {
    certificate: own.cert,
    issue: (host, spec) => {
      const key = JSON.stringify([host, spec])
      const pair = issued.get(key) ?? issue(host, spec)
      issued.set(key, pair)
      return pair
    },
  }
}

const daysFrom = (now: Date, days: number) => new Date(now.getTime() + days * 86_400_000)

async function makeIssuer(name: string, now: Date): Promise<Pair> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    algorithm: 'sha256',
    notBeforeDate: daysFrom(now, -1_000),
    notAfterDate: daysFrom(now, 1_000),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  })
  return { key, cert }
}

export type Place = { address: string; port: number }
export type Simulator = { port: number; close: () => Promise<void> }

/** What one host name is answered with. `answer` has the last word: it may do with the response, or its socket, what it likes. */
export type Site = {
  certificate?: CertificateSpec
  /** Absent: 200. */
  status?: number
  headers?: Record<string, string>
  body?: string | Buffer
  answer?: (response: ServerResponse) => void
}

/** Serves `sites` by SNI, on one address for all of them; they may be changed while it runs. `asked` sees each request. */
export async function startPolicyHost(
  authority: Authority,
  place: Place,
  sites: Map<string, Site>,
  asked: (host: string, path: string, headers: NodeJS.Dict<string | string[]>) => void = () => undefined,
): Promise<Simulator> {
  const contextOf = async (host: string) => createSecureContext(await authority.issue(host, sites.get(host)?.certificate ?? {})) // prettier-ignore
  const server = createHttpsServer(
    { SNICallback: (host, done) => void contextOf(host).then((context) => { done(null, context) }, done) }, // prettier-ignore
    (request, response) => {
      const host = request.headers.host ?? ''
      asked(host, request.url ?? '', request.headers)
      const site = sites.get(host)
      if (!site || request.url !== '/.well-known/mta-sts.txt') response.writeHead(404).end('not here\n')
      else if (site.answer) site.answer(response)
      else response.writeHead(site.status ?? 200, { 'content-type': 'text/plain', ...site.headers }).end(site.body ?? '') // prettier-ignore
    },
  )
  server.on('tlsClientError', () => undefined) // Clients hang up on certificates that they do not like.
  return listen(server, place)
}

/** How one MX behaves. Absent members are as they should be. */
export type Mx = {
  certificate?: CertificateSpec
  /** 'refused': offered, and then answered with 454. */
  starttls?: 'missing' | 'refused'
  tls?: 'TLSv1.1'
  /** Other hosts at the same address, told by SNI, and their certificates. */
  others?: Record<string, CertificateSpec>
}

export type MxSimulator = Simulator & { become: (mx: Mx) => Promise<void> }

/** Listens as the MX `host`. It takes no mail: it knows EHLO, STARTTLS and QUIT. `heard` sees each command. */
export async function startMx(
  authority: Authority,
  place: Place,
  host: string,
  mx: Mx,
  heard: (command: string) => void = () => undefined,
): Promise<MxSimulator> {
  const prepare = async (next: Mx) => ({ mx: next, tls: await tlsOf(authority, host, next) })
  let current = await prepare(mx)
  const server = createServer((socket) => {
    const { mx, tls } = current
    socket.write(`220 ${host} ESMTP\r\n`)
    converse(socket, host, mx, tls, heard)
  })
  return {
    ...(await listen(server, place)),
    become: async (next) => {
      current = await prepare(next)
    },
  }
}

type Tls = { secureContext: SecureContext; SNICallback: NonNullable<TlsOptions['SNICallback']> }

async function tlsOf(authority: Authority, host: string, { certificate = {}, tls, others = {} }: Mx): Promise<Tls> {
  const old = tls && { minVersion: tls, maxVersion: tls, ciphers: 'DEFAULT@SECLEVEL=0' }
  const secureContext = createSecureContext({ ...(await authority.issue(host, certificate)), ...old })
  const contextOf = async (name: string) => {
    const other = others[name]
    return other ? createSecureContext({ ...(await authority.issue(name, other)), ...old }) : secureContext
  }
  return {
    secureContext,
    SNICallback: (name, done) => void contextOf(name).then((context) => { done(null, context) }, done), // prettier-ignore
  }
}

function converse(socket: Socket, host: string, mx: Mx, tls: Tls | undefined, heard: (command: string) => void): void {
  const offers = tls && mx.starttls !== 'missing' ? ['PIPELINING', 'STARTTLS'] : ['PIPELINING']
  const last = offers.pop()!
  const ehlo = [host, ...offers].map((line) => `250-${line}\r\n`).join('') + `250 ${last}\r\n`
  socket.on('error', () => socket.destroy())
  socket.on('data', (data: Buffer) => {
    const command = data.toString('latin1').trim()
    heard(command)
    const verb = command.split(' ', 1)[0]!.toUpperCase()
    if (verb === 'EHLO') socket.write(ehlo)
    else if (verb === 'QUIT') socket.end('221 bye\r\n')
    else if (verb !== 'STARTTLS' || !tls) socket.write('502 not here\r\n')
    else if (mx.starttls === 'refused') socket.write('454 TLS is not available just now\r\n')
    else {
      socket.removeAllListeners('data')
      socket.write('220 go ahead\r\n')
      converse(new TLSSocket(socket, { isServer: true, ...tls }), host, mx, undefined, heard)
    }
  })
}

async function listen(server: Server, { address, port }: Place): Promise<Simulator> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  })
  server.listen(port, address)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}
