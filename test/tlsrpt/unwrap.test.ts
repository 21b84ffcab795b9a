import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { constants, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { Provenance, Submission } from '../../src/tlsrpt/submission.ts'
import {
  policyDomainOfFileName,
  policyDomainOfSubject,
  unwrap,
  type Unwrapped,
  type UnwrapLimits,
} from '../../src/tlsrpt/unwrap.ts'

const limits: UnwrapLimits = {
  compressedBytes: 8 * 1024 * 1024,
  jsonBytes: 20 * 1024 * 1024,
  headerBytes: 256 * 1024,
  headerFields: 1000,
  headerFieldBytes: 32 * 1024,
  receivedFields: 50,
  lineBytes: 65_536,
  mimeDepth: 10,
  mimeParts: 50,
  reportParts: 10,
}
const smtp: Provenance = {
  transport: 'smtp',
  peerAddress: '192.0.2.1',
  helo: 'mx.sender.example',
  mailFrom: '',
  rcptTo: ['tlsrpt@rcpt.example'],
  tls: true,
}
const json = '{"organization-name":"Société d’exemple","report-id":"r-1"}'
const zipped = gzipSync(json)
const fileName = 'sender.example!rcpt.example!1772323200!1772409599!001.json.gz'

const submit = (raw: Buffer, form: Submission['form'], provenance: Provenance, within = limits) =>
  unwrap({ raw, form, arrivedAt: new Date('2026-03-02T03:00:00Z'), provenance }, within)
const unwrapMail = (raw: string | Buffer, within = limits) =>
  submit(typeof raw === 'string' ? Buffer.from(raw) : raw, 'message', smtp, within)

/** One line for each part: 'payload codes...' or 'kind reason'; one line for a refusal of the whole. */
function told(unwrapped: Unwrapped): string[] {
  const parts = unwrapped.kind === 'unwrapped' ? unwrapped.parts : [unwrapped]
  return parts.map((part) =>
    part.kind === 'payload'
      ? ['payload', ...part.anomalies.map(({ code }) => code)].join(' ')
      : `${part.kind} ${part.reason}`,
  )
}
const toldOf = async (raw: string | Buffer, within = limits) => told(await unwrapMail(raw, within))

function payloads(unwrapped: Unwrapped): string[] {
  assert.ok(unwrapped.kind === 'unwrapped', JSON.stringify(unwrapped))
  return unwrapped.parts.flatMap((part) => (part.kind === 'payload' ? Buffer.from(part.json).toString() : []))
}

const top = [
  'From: TLS reports <tlsrpt@sender.example>',
  'To: tlsrpt@rcpt.example',
  'Subject: Report Domain: rcpt.example Submitter: sender.example Report-ID: <r-1@sender.example>',
  'TLS-Report-Domain: rcpt.example',
  'TLS-Report-Submitter: sender.example',
  'MIME-Version: 1.0',
]
const message = (fields: string[], body: string) => [...top, ...fields, '', body].join('\r\n')
const part = (fields: string[], content: string) => [...fields, '', content].join('\r\n')
const multipart = (parts: string[], boundary = 'BB') =>
  ['preamble', ...parts.flatMap((each) => [`--${boundary}`, each]), `--${boundary}--`, ''].join('\r\n')
const multipartType = 'Content-Type: multipart/report; report-type="tlsrpt"; boundary="BB"'
const mail = (...parts: string[]) => message([multipartType], multipart(parts))

const base64 = (content: string | Buffer) => Buffer.from(content).toString('base64').replaceAll(/.{76}/g, '$&\r\n')
const attached = (type: string, content: string | Buffer, name?: string) =>
  part(
    [
      `Content-Type: ${type}`,
      'Content-Transfer-Encoding: base64',
      ...(name === undefined ? [] : [`Content-Disposition: attachment; filename="${name}"`]),
    ],
    base64(content),
  )
const text = part(['Content-Type: text/plain'], 'This is an aggregate TLS report from sender.example')
const report = attached('application/tlsrpt+gzip', zipped, fileName)
/** A report mail as it stands in another one: with a boundary of its own. */
const inner = message(['Content-Type: multipart/report; boundary=INNER'], multipart([text, report], 'INNER'))
const dmarc = attached('application/gzip', gzipSync('<?xml version="1.0"?><feedback/>'), 'a!b!1!2.xml.gz')

test('a report mail gives its JSON, its file name and what the mail says of itself', async () => {
  const unwrapped = await unwrapMail(mail(text, report))
  assert.deepEqual(payloads(unwrapped), [json])
  assert.ok(unwrapped.kind === 'unwrapped')
  assert.deepEqual(unwrapped.parts, [{ kind: 'payload', json: Buffer.from(json), fileName, anomalies: [] }])
  assert.deepEqual(unwrapped.mail, {
    from: ['tlsrpt@sender.example'],
    fromFields: 1,
    subject: 'Report Domain: rcpt.example Submitter: sender.example Report-ID: <r-1@sender.example>',
    tlsReportDomain: 'rcpt.example',
    tlsReportDomainFields: 1,
    tlsReportSubmitter: 'sender.example',
    tlsReportSubmitterFields: 1,
  })
})

test('a folded and encoded Subject is read, and the bottom-most of several', async () => {
  const subject = [
    'Subject: forged',
    'Subject: =?utf-8?Q?Report_Domain:?=',
    ' =?utf-8?B?IHJjcHQuZXhhbXBsZSBTdWJtaXR0ZXI6?= x',
  ]
  const unwrapped = await unwrapMail([...subject, multipartType, '', multipart([report])].join('\r\n'))
  assert.ok(unwrapped.kind === 'unwrapped')
  assert.equal(unwrapped.mail?.subject, 'Report Domain: rcpt.example Submitter: x')
  assert.deepEqual(told(unwrapped), ['payload header-fields-repeated'])
})

test('a candidate is known by its type or its name, and its content decides', async () => {
  const parts: [string, string][] = [
    [attached('application/tlsrpt+gzip', zipped), 'payload'],
    [attached('APPLICATION/TLSRPT+GZIP', zipped), 'payload'],
    [attached('application/tlsrpt+json', json), 'payload'],
    [attached('application/tlsrpt', json), 'payload'],
    [attached('application/tlsrpt+gzip', json), 'payload media-type-mismatch'],
    [attached('application/tlsrpt+json', zipped), 'payload media-type-mismatch'],
    [attached('application/gzip', zipped), 'payload'],
    [attached('application/x-gzip', zipped), 'payload'],
    [attached('application/json', json), 'payload'],
    [attached('application/octet-stream', zipped), 'payload'],
    [attached('application/octet-stream', json, 'x'), 'payload'],
    [attached('application/octet-stream', zipped, fileName), 'payload'],
    [attached('text/plain', json, 'REPORT.JSON'), 'payload media-type-unknown'],
    [attached('x/y', zipped, 'report.json.gz'), 'payload media-type-unknown'],
    [attached('application/zip', zipped, 'report.gz'), 'payload media-type-unknown'],
    [attached('application/tlsrpt+gzip', gzipSync(zipped)), 'payload gzip-twice'],
    [attached('application/tlsrpt+json', '[]'), 'payload'], // The parser names it.
    [attached('application/tlsrpt+json', `\ufeff \r\n${json}`), 'payload'],
    [attached('text/plain', json), 'malformed no-report'],
    [attached('text/html', json, 'report.html'), 'malformed no-report'],
    [attached('application/json', '[]'), 'malformed no-report'],
    [attached('application/gzip', gzipSync('[]')), 'malformed no-report'],
  ]
  for (const [each, expected] of parts) assert.deepEqual(await toldOf(mail(text, each)), [expected], each)
})

test('a file name may stand in either field and in any encoding', async () => {
  const names: [string, string][] = [
    ['Content-Disposition: attachment;\r\n filename="a!b.example!1!2.json"', 'a!b.example!1!2.json'],
    ["Content-Disposition: attachment; filename*0*=utf-8''a%21b; filename*1=.json", 'a!b.json'],
    ['Content-Disposition: inline; filename="=?utf-8?Q?a=21b.json?="', 'a!b.json'],
    ['Content-Disposition: attachment', 'c.json'],
  ]
  for (const [disposition, expected] of names) {
    const unwrapped = await unwrapMail(mail(part(['Content-Type: text/plain; name=c.json', disposition], json)))
    assert.ok(unwrapped.kind === 'unwrapped' && unwrapped.parts[0]?.kind === 'payload', disposition)
    assert.equal(unwrapped.parts[0].fileName, expected, disposition)
  }
})

test('JSON in a text part comes out with its own bytes, whatever its label and encoding', async () => {
  const quoted = Buffer.from(json)
    .toString('latin1')
    .replaceAll(/[=\x80-\xff]/g, (c) => `=${c.charCodeAt(0).toString(16)}`)
  const types = [
    'text/plain; charset=utf-8',
    'text/plain; charset=iso-8859-1',
    'text/plain; charset=x-none; format=flowed; delsp=yes',
  ]
  for (const type of types) {
    for (const disposition of ['attachment', 'inline']) {
      const fields = [`Content-Type: ${type}`, `Content-Disposition: ${disposition}; filename="r.json"`]
      const asIs = part([...fields, 'Content-Transfer-Encoding: 8bit'], json)
      const printable = part([...fields, 'Content-Transfer-Encoding: Quoted-Printable'], quoted)
      const expected = 'payload media-type-unknown'
      for (const each of [asIs, printable]) {
        const unwrapped = await unwrapMail(mail(text, each))
        assert.deepEqual(told(unwrapped), [expected])
        assert.deepEqual(payloads(unwrapped), [json])
      }
    }
  }
})

test('base64 is decoded as long as the gzip in it comes out whole', async () => {
  const plain = zipped.toString('base64')
  const unpadded = gzipSync(`${json}${' '.repeat((3 - (gzipSync(json).length % 3)) % 3)}`)
  const contents: [string, string][] = [
    [plain, 'payload'],
    [plain.replaceAll('=', ''), 'payload'],
    [plain.replaceAll(/.{3}/g, '$&\r\n'), 'payload'],
    [plain.replaceAll(/.{5}/g, '$& \t'), 'payload'],
    [plain.replaceAll(/.{20}/g, '$&*!\r\n'), 'payload'],
    [`\r\n\r\n${plain}\r\n\r\n`, 'payload'],
    [plain.slice(0, plain.length >> 1), 'malformed gzip-truncated'],
    [plain.replace(/^(.{60})../, '$1AA'), 'malformed gzip-broken'],
  ]
  for (const [content, expected] of contents) {
    const fields = ['Content-Type: application/tlsrpt+gzip', 'Content-Transfer-Encoding: BASE64']
    assert.deepEqual(await toldOf(mail(text, part(fields, content))), [expected], content)
  }
  const footer = '\r\n\r\n_______\r\nlist mailing list\r\nlist@lists.example\r\n'
  const outcomes = await Promise.all(
    [zipped, gzipSync(`${json} `), gzipSync(`${json}  `), unpadded].map((content) =>
      toldOf(
        mail(
          part(
            ['Content-Type: application/tlsrpt+gzip', 'Content-Transfer-Encoding: base64'],
            content.toString('base64') + footer,
          ),
        ),
      ),
    ),
  )
  for (const outcome of outcomes.flat()) assert.match(outcome, /^(payload|malformed gzip-broken)$/)
})

test('a message may be nothing but the report', async () => {
  const bodies: [string[], string | Buffer, string][] = [
    [['Content-Type: application/tlsrpt+json'], json, 'payload'],
    [['Content-Type: application/tlsrpt+gzip', 'Content-Transfer-Encoding: base64'], base64(zipped), 'payload'],
    [
      ['Content-Type: application/octet-stream; name=r.json.gz', 'Content-Transfer-Encoding: base64'],
      base64(zipped),
      'payload',
    ],
    [['Content-Type: text/plain'], json, 'payload media-type-unknown'],
    [[], json, 'payload media-type-unknown'],
    [[], 'Dear postmaster,', 'malformed no-report'],
    [[], '5 failures', 'malformed no-report'],
    [[], '', 'malformed no-report'],
    [['Content-Type: application/tlsrpt+json'], '', 'malformed empty'],
    [['Content-Type: application/tlsrpt+json'], 'hello', 'malformed no-report'],
    [['Content-Type: application/pkcs7-mime; smime-type=enveloped-data'], 'MIAG', 'malformed no-report'],
  ]
  for (const [fields, body, expected] of bodies) {
    assert.deepEqual(await toldOf(message(fields, body.toString())), [expected], fields.join())
  }
})

test('a mail without a report is refused, by the finer reason where there is one', async () => {
  const mails: [string, string][] = [
    [mail(text), 'malformed no-report'],
    [mail(text, dmarc), 'malformed no-report'],
    [mail(text, attached('application/tlsrpt+gzip', gzipSync('<?xml?>'))), 'malformed no-report'],
    [mail(text, attached('application/tlsrpt+gzip', zipped.subarray(0, -9))), 'malformed gzip-truncated'],
    [
      mail(text, attached('application/tlsrpt+gzip', Buffer.concat([zipped, Buffer.from('PK')]))),
      'malformed gzip-broken',
    ],
    [mail(text, attached('application/tlsrpt+gzip', gzipSync(gzipSync(zipped)))), 'malformed gzip-too-deep'],
    [mail(text, attached('application/tlsrpt+gzip', 'PK\x03\x04')), 'malformed zip-not-supported'],
    [mail(text, attached('application/tlsrpt+gzip', '')), 'malformed empty'],
    [mail(text, dmarc, attached('application/gzip', zipped.subarray(0, -1))), 'malformed gzip-truncated'],
    [mail(text, attached('application/octet-stream', '-----BEGIN PGP MESSAGE-----')), 'malformed no-report'],
    [mail(text, attached('application/ms-tnef', '\x78\x9f\x3e\x22', 'winmail.dat')), 'malformed no-report'],
    [
      message(
        ['Content-Type: multipart/report; report-type=delivery-status; boundary=BB'],
        multipart([
          text,
          part(['Content-Type: message/delivery-status'], 'Reporting-MTA: dns; mx.example'),
          part(['Content-Type: message/rfc822'], inner),
        ]),
      ),
      'malformed no-report',
    ],
    [message(['Auto-Submitted: auto-replied'], 'I am on holiday.'), 'malformed no-report'],
    ['', 'malformed empty'],
    ['\r\n\r\n\r\n', 'malformed no-report'],
  ]
  for (const [each, expected] of mails) assert.deepEqual(await toldOf(each), [expected], each)
})

test('a forwarded report is never looked into', async () => {
  const fields = [
    'Content-Type: message/rfc822',
    'content-type: MESSAGE/RFC822; name="r.json"',
    'Content-Type: message/global',
  ]
  for (const field of fields) {
    for (const disposition of ['inline', 'attachment; filename="report.json"']) {
      const forwarded = part([field, `Content-Disposition: ${disposition}`], inner)
      assert.deepEqual(await toldOf(mail(text, forwarded)), ['malformed no-report'], field + disposition)
      assert.deepEqual(await toldOf(mail(text, forwarded, report)), ['payload'], field + disposition)
    }
  }
  assert.deepEqual(await toldOf(message(['Content-Type: message/rfc822'], json)), ['malformed no-report'])
  const deep = 'Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n'.repeat(2000)
  assert.deepEqual(await toldOf(mail(deep)), ['malformed no-report'])
})

test('each report of a mail is a part; what plainly is no report does not matter beside one', async () => {
  const second = attached('application/tlsrpt+json', '{"report-id":"r-2"}')
  const unwrapped = await unwrapMail(
    mail(text, second, dmarc, attached('application/json', '[1]'), attached('application/tlsrpt+gzip', ''), report),
  )
  assert.deepEqual(payloads(unwrapped), ['{"report-id":"r-2"}', json])
  assert.equal(told(unwrapped).length, 2)
  const broken = attached('application/tlsrpt+gzip', zipped.subarray(0, -1))
  const brokenOther = attached('application/gzip', zipped.subarray(0, -1))
  assert.deepEqual(await toldOf(mail(report, broken, brokenOther)), ['payload', 'malformed gzip-truncated'])
})

test('a mail may have as many reports as allowed', async () => {
  const reports = (count: number) => mail(text, ...Array<string>(count).fill(report))
  assert.deepEqual(await toldOf(reports(10)), Array<string>(10).fill('payload'))
  assert.deepEqual(await toldOf(reports(11)), ['too-large too-many-reports'])
})

test('all reports of a mail together may unpack to as many bytes as allowed', async () => {
  const padded = (bytes: number) => attached('application/tlsrpt+gzip', gzipSync(json.padEnd(bytes)))
  const within = { ...limits, jsonBytes: 2 * Buffer.byteLength(json.padEnd(1000)) }
  assert.deepEqual(await toldOf(mail(padded(1000), padded(1000)), within), ['payload', 'payload'])
  assert.deepEqual(await toldOf(mail(padded(1000), padded(1001)), within), ['too-large unpacked-too-large'])
  assert.deepEqual(await toldOf(mail(report, attached('application/gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024))))), [
    'too-large unpacked-too-large',
  ])
  const stored = attached('application/tlsrpt+gzip', gzipSync(json, { level: constants.Z_NO_COMPRESSION }))
  assert.deepEqual(await toldOf(mail(stored), { ...limits, compressedBytes: Buffer.byteLength(json) }), [
    'too-large compressed-too-large',
  ])
})

test('what stands before the first boundary and after the last is no part', async () => {
  const lookalike = ['--BB', report, '--BB--'].join('\r\n')
  const inner = attached('application/tlsrpt+json', '{"report-id":"inside"}')
  assert.deepEqual(
    payloads(await unwrapMail(message([multipartType], `${report}\r\n${multipart([inner])}\r\n${lookalike}\r\n`))),
    ['{"report-id":"inside"}'],
  )
  assert.deepEqual(await toldOf(message([multipartType], `${report}\r\n`)), ['malformed no-report'])
})

test('odd boundaries find the report or none, and nothing else happens', async () => {
  const long = 'b'.repeat(2049)
  const mails: [string, string][] = [
    [message(['Content-Type: multipart/report'], multipart([report])), 'malformed no-report'],
    [message(['Content-Type: multipart/report; boundary=""'], multipart([report])), 'malformed no-report'],
    [message(['Content-Type: multipart/'], multipart([report])), 'malformed no-report'],
    [message([`Content-Type: multipart/report; boundary=${long}`], multipart([report], long)), 'payload'],
    [message(['Content-Type: MULTIPART/REPORT; BOUNDARY="B (B)?=:"'], multipart([report], 'B (B)?=:')), 'payload'],
    [message([multipartType], multipart([report]).replace('--BB--\r\n', '')), 'payload'],
    [message([multipartType], `--BB\r\n${report}`), 'payload'],
    [
      message([multipartType], multipart([part(['Content-Type: multipart/mixed; boundary=BB'], multipart([report]))])),
      'payload',
    ],
    [
      message(
        [multipartType],
        multipart([part(['Content-Type: multipart/mixed; boundary=BBB'], multipart([report], 'BBB'))]),
      ),
      'payload',
    ],
    [message([multipartType], '--BB\r\n--BB\r\n--BB--'), 'malformed no-report'],
    [message([multipartType], '\r\n'), 'malformed no-report'],
    [mail(text, report).replaceAll('\r\n', '\n'), 'payload'],
  ]
  for (const [each, expected] of mails) assert.deepEqual(await toldOf(each), [expected], each)
})

const nested = (depth: number): string =>
  depth === 0
    ? report
    : part([`Content-Type: multipart/mixed; boundary=B${depth}`], multipart([nested(depth - 1)], `B${depth}`))

test('multiparts may be nested as deep as allowed', async () => {
  assert.deepEqual(await toldOf(`${top.join('\r\n')}\r\n${nested(10)}`), ['payload'])
  assert.deepEqual(await toldOf(`${top.join('\r\n')}\r\n${nested(11)}`), ['malformed mime-too-deep'])
  assert.deepEqual(await toldOf(`${top.join('\r\n')}\r\n${nested(50)}`), ['malformed mime-too-deep'])
  const endless = Array.from(
    { length: 5000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=B${i}\r\n\r\n--B${i}\r\n`,
  )
  assert.deepEqual(await toldOf(endless.join('')), ['malformed too-many-parts'])
})

test('a mail may have as many parts as allowed', async () => {
  assert.deepEqual(await toldOf(mail(...Array<string>(49).fill(text), report)), ['payload'])
  assert.deepEqual(await toldOf(mail(...Array<string>(50).fill(text), report)), ['malformed too-many-parts'])
  assert.deepEqual(await toldOf(mail(...Array<string>(100_000).fill(''))), ['malformed too-many-parts'])
})

test('the header of a part may be as large as that of the mail', async () => {
  const headed = (bytes: number) => mail(part(['X: '.padEnd(bytes, 'x'), 'Content-Type: application/json'], json))
  const within = { ...limits, headerBytes: 2000 }
  assert.deepEqual(await toldOf(headed(1900), within), ['payload'])
  assert.deepEqual(await toldOf(headed(2000), within), ['malformed header-too-large'])
})

test('repeated Content fields are settled in one way, and noted', async () => {
  const lower = message(['Content-Type: multipart/mixed; boundary=ZZ', multipartType], multipart([report]))
  assert.deepEqual(await toldOf(lower), ['payload header-fields-repeated'])
  const upper = message([multipartType, 'Content-Type: multipart/mixed; boundary=ZZ'], multipart([report]))
  assert.deepEqual(await toldOf(upper), ['malformed no-report'])
  const inPart = part(
    ['Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: 8bit', 'Content-Type: application/gzip'],
    base64(zipped),
  )
  assert.deepEqual(await toldOf(mail(inPart)), ['payload header-fields-repeated'])
})

test('odd header lines do no harm', async () => {
  for (const line of [
    '__proto__: x',
    'constructor: x',
    'no colon here',
    'Fr\u00f6m: x',
    'X : y',
    'Content-Type : text/html',
  ]) {
    assert.match((await toldOf(message([line, multipartType], multipart([report])))).join(), /^payload/, line)
  }
  assert.deepEqual(await toldOf(`\r\n${mail(report)}`), ['malformed no-report'])
  assert.deepEqual(await toldOf(`From x@y Tue Mar  3 05:24:41 2020\r\n${mail(report)}`), ['payload'])
})

test('the bounds of a mail hold before it is parsed', async () => {
  assert.deepEqual(await toldOf(mail(report, `\0`)), ['malformed nul-byte'])
  assert.deepEqual(await toldOf(mail(report, 'a\rb')), ['malformed bare-cr'])
  assert.deepEqual(await toldOf(mail(attached('x/y', ''), 'x'.repeat(65_537))), ['malformed line-too-long'])
  assert.deepEqual(
    await toldOf(message([...Array<string>(51).fill('Received: x'), multipartType], multipart([report]))),
    ['malformed mail-loop'],
  )
})

/** `stall` is the longest time in milliseconds that the event loop had no turn. */
async function whileWatched<T>(work: () => Promise<T>): Promise<{ outcome: T; stall: number }> {
  let stall = 0
  let last = performance.now()
  let watching = true
  const watch = () => {
    stall = Math.max(stall, performance.now() - last)
    last = performance.now()
    if (watching) setImmediate(watch)
  }
  setImmediate(watch)
  const outcome = await work()
  await new Promise((resolve) => setImmediate(resolve))
  watching = false
  return { outcome, stall }
}

test('no mail makes the service stall', { timeout: 120_000 }, async (t) => {
  const blanks = `${' '.repeat(65_000)}x\r\n`
  const base = 'Content-Type: application/json\r\nContent-Transfer-Encoding:'
  const megabytes = (line: string, count: number) => line.repeat(Math.floor((count * 1024 * 1024) / line.length))
  const words = '=?utf-8?B?YWE=?= '
  const folded = (token: string, count: number) => `${token.repeat(20)}\r\n `.repeat(count / 20)
  const mails = {
    '10 MiB of base64': mail(part([`${base} base64`], megabytes(`${'A'.repeat(76)}\r\n`, 10))),
    '10 MiB of base64 garbage': mail(part([`${base} base64`], megabytes(`${'*A'.repeat(30_000)}\r\n`, 10))),
    '10 MiB of blanks, quoted-printable': mail(part([`${base} quoted-printable`], `{${megabytes(blanks, 10)}`)),
    '10 MiB of =41, quoted-printable': mail(
      part([`${base} quoted-printable`], `{${megabytes(`${'=41'.repeat(25)}=\r\n`, 10)}`),
    ),
    '10 MiB of "= ", quoted-printable': mail(
      part([`${base} quoted-printable`], `{${megabytes(`${'= '.repeat(30_000)}\r\n`, 10)}`),
    ),
    '5 MiB of <div>': mail(part(['Content-Type: text/html'], megabytes(`${'<div>'.repeat(10)}\r\n`, 5))),
    '10 MiB of URLs': mail(part(['Content-Type: text/plain'], megabytes('https://xn--a.xn--b.xn--c.example/\r\n', 10))),
    '10 MiB of flowed text': mail(
      part(['Content-Type: text/plain; format=flowed; charset=iso-2022-jp'], megabytes('> a \r\n', 10)),
    ),
    '10 MiB of LF': mail(part(['Content-Type: application/json'], megabytes('\n', 10))),
    '10 MiB of near boundaries': mail(part(['Content-Type: application/json'], megabytes('--B\r\n', 10))),
    '256 KiB of To in a part': mail(part([`To: ${folded('=?x?B?PGFAYj4=?=,', 15_000)}`], 'x')),
    '50,000 parameters': mail(part([`Content-Type: text/plain${folded(';a=b', 50_000)}`], 'x')),
    '12,000 continued parameters': mail(
      part(
        [
          `Content-Type: text/plain${Array.from(
            { length: 12_000 },
            (_, i) => `;a*${i}=b
 `,
          ).join('')}`,
        ],
        'x',
      ),
    ),
    '14,000 encoded words in a file name': mail(
      part([`Content-Disposition: attachment; filename="${folded(words, 14_000)}"`], 'x'),
    ),
    '14,000 encoded words in the Subject': message(
      [`Subject: ${folded(words, 14_000)}`, multipartType],
      multipart([text]),
    ),
    '80,000 open comments in an encoding': mail(part([`Content-Transfer-Encoding: ${folded('(', 80_000)}`], 'x')),
    '100,000 parts': mail(...Array<string>(100_000).fill('\r\nx')),
    '10 broken bombs': mail(
      ...Array<string>(10).fill(
        attached('application/tlsrpt+gzip', gzipSync(Buffer.alloc(20 * 1024 * 1024 - 1)).subarray(0, -1)),
      ),
    ),
  }
  for (const [name, each] of Object.entries(mails)) {
    const raw = Buffer.from(each)
    const start = performance.now()
    const { outcome, stall } = await whileWatched(() =>
      toldOf(raw, { ...limits, headerFieldBytes: limits.headerBytes }),
    )
    const took = performance.now() - start
    t.diagnostic(`${name}: ${took.toFixed(0)} ms, longest stall ${stall.toFixed(0)} ms, ${outcome.join()}`)
    assert.ok(stall < 2000, name)
  }
})

const https = (mediaType: string | undefined, contentEncoding?: string): Provenance => ({
  transport: 'https',
  peerAddress: '192.0.2.1',
  ...(mediaType !== undefined && { mediaType }),
  ...(contentEncoding !== undefined && { contentEncoding }),
})
const toldOfPost = async (body: string | Buffer, mediaType?: string, contentEncoding?: string) =>
  told(await submit(Buffer.from(body), 'report', https(mediaType, contentEncoding))).join()

test('a posted report is known by its content; a label that says otherwise is noted', async () => {
  const posts: [string | Buffer, string | undefined, string | undefined, string][] = [
    [zipped, 'application/tlsrpt+gzip', undefined, 'payload'],
    [json, 'application/tlsrpt+json', undefined, 'payload'],
    [zipped, ' Application/TLSRPT+GZIP ; charset=x\t', 'identity', 'payload'],
    [json, 'application/json; charset=utf-8', '', 'payload'],
    [zipped, 'application/octet-stream', undefined, 'payload'],
    [json, 'application/tlsrpt', undefined, 'payload'],
    [json, 'application/tlsrpt+gzip', undefined, 'payload media-type-mismatch'],
    [zipped, 'application/tlsrpt+json', undefined, 'payload media-type-mismatch'],
    [gzipSync(zipped), 'application/tlsrpt+gzip', undefined, 'payload gzip-twice'],
    [gzipSync(gzipSync(zipped)), 'application/tlsrpt+gzip', undefined, 'malformed gzip-too-deep'],
    [json, undefined, undefined, 'payload media-type-unknown'],
    [json, ';', undefined, 'payload media-type-unknown'],
    [json, 'text/plain', undefined, 'payload media-type-unknown'],
    [gzipSync(zipped), 'application/tlsrpt+gzip', 'gzip', 'payload'],
    [gzipSync(gzipSync(zipped)), 'application/tlsrpt+gzip', 'gzip', 'malformed gzip-too-deep'],
    [zipped, 'application/tlsrpt+json', ' X-GZip ', 'payload'],
    [gzipSync(zipped), 'application/tlsrpt+json', 'gzip', 'payload media-type-mismatch'],
    [zipped, 'application/tlsrpt+gzip', 'gzip', 'payload media-type-mismatch'],
    [json, 'application/tlsrpt+json', 'gzip', 'payload content-encoding-mismatch'],
    [json, 'application/tlsrpt+gzip', 'gzip', 'payload content-encoding-mismatch media-type-mismatch'],
  ]
  for (const [body, mediaType, contentEncoding, expected] of posts) {
    assert.equal(
      await toldOfPost(body, mediaType, contentEncoding),
      expected,
      `${mediaType ?? '-'} ${contentEncoding ?? '-'}`,
    )
  }
})

test('no Content-Encoding but gzip is undone', async () => {
  for (const contentEncoding of ['deflate', 'br', 'zstd', 'gzip, gzip', 'gzip,'.repeat(1000), 'identity, gzip', 'x']) {
    assert.equal(
      await toldOfPost(zipped, 'application/tlsrpt+gzip', contentEncoding),
      'malformed content-encoding-unsupported',
    )
  }
})

test('a body that is no report is malformed, and the media type is named where it is no help either', async () => {
  const bodies: [string | Buffer, string | undefined, string, string[]][] = [
    ['', undefined, 'empty', ['empty']],
    ['\ufeff ', 'text/plain', 'empty', ['empty']],
    ['\x1f', 'application/tlsrpt+gzip', 'not-gzip-or-json', ['not-gzip-or-json']],
    ['hello', 'application/tlsrpt+json', 'not-gzip-or-json', ['not-gzip-or-json']],
    ['hello', undefined, 'not-gzip-or-json', ['not-gzip-or-json', 'media-type-unknown']],
    ['--x\r\n', 'multipart/form-data; boundary=x', 'not-gzip-or-json', ['not-gzip-or-json', 'media-type-unknown']],
    [mail(report), 'message/rfc822', 'not-gzip-or-json', ['not-gzip-or-json', 'media-type-unknown']],
    ['PK\x03\x04', 'application/zip', 'zip-not-supported', ['zip-not-supported', 'media-type-unknown']],
    [zipped.subarray(0, -1), 'application/gzip', 'gzip-truncated', ['gzip-truncated']],
    [gzipSync('<?xml?>'), 'application/gzip', 'not-gzip-or-json', ['not-gzip-or-json']],
  ]
  for (const [body, mediaType, reason, codes] of bodies) {
    const unwrapped = await submit(Buffer.from(body), 'report', https(mediaType))
    assert.ok(unwrapped.kind === 'malformed', `${reason} ${mediaType ?? '-'}`)
    assert.equal(unwrapped.reason, reason)
    assert.deepEqual(
      unwrapped.problems.map(({ code }) => code),
      codes,
    )
  }
})

test('JSON that is no object goes on to the parser, which has the better words', async () => {
  for (const body of ['null', '[]', '"x"', '5', 'true']) {
    assert.equal(await toldOfPost(body, 'application/json'), 'payload', body)
    assert.equal(await toldOfPost(gzipSync(body), 'application/gzip'), 'payload', body)
  }
})

test('the limit of the JSON holds for what was never zipped, and for either layer', async () => {
  const within = { ...limits, jsonBytes: 1000 }
  const post = async (body: string | Buffer, encoding?: string) =>
    told(await submit(Buffer.from(body), 'report', https('application/octet-stream', encoding), within)).join()
  const full = `{${' '.repeat(999)}`
  assert.equal(await post(full), 'payload')
  assert.equal(await post(`${full} `), 'too-large unpacked-too-large')
  assert.equal(await post(gzipSync(full)), 'payload')
  assert.equal(await post(gzipSync(`${full} `)), 'too-large unpacked-too-large')
  assert.equal(await post(gzipSync(gzipSync(`${full} `)), 'gzip'), 'too-large unpacked-too-large')
  assert.equal(await post(gzipSync(Buffer.alloc(5000)), 'gzip'), 'too-large unpacked-too-large')
})

test('the name of a file stays with its report', async () => {
  const unwrapped = await submit(zipped, 'report', { transport: 'file', fileName })
  assert.deepEqual(unwrapped, {
    kind: 'unwrapped',
    parts: [{ kind: 'payload', json: Buffer.from(json), fileName, anomalies: [] }],
  })
})

test('a file name tells the policy domain when it has the form of RFC 8460', () => {
  const names: [string, string | undefined][] = [
    [fileName, 'rcpt.example'],
    ['sender.example!rcpt.example!1!2.json', 'rcpt.example'],
    ['in/box/sender.example!Rcpt.Example!1!2!x.JSON.GZ', 'Rcpt.Example'],
    ['sender.example!rcpt.example!1!2.xml.gz', undefined],
    ['sender.example!rcpt.example!1.json', undefined],
    ['sender.example!!1!2.json', undefined],
    ['sender.example!rcpt.example!a!b.json', undefined],
    ['sender.example!rcpt.example!1!2!3!4.json', undefined],
    ['report.json.gz', undefined],
    ['!'.repeat(100_000), undefined],
  ]
  for (const [name, expected] of names) assert.equal(policyDomainOfFileName(name), expected, name.slice(0, 80))
})

test('a Subject tells the policy domain when it has the form of RFC 8460', () => {
  const subjects: [string, string | undefined][] = [
    ['Report Domain: rcpt.example Submitter: sender.example Report-ID: <r-1@sender.example>', 'rcpt.example'],
    ['Report Domain: rcpt.example    Submitter: sender.example', 'rcpt.example'],
    [' report domain:Rcpt.Example submitter: x', 'Rcpt.Example'],
    ['Report Domain: Submitter: sender.example', undefined],
    ['Fwd: Report Domain: rcpt.example Submitter: sender.example', undefined],
    ['TLS report for rcpt.example', undefined],
    ['', undefined],
    [`Report Domain:${' '.repeat(100_000)}x`, undefined],
  ]
  for (const [subject, expected] of subjects)
    assert.equal(policyDomainOfSubject(subject), expected, subject.slice(0, 80))
})

/** Mails of MIME's own tokens in any order: what random bytes seldom are. */
const mimeText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\r\n\r\n',
        '--BB\r\n',
        '--BB--\r\n',
        `${multipartType}\r\n`,
        `${report}\r\n`,
        'Content-Type: ',
        'message/rfc822',
        'Content-Disposition: inline',
      ),
      fc.constantFrom(
        'Content-Transfer-Encoding: ',
        'base64',
        'quoted-printable',
        '; filename*0*=',
        '=?utf-8?B?',
        '?=',
        '"',
        '(',
        '<',
        ';',
        '\t',
        '\n',
        'Subject: ',
        'Received: ',
        'From: a@b',
      ),
      fc.string({ maxLength: 10 }),
    ),
    { maxLength: 40 },
  )
  .map((tokens) => tokens.join(''))

test('any bytes in either form have an answer, and the same one each time', { timeout: 120_000 }, async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
    mimeText.map((each) => Buffer.from(each)),
    mimeText.map((each) => Buffer.from(`${multipartType}\r\n\r\n--BB\r\n${each}`)),
    fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })).map(([at, value]) => {
      const damaged = Buffer.from(zipped)
      damaged[at % damaged.length] = value
      return damaged
    }),
  )
  const provenance = fc.constantFrom(smtp, https('application/tlsrpt+gzip', 'gzip'), https(undefined))
  const property = fc.asyncProperty(bytes, provenance, async (raw, from) => {
    for (const form of ['message', 'report'] as const) {
      const [first, again] = await Promise.all([submit(raw, form, from), submit(raw, form, from)])
      assert.deepEqual(first, again)
      if (first.kind === 'unwrapped') assert.ok(first.parts.some(({ kind }) => kind === 'payload'))
      else assert.ok(first.reason !== '' && first.problems.length > 0)
    }
  })
  await fc.assert(property, { numRuns: 500 })
})

const corpus = new URL('../../../shared/corpus/', import.meta.url)
const skip = existsSync(corpus) ? false : 'the corpus is not there'
const sample = (path: string) => readFileSync(new URL(path, corpus))
const mailsOf = (folder: string) => readdirSync(new URL(folder, corpus)).filter((name) => name.endsWith('.eml'))

test('every mail of the corpus gives its report, and a DMARC report is none', { skip }, async () => {
  const baseline: unknown = skip === false ? JSON.parse(sample('json/good-baseline.json').toString()) : undefined
  for (const name of mailsOf('mail/')) {
    const unwrapped = await unwrapMail(sample(`mail/${name}`))
    if (name.startsWith('dmarc')) {
      assert.deepEqual(told(unwrapped), ['malformed no-report'], name)
    } else {
      assert.deepEqual(
        payloads(unwrapped).map((each) => JSON.parse(each) as unknown),
        [baseline],
        name,
      )
      assert.ok(unwrapped.kind === 'unwrapped' && unwrapped.mail?.from.join() === 'tlsrpt@sender.example', name)
    }
  }
})

type Expected = { expected: { report: { reportId: string }; headers: Record<string, string> } }

test('every real mail of the corpus gives its report and its fields', { skip }, async () => {
  const expected = JSON.parse(sample('real/expected.json').toString()) as Record<string, Expected>
  for (const name of mailsOf('real/')) {
    const unwrapped = await unwrapMail(sample(`real/${name}`))
    assert.ok(unwrapped.kind === 'unwrapped' && unwrapped.mail, name)
    const { report: yielded, headers } = expected[name]!.expected
    const reports = payloads(unwrapped).map((each) => JSON.parse(each) as Record<string, unknown>)
    assert.deepEqual(
      reports.map((each) => each['report-id']),
      [yielded.reportId],
      name,
    )
    assert.deepEqual(unwrapped.mail.from, [headers['From']], name)
    assert.equal(unwrapped.mail.tlsReportDomain, headers['TLS-Report-Domain'], name)
    assert.equal(unwrapped.mail.tlsReportSubmitter, headers['TLS-Report-Submitter'], name)
    assert.equal(policyDomainOfSubject(unwrapped.mail.subject ?? ''), headers['TLS-Report-Domain'], name)
  }
})

test('the gzip bodies of the corpus are accepted or refused as it says', { skip }, async () => {
  const expected: Record<string, string> = {
    'good.json.gz': 'payload',
    'trailing-zeros.json.gz': 'payload',
    'bad-crc.json.gz': 'malformed gzip-broken',
    'bomb-64MiB.json.gz': 'too-large unpacked-too-large',
    'zip-instead.json.zip': 'malformed zip-not-supported',
  }
  for (const [name, outcome] of Object.entries(expected)) {
    assert.equal(await toldOfPost(sample(`gzip/${name}`), 'application/tlsrpt+gzip'), outcome, name)
  }
})
