/** Unwraps and parses each submission when it is its turn: what is small here, what is large in a thread of its own. */
import type { Gate, Leave } from './gate.ts'
import type { Limits } from './limits.ts'
import { orQuarantine, type DefectLog } from './quarantine.ts'
import type { ReadLarge } from './read-large.ts'
import { readApart, readSubmission, type Read, type ReadLimits } from './tlsrpt/read.ts'
import type { Submission } from './tlsrpt/submission.ts'
import { takeApart } from './tlsrpt/unwrap.ts'
import type { Quarantined } from './tlsrpt/verdict.ts'

type ReadInTurnDeps = { gate: Gate; readLarge: ReadLarge; limits: Limits; log: DefectLog }

/** What the bytes say, and what to call when nobody needs it any more: until then it weighs (gate.ts). */
type Taken = { read: Read | Quarantined; leave: Leave }

/** undefined: too much is on the road. */
export type ReadInTurn = (submission: Submission) => Promise<Taken | undefined>

/** That a submission is large shows by its size, or when more comes out of its gzip than is read here. */
export function makeReadInTurn({ gate, readLarge, limits, log }: ReadInTurnDeps): ReadInTurn {
  const here: ReadLimits = { ...limits, jsonBytes: Math.min(limits.jsonBytes, limits.largeBytes) }

  const readAside = (submission: Submission) =>
    gate.oneByOne(submission.raw.length, async () => {
      const room = await gate.holdUnread()
      if (room === undefined) return undefined
      const read = await orQuarantine(() => readLarge(submission), log)
      room.weigh(weightOf(read))
      // It came as one message, and to take it up took its time: what follows has a turn of the event loop for itself.
      await new Promise((resolve) => setImmediate(resolve))
      return { read, leave: room.leave }
    })

  const inTurn = (submission: Submission, read: () => Promise<Read>) =>
    gate.inTurn(submission.raw.length, () => orQuarantine(read, log))

  /** mailparser takes a dozen turns of the event loop for the smallest mail: shared by many they cost a fifth less. */
  const readMail = (submission: Submission) =>
    gate.sideBySide(submission.raw.length, async () => {
      const apart = await orQuarantine(() => takeApart(submission, here), log)
      return apart.kind === 'apart' ? inTurn(submission, () => readApart(apart, submission.arrivedAt, here)) : apart
    })

  return async (submission) => {
    if (submission.raw.length > limits.largeBytes) return readAside(submission)
    const read = await (submission.form === 'message'
      ? readMail(submission)
      : inTurn(submission, () => readSubmission(submission, here)))
    if (read === undefined) return undefined
    if (read.kind === 'too-large' && read.reason === 'unpacked-too-large') return readAside(submission)
    const leave = gate.hold(weightOf(read))
    return leave && { read, leave }
  }
}

const weightOf = (read: Taken['read']): number => (read.kind === 'read' ? read.weight : 0)
