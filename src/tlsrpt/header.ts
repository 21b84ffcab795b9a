/** RFC 5322 §2.2, §3.6: a mail's header as it came, within bounds, and what of it a TLS report needs (RFC 8460 §5.3). */
import { refusal, type Refusal } from './submission.ts'

/** All in bytes or numbers of fields; exactly as many are allowed. Lines and fields count without their line end. */
export type HeaderLimits = {
  headerBytes: number
  headerFields: number
  headerFieldBytes: number
  receivedFields: number
  lineBytes: number
}

/** `raw` is the field as it came, folds and all, one character a byte. `name` is lower case; '' for a line that is no field. */
export type HeaderField = { name: string; raw: string }

/** `bodyStart` is the offset of the first byte behind the empty line. */
export type Header = { kind: 'header'; fields: HeaderField[]; bodyStart: number }

/** What a mail says of itself, outside the report. Nobody vouches for it but a DKIM signature that covers the field. */
export type MailFacts = {
  /** Addr-specs of all From fields as written. A proper mail has exactly one; RFC 6854's groups give none. */
  from: string[]
  fromFields: number
  /** Unfolded and decoded; of the bottom-most Subject. */
  subject?: string
  /** Trimmed, else as written; of the bottom-most field, which is the one a DKIM signature covers first (RFC 6376 §5.4.2). */
  tlsReportDomain?: string
  tlsReportSubmitter?: string
  tlsReportDomainFields: number
  tlsReportSubmitterFields: number
  /** Date of the topmost Received field: when a mail that comes as a file reached its last mail server. */
  receivedAt?: Date
}

/**
 * Reads the header of a message, and bounds the whole message for all who parse it later: line lengths (canonicalisation
 * and base64 go wrong on endless ones), NUL and bare CR (RFC 5322 §4 obsoletes both; they hide lines from one parser and
 * show them to the next). Linear; 10 MiB of any bytes take a few tens of milliseconds.
 */
export function readHeader(message: Buffer, limits: HeaderLimits): Header | Refusal {
  if (message.length === 0) return refusal('malformed', 'empty', 'the message is empty')
  if (message.includes(0)) return refusal('malformed', 'nul-byte', 'the message holds a NUL byte')
  if (/\r(?!\n)/.test(message.toString('latin1')))
    return refusal('malformed', 'bare-cr', 'the message holds a CR without LF')
  if (hasLongLine(message, limits.lineBytes))
    return refusal('malformed', 'line-too-long', 'a line is longer than we take')

  const beginning = message.toString('latin1', 0, limits.headerBytes + '\r\n\r\n'.length)
  const end = /^\r?\n|\r?\n\r?\n/.exec(beginning)
  const header = end ? beginning.slice(0, end.index) : beginning
  if (header.length > limits.headerBytes)
    return refusal('malformed', 'header-too-large', 'the header is larger than we take')
  const fields = splitFields(header)
  if (fields.length > limits.headerFields) {
    return refusal('malformed', 'too-many-header-fields', 'the header has more fields than we take')
  }
  if (fields.some(({ raw }) => raw.length > limits.headerFieldBytes)) {
    return refusal('malformed', 'header-field-too-large', 'a header field is larger than we take')
  }
  if (named(fields, 'received').length > limits.receivedFields) {
    return refusal('malformed', 'mail-loop', 'the mail has passed too many servers')
  }
  return { kind: 'header', fields, bodyStart: end ? end.index + end[0].length : message.length }
}

/** Jumps to the last line end within reach, so that any two jumps pass more than `maxBytes`, however short the lines. */
function hasLongLine(message: Buffer, maxBytes: number): boolean {
  let start = 0
  while (message.length - start > maxBytes) {
    const reach = start + maxBytes
    const lineFeed = message.lastIndexOf(0x0a, message[reach] === 0x0d ? reach + 1 : reach)
    if (lineFeed < start) return true
    start = lineFeed + 1
  }
  return false
}

function splitFields(header: string): HeaderField[] {
  return header.split(/\r?\n(?![ \t])/).flatMap((raw) => {
    if (raw === '') return []
    const name = /^([!-9;-~]+)[ \t]*:/.exec(raw)?.[1] // RFC 5322 §3.6.8, and the blanks of §4.5 before the colon.
    return { name: name?.toLowerCase() ?? '', raw }
  })
}

const named = (fields: HeaderField[], name: string): HeaderField[] => fields.filter((field) => field.name === name)

/** The field's text, unfolded (RFC 5322 §2.2.3) and trimmed; UTF-8 as RFC 6532 allows it. */
function textOf({ raw }: HeaderField): string {
  const value = raw.slice(raw.indexOf(':') + 1).replaceAll(/\r?\n/g, '')
  return (/[\x80-\xff]/.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value).trim()
}

/**
 * What a MIME parser needs of the header, as bytes up to and with the empty line. Of a repeated field the bottom-most
 * instance, because a stranger can put one on top of a signed mail; `repeated` says that there was a choice.
 */
export function mimeHeader(fields: HeaderField[]): { bytes: Buffer; repeated: boolean } {
  const instances = ['content-type', 'content-transfer-encoding', 'content-disposition', 'subject'].map((name) =>
    named(fields, name),
  )
  const lines = instances.flatMap((field) => field.at(-1)?.raw ?? []).map((raw) => `${raw}\r\n`)
  return {
    bytes: Buffer.from(`${lines.join('')}\r\n`, 'latin1'),
    repeated: instances.some((field) => field.length > 1),
  }
}

/** All of MailFacts but the subject, whose encoded words the MIME parser reads. */
export function mailFacts(fields: HeaderField[]): Omit<MailFacts, 'subject'> {
  const texts = (name: string): string[] => named(fields, name).map(textOf)
  const last = (values: string[]): string | undefined => (values.at(-1) === '' ? undefined : values.at(-1))
  const from = texts('from')
  const domains = texts('tls-report-domain')
  const submitters = texts('tls-report-submitter')
  const tlsReportDomain = last(domains)
  const tlsReportSubmitter = last(submitters)
  const receivedAt = dateOfReceived(texts('received')[0] ?? '')
  return {
    from: from.flatMap(addrSpecs),
    fromFields: from.length,
    ...(tlsReportDomain !== undefined && { tlsReportDomain }),
    tlsReportDomainFields: domains.length,
    ...(tlsReportSubmitter !== undefined && { tlsReportSubmitter }),
    tlsReportSubmitterFields: submitters.length,
    ...(receivedAt && { receivedAt }),
  }
}

const dateTime = /\d{1,2}\s+[A-Za-z]{3}\s+\d{4}\s+\d{2}:\d{2}(?::\d{2})?\s+(?:[+-]\d{4}|[A-Z]{1,4})/ // RFC 5322 §3.3.

/** RFC 5322 §3.6.7: the date stands behind the last `;`. Without a time zone it is no instant, hence undefined. */
function dateOfReceived(received: string): Date | undefined {
  const text = dateTime.exec(received.slice(received.lastIndexOf(';') + 1))?.[0]
  const date = new Date(text ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/**
 * The addr-specs in the text of a From field (RFC 5322 §3.4), as far as a sender's identity needs them: display names,
 * comments and quoted local parts are understood; members of groups, encoded words (RFC 2047 §5) and whatever else is
 * no plain addr-spec give none. One pass, whatever is nested or left open.
 */
export function addrSpecs(text: string): string[] {
  const found: string[] = []
  let outside = '' // Of the mailbox being read: a display name, or the address itself.
  let angle: string | undefined // What stands after `<`, until `>`.
  let sawAngle = false
  let inGroup = false
  const take = (address: string) => {
    if (!inGroup && addrSpec.test(address.trim())) found.push(address.trim())
  }
  const endMailbox = () => {
    if (!sawAngle) take(outside)
    outside = ''
    sawAngle = false
  }
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '(') {
      i = endOfComment(text, i)
    } else if (angle !== undefined && character === '>') {
      take(angle)
      angle = undefined
    } else if (angle === undefined && character === '<') {
      angle = ''
      sawAngle = true
    } else if (angle === undefined && (character === ',' || character === ';')) {
      endMailbox()
      if (character === ';') inGroup = false
    } else if (angle === undefined && character === ':') {
      inGroup = true
    } else {
      const end = character === '"' ? endOfQuoted(text, i) : i
      const token = text.slice(i, end + 1)
      if (angle === undefined) outside += token
      else angle += token
      i = end
    }
  }
  endMailbox()
  return found
}

// A local part quoted or plain, `@`, a domain of any script. `?` and `=` would be an encoded word's.
const addrSpec = /^(?:"(?:[^"\\]|\\.)*"|[^\s"(),:;<>@[\]\\]+)@[^\s"(),:;<>@[\]\\?=]+$/

/** Index of the closing parenthesis; comments nest (RFC 5322 §3.2.2). An open one reaches to the end of the text. */
function endOfComment(text: string, open: number): number {
  let depth = 0
  for (let i = open; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\\') i++
    else if (character === '(') depth++
    else if (character === ')' && --depth === 0) return i
  }
  return text.length
}

/** Index of the closing quote; an open one reaches to the end of the text. */
function endOfQuoted(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\\') i++
    else if (character === '"') return i
  }
  return text.length
}
