/** RFC 5321, RFC 8460 §5.3: reports by mail. Takes mail for the rua addresses, in plain text too; relays and answers nothing. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { callerOf, makeAddressTest, plainAddress } from '../addresses.ts'
import { makeRateCount } from '../rate.ts'
import { minVersion, type CertificateSource } from './certificate.ts'
import { makeRoom, type Room } from './collect.ts'
import { openPort, sendingMs, type Listener } from './listener.ts'
import { makeConnectionCount, type Leave } from './peers.ts'
import { takeMail, type MailDeps } from './smtp-mail.ts'
import { timedOut, type SmtpReply } from './smtp-reply.ts'
import { makeRecipientTest, unknownMailParameter, unknownRcptParameter } from './smtp-syntax.ts'

export type SmtpDeps = MailDeps & {
  hostname: string
  /** Whose mail we take. */
  ruaAddresses: string[]
  /** CIDRs of the operator's own MTA in front. */
  relays: string[]
  limitExempt: (address: string) => boolean
  certificate: CertificateSource
}

type Connection = SMTPServer['connections'] extends Set<infer C> ? C : never

/** One open connection. */
type Visit = {
  connection: Connection
  socket: Socket
  peer: string
  relay: boolean
  leave: Leave
  /** performance.now(). */
  since: number
  messages: number
  /** Of the mail under way. */
  recipients: number
  unknownRecipients: number
  /** Since the last mail. */
  commands: number
  /** From DATA until its answer. */
  receiving: boolean
  deadline?: NodeJS.Timeout
}

/** What all visits share. */
type House = {
  deps: SmtpDeps
  isRecipient: (address: string) => boolean
  visits: Map<SMTPServerSession, Visit>
  room: Room
  draining: boolean
}

/** What smtp-server knows and we do not do; sendmail's wizard among it, whom it would greet with a 200. */
const notImplemented = 'AUTH WIZ SHELL KILL XCLIENT XFORWARD BDAT EXPN ETRN TURN ATRN SEND SAML SOML'.split(' ')

/** How long a client may take to read the last words and to hang up. */
const farewellMs = 1_000

/** Opens the SMTP port; on all addresses when `host` is undefined. Rejects when it is taken. */
export async function startSmtp(deps: SmtpDeps, host: string | undefined, port: number): Promise<Listener> {
  const { limits, log, certificate } = deps
  const isRecipient = makeRecipientTest(deps.ruaAddresses, deps.hostname)
  const house: House = { deps, isRecipient, visits: new Map(), room: makeRoom(limits.messageBytes), draining: false }
  const protocol = makeProtocol(house)
  protocol.on('error', (error) => {
    log.debug({ err: error }, 'an SMTP connection failed')
  })
  certificate.onChange(({ key, cert }) => {
    protocol.updateSecureContext({ key, cert })
  })

  const isRelay = makeAddressTest(deps.relays)
  const enter = makeConnectionCount({
    total: limits.smtpConnections,
    perAddress: limits.smtpConnectionsPerAddress,
    perNetwork: limits.smtpConnectionsPerNetwork,
  })
  const rateOf = makeRateCount(limits.smtpConnectionsPerMinute)
  // Our own server in front of smtp-server's, which has a limit in total only, and looks at it 100 ms late.
  const server = createServer((socket) => {
    const peer = plainAddress(socket.remoteAddress)
    if (peer === undefined) {
      socket.destroy() // It has left already.
      return
    }
    const relay = isRelay(peer)
    const exempt = relay || deps.limitExempt(peer)
    const leave = exempt || rateOf(callerOf(peer), performance.now()) === 0 ? enter(peer, exempt) : undefined
    if (leave) {
      welcome(house, protocol, { socket, peer, relay, leave })
      return
    }
    log.info({ transport: 'smtp', peer, reason: 'too-many-connections' }, 'refused')
    turnAway(socket, `421 4.7.0 ${deps.hostname} too many connections, try again later\r\n`)
  })

  const bound = await openPort(server, host, port)
  server.on('error', (error) => {
    log.error({ err: error }, 'the SMTP listener failed')
  })
  let closed: Promise<void> | undefined
  const drain = async () => {
    house.draining = true
    const done = once(server.close(), 'close')
    for (const visit of house.visits.values()) if (!visit.receiving) bidFarewell(visit)
    const tooLate = setTimeout(() => {
      for (const { socket } of house.visits.values()) socket.destroy()
    }, sendingMs(limits))
    await done
    clearTimeout(tooLate)
  }
  return { port: bound, close: () => (closed ??= drain()) }
}

function makeProtocol(house: House): SMTPServer {
  const { hostname, limits, certificate } = house.deps
  const visitOf = (session: SMTPServerSession) => house.visits.get(session)!
  return new SMTPServer({
    ...certificate.current(),
    minVersion,
    name: hostname,
    heloResponse: '%s', // The default quotes the client.
    size: limits.messageBytes,
    socketTimeout: limits.smtpIdleSeconds * 1000,
    maxCommandLength: 2048, // Postfix' line_length_limit.
    disabledCommands: notImplemented,
    hideENHANCEDSTATUSCODES: false,
    lenientAddressParsing: true, // Reverse-paths are odd, and forward-paths are compared with ours anyway.
    disableReverseLookup: true,
    onMailFrom: ({ args }, session, callback) => {
      callback(refuseSender(house, visitOf(session), args))
    },
    onRcptTo: ({ address, args }, session, callback) => {
      callback(refuseRecipient(house, visitOf(session), address, args))
    },
    onData: (stream, session, callback) => {
      const visit = visitOf(session)
      void receiveMail(house, visit, stream, session).then((reply) => {
        visit.receiving = false
        if (reply === timedOut)
          visit.connection.send(reply.code, reply.text) // Before the end of a mail that never ends.
        else if (reply?.code === 250) callback(null, reply.text)
        else if (reply) callback(smtpError(reply.code, reply.text))
      })
    },
    onClose: (session) => {
      const visit = visitOf(session)
      clearTimeout(visit.deadline)
      visit.leave()
      house.visits.delete(session)
    },
  })
}

/** Hands a connection to smtp-server, and stands beside it from then on. */
function welcome(house: House, protocol: SMTPServer, caller: Pick<Visit, 'socket' | 'peer' | 'relay' | 'leave'>): void {
  protocol.connect(caller.socket)
  const connection = [...protocol.connections].at(-1)! // connect() does not say which it made.
  const counts = { since: performance.now(), messages: 0, recipients: 0, unknownRecipients: 0, commands: 0 }
  const visit: Visit = { ...caller, ...counts, connection, receiving: false }
  house.visits.set(connection.session, visit)
  setDeadline(visit, house.deps.limits.smtpIdleSeconds)

  const send = connection.send.bind(connection)
  connection.send = (code, data, context) => {
    const command = code === 500 && typeof context === 'string' ? context : ''
    if (notImplemented.includes(command)) send(502, '5.5.1 command not implemented', false)
    // smtp-server makes an enhanced code of the basic one; a text that has its own goes without.
    else send(code, data, typeof data === 'string' && /^[245]\.\d\.\d+ /.test(data) ? false : context)
    afterReply(house, visit, code, code === 220 && context !== false)
  }
}

/** What the reply just given means for the connection: how long it may stay, and whether it may. */
function afterReply({ deps: { limits }, draining }: House, visit: Visit, code: number, startsTls: boolean): void {
  if (code === 421 || code === 221 || visit.socket.destroyed) {
    clearTimeout(visit.deadline) // smtp-server hangs up, or nobody heard it.
  } else if (code === 354) {
    visit.commands = 0
    setDeadline(visit, limits.smtpDataSeconds)
  } else if (draining && !visit.receiving) {
    bidFarewell(visit)
  } else if (++visit.commands > 2 * limits.smtpRecipients + 20) {
    visit.connection.send(421, '4.7.0 too many commands without a mail')
  } else {
    setDeadline(visit, startsTls ? limits.smtpIdleSeconds / 2 : limits.smtpIdleSeconds)
  }
}

/** For the next whole command, or the whole of a mail: unlike an idle timer, it is not moved by a byte now and then. */
function setDeadline(visit: Visit, seconds: number): void {
  clearTimeout(visit.deadline)
  visit.deadline = setTimeout(() => {
    visit.connection.send(timedOut.code, timedOut.text)
  }, seconds * 1000)
}

function bidFarewell({ connection }: Visit): void {
  connection.send(421, '4.3.2 shutting down, try again later')
}

function turnAway(socket: Socket, words: string): void {
  socket.on('error', () => undefined)
  socket.resume()
  socket.end(words)
  setTimeout(() => socket.destroy(), farewellMs).unref()
}

const smtpError = (responseCode: number, text: string): Error => Object.assign(new Error(text), { responseCode })

function refuseSender({ deps: { limits } }: House, visit: Visit, args: object | false): Error | null {
  visit.recipients = 0
  if (!visit.relay && visit.messages >= limits.smtpMessagesPerConnection) {
    return smtpError(421, '4.7.0 too many messages on one connection')
  }
  if (performance.now() - visit.since > limits.smtpSessionSeconds * 1000) {
    return smtpError(421, '4.4.2 this session has lasted long enough')
  }
  return unknownMailParameter(args) === undefined ? null : smtpError(555, '5.5.4 parameter not implemented')
}

function refuseRecipient(house: House, visit: Visit, address: string, args: object | false): Error | null {
  const { limits, log } = house.deps
  if (!house.isRecipient(address)) {
    log.info({ transport: 'smtp', peer: visit.peer, recipient: address, reason: 'unknown-recipient' }, 'refused')
    visit.unknownRecipients++
    const harvesting = visit.unknownRecipients > limits.smtpUnknownRecipients
    return harvesting ? smtpError(421, '4.7.0 too many unknown recipients') : smtpError(550, '5.1.1 no such recipient')
  }
  if (unknownRcptParameter(args) !== undefined) return smtpError(555, '5.5.4 parameter not implemented')
  if (visit.recipients >= limits.smtpRecipients) return smtpError(452, '4.5.3 too many recipients')
  visit.recipients++
  return null
}

function receiveMail(
  { deps, room }: House,
  visit: Visit,
  stream: SMTPServerDataStream,
  { envelope, hostNameAppearsAs, secure }: SMTPServerSession,
): Promise<SmtpReply | undefined> {
  const { connection, peer, relay } = visit
  visit.messages++
  visit.receiving = true
  stream.on('data', () => {
    if (stream.byteLength <= 2 * deps.limits.messageBytes) return
    connection.send(552, '5.3.4 message-too-large') // It was told the limit, and does not stop.
    connection.close()
  })
  stream.on('end', () => {
    clearTimeout(visit.deadline)
  })
  const provenance = {
    transport: 'smtp' as const,
    peerAddress: peer,
    helo: hostNameAppearsAs,
    mailFrom: envelope.mailFrom ? envelope.mailFrom.address.toWellFormed() : '', // A-labels can hide half a character.
    rcptTo: envelope.rcptTo.map(({ address }) => address.toWellFormed()),
    tls: secure,
  }
  return takeMail(deps, room, { provenance, relay }, stream)
}
