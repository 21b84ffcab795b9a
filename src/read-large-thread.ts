/** What runs in the thread of read-large.ts: reads one submission after the other, and remembers none. */
import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import type { Submission } from './tlsrpt/submission.ts'
import { readSubmission, type Read, type ReadLimits } from './tlsrpt/read.ts'

/** The answer to each message, which is a Submission. `heldBytes` is the memory of the thread by now. */
export type Answer = { heldBytes: number } & Result
type Result = { kind: 'done'; read: Read } | { kind: 'threw'; error: unknown }

async function read(submission: Submission): Promise<Result> {
  const { buffer, byteOffset, length } = submission.raw // A Buffer arrives as the Uint8Array that it is.
  const raw = Buffer.from(buffer, byteOffset, length)
  try {
    return { kind: 'done', read: await readSubmission({ ...submission, raw }, workerData as ReadLimits) }
  } catch (error) {
    return { kind: 'threw', error }
  }
}

parentPort!.on('message', (submission: Submission) => {
  void read(submission).then((result) => {
    const { total_heap_size, external_memory } = getHeapStatistics()
    parentPort!.postMessage({ ...result, heldBytes: total_heap_size + external_memory } satisfies Answer)
  })
})
