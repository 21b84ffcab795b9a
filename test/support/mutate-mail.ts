/** RFC 5322 and RFC 2045: mutations of a mail that know its fields, its parts and its encodings. */
import { mutateBytes, type Mutation } from './mutate-bytes.ts'
import { pick, type Random } from './random-numbers.ts'

type Mail = { fields: string[]; body: string }
type MailMutation = (mail: Mail, other: Mail, random: Random) => Mail

/** `mutatePayload` is for the report in it, decoded. */
export function mutateMail(bytes: Buffer, others: readonly Buffer[], random: Random, mutatePayload: Mutation): Buffer {
  const mail = split(bytes)
  const payload = random(3) === 0 ? findPayload(mail.body) : undefined
  if (payload) {
    const mutated = random(5) === 0 ? payload.bytes : mutatePayload(payload.bytes, others, random)
    const encoding = pick([payload.encoding, payload.encoding, payload.encoding, ...encodings], random)
    const body = payload.put(encoded[encoding](mutated, random))
    return Buffer.from(
      write({ ...mail, body })
        .toString('latin1')
        .replace(encodingFields, `$1${encoding}`),
      'latin1',
    )
  }
  if (random(8) === 0) {
    const at = random(mail.fields.length)
    const field = mutateBytes(Buffer.from(mail.fields[at] ?? '', 'latin1'), others, random).subarray(0, 100_000)
    return write({ ...mail, fields: mail.fields.with(at, field.toString('latin1')) })
  }
  return write(pick(mutations, random)(mail, split(pick(others, random)), random))
}

function split(bytes: Buffer): Mail {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const header = end === -1 ? text : text.slice(0, end)
  return { fields: header.split(/\r\n(?![ \t])/), body: end === -1 ? '' : text.slice(end + 4) }
}

const write = ({ fields, body }: Mail): Buffer => Buffer.from(`${fields.join('\r\n')}\r\n\r\n${body}`, 'latin1')

/** `put` answers the body with this text in its place. */
type Payload = { bytes: Buffer; encoding: Encoding; put: (text: string) => string }

const encodings = ['base64', 'quoted-printable', '8bit'] as const
type Encoding = (typeof encodings)[number]
const encodingFields = /(content-transfer-encoding:[ \t]*)[\w-]+/gi

/** The first long run of base64, or the JSON that stands there plainly. */
function findPayload(body: string): Payload | undefined {
  const run = /(?:^|\n)((?:[A-Za-z0-9+/]{4,}={0,2}\r?\n){1,}|[A-Za-z0-9+/]{60,}={0,2}$)/.exec(body)
  if (run && run[1]!.length > 60) {
    const start = run.index + run[0].length - run[1]!.length
    const put = (text: string) => body.slice(0, start) + text + body.slice(start + run[1]!.length)
    return { bytes: Buffer.from(run[1]!, 'base64'), encoding: 'base64', put }
  }
  const [open, close] = [body.indexOf('{'), body.lastIndexOf('}') + 1]
  if (open === -1 || close <= open) return undefined
  const put = (text: string) => body.slice(0, open) + text + body.slice(close)
  return { bytes: Buffer.from(body.slice(open, close), 'latin1'), encoding: '8bit', put }
}

const encoded: Record<Encoding, (bytes: Buffer, random: Random) => string> = {
  '8bit': (bytes) => bytes.toString('latin1'),
  base64: (bytes, random) => {
    const width = pick([76, 76, 76, 60, 4, 3, 998, 60_000], random)
    const lines = bytes.toString('base64').match(new RegExp(`.{1,${width}}`, 'g')) ?? []
    return `${lines.join('\r\n')}${pick(['\r\n', '\r\n', '', '=\r\n', '\r\n!\r\n'], random)}`
  },
  'quoted-printable': (bytes, random) => {
    const plain = pick([/[!-<>-~]/, /[!-<>-~ ]/, /[a-z]/, /[^]/], random)
    const text = bytes
      .toString('latin1')
      .replace(/[^]/g, (character) =>
        plain.test(character) ? character : `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
      )
    const width = pick([73, 20, 60_000], random)
    return `${text.replace(new RegExp(`.{${width}}(?:=..|=.|.)`, 'g'), pick(['$&=\r\n', '$&= \t\r\n', '$&=\n'], random))}\r\n`
  },
}

const fieldMutations: MailMutation[] = [
  ({ fields, body }, _, random) => {
    const strange = pick(strangeFields, random)
    const name = strange.split(':')[0]!.toLowerCase()
    return { fields: [...fields.filter((field) => field.split(':')[0]!.toLowerCase() !== name), strange], body }
  },
  ({ fields, body }, _, random) => ({ fields: fields.toSpliced(random(fields.length), 1), body }),
  ({ fields, body }, _, random) => {
    const times = pick([1, 1, 1, 3, 51, 1_100], random)
    return { fields: fields.toSpliced(random(fields.length), 0, ...Array<string>(times).fill(pick(fields, random))), body }
  },
  ({ fields, body }, other, random) => ({ fields: fields.toSpliced(random(fields.length), random(2), pick(other.fields, random)), body }),
  ({ fields, body }, _, random) => {
    const [one, two] = [random(fields.length), random(fields.length)]
    return { fields: fields.with(one, fields[two]!).with(two, fields[one]!), body }
  },
  ({ fields, body }, _, random) => ({ fields: fields.toSpliced(random(fields.length + 1), 0, pick(strangeFields, random)), body }),
  ({ fields, body }, _, random) => changeField(fields, body, random, (field) => field.replace(/^[^:]*/, (name) => pick([name.toUpperCase(), `${name} `, `${name}\0`, ''], random))),
  ({ fields, body }, _, random) => changeField(fields, body, random, (field) => field.replaceAll(' ', pick(['\r\n\t', '\r\n \r\n ', '  ', '\t', '\n '], random))),
  ({ fields, body }, _, random) => changeField(fields, body, random, (field) => field.replace(/=[^;]*/, pick(['=', '="', `=${'x'.repeat(3_000)}`, "*0*=utf-8''%E2%28"], random))),
  ({ fields, body }, _, random) => changeField(fields, body, random, (field) => field + pick(['x'.repeat(40_000), ', a@b'.repeat(2_000), '('.repeat(5_000), '; a=b'.repeat(3_000), ' =?utf-8?B?AA==?='.repeat(800), 'g:'.repeat(5_000)], random)),
  ({ fields, body }, _, random) => changeField(fields, body, random, (field) => field.replaceAll(/\b([a-z]{1,2})=/g, (tag, name: string) => (random(3) === 0 ? pick([`${tag}; ${tag}`, `l=5; ${tag}`, `${name} = `, 't=9999999999999; ', ''], random) : tag))),
] // prettier-ignore

const changeField = (fields: string[], body: string, random: Random, change: (field: string) => string): Mail => {
  const at = random(fields.length)
  return { fields: fields.with(at, change(fields[at]!)), body }
}

const strangeFields = [
  'From: tlsrpt@sender.example', 'From: "a, (b" (c (d) \\) e) <"x y"@sender.example>, f@g.example (', 'From: <<a@sender.example>>', 'From: "\\', 'From: a@sender.example\\(b)', 'From: @sender.example', 'From: a@xn--80ak6aa92e.example;',
  'From: "a@b.example" <=?utf-8?q?x=40y.example?=>', 'From:', 'From: g: a@b.example, c@d.example;',
  'Content-Type: application/tlsrpt+gzip', 'Content-Type: multipart/mixed; boundary=""', 'Content-Type: multipart/mixed; boundary="-"',
  'Content-Type: text/plain; charset=x-unknown', 'Content-Type: message/rfc822', 'Content-Type: application/json; name="a!rcpt.example!1!2.json"',
  'Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: quoted-printable', 'Content-Transfer-Encoding: x-uuencode', 'Content-Encoding: gzip',
  'Content-Disposition: attachment; filename="sender.example!rcpt.example!1!2!x.json.gz"', 'TLS-Report-Domain: rcpt.example', 'TLS-Report-Domain: \0',
  'TLS-Report-Submitter: sender.example', 'Subject: Report Domain: rcpt.example Submitter: x Report-ID: <y>', 'Subject: =?utf-16?B?2AA=?=',
  'DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=x; h=from; bh=; b=', 'DKIM-Signature: v=1; a=ed25519-sha256; d=example; s=../..; h=From:from; bh=AA; b=AA; l=99999999999999999999',
  'DKIM-Signature:', 'Received: by rua.example', 'no colon', ' folded from nothing', '__proto__: x', 'constructor: y', ': z',
] // prettier-ignore

const bodyMutations: MailMutation[] = [
  (mail, _, random) => changeParts(mail, (parts) => parts.toSpliced(random(parts.length), 1)),
  (mail, _, random) => changeParts(mail, (parts) => parts.toSpliced(random(parts.length), 0, ...Array<string>(pick([1, 1, 2, 11, 60], random)).fill(pick(parts, random)))),
  (mail, _, random) => changeParts(mail, (parts) => {
    const [one, two] = [random(parts.length), random(parts.length)]
    return parts.with(one, parts[two]!).with(two, parts[one]!)
  }),
  (mail, _, random) => changeParts(mail, (parts) => {
    const at = random(parts.length)
    return parts.with(at, `\r\n${pick(strangeFields, random)}${parts[at]!}`)
  }),
  (mail, other, random) => changeParts(mail, (parts) => parts.with(random(parts.length), `\r\nContent-Type: ${pick(['application/tlsrpt+json', 'message/rfc822', 'text/plain'], random)}\r\n\r\n${other.body}`)),
  ({ fields, body }, _, random) => nested(fields, body, pick([1, 2, 9, 10, 11, 60], random)),
  ({ fields, body }, _, random) => ({ fields, body: body.replaceAll('\r\n', () => (random(5) === 0 ? pick(['\n', '\r', '\r\n ', '\r\n\r\n'], random) : '\r\n')) }),
  ({ fields, body }, _, random) => ({ fields, body: body.replaceAll(/^--/gm, () => pick(['--', '--', '-', '----', ' --'], random)) }),
  (mail, other) => ({ ...mail, body: other.body }),
  (mail, other) => ({ ...mail, fields: other.fields }),
] // prettier-ignore

const mutations = [...fieldMutations, ...bodyMutations]

/** At the boundary that the header names; the preamble is the first part and `--` with the epilogue the last. */
function changeParts({ fields, body }: Mail, change: (parts: string[]) => string[]): Mail {
  const boundary = /boundary="?([^";\r\n]+)/i.exec(fields.join('\r\n'))?.[1]
  if (boundary === undefined) return { fields, body: change(body.split('\r\n\r\n')).join('\r\n\r\n') }
  return { fields, body: change(body.split(`--${boundary}`)).join(`--${boundary}`) }
}

/** The body in so many multiparts of one part each. */
function nested(fields: string[], body: string, levels: number): Mail {
  const own = fields.filter((field) => /^content-/i.test(field)).join('\r\n')
  let inner = `${own}\r\n\r\n${body}`
  for (let level = levels; level > 0; level--) {
    const start = level === 1 ? '' : `Content-Type: multipart/mixed; boundary=n${level}\r\n\r\n`
    inner = `${start}--n${level}\r\n${inner}\r\n--n${level}--\r\n`
  }
  const rest = fields.filter((field) => !/^content-/i.test(field))
  return { fields: [...rest, 'Content-Type: multipart/mixed; boundary=n1'], body: inner }
}
