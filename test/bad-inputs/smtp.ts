/** RFC 5321, RFC 3207: sessions that are broken, greedy, or somebody else's protocol. */
import { randomBytes } from 'node:crypto'
import { rawMail, sign, base64Lines } from '../support/report-mail.ts'
import { ruaAddress } from '../support/running-service.ts'
import { codesOf, connectSmtp, converseOn, sendMail, type SmtpClient } from '../support/smtp-client.ts'
import { bytes, report, zipped } from './report.ts'
import { greetedSession, mail, reportMail, sessionAhead, type Row } from './run-rows.ts'

const ehlo = 'EHLO client.example\r\n'
const mailFrom = 'MAIL FROM:<a@sender.example>\r\n'
const rcptTo = `RCPT TO:<${ruaAddress}>\r\n`
const envelope = [ehlo, mailFrom, rcptTo]
const data = [...envelope, 'DATA\r\n']
const quit = 'QUIT\r\n'
/** What `envelope` and `data` are answered with, the greeting before it. */
const greeted = '220, 250'
const toData = '220, 250, 250 2.1.0, 250 2.1.5, 354'

/** A conversation of which every reply is foreseen, and of which nothing comes. */
const talk = (number: number, title: string, words: (string | Buffer)[], answer: string, note?: string): Row => ({
  number,
  title,
  send: async ({ ports }) => converseOn(await sessionAhead(ports.smtp), words),
  answer,
  rows: [],
  ...(note !== undefined && { note }),
})

const good = (): Buffer => reportMail(zipped())

/** A session that a test leads itself. */
const session = (number: number, title: string, lead: (client: SmtpClient, input: Buffer) => Promise<string>, answer: string | RegExp, rows: string[] = [], make = good): Row => ({
  number,
  title,
  make,
  send: async ({ ports }, input) => {
    const client = await greetedSession(ports.smtp)
    const answer = await lead(client, input)
    client.close()
    return answer
  },
  answer,
  rows,
}) // prettier-ignore

/** The same message, cut into pieces of so many bytes, each a segment. */
async function inPieces(client: SmtpClient, message: Buffer, size: number): Promise<void> {
  for (let at = 0; at < message.length; at += size) await client.write(message.subarray(at, at + size))
}

async function openData(client: SmtpClient): Promise<void> {
  for (const command of [mailFrom, rcptTo, 'DATA\r\n']) {
    await client.write(command)
    await client.read()
  }
}

/** Not the form of an address, to smtp-server. */
const malformed = ['', 'tlsrpt', 'tlsrpt@rua.example@evil.example', '"a@b"@rua.example']

const recipients: Row[] = [
  ...['x@theirs.example', 'user%evil.example@rua.example', 'tlsrpt@rua.example@evil.example', '"a@b"@rua.example', 'evil.example!tlsrpt@rua.example', 'tlsrpt@sub.rua.example', 'postmaster@rua.example', 'postmaster', 'tlsrpt', '', 'tlsrpt@[127.0.0.1]', 'tlsrpt@rua.example.evil'].map(
    (address): Row => talk(['postmaster', 'tlsrpt', ''].includes(address) || address.startsWith('postmaster') ? 93 : 90, `RCPT TO:<${address}>`, [ehlo, mailFrom, `RCPT TO:<${address}>\r\n`, quit], `220, 250, 250 2.1.0, ${malformed.includes(address) ? '501 5.1.3' : '550 5.1.1'}, 221 2.0.0`),
  ),
  talk(90, 'a source route to others', [ehlo, mailFrom, 'RCPT TO:<@rua.example:x@theirs.example>\r\n', quit], '220, 250, 250 2.1.0, 550 5.1.1, 221 2.0.0'),
  talk(90, 'a source route to us', [ehlo, mailFrom, `RCPT TO:<@evil.example:${ruaAddress}>\r\n`, quit], '220, 250, 250 2.1.0, 250 2.1.5, 221 2.0.0'),
  talk(93, 'a tag, and upper case', [ehlo, mailFrom, 'RCPT TO:<TLSRPT+tag@RUA.Example>\r\n', quit], '220, 250, 250 2.1.0, 250 2.1.5, 221 2.0.0'),
  session(92, 'the null reverse-path', async (client, input) => { await client.say('MAIL FROM:<>'); await client.say(`RCPT TO:<${ruaAddress}>`); await client.say('DATA'); await client.write(Buffer.concat([input, Buffer.from('.\r\n')])); return client.read() }, /^250 2\.6\.0 accepted/, ['accepted']),
  talk(104, '101 recipients', [ehlo, mailFrom, ...Array<string>(101).fill(rcptTo), quit], `220, 250, 250 2.1.0, ${'250 2.1.5, '.repeat(100)}452 4.5.3, 221 2.0.0`),
  talk(104, 'eleven unknown recipients', [ehlo, mailFrom, ...Array.from({ length: 11 }, (_, i) => `RCPT TO:<x${i}@rua.example>\r\n`)], `220, 250, 250 2.1.0, ${'550 5.1.1, '.repeat(10)}421 4.7.0`),
] // prettier-ignore

/** Between a mail of ours and a smuggled one. */
const smuggled = (end: string): Buffer =>
  Buffer.concat([rawMail({}, 'hello'), Buffer.from(`${end}MAIL FROM:<x@evil.example>\r\n${rcptTo}DATA\r\nFrom: x@evil.example\r\n\r\nhello\r\n.\r\n`, 'latin1')]) // prettier-ignore
const ends: [string, string, string?][] = [
  ['\n.\n', '550 5.5.2'],
  ['\n.\r\n', '550 5.5.2'],
  ['\r\n.\n', '550 5.5.2'],
  ['\r.\r', '554 5.6.0', 'malformed bare-cr'],
  ['\r\n.\r', '554 5.6.0', 'malformed bare-cr'],
  ['\r\r\n.\r\r\n', '554 5.6.0', 'malformed bare-cr'],
  ['\n.\r', '554 5.6.0', 'malformed bare-cr'],
  ['\r.\n', '554 5.6.0', 'malformed bare-cr'],
]

const smuggling: Row[] = ends.flatMap(([end, answer, row]) => [1 << 20, 7].map((size): Row =>
  session(94, `${JSON.stringify(end)} as the end of a mail, in pieces of ${size}`, async (client, input) => {
    await openData(client)
    await inPieces(client, input, size)
    const replies = [await client.read(), await client.say('NOOP')]
    return replies.map(codesOf).join(', ')
  }, `${answer}, 250 2.0.0`, row === undefined ? [] : [row], () => smuggled(end)),
)) // prettier-ignore

const bare: Row[] = [
  session(95, 'a bare LF in the text', (client, input) => sendMail(client, ruaAddress, input), /^250 2\.6\.0 accepted/, ['accepted'], () => sign(rawMail({ 'Content-Type': 'application/tlsrpt+json', 'Content-Transfer-Encoding': '8bit' }, Buffer.concat([bytes(report()), Buffer.from('\n \n\r\n')])), { canonicalization: 'simple/simple' })),
  session(95, 'a bare CR in the text', (client, input) => sendMail(client, ruaAddress, input), /^554 5\.6\.0 bare-cr/, ['malformed bare-cr'], () => rawMail({}, 'a\rb\r\n')),
  session(95, 'NUL in the text', (client, input) => sendMail(client, ruaAddress, input), /^554 5\.6\.0 nul-byte/, ['malformed nul-byte'], () => rawMail({}, 'a\0b\r\n')),
  session(118, 'lines that begin with dots, a byte at a time', async (client, input) => { await openData(client); await inPieces(client, Buffer.from(`${input.toString('latin1').replace(/^\./gm, '..')}.\r\n`, 'latin1'), 1); return client.read() }, /^250 2\.6\.0 accepted/, ['accepted'], () => sign(rawMail({ 'Content-Type': 'multipart/mixed; boundary=b', 'Content-Transfer-Encoding': undefined, Date: 'x' }, `.\r\n..\r\n...x\r\n--b\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(zipped())}--b--\r\n.\r\n`))),
  session(120, 'eight-bit bytes without BODY=8BITMIME', (client, input) => sendMail(client, ruaAddress, input), /^250 2\.6\.0 accepted/, ['accepted'], () => sign(rawMail({ 'Content-Type': 'application/tlsrpt+json', 'Content-Transfer-Encoding': '8bit' }, Buffer.concat([bytes(report({ 'organization-name': 'Sénder' })), Buffer.from('\r\n')])))),
  talk(96, 'commands that end in LF alone', ['EHLO a\n', 'MAIL FROM:<a@b.example>\n', 'QUIT\n'], '220, 250, 250 2.1.0, 221 2.0.0', 'Tolerated before DATA; a dot between bare LFs is not.'),
] // prettier-ignore

const startTls: Row[] = [
  talk(97, 'what is said in one segment with STARTTLS', [ehlo, `STARTTLS\r\n${ehlo}${mailFrom}`], '220, 250, 220 2.0.0'),
  session(97, 'a session in one segment behind STARTTLS is not heard', async (client) => {
    await client.write(`STARTTLS\r\n${mailFrom}${rcptTo}`)
    const replies = [codesOf(await client.read())]
    await client.shakeHands().then(async () => replies.push(codesOf(await client.say('RCPT TO:<x@y.example>'))), () => replies.push('closed'))
    return replies.join(', ')
  }, /^220(?: 2\.0\.0)?, (?:503 5\.5\.1|closed)$/),
  session(97, '250 lines in one segment', async (client) => {
    await client.write('NOOP\r\n'.repeat(200))
    const replies = new Set<string>()
    for (let i = 0; i < 200; i++) replies.add(codesOf(await client.read()))
    return [...replies].join(', ')
  }, '250 2.0.0'),
  session(97, 'a session in segments of a byte', async (client, input) => {
    await inPieces(client, Buffer.from(mailFrom + rcptTo + 'DATA\r\n'), 1)
    for (let i = 0; i < 3; i++) await client.read()
    await client.write(Buffer.concat([input, Buffer.from('.\r\n')]))
    return client.read()
  }, /^250 2\.6\.0 accepted/, ['accepted']),
  talk(98, 'STARTTLS with a parameter', [ehlo, 'STARTTLS foo\r\n', quit], '220, 250, 501 5.5.4, 221 2.0.0'),
  session(98, 'STARTTLS a second time', async (client) => { await client.startTls(); await client.say('EHLO x'); return codesOf(await client.say('STARTTLS')) }, '503 5.5.1'),
  session(98, 'STARTTLS drops the envelope', async (client) => { await client.say(mailFrom.trim()); await client.startTls(); return codesOf(await client.say(rcptTo.trim())) }, '503 5.5.1'),
  session(99, 'garbage for a handshake', async (client) => { await client.say('STARTTLS'); await client.write(randomBytes(1_000)); return client.read() }, 'closed'),
  session(99, 'plain text for a handshake', async (client) => { await client.say('STARTTLS'); await client.write(ehlo); return client.read() }, 'closed'),
  session(99, 'SNI of a name that is not ours', async (client) => { await client.startTls({ servername: 'evil.example' }); return codesOf(await client.say('EHLO x')) }, '250'),
  session(99, 'SNI of 250 characters', async (client) => { await client.startTls({ servername: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}` }); return codesOf(await client.say('EHLO x')) }, '250'),
  session(100, 'no TLS', (client, input) => sendMail(client, ruaAddress, input), /^250 2\.6\.0 accepted/, ['accepted']),
  ...(['TLSv1', 'TLSv1.1'] as const).map((version): Row => session(101, version, async (client) => {
    await client.say('STARTTLS')
    await client.shakeHands({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }).catch(() => undefined)
    return client.read()
  }, 'closed')),
  session(101, 'a cipher that is not ours', async (client) => {
    await client.say('STARTTLS')
    await client.shakeHands({ maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' }).catch(() => undefined)
    return client.read()
  }, 'closed'),
] // prettier-ignore

const commands: Row[] = [
  talk(102, 'a command of 2,049 bytes', [`EHLO ${'x'.repeat(2_049)}\r\n`], '220, 421 4.4.2'),
  talk(102, 'a command of 17 KB', [`NOOP ${'x'.repeat(17_000)}\r\n`], '220, 421 4.4.2'),
  session(102, 'a megabyte without a line end', async (client, input) => { await client.write(input); return codesOf(await client.read()) }, /^(?:421 4\.[47]\.\d|closed)$/, [], () => Buffer.alloc(1_000_000, 'x')),
  session(103, '10,000 NOOPs of a client that reads nothing', async (client, input) => {
    await client.write(input)
    for (;;) {
      const reply = codesOf(await client.read())
      if (reply !== '250 2.0.0') return reply
    }
  }, /^(?:421 4\.[47]\.\d|closed)$/, [], () => Buffer.from('NOOP\r\n'.repeat(10_000))),
  talk(105, 'DATA before RCPT', [ehlo, mailFrom, 'DATA\r\n', quit], '220, 250, 250 2.1.0, 503 5.5.1, 221 2.0.0'),
  talk(105, 'RCPT before MAIL', [ehlo, rcptTo, quit], '220, 250, 503 5.5.1, 221 2.0.0'),
  talk(105, 'MAIL within MAIL', [ehlo, mailFrom, mailFrom, quit], '220, 250, 250 2.1.0, 503 5.5.1, 221 2.0.0'),
  talk(105, 'MAIL before EHLO', [mailFrom, quit], '220, 503 5.5.1, 221 2.0.0'),
  talk(106, 'a size too large', [ehlo, 'MAIL FROM:<a@b.example> SIZE=10485761\r\n', quit], '220, 250, 552 5.3.4, 221 2.0.0'),
  talk(106, 'a size that is no number', [ehlo, 'MAIL FROM:<a@b.example> SIZE=abc\r\n', quit], '220, 250, 501 5.5.4, 221 2.0.0'),
  talk(106, 'two sizes', [ehlo, 'MAIL FROM:<a@b.example> SIZE=1 SIZE=2\r\n', quit], '220, 250, 501 5.5.4, 221 2.0.0'),
  session(106, 'a size of 1, and then a mail', async (client, input) => { await client.say('MAIL FROM:<a@b.example> SIZE=1'); await client.say(rcptTo.trim()); await client.say('DATA'); await client.write(Buffer.concat([input, Buffer.from('.\r\n')])); return client.read() }, /^250 2\.6\.0 accepted/, ['accepted']),
  session(107, '10 MiB and a byte', (client, input) => sendMail(client, ruaAddress, input), /^552 5\.3\.4 message-too-large/, ['too-large message-too-large'], () => Buffer.concat([rawMail({}, ''), Buffer.alloc(10 * 1024 * 1024, `${'x'.repeat(76)}\r\n`), Buffer.from('\r\n')])),
  session(107, 'a gigabyte', async (client, input) => {
    await openData(client)
    for (let i = 0; i < 1_024; i++) await client.write(input)
    return codesOf(await client.read())
  }, /^(?:552 5\.3\.4|closed)$/, ['too-large message-too-large'], () => Buffer.alloc(1024 * 1024, `${'x'.repeat(62)}\r\n`)),
  ...([['BODY=BINARYMIME', '501 5.5.4'], ['FOO=bar', '555 5.5.4'], ['REQUIRETLS', '530 5.7.0'], ['RET=HDRS ENVID=x', '250 2.1.0'], ['BODY=8BITMIME', '250 2.1.0']] as const).map(
    ([parameter, answer]) => talk(108, parameter, [ehlo, `MAIL FROM:<a@b.example> ${parameter}\r\n`, quit], `220, 250, ${answer}, 221 2.0.0`),
  ),
  talk(108, 'an address of UTF-8', [ehlo, 'MAIL FROM:<ä@b.example> SMTPUTF8\r\n', quit], '220, 250, 250 2.1.0, 221 2.0.0'),
  talk(108, 'BDAT', [...envelope, 'BDAT 5 LAST\r\n', quit], '220, 250, 250 2.1.0, 250 2.1.5, 502 5.5.1, 221 2.0.0'),
  ...['AUTH PLAIN AAAA', 'XCLIENT ADDR=1.2.3.4', 'XFORWARD ADDR=1.2.3.4', 'EXPN list', 'ETRN x', 'TURN', 'WIZ x', 'SHELL', 'KILL', 'SEND FROM:<a@b>', 'SAML FROM:<a@b>'].map((command): Row =>
    talk(109, command, [ehlo, `${command}\r\n`, quit], `${greeted}, 502 5.5.1, 221 2.0.0`),
  ),
  talk(109, 'VRFY', [ehlo, 'VRFY root\r\n', quit], `${greeted}, 252 2.1.5, 221 2.0.0`),
  talk(109, 'HELP', [ehlo, 'HELP\r\n', quit], `${greeted}, 214 2.0.0, 221 2.0.0`),
  talk(109, 'a PROXY line', ['PROXY TCP4 1.2.3.4 5.6.7.8 1 25\r\n', quit], '220, 500 5.5.2, 221 2.0.0'),
  talk(110, 'HTTP', ['GET / HTTP/1.1\r\n', quit], '220, 421 4.4.2, closed'),
  talk(110, 'a TLS ClientHello', [Buffer.from('160301020001000001fc03030d0a', 'hex')], '220, 500 5.5.2'),
  ...['x'.repeat(300), 'a\x01b', '[127.0.0.1', '<script>', 'ü', ''].map((name): Row =>
    talk(119, `EHLO ${JSON.stringify(name.slice(0, 20))}`, [`EHLO ${name}\r\n`, quit], ['', 'a\x01b'].includes(name) ? '220, 501, 221 2.0.0' : '220, 250, 221 2.0.0'),
  ),
  talk(117, 'an envelope does not outlive RSET', [...envelope, 'RSET\r\n', 'DATA\r\n', quit], '220, 250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 503 5.5.1, 221 2.0.0'),
  talk(117, 'QUIT in the middle', [...envelope, quit], '220, 250, 250 2.1.0, 250 2.1.5, 221 2.0.0'),
  session(117, 'the hundred and first mail of a connection', async (client) => {
    for (let i = 0; i < 100; i++) await sendMail(client, ruaAddress, 'x\r\n')
    return codesOf(await client.say(mailFrom.trim()))
  }, '421 4.7.0', Array<string>(100).fill('malformed no-report')),
  { ...talk(117, 'RSET within DATA is text', [...data, 'RSET\r\n.\r\n', quit], `${toData}, 554 5.6.0, 221 2.0.0`), rows: ['malformed no-report'] },
] // prettier-ignore

const leaving: Row[] = [
  { number: 111, title: 'who talks before the greeting', send: async ({ ports }) => { const client = await connectSmtp(ports.smtp); await client.write(ehlo); const reply = codesOf(await client.read()); client.close(); return reply }, answer: '421', rows: [] },
  { number: 115, title: 'resets at every step', send: async ({ ports }) => {
    for (const words of [[], [ehlo], [ehlo, mailFrom], envelope, data, [...data, 'From: x\r\n']]) {
      await Promise.all(Array.from({ length: 20 }, async () => {
        const client = await connectSmtp(ports.smtp)
        for (const word of words) await client.write(word)
        client.reset()
      }))
    }
    return 'gone'
  }, answer: 'gone', rows: [] },
  { number: 116, title: 'who vanishes behind the final dot', make: good, send: async ({ ports }, input) => {
    const client = await greetedSession(ports.smtp)
    await openData(client)
    await client.write(Buffer.concat([input, Buffer.from('.\r\n')]))
    client.close()
    return 'gone'
  }, answer: 'gone', rows: ['accepted'] },
  { number: 116, title: 'who vanishes, and comes again', make: good, send: async ({ ports }, input) => {
    const client = await greetedSession(ports.smtp)
    await openData(client)
    await client.write(Buffer.concat([input, Buffer.from('.\r\n')]))
    client.close()
    return mail(ports.smtp, input)
  }, answer: /^250 2\.6\.0 (?:accepted|duplicate)/, rows: ['accepted', 'duplicate'] },
] // prettier-ignore

export const smtp: Row[] = [...recipients, ...smuggling, ...bare, ...startTls, ...commands, ...leaving]
