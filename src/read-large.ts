/** Large submissions are read in a thread of their own: 20 MiB of JSON take a second, and the event loop has other callers. */
import { Worker } from 'node:worker_threads'
import type { Answer, Order, Slice } from './read-large-thread.ts'
import type { Read, ReadLimits } from './tlsrpt/read.ts'
import type { Submission } from './tlsrpt/submission.ts'

/**
 * Reads one submission; the caller waits for it before the next (gate.ts). Rejects with what the reading threw, or when the
 * thread ended by it: then the next one has a new thread.
 */
export type ReadLarge = (submission: Submission) => Promise<Read>

/** As long as nobody needs it, its memory is given back: 40 MB. */
const idleMs = 10_000

/** What a thread may hold on to: 36 MB it has from the start, and what it has read V8 is slow to give back. */
const mostHeldBytes = 64 * 1024 * 1024

/** Of what is young V8 would keep three times 32 MiB; this costs a tenth of the time. */
const youngMb = 6

/** The thread starts with the first large submission, ends when none came for a while, and holds up no exit. */
export function makeReadLarge(limits: ReadLimits): ReadLarge {
  let idle: Worker | undefined
  let end: NodeJS.Timeout | undefined

  function start(): Worker {
    const thread = startThread(limits)
    return thread.on('exit', () => {
      if (idle === thread) idle = undefined
    })
  }

  function endIdle(): void {
    void idle?.terminate()
    idle = undefined
  }

  return async (submission) => {
    clearTimeout(end)
    const thread = idle ?? start()
    idle = undefined
    const { heldBytes, ...answer } = await ask(thread, submission)
    if (heldBytes > mostHeldBytes) await thread.terminate()
    else idle = thread
    end = setTimeout(endIdle, idleMs).unref()
    if (answer.kind === 'threw') throw answer.error
    return answer.read
  }
}

function startThread(limits: ReadLimits): Worker {
  const thread = new Worker(new URL('read-large-thread.ts', import.meta.url), {
    workerData: limits,
    execArgv: [], // The program's own are not meant for it: --import, --inspect.
    resourceLimits: { maxYoungGenerationSizeMb: youngMb },
  })
  return thread.on('error', () => undefined) // Without a listener it would end the process; `ask` hears of it, too.
}

type LastAnswer = Exclude<Answer, Slice>

function ask(thread: Worker, submission: Submission): Promise<LastAnswer> {
  return new Promise((resolve, reject) => {
    const slices: Slice[] = []
    const onExit = () => {
      reject(new Error('the thread that reads large submissions has ended'))
    }
    const onMessage = (answer: Answer) => {
      if (answer.kind === 'slice') {
        slices.push(answer)
        thread.postMessage('go on' satisfies Order)
        return
      }
      thread.off('error', reject).off('exit', onExit).off('message', onMessage)
      thread.unref()
      if (answer.kind === 'done') putBack(slices, answer.read)
      resolve(answer)
    }
    thread.ref()
    thread.once('error', reject).once('exit', onExit).on('message', onMessage)
    const raw = Uint8Array.from(submission.raw) // And not the larger piece of memory that it may be a part of.
    thread.postMessage({ ...submission, raw }, [raw.buffer])
  })
}

/** What the thread has taken out. */
function putBack(slices: readonly Slice[], read: Read): void {
  if (read.kind !== 'read') return
  for (const { part, rows } of slices) {
    const { parsed } = read.parts[part]!
    if (parsed.kind !== 'parsed') continue
    const { policies } = parsed.report
    for (const row of rows) {
      if ('policyType' in row) policies.push(row)
      else policies.at(-1)!.failureDetails.push(row)
    }
  }
}
