/** What runs in the thread of read-large.ts: reads one submission after the other, and remembers none. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Submission } from './tlsrpt/submission.ts'
import { readSubmission, type Read, type ReadLimits } from './tlsrpt/read.ts'

/** The answer to each message, which is a Submission. */
export type Answer = { kind: 'done'; read: Read } | { kind: 'threw'; error: unknown }

async function answer(submission: Submission): Promise<Answer> {
  const { buffer, byteOffset, length } = submission.raw // A Buffer arrives as the Uint8Array that it is.
  const raw = Buffer.from(buffer, byteOffset, length)
  try {
    return { kind: 'done', read: await readSubmission({ ...submission, raw }, workerData as ReadLimits) }
  } catch (error) {
    return { kind: 'threw', error }
  }
}

parentPort!.on('message', (submission: Submission) => {
  void answer(submission).then((done) => {
    parentPort!.postMessage(done)
  })
})
