/** RFC 8259: mutations of JSON that know its tokens, and write what JSON.stringify never would: repeated members, 1e400. */
import { pick, type Random } from './random-numbers.ts'

/** A scalar as it stands in the text, or a list, or an object. */
type Node = { raw: string } | Container
type Container = { kind: 'list' | 'object'; entries: Entry[] }
/** `name` is there in objects. */
type Entry = { name?: string; node: Node }

/** undefined for what is no JSON, and for what is too deep to walk. */
export function mutateJson(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer | undefined {
  const tree = read(bytes)
  if (tree === undefined || 'raw' in tree) return undefined
  const places = placesIn(tree)
  if (places.length === 0) return undefined
  const place = pick(places, random)
  pick(mutations, random)(place, places, random, () => {
    const other = read(pick(others, random))
    const found = other === undefined ? [] : placesIn(other)
    return found.length === 0 ? { raw: 'null' } : entryOf(pick(found, random)).node
  })
  return Buffer.from(write(tree, pick(['', '', ' ', '\n\t'], random)))
}

type Place = { container: Container; index: number }
const entryOf = ({ container, index }: Place): Entry => container.entries[index]!

type TokenMutation = (place: Place, places: Place[], random: Random, foreign: () => Node) => void

const mutations: TokenMutation[] = [
  ({ container, index }) => container.entries.splice(index, 1),
  ({ container, index }, _, random) => {
    const times = pick([1, 1, 1, 2, 50, 1_001, 3_000], random)
    container.entries.splice(index, 0, ...Array<Entry>(times).fill(container.entries[index]!))
  },
  (place, places, random) => {
    const [one, other] = [entryOf(place), entryOf(pick(places, random))]
    if (within(one.node, other.node) || within(other.node, one.node)) return
    ;[one.node, other.node] = [other.node, one.node]
  },
  (place, places, random) => {
    const [one, other] = [entryOf(place), entryOf(pick(places, random))]
    if (one.name === undefined || other.name === undefined) return
    ;[one.name, other.name] = [other.name, one.name]
  },
  (place, _, random) => (entryOf(place).node = { raw: pick(values, random) }),
  (place, _, random) => (entryOf(place).node = { raw: pick(values, random) }),
  (place, _, random) => {
    const entry = entryOf(place)
    for (let depth = pick([1, 1, 2, 5, 11, 12, 17, 200], random); depth > 0; depth--) {
      const isList = random(2) === 0
      entry.node = { kind: isList ? 'list' : 'object', entries: [isList ? { node: entry.node } : { name: pick(names, random), node: entry.node }] }
    }
  },
  (place, _, random) => {
    const entry = entryOf(place)
    if (entry.name !== undefined) entry.name = pick([pick(names, random), ...respellings.map((respell) => respell(entry.name!))], random)
  },
  ({ container, index }, _, random) => {
    const name = container.kind === 'object' ? { name: pick(names, random) } : {}
    container.entries.splice(index, 0, { ...name, node: { raw: pick(values, random) } })
  },
  (place, _, _random, foreign) => (entryOf(place).node = foreign()),
  (place, _, random) => {
    const entry = entryOf(place)
    if (!('raw' in entry.node)) return
    const { raw } = entry.node
    const isText = raw.startsWith('"')
    const at = isText ? 1 + random(raw.length - 1) : random(raw.length + 1)
    entry.node = { raw: raw.slice(0, at) + pick(isText ? inTexts : inNumbers, random) + raw.slice(at + (isText ? 0 : random(3))) }
  },
  (place) => {
    const entry = entryOf(place)
    if ('raw' in entry.node) entry.node = { raw: entry.node.raw.startsWith('"') ? entry.node.raw.slice(1, -1) : `"${entry.node.raw}"` }
    else entry.node = entry.node.kind === 'list' ? (entry.node.entries[0]?.node ?? { raw: 'null' }) : { kind: 'list', entries: [{ node: entry.node }] }
  },
] // prettier-ignore

const text = JSON.stringify
const values = [
  ...['null', 'true', 'false', '""', '" "', '[]', '{}', '[null]', '[[]]', '[""]', '{"":null}'],
  ...['0', '-0', '-1', '1', '1.5', '1e3', '1.0e1', '1E-2', '1000000001', '9007199254740991', '9007199254740992', '9223372036854775808', '1e30', '1e400', '-1e400'],
  ...['5', '-5', '1e3', 'unknown', 'now', 'infinity', 'epoch', 'sts', 'STS ', 'tlsa', 'no-policy-found', 'certificate-expired'].map((word) => text(word)),
  ...['0000-01-01T00:00:00Z', '2015-12-31T23:59:59Z', '2026-02-30T00:00:00Z', '2026-03-01T00:00:00', '2026-03-01', '2026-03-01T24:00:00Z', '2026-03-01t23:59:60+01:00', '2026-03-01 00:00:00z', '2026-03-01T00:00:00.123456789123Z', '+275760-09-13T00:00:00Z', '9999-12-31T23:59:60-23:59'].map((date) => text(date)),
  ...['192.0.2.1', '::ffff:1.2.3.4', 'fe80::1%eth0', '[2001:db8::1]', '192.0.2.1/24', '010.0.0.1', '1', '::', '2001:DB8:0:0:0:0:0:1'].map((address) => text(address)),
  ...['MÜNCHEN.Example.', '*.rcpt.example', 'a..b', '.', 'example', 'xn--', 'rcpt.example', `${'a.'.repeat(127)}aa`, 'a@b.example', 'x y', 'xn--mnchen-3ya.example', '\u212a.example'].map((name) => text(name)),
  ...['version: STSv1; mode: enforce; mx: *.rcpt.example; max_age: 1', 'mode:', 'MODE : ' + 'x'.repeat(100), '3 1 1 AABB; 3 1 1 CCDD', ';;;', ';'.repeat(3_000)].map((line) => text(line)),
  ...['x'.repeat(1_024), 'x'.repeat(1_025), 'é'.repeat(513), 'x'.repeat(5_000), '😀'.repeat(1_025), '<script>', '\r\nX: y', '\u202e', '\0', '=1+1', "'; drop table report; --"].map((word) => text(word)),
  ...[String.raw`"\u0000"`, String.raw`"\ud800"`, String.raw`"\udc00\ud800x"`, String.raw`"\u005cud800"`, '"\ufeff"', '{"__proto__":{"polluted":1}}', '{"toString":1,"valueOf":2}'],
] // prettier-ignore

const names = [
  ...['organization-name', 'date-range', 'start-datetime', 'end-datetime', 'contact-info', 'report-id', 'policies', 'policy', 'policy-type', 'policy-string', 'policy-domain', 'mx-host', 'summary', 'total-successful-session-count', 'total-failure-session-count', 'failure-details', 'result-type', 'sending-mta-ip', 'receiving-mx-hostname', 'receiving-mx-helo', 'receiving-ip', 'failed-session-count', 'additional-information', 'failure-reason-code'],
  ...['mx-host-pattern', 'mx-hosts', 'mx_host', 'failure-code', 'failed-sessions', '', '0', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '~1/~0', '\0', '\ud800', 'x'.repeat(300)],
] // prettier-ignore

const respellings = [
  (name: string) => name.replaceAll('-', '_'),
  (name: string) => name.toUpperCase(),
  (name: string) => `${name} `,
  (name: string) => `${name}s`,
  (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
]

const inTexts = [String.raw`\u0000`, String.raw`\ud800`, String.raw`\"`, String.raw`\n`, String.raw`\u0009`, ' ', '.', '@', ';', '/', '\u0130', '\u00df', '\u3002', '\u200b', 'x'.repeat(4_096)] // prettier-ignore
const inNumbers = ['.', 'e', 'E+3', '-', '+', '0', '9', '9'.repeat(20), '.0', '_', 'n']

const mostLevels = 500

function read(bytes: Buffer): Node | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString().replace(/^\ufeff/, ''))
    return nodeOf(value, 0)
  } catch {
    return undefined
  }
}

/** Throws for what is too deep. */
function nodeOf(value: unknown, level: number): Node {
  if (level > mostLevels) throw new RangeError('too deep')
  if (Array.isArray(value)) return { kind: 'list', entries: value.map((item) => ({ node: nodeOf(item, level + 1) })) }
  if (typeof value !== 'object' || value === null) return { raw: JSON.stringify(value) }
  const entries = Object.entries(value).map(([name, item]) => ({ name, node: nodeOf(item, level + 1) }))
  return { kind: 'object', entries }
}

/** At most some thousands: what has more is one long list of the same. */
function placesIn(tree: Node): Place[] {
  const places: Place[] = []
  const open = [tree]
  for (let node = open.pop(); node !== undefined && places.length < 5_000; node = open.pop()) {
    if ('raw' in node) continue
    for (const [index, entry] of node.entries.entries()) {
      places.push({ container: node, index })
      open.push(entry.node)
    }
  }
  return places
}

function within(outer: Node, inner: Node): boolean {
  return outer === inner || (!('raw' in outer) && outer.entries.some(({ node }) => within(node, inner)))
}

function write(node: Node, blank: string): string {
  if ('raw' in node) return node.raw
  const entries = node.entries.map(({ name, node: inner }) =>
    name === undefined ? write(inner, blank) : `${JSON.stringify(name)}:${blank}${write(inner, blank)}`,
  )
  const [open, close] = node.kind === 'list' ? '[]' : '{}'
  return `${open}${blank}${entries.join(`,${blank}`)}${blank}${close}`
}
