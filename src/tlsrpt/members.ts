/** RFC 8460 §4.4: the deviations that any member of a report may have, one function each, with who does it. */
import type { AnomalyCode, Note } from './anomalies.ts'
import type { JsonObject } from './json.ts'

export type RepairLimits = {
  /** Of policy-string, of mx-host. Longer lists are left as they are. */
  listEntries: number
  /** Longer texts are cut, but for report-id and policy-domain. */
  textBytes: number
}

/** What the repairs of one report share. */
export type Repairing = {
  note: Note
  limits: RepairLimits
  /** From the Prescan: without escapes no text needs to be looked through. */
  escapes: boolean
}

/** Where an object or a list stands, as a JSON pointer: made only when there is something to tell. */
export type At = () => string

type MemberShape = {
  /** Free text: cleaned, and cut when too long. */
  text?: true
  /** Another name for it. Its own with underscores always is one. */
  alias?: string
  /** Noted when it is not there; without it, only null and '' are noted, and as such. */
  absent?: AnomalyCode
  /** Makes what an absent one is read as. */
  otherwise?: () => unknown
}

type Member = MemberShape & { name: string }

export type Members = {
  all: Member[]
  /** Those whose absence is noted or made good. */
  expected: Member[]
  /** Under every name. */
  byName: Map<string, Member>
}

/** The members that §4.4 gives an object. */
export function members(shapes: Record<string, MemberShape>): Members {
  const all = Object.entries(shapes).map(([name, shape]) => ({ ...shape, name }))
  const expected = all.filter(({ absent, otherwise }) => absent !== undefined || otherwise !== undefined)
  return { all, expected, byName: new Map(all.flatMap((member) => namesOf(member).map((name) => [name, member]))) }
}

const namesOf = ({ name, alias }: Member): string[] => [name, name.replaceAll('-', '_'), ...(alias ? [alias] : [])]

/** Mends what any member may need. Members that §4.4 does not name are not looked at. */
export function repairMembers(
  object: JsonObject,
  { all, expected, byName }: Members,
  at: At,
  repairing: Repairing,
): void {
  let aliased = false
  for (const written in object) {
    const member = byName.get(written)
    if (member === undefined) continue
    if (member.name !== written) aliased = true
    let value = object[written]
    if (member.text === true && typeof value === 'string') {
      const text = repairText(value, at, written, repairing)
      if (text !== value) object[written] = value = text
    }
    if (value === null) nullMember(object, written, member, at, repairing)
    else if (typeof value === 'string' && isBlank(value)) emptyMember(object, written, member, at, repairing)
  }
  if (aliased) memberAlias(object, all, at, repairing)
  memberMissing(object, expected, at, repairing)
}

/** Stalwart writes null for what it does not know. */
function nullMember(object: JsonObject, written: string, { absent }: Member, at: At, { note }: Repairing): void {
  object[written] = undefined
  if (absent === undefined) note('null-member', `${at()}/${written}`)
}

/** Google writes "sending-mta-ip": "", Halon and Mail::TLSRPT "mx-host": "". */
function emptyMember(object: JsonObject, written: string, { absent }: Member, at: At, { note }: Repairing): void {
  object[written] = undefined
  if (absent === undefined) note('empty-member', `${at()}/${written}`)
}

/** Mail::TLSRPT writes "failure_details"; parsedmarc and Neztore's monitor know the RFC's type names as names. */
function memberAlias(object: JsonObject, all: Member[], at: At, { note }: Repairing): void {
  for (const member of all) {
    for (const alias of namesOf(member)) {
      if (object[member.name] !== undefined || object[alias] === undefined) continue
      object[member.name] = object[alias]
      note('member-alias', `${at()}/${alias}`)
    }
  }
}

/** The codes say who does it; policy-string, mx-host and failure-details may well be absent. */
function memberMissing(object: JsonObject, expected: Member[], at: At, { note }: Repairing): void {
  for (const { name, absent, otherwise } of expected) {
    if (object[name] !== undefined) continue
    if (absent !== undefined) note(absent, `${at()}/${name}`)
    if (otherwise !== undefined) object[name] = otherwise()
  }
}

const isBlank = (text: string) => text === '' || (text.charCodeAt(0) <= 0x20 && text.trim() === '')

// Text

function repairText(text: string, at: At, name: string, repairing: Repairing): string {
  const clean = repairing.escapes ? loneSurrogate(nulStripped(text, at, name, repairing), at, name, repairing) : text
  return textTruncated(clean, at, name, repairing)
}

/** Nobody known. "\u0000" is legal JSON, and Postgres refuses it. */
function nulStripped(text: string, at: At, name: string, { note }: Repairing): string {
  if (!text.includes('\0')) return text
  note('nul-stripped', `${at()}/${name}`)
  return text.replaceAll('\0', '')
}

/** Nobody known. "\ud800" is legal JSON, and RFC 7493 §2.1 and Postgres refuse it. */
function loneSurrogate(text: string, at: At, name: string, { note }: Repairing): string {
  if (text.isWellFormed()) return text
  note('lone-surrogate', `${at()}/${name}`)
  return text.toWellFormed()
}

const encoder = new TextEncoder()
const maxBytesPerUnit = 3

/** Nobody known. Cut between characters. */
function textTruncated(text: string, at: At, name: string, { note, limits }: Repairing): string {
  if (text.length * maxBytesPerUnit <= limits.textBytes) return text
  const { read } = encoder.encodeInto(text, new Uint8Array(limits.textBytes))
  if (read === text.length) return text
  note('text-truncated', `${at()}/${name}`)
  return text.slice(0, read)
}

/** Returns the elements of a list mended as members are: null and '' are none. */
export function repairTexts(list: unknown[], at: At, repairing: Repairing): unknown[] {
  return list.flatMap((element, i) => {
    const text = typeof element === 'string' ? repairText(element, at, String(i), repairing) : element
    if (text !== null && !(typeof text === 'string' && isBlank(text))) return [text]
    repairing.note(text === null ? 'null-member' : 'empty-member', `${at()}/${i}`)
    return []
  })
}

/** Says quickly that a text needs none of these repairs: nearly none does. */
export function isPlain(value: unknown, { escapes, limits }: Repairing): value is string {
  return typeof value === 'string' && !isBlank(value) && !escapes && value.length * maxBytesPerUnit <= limits.textBytes
}
