/** RFC 7493 (I-JSON), on which RFC 8460 §4 builds: from bytes to a value of bounded size, nothing lost on the way. */
import { census, isWhole, prescan, type PrescanLimits } from './prescan.ts'
import { problem, refusal } from './problems.ts'
import type { Refusal } from './submission.ts'

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export type Json = {
  kind: 'json'
  value: unknown
  /** There was one, and it was taken off. */
  byteOrderMark: boolean
  /** As in Prescan. */
  escapes: boolean
  /** As in Census: left to the caller, who may know where they are. */
  unsafeNumbers: number
}

/** Refusals are 'malformed', 'too-large', and 'unreadable' where a name is repeated. Throws for no bytes whatever. */
export function parseJson(json: Uint8Array, limits: PrescanLimits): Json | Refusal {
  if (json.length === 0) return refusal('malformed', [problem('empty', '')])
  const text = decode(json)
  if (text === undefined) return refusal('malformed', [problem('not-utf-8', '')])
  const byteOrderMark = json[0] === 0xef && json[1] === 0xbb && json[2] === 0xbf
  const early = text.length <= Math.min(shortText, limits.jsonTokens) ? parseText(text) : undefined
  if (early?.kind === 'value' && isWhole(text, early.value, limits)) {
    return { kind: 'json', value: early.value, byteOrderMark, escapes: false, unsafeNumbers: 0 }
  }
  const scan = prescan(text, limits)
  if (scan.kind === 'too-deep') return refusal('malformed', [problem('too-deep', '')])
  if (scan.kind !== 'bounded') return refusal('too-large', [problem(scan.kind, '')])
  const parsed = early ?? parseText(text)
  if (parsed.kind === 'not-json') return refusal('malformed', [problem('not-json', '', parsed.where)])
  const { memberNames, unsafeNumbers } = census(parsed.value)
  if (memberNames < scan.memberNames) return refusal('unreadable', [problem('repeated-member', '')])
  return { kind: 'json', value: parsed.value, byteOrderMark, escapes: scan.escapes, unsafeNumbers }
}

/**
 * So short a text takes JSON.parse 40 ms at worst, whatever is in it (a bomb of gzip takes as long), so it may go before the
 * prescan, which few then need.
 */
const shortText = 256 * 1024

type ParsedText = { kind: 'value'; value: unknown } | { kind: 'not-json'; where: string }

function parseText(text: string): ParsedText {
  try {
    return { kind: 'value', value: JSON.parse(text) }
  } catch (error) {
    // Of the engine's message only the position: it quotes the text, which may be anything.
    const position = / at position (\d+)/.exec(String(error))?.[1]
    return { kind: 'not-json', where: position === undefined ? '' : ` See character ${position}.` }
  }
}

/** Takes off a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
