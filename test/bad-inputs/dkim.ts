/** RFC 6376, 8301, 8463 and RFC 8460 §3: signatures that are none, or not this report's, and keys that cannot be had. */
import { keyPair, keyRecord, type KeyPair, type SignOptions } from '../support/dkim-signer.ts'
import { txt, replyTo, type Zone } from '../support/dns-server.ts'
import { base64Lines, rawMail, sign, type Fields } from '../support/report-mail.ts'
import { report, zipped, type Json } from './report.ts'
import { overSmtp, type MailRow, type Row } from './run-rows.ts'

const rsa = keyPair()
const ed25519 = keyPair('ed25519')
const sizes = [512, 768, 1016, 1024, 4096, 8192, 16_384]
const sized: Record<number, KeyPair> = Object.fromEntries(
  sizes.map((bits): [number, KeyPair] => [bits, keyPair('rsa', bits)]),
)
const nameOf = (selector: string, domain = 'sender.example') => `${selector}._domainkey.${domain}`
const own = (selector: string, tags: Record<string, string | undefined>): [string, string] => [
  nameOf(selector),
  keyRecord(rsa, tags),
]

/** What the resolver finds beside the key of report-mail.ts. */
export const dkimZone: Zone = {
  [nameOf('ed')]: ed25519.record,
  ...Object.fromEntries(Object.entries(sized).map(([bits, { record }]) => [nameOf(`rsa${bits}`), record])),
  ...Object.fromEntries(
    ['a.sender.example', 'mail.sender.example', 'other.example', 'evil.example', 'example', 'co.uk', 'github.io', 'x.github.io'].map((domain) => [nameOf('tls', domain), rsa.record]),
  ), // prettier-ignore
  ...Object.fromEntries([
    own('both', { s: 'email:tlsrpt' }),
    own('any', { s: '*' }),
    own('none', {}),
    own('email', { s: 'email' }),
    own('xmpp', { s: 'xmpp' }),
    own('testing', { t: 'y' }),
    own('strict', { t: 's' }),
    own('revoked', { p: '' }),
    own('unknown', { k: 'dsa' }),
    own('sha1', { h: 'sha1' }),
    own('version', { v: 'DKIM2' }),
    own('long', { n: 'x'.repeat(10_000) }),
    own('nul', { n: 'a\0b' }),
  ]),
  [nameOf('garbage')]: 'this is no key',
  [nameOf('several')]: [rsa.record, ed25519.record],
  [nameOf('nodata')]: { nodata: true },
  [nameOf('servfail')]: { servfail: true },
  [nameOf('refused')]: { rcode: 5 },
  [nameOf('formerr')]: { rcode: 1 },
  [nameOf('drop')]: { drop: true },
  [nameOf('cut')]: { send: (query, over) => (over === 'udp' ? [replyTo(query, [], { flags: 0x0680 })] : []) },
  [nameOf('garbled')]: { send: () => [Buffer.from('this is no DNS message')] },
  [nameOf('foreign')]: { send: (query) => [{ ...replyTo(query, [txt(nameOf('foreign'), rsa.record)]), id: (query.id! + 1) % 65_536 }] }, // prettier-ignore
  ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [nameOf(`chain${i}`), i === 19 ? rsa.record : { cname: nameOf(`chain${i + 1}`) }])), // prettier-ignore
  [nameOf('circle')]: { cname: nameOf('circle') },
}

const unsigned = (fields: Fields = {}, json: Json = report()): Buffer => rawMail(fields, base64Lines(zipped(json)))
const signed = (options: Partial<SignOptions> = {}, fields: Fields = {}, json: Json = report()): Buffer =>
  sign(unsigned(fields, json), options)
const by = (selector: string, more: Partial<SignOptions> = {}): Buffer => signed({ selector, ...more })
const withSize = (bits: number): Buffer => by(`rsa${bits}`, { key: sized[bits]! })
const from = (address: string, json: Json = report({ 'contact-info': address })) => unsigned({ From: address }, json)
const changed = (message: Buffer, find: string, put: string): Buffer =>
  Buffer.from(message.toString('latin1').replace(find, put), 'latin1')
const inSeconds = (seconds: number): string => String(Math.round(Date.now() / 1000) + seconds)
/** Signatures on top that are of no use: each by a domain of its own, or all by this one. */
const useless = (count: number, domain?: string): string =>
  Array.from({ length: count }, (_, i) => `DKIM-Signature: v=1; a=rsa-sha256; d=${domain ?? `d${i}.example`}; s=s${i}; h=from; bh=AAAA; b=AAAA\r\n`).join('') // prettier-ignore
const below = (top: string, message: Buffer): Buffer => Buffer.concat([Buffer.from(top, 'latin1'), message])

type Case = [number: number, title: string, message: () => Buffer, reason: string]
const refused = (reply: string, cases: Case[]): MailRow[] =>
  cases.map(([number, title, message, reason]) => ({ number, title, message, row: `unauthenticated ${reason}`, reply }))

const nonePasses = refused('550 5.7.20', [
  [122, 'no signature', () => unsigned(), 'no-signature'],
  [123, 'the body changed', () => below('', Buffer.concat([signed(), Buffer.from('x\r\n')])), 'body-hash-mismatch'],
  [123, 'a signed field changed', () => changed(signed(), 'Subject: TLS', 'Subject: tls'), 'signature-mismatch'],
  [124, 'expired', () => signed({ tags: { x: inSeconds(-3_600) } }), 'signature-expired'],
  [124, 'signed tomorrow', () => signed({ tags: { t: inSeconds(86_400) } }), 'signature-from-the-future'],
  [124, 'expires before it was signed', () => signed({ tags: { t: inSeconds(-10), x: inSeconds(-20) } }), 'expires-before-signed'],
  [125, 'l= of more than there is', () => signed({ tags: { l: '99999999' } }), 'body-shorter-than-signed'],
  [127, 'an algorithm that nobody knows', () => signed({ tags: { a: 'rsa-md5' } }), 'unknown-algorithm'],
  [131, 'a key that was revoked', () => by('revoked'), 'key-revoked'],
  [131, 'a key of an unknown type', () => by('unknown'), 'key-algorithm-mismatch'],
  [131, 'a key for SHA-1 only', () => by('sha1'), 'key-hash-mismatch'],
  [131, 'a key of another version', () => by('version'), 'key-malformed'],
  [131, 'a key of garbage', () => by('garbage'), 'key-malformed'],
  [131, 'two keys', () => by('several'), 'several-keys'],
  [131, 'a key of 10 KB', () => by('long'), 'key-malformed'],
  [131, 'a NUL in the key', () => by('nul'), 'key-malformed'],
  [131, 'a circle of names', () => by('circle'), 'no-key'],
  [132, 'a name that is not there', () => by('nowhere'), 'no-key'],
  [132, 'a name without a TXT record', () => by('nodata'), 'no-key'],
  [140, 'From not signed', () => signed({ headers: ['Subject', 'Content-Type'] }), 'from-not-signed'],
  [141, 'six aligned ones that fail before the good one', () => below(useless(6, 'sender.example'), signed()), 'body-hash-mismatch'],
  [141, '200 aligned ones that fail before the good one', () => below(useless(200, 'sender.example'), signed()), 'body-hash-mismatch'],
  ...['x'.repeat(300), 'sender .example', 'sender..example', 's\xfcnder.example', '192.0.2.1', 'localhost', 'sender_.example'].map((d): Case => [142, `d=${d.slice(0, 20)}`, () => signed({ domain: d }), 'unusable-domain']),
  ...['x'.repeat(300), 'a b', 'a..b', 't\xfc', '.'].map((s): Case => [142, `s=${s.slice(0, 20)}`, () => signed({ selector: s }), 'unusable-selector']),
  [146, 'ARC alone', () => unsigned({ 'ARC-Seal': 'i=1; a=rsa-sha256; cv=none; d=sender.example; s=tls; b=AAAA', 'ARC-Authentication-Results': 'i=1; rua.example; dkim=pass header.d=sender.example' }), 'no-signature'],
  [146, 'somebody else says that it passed', () => unsigned({ 'Authentication-Results': 'rua.example; dkim=pass header.d=sender.example' }), 'no-signature'],
]) // prettier-ignore

const notAcceptable = refused('550 5.7.21', [
  [125, 'l= of the whole body', () => { const message = unsigned(); return sign(message, { tags: { l: String(message.length - message.indexOf('\r\n\r\n') - 4) } }) }, 'body-length-limited'],
  [125, 'l= of a part, and more behind it', () => Buffer.concat([signed({ tags: { l: '5' } }), Buffer.from('!!!!\r\n')]), 'body-length-limited'],
  [125, 'l=0', () => signed({ tags: { l: '0' } }), 'body-length-limited'],
  [126, 'a key of 512 bit', () => withSize(512), 'weak-key'],
  [126, 'a key of 768 bit', () => withSize(768), 'weak-key'],
  [126, 'a key of 1,016 bit', () => withSize(1016), 'weak-key'],
  [127, 'rsa-sha1', () => signed({ algorithm: 'rsa-sha1' }), 'sha1'],
  [129, 'a key for mail alone', () => by('email'), 'service-type'],
  [129, 'a key for XMPP', () => by('xmpp'), 'service-type'],
  [130, 'a key in testing', () => by('testing'), 'testing'],
  [130, 'a strict key, and i= of a subdomain', () => by('strict', { tags: { i: '@sub.sender.example' } }), 'identity-mismatch'],
]) // prettier-ignore

const notAligned = refused('550 5.7.22', [
  [136, 'signed by another', () => signed({ domain: 'other.example' }), 'signature-not-aligned'],
  [136, 'signed by a top-level domain', () => signed({ domain: 'example' }), 'domain-is-public-suffix'],
  [136, 'signed by co.uk', () => sign(from('tls@sender.co.uk'), { domain: 'co.uk' }), 'domain-is-public-suffix'],
  [136, 'signed by github.io', () => sign(from('tls@me.github.io'), { domain: 'github.io' }), 'domain-is-public-suffix'],
  [136, 'signed by a neighbour at github.io', () => sign(from('tls@me.github.io'), { domain: 'x.github.io' }), 'signature-not-aligned'],
  [138, 'contact-info of another organisation', () => signed({}, {}, report({ 'contact-info': 'tls@google.example' })), 'signature-not-aligned'],
  [139, 'an unsigned From on top', () => below('From: x@google.example\r\n', signed()), 'from-not-single'],
]) // prettier-ignore

type Good = [number: number, title: string, message: () => Buffer]

const good: Good[] = [
  [124, 'expired a minute ago', () => signed({ tags: { x: inSeconds(-60) } })],
  [124, 'signed in half an hour', () => signed({ tags: { t: inSeconds(1_800) } })],
  ...[1024, 4096, 8192, 16_384].map((bits): Good => [126, `a key of ${bits} bit`, () => withSize(bits)]),
  [127, 'ed25519-sha256', () => by('ed', { key: ed25519 })],
  ...['tls', 'both', 'any', 'none'].map((selector): Good => [128, `a key of the service '${selector}'`, () => by(selector)]),
  [130, 'a strict key, and no i=', () => by('strict')],
  [131, 'a chain of twenty names', () => by('chain0')],
  [134, 'one that cannot be told and one that passes', () => sign(by('servfail'))],
  [136, 'signed by the parent', () => sign(from('tls@mail.sender.example'))],
  [136, 'signed by a sibling', () => sign(from('tls@mail.sender.example'), { domain: 'a.sender.example' })],
  [136, 'signed by a subdomain', () => signed({ domain: 'mail.sender.example' })],
  [137, 'in the name of Google', () => signed({}, {}, report({ 'organization-name': 'Google Inc.' }))],
  [140, 'From 5,000 times in h=', () => signed({ headers: Array<string>(5_000).fill('from') })],
  [140, 'more instances signed than there are', () => signed({ headers: ['From', 'From', 'Subject', 'Subject', 'Content-Type', 'Content-Type', 'To'] })],
  [141, '21 others before the good one', () => below(useless(21), signed())],
  [141, '200 others before the good one', () => below(useless(200), signed())],
  [144, 'simple/simple with blank lines at the end', () => sign(Buffer.concat([unsigned(), Buffer.from('\r\n\r\n\r\n')]), { canonicalization: 'simple/simple' })],
  [144, 'blank lines at the end that came on the way', () => Buffer.concat([signed({ canonicalization: 'simple/simple' }), Buffer.from('\r\n\r\n')])],
  [147, 'by a stranger in his own name', () => sign(from('tls@evil.example'), { domain: 'evil.example' })],
] // prettier-ignore

const accepted: MailRow[] = good.map(([number, title, message]) => ({ number, title, message, row: 'accepted' }))

const others: MailRow[] = [
  { number: 138, title: 'another submitter', message: () => signed({}, { 'TLS-Report-Submitter': 'google.example' }), row: 'accepted submitter-differs' },
  { number: 139, title: 'an unsigned Subject on top', message: () => below('Subject: another\r\n', signed()), row: 'accepted header-fields-repeated' },
  { number: 139, title: 'an unsigned TLS-Report-Domain on top', message: () => below('TLS-Report-Domain: theirs.example\r\n', signed()), row: 'accepted' },
  { number: 139, title: 'a domain that only an unsigned TLS-Report-Domain names', message: () => below('TLS-Report-Domain: ours.example\r\n', signed({}, {}, report({ policies: [] }))), row: 'not-ours no-policy-domain' },
  { number: 140, title: 'From 20,000 times in h=', message: () => signed({ headers: Array<string>(20_000).fill('from') }), row: 'malformed line-too-long' },
  { number: 141, title: '5,000 signatures', message: () => below(useless(5_000), signed()), row: 'malformed header-too-large' },
  { number: 142, title: 'NUL in d=', message: () => signed({ domain: 'sender\0.example' }), row: 'malformed nul-byte' },
  { number: 143, title: 'a body of 9 MiB in one line', message: () => sign(rawMail({ 'Content-Type': 'application/tlsrpt+json', 'Content-Transfer-Encoding': '7bit' }, `${JSON.stringify(report())}${' '.repeat(9 * 1024 * 1024)}\r\n`)), row: 'malformed line-too-long' },
  { number: 145, title: 'a report of two months ago', message: () => signed({}, {}, report({ 'date-range': { 'start-datetime': daysAgo(60), 'end-datetime': daysAgo(59) } })), row: 'accepted late' },
  { number: 145, title: 'another tenant’s report, sent to us', message: () => signed({}, {}, JSON.parse(JSON.stringify(report()).replaceAll('ours.example', 'theirs.example')) as Json), row: 'not-ours not-ours' },
] // prettier-ignore

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString()
}

/** Our DNS, or theirs, cannot tell now: nothing is kept, and the sender comes again. */
const deferred: Row[] = overSmtp(
  ['servfail', 'refused', 'formerr', 'drop', 'cut', 'garbled', 'foreign'].map((selector): MailRow => ({
    number: 133,
    title: `a key behind '${selector}'`,
    message: () => by(selector),
    row: [],
    reply: '451 4.4.3',
  })),
)

export const dkim: Row[] = [
  ...overSmtp([...nonePasses, ...notAcceptable, ...notAligned, ...accepted, ...others]),
  ...deferred,
  ...overSmtp([
    { number: 135, title: 'an aligned one that cannot be told, and another’s that passes', message: () => sign(by('servfail'), { domain: 'other.example' }), row: [], reply: '451 4.4.3' },
  ]), // prettier-ignore
]
