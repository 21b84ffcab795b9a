import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyPair, signDkim } from '../support/dkim-signer.ts'
import { tellAll } from './fixtures.ts'

const keys = [keyPair('rsa', 1024), keyPair('ed25519')]

/** Any octets but line breaks; blanks often, since they are what canonicalization is about. */
const lineText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(' ', '\t', 'a', 'Z', ':', ';', '='),
    fc.integer({ min: 0, max: 255 }).map((octet) => (octet === 10 || octet === 13 ? 'x' : String.fromCharCode(octet))),
  ),
  maxLength: 30,
})

/** Folded at will; the last line of a fold may be blank, as RFC 5322 §4.2 has it. */
const fieldValue = fc.array(lineText, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\r\n '))
const fieldName = fc.constantFrom('To', 'Subject', 'subject', 'X-1', 'x_$', 'From ', 'DATE \t')
const fields = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 8 })
const bodyText = fc.array(lineText, { maxLength: 8 }).chain((lines) => {
  return fc.array(fc.constantFrom('', '\r\n', ' \t', '\r', '\n'), { maxLength: 4 }).map((ends) => lines.join('\r\n') + ends.join('')) // prettier-ignore
})

const message = fc.record({ fields, body: bodyText }).map(({ fields, body }) => {
  const lines = [['From', ' a@sender.example'], ...fields].map((field) => field.join(':'))
  return `${lines.join('\r\n')}\r\n\r\n${body}`
})

const signing = fc.record({
  key: fc.constantFrom(...keys),
  canonicalization: fc.constantFrom('simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'),
})

const zone = Object.fromEntries(keys.map((key) => [`${key.type}._domainkey.sender.example`, key.record]))

type Signing = typeof signing extends fc.Arbitrary<infer T> ? T : never

function sign(text: string, { key, canonicalization }: Signing, headers?: string[]): Buffer {
  const options = { key, canonicalization, domain: 'sender.example', selector: key.type }
  return signDkim(text, headers ? { ...options, headers } : options)
}

test('what was signed passes: any header, any body, any choice of signed fields', async () => {
  const names = fc.array(fc.constantFrom('from', 'TO', 'subject', 'x-1', 'x_$', 'date', 'absent', 'dkim-signature'))
  await fc.assert(
    fc.asyncProperty(message, signing, names, async (text, how, more) => {
      assert.deepEqual(await tellAll(sign(text, how, ['From', ...more]), zone), ['pass'])
    }),
    { numRuns: 300 },
  )
})

test('no visible character of a signed field can be changed', async () => {
  await fc.assert(
    fc.asyncProperty(message, signing, fc.nat(), async (text, how, position) => {
      const bytes = sign(text, how)
      const start = bytes.length - text.length
      const visible = visibleFrom(bytes, start, bytes.indexOf('\r\n\r\n'))
      const at = visible[position % visible.length]!
      assert.deepEqual(await tellAll(changed(bytes, at), zone), ['fail: signature-mismatch'])
    }),
    { numRuns: 300 },
  )
})

test('no visible character of the body can be changed', async () => {
  await fc.assert(
    fc.asyncProperty(message, signing, fc.nat(), async (text, how, position) => {
      const bytes = sign(text, how)
      const visible = visibleFrom(bytes, bytes.indexOf('\r\n\r\n') + 4, bytes.length)
      fc.pre(visible.length > 0)
      const at = visible[position % visible.length]!
      assert.deepEqual(await tellAll(changed(bytes, at), zone), ['fail: body-hash-mismatch'])
    }),
    { numRuns: 300 },
  )
})

test('any bytes at all have an answer', async () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .tuple(message, signing, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 }))
      .map(([text, how, hits]) => {
        const bytes = sign(text, how)
        for (const [position, octet] of hits) bytes[position % bytes.length] = octet
        return bytes
      }),
  )
  await fc.assert(
    fc.asyncProperty(noise, async (bytes) => {
      for (const told of await tellAll(bytes, zone)) assert.match(told, /^(pass|(fail|permerror): [a-z-]+)$/)
    }),
    { numRuns: 300 },
  )
})

/** Where printable ASCII stands in [start, end): names of fields, colons and values alike. */
function visibleFrom(bytes: Buffer, start: number, end: number): number[] {
  const text = bytes.toString('latin1', start, end)
  return [...text.matchAll(/[\x21-\x7e]/g)].map((match) => start + match.index)
}

/** Another visible character there, and no letter: in a name of a field that might be the same in another case. */
function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = bytes[at] === 0x23 ? 0x25 : 0x23
  return copy
}
