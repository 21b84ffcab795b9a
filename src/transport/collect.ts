/** How a stranger's bytes come into memory: no arrival beyond its limit, and all together within a room of fixed size. */
import type { Readable } from 'node:stream'

/** Bytes that may still be held. Whoever got bytes from `collect` gives them back here once their outcome is known. */
export type Room = { left: number }

/** Sixteen arrivals of the largest size at a time, or thousands of the usual few kilobytes (RFC 8460 §5.2). */
export const makeRoom = (largestArrival: number): Room => ({ left: 16 * largestArrival })

/** The slowest that is borne on average, from the first `graceSeconds` on: a byte now and then holds a place for ever. */
export type Pace = { graceSeconds: number; bytesPerSecond: number }

/** The same for whatever strangers send. */
export const paceOf = (limits: { slowestBytesPerSecond: number; slowGraceSeconds: number }): Pace => ({
  graceSeconds: limits.slowGraceSeconds,
  bytesPerSecond: limits.slowestBytesPerSecond,
})

export type Collected = { kind: 'whole'; bytes: Buffer } | { kind: 'too-large' | 'no-room' | 'too-slow' | 'broken-off' }

/** Most reports fit, and Node cuts such small ones out of one larger piece of memory. */
const firstBytes = 2 * 1024

const nothing = Buffer.alloc(0)

/**
 * Reads a stream to its end; exactly `maxBytes` are allowed. Resolves as soon as it is clear that nothing will come of
 * it, and lets the rest flow by unkept: whether to wait for the end is for the caller. Never rejects.
 */
export function collect(stream: Readable, maxBytes: number, room: Room, pace: Pace): Promise<Collected> {
  return new Promise((resolve) => {
    let bytes: Buffer<ArrayBuffer> = nothing
    let size = 0
    let settled = false
    const startedAt = performance.now()
    let timer: NodeJS.Timeout | undefined
    const settle = (result: Collected) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      if (result.kind !== 'whole') room.left += size
      bytes = nothing
      resolve(result)
    }
    /** Looks again when what has come by now will be too little. */
    const keepPace = () => {
      const seconds = Math.max(pace.graceSeconds, size / pace.bytesPerSecond)
      const left = startedAt + seconds * 1000 - performance.now()
      if (left <= 0) settle({ kind: 'too-slow' })
      else timer = setTimeout(keepPace, left)
    }
    keepPace()
    stream.on('data', (chunk: Buffer) => {
      if (settled) return
      if (size + chunk.length > maxBytes) settle({ kind: 'too-large' })
      else if (chunk.length > room.left) settle({ kind: 'no-room' })
      else {
        room.left -= chunk.length
        bytes = append(bytes, size, chunk)
        size += chunk.length
      }
    })
    stream.on('end', () => {
      settle({ kind: 'whole', bytes: bytes.subarray(0, size) })
    })
    const breakOff = () => {
      settle({ kind: 'broken-off' })
    }
    stream.on('close', breakOff)
    stream.on('error', breakOff) // Without a listener, a client that drops off would end the process.
  })
}

/** Copied, not listed: ten million segments of one byte are ten megabytes here, and gigabytes as a list of Buffers. */
function append(bytes: Buffer<ArrayBuffer>, size: number, chunk: Buffer): Buffer<ArrayBuffer> {
  const needed = size + chunk.length
  const roomy = needed <= bytes.length ? bytes : Buffer.allocUnsafe(Math.max(needed, 2 * bytes.length, firstBytes))
  if (roomy !== bytes) bytes.copy(roomy, 0, 0, size)
  chunk.copy(roomy, size)
  return roomy
}
