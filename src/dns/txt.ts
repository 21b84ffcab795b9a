/** TXT records, as RFC 6376 §3.6.2 reads them: what dkim/ asks for. */
import type { DecodedPacket } from 'dns-packet'
import type { ResolveTxt, TxtAnswer } from '../dkim/verify.ts'
import { followAliases, secondsOf } from './aliases.ts'
import { makeAsk, type Answered, type AskLimits } from './ask.ts'
import { keepAnswers, type Dated, type KeepLimits } from './keep.ts'

export type DnsLimits = AskLimits &
  KeepLimits & {
    /** The longest that a record is kept, and that it is kept that there is none. */
    dnsCacheSeconds: number
    dnsCacheMissingSeconds: number
  }

/**
 * TXT look-ups at `servers` (see makeAsk), kept for their TTL. Rejects never. What could not be told is not kept: the
 * sender comes again in minutes, and an outage ends when it ends. `now` is a clock in milliseconds, never set back.
 */
export function makeResolveTxt(servers: string[] | undefined, limits: DnsLimits, now: () => number): ResolveTxt {
  const ask = makeAsk(servers, limits)
  const lookUp = async (name: string) => date(readTxt(await ask({ name, type: 'TXT' }), name), limits)
  return keepAnswers(lookUp, limits, now)
}

/** `seconds` as the DNS has it, 0 where it says nothing. */
type Read = { answer: TxtAnswer; seconds: number }

/** §3.6.2.2: the strings of a record are joined with nothing between. */
function readTxt(answered: Answered, name: string): Read {
  if (answered.kind === 'unreachable') return { answer: answered, seconds: 0 }
  if (answered.kind !== 'answered') return { answer: { kind: 'missing' }, seconds: 0 } // No key that we would take.
  const { owner, seconds } = followAliases(answered.packet, name)
  const records = (answered.packet.answers ?? []).flatMap((record) =>
    record.type === 'TXT' && record.class === 'IN' && record.name.toLowerCase() === owner ? record : [],
  )
  if (records.length === 0) return { answer: { kind: 'missing' }, seconds: missingSeconds(answered.packet) }
  return {
    answer: { kind: 'found', records: records.map(({ data }) => Buffer.concat(data as Buffer[]).toString('latin1')) },
    seconds: Math.min(seconds, ...records.map(({ ttl }) => secondsOf(ttl))),
  }
}

/** RFC 2308 §5: the SOA record says for how long; without one it is not to be kept. */
function missingSeconds({ authorities = [] }: DecodedPacket): number {
  const soa = authorities.find((record) => record.type === 'SOA')
  return soa ? Math.min(secondsOf(soa.ttl), secondsOf(soa.data.minimum)) : 0
}

function date({ answer, seconds }: Read, limits: DnsLimits): Dated<TxtAnswer> {
  const most = answer.kind === 'found' ? limits.dnsCacheSeconds : limits.dnsCacheMissingSeconds
  const bytes = answer.kind === 'found' ? answer.records.reduce((sum, record) => sum + record.length, 0) : 0
  return { value: answer, seconds: Math.min(seconds, most), bytes }
}
