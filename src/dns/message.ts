/** RFC 1035 §4 and RFC 6891: a question as bytes, and what may be taken for the reply to it (RFC 5452 §9.1). */
import {
  AUTHENTIC_DATA,
  decode,
  DNSSEC_OK,
  encode,
  RECURSION_DESIRED,
  type DecodedPacket,
  type OptAnswer,
  type RecordType,
} from 'dns-packet'
import { mostPointers } from './pointers.ts'

/** `dnssec`: whether the server is to say if it has validated the answer (the AD bit). */
export type Question = { name: string; type: RecordType; dnssec?: boolean }

/** 'other' answers another question, whoever sent it. The last three are ours by their id, but nothing to read. */
export type Reading =
  { kind: 'reply'; packet: DecodedPacket } | { kind: 'other' | 'truncated' | 'too-large' | 'malformed' }

export const noError = 0
export const formatError = 1
export const noSuchName = 3
export const notImplemented = 4
const rcodeNames = new Map([[formatError, 'formerr'], [2, 'servfail'], [notImplemented, 'notimp'], [5, 'refused']]) // prettier-ignore

/** A key is at most 4 KiB (dkim/key.ts). The dearest message of this length takes 30 ms to read. */
export const maxMessageBytes = 16_384

/**
 * A name has 127 labels at most (RFC 1035 §2.3.4), and a pointer leads to a label. The decoder follows pointers to
 * pointers wherever they lead: thousands for each name of a hostile message of 16 KiB, 24 to 108 ms in all.
 */
const maxPointers = 127

const headerLength = 12
const isReply = 0x80 // The bits QR and TC, both in the third octet.
const isTruncated = 0x02

/** RFC 1035 §2.3.4. The encoder checks no lengths: a label of 200 octets would come out as a pointer. */
const askableName = /^(?=.{1,253}$)[!-~]+$/
export const isAskable = (name: string): boolean =>
  askableName.test(name) && name.split('.').every((label) => label.length > 0 && label.length <= 63)

const edns0: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232, // Fits through any path unfragmented: the value of DNS Flag Day 2020.
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

/** `edns: false` for servers that take the option for a format error (RFC 6891 §7). `name` is askable. */
export function writeQuestion({ name, type, dnssec = false }: Question, id: number, edns: boolean): Buffer {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | (dnssec ? AUTHENTIC_DATA : 0), // RFC 6840 §5.7: some answer to this bit,
    questions: [{ name, type }],
    additionals: edns ? [dnssec ? { ...edns0, flags: DNSSEC_OK, flag_do: true } : edns0] : [], // some to the other.
  })
}

/** Throws never, however the bytes are made. The id is looked at before anything is decoded: a flood of guesses is cheap. */
export function readReply(bytes: Buffer, { name, type }: Question, id: number): Reading {
  if (bytes.length < headerLength || bytes.readUInt16BE(0) !== id || !(bytes[2]! & isReply)) return { kind: 'other' }
  if (bytes[2]! & isTruncated) return { kind: 'truncated' } // RFC 2181 §9: what is in it does not count.
  if (bytes.length > maxMessageBytes) return { kind: 'too-large' }
  if (mostPointers(bytes) > maxPointers) return { kind: 'malformed' }
  const packet = tryDecode(bytes)
  if (!packet) return { kind: 'malformed' }
  const { questions = [] } = packet
  if (questions.length === 0 && isFormatComplaint(packet)) return { kind: 'reply', packet }
  const [asked] = questions
  const answersIt = questions.length === 1 && sameName(asked!.name, name) && asked!.type === type && asked!.class === 'IN' // prettier-ignore
  return answersIt ? { kind: 'reply', packet } : { kind: 'other' }
}

/** The response code with its upper bits, which are in the OPT record (RFC 6891 §6.1.3). */
export function rcodeOf({ flags = 0, additionals = [] }: DecodedPacket): number {
  const option = additionals.find((record) => record.type === 'OPT')
  return ((option?.extendedRcode ?? 0) << 4) | (flags & 0xf)
}

export const rcodeName = (rcode: number): string => rcodeNames.get(rcode) ?? `rcode-${rcode}`

/** RFC 4343. */
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** RFC 1035 §4.1.1: who could not read the question may not have been able to repeat it. */
function isFormatComplaint(packet: DecodedPacket): boolean {
  const rcode = rcodeOf(packet)
  return rcode === formatError || rcode === notImplemented
}

function tryDecode(bytes: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(bytes)
    return decode.bytes <= bytes.length ? packet : undefined // Cut in its last record, a message decodes all the same.
  } catch {
    return undefined
  }
}
