import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesMx, nearMiss, patternsFor } from '../../src/mtasts/match.ts'

const label = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'))

test('a name covers itself and nothing else', () => {
  fc.assert(
    fc.property(name, name, (one, other) => {
      assert.equal(matchesMx(one, other), one === other)
    }),
  )
})

test('a wildcard covers exactly one label', () => {
  assert.ok(matchesMx('*.example.com', 'mail.example.com'))
  assert.ok(!matchesMx('*.example.com', 'example.com'))
  assert.ok(!matchesMx('*.example.com', 'a.b.example.com'))
  assert.ok(!matchesMx('*.example.com', '.example.com'))
  assert.ok(!matchesMx('*.example.com', 'mail.badexample.com'))
  assert.ok(!matchesMx('mail.*.com', 'mail.example.com'))
  fc.assert(
    fc.property(name, fc.array(label, { maxLength: 3 }), (base, labels) => {
      assert.equal(matchesMx(`*.${base}`, [...labels, base].join('.')), labels.length === 1)
    }),
  )
})

test('the patterns of a host are all that cover it', () => {
  assert.deepEqual(patternsFor(['*.b.example', 'a.b.example', 'b.example'], 'a.b.example'), [
    '*.b.example',
    'a.b.example',
  ])
})

test('a wildcard that misses the host by its depth is named', () => {
  assert.equal(nearMiss(['x.example', '*.example.com'], 'example.com'), '*.example.com')
  assert.equal(nearMiss(['*.example.com'], 'a.b.example.com'), '*.example.com')
  assert.equal(nearMiss(['*.example.com'], 'a.example.com'), undefined)
  assert.equal(nearMiss(['*.example.com', 'example.net'], 'a.example.net'), undefined)
})
