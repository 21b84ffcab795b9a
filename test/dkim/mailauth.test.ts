/** mailauth 7.1.0 as the oracle: another reading of RFC 6376 by other people. Where we differ, we mean to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { keyPair, keyRecord, publicKeyText } from '../support/dkim-signer.ts'
import type { Zone } from './fixtures.ts'
import { arrival, arrivalSeconds, header, mail, signed, tellAll, zoneOf, zoneResolver } from './fixtures.ts'

const name = 'tls._domainkey.sender.example'
const canonicalizations = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'] as const

async function askMailauth(message: Buffer, zone: Zone): Promise<string[]> {
  const { resolveTxt } = zoneResolver(zone)
  const resolver = async (asked: string) => {
    const answer = await resolveTxt(asked.toLowerCase())
    if (answer.kind === 'found') return answer.records.map((record) => [record])
    throw Object.assign(new Error(answer.kind), { code: answer.kind === 'missing' ? 'ENOTFOUND' : 'ETIMEOUT' })
  }
  const { results } = await dkimVerify(message, { resolver, curTime: arrival })
  return results.map(({ status }) => `${status.result}${status.comment ? `: ${status.comment}` : ''}`)
}

/** Both by the one word that counts. */
async function assertAgree(message: Buffer, zone: Zone, what: string) {
  const ours = await tellAll(message, zone)
  const theirs = await askMailauth(message, zone)
  assert.deepEqual(
    ours.map((told) => told === 'pass'),
    theirs.map((told) => told === 'pass'),
    `${what}: ${ours.join()} here, ${theirs.join()} there`,
  )
  return ours
}

/** What may happen to a signed message on its way; each finds what it changes. */
const changes: Record<string, (message: string) => string> = {
  none: (message) => message,
  'a field on top': (message) => `Received: by mx\r\n${message}`,
  'a signed field repeated on top': (message) => `Subject: other\r\n${message}`,
  'a signed field repeated below': (message) => message.replace('\r\n\r\n', '\r\nSubject: other\r\n\r\n'),
  'a field gone': (message) => message.replace(/To: .*\r\n/, ''),
  'a field changed': (message) => message.replace('To: tlsrpt', 'To: tlsrqt'),
  'the case of a name': (message) => message.replace('\r\nTo:', '\r\nTO:'),
  'the case of a value': (message) => message.replace('To: tlsrpt', 'To: TLSRPT'),
  'a blank before the colon': (message) => message.replace('\r\nTo:', '\r\nTo :'),
  'a fold in a field': (message) => message.replace('Submitter: sender', 'Submitter:\r\n sender'),
  'blanks at the end of a field': (message) => message.replace('@rua.example\r\n', '@rua.example \t\r\n'),
  'a fold in the signature': (message) => message.replace('; d=', ';\r\n d='),
  'a tag of the signature': (message) => message.replace('t=1772', 't=1771'),
  'blank lines at the end': (message) => `${message}\r\n\r\n`,
  'blanks at the end': (message) => `${message} \t`,
  'a blank line with blanks at the end': (message) => `${message} \r\n`,
  'no line break at the end': (message) => message.replace(/\r\n$/, ''),
  'a blank less': (message) => message.replace('two  lines', 'two lines'),
  'a blank gone': (message) => message.replace('two  lines', 'twolines'),
  'a tab for a blank': (message) => message.replace('is a report', 'is\ta report'),
  'a line more': (message) => message.replace(/$/, 'appended\r\n'),
  'a character of the body': (message) => message.replace('report.', 'retort.'),
  'no body': (message) => message.slice(0, message.indexOf('\r\n\r\n') + 4),
  'a bare CR in the body': (message) => message.replace('report.', 'report.\r'),
}

for (const canonicalization of canonicalizations) {
  for (const key of [keyPair(), keyPair('ed25519')]) {
    test(`both agree on what changes do to ${key.type} and ${canonicalization}`, async () => {
      const verdicts = new Set<string>()
      for (const text of [mail, `${header}\r\n\r\n`, `${header}\r\n\r\n\xe4\xf6 \xfc\r\n \r\n`]) {
        const message = signed({ key, canonicalization, tags: { t: '1772323200' } }, text).toString('latin1')
        for (const [what, change] of Object.entries(changes)) {
          const changed = Buffer.from(change(message), 'latin1')
          const [told] = await assertAgree(changed, { [name]: key.record }, what)
          verdicts.add(told!)
        }
      }
      assert.deepEqual([...verdicts].sort(), ['fail: body-hash-mismatch', 'fail: signature-mismatch', 'pass'])
    })
  }
}

test('both agree on keys', async () => {
  const p = publicKeyText(keyPair(), 'spki')
  const records = [
    ...[`p=${p}`, `v=DKIM1;p=${p};`, `v=DKIM1; p=${p.replace(/(.{30})/g, '$1 ')}`, 'p=', 'v=DKIM1; k=rsa', 'garbage'],
    ...[`v=DKIM2; p=${p}`, `p=${p.slice(0, 50)}`, `p=${publicKeyText(keyPair(), 'pkcs1')}`, `k=unknown; p=${p}`],
    ...[
      `h=sha256; p=${p}`,
      `h=sha1; p=${p}`,
      `h=sha1:sha256; p=${p}`,
      `s=*; p=${p}`,
      `s=email:*; p=${p}`,
      `x=y; p=${p}`,
    ],
    ...[keyPair('rsa', 2048, 'second').record, keyPair('ed25519').record, keyRecord(keyPair(), { t: 'z', n: 'note' })],
  ]
  for (const record of records) await assertAgree(signed(), { [name]: record }, record)
  await assertAgree(signed(), {}, 'no key')
  await assertAgree(signed(), { [name]: { kind: 'unreachable', reason: 'dns-timeout' } }, 'no answer')
  for (const bits of [1024, 4096]) {
    const key = keyPair('rsa', bits)
    await assertAgree(signed({ key }), { [name]: key.record }, `${bits} bit`)
  }
})

test('both agree on signatures', async () => {
  const cases: Record<string, string | undefined>[] = [
    ...[{ c: 'relaxed' }, { c: undefined }, { q: 'dns/txt' }, { z: 'From:a|To:b' }, { unknown: 'tag' }, { v: '1' }],
    ...[
      { x: `${arrivalSeconds + 60}` },
      { x: `${arrivalSeconds - 600}` },
      { t: '10', x: '9' },
      { t: `${arrivalSeconds}` },
    ],
    ...[{ h: 'from' }, { h: 'FROM : To:to :x-absent' }, { h: 'to:subject' }, { h: 'from:from:from' }, { bh: 'AAAA' }],
    ...[{ i: '@sender.example' }, { i: 'a=20b@mail.sender.example' }, { d: 'Sender.Example' }, { b: 'AAAA' }],
  ]
  for (const tags of cases) {
    const canonicalization = 'c' in tags ? (tags['c'] ? 'relaxed/simple' : 'simple/simple') : 'relaxed/relaxed'
    await assertAgree(signed({ canonicalization, tags }), zoneOf(), JSON.stringify(tags))
  }
})

test('where both differ, by name', async () => {
  const intact = signed({ tags: { l: '5' } })
  const { record } = keyPair()
  const small = keyPair('rsa', 768)
  const future = { t: `${arrivalSeconds + 3 * 86400}` }
  const differences: [string, Buffer, Zone, string, string][] = [
    [
      'key for tlsrpt alone, as RFC 8460 has it',
      signed(),
      zoneOf({ s: 'tlsrpt' }),
      'pass',
      'neutral: key not for email',
    ],
    ['key for email alone', signed(), zoneOf({ s: 'email' }), 'pass but service-type', 'pass'],
    ['key for something else', signed(), zoneOf({ s: 'xmpp' }), 'pass but service-type', 'neutral: key not for email'],
    ['testing key', signed(), zoneOf({ t: 'y' }), 'pass but testing', 'pass'],
    [
      'key for d= alone, i= below',
      signed({ tags: { i: '@a.sender.example' } }),
      zoneOf({ t: 's' }),
      'pass but identity-mismatch',
      'pass',
    ],
    ['l= of an intact body', intact, zoneOf(), 'pass but body-length-limited', 'pass'],
    [
      'l= and more appended',
      Buffer.concat([intact, Buffer.from('more\r\n')]),
      zoneOf(),
      'pass but body-length-limited',
      'pass',
    ],
    [
      'l=0',
      Buffer.concat([signed({ tags: { l: '0' } }), Buffer.from('x')]),
      zoneOf(),
      'pass but body-length-limited',
      'pass',
    ],
    ['l= beyond the body', signed({ tags: { l: '999' } }), zoneOf(), 'fail: body-shorter-than-signed', 'pass'],
    ['rsa-sha1', signed({ algorithm: 'rsa-sha1' }), zoneOf(), 'pass but sha1', 'pass'],
    ['RSA below 1024 bit', signed({ key: small }), { [name]: small.record }, 'pass but weak-key', 'policy'],
    [
      'key that is not for sha256',
      signed(),
      zoneOf({ h: 'sha1' }),
      'permerror: key-hash-mismatch',
      'neutral: inappropriate hash algorithm',
    ],
    ['signed in the future', signed({ tags: future }), zoneOf(), 'fail: signature-from-the-future', 'pass'],
    [
      'expired within the skew of clocks',
      signed({ tags: { x: `${arrivalSeconds - 60}` } }),
      zoneOf(),
      'pass',
      'neutral: expired',
    ],
    [
      'd= is a TLD',
      signed({ domain: 'example' }),
      { 'tls._domainkey.example': record },
      'permerror: domain-is-public-suffix',
      'pass',
    ],
    [
      'd= is a public suffix',
      signed({ domain: 'co.uk' }),
      { 'tls._domainkey.co.uk': record },
      'permerror: domain-is-public-suffix',
      'pass',
    ],
    ['two keys at one name', signed(), { [name]: [record, 'p='] }, 'permerror: several-keys', 'pass'],
    [
      'i= outside d=',
      signed({ tags: { i: '@other.example' } }),
      zoneOf(),
      'permerror: identity-outside-domain',
      'pass',
    ],
    ['no v=', signed({ tags: { v: undefined } }), zoneOf(), 'permerror: signature-malformed', 'pass'],
    ['v= of the key in lower case', signed(), zoneOf({ v: 'dkim1' }), 'permerror: key-malformed', 'pass'],
    ['record too long', signed(), zoneOf({ n: 'x'.repeat(10_000) }), 'permerror: key-malformed', 'pass'],
    [
      'line breaks changed on the way',
      Buffer.from(signed().toString().replaceAll('.\r\n', '.\n')),
      zoneOf(),
      'fail: body-hash-mismatch',
      'pass',
    ],
    [
      'body changed',
      signed({}, Buffer.from(`${mail}x`)).subarray(0, -1),
      zoneOf(),
      'fail: body-hash-mismatch',
      'neutral: body hash did not verify',
    ],
  ]
  for (const [what, message, zone, ours, theirs] of differences) {
    assert.deepEqual([await tellAll(message, zone), await askMailauth(message, zone)], [[ours], [theirs]], what)
  }
})
