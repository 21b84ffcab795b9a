/** Bytes from strangers, handed out so that no browser does anything with them but save them. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Raw } from '../store/submissions.ts'
import { Problem } from './problem.ts'

export const rawResponse = {
  description: 'The bytes, as a download.',
  content: { 'application/octet-stream': { schema: z.instanceof(Buffer).meta({ type: 'string', format: 'binary' }) } },
}

/** `key` names the file; throws a 404 of its own where the bytes are gone, or not all for whoever asks. */
export function sendRaw(reply: FastifyReply, raw: Raw, key: string): Buffer {
  if (raw.kind === 'expired') throw new Problem(404, 'raw-expired', 'The bytes are no longer kept, or never were.')
  if (raw.kind === 'withheld')
    throw new Problem(404, 'raw-withheld', 'The bytes are not told: not all in them is about your domains.')
  void reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="tlsrpt-${key}.${extensionOf(raw)}"`)
    .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox")
  return raw.bytes
}

function extensionOf({ form, bytes }: Extract<Raw, { kind: 'found' }>): string {
  if (form === 'message') return 'eml'
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? 'json.gz' : 'json' // RFC 1952 §2.3.1.
}
