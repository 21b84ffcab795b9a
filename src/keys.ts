/** Keys, which sort by time (RFC 9562 §5.7), and tokens, which nobody can guess. */
import { randomBytes, randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

const randomBytesOfKey = 16
/** Asking for random bytes costs 4 us, however few: they are fetched for many keys at once. */
const randomPool = Buffer.alloc(256 * randomBytesOfKey)
let randomUsed = randomPool.length
/** RFC 9562 §6.2: counted on within a millisecond, from a random number of 31 bits. */
let [lastMs, sequence] = [-1, 0]

/** Of a submission, an arrival, a report or a check: keys are in order of time, and of one time in that of their making. */
export function keyAt(at: Date): string {
  if (randomUsed === randomPool.length) {
    randomFillSync(randomPool)
    randomUsed = 0
  }
  const random = randomPool.subarray(randomUsed, (randomUsed += randomBytesOfKey))
  const msecs = at.getTime()
  sequence = msecs === lastMs ? sequence + 1 : random.readUInt32BE() >>> 1
  lastMs = msecs
  return uuidv7({ msecs, random, seq: sequence })
}

/** 256 bits, which no rate of guessing gets through. */
export const randomToken = () => randomBytes(32).toString('base64url')

/** A new token, and the key that it is listed and revoked by. */
export const newToken = (at: Date): { key: string; token: string } => ({ key: keyAt(at), token: randomToken() })
