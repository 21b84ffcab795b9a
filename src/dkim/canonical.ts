/** RFC 6376 §3.4 and §3.7: a message as DKIM sees it, and the bytes that are hashed. Header text is latin1: one character, one octet. */

export type Canonicalization = 'simple' | 'relaxed'

/** One header field as it came, folding kept, without its last CRLF. `name` is lower case, '' where the line is no field. */
export type HeaderField = { name: string; raw: string }

export type SplitMessage = {
  fields: HeaderField[]
  body: Buffer
  /** The header has a CR or LF on its own: others may read other fields than we do, so no signature proves anything. */
  hasBareLineBreak: boolean
}

const CR = 0x0d
const LF = 0x0a
const SP = 0x20
const HTAB = 0x09
const emptyLine = Buffer.from('\r\n\r\n')
const lineBreak = emptyLine.subarray(2)

/** `message`: CRLF line ends, dots unstuffed. The body is a view into it; a message without an empty line is all header. */
export function splitMessage(message: Uint8Array): SplitMessage {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  const startsWithBody = bytes.subarray(0, 2).equals(lineBreak)
  const end = startsWithBody ? 0 : bytes.indexOf(emptyLine)
  const header = bytes.toString('latin1', 0, end === -1 ? bytes.length : end)
  return {
    fields: header.split(/\r\n(?![ \t])/).map(readField),
    body: bytes.subarray(startsWithBody ? 2 : end === -1 ? bytes.length : end + 4),
    hasBareLineBreak: /\r(?!\n)|(?<!\r)\n/.test(header),
  }
}

/** §3.4.1, §3.4.2: one field, without its last CRLF. For headers without bare line breaks: a CR or LF is taken for a fold. */
export function canonicalizeField({ name, raw }: HeaderField, canonicalization: Canonicalization): string {
  if (canonicalization === 'simple') return raw
  const value = raw.slice(raw.indexOf(':') + 1).replace(/[\t\r\n][ \t\r\n]*| [ \t\r\n]+/g, ' ') // One space stays.
  return `${name}:${value.slice(value.startsWith(' ') ? 1 : 0, value.endsWith(' ') ? -1 : undefined)}`
}

/** §3.4.3, §3.4.4: linear in the length of the body, whatever its lines look like. */
export function canonicalizeBody(body: Buffer, canonicalization: Canonicalization): Buffer {
  return canonicalization === 'simple' ? simpleBody(body) : relaxedBody(body)
}

/**
 * §3.7: what b= signs: the fields that `names` (h=, lower case) lists, of repeated ones the lowest first (§5.4.2), then the
 * signature's own field with an empty b= and without its last CRLF. Names beyond what is there add nothing.
 */
export function signedBytes(
  signature: HeaderField,
  names: string[],
  canonicalization: Canonicalization,
  fieldsByName: Map<string, HeaderField[]>,
): Buffer {
  const otherSignatures = fieldsByName.get(signature.name)?.filter((field) => field !== signature)
  const taken = new Map<string, number>()
  let signed = ''
  for (const name of names) {
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    const field = (name === signature.name ? otherSignatures : fieldsByName.get(name))?.at(-count)
    if (field) signed += `${canonicalizeField(field, canonicalization)}\r\n`
  }
  return Buffer.from(signed + canonicalizeField(withoutSignature(signature), canonicalization), 'latin1')
}

/** Empties b=, which stands at the start of the tag list or after a semicolon: nowhere else is it that tag. */
function withoutSignature({ name, raw }: HeaderField): HeaderField {
  const start = raw.indexOf(':') + 1
  return { name, raw: raw.slice(0, start) + raw.slice(start).replace(/(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*/, '$1$2') }
}

/** RFC 5322 §3.6.8, and the blanks before the colon of §4.5.8, which are not part of the name. */
function readField(raw: string): HeaderField {
  const name = /^([\x21-\x39\x3b-\x7e]+)[ \t\r\n]*:/.exec(raw)?.[1] ?? ''
  return { name: name.toLowerCase(), raw }
}

function simpleBody(body: Buffer): Buffer {
  let end = body.length
  while (end >= 2 && body[end - 2] === CR && body[end - 1] === LF) end -= 2
  return end < body.length ? body.subarray(0, end + 2) : Buffer.concat([body, lineBreak])
}

/**
 * By the byte as far as there are blanks: a regular expression is slower on a hostile body, and backtracks out of its
 * stack on 10 MiB of blanks. Behind the last blank, as in base64, nothing changes, and one native copy takes it over.
 */
function relaxedBody(body: Buffer): Buffer {
  const canonical = Buffer.allocUnsafe(body.length + 2)
  const lastBlank = Math.max(body.lastIndexOf(SP), body.lastIndexOf(HTAB))
  let length = 0
  let blank = false
  let i = 0
  for (; i <= lastBlank; i++) {
    const byte = body[i]!
    if (byte === SP || byte === HTAB) {
      blank = true
    } else if (byte === CR && body[i + 1] === LF) {
      canonical[length++] = CR
      canonical[length++] = LF
      blank = false
      i++
    } else {
      if (blank) canonical[length++] = SP
      canonical[length++] = byte
      blank = false
    }
  }
  const lineEndsHere = i === body.length || (body[i] === CR && body[i + 1] === LF)
  if (blank && !lineEndsHere) canonical[length++] = SP
  length += body.copy(canonical, length, i)
  while (length >= 2 && canonical[length - 2] === CR && canonical[length - 1] === LF) length -= 2
  if (length === 0) return canonical.subarray(0, 0)
  canonical[length] = CR
  canonical[length + 1] = LF
  return canonical.subarray(0, length + 2)
}
