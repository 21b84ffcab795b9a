/** RFC 8461 §3.3: GET https://mta-sts.DOMAIN/.well-known/mta-sts.txt as a sender does it, and what came of it. */
import { once } from 'node:events'
import { request as startRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { problemsText, seeCertificate, shakeHands, type Trust } from './certificate-seen.ts'
import { blocked, findAddresses, unseenOf, within, type Outgoing, type ResolveAddresses } from './outgoing.ts'
import type { PolicySeen, Unseen } from './seen.ts'
import { readable } from './strangers-text.ts'

export type PolicyHostLimits = {
  checkTlsMs: number
  /** From the request to the last byte of the answer. */
  checkFetchMs: number
  checkHeaderBytes: number
  /** More of a body is not read. */
  checkPolicyBytes: number
}

export type SeePolicyDeps = {
  resolveAddresses: ResolveAddresses
  outgoing: Outgoing
  trust: Trust
  /** Tells the policy host who is asking. */
  userAgent: string
  limits: PolicyHostLimits
  now: () => Date
}

export type SeePolicy = (domain: string) => Promise<PolicySeen>

/**
 * Asks the first address that connects, follows no redirect and inflates nothing. Takes connecting to each address, then
 * checkTlsMs and checkFetchMs at most. Rejects never for what a stranger does.
 */
export function makeSeePolicy(deps: SeePolicyDeps): SeePolicy {
  return async (domain) => {
    const host = `mta-sts.${domain}`
    const found = await findAddresses(host, deps.resolveAddresses, deps.outgoing)
    if (found.kind === 'failed') return { host, addresses: [], unseen: found.unseen }
    const { allowed: addresses } = found
    const failures = found.blocked.map(blocked)
    for (const address of addresses) {
      const connected = await deps.outgoing.connect(address, 'https')
      if (connected.kind === 'connected') {
        return { host, addresses, address, ...(await ask(connected.socket, host, deps)) }
      }
      failures.unshift(connected.unseen)
    }
    return { host, addresses, unseen: mostTelling(failures) }
  }
}

/** That there is no way to an address may be our own lack of IPv6. */
const mostTelling = (failures: Unseen[]): Unseen =>
  failures.find(({ reason }) => reason !== 'unreachable') ?? failures[0]!

type Asked = Pick<PolicySeen, 'certificate' | 'reply' | 'unseen'>

async function ask(socket: Socket, host: string, deps: SeePolicyDeps): Promise<Asked> {
  try {
    const tls = await shakeHands(socket, host, deps.trust.forPolicy, deps.limits)
    const certificate = seeCertificate(tls, host, deps.trust, deps.now())
    if (!certificate) return { unseen: { reason: 'tls-failed', text: 'no certificate was shown' } }
    const fetched = await fetchPolicy(tls, host, deps)
    if (certificate.problems.length === 0) return { certificate, ...fetched }
    return { certificate, ...fetched, unseen: { reason: 'bad-certificate', text: problemsText(certificate.problems) } }
  } catch (error) {
    return { unseen: unseenOf(error, 'tls-failed') }
  } finally {
    socket.destroy()
  }
}

type Reply = NonNullable<PolicySeen['reply']>

async function fetchPolicy(tls: TLSSocket, host: string, deps: SeePolicyDeps): Promise<Omit<Asked, 'certificate'>> {
  const { limits } = deps
  const request = openRequest(tls, host, deps)
  const broken = brokenOff(request, limits)
  const body: Buffer[] = []
  let head: Omit<Reply, 'body' | 'truncated'> | undefined
  const told = (truncated: boolean) => head && { reply: { ...head, body: Buffer.concat(body), truncated } }
  const exchange = async (): Promise<Unseen | undefined> => {
    const response = await responseTo(request)
    head = readHead(response)
    if (await readBody(response, body, limits.checkPolicyBytes)) return tooLarge(limits.checkPolicyBytes)
    return compressed(response)
  }
  try {
    const unseen = await within(limits.checkFetchMs, 'the answer', Promise.race([exchange(), broken]))
    return { ...told(unseen?.reason === 'too-large'), ...(unseen && { unseen }) }
  } catch (error) {
    return { ...told(true), unseen: unseenOf(error, 'bad-reply') }
  } finally {
    request.destroy()
  }
}

function openRequest(tls: TLSSocket, host: string, { userAgent, limits }: SeePolicyDeps): ClientRequest {
  return startRequest({
    createConnection: () => tls,
    path: '/.well-known/mta-sts.txt',
    setHost: false,
    headers: { Host: host, 'User-Agent': userAgent, Accept: 'text/plain', 'Accept-Encoding': 'identity', Connection: 'close' }, // prettier-ignore
    maxHeaderSize: limits.checkHeaderBytes,
  })
}

/** A byte of a body may come as a chunk of six. */
const mostPerByte = 8

/** Rejects with what is wrong with an answer; a flood that is neither head nor body, as of 1xx statuses, is too much of it. */
function brokenOff(request: ClientRequest, { checkHeaderBytes, checkPolicyBytes }: PolicyHostLimits): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = (code: string, text: string) => {
    reject(Object.assign(new Error(text), { code }))
  }
  let room = mostPerByte * (checkHeaderBytes + checkPolicyBytes)
  request.on('error', reject)
  request.on('upgrade', () => {
    giveUp('EPROTO', 'it answers with 101 Switching Protocols')
  })
  request.on('socket', (socket) => {
    socket.on('data', (chunk: Buffer) => {
      room -= chunk.length
      if (room < 0) giveUp('EMSGSIZE', 'it sends and sends, and no policy')
    })
  })
  return promise
}

async function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  request.end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

function readHead({ statusCode = 0, headers }: IncomingMessage): Omit<Reply, 'body' | 'truncated'> {
  const mediaType = headers['content-type']?.split(';')[0]!.toLowerCase()
  return {
    status: statusCode,
    ...(headers.location !== undefined && { location: readable(headers.location, 2_000) }),
    ...(mediaType !== undefined && { mediaType: readable(mediaType, 255) }),
  }
}

/** Whether there was more than `maxBytes`; what came until then is in `body`, also when it rejects. */
async function readBody(response: IncomingMessage, body: Buffer[], maxBytes: number): Promise<boolean> {
  let room = maxBytes
  for await (const chunk of response as AsyncIterable<Buffer>) {
    body.push(chunk.subarray(0, room))
    if (chunk.length > room) return true
    room -= chunk.length
  }
  return false
}

const tooLarge = (bytes: number): Unseen => ({
  reason: 'too-large',
  text: `the body is larger than ${bytes / 1024} KiB`,
})

/** RFC 9110 §12.5.3: we asked for identity; what cannot be read without inflating it, no sender has to read. */
function compressed({ headers }: IncomingMessage): Unseen | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '') return undefined
  return { reason: 'bad-reply', text: `the body is encoded (${readable(encoding, 64)}), which was not asked for` }
}
