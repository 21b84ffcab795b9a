/** RFC 5321 §4.1.1.4: one mail from its first byte to the words its sender hears. */
import type { SMTPServerDataStream } from 'smtp-server'
import type { Ingest } from '../ingest.ts'
import type { Limits } from '../limits.ts'
import type { Provenance, Submission } from '../tlsrpt/submission.ts'
import { decisiveOutcome } from '../tlsrpt/verdict.ts'
import { collect, paceOf, type Room } from './collect.ts'
import type { Logger } from './listener.ts'
import { failed, smtpReply, timedOut, type SmtpReply } from './smtp-reply.ts'
import { hasSmuggledEnd } from './smtp-syntax.ts'

export type MailDeps = { ingest: Ingest; limits: Limits; now: () => Date; log: Logger }

/** How a mail came; `relay` is the operator's own MTA, which must not hear a permanent refusal. */
export type Envelope = { provenance: Extract<Provenance, { transport: 'smtp' }>; relay: boolean }

/**
 * Reads one mail and sends it down the road. Resolves to its reply, for some before the end of the stream, or to
 * undefined when the client has left. Never rejects.
 */
export async function takeMail(
  { ingest, limits, now, log }: MailDeps,
  room: Room,
  { provenance, relay }: Envelope,
  stream: SMTPServerDataStream,
): Promise<SmtpReply | undefined> {
  const { peerAddress: peer, mailFrom: from, helo, tls } = provenance
  const tell = (verdict: string, reason: string, submissionKey?: string) => {
    const size = stream.byteLength
    log.info({ transport: 'smtp', verdict, reason, submission_key: submissionKey, peer, helo, from, size, tls }, 'mail')
  }
  const goDownTheRoad = async (bytes: Pick<Submission, 'raw' | 'cut'>): Promise<SmtpReply> => {
    try {
      const outcome = decisiveOutcome(await ingest({ ...bytes, form: 'message', arrivedAt: now(), provenance }))
      const { reason, submissionKey } = { reason: outcome.kind, submissionKey: undefined, ...outcome }
      tell(outcome.kind, reason, submissionKey)
      return smtpReply(outcome, relay)
    } catch (error) {
      log.error({ err: error, transport: 'smtp', peer, from, size: bytes.raw.length }, 'a mail could not be taken')
      return failed
    }
  }
  const arrival = await collect(stream, limits.messageBytes, room, paceOf(limits))
  switch (arrival.kind) {
    case 'broken-off':
      tell('none', 'connection-lost')
      return undefined
    case 'too-slow':
      tell('none', 'too-slow')
      return timedOut
    case 'too-large':
      return goDownTheRoad({ raw: Buffer.alloc(0), cut: true })
    case 'no-room':
      tell('deferred', 'overloaded')
      return smtpReply({ kind: 'deferred', reason: 'overloaded' }, relay)
    case 'whole':
      break
  }
  const raw = arrival.bytes
  try {
    if (relay || !hasSmuggledEnd(raw)) return await goDownTheRoad({ raw })
    tell('malformed', 'smuggled-end')
    return { code: 550, text: '5.5.2 bare line feed next to a dot' }
  } finally {
    room.left += raw.length
  }
}
