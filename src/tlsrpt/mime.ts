/** RFC 2045, RFC 2046: the leaf parts of a mail, by mailparser, and their transfer encodings. */
import { MailParser, type AttachmentStream, type MessageText } from 'mailparser'
import { refusal, type Refusal } from './submission.ts'

/**
 * `mimeParts` counts every body part below the message itself, leaves and multiparts alike; `mimeDepth` the multiparts
 * around a leaf; `headerBytes` bounds the header of each part. Exactly as many are allowed.
 */
export type MimeLimits = { mimeDepth: number; mimeParts: number; headerBytes: number }

/** The message itself when it is no multipart. A message/rfc822 is one leaf, never looked into. */
export type Leaf = {
  /** Lower case, without parameters; absent when unreadable. */
  mediaType?: string
  /** Decoded (RFC 2047, RFC 2231), from Content-Disposition, else from Content-Type. A stranger's text: no path. */
  fileName?: string
  /** Content-Transfer-Encoding in lower case; '' when absent. */
  encoding: string
  /** Still in that encoding. */
  encoded: Buffer
  /** How many multiparts are around it. */
  depth: number
  /** A field stands there twice; the first one was taken. */
  repeatedFields: boolean
}

export type Leaves = { kind: 'leaves'; leaves: Leaf[]; subject?: string }

/** mailsplit's node, as far as we use it. */
type MimeNode = {
  headers: { lines: { key: string; line: string }[] }
  contentType: string | false
  encoding: string
  disposition: string | false
  filename: string | false
  parentNode: MimeNode | false
}

/**
 * Reads the MIME tree of a message: `header` with its empty line and only the fields that are needed here, because
 * mailparser reads all it gets (40 % of its time), and `body`. Preamble and epilogue are no parts. Never rejects for what
 * is in the message.
 */
export async function readLeaves(header: Buffer, body: Buffer, limits: MimeLimits): Promise<Leaves | Refusal> {
  const parser = new MailParser(parserOptions(limits))
  const leaves: Leaf[] = []
  let subject: string | undefined
  let leaf: Omit<Leaf, 'encoded'>
  onNode(parser, (node) => {
    leaf = describe(node)
  })
  return new Promise((resolve) => {
    parser.on('headers', (headers) => {
      const value = headers.get('subject')
      if (typeof value === 'string') subject = value
    })
    parser.on('data', (part: AttachmentStream | MessageText) => {
      if (part.type === 'text') return // Always empty, see onNode().
      const described = leaf
      const chunks: Buffer[] = []
      part.content.on('data', (chunk: Buffer) => chunks.push(chunk))
      part.content.on('end', () => {
        leaves.push({ ...described, encoded: Buffer.concat(chunks) })
        part.release() // Only then does it go on to the next part.
      })
    })
    parser.on('error', (error: Error) => {
      resolve(refusalOf(error))
    })
    parser.on('end', () => {
      const tooDeep = leaves.some(({ depth }) => depth > limits.mimeDepth)
      if (tooDeep) resolve(refusal('malformed', 'mime-too-deep', 'multiparts are nested deeper than we take'))
      else resolve({ kind: 'leaves', leaves, ...(subject !== undefined && { subject }) })
    })
    parser.write(header)
    parser.end(body)
  })
}

/** The last three are mailsplit's, which gets the same options. */
const parserOptions = ({ mimeParts, headerBytes }: MimeLimits) => ({
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
  checksumAlgo: 'sha256', // It cannot be switched off; MD5, the default, throws where OpenSSL runs in FIPS mode.
  ignoreEmbedded: true,
  maxChildNodes: mimeParts + 1, // The message itself counts.
  maxHeadSize: headerBytes,
})

/**
 * Calls `see` with every node before mailparser makes it its own, and then takes from the node what mailparser must not
 * work on. Transfer encodings: its decoder of quoted-printable is quadratic in blanks (measured: 130 kB stall for 10 s).
 * Text: it would come out joined with other text and without its bytes; as attachments, all leaves are alike. Fields
 * other than Content-*: its readers of address lists are quadratic too (256 KiB: 0.7 s). mailparser has no options for
 * this, and no public hook; its version is pinned.
 */
function onNode(parser: MailParser, see: (node: MimeNode) => void): void {
  const hooked = parser as unknown as { createNode: (node: MimeNode) => unknown }
  const createNode = hooked.createNode.bind(parser)
  hooked.createNode = (node) => {
    node.headers.lines = node.headers.lines.filter(({ key }) => key.startsWith('content-') || key === 'subject')
    see(node)
    node.disposition = 'attachment'
    node.encoding = 'binary'
    return createNode(node)
  }
}

function describe(node: MimeNode): Omit<Leaf, 'encoded'> {
  let depth = 0
  for (let parent = node.parentNode; parent; parent = parent.parentNode) depth++
  const keys = node.headers.lines.map(({ key }) => key)
  return {
    ...(node.contentType && { mediaType: node.contentType }),
    ...(node.filename && { fileName: node.filename }),
    encoding: node.encoding,
    depth,
    repeatedFields: new Set(keys).size < keys.length,
  }
}

function refusalOf(error: Error): Refusal {
  if (error.message === 'Max allowed child nodes exceeded') {
    return refusal('malformed', 'too-many-parts', 'the message has more parts than we take')
  }
  if ((error as NodeJS.ErrnoException).code === 'EMAXLEN') {
    return refusal('malformed', 'header-too-large', 'the header of a part is larger than we take')
  }
  return refusal('malformed', 'mime-broken', 'the message cannot be taken apart')
}

/** A leaf's content in its own bytes. Lenient: what is no base64 is skipped (RFC 2045 §6.8), padding ends it or is missing. */
export function decodeContent({ encoding, encoded }: Leaf): Buffer {
  switch (encoding) {
    case 'base64':
      return Buffer.from(encoded.toString('latin1'), 'base64')
    case 'quoted-printable':
      return decodeQuotedPrintable(encoded)
    default: // 7bit, 8bit and binary are identities; anything else we could not read anyway.
      return encoded
  }
}

/** RFC 2045 §6.7, linear. A `=` that introduces nothing stays (its note on robust decoders); line ends become LF. */
function decodeQuotedPrintable(encoded: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(encoded.length)
  let length = 0
  let solid = 0 // Length without the blanks last written: rule 3 drops them before a line end.
  for (let i = 0; i < encoded.length; i++) {
    const byte = encoded[i]!
    if (byte === 0x3d) {
      const octet = octetOf(encoded, i + 1)
      const softBreak = octet === undefined ? endOfSoftBreak(encoded, i + 1) : undefined
      if (octet !== undefined) i += 2
      else if (softBreak !== undefined) i = softBreak
      if (softBreak === undefined) decoded[length++] = octet ?? byte
      solid = length
    } else if (byte === 0x0a) {
      length = solid
      decoded[length++] = byte
      solid = length
    } else {
      decoded[length++] = byte
      if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) solid = length
    }
  }
  return decoded.subarray(0, solid)
}

/** The octet that two hexadecimal digits stand for. */
function octetOf(bytes: Buffer, start: number): number | undefined {
  const high = digitOf(bytes[start])
  const low = digitOf(bytes[start + 1])
  return high === undefined || low === undefined ? undefined : high * 16 + low
}

function digitOf(byte = 0): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte & ~0x20 // Lower case is accepted too (RFC 2045 §6.7, the note on rule 1).
  return letter >= 0x41 && letter <= 0x46 ? letter - 0x41 + 10 : undefined
}

/** Index of the LF (or the last byte) when only blanks are left on the line. */
function endOfSoftBreak(bytes: Buffer, start: number): number | undefined {
  let i = start
  while (bytes[i] === 0x20 || bytes[i] === 0x09 || bytes[i] === 0x0d) i++
  return i >= bytes.length || bytes[i] === 0x0a ? i : undefined
}
