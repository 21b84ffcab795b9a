import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatRecord, parseRecord } from '../../src/tlsrpt/record.ts'

const rua = (...records: string[]) => {
  const parsed = parseRecord(records)
  return parsed.kind === 'found' ? parsed.rua : parsed.kind
}

test('a record names its URIs, with blanks, a last semicolon and extensions where they may be', () => {
  assert.deepEqual(rua('v=TLSRPTv1; rua=mailto:a@b.example'), ['mailto:a@b.example'])
  assert.deepEqual(rua('v=TLSRPTv1;rua=mailto:a@b.example;'), ['mailto:a@b.example'])
  assert.deepEqual(rua('v=TLSRPTv1; rua=mailto:a@b.example, \t\t https://r.example/x  '), [
    'mailto:a@b.example',
    'https://r.example/x',
  ])
  assert.deepEqual(rua('v=TLSRPTv1; rua=mailto:a@b.example; ext=yes'), ['mailto:a@b.example'])
  assert.deepEqual(rua('v=TLSRPTv1; a.b-c_1=x:y<z>; rua=mailto:a@b.example'), ['mailto:a@b.example'])
  assert.deepEqual(rua(`v=TLSRPTv1; ${'e'.repeat(32)}=1; rua=https://a.example`), ['https://a.example'])
})

test('what some senders stumble over is read with a warning', () => {
  const parsed = parseRecord(['v=TLSRPTv1 ; rua=https://a.example; rua=mailto:b@c.example'])
  assert.ok(parsed.kind === 'found')
  assert.deepEqual(parsed.rua, ['https://a.example', 'mailto:b@c.example'])
  assert.equal(parsed.warnings.length, 2)
})

test('other TXT records do not matter, and two TLSRPT records are none', () => {
  assert.deepEqual(rua('v=spf1 -all', 'v=TLSRPTv1; rua=mailto:a@b.example'), ['mailto:a@b.example'])
  assert.equal(rua(), 'missing')
  for (const record of [
    '',
    'v=spf1',
    'v=TLSRPTv0; rua=mailto:a@b.example',
    'v=TLSRPTv10; rua=mailto:a@b.example',
    'v=tlsrptv1; rua=mailto:a@b.example',
    ' v=TLSRPTv1; rua=mailto:a@b.example',
  ]) {
    assert.equal(rua(record), 'missing', record)
  }
  assert.equal(rua('v=TLSRPTv1; rua=mailto:a@b.example', 'v=TLSRPTv1; rua=mailto:a@b.example'), 'invalid')
})

test('a malformed field makes the record invalid', () => {
  const withoutRua = ['v=TLSRPTv1', 'v=TLSRPTv1;', 'v=TLSRPTv1; ext=yes', 'v=TLSRPTv1; RUA=mailto:a@b.example']
  const uris = [
    '',
    'noscheme',
    ',, ,',
    'http://a.example',
    'mailto:',
    'mailto:a',
    'mailto:@b',
    'mailto:a@*',
    'https://',
    'https:a',
    'mailto:a@b.example!10m',
    'mailto:a@b.example x',
    'mailto:a@b.example,',
  ]
  const fields = ['more=', `${'e'.repeat(33)}=1`, '1%=a', 'test==', 'novalue', '=x', '', 'a=b c', '-a=b', 'a=é']
  const records = [
    ...withoutRua,
    ...uris.map((uri) => `v=TLSRPTv1; rua=${uri}`),
    ...fields.map((field) => `v=TLSRPTv1; rua=mailto:a@b.example; ${field};`),
  ]
  for (const record of records) {
    const parsed = parseRecord([record])
    assert.ok(parsed.kind === 'invalid', record)
    assert.ok(parsed.problems.length > 0 && parsed.problems.every((problem) => problem.endsWith('.')))
  }
})

test('what is made for these URIs is read back, with what must be percent-encoded so', () => {
  assert.equal(
    formatRecord(['mailto:tls@a.example', 'https://r.example/x']),
    'v=TLSRPTv1; rua=mailto:tls@a.example,https://r.example/x',
  )
  assert.equal(formatRecord(['https://r.example/a,b;c!d']), 'v=TLSRPTv1; rua=https://r.example/a%2Cb%3Bc%21d')
  const uri = fc.oneof(
    fc.emailAddress().map((address) => `mailto:${encodeURI(address)}`),
    fc.webUrl({ validSchemes: ['https'] }),
  )
  fc.assert(
    fc.property(fc.array(uri, { minLength: 1, maxLength: 3 }), (uris) => {
      const encoded = uris.map((text) => text.replaceAll(',', '%2C').replaceAll('!', '%21').replaceAll(';', '%3B'))
      assert.deepEqual(parseRecord([formatRecord(uris)]), { kind: 'found', rua: encoded, warnings: [] })
    }),
  )
})

test('any records are read without a throw', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `v=TLSRPTv1;${text}`),
        ),
      ),
      (records) => {
        assert.ok(['found', 'missing', 'invalid'].includes(parseRecord(records).kind))
      },
    ),
  )
})

test('16 KiB of anything take less than 50 ms of CPU', () => {
  for (const text of [' '.repeat(16_000), '\t;'.repeat(8_000), 'a,'.repeat(8_000), ' '.repeat(16_000) + 'x']) {
    const begun = process.cpuUsage()
    parseRecord([`v=TLSRPTv1; rua=${text}`, `v=TLSRPTv1${text}`])
    parseRecord([`v=TLSRPTv1; rua=${text}`])
    assert.ok(process.cpuUsage(begun).user < 50_000, JSON.stringify(text.slice(0, 4)))
  }
})
