/** RFC 8460 §5: from what a transport received to the JSON of the reports in it. The content decides, labels do not. */
import type { AnomalyCode } from './anomalies.ts'
import { lookOf, unzip, type GzipLimits, type Unzipped } from './gzip.ts'
import { mailFacts, mimeHeader, readHeader, type HeaderLimits, type MailFacts } from './header.ts'
import { decodeContent, readLeaves, type Leaf, type MimeLimits } from './mime.ts'
import { refusal, type Anomaly, type Provenance, type Refusal, type Submission } from './submission.ts'

export type { MailFacts } from './header.ts'

/** Exactly as many are allowed. `jsonBytes` is for all reports of a mail together. */
export type UnwrapLimits = GzipLimits & HeaderLimits & MimeLimits & { reportParts: number }

/** `mail` is there for form 'message'. `parts` has one at least, and one payload at least. */
export type Unwrapped = { kind: 'unwrapped'; parts: Part[]; mail?: MailFacts } | Refusal

/** One report part: `json` is unzipped and otherwise untouched, a byte order mark included. */
export type Part = { kind: 'payload'; json: Uint8Array; fileName?: string; anomalies: Anomaly[] } | Refusal

/**
 * Finds the reports in a submission. Never throws or rejects for what is in the bytes, and takes time linear in them;
 * rejects only when the world is broken (no memory).
 */
export async function unwrap(submission: Submission, limits: UnwrapLimits): Promise<Unwrapped> {
  if (submission.form === 'message') {
    const apart = await takeApart(submission, limits)
    return apart.kind === 'apart' ? unwrapApart(apart, limits) : apart
  }
  return submission.cut ? tooLarge('body-too-large') : unwrapReport(submission, limits)
}

const tooLarge = (reason: string): Refusal => refusal('too-large', reason, 'there is more of it than we take')

/** RFC 8460 §5.4, and files. JSON of any kind goes on: what is no object is for the parser to name. */
async function unwrapReport({ raw, provenance }: Submission, limits: UnwrapLimits): Promise<Unwrapped> {
  if (provenance.transport === 'https' && !isKnownEncoding(provenance.contentEncoding)) {
    return refusal('malformed', 'content-encoding-unsupported', 'the only Content-Encoding we undo is gzip')
  }
  const unzipped = await unzip(raw, limits)
  const opened = unzipped.kind === 'unzipped' ? jsonOf(unzipped) : unzipped
  if (opened.kind !== 'opened') return withMediaType(opened, provenance)
  const { json, layers } = opened
  const fileName = provenance.transport === 'file' ? provenance.fileName : undefined
  const anomalies = provenance.transport === 'https' ? postAnomalies(provenance, layers) : layerAnomalies(layers)
  return {
    kind: 'unwrapped',
    parts: [{ kind: 'payload', json, ...(fileName !== undefined && { fileName }), anomalies }],
  }
}

type Opened = { kind: 'opened'; json: Buffer; isObject: boolean; layers: number } | Refusal

/** Sees to it that JSON is what came out of the gzip, as far as the first bytes tell. */
function jsonOf({ bytes, layers }: Extract<Unzipped, { kind: 'unzipped' }>): Opened {
  const look = lookOf(bytes)
  switch (look) {
    case 'object':
    case 'value':
      return { kind: 'opened', json: bytes, isObject: look === 'object', layers }
    case 'empty':
      return refusal('malformed', 'empty', 'there is nothing in it')
    case 'zip':
      return refusal('malformed', 'zip-not-supported', 'zip archives are not read; RFC 8460 says gzip')
    case 'gzip': // Never after unzip().
    case 'other':
      return refusal('malformed', 'not-gzip-or-json', 'neither gzip nor JSON')
  }
}

const gzipTypes = ['application/tlsrpt+gzip', 'application/gzip', 'application/x-gzip']
const jsonTypes = ['application/tlsrpt+json', 'application/json']
const knownTypes = [...gzipTypes, ...jsonTypes, 'application/tlsrpt', 'application/octet-stream']

const note = (code: AnomalyCode): Anomaly => ({ code, pointer: '' })
const layerAnomalies = (layers: number): Anomaly[] => (layers > 1 ? [note('gzip-twice')] : [])

/** `layers` of gzip under a media type. Real senders label gzip as JSON and JSON as gzip. */
function typeAnomalies(mediaType: string | undefined, layers: number): Anomaly[] {
  if (mediaType === undefined || !knownTypes.includes(mediaType)) return [note('media-type-unknown')]
  const mismatch = layers === 0 ? gzipTypes.includes(mediaType) : jsonTypes.includes(mediaType)
  return mismatch ? [note('media-type-mismatch')] : []
}

type Post = Extract<Provenance, { transport: 'https' }>

/** RFC 9110 §8.4: the outer layer is the Content-Encoding's where there is one, and the media type is about the rest. */
function postAnomalies({ mediaType, contentEncoding }: Post, layers: number): Anomaly[] {
  const encoded = codingOf(contentEncoding) !== 'identity'
  const inner = encoded && layers > 0 ? layers - 1 : layers
  const mismatch = encoded && layers === 0 ? [note('content-encoding-mismatch')] : []
  return [...mismatch, ...layerAnomalies(inner), ...typeAnomalies(essenceOf(mediaType), inner)]
}

/** For a body that is no report: the transport answers 415 instead of 400 when the media type is no help either. */
function withMediaType(body: Refusal, provenance: Provenance): Refusal {
  if (provenance.transport !== 'https' || body.kind !== 'malformed' || body.reason === 'empty') return body
  const mediaType = essenceOf(provenance.mediaType)
  if (mediaType !== undefined && knownTypes.includes(mediaType)) return body
  const unknown = { code: 'media-type-unknown', pointer: '', message: 'the media type is not one of TLS reports' }
  return { ...body, problems: [...body.problems, unknown] }
}

/** Type and subtype without parameters (RFC 9110 §8.3.1). */
const essenceOf = (mediaType = ''): string | undefined => mediaType.split(';', 1)[0]?.trim().toLowerCase() || undefined

const codingOf = (contentEncoding = ''): string => contentEncoding.trim().toLowerCase() || 'identity'
const isKnownEncoding = (contentEncoding: string | undefined): boolean =>
  ['identity', 'gzip', 'x-gzip'].includes(codingOf(contentEncoding))

/** A mail in its leaf parts, nothing of which is decoded or unzipped yet: it takes no more memory than the mail. */
export type Apart = { kind: 'apart'; leaves: Leaf[]; mail: MailFacts }

/** The first half of `unwrap` for form 'message' (RFC 8460 §5.3), which takes some turns of the event loop. */
export async function takeApart({ raw, cut }: Submission, limits: UnwrapLimits): Promise<Apart | Refusal> {
  if (cut) return tooLarge('message-too-large')
  const header = readHeader(raw, limits)
  if (header.kind !== 'header') return header
  const mime = mimeHeader(header.fields)
  const tree = await readLeaves(mime.bytes, raw.subarray(header.bodyStart), limits)
  if (tree.kind !== 'leaves') return tree
  const leaves = mime.repeated ? tree.leaves.map((leaf) => ({ ...leaf, repeatedFields: true })) : tree.leaves
  const { subject } = tree
  return { kind: 'apart', leaves, mail: { ...mailFacts(header.fields), ...(subject !== undefined && { subject }) } }
}

/** The second half. */
export async function unwrapApart({ leaves, mail }: Apart, limits: UnwrapLimits): Promise<Unwrapped> {
  const parts = await openLeaves(leaves.filter(isCandidate), limits)
  return Array.isArray(parts) ? { kind: 'unwrapped', parts, mail } : parts
}

/** The types senders use, whatever has such a name, and a message that is nothing but the report (mox takes those). */
function isCandidate({ mediaType = '', fileName = '', depth }: Leaf): boolean {
  if (mediaType.startsWith('message/')) return false // A forwarded report bears no signature of this mail's.
  return depth === 0 || knownTypes.includes(mediaType) || /\.(?:json|gz)$/i.test(fileName.trim())
}

/** Labelled as a TLS report, so that what is wrong with it has to be told. */
const isDeclared = ({ mediaType = '' }: Leaf): boolean => /^application\/tlsrpt(?:\+|$)/.test(mediaType)

/**
 * The reports among the candidates. What plainly is none (a DMARC report, a picture) does not matter beside one; alone,
 * it is a mail without a report. All share one allowance of unpacked bytes: a mail costs no more than a report does.
 */
async function openLeaves(candidates: Leaf[], limits: UnwrapLimits): Promise<Part[] | Refusal> {
  const likely = candidates
    .map((leaf) => ({ leaf, content: decodeContent(leaf) }))
    .filter(({ leaf, content }) => isDeclared(leaf) || ['gzip', 'object'].includes(lookOf(content)))
  if (likely.length > limits.reportParts) {
    return refusal('too-large', 'too-many-reports', 'the mail has more reports than we take')
  }
  const opened: { leaf: Leaf; content: Opened }[] = []
  let allowance = limits.jsonBytes
  for (const { leaf, content } of likely) {
    if (opened.length > 0) await new Promise((resolve) => setImmediate(resolve)) // Each may take 35 ms at worst.
    const unzipped = await unzip(content, { ...limits, jsonBytes: allowance })
    if (unzipped.kind === 'too-large') return unzipped
    if (unzipped.kind === 'unzipped') allowance -= unzipped.bytes.length
    opened.push({ leaf, content: unzipped.kind === 'unzipped' ? jsonOf(unzipped) : unzipped })
  }
  const parts = opened.flatMap(({ leaf, content }) => partOf(leaf, content) ?? [])
  if (parts.some((part) => part.kind === 'payload')) return parts
  const broken = opened.flatMap(({ content }) => (content.kind === 'opened' ? [] : content))
  const telling = broken.find(({ reason }) => reason !== 'not-gzip-or-json')
  return telling ?? refusal('malformed', 'no-report', 'the mail holds no TLS report')
}

/** undefined for what is no TLS report and does not claim to be one, and for empty parts (Mail.ru sends one). */
function partOf(leaf: Leaf, content: Opened): Part | undefined {
  if (content.kind !== 'opened') return isDeclared(leaf) && content.reason !== 'empty' ? content : undefined
  if (!content.isObject && !isDeclared(leaf)) return undefined
  const { fileName, mediaType, repeatedFields } = leaf
  const anomalies = [...layerAnomalies(content.layers), ...typeAnomalies(mediaType, content.layers)]
  if (repeatedFields) anomalies.push(note('header-fields-repeated'))
  return { kind: 'payload', json: content.json, ...(fileName !== undefined && { fileName }), anomalies }
}

/**
 * The policy domain in a report's file name (RFC 8460 §5.1: sender!policy-domain!begin!end[!unique-id].json[.gz]), as it
 * stands there. A hint only: the report's own words come first (§5.6).
 */
export function policyDomainOfFileName(fileName: string): string | undefined {
  return /^[^!]+!([^!\s]+)!\d+!\d+(?:![^!]*)?\.json(?:\.gz)?$/i.exec(fileName.trim())?.[1]
}

/** The policy domain in a Subject (RFC 8460 §5.3: Report Domain: D Submitter: S Report-ID: X), as it stands there. A hint. */
export function policyDomainOfSubject(subject: string): string | undefined {
  return /^Report\s+Domain:\s*(\S+)\s+Submitter:/i.exec(subject.trim())?.[1]
}
