/** RFC 3207, RFC 8461 §4.2: how far a sender gets with an MX host, address by address, up to TLS. No mail is ever sent. */
import type { Socket } from 'node:net'
import { seeCertificate, shakeHands, type Trust } from './certificate-seen.ts'
import { blocked, findAddresses, unseenOf, within, type Outgoing, type ResolveAddresses } from './outgoing.ts'
import type { MxAddressSeen, MxSeen, Unseen } from './seen.ts'
import { readReply, type ReplyLimits, type ReplySeen } from './smtp-reply-seen.ts'

export type MxHostLimits = ReplyLimits & {
  checkTlsMs: number
  /** For a whole reply of an SMTP server, and for the one to QUIT. */
  checkReplyMs: number
  checkQuitMs: number
}

export type SeeMxDeps = {
  resolveAddresses: ResolveAddresses
  outgoing: Outgoing
  trust: Trust
  /** Tells the MX who is asking. */
  ehloName: string
  limits: MxHostLimits
  now: () => Date
}

/** `host` as the MX record has it, in lower case without a final dot. */
export type SeeMx = (host: string, preference: number) => Promise<MxSeen>

/**
 * Looks at all addresses of the host at once, which takes three replies, a connection and a handshake at most. Rejects
 * never for what a stranger does. A certificate with problems was seen: it stands in no `unseen`.
 */
export function makeSeeMx(deps: SeeMxDeps): SeeMx {
  return async (host, preference) => {
    const found = await findAddresses(host, deps.resolveAddresses, deps.outgoing)
    if (found.kind === 'failed') return { host, preference, addresses: [], unseen: found.unseen }
    const looked = found.allowed.map((address) => seeAddress(host, address, deps))
    const notCalled = found.blocked.map((address) => ({ address, unseen: blocked(address) }))
    const nobody = looked.length === 0 ? notCalled[0] : undefined
    const addresses = [...(await Promise.all(looked)), ...notCalled]
    return { host, preference, addresses, ...(nobody && { unseen: nobody.unseen }) }
  }
}

async function seeAddress(host: string, address: string, deps: SeeMxDeps): Promise<MxAddressSeen> {
  const connected = await deps.outgoing.connect(address, 'smtp')
  if (connected.kind === 'failed') return { address, unseen: connected.unseen }
  const { socket } = connected
  const seen: MxAddressSeen = { address }
  try {
    const unseen = await converse(socket, host, deps, seen)
    return { ...seen, ...(unseen && { unseen }) }
  } catch (error) {
    return { ...seen, unseen: unseenOf(error, 'tls-failed') }
  } finally {
    socket.destroy()
  }
}

/** Writes into `seen` as it goes, so that what was seen stands also where the rest fails. */
async function converse(
  socket: Socket,
  host: string,
  { trust, ehloName, limits, now }: SeeMxDeps,
  seen: MxAddressSeen,
): Promise<Unseen | undefined> {
  const hear = (what: string) => within(limits.checkReplyMs, what, readReply(socket, limits))

  const greeting = await hear('the greeting')
  const greeted = greeting.kind === 'reply' ? `${greeting.code} ${greeting.lines[0]!}` : greeting.begins
  if (greeted !== '') seen.greeting = greeted
  if (!isReply(greeting, 220)) return notAsHoped(greeting, 'it greets with')

  socket.write(`EHLO ${ehloName}\r\n`)
  const offers = await hear('the reply to EHLO')
  if (!isReply(offers, 250) && !isUnknownCommand(offers)) return notAsHoped(offers, 'it answers EHLO with')
  seen.offersStarttls = isReply(offers, 250) && offers.lines.slice(1).some((line) => /^STARTTLS\s*$/i.test(line))
  if (!seen.offersStarttls) return quit(socket, limits)

  socket.write('STARTTLS\r\n')
  const ready = await hear('the reply to STARTTLS')
  if (!isReply(ready, 220))
    return { ...notAsHoped(ready, 'it offers STARTTLS and answers it with'), reason: 'tls-failed' }

  const tls = await shakeHands(socket, host, trust.forMail, limits)
  seen.tlsVersion = tls.getProtocol() ?? 'unknown'
  const certificate = seeCertificate(tls, host, trust, now())
  if (!certificate) return { reason: 'tls-failed', text: 'no certificate was shown' }
  seen.certificate = certificate
  return quit(tls, limits)
}

type Reply = ReplySeen & { kind: 'reply' }

const isReply = (reply: ReplySeen, code: number): reply is Reply => reply.kind === 'reply' && reply.code === code

/** RFC 5321 §4.2.4: a server that has no EHLO has no STARTTLS either. */
const isUnknownCommand = (reply: ReplySeen) => isReply(reply, 500) || isReply(reply, 502)

/** A server that says 4xx or 5xx does not want us; what it would say to others is not known. */
function notAsHoped(reply: ReplySeen, what: string): Unseen {
  if (reply.kind === 'none') return reply.unseen
  const text = `${what} ${reply.code} ${reply.lines[0]!}`.slice(0, 200)
  return { reason: reply.code >= 400 ? 'refused' : 'bad-reply', text }
}

/** RFC 5321 §4.1.1.10, and a moment for the answer: what it is, or whether one comes, is of no interest any more. */
async function quit(socket: Socket, limits: MxHostLimits): Promise<undefined> {
  socket.write('QUIT\r\n')
  await within(limits.checkQuitMs, 'the reply to QUIT', readReply(socket, limits)).catch(() => undefined)
}
