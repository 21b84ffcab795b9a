import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyDkim } from '../../src/dkim/verify.ts'
import type { SignOptions } from '../support/dkim-signer.ts'
import { keyPair, keyRecord, publicKeyText } from '../support/dkim-signer.ts'
import type { Zone } from './fixtures.ts'
import {
  arrival,
  arrivalSeconds,
  body,
  header,
  isAligned,
  limits,
  mail,
  signed,
  tell,
  tellAll,
  verifyAll,
} from './fixtures.ts'
import { zoneOf, zoneResolver } from './fixtures.ts'

const name = 'tls._domainkey.sender.example'
const foreign = { domain: 'foreign.example' }
const foreignZone: Zone = { ...zoneOf(), 'tls._domainkey.foreign.example': keyPair().record }
const canonicalizations = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'] as const

function replaceOnce(message: Buffer, from: string, to: string): Buffer {
  const text = message.toString('latin1')
  assert.equal(text.split(from).length, 2, `${from} is there once`)
  return Buffer.from(text.replace(from, to), 'latin1')
}

async function ask(message: Buffer, zone: Zone, aligned = isAligned, some: Partial<typeof limits> = {}) {
  const { resolveTxt, asked } = zoneResolver(zone)
  const results = await verifyDkim(message, resolveTxt, arrival, aligned, { ...limits, ...some })
  return { told: results.map(tell), asked, results }
}

test('a passing signature is told in full', async () => {
  const message = signed({ headers: ['From', 'SUBJECT', 'from'], tags: { d: 'Sender.EXAMPLE', a: 'RSA-SHA256' } })
  assert.deepEqual(await verifyAll(message), [
    {
      result: 'pass',
      domain: 'sender.example',
      selector: 'tls',
      algorithm: 'rsa-sha256',
      keyBits: 2048,
      unacceptable: [],
      signedHeaders: ['from', 'subject', 'from'],
    },
  ])
})

test('a failing signature is told in full', async () => {
  const message = replaceOnce(signed({ headers: ['From'] }), 'From: tlsrpt@', 'From: other@')
  assert.deepEqual(await verifyAll(message), [
    {
      result: 'fail',
      reason: 'signature-mismatch',
      domain: 'sender.example',
      selector: 'tls',
      algorithm: 'rsa-sha256',
      keyBits: 2048,
      unacceptable: [],
      signedHeaders: ['from'],
    },
  ])
})

test('a message without a signature has no results', async () => {
  for (const text of [mail, '', '\r\n', body, 'X-DKIM-Signature: v=1\r\n\r\n', `\r\n${signed().toString('latin1')}`]) {
    assert.deepEqual(await tellAll(Buffer.from(text)), [])
  }
})

test('every canonicalization passes with every kind of key', async () => {
  for (const canonicalization of canonicalizations) {
    for (const key of [keyPair(), keyPair('rsa', 1024), keyPair('ed25519')]) {
      const message = signed({ key, canonicalization })
      assert.deepEqual(await tellAll(message, { [name]: key.record }), ['pass'], `${key.type} ${canonicalization}`)
    }
  }
})

test('a changed body or header fails', async () => {
  for (const canonicalization of canonicalizations) {
    const message = signed({ canonicalization })
    const otherBody = replaceOnce(message, 'two  lines', 'two  Lines')
    const otherHeader = replaceOnce(message, 'To: tlsrpt@', 'To: report@')
    const otherTag = replaceOnce(message, 's=tls;', 's=tls; ')
    assert.deepEqual(await tellAll(otherBody), ['fail: body-hash-mismatch'])
    assert.deepEqual(await tellAll(otherHeader), ['fail: signature-mismatch'])
    assert.deepEqual(await tellAll(otherTag), [
      canonicalization.startsWith('simple') ? 'fail: signature-mismatch' : 'pass',
    ])
  }
})

test('relaxed forgives blanks and folding, simple does not', async () => {
  const respace = (message: Buffer) => replaceOnce(message, 'Submitter: sender', 'Submitter: \r\n \tsender')
  const rewrap = (message: Buffer) => replaceOnce(message, 'two  lines. \r\n', 'two lines.\t\r\n \r\n')
  assert.deepEqual(await tellAll(rewrap(respace(signed({ canonicalization: 'relaxed/relaxed' })))), ['pass'])
  assert.deepEqual(await tellAll(respace(signed({ canonicalization: 'simple/simple' }))), ['fail: signature-mismatch'])
  assert.deepEqual(await tellAll(rewrap(signed({ canonicalization: 'simple/simple' }))), ['fail: body-hash-mismatch'])
})

test('times are judged at arrival, with some patience for clocks', async () => {
  const cases: [Record<string, number>, string][] = [
    [{ x: arrivalSeconds - 300 }, 'pass'],
    [{ x: arrivalSeconds - 301 }, 'fail: signature-expired'],
    [{ t: arrivalSeconds + 3600 }, 'pass'],
    [{ t: arrivalSeconds + 3601 }, 'fail: signature-from-the-future'],
    [{ t: 0, x: 1 }, 'fail: signature-expired'],
    [{ t: arrivalSeconds, x: arrivalSeconds }, 'permerror: expires-before-signed'],
    [{ t: arrivalSeconds, x: arrivalSeconds - 1 }, 'permerror: expires-before-signed'],
    [{ t: arrivalSeconds - 60, x: arrivalSeconds + 604800 }, 'pass'],
  ]
  for (const [times, told] of cases) {
    const tags = Object.fromEntries(Object.entries(times).map(([tag, seconds]) => [tag, `${seconds}`]))
    assert.deepEqual(await tellAll(signed({ tags })), [told], JSON.stringify(times))
  }
})

test('a body length is never acceptable, even where the body is intact', async () => {
  const canonicalBody = 'This is a report.\r\n\r\nIt has two lines.\r\n'
  for (const l of ['0', '00', '5', `${canonicalBody.length}`]) {
    const message = signed({ tags: { l } })
    assert.deepEqual(await tellAll(message), ['pass but body-length-limited'], l)
    const longer = Buffer.concat([message, Buffer.from('appended\r\n')])
    assert.deepEqual(await tellAll(longer), ['pass but body-length-limited'], l)
  }
  assert.deepEqual(await tellAll(replaceOnce(signed({ tags: { l: '5' } }), 'This is', 'Thus is')), [
    'fail: body-hash-mismatch',
  ])
  assert.deepEqual(await tellAll(signed({ tags: { l: `${canonicalBody.length + 1}` } })), [
    'fail: body-shorter-than-signed',
  ])
  assert.deepEqual(await tellAll(signed({ tags: { l: '9'.repeat(76) } })), ['fail: body-shorter-than-signed'])
  assert.deepEqual(await tellAll(signed({ tags: { l: '-1', bh: 'AAAA' } })), ['permerror: signature-malformed'])
})

test('RSA keys below 1024 bit are weak, and large ones do not stall', async () => {
  const cases: [number, string][] = [
    [512, 'pass but weak-key'],
    [768, 'pass but weak-key'],
    [1023, 'pass but weak-key'],
    [1024, 'pass'],
    [4096, 'pass'],
    [8192, 'pass'],
    [16384, 'pass'],
  ]
  for (const [bits, told] of cases) {
    const key = keyPair('rsa', bits)
    const message = signed({ key })
    const start = performance.now()
    const [result] = await verifyAll(message, { [name]: key.record })
    assert.ok(performance.now() - start < 500, `${bits} bit`)
    assert.equal(tell(result!), told, `${bits} bit`)
    assert.equal(result!.keyBits, bits)
  }
})

test('rsa-sha1 holds and is not acceptable, other algorithms are unknown', async () => {
  assert.deepEqual(await tellAll(signed({ algorithm: 'rsa-sha1' })), ['pass but sha1'])
  assert.deepEqual(await tellAll(signed({ algorithm: 'rsa-sha1' }), zoneOf({ h: 'sha1' })), ['pass but sha1'])
  assert.deepEqual(await tellAll(signed({ tags: { a: 'rsa-sha512' } })), ['permerror: unknown-algorithm'])
})

const keyCases: [string, Zone, string][] = [
  ['service tlsrpt', zoneOf({ s: 'tlsrpt' }), 'pass'],
  ['services email and tlsrpt, folded', zoneOf({ s: 'email : TLSRPT' }), 'pass'],
  ['every service', zoneOf({ s: '*' }), 'pass'],
  ['email and every service', zoneOf({ s: 'email:*' }), 'pass'],
  ['service email', zoneOf({ s: 'email' }), 'pass but service-type'],
  ['service xmpp', zoneOf({ s: 'xmpp' }), 'pass but service-type'],
  ['no service at all', zoneOf({ s: '' }), 'pass but service-type'],
  ['testing', zoneOf({ t: 'y' }), 'pass but testing'],
  ['testing and strict', zoneOf({ t: 's:y' }), 'pass but testing'],
  ['unknown flags', zoneOf({ t: 'z' }), 'pass'],
  ['sha256 and sha1', zoneOf({ h: 'sha1:sha256' }), 'pass'],
  ['sha1 only', zoneOf({ h: 'sha1' }), 'permerror: key-hash-mismatch'],
  ['no version', zoneOf({ v: undefined }), 'pass'],
  ['another version', zoneOf({ v: 'DKIM2' }), 'permerror: key-malformed'],
  ['PKCS#1', zoneOf({ p: publicKeyText(keyPair(), 'pkcs1') }), 'pass'],
  ['revoked', zoneOf({ p: '' }), 'permerror: key-revoked'],
  ['unknown kind of key', zoneOf({ k: 'unknown' }), 'permerror: key-algorithm-mismatch'],
  ['an Ed25519 key', { [name]: keyPair('ed25519').record }, 'permerror: key-algorithm-mismatch'],
  ['another RSA key', { [name]: keyPair('rsa', 2048, 'second').record }, 'fail: signature-mismatch'],
  ['garbage', { [name]: 'garbage' }, 'permerror: key-malformed'],
  ['NUL', { [name]: 'v=DKIM1; p=\0' }, 'permerror: key-malformed'],
  ['10 KB', zoneOf({ n: 'x'.repeat(10_000) }), 'permerror: key-malformed'],
  ['two keys', { [name]: [keyPair().record, keyPair().record] }, 'permerror: several-keys'],
  ['a key and something else', { [name]: ['v=spf1 -all', keyPair().record] }, 'pass'],
  ['no such name', {}, 'permerror: no-key'],
  ['no records', { [name]: [] }, 'permerror: no-key'],
  ['no answer', { [name]: { kind: 'unreachable', reason: 'dns-servfail' } }, 'temperror: dns-servfail'],
]

for (const [what, zone, told] of keyCases) {
  test(`key record: ${what} -> ${told}`, async () => {
    assert.deepEqual(await tellAll(signed(), zone), [told])
  })
}

test('i= may be below d= unless the key forbids it', async () => {
  const below = signed({ tags: { i: 'a@Mail.sender.example' } })
  assert.deepEqual(await tellAll(below), ['pass'])
  assert.deepEqual(await tellAll(below, zoneOf({ t: 's' })), ['pass but identity-mismatch'])
  assert.deepEqual(await tellAll(signed({ tags: { i: '@SENDER.example' } }), zoneOf({ t: 's' })), ['pass'])
  assert.deepEqual(await tellAll(signed({ tags: { i: '@other.example' } })), ['permerror: identity-outside-domain'])
})

test('all that is unacceptable is told at once', async () => {
  const key = keyPair('rsa', 768)
  const zone = { [name]: keyRecord(key, { s: 'email', t: 'y:s' }) }
  const message = signed({ key, algorithm: 'rsa-sha1', tags: { l: '0', i: '@x.sender.example' } })
  const all = 'body-length-limited, weak-key, sha1, service-type, testing, identity-mismatch'
  assert.deepEqual(await tellAll(message, zone), [`pass but ${all}`])
})

test('a domain or selector that is none costs no query', async () => {
  const domains = [
    'sender.example\0',
    'a'.repeat(300),
    'sen der.example',
    'a..example',
    'm\u00fcnchen.example',
    '192.0.2.1',
    'localhost',
    '_a.example',
    'example',
    'co.uk',
    'github.io',
  ]
  const selectors = ['tls\0', 's'.repeat(300), 't ls', 'a..b', 'm\u00fc', '']
  for (const tags of [...domains.map((d) => ({ d })), ...selectors.map((s) => ({ s }))]) {
    const { told, asked } = await ask(signed({ tags }), {}, () => true)
    assert.match(
      told.join(),
      /^permerror: (signature-malformed|unusable-domain|domain-is-public-suffix|unusable-selector)$/,
    )
    assert.deepEqual(asked, [])
  }
})

test('an A-label, an underscore in the selector and a number as selector are asked for in lower case', async () => {
  const { asked } = await ask(signed({ domain: 'XN--mnchen-3ya.example', selector: '_S.2026' }), {})
  assert.deepEqual(asked, ['_s.2026._domainkey.xn--mnchen-3ya.example'])
})

test('what cannot pass whatever the key costs no query', async () => {
  for (const message of [
    replaceOnce(signed(), 'two  lines', 'no  lines'),
    signed({ tags: { x: '1' } }),
    signed({ tags: { a: 'rsa-md5' } }),
    signed({ headers: ['Subject'] }),
  ]) {
    const { told, asked } = await ask(message, zoneOf())
    assert.equal(told.length, 1)
    assert.deepEqual(asked, [])
  }
})

test('of repeated fields the lowest are signed, and over-signing keeps others from being added', async () => {
  const twice = `X: 1\r\nX: 2\r\n${mail}`
  const one = signed({ headers: ['From', 'X'] }, twice)
  assert.deepEqual(await tellAll(one), ['pass'])
  assert.deepEqual(await tellAll(replaceOnce(one, 'X: 1', 'X: changed')), ['pass'])
  assert.deepEqual(await tellAll(replaceOnce(one, 'X: 2', 'X: changed')), ['fail: signature-mismatch'])
  const prepend = (message: Buffer) => Buffer.concat([Buffer.from('Subject: other\r\n'), message])
  assert.deepEqual(await tellAll(prepend(signed({ headers: ['From', 'Subject'] }))), ['pass'])
  const overSigned = signed({ headers: ['From', 'Subject', 'From', 'Subject', 'Subject', 'Reply-To'] })
  assert.deepEqual(await tellAll(overSigned), ['pass'])
  assert.deepEqual(await tellAll(prepend(overSigned)), ['fail: signature-mismatch'])
})

test('From must be signed, once is enough', async () => {
  assert.deepEqual(await tellAll(signed({ headers: ['Subject', 'To'] })), ['permerror: from-not-signed'])
  assert.deepEqual(await tellAll(signed({ headers: ['FROM'] })), ['pass'])
})

test('names in h= that are not there, or may not be, add nothing', async () => {
  assert.deepEqual(await tellAll(signed({ headers: ['From', 'X-None', '', 'x=y', 'b=', 'toString'] })), ['pass'])
})

test('the signature itself is never among the fields of its h=, other signatures may be', async () => {
  const headers = ['From', 'DKIM-Signature', 'DKIM-Signature']
  const alone = signed({ headers })
  assert.deepEqual(await tellAll(alone), ['pass'])
  const { told } = await ask(signed({ headers }, signed(foreign)), foreignZone)
  assert.deepEqual(told, ['pass'])
  const added = Buffer.concat([signed(foreign).subarray(0, -Buffer.byteLength(mail)), alone])
  assert.deepEqual((await ask(added, foreignZone)).told, ['fail: signature-mismatch', 'pass'])
})

test('b= is emptied wherever it stands, and nothing else is', async () => {
  for (const canonicalization of canonicalizations) {
    const tags = { z: 'X:b=first|b:=2', bb: 'b=second', n: '=b=third' }
    const message = signed({
      canonicalization,
      headers: ['From', 'b=', 'To'],
      tags,
      lateTags: { y: 'b=fourth', w: '6;' },
    })
    assert.deepEqual(await tellAll(message), ['pass'])
    for (const tag of ['b=first', 'b=second', 'b=third', 'b=fourth', 'From:b=']) {
      assert.deepEqual(await tellAll(replaceOnce(message, tag, `${tag}x`)), ['fail: signature-mismatch'], tag)
    }
  }
})

test('a message that is all header, or ends in its header, is signed like any other', async () => {
  for (const canonicalization of canonicalizations) {
    for (const message of [header, `${header}\r\n`, `${header}\r\n\r\n`]) {
      assert.deepEqual(await tellAll(signed({ canonicalization }, message)), ['pass'])
    }
  }
})

test('lines of the header that are no fields are passed over', async () => {
  const message = signed({ headers: ['From', 'To'] }, `junk\r\n more: junk\r\n${mail}`)
  assert.deepEqual(await tellAll(Buffer.concat([Buffer.from('From x Mon Mar 2\r\n'), message])), ['pass'])
})

test('trailing blank lines and bare CR in the body are verified as they are', async () => {
  for (const canonicalization of canonicalizations) {
    const message = signed({ canonicalization }, `${mail}\r\r\n\r\n\r\n`)
    assert.deepEqual(await tellAll(message), ['pass'])
    assert.deepEqual(await tellAll(message.subarray(0, -4)), ['pass'])
    assert.deepEqual(await tellAll(message.subarray(0, -7)), ['fail: body-hash-mismatch'])
  }
})

test('8-bit octets are signed as octets', async () => {
  const message = `X: \xe4\xff\xa0\r\n${mail}\xfc\x80\x00\x0b`
  for (const canonicalization of canonicalizations) {
    const eightBit = signed({ canonicalization }, message)
    assert.deepEqual(await tellAll(eightBit), ['pass'])
    assert.deepEqual(await tellAll(replaceOnce(eightBit, '\xe4\xff\xa0', '\xe4\xff')), ['fail: signature-mismatch'])
  }
})

test('a header with a bare CR or LF proves nothing: others would read another message', async () => {
  for (const prepended of ['X: a\n\nforged body\r\n', 'X: a\rFrom: other\r\n']) {
    const { told, asked } = await ask(Buffer.concat([Buffer.from(prepended), signed()]), zoneOf())
    assert.deepEqual(told, ['permerror: bare-line-break-in-header'])
    assert.deepEqual(asked, [])
  }
})

test('aligned signatures come first, and one that is good ends it', async () => {
  const message = signed(foreign, signed({}, signed(foreign)))
  const { told, asked, results } = await ask(message, foreignZone)
  assert.deepEqual([told, asked], [['pass'], [name]])
  assert.equal(results[0]!.domain, 'sender.example')
})

test('a good signature helps over a bad one, an unacceptable one and one whose key cannot be had', async () => {
  const zone: Zone = {
    ...zoneOf(),
    'gone._domainkey.sender.example': { kind: 'unreachable', reason: 'dns-timeout' },
    'test._domainkey.sender.example': keyRecord(keyPair(), { t: 'y' }),
  }
  const selectors = ['none', 'test', 'gone', 'tls', 'never']
  const message = selectors.reduceRight<Buffer>((inner, selector) => signed({ selector }, inner), Buffer.from(mail))
  const { told, asked } = await ask(message, zone)
  assert.deepEqual(told, ['permerror: no-key', 'pass but testing', 'temperror: dns-timeout', 'pass'])
  assert.deepEqual(
    asked,
    ['none', 'test', 'gone', 'tls'].map((selector) => `${selector}._domainkey.sender.example`),
  )
})

test('when no aligned one is good the others are tried, so that the caller can tell why', async () => {
  const unreachable: Zone = { ...foreignZone, [name]: { kind: 'unreachable', reason: 'dns-timeout' } }
  const message = signed(foreign, signed())
  assert.deepEqual((await ask(message, unreachable)).told, ['temperror: dns-timeout', 'pass'])
  assert.deepEqual((await ask(signed(foreign), foreignZone)).told, ['pass'])
  assert.deepEqual((await ask(message, {})).told, ['permerror: no-key', 'permerror: no-key'])
})

test('a name is asked for once', async () => {
  const message = signed({ headers: ['From'] }, signed({ selector: 'TLS' }, signed()))
  const { told, asked } = await ask(message, zoneOf({ t: 'y' }))
  assert.deepEqual([told, asked], [Array.from({ length: 3 }, () => 'pass but testing'), [name]])
})

/** `count` signatures under different selectors on one mail, each good by itself. */
function signedOften(count: number, options: Partial<SignOptions> = {}): Buffer {
  const heads = Array.from({ length: count }, (_, i) =>
    signed({ ...options, headers: ['From'], selector: `s${i}` }).subarray(0, -Buffer.byteLength(mail)),
  )
  return Buffer.concat([...heads, Buffer.from(mail)])
}

test('as many aligned and as many other signatures are tried as the limit says', async () => {
  const message = Buffer.concat([signedOften(20, foreign).subarray(0, -Buffer.byteLength(mail)), signedOften(20)])
  const { told, asked, results } = await ask(message, {}, isAligned, { lookups: 100 })
  assert.equal(told.length, 10)
  assert.deepEqual(
    results.slice(0, 5).map((result) => result.domain),
    Array.from({ length: 5 }, () => 'sender.example'),
  )
  assert.equal(asked.length, 10)
})

test('signatures of one message may canonicalize, hash and limit its body each in its own way', async () => {
  const ways: Partial<SignOptions>[] = [
    ...canonicalizations.map((canonicalization) => ({ canonicalization })),
    ...[{ tags: { l: '0' } }, { tags: { l: '5' } }, { algorithm: 'rsa-sha1' as const }],
  ]
  const message = ways.reduceRight<Buffer>(
    (inner, way) => signed({ ...way, headers: ['From'] }, inner),
    Buffer.from(mail),
  )
  const plain = 'pass but testing'
  const limited = 'pass but body-length-limited, testing'
  const { told } = await ask(message, zoneOf({ t: 'y' }), isAligned, { signatures: 10 })
  assert.deepEqual(told, [plain, plain, plain, plain, limited, limited, 'pass but sha1, testing'])
})

test('signatures that would need more look-ups than allowed are not reported', async () => {
  const { told, asked } = await ask(signedOften(5), {}, isAligned, { lookups: 3 })
  assert.deepEqual([told.length, asked.length], [3, 3])
})

test('signatures that cannot be read do not use up the tries of those that can', async () => {
  const broken = 'DKIM-Signature: d=sender.example\r\n'.repeat(10)
  assert.deepEqual(await tellAll(Buffer.concat([Buffer.from(broken), signed()])), ['pass'])
})

test('5,000 signatures, the aligned one last: few queries, no stall', async () => {
  const one = signed(foreign).subarray(0, -Buffer.byteLength(mail))
  const message = Buffer.concat([...Array.from({ length: 5000 }, () => one), signed()])
  const start = performance.now()
  const { told, asked } = await ask(message, foreignZone)
  assert.ok(performance.now() - start < 500)
  assert.deepEqual([told, asked], [['pass'], [name]])
})

test('From named 20,000 times in h=: no stall', async () => {
  const message = signed({ headers: Array.from({ length: 20_000 }, () => 'From') })
  const start = performance.now()
  assert.deepEqual(await tellAll(message), ['pass'])
  assert.ok(performance.now() - start < 500)
})

test('10 MiB of body in one line: no stall', async () => {
  for (const canonicalization of ['simple/simple', 'relaxed/relaxed'] as const) {
    const message = signed({ canonicalization }, `${header}\r\n\r\n${'x '.repeat(5 * 1024 * 1024)}`)
    const start = performance.now()
    assert.deepEqual(await tellAll(message), ['pass'])
    assert.ok(performance.now() - start < 1000)
  }
})

test('what the resolver throws is not swallowed', async () => {
  const broken = () => Promise.reject(new Error('defect'))
  await assert.rejects(verifyDkim(signed(), broken, arrival, isAligned, limits), /defect/)
})
