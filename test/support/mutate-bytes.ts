/** Mutations that do not look at what the bytes are, and the bytes that any reader might trip over. */
import { pick, type Random } from './random-numbers.ts'

/** What a mutation is made from: the bytes themselves, and others to take pieces from. */
export type Mutation = (bytes: Buffer, others: readonly Buffer[], random: Random) => Buffer

/** Bytes that mean something to one of the readers. */
export const tokens = [
  ...['\0', '\r', '\n', '\r\n', '\r\n\r\n', '.', '\r\n.\r\n', '--', ' ', '\t', ':', ';', ',', '"', '\\', '=', '@', '<', '(', '%'],
  ...['{', '}', '[', ']', '[[[[[[[[[[[[[[[[', '{"a":', 'null', '-', '1e400', '9007199254740992', '0'.repeat(400), '\\u0000', '\\ud800', '\\"'],
  ...['\xff', '\xc0\xaf', '\xed\xa0\x80', '\xef\xbb\xbf', '\xfe\xff', '\xe2\x80\xae', '\x1f\x8b\x08\0', 'PK\x03\x04', '\x1b[2J'],
  ...['Content-Type: ', 'boundary=', '=?utf-8?B?', '=?utf-8?Q?=00?=', '=3D', '=\r\n', "filename*0*=utf-8''%00", 'l=0; ', 'b=', 'd=example'],
].map((token) => Buffer.from(token, 'latin1')) // prettier-ignore

const byteMutations: Mutation[] = [
  (bytes, _, random) => altered(bytes, random, (byte) => byte ^ (1 << random(8))),
  (bytes, _, random) => altered(bytes, random, () => random(256)),
  (bytes, _, random) => spliced(bytes, random(bytes.length + 1), 0, pick(tokens, random)),
  (bytes, _, random) => spliced(bytes, random(bytes.length + 1), random(40), pick(tokens, random)),
  (bytes, _, random) => spliced(bytes, random(bytes.length + 1), 1 + someLength(bytes, random), Buffer.alloc(0)),
  (bytes, _, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, _, random) => {
    const start = random(bytes.length + 1)
    const piece = bytes.subarray(start, start + someLength(bytes, random))
    const times = 1 + (random(4) === 0 ? random(500) : 0)
    return spliced(bytes, random(bytes.length + 1), 0, Buffer.concat(Array<Buffer>(times).fill(piece.subarray(0, 2_000))))
  },
  (bytes, others, random) => {
    const other = pick(others, random)
    return Buffer.concat([bytes.subarray(0, random(bytes.length + 1)), other.subarray(random(other.length + 1))])
  },
  (bytes, others, random) => {
    const other = pick(others, random)
    const start = random(other.length + 1)
    const piece = other.subarray(start, start + someLength(other, random))
    return spliced(bytes, random(bytes.length + 1), someLength(bytes, random), piece)
  },
  (bytes, _, random) => {
    const numbers = [...bytes.toString('latin1').matchAll(/\d+/g)]
    if (numbers.length === 0) return bytes
    const { 0: digits, index } = pick(numbers, random)
    return spliced(bytes, index, digits.length, Buffer.from(pick(boundaryNumbers, random)))
  },
] // prettier-ignore

const boundaryNumbers = ['', '0', '1', '-1', '00', '127', '255', '256', '1024', '1025', '32768', '65536', '2147483648', '4294967296', '9007199254740991', '9007199254740992', '9223372036854775808', '1e5', '1.0', '9'.repeat(300)] // prettier-ignore

/** Without a look at what they are. */
export const mutateBytes: Mutation = (bytes, others, random) => pick(byteMutations, random)(bytes, others, random)

/** Mostly a few bytes, now and then much of it. */
const someLength = (bytes: Buffer, random: Random): number =>
  random(3) === 0 ? random(bytes.length + 1) : random(Math.min(bytes.length, 16) + 1)

export function altered(bytes: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes)
  for (let left = bytes.length === 0 ? 0 : 1 + random(4); left > 0; left--) {
    const at = random(copy.length)
    copy[at] = change(copy[at]!)
  }
  return copy
}

export const spliced = (bytes: Buffer, start: number, remove: number, insert: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)])
