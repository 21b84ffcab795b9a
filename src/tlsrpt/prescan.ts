/** RFC 7493 (I-JSON, on which RFC 8460 §4 builds): what must be known of a JSON text before and after it is parsed. */

export type PrescanLimits = {
  /** Objects and lists inside one another; a report needs 5. */
  jsonDepth: number
  /** `{`, `[` and `,` outside strings: what the memory and time of JSON.parse go with. */
  jsonTokens: number
}

export type Prescan =
  | {
      kind: 'bounded'
      /** Member names in the text, repeated ones included. */
      memberNames: number
      /** There is a `\u` escape: the only way for NUL or half a surrogate pair to come in. */
      escapes: boolean
    }
  | { kind: 'too-deep' | 'too-many-tokens' | 'too-many-members' }

/** No object of RFC 8460 has more than 8. A million names in one object cost JSON.parse 1.1 s, a million elements 10 ms. */
export const maxMembers = 1_000

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openList = 0x5b
const backslash = 0x5c
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/**
 * Bounds what JSON.parse would build, in one pass and without memory of its own: 100 us for the 190 kB of a report with
 * 1,000 failure details, a quarter of JSON.parse's own time. Says nothing about whether this is JSON: up to the first
 * error, where JSON.parse stops, both read the same.
 */
export function prescan(json: string, { jsonDepth, jsonTokens }: PrescanLimits): Prescan {
  const members = new Uint32Array(jsonDepth + 1)
  let depth = 0
  let tokens = 0
  let memberNames = 0
  for (let i = 0; i < json.length; i++) {
    const unit = json.charCodeAt(i)
    if (unit === quote) {
      i = endOfString(json, i)
    } else if (unit === comma) {
      if (++tokens > jsonTokens) return { kind: 'too-many-tokens' }
    } else if (unit === colon) {
      memberNames++
      if (++members[depth]! > maxMembers) return { kind: 'too-many-members' }
    } else if (unit === openObject || unit === openList) {
      if (++tokens > jsonTokens) return { kind: 'too-many-tokens' }
      if (++depth > jsonDepth) return { kind: 'too-deep' }
      members[depth] = 0
    } else if (unit === closeObject || unit === closeList) {
      if (depth > 0) depth--
    }
  }
  return { kind: 'bounded', memberNames, escapes: json.includes('\\u') }
}

/** The index of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end === -1 ? json.length : end
}

/** Backslashes escape each other, so the quote after an odd number of them does not close. */
function isEscaped(json: string, quoteAt: number): boolean {
  let first = quoteAt
  while (json.charCodeAt(first - 1) === backslash) first--
  return (quoteAt - first) % 2 === 1
}

/** What JSON.parse made of a text: fewer `memberNames` than its Prescan counted means that a name was repeated. */
export type Census = { memberNames: number; unsafeNumbers: number }

/**
 * Counts the members and the numbers beyond 2^53-1 of a parsed text that `prescan` has bounded. JSON.parse rounds, but
 * never across that limit, so every integer beyond it is found in any spelling (RFC 7493 §2.2); and it keeps the last of
 * two members of one name, after unescaping, so a repeated name (§2.3) is one that is missing here.
 */
export function census(value: unknown): Census {
  const counts = { memberNames: 0, unsafeNumbers: 0 }
  countIn(value, counts)
  return counts
}

function countIn(value: unknown, counts: Census): void {
  if (typeof value === 'number') {
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) counts.unsafeNumbers++
  } else if (Array.isArray(value)) {
    for (const element of value) countIn(element, counts)
  } else if (typeof value === 'object' && value !== null) {
    const members = value as Record<string, unknown>
    for (const name in members) {
      counts.memberNames++
      const member = members[name]
      if (typeof member !== 'string') countIn(member, counts)
    }
  }
}

/**
 * Says quickly that `value` is what JSON.parse made of all of `text`, and that neither prescan nor census would find anything
 * to tell. What JSON.parse drops is blanks, repeated members and the backslashes of escapes, so a text as short as its value
 * can be written has none of them. It takes a third of their time, and is true for reports without indentation. For texts of
 * at most `jsonTokens` characters.
 */
export function isWhole(text: string, value: unknown, { jsonDepth }: Pick<PrescanLimits, 'jsonDepth'>): boolean {
  return leastLength(value, jsonDepth) === text.trimEnd().length
}

/** NaN for what has no shortest form known here, or is more than prescan allows. */
function leastLength(value: unknown, levels: number): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value === 'number') return leastDigits(value)
  if (typeof value === 'boolean') return value ? 4 : 5
  if (value === null) return 4
  if (levels === 0) return NaN
  return Array.isArray(value) ? leastList(value, levels - 1) : leastObject(value as Record<string, unknown>, levels - 1)
}

function leastList(list: unknown[], levels: number): number {
  let length = list.length === 0 ? 2 : list.length + 1 // Brackets and commas.
  for (const element of list) length += leastLength(element, levels)
  return length
}

function leastObject(object: Record<string, unknown>, levels: number): number {
  let members = 0
  let length = 0
  for (const name in object) {
    members++
    length += name.length + leastLength(object[name], levels)
  }
  if (members > maxMembers) return NaN
  return length + 4 * members + (members === 0 ? 2 : 1) // Quotes, colons, commas and braces.
}

/** Of a whole number as it is counted with; thousands are shorter as 1e3, so that a longer text would prove nothing. */
function leastDigits(value: number): number {
  if (!Number.isSafeInteger(value) || (value % 1000 === 0 && value !== 0)) return NaN
  let digits = value < 0 ? 2 : 1
  for (let power = 10; power <= Math.abs(value); power *= 10) digits++
  return digits
}
