/** RFC 8460 §5: what the bytes of a submission say, before anybody asks who says it and whose it is. */
import { parseReport, type Parsed, type ParseLimits } from './parse.ts'
import type { Anomaly, Refusal, Submission } from './submission.ts'
import {
  unwrap,
  unwrapApart,
  type Apart,
  type MailFacts,
  type Part,
  type Unwrapped,
  type UnwrapLimits,
} from './unwrap.ts'

export type ReadLimits = UnwrapLimits & ParseLimits

/** One report part: what its JSON says, and what was noted before it was parsed. */
export type ReadPart = { parsed: Parsed; fileName?: string; anomalies: Anomaly[] }

/** `weight` is the bytes that it all takes in memory, roughly. `mail` is there for form 'message'. */
export type Read = { kind: 'read'; parts: ReadPart[]; mail?: MailFacts; weight: number } | Refusal

/** Unwraps and parses. Throws for no bytes whatever, and rejects only when the world is broken, as unwrap does. */
export const readSubmission = async (submission: Submission, limits: ReadLimits): Promise<Read> =>
  readUnwrapped(await unwrap(submission, limits), submission.arrivedAt, limits)

/** The same for a mail that was taken apart before. */
export const readApart = async (apart: Apart, arrivedAt: Date, limits: ReadLimits): Promise<Read> =>
  readUnwrapped(await unwrapApart(apart, limits), arrivedAt, limits)

function readUnwrapped(unwrapped: Unwrapped, arrivedAt: Date, limits: ReadLimits): Read {
  if (unwrapped.kind !== 'unwrapped') return unwrapped
  let weight = 0
  const parts = unwrapped.parts.map((part) => {
    const read = readPart(part, arrivedAt, limits)
    weight += weigh(part, read.parsed)
    return read
  })
  return { kind: 'read', parts, weight, ...(unwrapped.mail && { mail: unwrapped.mail }) }
}

function readPart(part: Part, arrivedAt: Date, limits: ReadLimits): ReadPart {
  if (part.kind !== 'payload') return { parsed: part, anomalies: [] }
  const { json, fileName, anomalies } = part
  return { parsed: parseReport(json, arrivedAt, limits), ...(fileName !== undefined && { fileName }), anomalies }
}

/** Of a policy or a failure detail, strings aside. */
const rowBytes = 512

/** A report's texts are at most as long as its JSON. */
function weigh(part: Part, parsed: Parsed): number {
  if (part.kind !== 'payload' || parsed.kind !== 'parsed') return 0
  const rows = parsed.report.policies.reduce((count, { failureDetails }) => count + 1 + failureDetails.length, 0)
  return part.json.length + rows * rowBytes
}
