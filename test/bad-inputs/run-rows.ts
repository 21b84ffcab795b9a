/**
 * One bad input after the other over the real sockets, and after each the question whether the service is as it was:
 * it lives, answers, took a good report meanwhile, stood still for no longer than it may, and has exactly the rows.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectHttp, head, request, type HttpClient, type HttpTarget } from '../support/http-client.ts'
import { base64Lines, rawMail, sign } from '../support/report-mail.ts'
import { adminToken, ruaAddress } from '../support/running-service.ts'
import { connectSmtp, sendMail, type SmtpClient } from '../support/smtp-client.ts'
import type { Stall } from '../support/stall-probe.ts'
import type { WatchedService } from '../support/watched-service.ts'
import { bytes, policy, report, zipped, type Json } from './report.ts'

/** One case. `number` is its place in the list of bad inputs (coverage.test.ts). */
export type Row = {
  number: number
  title: string
  /** Made before the clock starts: what is dear to make is no fault of the service. */
  make?: () => Buffer
  /** Resolves to what the sender is told. */
  send: (to: WatchedService, input: Buffer) => Promise<string>
  answer: string | RegExp
  /** Each submission that comes of it, in any order: its verdict, then its reason, or the codes of its anomalies, sorted. */
  rows: string[]
  /** It costs the service time and no work: all of these begin together, before the first case. */
  waits?: true
  /** Where the table of cases would have it otherwise, and why it is so. */
  note?: string
}

/** A case of the bytes of a report, whichever way they come. */
export type ContentRow = {
  number: number
  title: string
  body: () => Buffer | string | Json
  /** As in Row, of the one submission. */
  row: string
  /** Where it is another one by mail. */
  mailed?: string
  only?: 'smtp' | 'https'
  /** Of the post; by its content unless given. */
  mediaType?: string
  contentEncoding?: string
  /** Where it is not that of the verdict. */
  status?: number
  note?: string
}

/** What a sender hears of a verdict: DESIGN.md section 1, the third promise, in codes. */
const told: Record<string, { https: number; smtp: string }> = {
  accepted: { https: 200, smtp: '250 2.6.0' },
  duplicate: { https: 200, smtp: '250 2.6.0' },
  conflict: { https: 200, smtp: '250 2.6.0' },
  malformed: { https: 400, smtp: '554 5.6.0' },
  unreadable: { https: 422, smtp: '554 5.6.0' },
  'not-ours': { https: 422, smtp: '550 5.7.1' },
  'too-large': { https: 413, smtp: '552 5.3.4' },
}

/** The same bytes, posted and mailed. */
export function overBoth(rows: ContentRow[]): Row[] {
  return rows.flatMap(({ body, row, mailed = row, only, ...rest }) => {
    const make = () => {
      const made = body()
      return Buffer.isBuffer(made) ? made : bytes(made)
    }
    const { mediaType, contentEncoding, status, number, title, note } = rest
    const common = { number, make, ...(note !== undefined && { note }) }
    const { https } = told[row.split(' ')[0]!]!
    const { smtp } = told[mailed.split(' ')[0]!]!
    const posted: Row = {
      ...common,
      title: `${title}, posted`,
      send: ({ ports }, input) => post(ports.intake, input, mediaType, contentEncoding),
      answer: new RegExp(`^${status ?? https} \\S+ key=`),
      rows: [row],
    }
    const sent: Row = {
      ...common,
      title: `${title}, mailed`,
      send: ({ ports }, input) => mail(ports.smtp, reportMail(input)),
      answer: new RegExp(`^${smtp.replaceAll('.', '\\.')} \\S+ key=`),
      rows: [mailed],
    }
    return only === 'https' ? [posted] : only === 'smtp' ? [sent] : [posted, sent]
  })
}

const labelOf = (body: Buffer): string => `application/tlsrpt+${body[0] === 0x1f && body[1] === 0x8b ? 'gzip' : 'json'}`

/** Labelled by its content, and signed. */
export const reportMail = (body: Buffer): Buffer => sign(rawMail({ 'Content-Type': labelOf(body) }, base64Lines(body)))

/** '200 accepted key=...', as its sender would hear it by mail. */
export async function post(port: number, body: Buffer, mediaType = labelOf(body), contentEncoding?: string) {
  const headers = {
    'content-type': mediaType,
    'content-length': body.length,
    ...(contentEncoding !== undefined && { 'content-encoding': contentEncoding }),
  }
  return answerOf(await request({ port, tls: true }, 'POST', '/v1/tlsrpt', body, headers))
}

export function answerOf({ status, body, headers }: { status: number; body: string; headers: Record<string, string> }) {
  const { verdict, reason, submission_key } = (
    headers['content-type']?.includes('json') ? JSON.parse(body) : {}
  ) as Record<string, string | undefined>
  const key = submission_key === undefined ? [] : `key=${submission_key}`
  return [status, verdict ?? reason ?? [], key].flat().join(' ')
}

/** To the reply after the final dot, or to the first that says no; in a session that nobody used before. */
export async function mail(port: number, message: string | Buffer): Promise<string> {
  const client = await greetedSession(port)
  const reply = await sendMail(client, ruaAddress, message)
  client.close()
  return reply
}

/** Sessions of the one service of this file that are ahead: the greeting comes 100 ms late (it waits for early talkers). */
const ahead: { since: number; session: Promise<SmtpClient> }[] = []

const sessionsAhead = 8 // As many as cases use in those 100 ms.
const freshMs = 1_000

/** One that nobody used, and that is not about to be sent away for its silence; its greeting is still to be read. */
export function sessionAhead(port: number): Promise<SmtpClient> {
  const stale = ahead.findLastIndex(({ since }) => performance.now() - since >= freshMs)
  void leaveSessions(ahead.splice(0, stale + 1))
  while (ahead.length <= sessionsAhead) ahead.push({ since: performance.now(), session: connectSmtp(port) })
  return ahead.shift()!.session
}

/** The same behind EHLO. */
export async function greetedSession(port: number): Promise<SmtpClient> {
  const client = await sessionAhead(port)
  await client.read()
  await client.say('EHLO client.example')
  return client
}

async function leaveSessions(sessions: typeof ahead): Promise<void> {
  for (const { session } of sessions) (await session).close()
}

/** A case of a whole mail. */
export type MailRow = {
  number: number
  title: string
  message: () => Buffer
  /** As in Row; several where several reports are in it. */
  row: string | string[]
  /** What the reply begins with, where it is not that of the last verdict. */
  reply?: string
  note?: string
}

export const overSmtp = (rows: MailRow[]): Row[] =>
  rows.map(({ message, row, reply, ...rest }) => {
    const all = [row].flat()
    const said = reply ?? told[all.at(-1)!.split(' ')[0]!]!.smtp
    return {
      ...rest,
      make: message,
      send: ({ ports }, input) => mail(ports.smtp, input),
      answer: new RegExp(`^${said.replaceAll('.', '\\.')} \\S+`),
      rows: all,
    }
  })

const maxStallMs = 500
const maxUsualStallMs = 100
const goodWithinMs = 2_000
const healthyWithinMs = 1_000
const maxRssBytes = 512 * 1024 * 1024

/** Makes a test of each row, and says at the end how long the service stood still for them. */
export function runRows(service: WatchedService, rows: Row[]): void {
  const seen = new Set<string>()
  const stalls: Stall[] = []
  after(() => leaveSessions(ahead.splice(0)))
  after(closeKept)
  const begun = rows.map((row) => (row.waits ? row.send(service, Buffer.alloc(0)) : undefined))
  for (const answer of begun) answer?.catch(() => undefined) // Its own case fails of it.
  rows.forEach((row, index) => {
    test(`${row.number}: ${row.title}`, async () => {
      const input = row.make?.() ?? Buffer.alloc(0)
      const good = makeGood(service, index)
      if (index === 0) {
        await service.stall() // Starting up takes longer than anything later may.
        service.newLogLines()
      }

      const [answer, goodMs] = await Promise.all([begun[index] ?? row.send(service, input), good()])
      const submitted = await newSubmissions(service, seen, row.rows.length)
      const became = submitted.map((submission) => submission.became)
      assert.deepEqual(became.sort(), [...row.rows].sort(), `told '${answer}'`)
      if (typeof row.answer === 'string') assert.equal(answer, row.answer)
      else assert.match(answer, row.answer)
      checkSubmissions(submitted, answer)

      const stall = await service.stall()
      stalls.push(stall)
      assert.ok(stall.cpuMs <= maxStallMs, `the event loop stood still for ${stall.cpuMs} ms`)
      assert.ok(stall.peakRssBytes <= maxRssBytes, `the service took ${stall.peakRssBytes} bytes`)
      assert.ok(goodMs < goodWithinMs, `a good report took ${goodMs} ms meanwhile`)
      await checkHealth(service)
      checkLog(service.newLogLines())
    })
  })

  test('all that was refused was counted, and nothing else', async () => {
    const { rows: stored } = await service.database.db.query<{ name: string }>(
      "select transport || ' ' || verdict || ' ' || count(*) as name from submission group by transport, verdict",
    )
    const series = /^tlsrpt_submissions_total\{transport="(\w+)",verdict="([\w-]+)"\} (\d+)$/gm
    const counted = [...(await service.metrics()).matchAll(series)]
      .map(([, transport, verdict, count]) => `${transport} ${verdict} ${count}`)
      .filter((name) => !name.endsWith(' 0') && !name.includes(' deferred '))
    assert.deepEqual(counted.sort(), stored.map(({ name }) => name).sort())
  })

  test('nearly all of them are over in no time', (t) => {
    const sorted = stalls.map(({ cpuMs }) => cpuMs).sort((a, b) => a - b)
    const p99 = sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0
    const wall = Math.max(...stalls.map(({ wallMs }) => wallMs))
    const rss = Math.max(...stalls.map(({ peakRssBytes }) => peakRssBytes)) / 1024 / 1024
    const [worst] = [...stalls.keys()].sort((a, b) => stalls[b]!.cpuMs - stalls[a]!.cpuMs)
    t.diagnostic(
      `${rows.length} bad inputs: the event loop stood still for ${sorted.at(-1)?.toFixed(0)} ms at worst (${rows[worst!]?.number}: ${rows[worst!]?.title}; ${wall.toFixed(0)} ms by the clock), p99 ${p99.toFixed(0)} ms; peak RSS ${rss.toFixed(0)} MiB`,
    )
    assert.ok(p99 <= maxUsualStallMs, `p99 of the stalls is ${p99} ms`)
  })
}

/** One that is as it should be, by mail and by post in turn. Its delivery resolves to how long it took, in ms. */
function makeGood({ ports }: WatchedService, index: number): () => Promise<number> {
  const body = zipped(report({ policies: [policy({ 'policy-domain': 'good.example' })] }))
  const message = reportMail(body)
  return async () => {
    const startedAt = performance.now()
    const answer = await (index % 2 === 0 ? mail(ports.smtp, message) : post(ports.intake, body))
    assert.match(answer, /^(?:250 2\.6\.0|200) accepted key=/)
    return performance.now() - startedAt
  }
}

type Submitted = {
  key: string
  verdict: string
  /** As in Row. */
  became: string
  trust: string | null
  transport: string
  kept: boolean
}

/** Waits for as many as are expected, where the sender has left before they are in. */
async function newSubmissions({ database }: WatchedService, seen: Set<string>, expected: number): Promise<Submitted[]> {
  for (let tries = 0; ; tries++) {
    const { rows } = await database.db.query<Submitted>(
      `select key, verdict, trust, transport, bytes is not null as kept, domains,
         verdict || coalesce(' ' || coalesce(reason, (select string_agg(distinct code, ' ' order by code)
           from jsonb_to_recordset(anomalies) as anomaly (code text))), '') as became
       from submission left join submission_raw using (arrived_on, arrival_key)
       where not key = any ($1::uuid[]) and domains <> '{good.example}' order by submission.arrived_at, arrival_key, part`,
      [[...seen]],
    )
    if (rows.length < expected && tries < 40) {
      await sleep(50)
      continue
    }
    for (const { key } of rows) seen.add(key)
    return rows
  }
}

/** Who said it is on what counts, what was refused is kept, and the sender knows it by its key. */
function checkSubmissions(submitted: Submitted[], answer: string): void {
  for (const { verdict, trust, transport, kept } of submitted) {
    if (['accepted', 'duplicate', 'conflict'].includes(verdict)) {
      assert.equal(trust, transport === 'smtp' ? 'verified' : 'unverified')
    }
    if (verdict !== 'duplicate') assert.equal(kept, verdict !== 'too-large', 'whether its bytes are kept')
  }
  for (const [, key] of answer.matchAll(/key=([0-9a-f-]+)/g)) {
    assert.ok(submitted.some((submission) => submission.key === key), `${key} cannot be looked up`) // prettier-ignore
  }
}

async function checkHealth({ isRunning, ports }: WatchedService): Promise<void> {
  assert.ok(isRunning(), 'the service has ended')
  const startedAt = performance.now()
  for (const target of [{ port: ports.api }, { port: ports.intake, tls: true }]) {
    assert.equal(await statusOfHealth(target), 200)
  }
  assert.ok(performance.now() - startedAt < healthyWithinMs, 'the service takes long to say that it lives')
}

/** Connections by port that are asked again: a handshake for each of a thousand questions would be most of their time. */
const keptOpen = new Map<number, HttpClient>()

async function statusOfHealth(target: HttpTarget): Promise<number | undefined> {
  const known = keptOpen.get(target.port)
  if (known?.isOpen()) {
    await known.write(head('GET', '/healthz'))
    const response = await known.read()
    if (response) return response.status // Otherwise it was idle for too long just now.
  }
  const client = await connectHttp(target)
  keptOpen.set(target.port, client)
  await client.write(head('GET', '/healthz'))
  return (await client.read())?.status
}

function closeKept(): void {
  for (const client of keptOpen.values()) client.close()
}

const pinoError = 50

/** One line of JSON for each event, whatever a stranger wrote into it; no secret, and no error of ours. */
function checkLog(lines: string[]): void {
  for (const line of lines) {
    assert.doesNotMatch(line, /[\x00-\x1f\x7f]/)
    assert.ok(!line.includes(adminToken), 'a secret is in the log')
    const { level } = JSON.parse(line) as { level: number }
    assert.ok(level < pinoError, line)
  }
}
