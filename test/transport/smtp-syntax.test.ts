/** RFC 5321 as far as smtp-server leaves it to us. The sockets' view of it is in smtp.test.ts and smtp-data.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasSmuggledEnd, makeRecipientTest } from '../../src/transport/smtp-syntax.ts'

test('a smuggled end is a dot between line ends of which one is a bare LF', () => {
  const byRule = (text: string) => /(?:^|\r\n)\.\n|(?<!\r)\n\.(?:\n|\r\n)/.test(text)
  fc.assert(
    fc.property(fc.array(fc.constantFrom('.', '\r', '\n', 'x'), { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      assert.equal(hasSmuggledEnd(Buffer.from(text)), byRule(text), JSON.stringify(text))
    }),
    { numRuns: 5000 },
  )
})

test('ten megabytes of dots and line ends are looked through in no time', () => {
  const message = Buffer.alloc(10 * 1024 * 1024, '\r\n.')
  const started = performance.now()
  assert.equal(hasSmuggledEnd(message), false)
  assert.ok(performance.now() - started < 1000)
})

test('a tag belongs to the address before it, unless the address with it is the configured one', () => {
  const isOurs = makeRecipientTest(['a+b@ours.example'], 'mx.ours.example')
  assert.equal(isOurs('A+B@ours.example.'), true)
  assert.equal(isOurs('a@ours.example'), false)
  assert.equal(isOurs('a+c@ours.example'), false)
})
