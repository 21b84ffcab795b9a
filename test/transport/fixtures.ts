/** What the tests of the transports share: a road that answers from a table, a log that can be read, a certificate. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import type { Ingest } from '../../src/ingest.ts'
import { defaultLimits, type Limits } from '../../src/limits.ts'
import { refusal, type Submission } from '../../src/tlsrpt/submission.ts'
import type { Outcome } from '../../src/tlsrpt/verdict.ts'
import { openCertificate } from '../../src/transport/certificate.ts'
import { startIntake, type IntakeDeps } from '../../src/transport/https.ts'
import { startSmtp, type SmtpDeps } from '../../src/transport/smtp.ts'

export const submissionKey = '01968d7e-0000-7000-8000-000000000001'
const reports = [{ key: '01968d7e-0000-7000-8000-000000000002', domain: 'ours.example', verdict: 'accepted' as const }]
const stored = { submissionKey, reports, anomalies: [{ code: 'late', pointer: '/date-range' }] }

/** What the road says of a message or body that holds `outcome=NAME`, and of any other 'accepted'. */
export const outcomes: Record<string, Outcome> = {
  accepted: { kind: 'accepted', ...stored },
  duplicate: { kind: 'duplicate', ...stored },
  conflict: { kind: 'conflict', ...stored },
  quarantined: { kind: 'quarantined', ...stored, reports: [] },
  unsigned: { ...refusal('unauthenticated', 'no-passing-signature', 'no signature passes'), submissionKey },
  unacceptable: { kind: 'unauthenticated', reason: 'weak-key', problems: [{ code: 'signature-not-acceptable', pointer: '', message: 'a weak key' }], submissionKey },
  unaligned: { ...refusal('unauthenticated', 'signature-not-aligned', 'signed by another'), submissionKey },
  malformed: { ...refusal('malformed', 'not-gzip-or-json', 'neither gzip nor JSON'), submissionKey },
  unlabelled: { kind: 'malformed', reason: 'not-gzip-or-json', problems: [{ code: 'not-gzip-or-json', pointer: '', message: 'neither gzip nor JSON' }, { code: 'media-type-unknown', pointer: '', message: 'no type of TLS reports' }], submissionKey },
  encoded: { ...refusal('malformed', 'content-encoding-unsupported', 'the only Content-Encoding we undo is gzip'), submissionKey },
  loop: { ...refusal('malformed', 'mail-loop', 'too many hops'), submissionKey },
  unreadable: { kind: 'unreadable', reason: 'date-range-missing', problems: [{ code: 'date-range-missing', pointer: '/date-range', message: 'there is no date-range' }], submissionKey },
  'not-ours': { ...refusal('not-ours', 'not-ours', 'theirs.example is not ours'), submissionKey },
  'too-large': { ...refusal('too-large', 'unpacked-too-large', 'too much'), submissionKey },
  keyless: refusal('not-ours', 'not-ours', 'it could not be kept'),
  'dns-timeout': { kind: 'deferred', reason: 'dns-timeout' },
  overloaded: { kind: 'deferred', reason: 'overloaded' },
  'database-away': { kind: 'deferred', reason: 'database-away' },
} // prettier-ignore

/** As tlsrpt/unwrap.ts says it. */
const cutOff = ({ form }: Submission): Outcome => ({
  ...refusal(
    'too-large',
    form === 'message' ? 'message-too-large' : 'body-too-large',
    'there is more of it than we take',
  ),
  submissionKey,
})

/** Answers from the table above and keeps what it was given; `outcome=throws` is a broken world. */
export function tableIngest(): { ingest: Ingest; seen: Submission[] } {
  const seen: Submission[] = []
  const ingest: Ingest = (submission) => {
    if (submission.cut) return Promise.resolve([cutOff(submission)])
    seen.push(submission)
    const name = /outcome=([a-z-]+)/.exec(submission.raw.toString('latin1'))?.[1] ?? 'accepted'
    if (name === 'throws') return Promise.reject(new Error('the database is away'))
    return Promise.resolve([outcomes[name]!])
  }
  return { ingest, seen }
}

/** pino as in production, into a list of lines. */
export function readableLog() {
  const lines: string[] = []
  const entries = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { lines, entries, log: pino({ level: 'info' }, { write: (line: string) => lines.push(line) }) }
}

const root = mkdtempSync(join(tmpdir(), 'tlsrpt-transport-'))
process.once('exit', () => {
  rmSync(root, { recursive: true })
})
/** Gone with the process. */
export const temporaryFolder = () => mkdtempSync(join(root, 'test-'))

const { log: silent } = readableLog()
export const now = () => new Date('2026-06-01T12:00:00Z')
const certificate = await openCertificate(undefined, temporaryFolder(), ['mx.ours.example'], silent, now)

type Overrides<T> = Partial<Omit<T, 'limits'>> & { limits?: Partial<Limits> }

/** A listener on a free port of loopback, closed with the test; gives what the road was given and what was logged. */
export async function smtpListener(
  t: TestContext,
  { limits, ...overrides }: Overrides<SmtpDeps> = {},
  host: string | undefined = '127.0.0.1',
) {
  const { ingest, seen } = tableIngest()
  const { log, lines, entries } = readableLog()
  const deps: SmtpDeps = {
    ingest,
    hostname: 'mx.ours.example',
    ruaAddresses: ['tlsrpt@ours.example'],
    relays: [],
    limits: { ...defaultLimits, drainSeconds: 2, ...limits },
    limitExempt: () => false,
    certificate,
    now,
    log,
    ...overrides,
  }
  const listener = await startSmtp(deps, host, 0)
  t.after(listener.close)
  return { ...listener, seen, lines, entries }
}

export const token = { key: '01968d7e-0000-7000-8000-00000000000a', domains: ['ours.example'] }

export async function intakeListener(
  t: TestContext,
  { limits, ...overrides }: Overrides<IntakeDeps> = {},
  host: string | undefined = '127.0.0.1',
) {
  const { ingest, seen } = tableIngest()
  const { log, lines, entries } = readableLog()
  const deps: IntakeDeps = {
    ingest,
    findToken: (text) => Promise.resolve(text === 'known-token' ? token : undefined),
    tls: false,
    trustProxy: [],
    limits: { ...defaultLimits, drainSeconds: 2, ...limits },
    limitExempt: () => false,
    certificate,
    now,
    log,
    ...overrides,
  }
  const listener = await startIntake(deps, host, 0)
  t.after(listener.close)
  return { ...listener, seen, lines, entries }
}
