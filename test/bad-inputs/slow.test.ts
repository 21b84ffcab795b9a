/** Those who are slow, many, or silent: limits that are lowered here, so that nobody has to wait for them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectHttp, head, request } from '../support/http-client.ts'
import { adminToken, ruaAddress } from '../support/running-service.ts'
import { codesOf, connectSmtp, greetSmtp, type SmtpClient } from '../support/smtp-client.ts'
import { watchService } from '../support/watched-service.ts'
import { bytes, report, zipped } from './report.ts'
import { answerOf, runRows, type Row } from './run-rows.ts'

const limits = {
  smtpIdleSeconds: 2,
  smtpDataSeconds: 2,
  httpHeaderSeconds: 1,
  httpRequestSeconds: 2,
  smtpConnectionsPerAddress: 5,
  smtpConnectionsPerNetwork: 8,
  httpRequestsPerMinute: 30,
}
const path = '/v1/tlsrpt'

/** Does `step` again and again, 100 ms apart, until there is an answer. */
async function untilAnswered<T>(answer: Promise<T>, step: (i: number) => Promise<void>): Promise<T> {
  const waiting = new AbortController()
  void answer.then(() => {
    waiting.abort()
  })
  for (let i = 0; !waiting.signal.aborted; i++) {
    await step(i)
    await sleep(100)
  }
  return answer
}

/** One byte after the other until the server has had enough of it; resolves to its last word. */
async function trickle(client: Pick<SmtpClient, 'write' | 'read'>, text: string): Promise<string> {
  return codesOf(await untilAnswered(client.read(), (i) => client.write(text[i % text.length]!)))
}

const smtpRow = (number: number, title: string, lead: (client: SmtpClient) => Promise<string>, answer: string | RegExp): Row => ({
  number,
  title,
  send: async ({ ports }) => {
    const client = await greetSmtp(ports.smtp)
    const said = await lead(client)
    client.close()
    return said
  },
  answer,
  rows: [],
  waits: true,
}) // prettier-ignore

const inData = async (client: SmtpClient): Promise<void> => {
  for (const command of ['MAIL FROM:<>', `RCPT TO:<${ruaAddress}>`, 'DATA']) await client.say(command)
}

const httpRow = (number: number, title: string, pieces: string[], answer: string, drip?: string): Row => ({
  number,
  title,
  send: async ({ ports }) => {
    const client = await connectHttp({ port: ports.intake, tls: true })
    for (const piece of pieces) await client.write(piece)
    const response = client.read()
    const read = await (drip === undefined ? response : untilAnswered(response, (i) => client.write(drip[i % drip.length]!)))
    return read === undefined ? 'closed' : answerOf(read)
  },
  answer,
  rows: [],
  waits: true,
}) // prettier-ignore

/** As many as `from` may have, and one more. */
const crowd = (number: number, title: string, froms: string[], answer: string): Row => ({
  number,
  title,
  send: async ({ ports }) => {
    const clients = await Promise.all(froms.map((from) => connectSmtp(ports.smtp, { from })))
    const greetings = await Promise.all(clients.map(async (client) => codesOf(await client.read())))
    for (const client of clients) client.close()
    return greetings.sort().join(', ')
  },
  answer,
  rows: [],
}) // prettier-ignore

const rows: Row[] = [
  smtpRow(111, 'who says nothing', (client) => client.read().then(codesOf), '421 4.4.2'),
  { number: 111, title: 'who connects and hangs up its side', send: async ({ ports }) => {
    const client = await connectHttp({ port: ports.smtp })
    client.socket.end()
    await client.closed
    return 'closed'
  }, answer: 'closed', rows: [] },
  smtpRow(113, 'a byte now and then of a command', (client) => trickle(client, 'x'), '421 4.4.2'),
  smtpRow(113, 'a byte now and then in DATA', async (client) => { await inData(client); return trickle(client, 'From: x@y.example\r\n') }, '421 4.4.2'),
  smtpRow(99, 'a handshake that never begins', async (client) => { await client.say('STARTTLS'); return codesOf(await client.read()) }, /^(?:421 4\.4\.2|closed)$/),
  smtpRow(113, 'a byte now and then of a handshake', async (client) => { await client.say('STARTTLS'); return trickle(client, '\x16\x03\x01\x02\x00') }, /^(?:421 4\.4\.2|closed)$/),
  { number: 114, title: 'who stops reading what it is told', send: async ({ ports }) => {
    const client = await connectHttp({ port: ports.smtp })
    client.socket.pause()
    void client.write('HELP\r\n'.repeat(50_000))
    await sleep(100)
    client.socket.resume()
    await client.closed
    return 'closed'
  }, answer: 'closed', rows: [] },
  crowd(112, 'one connection more than an address may have', Array<string>(6).fill('127.0.4.1'), '220, 220, 220, 220, 220, 421 4.7.0'),
  crowd(112, 'one connection more than a network may have', Array.from({ length: 9 }, (_, i) => `127.0.1.${i + 1}`), `${'220, '.repeat(8)}421 4.7.0`),
  crowd(112, 'others, meanwhile', ['127.0.2.1', '127.0.3.1'], '220, 220'),
  httpRow(155, 'a header that trickles', [`POST ${path} HTTP/1.1\r\n`], '408 request-timeout', 'X: y\r\n'),
  httpRow(155, 'a body that trickles', [head('POST', path, { 'Content-Length': 10_000 })], '408 request-timeout', ' '),
  httpRow(155, 'chunks that trickle', [head('POST', path, { 'Transfer-Encoding': 'chunked' })], '408 request-timeout', '1\r\n \r\n'),
  httpRow(154, 'half of a body and no more', [head('POST', path, { 'Content-Length': 100 }), '{'], '408 request-timeout'),
  { number: 99, title: 'who connects and shakes no hands', send: async ({ ports }) => { const client = await connectHttp({ port: ports.intake }); await client.closed; return 'closed' }, answer: 'closed', rows: [], waits: true },
  { number: 164, title: 'a report about another domain, posted to a token', make: () => bytes(report()), send: async ({ ports }, input) => {
    const token = await tokenFor(ports.api, 'good.example')
    return answerOf(await request({ port: ports.intake, tls: true }, 'POST', `${path}/${token}`, input))
  }, answer: /^422 not-ours key=/, rows: ['not-ours not-ours'] },
  { number: 163, title: 'a token that may only read', make: () => bytes(report()), send: async ({ ports }, input) => {
    const token = await tokenFor(ports.api, 'ours.example', 'read')
    return answerOf(await request({ port: ports.intake, tls: true }, 'POST', `${path}/${token}`, input))
  }, answer: '404 not-found', rows: [] },
  { number: 167, title: '31 posts in a minute', send: async ({ ports }) => {
    const statuses: string[] = []
    // A minute that is about to end would begin to count anew.
    if (Date.now() % 60_000 > 55_000) await sleep(60_000 - (Date.now() % 60_000))
    for (let i = 0; i < 31; i++) {
      const { status, headers } = await request({ port: ports.intake, tls: true, from: '127.0.0.4' }, 'GET', path)
      statuses.push(`${status}${Number(headers['retry-after'] ?? 0) > 0 ? ' later' : ''}`)
    }
    return [...new Set(statuses)].join(', ')
  }, answer: '405, 429 later', rows: [] },
  { number: 167, title: 'another address, meanwhile', make: () => zipped(), send: async ({ ports }, input) => answerOf(await request({ port: ports.intake, tls: true, from: '127.0.0.5' }, 'POST', path, input)), answer: /^200 accepted/, rows: ['accepted media-type-unknown'] },
] // prettier-ignore

async function tokenFor(port: number, domain: string, scope = 'ingest'): Promise<string> {
  const body = JSON.stringify({ name: 'of a test', scopes: [scope], domains: [domain] })
  const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
  const { body: answer } = await request({ port }, 'POST', '/v1/tokens', body, headers)
  return (JSON.parse(answer) as { token: string }).token
}

runRows(await watchService({ env: { LIMITS: JSON.stringify(limits) } }), rows)
