/** Reports as files: bare or zipped (RFC 8460 §5.1), mails, mboxes, Maildirs. What a file is its content says, not its name. */
import { createReadStream, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import type { Ingest } from '../ingest.ts'
import type { Limits } from '../limits.ts'
import { lookOf } from '../tlsrpt/gzip.ts'
import { refusal, type Submission } from '../tlsrpt/submission.ts'
import type { Outcome } from '../tlsrpt/verdict.ts'
import { listFiles, reasonOf, type ListedFile } from './folder.ts'
import { splitMbox } from './mbox.ts'

export type FileDeps = { ingest: Ingest; limits: Limits; now: () => Date }

/** Hears what becomes of each submission, and how many bytes of the files were read. */
export type Listener = {
  outcomes: (name: string, outcomes: Outcome[]) => void
  /** A file that could not be read, or not to its end. */
  failed: (name: string, reason: string) => void
  read: (bytes: number) => void
}

/** Read at a time, and read whole up to this size. */
const chunkBytes = 1024 * 1024
/** The thread pool costs ten times the CPU of reading a usual report, and nobody else is served by who imports. */
const smallBytes = 64 * 1024
/** Of all submissions under way together. */
const underWayBytes = 64 * 1024 * 1024

/**
 * Sends all reports under `paths` down the road, in memory that does not grow with them. What is wrong with one file is
 * told and leaves the others alone. Rejects when our own world is broken: what was recorded until then stays, and to
 * begin again is safe.
 */
export async function importFiles(paths: readonly string[], deps: FileDeps, hear: Listener): Promise<void> {
  const { send, finish } = makeSender(deps)
  try {
    for await (const listed of listFiles(paths)) await importFile(listed)
  } finally {
    await finish()
  }

  async function importFile(listed: ListedFile): Promise<void> {
    if (listed.kind === 'failed') {
      hear.failed(listed.path, listed.reason)
      return
    }
    const { path } = listed
    for await (const found of submissionsIn(() => openFile(listed, hear.read), path, deps)) {
      if (found.kind === 'failed') hear.failed(path, found.reason)
      else await send(found.submission, (outcomes) => hear.outcomes(found.name, outcomes))
    }
  }
}

/** The same for one file as bytes; an outcome for each report, in order. One that holds many may be an mbox, too. */
export async function takeFile(bytes: Buffer, fileName: string, deps: FileDeps): Promise<Outcome[]> {
  const { send, finish } = makeSender(deps)
  const taken: Outcome[][] = []
  try {
    const open = () => Promise.resolve({ head: bytes, chunks: once(bytes) })
    for await (const found of submissionsIn(open, fileName, deps)) {
      const place = taken.push([]) - 1
      if (found.kind === 'failed') taken[place] = [refusal('malformed', 'gzip-broken', found.reason)]
      else await send(found.submission, (outcomes) => (taken[place] = outcomes))
    }
  } finally {
    await finish()
  }
  return taken.flat()
}

/** Bounded in number, so that a batch of the recorder is full while the next one gathers, and in bytes. */
function makeSender({ ingest, limits }: FileDeps) {
  let underWay = 0
  let bytes = 0
  let broken: { error: unknown } | undefined
  let wake: () => void = () => undefined
  const settled = () => new Promise<void>((resolve) => (wake = resolve))
  const isFull = (size: number) => underWay >= 2 * limits.commitBatch || bytes + size > underWayBytes

  async function take(submission: Submission, told: (outcomes: Outcome[]) => void): Promise<void> {
    try {
      told(await ingest(submission))
    } catch (error) {
      broken ??= { error }
    }
    underWay--
    bytes -= submission.raw.length
    wake()
  }
  return {
    /** Resolves as soon as there is room for more. One at a time. */
    send: async (submission: Submission, told: (outcomes: Outcome[]) => void): Promise<void> => {
      while (underWay > 0 && isFull(submission.raw.length)) await settled()
      if (broken) throw broken.error
      underWay++
      bytes += submission.raw.length
      void take(submission, told)
    },
    finish: async (): Promise<void> => {
      while (underWay > 0) await settled()
      if (broken) throw broken.error
    },
  }
}

type Opened = { head: Buffer; chunks: AsyncIterable<Buffer> }
type Found = { kind: 'submission'; name: string; submission: Submission } | { kind: 'failed'; reason: string }

async function openFile({ path, size }: { path: string; size: number }, read: Listener['read']): Promise<Opened> {
  if (size <= chunkBytes) {
    const bytes = size <= smallBytes ? readFileSync(path) : await readFile(path)
    read(bytes.length)
    return { head: bytes, chunks: once(bytes) }
  }
  const stream = createReadStream(path, { highWaterMark: chunkBytes })
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  const first = await iterator.next()
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      for (let next = first; !next.done; next = await iterator.next()) {
        read(next.value.length)
        yield next.value
      }
    } finally {
      stream.destroy()
    }
  }
  return { head: first.value ?? Buffer.alloc(0), chunks: chunks() }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes)
}

/** What cannot be read ends it with a 'failed'. */
async function* submissionsIn(
  open: () => Promise<Opened>,
  name: string,
  { limits, now }: FileDeps,
): AsyncGenerator<Found> {
  const found = (raw: Buffer | undefined, form: Submission['form'], fileName: string): Found => {
    const bytes = raw && form === 'message' ? withCrlf(raw) : (raw ?? Buffer.alloc(0))
    const provenance = { transport: 'file', fileName } as const
    const submission = { raw: bytes, form, arrivedAt: now(), ...(!raw && ({ cut: true } as const)), provenance }
    return { kind: 'submission', name: fileName, submission }
  }
  try {
    const { head, chunks } = await open()
    const { form, isZipped } = formOf(head)
    const plain = isZipped && form !== 'report' ? unzip(chunks) : chunks
    if (form === 'mbox') {
      let number = 0
      for await (const mail of splitMbox(plain, limits.messageBytes))
        yield found(mail, 'message', `${name}#${++number}`)
    } else if (form === 'message') {
      yield found(await collect(plain, limits.messageBytes), form, name)
    } else {
      yield found(await collect(plain, isZipped ? limits.compressedBytes : limits.jsonBytes), form, name)
    }
  } catch (error) {
    yield { kind: 'failed', reason: reasonOf(error) }
  }
}

/** As much of a file as shows what it is. */
const headBytes = 8 * 1024

/** What begins neither like a mail nor like an mbox is for the road to name. */
function formOf(file: Buffer): { form: 'report' | 'message' | 'mbox'; isZipped: boolean } {
  const head = file.subarray(0, headBytes)
  const isZipped = lookOf(head) === 'gzip'
  const plain = isZipped ? unzipHead(head) : head
  if (lookOf(plain) !== 'other') return { form: 'report', isZipped }
  const text = plain.toString('latin1', 0, headBytes)
  const field = '[!-9;-~]+[ \\t]*:' // RFC 5322 §2.2.
  if (new RegExp(`^(?:\\r?\\n)*From [^\\n]*\\n${field}`).test(text)) return { form: 'mbox', isZipped }
  return { form: new RegExp(`^${field}`).test(text) ? 'message' : 'report', isZipped }
}

function unzipHead(head: Buffer): Buffer {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) // What is cut off is no error.
  } catch {
    return Buffer.alloc(0)
  }
}

async function* unzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: chunkBytes })
  pipeline(chunks, gunzip).catch(() => undefined) // Whoever reads from it hears the same.
  yield* gunzip as AsyncIterable<Buffer>
}

/** Undefined where there is more than `most`; then the rest is not read. */
async function collect(chunks: AsyncIterable<Buffer>, most: number): Promise<Buffer | undefined> {
  const collected: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > most) return undefined
    collected.push(chunk)
  }
  return Buffer.concat(collected)
}

/** Mail on disk has the system's line ends; the signatures are over those of SMTP (RFC 6376 §5.3). */
function withCrlf(message: Buffer): Buffer {
  const text = message.toString('latin1')
  return /(?<!\r)\n/.test(text) ? Buffer.from(text.replaceAll(/(?<!\r)\n/g, '\r\n'), 'latin1') : message
}
