/** RFC 1952, RFC 8460 §5.2: what calls itself gzip, and is a bomb, a ruin, or something else. */
import { randomBytes } from 'node:crypto'
import {
  brotliCompressSync,
  constants,
  crc32,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { bytes, report, zipped } from './report.ts'
import { overBoth, type ContentRow, type Row } from './run-rows.ts'

const MiB = 1024 * 1024

/** Gzip of as many bytes, made of one megabyte zipped once: a member each. */
function bomb(totalBytes: number, fill: number, first: Buffer = Buffer.alloc(0)): Buffer {
  const member = gzipSync(Buffer.alloc(MiB, fill), { level: 9 })
  return Buffer.concat([gzipSync(first), ...Array.from({ length: totalBytes / MiB }, () => member)])
}

/** A report of exactly so many bytes of JSON. */
function reportOf(size: number): Buffer {
  const json = bytes(report())
  return Buffer.concat([json, Buffer.alloc(size - json.length, ' ')])
}

/** RFC 1952 §2.3: a member with optional fields in its header. `flags` says which ones `extra` holds. */
function memberWith(flags: number, extra: Buffer, content: Buffer): Buffer {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(content), 0)
  trailer.writeUInt32LE(content.length, 4)
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]),
    extra,
    deflateRawSync(content),
    trailer,
  ])
}

/** With the byte at `index`, from the end where negative, turned over. */
function damaged(gzip: Buffer, index: number): Buffer {
  const copy = Buffer.from(gzip)
  copy[copy.length + index]! ^= 0xff
  return copy
}

const emptyMember = gzipSync('')
const emptyMembers = (count: number): Buffer => Buffer.alloc(count * emptyMember.length, emptyMember)

/** A field of FEXTRA: its length in two bytes, and so many zeros. */
const extraField = (length: number): Buffer => {
  const field = Buffer.alloc(2 + length)
  field.writeUInt16LE(length)
  return field
}

const rows: ContentRow[] = [
  { number: 1, title: '512 MiB of zeros in one stream', body: () => gzipSync(Buffer.alloc(512 * MiB), { level: 1 }), row: 'too-large unpacked-too-large', only: 'https' },
  { number: 1, title: '512 MiB of zeros in 512 members', body: () => bomb(512 * MiB, 0), row: 'too-large unpacked-too-large' },
  { number: 1, title: 'a bomb within a bomb', body: () => gzipSync(bomb(1024 * MiB, 0)), row: 'too-large unpacked-too-large' },
  { number: 2, title: 'a report padded with 100 MiB of blanks', body: () => bomb(100 * MiB, 0x20, bytes(report())), row: 'too-large unpacked-too-large' },
  { number: 2, title: '100 MiB of blanks and then a report', body: () => Buffer.concat([bomb(100 * MiB, 0x20), zipped()]), row: 'too-large unpacked-too-large' },
  { number: 3, title: 'exactly 20 MiB of JSON', body: () => gzipSync(reportOf(20 * MiB)), row: 'accepted' },
  { number: 3, title: '20 MiB of JSON and a byte', body: () => gzipSync(reportOf(20 * MiB + 1)), row: 'too-large unpacked-too-large' },
  { number: 3, title: 'exactly 8 MiB, not zipped', body: () => reportOf(8 * MiB), row: 'accepted', only: 'https' },
  { number: 5, title: 'a report in two members', body: () => Buffer.concat([gzipSync('{"a":1,'), zipped(bytes(report()).toString().slice(1))]), row: 'accepted' },
  { number: 5, title: 'a report in a member for each byte', body: () => Buffer.concat([...bytes(report())].map((byte) => gzipSync(Buffer.of(byte)))), row: 'accepted' },
  { number: 6, title: '100,000 empty members before a report', body: () => Buffer.concat([emptyMembers(100_000), zipped()]), row: 'accepted' },
  { number: 6, title: '420,000 empty members, 8.4 MB of them', body: () => Buffer.concat([emptyMembers(420_000), zipped()]), row: 'too-large body-too-large', mailed: 'too-large message-too-large' },
  { number: 6, title: 'nothing but empty members', body: () => emptyMembers(1_000), row: 'malformed empty' },
  { number: 7, title: 'zeros behind the end', body: () => Buffer.concat([zipped(), Buffer.alloc(512)]), row: 'accepted' },
  { number: 8, title: 'garbage behind the end', body: () => Buffer.concat([zipped(), Buffer.from('PK\x03\x04')]), row: 'malformed gzip-broken' },
  { number: 8, title: 'a report behind the end that is not zipped', body: () => Buffer.concat([zipped(), bytes(report())]), row: 'malformed gzip-broken' },
  { number: 9, title: 'no trailer', body: () => zipped().subarray(0, -8), row: 'malformed gzip-truncated' },
  { number: 9, title: 'half of it', body: () => zipped().subarray(0, 150), row: 'malformed gzip-truncated' },
  { number: 9, title: 'all but the last byte', body: () => zipped().subarray(0, -1), row: 'malformed gzip-truncated' },
  { number: 10, title: 'a wrong CRC', body: () => damaged(zipped(), -8), row: 'malformed gzip-broken' },
  { number: 10, title: 'a wrong length', body: () => damaged(zipped(), -1), row: 'malformed gzip-broken' },
  { number: 10, title: 'a bit turned over in the middle', body: () => damaged(zipped(), -60), row: 'malformed gzip-broken' },
  { number: 10, title: 'a method of compression that nobody knows', body: () => Buffer.concat([Buffer.from([0x1f, 0x8b, 7]), zipped().subarray(3)]), row: 'malformed gzip-broken' },
  { number: 11, title: 'nothing', body: () => '', row: 'malformed empty' },
  { number: 11, title: 'blanks', body: () => ' \r\n\t', row: 'malformed empty' },
  { number: 11, title: 'the first byte', body: () => Buffer.of(0x1f), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 11, title: 'the first two bytes', body: () => Buffer.of(0x1f, 0x8b), row: 'malformed gzip-truncated' },
  { number: 11, title: 'the header alone', body: () => zipped().subarray(0, 10), row: 'malformed gzip-truncated' },
  { number: 11, title: 'gzip of nothing', body: () => gzipSync(''), row: 'malformed empty' },
  { number: 12, title: 'a file name of 5 MiB in the header', body: () => memberWith(8, Buffer.concat([Buffer.alloc(5 * MiB, 'x'), Buffer.of(0)]), bytes(report())), row: 'accepted' },
  { number: 12, title: 'an extra field of 64 KiB', body: () => memberWith(4, extraField(65_535), bytes(report())), row: 'accepted' },
  { number: 12, title: 'a comment without end', body: () => memberWith(16, Buffer.alloc(MiB, 'x'), Buffer.alloc(0)).subarray(0, MiB), row: 'malformed gzip-truncated' },
  { number: 13, title: 'zipped twice', body: () => gzipSync(zipped()), row: 'accepted gzip-twice' },
  { number: 13, title: 'zipped three times', body: () => gzipSync(gzipSync(zipped())), row: 'malformed gzip-too-deep' },
  { number: 13, title: 'zipped a hundred times', body: () => Array.from({ length: 99 }).reduce<Buffer>((inner: Buffer) => gzipSync(inner), zipped()), row: 'malformed gzip-too-deep' },
  { number: 14, title: 'JSON labelled as gzip', body: () => report(), mediaType: 'application/tlsrpt+gzip', row: 'accepted media-type-mismatch', only: 'https' },
  { number: 14, title: 'gzip labelled as JSON', body: () => zipped(), mediaType: 'application/tlsrpt+json', row: 'accepted media-type-mismatch', only: 'https' },
  { number: 15, title: 'a zip archive', body: () => Buffer.concat([Buffer.from('PK\x03\x04'), randomBytes(200)]), row: 'malformed zip-not-supported' },
  { number: 15, title: 'zlib', body: () => deflateSync(bytes(report())), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 15, title: 'raw deflate', body: () => deflateRawSync(bytes(report())), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 15, title: 'brotli', body: () => brotliCompressSync(bytes(report()), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 15, title: 'zstd', body: () => zstdCompressSync(bytes(report())), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 15, title: 'compress(1)', body: () => Buffer.concat([Buffer.of(0x1f, 0x9d), randomBytes(100)]), row: 'malformed not-gzip-or-json', mailed: 'malformed no-report' },
  { number: 16, title: 'a report, and the bomb behind its first 20 MiB', body: () => bomb(600 * MiB, 0x20, reportOf(20 * MiB)), row: 'too-large unpacked-too-large' },
  { number: 17, title: 'gzip that unpacks to gzip without end, as far as we look', body: () => gzipSync(gzipSync(gzipSync(randomBytes(1_000)))), row: 'malformed gzip-too-deep', note: 'A quine needs no more: the second layer is the last one undone.' },
  { number: 160, title: 'Content-Encoding over JSON', body: () => zipped(), mediaType: 'application/tlsrpt+json', contentEncoding: 'gzip', row: 'accepted', only: 'https' },
  { number: 160, title: 'Content-Encoding over gzip', body: () => gzipSync(zipped()), mediaType: 'application/tlsrpt+gzip', contentEncoding: 'gzip', row: 'accepted', only: 'https' },
  { number: 160, title: 'Content-Encoding of what is not zipped', body: () => report(), contentEncoding: 'gzip', row: 'accepted content-encoding-mismatch', only: 'https' },
  { number: 160, title: 'Content-Encoding: identity', body: () => zipped(), contentEncoding: 'identity', row: 'accepted', only: 'https' },
  ...['deflate', 'br', 'zstd', 'gzip, gzip', Array(1_000).fill('gzip').join(','), 'x-\x80', 'toString'].map(
    (contentEncoding): ContentRow => ({ number: 160, title: `Content-Encoding: ${contentEncoding.slice(0, 20)}`, body: () => zipped(), contentEncoding, row: 'malformed content-encoding-unsupported', status: 415, only: 'https' }),
  ),
  { number: 161, title: 'the bomb in the Content-Encoding alone', body: () => bomb(512 * MiB, 0), mediaType: 'application/tlsrpt+json', contentEncoding: 'gzip', row: 'too-large unpacked-too-large', only: 'https' },
] // prettier-ignore

export const compression: Row[] = overBoth(rows)
