/** RFC 5322, RFC 2045-2049, RFC 8460 §5.3: mails that are broken, boundless, or about something else. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { base64Lines, rawMail, sign, type Fields } from '../support/report-mail.ts'
import { bytes, report, zipped } from './report.ts'
import { overSmtp, type MailRow, type Row } from './run-rows.ts'

const text = 'Content-Type: text/plain\r\n\r\nhello\r\n'
const boundary = 'b0undary'
const reportPart = (body = zipped(), type = 'application/tlsrpt+gzip', more = ''): string =>
  `Content-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n${more}\r\n${base64Lines(body)}`
const ofParts = (parts: string[], name = boundary): string =>
  `${parts.map((part) => `--${name}\r\n${part}\r\n`).join('')}--${name}--\r\n`

const multipart = (parts: string[], fields: Fields = {}): Buffer =>
  sign(rawMail({ 'Content-Type': `multipart/report; report-type=tlsrpt; boundary=${boundary}`, 'Content-Transfer-Encoding': undefined, ...fields }, ofParts(parts))) // prettier-ignore

/** A report at the bottom of so many multiparts. */
function nested(depth: number): Buffer {
  const names = Array.from({ length: depth }, (_, i) => `n${i}`)
  const body = names.reduceRight((inner, name, i) => {
    const header = i === depth - 1 ? '' : `Content-Type: multipart/mixed; boundary=n${i + 1}\r\n\r\n`
    return `--${name}\r\n${header}${inner}\r\n--${name}--\r\n`
  }, reportPart())
  return sign(rawMail({ 'Content-Type': 'multipart/mixed; boundary=n0', 'Content-Transfer-Encoding': undefined }, body))
}

/** As if at random, and always the same: one body in 256 begins like JSON. */
const noise = (length: number): Buffer => createHash('shake256', { outputLength: length }).update('noise').digest()

const withFields = (fields: Fields, body = zipped()): Buffer => sign(rawMail(fields, base64Lines(body)))
/** Lines on top that no signature covers. */
const topped = (lines: string, message = withFields({})): Buffer =>
  Buffer.concat([Buffer.from(lines, 'latin1'), message])
/** `text` until it is so long, in lines that are not. */
const folded = (text: string, length: number): string =>
  text
    .repeat(Math.ceil(length / text.length))
    .slice(0, length)
    .replace(/.{60}/g, '$&\r\n ')
const encodedAs = (encoding: string | undefined, body: string | Buffer, fields: Fields = {}): Buffer =>
  sign(rawMail({ 'Content-Type': 'application/tlsrpt+json', 'Content-Transfer-Encoding': encoding, ...fields }, body))

const structure: MailRow[] = [
  { number: 63, title: 'ten multiparts inside one another', message: () => nested(10), row: 'accepted' },
  { number: 63, title: 'eleven multiparts inside one another', message: () => nested(11), row: 'malformed mime-too-deep' },
  { number: 63, title: 'a thousand multiparts inside one another', message: () => nested(1_000), row: 'malformed too-many-parts' },
  { number: 63, title: '5,000 multiparts inside one another', message: () => nested(5_000), row: 'malformed too-many-parts' },
  { number: 64, title: 'fifty parts', message: () => multipart([...Array<string>(49).fill(text), reportPart()]), row: 'accepted' },
  { number: 64, title: '51 parts', message: () => multipart([...Array<string>(50).fill(text), reportPart()]), row: 'malformed too-many-parts' },
  { number: 64, title: '100,000 parts', message: () => multipart(Array<string>(100_000).fill(text)), row: 'malformed too-many-parts' },
  { number: 65, title: 'a header line of 5 MB', message: () => topped(`X: ${'x'.repeat(5_000_000)}\r\n`), row: 'malformed line-too-long' },
  { number: 65, title: 'a header line of 60 KB', message: () => topped(`X: ${'x'.repeat(60_000)}\r\n`), row: 'malformed header-field-too-large' },
  { number: 65, title: '200,000 header fields', message: () => topped('X: y\r\n'.repeat(200_000)), row: 'malformed header-too-large' },
  { number: 65, title: '1,001 header fields', message: () => topped('X: y\r\n'.repeat(1_001)), row: 'malformed too-many-header-fields' },
  { number: 65, title: '300,000 folds in a field', message: () => topped(`X: y\r\n${' z\r\n'.repeat(300_000)}`), row: 'malformed header-too-large' },
  { number: 65, title: 'a field of 33 KiB in short lines', message: () => topped(`X: ${folded('y', 33 * 1024)}\r\n`), row: 'malformed header-field-too-large' },
  { number: 65, title: 'a part whose header is 5 MB', message: () => multipart([`X: ${folded('y', 5_000_000)}\r\n\r\nx`, reportPart()]), row: 'malformed header-too-large' },
  ...['From', 'To', 'Cc', 'Reply-To', 'Sender'].map(
    (name): MailRow => ({ number: 66, title: `80 KB of 'a,' as ${name}`, message: () => withFields({ [name]: folded('a,', 80_000) }), row: 'malformed header-field-too-large' }),
  ),
  ...['To', 'Cc', 'Reply-To', 'Sender'].map(
    (name): MailRow => ({ number: 66, title: `30 KB of 'a,' as ${name}`, message: () => withFields({ [name]: folded('a,', 30_000) }), row: 'accepted' }),
  ),
  ...['a,', 'g:', '(', '<', '"', '\\', '=?utf-8?Q?', 'a@b.example,'].map(
    (from): MailRow => ({ number: from === 'a,' ? 66 : 67, title: `30 KB of '${from}' as From`, message: () => withFields({ From: folded(from, 30_000) }), row: 'unauthenticated from-not-single', reply: '550 5.7.22' }),
  ),
  ...[undefined, '', 'nobody', 'nobody@', '@sender.example', 'group: tls@sender.example;', 'undisclosed-recipients:;', 'a@sender.example, b@sender.example', '=?utf-8?Q?tls=40sender.example?='].map(
    (from): MailRow => ({ number: from?.startsWith('=?') ? 70 : 68, title: `From: ${from ?? 'none'}`, message: () => withFields({ From: from }), row: 'unauthenticated from-not-single', reply: '550 5.7.22' }),
  ),
  { number: 69, title: 'a forged From first', message: () => topped('From: tls@google.example\r\n'), row: 'unauthenticated from-not-single', reply: '550 5.7.22' },
  { number: 69, title: 'a forged From last', message: () => withFields({ from: 'tls@google.example' }), row: 'unauthenticated from-not-single', reply: '550 5.7.22' },
  { number: 69, title: 'the same From twice', message: () => topped('From: tls@sender.example\r\n'), row: 'unauthenticated from-not-single', reply: '550 5.7.22' },
  { number: 70, title: 'a display name that decodes to another address', message: () => withFields({ From: '=?utf-8?Q?ceo=40google.example?= <tls@sender.example>' }), row: 'accepted' },
  { number: 70, title: 'a display name that is another address', message: () => withFields({ From: '"tls@google.example" <tls@sender.example>' }), row: 'accepted' },
  { number: 71, title: 'two Content-Types, a false one first', message: () => topped('Content-Type: text/plain\r\n'), row: 'accepted header-fields-repeated' },
  { number: 71, title: 'two Content-Transfer-Encodings, a false one first', message: () => topped('Content-Transfer-Encoding: 7bit\r\n'), row: 'accepted header-fields-repeated' },
  { number: 71, title: 'two Content-Types in a part', message: () => multipart([reportPart(zipped(), 'application/tlsrpt+gzip', 'Content-Type: application/tlsrpt+gzip\r\n')]), row: 'accepted header-fields-repeated' },
  { number: 72, title: '30 KB of encoded words as Subject', message: () => withFields({ Subject: folded('=?utf-8?Q?a?= ', 30_000) }), row: 'accepted' },
  { number: 72, title: '30 KB of encoded words that have no end', message: () => withFields({ Subject: folded('=?utf-8?B?', 30_000) }), row: 'accepted' },
  { number: 72, title: 'a charset that nobody knows', message: () => withFields({ Subject: '=?x-klingon?Q?a=FFb?=' }), row: 'accepted' },
  { number: 72, title: 'a file name in continuations without end', message: () => withFields({ 'Content-Disposition': "attachment; filename*999999999*=x.json; filename*0*=utf-8''%ff%fe" }), row: 'accepted' },
  { number: 72, title: '20 KB of continuations', message: () => withFields({ 'Content-Disposition': `attachment${Array.from({ length: 1_000 }, (_, i) => `;\r\n filename*${i}*=a%ff`).join('')}` }), row: 'accepted' },
] // prettier-ignore

const ofBoundary = (type: string, body: string): Buffer =>
  sign(rawMail({ 'Content-Type': type, 'Content-Transfer-Encoding': undefined }, body))

const boundaries: MailRow[] = [
  { number: 73, title: 'a multipart without a boundary', message: () => ofBoundary('multipart/report; report-type=tlsrpt', ofParts([reportPart()])), row: 'malformed no-report' },
  { number: 73, title: 'an empty boundary', message: () => ofBoundary('multipart/mixed; boundary=""', ofParts([reportPart()], '')), row: 'malformed no-report' },
  { number: 73, title: 'a boundary of 2,049 characters', message: () => ofBoundary(`multipart/mixed; boundary="${'b'.repeat(2_049)}"`, ofParts([reportPart()], 'b'.repeat(2_049))), row: 'accepted' },
  { number: 73, title: 'a boundary that is never there', message: () => ofBoundary('multipart/mixed; boundary=other', ofParts([reportPart()])), row: 'malformed no-report' },
  { number: 73, title: 'a boundary that is never closed', message: () => ofBoundary(`multipart/mixed; boundary=${boundary}`, ofParts([reportPart()]).replace(`--${boundary}--`, '')), row: 'accepted' },
  { number: 73, title: 'a boundary inside itself', message: () => ofBoundary(`multipart/mixed; boundary=${boundary}`, ofParts([`Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n${ofParts([reportPart()])}`])), row: 'accepted' },
  { number: 73, title: 'a boundary that is the beginning of another', message: () => ofBoundary('multipart/mixed; boundary=a', `--a\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n${ofParts([reportPart()], 'ab')}\r\n--a--\r\n`), row: 'accepted' },
  { number: 73, title: 'boundaries that end in LF alone', message: () => ofBoundary(`multipart/mixed; boundary=${boundary}`, ofParts([reportPart()]).replaceAll('\r\n', '\n') + '\r\n'), row: 'accepted' },
  { number: 74, title: 'another report in the preamble and the epilogue', message: () => ofBoundary(`multipart/mixed; boundary=${boundary}`, `${reportPart()}\r\n${ofParts([reportPart()])}\r\n${reportPart()}`), row: 'accepted' },
  { number: 75, title: 'two reports', message: () => multipart([reportPart(), reportPart()]), row: ['accepted', 'accepted'] },
  { number: 75, title: 'ten reports', message: () => multipart(Array.from({ length: 10 }, () => reportPart())), row: Array<string>(10).fill('accepted') },
  { number: 75, title: 'eleven reports', message: () => multipart(Array.from({ length: 11 }, () => reportPart())), row: 'too-large too-many-reports' },
  { number: 75, title: 'a report, and one that is broken', message: () => multipart([reportPart(), reportPart(bytes('{'))]), row: ['accepted', 'malformed not-json'] },
  { number: 75, title: 'ten bombs', message: () => multipart(Array.from({ length: 10 }, () => reportPart(gzipSync(Buffer.alloc(19 * 1024 * 1024, ' '))))), row: 'too-large unpacked-too-large' },
  { number: 75, title: 'the same report twice', message: () => { const part = reportPart(); return multipart([part, part]) }, row: ['accepted', 'duplicate'] },
  { number: 76, title: 'a forwarded report', message: () => ofBoundary('message/rfc822', withFields({}).toString('latin1')), row: 'malformed no-report' },
  { number: 76, title: 'a forwarded report beside a text', message: () => multipart([text, `Content-Type: message/rfc822\r\n\r\n${withFields({}).toString('latin1')}`]), row: 'malformed no-report' },
  { number: 76, title: 'forwarded 2,000 times', message: () => ofBoundary('message/rfc822', 'Content-Type: message/rfc822\r\n\r\n'.repeat(2_000)), row: 'malformed no-report' },
  { number: 77, title: 'a DMARC report', message: () => multipart([text, reportPart(gzipSync('<?xml version="1.0"?><feedback/>'), 'application/gzip')], { 'Content-Type': `multipart/report; report-type=dmarc; boundary=${boundary}` }), row: 'malformed no-report' },
  { number: 77, title: 'a bounce', message: () => multipart([text, 'Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n'], { 'Content-Type': `multipart/report; report-type=delivery-status; boundary=${boundary}` }), row: 'malformed no-report' },
  { number: 78, title: 'application/gzip and a file name', message: () => multipart([text, reportPart(zipped(), 'application/gzip', 'Content-Disposition: attachment; filename="a!ours.example!1!2.json.gz"\r\n')]), row: 'accepted' },
  { number: 78, title: 'application/octet-stream and a file name', message: () => multipart([text, reportPart(zipped(), 'application/octet-stream', 'Content-Disposition: attachment; filename="a!ours.example!1!2.json.gz"\r\n')]), row: 'accepted' },
  { number: 78, title: 'no type at all', message: () => withFields({ 'Content-Type': undefined }), row: 'accepted media-type-unknown' },
] // prettier-ignore

const json = (): Buffer => bytes(report())
/** A lone dot between bare line ends is refused before all else: of what is random, one in fifty has one. */
const noDots = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => (byte === 0x2e ? 0x2f : byte)))
const encodings: MailRow[] = [
  { number: 79, title: 'base64 without padding', message: () => encodedAs('base64', `${json().toString('base64').replace(/=+$/, '')}\r\n`), row: 'accepted' },
  { number: 79, title: 'base64 with garbage between its lines', message: () => encodedAs('base64', base64Lines(json()).replaceAll('\r\n', ' !*%\r\n')), row: 'accepted' },
  { number: 79, title: 'base64 in lines of three', message: () => encodedAs('base64', `${json().toString('base64').match(/.{1,3}/g)!.join('\r\n')}\r\n`), row: 'accepted' },
  { number: 79, title: 'base64 in one line of 60 KB', message: () => encodedAs('base64', `${Buffer.concat([json(), Buffer.alloc(44_000, ' ')]).toString('base64')}\r\n`), row: 'accepted' },
  { number: 79, title: 'base64 in one line of 9 MB', message: () => encodedAs('base64', `${Buffer.concat([json(), Buffer.alloc(6_000_000, ' ')]).toString('base64')}\r\n`), row: 'malformed line-too-long' },
  { number: 79, title: 'base64 cut off', message: () => encodedAs('base64', base64Lines(json()).slice(0, 200) + '\r\n'), row: 'malformed not-json' },
  { number: 80, title: 'quoted-printable', message: () => encodedAs('quoted-printable', json().toString().replaceAll('=', '=3D').replace(/.{70}/g, '$&=\r\n') + '\r\n'), row: 'accepted' },
  { number: 80, title: 'quoted-printable that ends in =', message: () => encodedAs('quoted-printable', `${json().toString()}=\r\n`), row: 'accepted' },
  { number: 80, title: 'quoted-printable with =ZZ', message: () => encodedAs('quoted-printable', json().toString().replace('Sender', 'Send=ZZr') + '\r\n'), row: 'accepted' },
  { number: 80, title: '130 KB of blanks in quoted-printable', message: () => encodedAs('quoted-printable', `${json().toString()}${`${' '.repeat(60_000)}\r\n`.repeat(3)}`), row: 'accepted' },
  { number: 80, title: 'uuencode', message: () => encodedAs('x-uuencode', 'begin 644 x\r\n#0V%T\r\n`\r\nend\r\n'), row: 'malformed no-report' },
  { number: 80, title: 'an encoding that nobody knows', message: () => encodedAs('x-rot13', `${json().toString()}\r\n`), row: 'accepted' },
  { number: 80, title: 'binary', message: () => encodedAs('binary', `${json().toString()}\r\n`), row: 'accepted' },
  { number: 81, title: '50,000 parameters', message: () => withFields({ 'Content-Type': `application/tlsrpt+gzip${folded('; a=b', 250_000)}` }), row: 'malformed header-too-large' },
  { number: 81, title: '5,000 parameters', message: () => withFields({ 'Content-Type': `application/tlsrpt+gzip${'; a=b'.repeat(5_000).replace(/(.{60})/g, '$1\r\n ')}` }), row: 'accepted' },
  { number: 81, title: 'upper case, quotes and RFC 2231', message: () => ofBoundary(`Multipart/REPORT; REPORT-TYPE="TLSRPT"; boundary*0=${boundary.slice(0, 3)};\r\n boundary*1="${boundary.slice(3)}"`, ofParts([reportPart(zipped(), 'Application/TLSRPT+GZIP')])), row: 'accepted' },
  { number: 82, title: 'an empty line before the header', message: () => topped('\r\n'), row: 'malformed no-report' },
  { number: 82, title: 'a line without a colon', message: () => topped('this is no header\r\n'), row: 'accepted' },
  { number: 82, title: 'a field with a blank in its name', message: () => topped('X Y: z\r\n'), row: 'accepted' },
  { number: 82, title: 'eight-bit bytes in a name', message: () => topped('X\xff\xfe: z\r\n'), row: 'accepted' },
  { number: 82, title: 'NUL in the header', message: () => topped('X: \0\r\n'), row: 'malformed nul-byte' },
  { number: 82, title: '__proto__ as a field', message: () => topped('__proto__: x\r\nconstructor: y\r\ntoString: z\r\n'), row: 'accepted' },
  { number: 83, title: 'nothing', message: () => Buffer.alloc(0), row: 'malformed empty' },
  { number: 83, title: 'line ends and nothing else', message: () => Buffer.from('\r\n'.repeat(1_000)), row: 'malformed no-report' },
  { number: 83, title: '100 KB at random', message: () => Buffer.concat([noDots(noise(100_000)), Buffer.of(0), Buffer.from('\r\n')]), row: 'malformed nul-byte' },
  { number: 83, title: '100 KB at random, but no NUL and no CR', message: () => Buffer.concat([noDots(noise(100_000)).map((byte) => (byte === 0 || byte === 13 ? 10 : byte)), Buffer.from('\r\n')]), row: 'malformed no-report' },
  { number: 84, title: '5 MB of <div> beside a report', message: () => multipart([`Content-Type: text/html\r\n\r\n${`${'<div>'.repeat(100)}\r\n`.repeat(10_000)}`, reportPart()]), row: 'accepted' },
  { number: 84, title: '9 MB of web addresses', message: () => ofBoundary('text/plain', 'see https://a.example/b?c=d and mail x@y.example\r\n'.repeat(190_000)), row: 'malformed no-report' },
  { number: 85, title: 'S/MIME', message: () => withFields({ 'Content-Type': 'application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m' }, noise(500)), row: 'malformed no-report' },
  { number: 85, title: 'PGP', message: () => multipart(['Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n', reportPart(noise(500), 'application/octet-stream')]), row: 'malformed no-report' },
  { number: 85, title: 'TNEF', message: () => withFields({ 'Content-Type': 'application/ms-tnef; name=winmail.dat' }, noise(500)), row: 'malformed no-report' },
  { number: 86, title: 'fifty Received fields', message: () => topped('Received: from a by rua.example; Mon, 1 Jan 2024 00:00:00 +0000\r\n'.repeat(50)), row: 'accepted' },
  { number: 86, title: '51 Received fields', message: () => topped('Received: from a by rua.example; Mon, 1 Jan 2024 00:00:00 +0000\r\n'.repeat(51)), row: 'malformed mail-loop', reply: '554 5.4.6' },
  { number: 87, title: 'an automatic answer', message: () => sign(rawMail({ 'Auto-Submitted': 'auto-replied', Precedence: 'bulk', 'Content-Type': 'text/plain', 'Content-Transfer-Encoding': '7bit' }, 'I am on vacation.\r\n')), row: 'malformed no-report' },
  { number: 87, title: 'a report by a mailing list', message: () => withFields({ Precedence: 'bulk', 'List-Id': '<x.example>', 'Auto-Submitted': 'auto-generated' }), row: 'accepted', note: 'Reports are automatic, and RFC 8460 forbids none of these.' },
  { number: 88, title: 'Subject and file name of another domain', message: () => withFields({ Subject: 'Report Domain: theirs.example Submitter: x Report-ID: <y>', 'TLS-Report-Domain': 'theirs.example', 'Content-Disposition': 'attachment; filename="a!theirs.example!1!2.json.gz"' }), row: 'accepted' },
  { number: 88, title: 'a report about others under a Subject of ours', message: () => withFields({ Subject: 'Report Domain: ours.example Submitter: x Report-ID: <y>' }, zipped(JSON.stringify(report()).replaceAll('ours.example', 'theirs.example'))), row: 'not-ours not-ours' },
  { number: 89, title: 'another submitter', message: () => withFields({ 'TLS-Report-Submitter': 'mta.other.example' }), row: 'accepted submitter-differs' },
  { number: 89, title: 'the name of a company as submitter', message: () => withFields({ 'TLS-Report-Submitter': 'Sender Ltd' }), row: 'accepted submitter-differs' },
] // prettier-ignore

export const mails: Row[] = overSmtp([...structure, ...boundaries, ...encodings])
