/** RFC 8461 §3.2: the policy text, read as a linter reads it: what was meant, and everything a sender has against it. */
import { createHash } from 'node:crypto'
import { trimBlanks } from '../tlsrpt/blanks.ts'
import { domainName } from '../tlsrpt/domain-name.ts'
import { quote } from './text.ts'

export type StsPolicy = {
  mode: Mode
  /** Seconds, 0..31557600. */
  maxAge: number
  /** Host names, or `*.` and one, in lower-case A-labels, in order, each once. Empty only with mode none. */
  mx: string[]
}

export type Mode = (typeof modes)[number]
export const modes = ['enforce', 'testing', 'none'] as const

export type ReadPolicy =
  | { kind: 'valid'; policy: StsPolicy; warnings: Deviation[] }
  /** No sender takes it for a policy. `meant`: as much of one as can be told. */
  | { kind: 'invalid'; meant: Pick<StsPolicy, 'mx'> & Partial<StsPolicy>; problems: Deviation[]; warnings: Deviation[] }

/** `line` counts from 1; absent where it is about all of the text. */
export type Deviation = { code: DeviationCode; line?: number; text: string }

export type DeviationCode = keyof typeof deviations

/** What each is, and whether a policy with it is none (`problem`) or some senders may stumble (`warning`). */
export const deviations = {
  empty: 'problem',
  'byte-order-mark': 'problem', // To a sender the first key begins with it.
  'line-ending': 'problem', // A lone CR ends no line.
  'line-malformed': 'problem',
  'key-misspelt': 'problem', // Keys are case-sensitive: another spelling is an unknown key, and the real one is missing.
  'version-missing': 'problem',
  'version-unknown': 'problem',
  'mode-missing': 'problem',
  'mode-unknown': 'problem',
  'max-age-missing': 'problem',
  'max-age-malformed': 'problem',
  'max-age-too-large': 'problem',
  'mx-missing': 'problem',
  'mx-malformed': 'problem',
  'mx-not-a-labels': 'problem',
  'line-endings-mixed': 'warning',
  'line-blank': 'warning',
  'blank-misplaced': 'warning',
  'key-unknown': 'warning',
  'key-twice': 'warning',
  'mx-twice': 'warning',
  'value-malformed': 'warning',
} as const satisfies Record<string, 'problem' | 'warning'>

/** §3.2: about a year, in seconds. */
export const longestMaxAge = 31_557_600

/** A policy of 64 KiB may have ten thousand lines, all of them wrong; who reads this wants the first ones. */
const mostDeviations = 50

type Key = 'version' | 'mode' | 'max_age' | 'mx'
const keys: readonly string[] = ['version', 'mode', 'max_age', 'mx'] satisfies Key[]
const extensionName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/
const extensionValue = /^[\x21-\x7e\x80-\uffff](?:[\x20-\x7e\x80-\uffff]*[\x21-\x7e\x80-\uffff])?$/

/** Throws never. The text is at most 64 KiB (§3.3); whoever fetched it saw to that. */
export function parsePolicy(text: string): ReadPolicy {
  const found: Deviation[] = []
  const note: Note = (code, text, line) => {
    found.push({ code, text, ...(line !== undefined && { line }) })
  }
  const meant = readFields(linesOf(text, note), note)
  noteMissing(meant, text, found, note)
  const problems = found.filter(({ code }) => deviations[code] === 'problem').slice(0, mostDeviations)
  const warnings = found.filter(({ code }) => deviations[code] === 'warning').slice(0, mostDeviations)
  const { mode, maxAge, mx = [] } = meant
  if (problems.length === 0 && mode !== undefined && maxAge !== undefined) {
    return { kind: 'valid', policy: { mode, maxAge, mx }, warnings }
  }
  return {
    kind: 'invalid',
    meant: { ...(mode && { mode }), ...(maxAge !== undefined && { maxAge }), mx },
    problems,
    warnings,
  }
}

/** The policy file, with CRLF as §3.2 has it in its prose; `parsePolicy` reads it back. */
export function formatPolicy({ mode, maxAge, mx }: StsPolicy): string {
  const lines = ['version: STSv1', `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`), `max_age: ${maxAge}`]
  return lines.map((line) => `${line}\r\n`).join('')
}

/** An id for the record (§3.1) that is another one exactly when the policy is another one. */
export function policyId(policy: StsPolicy): string {
  const canonical = formatPolicy({ ...policy, mx: policy.mx.toSorted() })
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16)
}

type Note = (code: DeviationCode, text: string, line?: number) => void
type Meant = Partial<StsPolicy> & { version?: string }
type Field = { key: string; value: string; line: number }

function linesOf(text: string, note: Note): Field[] {
  const unmarked = text.replace(/^\ufeff/, '')
  if (unmarked !== text) note('byte-order-mark', 'The text begins with a byte order mark; save it without.')
  if (/\r(?!\n)/.test(unmarked)) note('line-ending', 'Lines end in a lone CR; they must end in CRLF or LF.')
  if (unmarked.includes('\r\n') && /(?:^|[^\r])\n/.test(unmarked)) {
    note('line-endings-mixed', 'Some lines end in CRLF and some in LF; use one of them.')
  }
  const lines = unmarked.split(/\r\n|\n|\r/)
  if (lines.at(-1) === '') lines.pop()
  return lines.flatMap((content, index) => fieldOf(content, index + 1, note))
}

/** §3.2: blanks may stand between the colon and the value, and at the end of the line; nowhere else. */
function fieldOf(content: string, line: number, note: Note): Field[] {
  if (trimBlanks(content) === '') {
    note('line-blank', `Line ${line} is blank.`, line)
    return []
  }
  const colon = content.indexOf(':')
  const written = content.slice(0, Math.max(0, colon))
  const key = trimBlanks(written)
  if (!extensionName.test(key)) {
    note('line-malformed', `Line ${line}, ${quote(content)}, is not of the form key: value.`, line)
    return []
  }
  if (key !== written) note('blank-misplaced', `Line ${line} has a blank before its key or before the colon.`, line)
  return [{ key, value: trimBlanks(content.slice(colon + 1)), line }]
}

function readFields(fields: Field[], note: Note): Meant {
  const first = new Map<Key, string>()
  const mx = new Set<string>()
  for (const { key: written, value, line } of fields) {
    const key = keyOf(written, line, note)
    if (key === undefined) {
      if (!extensionValue.test(value)) note('value-malformed', `The value of ${quote(written)} is empty or has control characters in it.`, line) // prettier-ignore
    } else if (key === 'mx') {
      for (const pattern of readPattern(value, line, note)) {
        if (mx.has(pattern)) note('mx-twice', `${quote(pattern)} is listed more than once.`, line)
        mx.add(pattern)
      }
    } else if (first.has(key)) note('key-twice', `"${key}" is there more than once; the first one counts.`, line)
    else {
      first.set(key, value)
      judgeValue(key, value, line, note)
    }
  }
  const mode = modes.find((known) => known === first.get('mode')?.toLowerCase())
  const maxAge = maxAgeOf(first.get('max_age'))
  return {
    ...(first.has('version') && { version: first.get('version')! }),
    ...(mode && { mode }),
    ...(maxAge !== undefined && { maxAge }),
    ...(mx.size > 0 && { mx: [...mx] }),
  }
}

function keyOf(written: string, line: number, note: Note): Key | undefined {
  if (keys.includes(written)) return written as Key
  const meant = keys.find((key) => key === written.toLowerCase().replace('-', '_'))
  if (meant === undefined) note('key-unknown', `${quote(written)} is a key that RFC 8461 does not know: ignored.`, line)
  else note('key-misspelt', `${quote(written)} must be written "${meant}".`, line)
  return meant as Key | undefined
}

function judgeValue(key: Exclude<Key, 'mx'>, value: string, line: number, note: Note): void {
  if (key === 'version') {
    if (value !== 'STSv1') note('version-unknown', `The version is ${quote(value)}; it must be "STSv1".`, line)
  } else if (key === 'mode') {
    if (!modes.some((mode) => mode === value)) note('mode-unknown', `The mode is ${quote(value)}; it must be "enforce", "testing" or "none".`, line) // prettier-ignore
  } else if (!/^\d{1,10}$/.test(value)) {
    note('max-age-malformed', `max_age is ${quote(value)}; it must be a number of seconds, in digits alone.`, line)
  } else if (Number(value) > longestMaxAge) {
    note('max-age-too-large', `max_age is ${value} seconds; at most ${longestMaxAge} are allowed.`, line)
  }
}

const maxAgeOf = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,10}$/.test(value) ? Math.min(Number(value), longestMaxAge) : undefined

/** What was meant by an `mx` value: one pattern, several where a list was written, none where it cannot be told. */
function readPattern(value: string, line: number, note: Note): string[] {
  const names = value.split(/[,;\s]+/).filter((name) => name !== '')
  if (names.length !== 1) {
    note('mx-malformed', names.length === 0 ? 'An mx has no value.' : `${quote(value)}: each mx needs a line of its own.`, line) // prettier-ignore
  }
  return names.flatMap((name) => {
    const [wildcard, host] = name.startsWith('*.') ? ['*.', name.slice(2)] : ['', name]
    const known = domainName(host)
    if (known === undefined) note('mx-malformed', `${quote(name)} is no host name, nor "*." and one.`, line)
    else if (/[^\0-\x7f]/.test(host))
      note('mx-not-a-labels', `${quote(name)} must be written ${quote(wildcard + known)}.`, line)
    else if (host.endsWith('.')) note('mx-malformed', `${quote(name)} must be written without the final dot.`, line)
    return known === undefined ? [] : [wildcard + known]
  })
}

/** One cause is told once: where nothing is legible, or the key was misspelt, that it is missing is no news. */
function noteMissing(meant: Meant, text: string, found: Deviation[], note: Note): void {
  if (text.trim() === '') {
    note('empty', 'The policy is empty.')
    return
  }
  const told = (code: DeviationCode) => found.some((deviation) => deviation.code === code)
  if (meant.version === undefined) note('version-missing', 'There is no "version: STSv1".')
  if (meant.mode === undefined && !told('mode-unknown')) note('mode-missing', 'There is no mode.')
  if (meant.maxAge === undefined && !told('max-age-malformed')) note('max-age-missing', 'There is no max_age.')
  if (meant.mx === undefined && meant.mode !== 'none' && !told('mx-malformed')) note('mx-missing', 'There is no mx.')
}
