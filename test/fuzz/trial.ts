/** One input on the whole road but the database, and everything that has to hold whatever it is. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { makeGate } from '../../src/gate.ts'
import { makeIngest } from '../../src/ingest.ts'
import { readSubmission } from '../../src/tlsrpt/read.ts'
import type { ResolveTxt } from '../../src/dkim/verify.ts'
import { defaultLimits, type Limits } from '../../src/limits.ts'
import type { Arrival, JudgedPart } from '../../src/store/arrivals.ts'
import { arrivalRows } from '../../src/store/arrivals.ts'
import type { ColumnType, ColumnValue } from '../../src/store/binary.ts'
import { claimRows } from '../../src/store/claims.ts'
import { copyRows } from '../../src/store/copy.ts'
import type { TableRows } from '../../src/store/copy-data.ts'
import type { Queryable } from '../../src/store/database.ts'
import { factRows } from '../../src/store/facts.ts'
import { outcomeOf, sharesOf } from '../../src/store/record.ts'
import { settleAsNew } from '../../src/store/settle.ts'
import { anomalyCodes } from '../../src/tlsrpt/anomalies.ts'
import type { JudgeSettings } from '../../src/tlsrpt/judge.ts'
import { makeOwnership } from '../../src/tlsrpt/ownership.ts'
import { maxProblems, type Provenance, type Submission } from '../../src/tlsrpt/submission.ts'
import type { Outcome } from '../../src/tlsrpt/verdict.ts'
import { newKey } from '../support/arrivals.ts'
import { mutateBytes } from '../support/mutate-bytes.ts'
import { makeRandom, type Random } from '../support/random-numbers.ts'
import { resolveTxt, seeds, type Input } from './seeds.ts'

/** How an input comes, and to whom. */
type Way = { resolveTxt: ResolveTxt; provenance: Provenance; dkimPolicy: JudgeSettings['dkimPolicy']; limits: Limits }

export const now = new Date('2026-11-22T12:00:00Z')

/** Of CPU, for an input of a mebibyte at most. */
const mostMilliseconds = 250

/** Throws an AssertionError for what must not be; otherwise answers in what way the input was judged, for telling new ways. */
export async function tryInput(input: Input): Promise<string> {
  const before = Buffer.from(input.bytes)
  const { arrival, milliseconds } = await judgeOnce(input, wayOf(input))
  if (milliseconds > mostMilliseconds) {
    const again = [milliseconds]
    for (let i = 0; i < 3; i++) again.push((await judgeOnce(input, wayOf(input))).milliseconds) // Others use this machine, too.
    assert.ok(Math.min(...again) <= mostMilliseconds, `it takes ${Math.min(...again).toFixed()} ms of CPU`)
  }
  assert.ok(arrival.parts.length > 0, 'there is no verdict')
  const { arrival: repeated } = await judgeOnce(input, wayOf(input))
  assert.ok(isDeepStrictEqual(arrival.parts, repeated.parts), 'the same bytes have two verdicts')
  assert.ok(input.bytes.equals(before), 'the bytes were changed')
  for (const part of arrival.parts) {
    checkVerdict(part)
    await checkStatement(part)
    await checkRetelling(part, input, wayOf(input))
  }
  await checkRows(arrival)
  return arrival.parts.map(signatureOf).join(' | ')
}

/** From the bytes alone, so that a file says all there is to an input. */
function wayOf({ bytes, form }: Input): Way {
  const digest = createHash('sha256').update(bytes).digest()
  const [a = 0, b = 0, c = 0, d = 0] = digest
  const provenance = form === 'message' ? mailWays[a % mailWays.length]! : reportWays[a % reportWays.length]!
  const helo = `\0${digest.toString('utf16le')}` // Half surrogate pairs among it.
  const spoils = makeRandom(digest.readUInt32LE(4))
  return {
    resolveTxt: d % 8 === 0 ? spoilt(spoils) : resolveTxt,
    provenance: provenance.transport === 'smtp' ? { ...provenance, helo } : provenance,
    dkimPolicy: b % 2 === 0 ? 'mark' : 'require',
    limits: c % 4 === 0 ? { ...defaultLimits, ...small, reportParts: 1 + (d % 3) } : defaultLimits,
  }
}

/** A key record that somebody got wrong. */
const spoilt =
  (random: Random): ResolveTxt =>
  async (name) => {
    const answer = await resolveTxt(name)
    if (answer.kind !== 'found') return answer
    const spoil = (record: string) => mutateBytes(Buffer.from(record), [Buffer.from(record)], random).toString()
    return { kind: 'found', records: answer.records.map(spoil) }
  }

const smtp: Provenance = { transport: 'smtp', peerAddress: '192.0.2.1', helo: 'x', mailFrom: '', rcptTo: [], tls: true }
const https: Provenance = { transport: 'https', peerAddress: '2001:db8::1' }
const mailWays: Provenance[] = [smtp, smtp, smtp, { transport: 'file', fileName: 'a.eml' }]
const reportWays: Provenance[] = [
  https,
  { ...https, mediaType: 'application/tlsrpt+gzip' },
  { ...https, mediaType: 'Application/TLSRPT+json; charset=utf-8', contentEncoding: 'gzip' },
  { ...https, mediaType: 'text/plain', contentEncoding: 'identity' },
  { ...https, mediaType: 'application/json', contentEncoding: 'br' },
  { ...https, token: { key: newKey(now), domains: ['rcpt.example'] } },
  { ...https, token: { key: newKey(now), domains: ['example.com', 'alpha.example'] } },
  { transport: 'file', fileName: 'sender.example!rcpt.example!1!2!x.json.gz' },
]

/** So that bounds are met by inputs of some kilobytes. */
const small = {
  lineBytes: 2_000,
  headerBytes: 6_000,
  headerFields: 25,
  headerFieldBytes: 2_000,
  receivedFields: 3,
  mimeDepth: 3,
  mimeParts: 4,
  jsonBytes: 6_000,
  jsonDepth: 6,
  jsonTokens: 120,
  policies: 2,
  failureDetails: 3,
  dkimSignatures: 1,
  dkimLookups: 1,
}

/** The spine itself; what it hands to the store is kept. */
async function judgeOnce({ bytes, form }: Input, way: Way): Promise<{ arrival: Arrival; milliseconds: number }> {
  const kept: Arrival[] = []
  const defects: unknown[] = []
  const ownership = makeOwnership([{ domain: 'dane.example', includeSubdomains: true, mx: ['mx1.hoster.example', 'mx.rcpt.example'] }], true) // prettier-ignore
  const ask = () => Promise.resolve(ownership)
  const ingest = makeIngest({
    resolveTxt: way.resolveTxt,
    ownDomains: { ownership: ask, refresh: ask, list: () => Promise.resolve([]), any: true },
    recorder: {
      announce: () => () => undefined,
      record: (arrival) => {
        kept.push(arrival)
        return Promise.resolve(keyed(arrival).outcomes)
      },
      pending: () => 0,
      close: () => Promise.resolve(),
    },
    dkimPolicy: way.dkimPolicy,
    reportRetentionDays: 36_500,
    gate: makeGate(way.limits),
    readLarge: (submission) => readSubmission(submission, way.limits),
    limits: way.limits,
    log: { error: (context) => defects.push((context as { err?: unknown }).err) },
  })
  const submission: Submission = { raw: bytes, form, arrivedAt: now, provenance: way.provenance }
  const start = process.cpuUsage()
  const outcomes = await ingest(submission)
  const { user, system } = process.cpuUsage(start)
  if (defects.length > 0) throw new assert.AssertionError({ message: `our own code threw: ${stackOf(defects[0])}` })
  assert.equal(kept.length, 1, `it was to be recorded once, and was told ${JSON.stringify(outcomes).slice(0, 300)}`)
  return { arrival: kept[0]!, milliseconds: (user + system) / 1000 }
}

const stackOf = (error: unknown) => (error instanceof Error ? error.stack : String(error))

function keyed(arrival: Arrival) {
  const parts = arrival.parts.map((judged) => {
    const key = newKey(now)
    return { key, judged, shares: sharesOf(judged, key, arrival.submission) }
  })
  const settled = settleAsNew(parts.flatMap(({ shares }) => shares), new Set(), newKey) // prettier-ignore
  const outcomes: Outcome[] = parts.map((part) => outcomeOf(part, settled.told))
  return { arrival, key: newKey(now), parts, outcomes, created: settled.created }
}

/** What is told to senders and programs is within its vocabulary and its bounds. */
function checkVerdict({ judgement, dkim }: JudgedPart): void {
  assert.ok(dkim.length <= 2 * defaultLimits.dkimSignatures)
  if (judgement.kind === 'quarantined') throw new assert.AssertionError({ message: 'it was quarantined' })
  if ('problems' in judgement) {
    assert.match(judgement.reason, /^[a-z][a-z0-9-]+$/)
    assert.ok(judgement.problems.length > 0 && judgement.problems.length <= maxProblems, 'one to ten problems are told')
    for (const { code, pointer, message } of judgement.problems) {
      assert.match(code, /^[a-z][a-z0-9-]+$/)
      assert.match(pointer, /^(?:\/|$)/)
      assert.ok(message.length > 0 && message.length < 1_000, 'a problem is one sentence')
    }
  } else {
    for (const { code, pointer } of judgement.anomalies) {
      assert.ok(Object.hasOwn(anomalyCodes, code), `nobody knows the anomaly ${code}`)
      assert.match(pointer, /^(?:\/|$)/)
    }
  }
}

let statements: Promise<Set<string>> | undefined

/** A verified report is word for word one that was signed: nobody can sign for the keys of the seeds. */
async function checkStatement({ judgement }: JudgedPart): Promise<void> {
  const statement = statementOf(judgement)
  if (statement === undefined) return
  statements ??= verifiedStatements()
  assert.ok((await statements).has(statement), `nobody signed this: ${statement.slice(0, 2_000)}`)
}

/** Relaxed canonicalization forgives white space (RFC 6376 §3.4.4). */
const statementOf = (judgement: JudgedPart['judgement']): string | undefined =>
  judgement.kind === 'accepted' && judgement.trust === 'verified'
    ? JSON.stringify([judgement.reporter, judgement.report]).replace(/\s+/g, ' ')
    : undefined

async function verifiedStatements(): Promise<Set<string>> {
  const found = new Set<string>()
  for (const seed of seeds.filter(({ form }) => form === 'message')) {
    const { arrival } = await judgeOnce(seed, {
      resolveTxt,
      provenance: smtp,
      dkimPolicy: 'require',
      limits: defaultLimits,
    })
    for (const { judgement } of arrival.parts) found.add(statementOf(judgement) ?? '')
  }
  found.delete('')
  assert.ok(found.size > 5, 'there are signed mails among the seeds')
  return found
}

/** Indented and compressed in another way it is the same report. */
async function checkRetelling({ judgement }: JudgedPart, { bytes, form, name }: Input, way: Way): Promise<void> {
  if (judgement.kind !== 'accepted' || form !== 'report' || way.limits !== defaultLimits || bytes[0] !== 0x7b) return
  const retold = gzipSync(JSON.stringify(JSON.parse(bytes.toString()), null, 3))
  const { arrival } = await judgeOnce({ name, form, bytes: retold }, way)
  const again = arrival.parts[0]?.judgement
  const identities = (of: typeof judgement) => of.domainReports.map(({ domain, identity, contentHash }) => [domain, identity.toString('hex'), contentHash.toString('hex')]) // prettier-ignore
  assert.equal(again?.kind, 'accepted')
  assert.deepEqual(identities(again), identities(judgement), 'told again it is another report')
}

/** The schema takes all of it: nothing a stranger writes may look like trouble of the database. */
async function checkRows(arrival: Arrival): Promise<void> {
  const decided = keyed(arrival)
  const tables = (): TableRows[] => [
    claimRows(decided.created),
    ...factRows(decided.created),
    ...arrivalRows([decided], new Set()),
  ]
  await copyRows(nobody, tables())
  for (const { table, groups } of tables()) {
    for (const { shared, rows } of groups) {
      for (const row of rows) {
        const values = [...shared, ...row]
        assert.equal(values.length, table.columns.length)
        table.columns.forEach(([column, type], i) => {
          assert.ok(values[i] === undefined || isTaken[type](values[i]), `${table.name}.${column} cannot be ${String(values[i]).slice(0, 200)}`) // prettier-ignore
        })
      }
    }
  }
}

/** A connection that takes everything: the rows are encoded, and go nowhere. */
const nobody = {
  query: (command: { submit: (connection: object) => void; handleReadyForQuery: () => void }) => {
    const ignore = () => undefined
    command.submit({ query: ignore, stream: { cork: ignore, write: ignore, uncork: ignore } })
    command.handleReadyForQuery()
  },
} as unknown as Queryable

const isText = (value: ColumnValue) => typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
const isWhole = (value: ColumnValue, bits: bigint) =>
  (typeof value === 'bigint' || Number.isSafeInteger(value)) && BigInt(value as number | bigint) >= 0n && BigInt(value as number | bigint) < 2n ** bits // prettier-ignore

/** What Postgres takes without a word, and `isTaken` is harder to please than the encoders. */
const isTaken: Record<ColumnType, (value: ColumnValue) => boolean> = {
  text: isText,
  'text[]': (value) =>
    Array.isArray(value) && value.every((element: ColumnValue) => element === undefined || isText(element)),
  'smallint[]': (value) => Array.isArray(value) && value.every((element) => isWhole(element as number, 15n)),
  'numeric[]': (value) => Array.isArray(value) && value.every((element) => isWhole(element as bigint, 1_000n)),
  jsonb: (value) => isText(value) && !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(value as string),
  bytea: (value) => Buffer.isBuffer(value),
  uuid: (value) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value as string),
  inet: (value) => isIP(value as string) > 0 && !(value as string).includes('%'),
  date: (value) => Number.isFinite(new Date(value as string | Date).getTime()),
  timestamptz: (value) => value instanceof Date && value.getUTCFullYear() >= 2016 && value.getUTCFullYear() < 2028,
  boolean: (value) => typeof value === 'boolean',
  smallint: (value) => isWhole(value, 15n),
  integer: (value) => isWhole(value, 31n),
  bigint: (value) => isWhole(value, 63n),
  numeric: (value) => isWhole(value, 1_000n),
}

function signatureOf({ judgement, dkim }: JudgedPart): string {
  const codes = 'problems' in judgement ? judgement.problems : 'anomalies' in judgement ? judgement.anomalies : []
  const verdict = 'trust' in judgement ? judgement.trust : 'reason' in judgement ? judgement.reason : ''
  const signatures = (dkim as { result: string; reason?: string }[]).map(
    ({ result, reason = '' }) => `${result} ${reason}`,
  )
  return [judgement.kind, verdict, ...new Set(codes.map(({ code }) => code).sort()), ...signatures].join(' ')
}
