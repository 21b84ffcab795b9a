/** What runs in the thread of read-large.ts: reads one submission after the other, and remembers none. */
import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { readSubmission, type Read, type ReadLimits } from './tlsrpt/read.ts'
import type { FailureDetail, Policy } from './tlsrpt/report.ts'
import type { Submission } from './tlsrpt/submission.ts'

/** Read this; or, when a slice has been taken in, go on with the next. */
export type Order = Submission | 'go on'

/**
 * What was read, less its policies, which come before it in slices: as one message a report of 50,000 details would be in
 * memory twice more, as its bytes, and its receiver would stand still for it. `heldBytes` is the memory of the thread by now.
 */
export type Answer = Slice | ({ heldBytes: number } & Result)
type Result = { kind: 'done'; read: Read } | { kind: 'threw'; error: unknown }

/** Of the report part of this number: policies in their order, each without its failure details, which follow it. */
export type Slice = { kind: 'slice'; part: number; rows: Row[] }
type Row = Policy | FailureDetail

const rowsOfSlice = 500

let goOn: () => void = () => undefined

parentPort!.on('message', (order: Order) => {
  if (order === 'go on') goOn()
  else void answer(order)
})

async function answer(submission: Submission): Promise<void> {
  const result = await read(submission)
  if (result.kind === 'done' && result.read.kind === 'read') {
    for (const slice of takeSlices(result.read)) {
      const taken = new Promise<void>((resolve) => (goOn = resolve))
      say(slice)
      await taken
    }
  }
  const { total_heap_size, external_memory } = getHeapStatistics()
  say({ ...result, heldBytes: total_heap_size + external_memory })
}

const say = (answer: Answer): void => {
  parentPort!.postMessage(answer)
}

async function read(submission: Submission): Promise<Result> {
  const { buffer, byteOffset, length } = submission.raw // A Buffer arrives as the Uint8Array that it is.
  const raw = Buffer.from(buffer, byteOffset, length)
  try {
    return { kind: 'done', read: await readSubmission({ ...submission, raw }, workerData as ReadLimits) }
  } catch (error) {
    return { kind: 'threw', error }
  }
}

function* takeSlices({ parts }: Read & { kind: 'read' }): Generator<Slice> {
  for (const [part, { parsed }] of parts.entries()) {
    if (parsed.kind !== 'parsed') continue
    const { policies } = parsed.report
    parsed.report.policies = []
    let rows: Row[] = []
    for (const row of rowsOf(policies)) {
      if (rows.push(row) < rowsOfSlice) continue
      yield { kind: 'slice', part, rows }
      rows = []
    }
    if (rows.length > 0) yield { kind: 'slice', part, rows }
  }
}

function* rowsOf(policies: Policy[]): Generator<Row> {
  for (const policy of policies) {
    yield { ...policy, failureDetails: [] }
    yield* policy.failureDetails
  }
}
