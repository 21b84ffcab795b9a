/** RFC 1034 §3.7, RFC 4035 §3.2.3: what the DNS says of a name just now, for checks: nothing is kept. */
import type { Answer, BaseAnswer, DecodedPacket, MxData, TlsaData } from 'dns-packet'
import { followAliases } from './aliases.ts'
import { makeAsk, type AskLimits } from './ask.ts'
import { noSuchName, rcodeOf } from './message.ts'

/** What a record of each type holds. Names are as the DNS has them, without a final dot; the root is '.'. */
export type RecordOf = {
  A: string
  AAAA: string
  CNAME: string
  MX: { preference: number; exchange: string }
  /** RFC 6698 §2.1. */
  TLSA: { usage: number; selector: number; matchingType: number; data: Buffer }
  /** The strings of a record joined with nothing between, each byte a character. */
  TXT: string
}

export type LookUpType = keyof RecordOf

/**
 * `authenticated`: the resolver says that it validated the answer by DNSSEC; as good as the road to this resolver.
 * `aliases`: the names of the CNAME chain behind the name asked for, in order; its last one has the records, or has none.
 */
export type LookedUp<T extends LookUpType = LookUpType> =
  | { kind: 'found'; records: RecordOf[T][]; authenticated: boolean; aliases: string[] }
  | { kind: 'missing'; reason: 'no-such-name' | 'no-data'; authenticated: boolean; aliases: string[] }
  /** Cannot tell now: dns-timeout, dns-servfail (also for a signature that is wrong), ... or dns-too-large. */
  | { kind: 'unreachable'; reason: string }

export type LookUp = <T extends LookUpType>(name: string, type: T) => Promise<LookedUp<T>>

/** Looks up at `servers` (see makeAsk), each time anew. Rejects never. */
export function makeLookUp(servers: string[] | undefined, limits: AskLimits): LookUp {
  const ask = makeAsk(servers, limits)
  return async (name, type) => {
    const answered = await ask({ name, type, dnssec: true })
    switch (answered.kind) {
      case 'answered':
        return read(answered.packet, name, type)
      case 'unaskable':
        return { kind: 'missing', reason: 'no-such-name', authenticated: false, aliases: [] }
      case 'too-large':
        return { kind: 'unreachable', reason: 'dns-too-large' }
      case 'unreachable':
        return answered
    }
  }
}

function read<T extends LookUpType>(packet: DecodedPacket, name: string, type: T): LookedUp<T> {
  const chain = followAliases(packet, name)
  const [owner, aliases] = type === 'CNAME' ? [name.toLowerCase(), []] : [chain.owner, chain.names]
  const records = (packet.answers ?? []).flatMap((record) =>
    isOfType(record, type) && record.class === 'IN' && record.name.toLowerCase() === owner
      ? dataReaders[type](record.data)
      : [],
  )
  const authenticated = packet.flag_ad
  if (records.length > 0) return { kind: 'found', records, authenticated, aliases }
  const reason = rcodeOf(packet) === noSuchName ? 'no-such-name' : 'no-data'
  return { kind: 'missing', reason, authenticated, aliases }
}

/** What dns-packet makes of each. */
type DecodedData = { A: string; AAAA: string; CNAME: string; MX: MxData; TLSA: TlsaData; TXT: Buffer[] }

const dataReaders: { [T in LookUpType]: (data: DecodedData[T]) => RecordOf[T] } = {
  A: (data) => data,
  AAAA: (data) => data,
  CNAME: (data) => data,
  MX: ({ preference = 0, exchange }) => ({ preference, exchange }),
  TLSA: ({ usage, selector, matchingType, certificate }) => ({ usage, selector, matchingType, data: certificate }),
  TXT: (data) => Buffer.concat(data).toString('latin1'),
}

function isOfType<T extends LookUpType>(record: Answer, type: T): record is BaseAnswer<T, DecodedData[T]> & Answer {
  return record.type === type
}
