/** RFC 1034 §5.3.1, RFC 2308: a stub resolver. Its one art: telling "there is no such record" from "cannot tell just now". */
import { Resolver } from 'node:dns'
import { isIP } from 'node:net'
import type { DecodedPacket } from 'dns-packet'
import { exchange, type Exchanged, type Server } from './exchange.ts'
import { formatError, isAskable, noError, noSuchName, notImplemented, rcodeName, rcodeOf, type Question } from './message.ts' // prettier-ignore

/** 'answered': what the DNS says of the name, also where it says no. 'too-large': there is something, beyond reading. */
export type Answered =
  | { kind: 'answered'; packet: DecodedPacket }
  | { kind: 'too-large' | 'unaskable' }
  | { kind: 'unreachable'; reason: string }

export type Ask = (question: Question) => Promise<Answered>

export type AskLimits = {
  /** For one question, all servers and tries together. */
  dnsTimeoutMs: number
  /** Under way at the same time; one more is `unreachable` at once. */
  dnsQuestions: number
}

/** Datagrams get lost: who was silent is asked once more. */
const rounds = 2

/**
 * Asks `servers` ('address' or 'address:port', IPv6 in brackets), or the system's resolvers as they are just then when
 * undefined, in turn, until one answers. A failing server, a time-out and an unreadable answer are `unreachable`, with
 * the reason of the last. Who answered last is asked first the next time: a dead server delays one question, not all.
 * Rejects never.
 */
export function makeAsk(servers: string[] | undefined, { dnsTimeoutMs, dnsQuestions }: AskLimits): Ask {
  let answeredLast: string | undefined
  let underWay = 0
  const askInTurn: Ask = async (question) => {
    const known = servers ?? new Resolver().getServers() // A new one reads the system's configuration anew: 20 us.
    let asking = known.toSorted((a, b) => Number(b === answeredLast) - Number(a === answeredLast))
    const milliseconds = Math.ceil(dnsTimeoutMs / (asking.length * rounds))
    let reason = 'dns-noserver'
    for (let round = 1; round <= rounds; round++) {
      const silent: string[] = []
      for (const server of asking) {
        const told = await askServer(question, parseServer(server), milliseconds)
        if (told.kind !== 'unreachable') {
          answeredLast = server
          return told
        }
        reason = told.reason
        if (reason === 'dns-timeout') silent.push(server)
      }
      asking = silent
    }
    return { kind: 'unreachable', reason }
  }
  return async (question) => {
    if (!isAskable(question.name)) return { kind: 'unaskable' }
    if (underWay >= dnsQuestions) return { kind: 'unreachable', reason: 'dns-busy' }
    underWay++
    try {
      return await askInTurn(question)
    } finally {
      underWay--
    }
  }
}

async function askServer(question: Question, server: Server, milliseconds: number): Promise<Answered> {
  const tooLate = AbortSignal.timeout(milliseconds)
  const told = await exchange(question, server, true, tooLate)
  return answerOf(complainsOfEdns(told) ? await exchange(question, server, false, tooLate) : told)
}

/** RFC 6891 §7. */
function complainsOfEdns(told: Exchanged): boolean {
  return told.kind === 'reply' && [formatError, notImplemented].includes(rcodeOf(told.packet))
}

/** Only NOERROR and NXDOMAIN speak of the name (RFC 2308 §2); any other code speaks of the server. */
function answerOf(told: Exchanged): Answered {
  if (told.kind === 'failed') return { kind: 'unreachable', reason: told.reason }
  if (told.kind === 'too-large') return told
  const rcode = rcodeOf(told.packet)
  if (rcode !== noError && rcode !== noSuchName) return { kind: 'unreachable', reason: `dns-${rcodeName(rcode)}` }
  // Neither a resolver nor responsible for the name: an empty answer is a referral, and says nothing about the record.
  if (!told.packet.flag_ra && !told.packet.flag_aa) return { kind: 'unreachable', reason: 'dns-no-recursion' }
  return { kind: 'answered', packet: told.packet }
}

/** As in DNS_SERVERS, and as the system tells them: IPv6 without brackets where it has no port. */
function parseServer(text: string): Server {
  if (isIP(text)) return { address: text, port: 53 }
  const { address, port } = /^\[?(?<address>[^\]]+?)\]?(?::(?<port>\d+))?$/.exec(text)!.groups!
  return { address: address!, port: Number(port ?? 53) }
}
