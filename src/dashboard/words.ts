/** Numbers, days and names as the reader's browser writes them. Days and times are UTC, and say so. */
import { toUnicode } from 'punycode/punycode.es6.js'

/** As the API has it: a decimal string beyond 2^53-1. */
export type Count = number | string

const whole = new Intl.NumberFormat()
const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 })
const dayLong = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })
const dayShort = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' })
const instant = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
const list = new Intl.ListFormat('en', { type: 'conjunction' })

export const count = (value: Count): string => whole.format(typeof value === 'string' ? BigInt(value) : value)

/** Good for drawing and comparing; not for adding up. */
export const approximately = (value: Count | null | undefined): number => Number(value ?? 0)

export const isZero = (value: Count | null | undefined): boolean => approximately(value) === 0

/** `of` 0: there is none. Never 100 % while one failed, never 0 % while one did. */
export function percent(part: Count, of: Count): string {
  const ratio = approximately(part) / approximately(of)
  if (!Number.isFinite(ratio)) return '–'
  if (ratio > 0.999 && ratio < 1) return `> ${share.format(0.999)}`
  if (ratio < 0.001 && ratio > 0) return `< ${share.format(0.001)}`
  return share.format(ratio)
}

/** As `percent`, of parts that make a whole: what is shown adds up to 100 % (largest remainders, in tenths). */
export function shares(parts: readonly Count[]): string[] {
  const whole = parts.reduce<number>((sum, part) => sum + approximately(part), 0)
  const exact = parts.map((part) => (approximately(part) / Math.max(1, whole)) * 1000)
  const tenths = exact.map(Math.floor)
  const missing = whole === 0 ? 0 : 1000 - tenths.reduce((sum, each) => sum + each, 0)
  const byRemainder = exact.map((each, i) => [each - tenths[i]!, i] as const).sort(([a], [b]) => b - a)
  for (const [, i] of byRemainder.slice(0, missing)) tenths[i]!++
  return tenths.map((each) => share.format(each / 1000))
}

/** A view writes the same few days a thousand times. */
const written = new Map<string, string>()

export function day(text: string): string {
  const known = written.get(text)
  if (known !== undefined) return known
  const words = dayLong.format(Date.parse(text))
  written.set(text, words)
  return words
}

export const shortDay = (text: string): string => dayShort.format(Date.parse(text))
export const time = (text: string): string => `${instant.format(Date.parse(text))} UTC`
/** `text` to `text`, or the one day. */
export const days = (from: string, to: string): string => (from === to ? day(from) : `${day(from)} to ${day(to)}`)
export const enumerate = (items: string[]): string => list.format(items)

export const plural = (value: Count, one: string, many = `${one}s`): string =>
  `${count(value)} ${approximately(value) === 1 ? one : many}`

/**
 * IDNA U-label for reading, where it stands for this very A-label and nothing else; the A-label is what counts, so who
 * shows this has it at hand.
 */
export function readableDomain(domain: string): string {
  if (!domain.includes('xn--')) return domain
  try {
    const readable = toUnicode(domain)
    return new URL(`http://${readable}`).hostname === domain ? readable : domain
  } catch {
    return domain
  }
}

/** Sender's text as it is, but for what would hide or reorder it: control, bidi and invisible characters get a name. */
const treacherous =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]|\p{Cs}|[\u{e0000}-\u{e007f}]/gu
export const visible = (text: string): string =>
  text.replace(
    treacherous,
    (character) => `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`,
  )

/** Only what leads to the web is a link, and only as the URL parser reads it: never `javascript:`. */
export function webAddress(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  const { protocol, href } = new URL(text)
  return protocol === 'https:' || protocol === 'http:' ? href : undefined
}
