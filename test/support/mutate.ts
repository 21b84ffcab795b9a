/**
 * Bytes near to given ones, for fuzzing: reports and mails as they are, spoilt in the ways that parsers trip over. Whatever
 * comes out is a function of what goes in and of the numbers drawn, so that a seed says it all.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import { altered, mutateBytes, spliced, tokens, type Mutation } from './mutate-bytes.ts'
import { mutateJson } from './mutate-json.ts'
import { mutateMail } from './mutate-mail.ts'
import { pick, type Random } from './random-numbers.ts'

const mostMutatedBytes = 1024 * 1024

/** One to four mutations on top of each other, each by what the bytes look like: a mail, gzip, JSON, or just bytes. */
export const mutate: Mutation = (bytes, others, random) => {
  let mutated = bytes
  for (let left = 1 + (random(3) === 0 ? random(4) : 0); left > 0; left--) {
    mutated = mutateOnce(mutated, others, random).subarray(0, mostMutatedBytes)
  }
  return mutated
}

const mutateOnce: Mutation = (bytes, others, random) => {
  if (random(4) === 0) return mutateBytes(bytes, others, random)
  if (isGzip(bytes)) return mutateGzip(bytes, others, random)
  if (isJson(bytes)) return mutateJson(bytes, others, random) ?? mutateBytes(bytes, others, random)
  return mutateMail(bytes, others, random, mutatePayload)
}

/** Of a report within a mail. */
const mutatePayload: Mutation = (bytes, others, random) =>
  isGzip(bytes) || isJson(bytes) ? mutateOnce(bytes, others, random) : mutateBytes(bytes, others, random)

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b
const isJson = (bytes: Buffer): boolean => /^(?:\xef\xbb\xbf)?\s*[[{]/.test(bytes.toString('latin1', 0, 20))

/** RFC 1952: what is in it, or how it is wrapped. */
const mutateGzip: Mutation = (bytes, others, random) => {
  const inner = unzipped(bytes)
  if (inner === undefined || random(6) === 0) return pick(gzipMutations, random)(bytes, inner ?? bytes, random)
  const level = pick([1, 6, 9], random)
  return gzipSync(mutateOnce(inner, others, random).subarray(0, mostMutatedBytes), { level })
}

function unzipped(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: 2 * mostMutatedBytes })
  } catch {
    return undefined
  }
}

const gzipMutations: ((bytes: Buffer, inner: Buffer, random: Random) => Buffer)[] = [
  (bytes) => gzipSync(bytes), // Twice.
  (bytes, _, random) => Buffer.concat([bytes, Buffer.alloc(random(600))]),
  (bytes, _, random) => Buffer.concat([bytes, pick(tokens, random)]),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes, _, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, _, random) => altered(bytes, () => Math.min(3, bytes.length - 1), () => random(256)), // FLG
  (bytes, _, random) => altered(bytes, (below) => Math.max(below - 1 - random(8), 0), () => random(256)), // CRC32, ISIZE
  (_, inner, random) => {
    const at = random(inner.length + 1)
    return Buffer.concat([gzipSync(inner.subarray(0, at)), gzipSync(inner.subarray(at))])
  },
  (_, inner, random) => {
    const named = gzipSync(inner)
    named[3] = 0x08 // FNAME
    return spliced(named, 10, 0, Buffer.from(`${'x'.repeat(random(5_000))}\0`))
  },
  (_, inner, random) => gzipSync(Buffer.concat([inner, Buffer.alloc(random(8) * mostMutatedBytes, ' ')])),
] // prettier-ignore
