import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { chooseKey, maxCachedRecords, readKeyRecord } from '../../src/dkim/key.ts'
import { keyPair, keyRecord, publicKeyText } from '../support/dkim-signer.ts'

const rsa = keyPair('rsa', 1024)
const ed25519 = keyPair('ed25519')
const p = publicKeyText(rsa, 'spki')
const ellipticCurveKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  type: 'spki',
  format: 'der',
})

function reasonFor(record: string): string {
  const key = readKeyRecord(record)
  return key.kind === 'unusable' ? key.reason : 'none'
}

test('p= alone is an RSA key for every hash and service', () => {
  const key = readKeyRecord(`p=${p}`)
  assert.ok(key.kind === 'key')
  const { publicKey, ...rest } = key
  assert.equal(publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), p)
  assert.deepEqual(rest, { kind: 'key', type: 'rsa', bits: 1024, services: ['*'], flags: [] })
})

test('all tags are read, whatever their folding and case, and unknown ones are passed over', () => {
  const wrapped = publicKeyText(ed25519, 'spki').replace(/(.{20})/g, '$1 \t')
  const key = readKeyRecord(
    ` v = DKIM1 ; k=Ed25519; h=SHA1 : sha256; s=Email:\tTLSRPT; t=Y:s; g=*; n=a note; p= ${wrapped};`,
  )
  assert.ok(key.kind === 'key')
  const { type, hashes, services, flags } = key
  assert.deepEqual([type, hashes, services, flags], ['ed25519', ['sha1', 'sha256'], ['email', 'tlsrpt'], ['y', 's']])
  assert.equal(key.bits, undefined)
})

test('the key of RFC 6376 itself, a bare RSAPublicKey, is read like a SubjectPublicKeyInfo', () => {
  const key = readKeyRecord(`v=DKIM1; p=${publicKeyText(rsa, 'pkcs1')}`)
  assert.ok(key.kind === 'key')
  assert.equal(key.bits, 1024)
  assert.equal(key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), p)
})

const unusable: Record<string, string[]> = {
  'key-revoked': ['p=', 'v=DKIM1; k=rsa; p= ', 'v=DKIM1; k=unknown; p='],
  'key-algorithm-mismatch': [`v=DKIM1; k=unknown; p=${p}`, `k=; p=${p}`],
  'key-malformed': [
    ...['', 'v=DKIM1', 'v=DKIM1; k=rsa', 'garbage', 'p', 'p=!', 'p=AAAA', `p=${p.slice(0, 40)}`, `p=${p}; p=${p}`],
    ...[`v=DKIM2; p=${p}`, `v=dkim1; p=${p}`, `v=; p=${p}`, `k=rsa; v=DKIM1; p=${p}`, `v=DKIM1; n=\0; p=${p}`],
    ...[`p=${p}\0`, `k=ed25519; p=${p}`, `k=rsa; p=${publicKeyText(ed25519, 'spki')}`, `v=DKIM1 p=${p}`],
    ...[`p=${ellipticCurveKey.toString('base64')}`, `k=ed25519; p=${Buffer.alloc(31).toString('base64')}`],
  ],
}

for (const [reason, records] of Object.entries(unusable)) {
  test(`a record is unusable for ${reason}`, () => {
    for (const record of records) assert.equal(reasonFor(record), reason, JSON.stringify(record))
  })
}

test('a record may have 4096 characters and no more', () => {
  const record = (length: number) => `v=DKIM1; p=${p}; n=`.padEnd(length, 'x')
  assert.equal(reasonFor(record(4096)), 'none')
  assert.equal(reasonFor(record(4097)), 'key-malformed')
})

test('of several records one must be a key and the others plainly not', () => {
  const others = ['v=spf1 -all', 'google-site-verification=abc', '', 'a b c', 'n=no key here', `v=DKIM2; p=${p}`]
  assert.equal(chooseKey([...others, rsa.record]).kind, 'key')
  const several = { kind: 'unusable', reason: 'several-keys' }
  assert.deepEqual(chooseKey([rsa.record, ed25519.record]), several)
  assert.deepEqual(chooseKey([rsa.record, rsa.record]), several)
  assert.deepEqual(chooseKey([rsa.record, `p=${p}`]), several)
  assert.deepEqual(chooseKey([rsa.record, 'v=DKIM1; k=rsa']), several)
  assert.deepEqual(chooseKey([rsa.record, 'p=']), several)
  assert.deepEqual(chooseKey(others), { kind: 'unusable', reason: 'key-malformed' })
})

test('the same record is read once while it is among the last ones, and the memory of them is bounded', () => {
  const first = readKeyRecord(rsa.record)
  assert.equal(readKeyRecord(rsa.record), first)
  for (let i = 0; i < maxCachedRecords; i++) readKeyRecord(keyRecord(rsa, { n: `${i}`, p: '' }))
  assert.notEqual(readKeyRecord(rsa.record), first)
})
