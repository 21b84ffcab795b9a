import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyName, parseColonList, parseSignature, parseTagList } from '../../src/dkim/signature.ts'

/** RFC 6376 §3.5 with only what must be there; overrides by tag, undefined leaves one out. */
function value(tags: Record<string, string | undefined> = {}): string {
  const all: Record<string, string | undefined> = {
    v: '1',
    a: 'rsa-sha256',
    d: 'sender.example',
    s: 'tls',
    h: 'from:to',
    bh: 'AAAA',
    b: 'BBBB',
    ...tags,
  }
  return Object.entries(all)
    .flatMap(([name, text]) => (text === undefined ? [] : `${name}=${text}`))
    .join('; ')
}

function reasonFor(tags: Record<string, string | undefined>): string {
  const signature = parseSignature(value(tags))
  return signature.kind === 'unusable' ? signature.reason : 'none'
}

test('a tag list keeps its order, and drops folding, blanks around, and empty entries', () => {
  const tags = parseTagList(' v = 1 ;\r\n\ta=x y;; b=\r\n c=d =e;')
  assert.deepEqual(
    [...tags!],
    [
      ['v', '1'],
      ['a', 'x y'],
      ['b', 'c=d =e'],
    ],
  )
})

test('a tag list that names a tag twice, names none or holds a control character is none', () => {
  for (const text of ['a=1; a=2', 'a', 'a=1; b', '=1', '1a=1', 'a-b=1', 'a\u00e4=1', 'a=\0', 'n=bell\x07', 'a=\x7f']) {
    assert.equal(parseTagList(text), undefined, JSON.stringify(text))
  }
})

test('tag names are told by their case', () => {
  assert.equal(parseTagList('a=1; A=2')?.get('A'), '2')
  assert.equal(reasonFor({ d: undefined, D: 'sender.example' }), 'signature-malformed')
})

test('a colon list is lower case, without blanks and empty entries', () => {
  assert.deepEqual(parseColonList(' From : to::\tSUBJECT '), ['from', 'to', 'subject'])
})

test('a signature with the required tags alone has the defaults of RFC 6376', () => {
  assert.deepEqual(parseSignature(value()), {
    kind: 'signature',
    domain: 'sender.example',
    selector: 'tls',
    algorithm: 'rsa-sha256',
    signedHeaders: ['from', 'to'],
    keyType: 'rsa',
    hash: 'sha256',
    headerCanonicalization: 'simple',
    bodyCanonicalization: 'simple',
    bodyHash: Buffer.from('AAAA', 'base64'),
    signature: Buffer.from('BBBB', 'base64'),
    identityDomain: 'sender.example',
  })
})

test('a signature is read whole, whatever its folding and case', () => {
  const tags = {
    a: 'Ed25519-SHA256',
    c: 'Relaxed',
    d: 'Sender.EXAMPLE',
    s: 'Sel_1.2026',
    h: 'From : \r\n\tFROM: to',
    bh: 'AA\r\n\tAA',
    l: '07',
    t: '1',
    x: '2',
    i: '"a@b"@Mail.sender.example',
    q: 'dns/txt',
  }
  const signature = parseSignature(value(tags))
  assert.deepEqual(signature, {
    kind: 'signature',
    domain: 'sender.example',
    selector: 'Sel_1.2026',
    algorithm: 'ed25519-sha256',
    signedHeaders: ['from', 'from', 'to'],
    keyType: 'ed25519',
    hash: 'sha256',
    headerCanonicalization: 'relaxed',
    bodyCanonicalization: 'simple',
    bodyHash: Buffer.from('AAAA', 'base64'),
    signature: Buffer.from('BBBB', 'base64'),
    bodyLength: 7,
    identityDomain: 'mail.sender.example',
    timestamp: 1,
    expiration: 2,
  })
  assert.equal(keyName(signature), 'sel_1.2026._domainkey.sender.example')
})

const longLabel = 'a'.repeat(64)
const longName = `${'a'.repeat(60)}.`.repeat(4) + 'sender.example'

const defects: Record<string, Record<string, string | undefined>[]> = {
  'signature-malformed': [
    ...['v', 'a', 'b', 'bh', 'd', 'h', 's'].map((name) => ({ [name]: undefined })),
    ...[
      { b: '' },
      { b: '!' },
      { bh: '' },
      { bh: 'A=A' },
      { h: '' },
      { h: ' : ' },
      { h: 'from:t\u00f6' },
      { h: 'from:x y' },
      { a: '' },
    ],
    ...[{ a: 'rsa' }, { a: 'rsa-sha256\u00e4' }, { t: '' }, { t: '-1' }, { t: '1e9' }, { t: '1234567890123' }],
    ...[{ x: 'soon' }, { l: '' }, { l: '-1' }, { l: '5 0' }, { l: '1'.repeat(77) }, { i: 'sender.example' }],
    ...[{ d: 'sender\0.example' }, { n: 'x; d=sender.example' }, { '1': 'x' }],
  ],
  'unknown-version': [{ v: '' }, { v: '2' }, { v: 'DKIM1' }, { v: '1.0' }],
  'unusable-domain': [
    ...[{ d: '' }, { d: '.' }, { d: 'sender..example' }, { d: '.sender.example' }, { d: 'sender.example.' }],
    ...[
      { d: 'sen der.example' },
      { d: 'm\u00fcnchen.example' },
      { d: '_x.sender.example' },
      { d: '-a.sender.example' },
    ],
    ...[{ d: `${longLabel}.sender.example` }, { d: longName }, { d: '192.0.2.1' }, { d: '[192.0.2.1]' }, { d: '::1' }],
    ...[{ d: '10.1' }, { d: 'localhost' }, { d: 'x.localhost' }, { d: 'sender.example/x' }, { d: '*.sender.example' }],
  ],
  'domain-is-public-suffix': [
    { d: 'example' },
    { d: 'com' },
    { d: 'co.uk' },
    { d: 'foo.kawasaki.jp' },
    { d: 'github.io' },
  ],
  'unusable-selector': [
    ...[{ s: '' }, { s: '.' }, { s: 'a..b' }, { s: 'a b' }, { s: 't\u00f6st' }, { s: longLabel }, { s: 'a/b' }],
    ...[{ s: '-a' }, { s: '*' }, { s: `${'a'.repeat(60)}.`.repeat(3) + 'a'.repeat(60) }],
  ],
  'unknown-algorithm': [{ a: 'rsa-md5' }, { a: 'dsa-sha256' }, { a: 'ed25519-sha1' }, { a: 'rsa-sha512' }],
  'unknown-canonicalization': [
    { c: '' },
    { c: 'nowsp' },
    { c: 'relaxed/' },
    { c: '/relaxed' },
    { c: 'simple/simple/simple' },
  ],
  'unknown-query-method': [{ q: '' }, { q: 'http' }, { q: 'dns' }],
  'from-not-signed': [{ h: 'to:subject' }, { h: 'x-from' }],
  'identity-outside-domain': [
    ...[
      { i: '@' },
      { i: 'a@example' },
      { i: '@other.example' },
      { i: '@xsender.example' },
      { i: '@sender.example.org' },
    ],
  ],
  'expires-before-signed': [
    { t: '10', x: '9' },
    { t: '10', x: '10' },
  ],
}

for (const [reason, cases] of Object.entries(defects)) {
  test(`a signature is unusable for ${reason}`, () => {
    for (const tags of cases) assert.equal(reasonFor(tags), reason, JSON.stringify(tags))
  })
}

test('what is odd but allowed does no harm', () => {
  const cases = [
    ...[
      { q: 'x/y:dns/txt' },
      { d: 'xn--mnchen-3ya.example' },
      { s: '20230601' },
      { s: '_tls' },
      { h: 'from:from:x:x' },
    ],
    ...[{ unknown_tag: 'a:b=c' }, { z: 'From:x@y|To:z' }, { i: '@sender.example' }, { i: 'x@a.b.sender.example' }],
    ...[{ n: '\u00e4' }, { l: '0' }, { l: '9'.repeat(76) }, { b: 'QQ' }, { b: 'QQ= =' }, { t: '9', x: '10' }],
  ]
  for (const tags of cases) assert.equal(reasonFor(tags), 'none', JSON.stringify(tags))
})

test('an unusable signature claims only what is safe to store', () => {
  const tags = { d: 'sen der.example', s: 's\u00e4', a: 'rsa-\u00e4', h: 'from:\u00e4' }
  assert.deepEqual(parseSignature(value(tags)), {
    kind: 'unusable',
    reason: 'signature-malformed',
    domain: '',
    selector: '',
    algorithm: '',
    signedHeaders: [],
  })
  assert.deepEqual(parseSignature(value({ a: 'RSA-MD5' })), {
    kind: 'unusable',
    reason: 'unknown-algorithm',
    domain: 'sender.example',
    selector: 'tls',
    algorithm: 'rsa-md5',
    signedHeaders: ['from', 'to'],
  })
})
