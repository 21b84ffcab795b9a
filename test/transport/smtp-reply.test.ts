/** RFC 5321 §4.2: the table from outcomes to replies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { smtpReply } from '../../src/transport/smtp-reply.ts'
import { outcomes } from './fixtures.ts'

test('temporary stays temporary and permanent permanent; a relay never hears the latter', () => {
  for (const [name, outcome] of Object.entries(outcomes)) {
    const expected = outcome.kind === 'deferred' ? 4 : 'problems' in outcome ? 5 : 2
    const { code, text } = smtpReply(outcome, false)
    assert.equal(Math.floor(code / 100), expected, name)
    assert.ok(text.startsWith(`${expected}.`), name)
    const toRelay = smtpReply(outcome, true)
    assert.equal(Math.floor(toRelay.code / 100), expected === 4 ? 4 : 2, name)
    assert.ok(toRelay.text.startsWith(expected === 4 ? '4.' : '2.'), name)
  }
})

test('whatever a reason says, a reply is one line of printable ASCII within 512 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (reason) => {
      const { code, text } = smtpReply(
        { kind: 'malformed', reason, problems: [], submissionKey: '0'.repeat(36) },
        false,
      )
      assert.match(`${code} ${text}`, /^[\x20-\x7e]{1,510}$/)
    }),
  )
})
