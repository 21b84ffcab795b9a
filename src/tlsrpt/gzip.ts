/** RFC 8460 §5.2, RFC 1952: what bytes are by their look, and gzip away, within limits that hold before memory is taken. */
import { promisify } from 'node:util'
import { createGunzip, gunzip, gunzipSync } from 'node:zlib'
import { refusal, type Refusal } from './submission.ts'

/** `compressedBytes` bounds what is unzipped, `jsonBytes` what comes out of it; exactly as many bytes are allowed. */
export type GzipLimits = { compressedBytes: number; jsonBytes: number }

/** `layers` says how many times the bytes were zipped: 0 (not at all), 1 or 2. */
export type Unzipped = { kind: 'unzipped'; bytes: Buffer; layers: number } | Refusal

/** 'object' is what a report is, 'value' any other JSON; both only by their first bytes. */
export type Look = 'gzip' | 'object' | 'value' | 'zip' | 'empty' | 'other'

const maxLayers = 2
const unpackedTooLarge = refusal('too-large', 'unpacked-too-large', 'unpacked, more than we take')
const gunzipLater = promisify(gunzip)

// Measured: the thread pool costs five to ten times the CPU of a typical report; 20 MiB hidden in 20 kB stall for 35 ms.
const syncBytes = 64 * 1024
/**
 * zlib writes into chunks of this size. Setting one up for a typical report takes as long as unzipping it; a large one that
 * comes out in many is in memory twice when they are put together, so there the length is believed that stands at the end
 * of the gzip (RFC 1952 §2.3.1): where it is a lie, it is chunks again.
 */
function chunkSizeFor(gzip: Buffer, told: number, { jsonBytes }: GzipLimits): number {
  if (told > maxChunk && told <= jsonBytes) return told + 1
  return Math.min(Math.max(8 * gzip.length, minChunk), maxChunk)
}

/** RFC 1952 §2.3.1: what the last member says that it unzips to. */
const toldLength = (gzip: Buffer): number => (gzip.length < minGzip ? 0 : gzip.readUInt32LE(gzip.length - 4))

/**
 * Unzips and keeps nothing. Of twenty bombs that say what they are, 150 MB would be left for V8 to collect in its time;
 * so it is 100. Rejects as zlib does.
 */
async function isLonger(gzip: Buffer, mostBytes: number): Promise<boolean> {
  let length = 0
  const chunks = createGunzip({ chunkSize: maxChunk })
  chunks.end(gzip)
  for await (const chunk of chunks as AsyncIterable<Buffer>) if ((length += chunk.length) > mostBytes) return true
  return false
}

const minGzip = 18
const minChunk = 4 * 1024
const maxChunk = 64 * 1024 // Node's 16 KiB take three times as long for 20 MiB.

/** Media types and file names lie; the first bytes do not. A byte order mark and JSON's blanks may stand in front. */
export function lookOf(bytes: Buffer): Look {
  if (bytes[0] === 0x7b) return 'object' // Nearly always; what follows takes half a microsecond.
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  if (bytes.toString('latin1', 0, 4) === 'PK\x03\x04') return 'zip'
  let start = bytes.toString('latin1', 0, 3) === '\xef\xbb\xbf' ? 3 : 0
  while (isBlank(bytes[start])) start++
  const beginning = bytes.toString('latin1', start, start + 6)
  if (beginning === '') return 'empty'
  if (beginning.startsWith('{')) return 'object'
  return /^(?:["[]|-?\d|(?:true|false|null)\s*$)/.test(beginning) ? 'value' : 'other'
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * Takes up to two layers of gzip away; what is no gzip comes back as it is. Members may follow one another, zeros may
 * pad the end (RFC 1952 §2.2); garbage behind the end is an error.
 */
export async function unzip(bytes: Buffer, limits: GzipLimits): Promise<Unzipped> {
  let layers = 0
  while (lookOf(bytes) === 'gzip') {
    if (layers === maxLayers) return refusal('malformed', 'gzip-too-deep', 'zipped more than twice')
    if (bytes.length > limits.compressedBytes) {
      return refusal('too-large', 'compressed-too-large', 'more gzip than we take')
    }
    try {
      const told = toldLength(bytes)
      if (told > limits.jsonBytes && (await isLonger(bytes, limits.jsonBytes))) return unpackedTooLarge
      // zlib refuses a limit of 0.
      const options = { maxOutputLength: Math.max(limits.jsonBytes, 1), chunkSize: chunkSizeFor(bytes, told, limits) }
      bytes = bytes.length <= syncBytes ? gunzipSync(bytes, options) : await gunzipLater(bytes, options)
    } catch (error) {
      return refusalOf(error)
    }
    layers++
  }
  return bytes.length > limits.jsonBytes ? unpackedTooLarge : { kind: 'unzipped', bytes, layers }
}

/** What is wrong with the bytes, as an answer; anything else zlib may say (no memory) is our trouble, and is thrown. */
function refusalOf(error: unknown): Refusal {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_BUFFER_TOO_LARGE') return unpackedTooLarge
  if (code === 'Z_BUF_ERROR') return refusal('malformed', 'gzip-truncated', 'the gzip data ends too early')
  if (code === 'Z_DATA_ERROR')
    return refusal('malformed', 'gzip-broken', 'the gzip data is damaged, or something follows it')
  throw error
}
