/** RFC 5321 §4.2: a reply of an SMTP server that may be anything, read within bounds. */
import type { Socket } from 'node:net'
import type { Unseen } from './seen.ts'
import { readable } from './strangers-text.ts'

/** `lines` have no codes, no control characters, and are cut. A reply that is none comes with how it begins. */
export type ReplySeen =
  { kind: 'reply'; code: number; lines: string[] } | { kind: 'none'; unseen: Unseen; begins: string }

export type ReplyLimits = { checkLineChars: number; checkReplyBytes: number }

const begins = 64

/**
 * Reads one reply, of one line or several. What stands behind it, in the same breath and unasked, is thrown away: RFC
 * 3207 §4.2, what came in clear behind the reply to STARTTLS must not be taken for what comes under TLS. Waits for as
 * long as the socket is open. Rejects with the network's error.
 */
export async function readReply(socket: Socket, limits: ReplyLimits): Promise<ReplySeen> {
  const none = (reason: Unseen['reason'], text: string): ReplySeen => ({
    kind: 'none',
    unseen: { reason, text },
    begins: readable(received, limits.checkLineChars),
  })
  const decoder = new TextDecoder()
  let received = ''
  let bytes = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += decoder.decode(chunk.subarray(0, limits.checkReplyBytes - bytes), { stream: true })
    bytes += chunk.length
    const lines = received.split('\n').slice(0, -1)
    const last = lines.findIndex((line) => !/^\d{3}-/.test(line))
    if (last >= 0) {
      const code = /^\d{3}(?!\S)/.exec(lines[last]!)?.[0]
      if (code === undefined) return none('bad-reply', `no SMTP reply: '${readable(lines[last]!, begins)}'`)
      const texts = lines.slice(0, last + 1).map((line) => readable(line.slice(4), limits.checkLineChars))
      return { kind: 'reply', code: Number(code), lines: texts }
    }
    if (bytes >= limits.checkReplyBytes)
      return none('too-large', `a reply of more than ${limits.checkReplyBytes} bytes`)
  }
  return none('reset', 'the connection was closed without a reply')
}
