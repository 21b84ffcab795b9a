/** RFC 9110, RFC 9112, RFC 8460 §5.4: requests that are broken, or can be read in two ways, and labels that are none. */
import { connectHttp, exchange, head, request } from '../support/http-client.ts'
import { reportMail, answerOf, post, type Row } from './run-rows.ts'
import { bytes, report, zipped } from './report.ts'

const path = '/v1/tlsrpt'
const good = (): Buffer => zipped()

type Options = { number: number; title: string; rows?: string[]; make?: () => Buffer; note?: string }

/** Bytes as they are; every answer in turn, then 'closed' where the server has hung up. */
const raw = (options: Options, pieces: (input: Buffer) => (string | Buffer)[], answer: string | RegExp, count = 1): Row => ({
  rows: [],
  make: good,
  ...options,
  send: async ({ ports }, input) => {
    const responses = await exchange({ port: ports.intake, tls: true }, pieces(input), count)
    return [...responses.map(answerOf), ...(responses.length < count ? ['closed'] : [])].join(', ')
  },
  answer,
}) // prettier-ignore

/** A whole request whose head is written out; `lines` come behind Host. */
const withHead = (number: number, title: string, lines: string, answer: string | RegExp, rows: string[] = [], start = `POST ${path} HTTP/1.1\r\nHost: rua.example\r\n`): Row =>
  raw({ number, title, rows }, (input) => [Buffer.concat([Buffer.from(`${start}${lines.replace('LENGTH', String(input.length))}\r\n`, 'latin1'), input])], answer) // prettier-ignore
const length = 'Content-Length: LENGTH\r\n'
const accepted = /^200 accepted key=\S+$/

const chunked = (body: Buffer, size: (length: number) => string = (length) => `${length.toString(16)}\r\n`): Buffer =>
  Buffer.concat([Buffer.from(size(body.length)), body, Buffer.from('\r\n0\r\n\r\n')])
const inChunks = (number: number, title: string, size: (length: number) => string, answer: string | RegExp, rows: string[] = []): Row =>
  raw({ number, title, rows }, (input) => [head('POST', path, { 'Transfer-Encoding': 'chunked' }), chunked(input, size)], answer) // prettier-ignore

const methods: Row[] = ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS', 'PROPFIND', 'BREW'].map(
  (method): Row => ({
    number: 148,
    title: method,
    send: async ({ ports }) => {
      const { status, headers } = await request({ port: ports.intake, tls: true }, method, path)
      return `${status} ${headers['allow']} ${headers['access-control-allow-origin']}`
    },
    answer: method === 'BREW' ? '400 undefined undefined' : `${method === 'OPTIONS' ? 204 : 405} POST, OPTIONS undefined`,
    rows: [],
  }),
) // prettier-ignore

const labelled = (mediaType: string, answer: string | RegExp, row: string, body = good): Row => ({
  number: 149,
  title: `${JSON.stringify(mediaType)} over ${row.split(' ')[0]}`,
  make: body,
  send: ({ ports }, input) => post(ports.intake, input, mediaType),
  answer,
  rows: [row],
}) // prettier-ignore
const hello = (): Buffer => Buffer.from('hello')

const labels: Row[] = [
  ...['application/octet-stream', 'application/gzip', 'application/tlsrpt+gzip;charset=x', 'APPLICATION/TLSRPT+GZIP', 'application/tlsrpt+gzip\t', ' application/tlsrpt+gzip', 'application/tlsrpt'].map(
    (type) => labelled(type, accepted, 'accepted'),
  ),
  ...['application/json', 'application/tlsrpt+json;a=b;c'].map((type) => labelled(type, accepted, 'accepted media-type-mismatch')),
  ...['text/plain', ';', 'x', 'application/tlsrpt+xml', '__proto__', 'text/html; charset=utf-16', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'].map(
    (type) => labelled(type, accepted, 'accepted media-type-unknown'),
  ),
  ...['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', ';'].map((type) =>
    labelled(type, /^415 not-gzip-or-json key=/, 'malformed not-gzip-or-json', hello),
  ),
  ...['application/json', 'application/tlsrpt+gzip'].map((type) => labelled(type, /^400 not-gzip-or-json key=/, 'malformed not-gzip-or-json', hello)),
  withHead(149, 'no label', length, accepted, ['accepted media-type-unknown']),
  { ...labelled('message/rfc822', /^415 not-gzip-or-json key=/, 'malformed not-gzip-or-json', () => reportMail(zipped())), number: 168, title: 'a whole mail' },
  { ...labelled('multipart/form-data; boundary=x', /^415 not-gzip-or-json key=/, 'malformed not-gzip-or-json', () => Buffer.from('--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n{}\r\n--x--\r\n')), number: 168, title: 'a form' },
  raw({ number: 150, title: 'no body', rows: ['malformed empty'] }, () => [head('POST', path)], /^400 empty key=/),
  raw({ number: 150, title: 'a body of length 0', rows: ['malformed empty'] }, () => [head('POST', path, { 'Content-Length': 0 })], /^400 empty key=/),
  raw({ number: 150, title: 'no chunks', rows: ['malformed empty'] }, () => [head('POST', path, { 'Transfer-Encoding': 'chunked' }), '0\r\n\r\n'], /^400 empty key=/),
] // prettier-ignore

const tooLargeLength = 8 * 1024 * 1024 + 1
const sizes: Row[] = [
  raw({ number: 151, title: 'a length of 8 MiB and a byte', rows: ['too-large body-too-large'] }, () => [head('POST', path, { 'Content-Length': tooLargeLength })], /^413 body-too-large key=\S+, closed$/, 2),
  raw({ number: 151, title: '8 MiB and a byte in chunks', rows: ['too-large body-too-large'], make: () => Buffer.alloc(tooLargeLength, ' ') }, (input) => [head('POST', path, { 'Transfer-Encoding': 'chunked' }), chunked(input)], /^413 body-too-large key=\S+, closed$/, 2),
  raw({ number: 151, title: 'Expect of 99 MB', rows: ['too-large body-too-large'] }, () => [head('POST', path, { 'Content-Length': 99_000_000, Expect: '100-continue' })], /^413 body-too-large key=/),
  raw({ number: 151, title: 'Expect of a good one', rows: ['accepted media-type-unknown'] }, (input) => [head('POST', path, { 'Content-Length': input.length, Expect: '100-continue' }), input], /^100, 200 accepted key=\S+$/, 2),
  raw({ number: 151, title: 'Expect: banana' }, () => [head('POST', path, { 'Content-Length': 5, Expect: 'banana' })], /^417 expectation-failed$/),
] // prettier-ignore

const framing: Row[] = [
  ...['Content-Length: LENGTH\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'Content-Length: +3\r\n', 'Content-Length: 0x10\r\n', 'Content-Length: 3, 3\r\n', 'Content-Length: -1\r\n', 'Content-Length: 99999999999999999999\r\n', 'Transfer-Encoding: xchunked\r\n', 'Transfer-Encoding: chunked, identity\r\n', 'Transfer-Encoding: gzip, chunked\r\n', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 'Transfer-Encoding : chunked\r\n', 'Content-Length : 5\r\n', 'X: a\r\n b\r\n', 'X: a\0b\r\n', 'X: a\rb\r\n', 'X y: z\r\n', ': x\r\n', 'X\r\n'].map(
    (lines): Row => withHead(152, JSON.stringify(lines), lines, /^400 bad-request(?:, closed)?$/),
  ),
  raw({ number: 152, title: 'a head of LFs alone' }, () => [`POST ${path} HTTP/1.1\nHost: x\nContent-Length: 0\n\n`], '400 bad-request'),
  inChunks(152, 'a size of chunk beyond all numbers', () => 'fffffffffffffffff\r\n', '400 bad-request'),
  inChunks(152, 'a size of chunk that is none', () => 'x\r\n', '400 bad-request'),
  inChunks(152, 'a chunk that ends in LF alone', (length) => `${length.toString(16)}\n`, '400 bad-request'),
  inChunks(152, 'a chunk with an extension of 20 KB', (length) => `${length.toString(16)};${'x'.repeat(20_000)}\r\n`, '413 body-too-large'),
  inChunks(152, 'a chunk with a small extension', (length) => `${length.toString(16)};a=b\r\n`, accepted, ['accepted media-type-unknown']),
  raw({ number: 153, title: 'a second request hidden behind a short length', rows: ['malformed not-json', 'accepted'] }, (input) => [Buffer.concat([Buffer.from(head('POST', path, { 'Content-Length': 1, 'Content-Type': 'application/json' })), Buffer.from('{'), Buffer.from(head('POST', path, { 'Content-Length': input.length, 'Content-Type': 'application/gzip' })), input])], /^400 not-json key=\S+, 200 accepted key=\S+$/, 2),
  { number: 154, title: 'half of a body, and then the end', make: good, send: async ({ ports }, input) => {
    const client = await connectHttp({ port: ports.intake, tls: true })
    await client.write(Buffer.concat([Buffer.from(head('POST', path, { 'Content-Length': input.length * 2 })), input]))
    client.socket.end()
    const response = await client.read()
    return response === undefined ? 'closed' : String(response.status)
  }, answer: /^(?:closed|400|408)$/, rows: [] },
] // prettier-ignore

const heads: Row[] = [
  withHead(156, 'a header of 17 KB', `X: ${'x'.repeat(17_000)}\r\n${length}`, /^431 header-too-large/),
  withHead(156, 'a hundred header fields', `${'X: y\r\n'.repeat(98)}${length}`, accepted, ['accepted media-type-unknown']),
  withHead(156, '101 header fields', `${'X: y\r\n'.repeat(99)}${length}`, /^431 too-many-headers/),
  withHead(156, '2,100 header fields, and the label the last one', `${'X: y\r\n'.repeat(2_100)}${length}Content-Type: application/gzip\r\n`, /^431 (?:too-many-headers|header-too-large)/),
  withHead(156, 'an address of 20 KB', length, /^431 header-too-large/, [], `POST ${path}/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n`),
  withHead(157, '__proto__ and constructor as fields', `__proto__: x\r\nconstructor: y\r\ntoString: z\r\n${length}`, accepted, ['accepted media-type-unknown']),
  withHead(158, 'two Hosts', `Host: evil.example\r\n${length}`, /^400 bad-request/),
  withHead(158, 'no Host', length, /^400 bad-request/, [], `POST ${path} HTTP/1.1\r\n`),
  withHead(158, 'the Host of another', length, accepted, ['accepted media-type-unknown'], `POST ${path} HTTP/1.1\r\nHost: evil.example\r\n`),
  withHead(158, 'an absolute address', length, accepted, ['accepted media-type-unknown'], `POST https://evil.example${path} HTTP/1.1\r\nHost: rua.example\r\n`),
  withHead(159, 'hops that nobody vouches for', `X-Forwarded-For: 192.0.2.1, "><script>\r\nForwarded: for=192.0.2.1\r\n${length}`, accepted, ['accepted media-type-unknown']),
  withHead(162, 'HTTP/1.0', length, accepted, ['accepted media-type-unknown'], `POST ${path} HTTP/1.0\r\n`),
  raw({ number: 162, title: 'HTTP/0.9' }, () => [`GET ${path}\r\n\r\n`], '400 bad-request'),
  withHead(162, 'an offer of HTTP/2', `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n${length}`, accepted, ['accepted media-type-unknown']),
  raw({ number: 162, title: 'the preface of HTTP/2' }, () => ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], '400 bad-request'),
  { number: 162, title: 'no TLS on the port of TLS', send: async ({ ports }) => {
    const responses = await exchange({ port: ports.intake }, [head('GET', '/healthz')])
    return responses.length === 0 ? 'closed' : 'answered'
  }, answer: 'closed', rows: [] },
  ...['/v1/tlsrpt/none', '/v1/tlsrpt/..%2f..%2fetc%2fpasswd', '/v1/tlsrpt/%00', '/v1/tlsrpt//', '//v1/tlsrpt', '/v1/tlsrpt/../summary', '/v1/summary', '/v1/tlsrpt/a/b', '/metrics', '/', `/v1/tlsrpt/${'x'.repeat(3_000)}`, '/v1/tlsrpt?token=x', '/V1/TLSRPT'].map(
    (address): Row => ({ number: 163, title: address.slice(0, 40), make: good, send: async ({ ports }, input) => answerOf(await request({ port: ports.intake, tls: true }, 'POST', address, input)), answer: '404 not-found', rows: [] }),
  ),
  { number: 163, title: 'an address that cannot be decoded', make: good, send: async ({ ports }, input) => answerOf(await request({ port: ports.intake, tls: true }, 'POST', '/v1/tlsrpt/%zz', input)), answer: '400 bad-request', rows: [] },
  { number: 166, title: 'a hundred posts in one segment', send: async ({ ports }) => {
    const posts = Array.from({ length: 100 }, () => { const body = bytes(report()); return Buffer.concat([Buffer.from(head('POST', path, { 'Content-Length': body.length, 'Content-Type': 'application/json' })), body]) })
    const responses = await exchange({ port: ports.intake, tls: true }, [Buffer.concat(posts)], 100)
    return `${responses.filter(({ status }) => status === 200).length} accepted`
  }, answer: '100 accepted', rows: Array<string>(100).fill('accepted') },
  raw({ number: 166, title: 'a connection goes on behind a 400', rows: ['malformed empty', 'accepted media-type-unknown'] }, (input) => [head('POST', path, { 'Content-Length': 0 }), Buffer.concat([Buffer.from(head('POST', path, { 'Content-Length': input.length })), input])], /^400 empty key=\S+, 200 accepted key=\S+$/, 2),
  { number: 169, title: 'who leaves right behind the last byte', make: good, send: async ({ ports }, input) => {
    const client = await connectHttp({ port: ports.intake, tls: true })
    await client.write(Buffer.concat([Buffer.from(head('POST', path, { 'Content-Length': input.length })), input]))
    client.close()
    return 'gone'
  }, answer: 'gone', rows: ['accepted media-type-unknown'] },
  { number: 170, title: 'a browser, on another site', make: good, send: async ({ ports }, input) => {
    const { status, headers } = await request({ port: ports.intake, tls: true }, 'POST', path, input, { Origin: 'https://evil.example', 'Content-Type': 'application/tlsrpt+gzip', Cookie: 'a=b' })
    return `${status} ${Object.keys(headers).filter((name) => /^access-control|^set-cookie/.test(name)).join()}`
  }, answer: '200 ', rows: ['accepted'] },
] // prettier-ignore

export const http: Row[] = [...methods, ...labels, ...sizes, ...framing, ...heads]
