/** Bytes from strangers, handed out so that no browser does anything with them but save them. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Raw } from '../store/submissions.ts'
import { Problem } from './problem.ts'

export const rawResponse = {
  description: 'The bytes, as a download.',
  content: { 'application/octet-stream': { schema: z.instanceof(Buffer).meta({ type: 'string', format: 'binary' }) } },
}

export type KeptRaw = Extract<Raw, { kind: 'found' }>

/** Throws a 404 of its own where the bytes are gone, or not all for whoever asks. */
export function bytesOf(raw: Raw): KeptRaw {
  if (raw.kind === 'expired') throw new Problem(404, 'raw-expired', 'The bytes are no longer kept, or never were.')
  if (raw.kind === 'withheld')
    throw new Problem(404, 'raw-withheld', 'The bytes are not told: not all in them is about your domains.')
  return raw
}

/** Should a browser open them all the same: nothing in them runs, loads or is framed. */
export const sandbox = { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox" }

/** `key` names the file; throws as `bytesOf` does. */
export function sendRaw(reply: FastifyReply, raw: Raw, key: string): Buffer {
  const kept = bytesOf(raw)
  void reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="tlsrpt-${key}.${extensionOf(kept)}"`)
    .headers(sandbox)
  return kept.bytes
}

function extensionOf({ form, bytes }: KeptRaw): string {
  if (form === 'message') return 'eml'
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? 'json.gz' : 'json' // RFC 1952 §2.3.1.
}
