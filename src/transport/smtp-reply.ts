/** RFC 5321 §4.2 with RFC 3463 and RFC 7372: the one table from what became of a report to what its mail's sender hears. */
import type { Refusal } from '../tlsrpt/submission.ts'
import type { Deferred, Outcome } from '../tlsrpt/verdict.ts'

/** `text` starts with the enhanced code. */
export type SmtpReply = { code: number; text: string }

type Refused = Refusal & { submissionKey?: string }

/**
 * `<code> <enhanced code> <reason> key=<submission_key>`. Our trouble is 4xx, bad input 5xx, never the reverse. A relay
 * is the operator's own MTA: it hears 250 also for what is refused, because it would bounce it to a stranger.
 */
export function smtpReply(outcome: Outcome, relay: boolean): SmtpReply {
  switch (outcome.kind) {
    case 'accepted':
    case 'duplicate':
    case 'conflict':
    case 'quarantined':
      return reply(250, '2.6.0', outcome.kind, outcome.submissionKey)
    case 'deferred':
      return temporary(outcome)
    case 'unauthenticated':
    case 'malformed':
    case 'unreadable':
    case 'not-ours':
    case 'too-large':
      return permanent(outcome, relay)
  }
}

function permanent(refused: Refused, relay: boolean): SmtpReply {
  const { reason, submissionKey } = refused
  const [code, enhanced] = relay ? ([250, '2.6.0'] as const) : refusalCodes(refused)
  return reply(code, enhanced, reason, submissionKey)
}

function refusalCodes({ kind, reason, problems }: Refused): readonly [code: number, enhanced: string] {
  switch (kind) {
    case 'unauthenticated':
      return [550, signatureCode(problems[0]?.code)]
    case 'malformed':
      return [554, reason === 'mail-loop' ? '5.4.6' : '5.6.0']
    case 'unreadable':
      return [554, '5.6.0']
    case 'not-ours':
      return [550, '5.7.1']
    case 'too-large':
      return [552, '5.3.4']
  }
}

/** RFC 7372 §3.1: no signature passes; one passes and is not acceptable; one passes for somebody else. */
function signatureCode(problem: string | undefined): string {
  if (problem === 'signature-not-acceptable') return '5.7.21'
  return problem === 'signature-not-aligned' ? '5.7.22' : '5.7.20'
}

/** RFC 3463: 4.4.3 is the directory, 4.3.1 a store that takes no more, 4.3.0 anything else of ours. */
function temporary({ reason }: Deferred): SmtpReply {
  if (reason.startsWith('dns-')) return reply(451, '4.4.3', reason)
  if (['overloaded', 'disk-full', 'unverified-quota'].includes(reason)) return reply(452, '4.3.1', reason)
  return reply(451, '4.3.0', reason)
}

/** When our own code or the database throws: nothing is known to be stored. */
export const failed: SmtpReply = { code: 451, text: '4.3.0 temporary failure, try again later' }

/** The connection goes with it. */
export const timedOut: SmtpReply = { code: 421, text: '4.4.2 timeout, closing the connection' }

function reply(code: number, enhanced: string, reason: string, submissionKey?: string): SmtpReply {
  const key = submissionKey === undefined ? '' : ` key=${submissionKey}`
  return { code, text: `${enhanced} ${printable(reason)}${key}` }
}

/** RFC 5321 §4.5.3.1.5 bounds a reply line at 512 octets; what is told in one may quote a stranger. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 400)
