/** Large submissions are read in a thread of their own: 20 MiB of JSON take a second, and the event loop has other callers. */
import { Worker } from 'node:worker_threads'
import type { Answer } from './read-large-thread.ts'
import type { Read, ReadLimits } from './tlsrpt/read.ts'
import type { Submission } from './tlsrpt/submission.ts'

/**
 * Reads one submission; the caller waits for it before the next (gate.ts). Rejects with what the reading threw, or when the
 * thread ended by it: then the next one has a new thread.
 */
export type ReadLarge = (submission: Submission) => Promise<Read>

/** As long as nobody needs it, its memory is given back: 40 MB. */
const idleMs = 10_000

/** Read in one thread, roughly; then its memory is given back, for V8 is slow to do so. A new one takes 0.3 s to start. */
const lifetimeBytes = 8 * 1024 * 1024

/** Of what is young V8 would keep three times 32 MiB; this costs a tenth of the time. */
const youngMb = 6

type Thread = { worker: Worker; bytesRead: number }

/** The thread starts with the first large submission, ends when none came for a while, and holds up no exit. */
export function makeReadLarge(limits: ReadLimits): ReadLarge {
  let idle: Thread | undefined
  let end: NodeJS.Timeout | undefined

  function start(): Thread {
    const thread = { worker: startWorker(limits), bytesRead: 0 }
    thread.worker.on('exit', () => {
      if (idle === thread) idle = undefined
    })
    return thread
  }

  async function keep(thread: Thread): Promise<void> {
    if (thread.bytesRead > lifetimeBytes) await thread.worker.terminate()
    else idle = thread
    end = setTimeout(() => {
      void idle?.worker.terminate()
    }, idleMs).unref()
  }

  return async (submission) => {
    clearTimeout(end)
    const thread = idle ?? start()
    idle = undefined
    const answer = await ask(thread.worker, submission)
    if (answer.kind === 'done' && answer.read.kind === 'read') thread.bytesRead += answer.read.weight
    await keep(thread)
    if (answer.kind === 'threw') throw answer.error
    return answer.read
  }
}

function startWorker(limits: ReadLimits): Worker {
  const worker = new Worker(new URL('read-large-thread.ts', import.meta.url), {
    workerData: limits,
    execArgv: [], // The program's own are not meant for it: --import, --inspect.
    resourceLimits: { maxYoungGenerationSizeMb: youngMb },
  })
  return worker.on('error', () => undefined) // Without a listener it would end the process; `ask` hears of it, too.
}

function ask(worker: Worker, submission: Submission): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = () => {
      reject(new Error('the thread that reads large submissions has ended'))
    }
    worker.ref()
    worker.once('error', reject).once('exit', onExit)
    worker.once('message', (answer: Answer) => {
      worker.off('error', reject).off('exit', onExit)
      worker.unref()
      resolve(answer)
    })
    worker.postMessage(submission)
  })
}
