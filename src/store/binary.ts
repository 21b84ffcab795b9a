/**
 * Values in Postgres' binary formats (PostgreSQL, COPY, "Binary Format"; the `_recv` function of each type). Against
 * COPY's text format the server saves a third of its work, most of it for bytes, instants and numbers.
 */
import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

export type ColumnType =
  'text' | 'text[]' | 'jsonb' | 'bytea' | 'uuid' | 'inet' | 'date' | 'timestamptz' | 'boolean' | 'smallint' | 'integer' | 'bigint' | 'numeric' // prettier-ignore

/**
 * What a column of each type takes; absent is null. jsonb is JSON text, uuid and inet are their canonical texts, date is
 * 'YYYY-MM-DD' or the UTC day of an instant, numeric a whole number that is not negative.
 */
export type ColumnValue = string | readonly string[] | number | bigint | boolean | Buffer | Date | undefined

/** Bytes to which more are written. */
export type Sink = { bytes: Buffer; length: number }

export const makeSink = (size: number): Sink => ({ bytes: Buffer.allocUnsafe(size), length: 0 })

/** Sees to it that `more` bytes fit behind what is there, and answers where they begin. */
export function reserve(sink: Sink, more: number): number {
  const { bytes, length } = sink
  if (length + more > bytes.length) {
    sink.bytes = Buffer.allocUnsafe(Math.max(bytes.length * 2, length + more))
    bytes.copy(sink.bytes, 0, 0, length)
  }
  return length
}

/** Appends a value with its length before it. Throws a TypeError or a RangeError for what the type does not hold. */
export type Write = (sink: Sink, value: ColumnValue) => void

/** What writes the values of a column: looked up once, not with each value. */
export function writerOf(type: ColumnType): Write {
  const write = writers[type] as (sink: Sink, value: NonNullable<ColumnValue>) => void
  return (sink, value) => {
    if (value === undefined) {
      writeInt32(sink, -1)
      return
    }
    const start = reserve(sink, 4)
    sink.length = start + 4
    write(sink, value)
    putInt32(sink.bytes, start, sink.length - start - 4)
  }
}

/** Buffer's own writeInt32BE takes three times as long. */
function putInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function writeInt16(sink: Sink, value: number): void {
  if ((value << 16) >> 16 !== value) throw new RangeError('no smallint')
  const start = reserve(sink, 2)
  sink.bytes[start] = value >>> 8
  sink.bytes[start + 1] = value
  sink.length = start + 2
}

export function writeInt32(sink: Sink, value: number): void {
  if ((value | 0) !== value) throw new RangeError('no integer')
  const start = reserve(sink, 4)
  putInt32(sink.bytes, start, value)
  sink.length = start + 4
}

export function writeBytes(sink: Sink, value: Uint8Array): void {
  const start = reserve(sink, value.length)
  sink.bytes.set(value, start)
  sink.length = start + value.length
}

function writeInt64(sink: Sink, value: number | bigint): void {
  const start = reserve(sink, 8)
  sink.length = start + 8
  if (typeof value === 'bigint') {
    sink.bytes.writeBigInt64BE(value, start)
    return
  }
  if (!Number.isSafeInteger(value)) throw new RangeError('no bigint')
  const high = Math.floor(value / 2 ** 32)
  putInt32(sink.bytes, start, high)
  putInt32(sink.bytes, start + 4, value - high * 2 ** 32)
}

function writeByte(sink: Sink, value: number): void {
  const start = reserve(sink, 1)
  sink.bytes[start] = value
  sink.length = start + 1
}

const maxBytesPerUnit = 3

/** A call into native code costs more than the loop for what is as short as most words are. */
const shortText = 40

function writeText(sink: Sink, value: string): void {
  const start = reserve(sink, value.length * maxBytesPerUnit)
  const { bytes } = sink
  let i = 0
  if (value.length <= shortText) {
    for (let unit = 0; i < value.length && (unit = value.charCodeAt(i)) < 0x80; i++) bytes[start + i] = unit
  }
  sink.length = i === value.length ? start + i : start + bytes.write(value, start, 'utf8')
}

const textType = 25 // pg_type.dat

/** array_recv: dimensions, no nulls, the type of the elements; then length and lower bound of the one dimension. */
function writeTexts(sink: Sink, values: readonly string[]): void {
  for (const head of values.length === 0 ? [0, 0, textType] : [1, 0, textType, values.length, 1]) writeInt32(sink, head)
  for (const value of values) {
    const start = reserve(sink, 4)
    sink.length = start + 4
    writeText(sink, value)
    putInt32(sink.bytes, start, sink.length - start - 4)
  }
}

const day = 24 * 60 * 60 * 1000
const epoch = Date.UTC(2000, 0, 1)

function writeDate(sink: Sink, value: string | Date): void {
  const at = typeof value === 'string' ? Date.parse(value) : value.getTime()
  if (Number.isNaN(at)) throw new TypeError('no day')
  writeInt32(sink, Math.floor((at - epoch) / day))
}

/** network_recv: family (PGSQL_AF_INET, PGSQL_AF_INET6), length of the mask, whether it is a network, length of the address. */
function writeInet(sink: Sink, value: string): void {
  const isV4 = isIPv4(value)
  for (const head of isV4 ? [2, 32, 0, 4] : [3, 128, 0, 16]) writeByte(sink, head)
  for (const byte of isV4 ? value.split('.') : ipaddr.parse(value).toByteArray()) writeByte(sink, Number(byte))
}

/** numeric_recv: how many digits of base 10,000, the weight of the first one, sign, digits behind the point. */
function writeNumeric(sink: Sink, value: bigint): void {
  if (value < 0n) throw new RangeError('negative')
  const digits: number[] = []
  for (let rest = value; rest > 0n; rest /= 10_000n) digits.unshift(Number(rest % 10_000n))
  for (const head of [digits.length, Math.max(digits.length - 1, 0), 0, 0]) writeInt16(sink, head)
  for (const digit of digits) writeInt16(sink, digit)
}

const writers = {
  text: writeText,
  'text[]': writeTexts,
  jsonb: (sink: Sink, value: string) => {
    writeByte(sink, 1) // The version of the format.
    writeText(sink, value)
  },
  bytea: writeBytes,
  uuid: (sink: Sink, value: string) => {
    const start = reserve(sink, 16)
    sink.length = start + sink.bytes.write(value.replaceAll('-', ''), start, 'hex')
  },
  inet: writeInet,
  date: writeDate,
  timestamptz: (sink: Sink, value: Date) => {
    writeInt64(sink, (value.getTime() - epoch) * 1000)
  },
  boolean: (sink: Sink, value: boolean) => {
    writeByte(sink, value ? 1 : 0)
  },
  smallint: writeInt16,
  integer: writeInt32,
  bigint: writeInt64,
  numeric: writeNumeric,
} satisfies Record<ColumnType, (sink: Sink, value: never) => void>
