import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { samePolicy } from '../../src/mtasts/compare.ts'
import { deviations, formatPolicy, longestMaxAge, modes, parsePolicy, policyId, type DeviationCode } from '../../src/mtasts/policy.ts' // prettier-ignore

const good = 'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n'
const policy = { mode: 'enforce', maxAge: 604_800, mx: ['mail.example.com', '*.example.net'] } as const

const codesOf = (text: string): DeviationCode[] => {
  const read = parsePolicy(text)
  return [...new Set([...(read.kind === 'invalid' ? read.problems : []), ...read.warnings].map(({ code }) => code))]
}

test('a policy is read, with CRLF or LF, with or without the last one, in any order', () => {
  const lines = good.trimEnd().split('\r\n')
  for (const text of [
    good,
    good.trimEnd(),
    good.replaceAll('\r\n', '\n'),
    lines
      .toReversed()
      .join('\n')
      .replace('mx: *.example.net\nmx: mail.example.com', 'mx: mail.example.com\nmx: *.example.net'),
  ]) {
    // prettier-ignore
    assert.deepEqual(parsePolicy(text), { kind: 'valid', policy, warnings: [] })
  }
})

test('blanks behind the colon and at the end of a line are as they may be', () => {
  assert.deepEqual(codesOf('version:STSv1\nmode:  \t enforce\t\nmx:a.example \nmax_age:1'), [])
})

test('letter case of hosts does not matter', () => {
  const read = parsePolicy(good.replace('mail.example.com', 'MAIL.Example.COM'))
  assert.deepEqual(read, { kind: 'valid', policy, warnings: [] })
})

test('mode none needs no mx', () => {
  assert.deepEqual(parsePolicy('version: STSv1\nmode: none\nmax_age: 0\n'), {
    kind: 'valid',
    policy: { mode: 'none', maxAge: 0, mx: [] },
    warnings: [],
  })
})

/** What is done to the good policy, and all that is then said of it. */
const cases: Record<DeviationCode, (readonly [string, DeviationCode[]])[]> = {
  empty: [
    ['', ['empty']],
    ['\r\n \n', ['empty', 'line-blank', 'line-endings-mixed']],
  ],
  'byte-order-mark': [[`\ufeff${good}`, ['byte-order-mark']]],
  'line-ending': [[good.replaceAll('\r\n', '\r'), ['line-ending']]],
  'line-malformed': [
    [`${good}enforce\n`, ['line-malformed', 'line-endings-mixed']],
    [good.replace('mode:', 'mode'), ['line-malformed', 'mode-missing']],
    ['<html>\n<p>Not found</p>\n</html>', ['line-malformed', 'version-missing', 'mode-missing', 'max-age-missing', 'mx-missing']], // prettier-ignore
  ],
  'key-misspelt': [
    [good.replace('mode:', 'Mode:'), ['key-misspelt']],
    [good.replace('max_age:', 'max-age:'), ['key-misspelt']],
    [good.replaceAll('mx:', 'MX:'), ['key-misspelt']],
  ],
  'version-missing': [[good.replace('version: STSv1\r\n', ''), ['version-missing']]],
  'version-unknown': [
    [good.replace('STSv1', 'STSv2'), ['version-unknown']],
    [good.replace('STSv1', 'stsv1'), ['version-unknown']],
  ],
  'mode-missing': [[good.replace('mode: enforce\r\n', ''), ['mode-missing']]],
  'mode-unknown': [
    [good.replace('enforce', 'Enforce'), ['mode-unknown']],
    [good.replace('enforce', 'report'), ['mode-unknown']],
    [good.replace('mode: enforce', 'mode:'), ['mode-unknown']],
  ],
  'max-age-missing': [[good.replace('max_age: 604800\r\n', ''), ['max-age-missing']]],
  'max-age-malformed': [
    [good.replace('604800', '7d'), ['max-age-malformed']],
    [good.replace('604800', '-1'), ['max-age-malformed']],
    [good.replace('604800', '604800.0'), ['max-age-malformed']],
    [good.replace('604800', '00000604800'), ['max-age-malformed']],
  ],
  'max-age-too-large': [[good.replace('604800', '31557601'), ['max-age-too-large']]],
  'mx-missing': [[good.replace(/mx: .*\r\n/g, ''), ['mx-missing']]],
  'mx-malformed': [
    [good.replace('mail.example.com', '192.0.2.1'), ['mx-malformed']],
    [good.replace('mail.example.com', '*'), ['mx-malformed']],
    [good.replace('mail.example.com', '*mail.example.com'), ['mx-malformed']],
    [good.replace('mail.example.com', '*.*.example.com'), ['mx-malformed']],
    [good.replace('mail.example.com', 'a.example, b.example'), ['mx-malformed']],
    [good.replace('mail.example.com', 'mail.example.com.'), ['mx-malformed']],
    [good.replace('mail.example.com', ''), ['mx-malformed']],
  ],
  'mx-not-a-labels': [[good.replace('mail.example.com', 'mail.münchen.example'), ['mx-not-a-labels']]],
  'line-endings-mixed': [[good.replace('\r\n', '\n'), ['line-endings-mixed']]],
  'line-blank': [[good.replace('\r\n', '\r\n\r\n'), ['line-blank']]],
  'blank-misplaced': [
    [good.replace('mode:', ' mode:'), ['blank-misplaced']],
    [good.replace('mode:', 'mode :'), ['blank-misplaced']],
  ],
  'key-unknown': [[`${good}comment: what else\r\n`, ['key-unknown']]],
  'key-twice': [[`${good}mode: none\r\n`, ['key-twice']]],
  'mx-twice': [[`${good}mx: MAIL.example.com\r\n`, ['mx-twice']]],
  'value-malformed': [
    [`${good}comment:\r\n`, ['value-malformed', 'key-unknown']],
    [`${good}comment: a\0b\r\n`, ['value-malformed', 'key-unknown']],
  ],
}

for (const [code, texts] of Object.entries(cases)) {
  test(`${code} is noticed, a ${deviations[code as DeviationCode]}`, () => {
    for (const [text, expected] of texts) {
      assert.deepEqual(codesOf(text).sort(), [...expected].sort(), JSON.stringify(text))
      const isProblem = expected.some((deviation) => deviations[deviation] === 'problem')
      assert.equal(parsePolicy(text).kind, isProblem ? 'invalid' : 'valid')
    }
  })
}

test('of an invalid policy it is told what was meant', () => {
  const read = parsePolicy(
    good.replace('mode: enforce', 'Mode: Enforce').replace('*.example.net', 'b.example, c.example.'),
  )
  assert.ok(read.kind === 'invalid')
  assert.deepEqual(read.meant, { mode: 'enforce', maxAge: 604_800, mx: ['mail.example.com', 'b.example', 'c.example'] })
})

test('the first of two values counts', () => {
  const read = parsePolicy(`${good}mode: none\r\nmax_age: 5\r\n`)
  assert.ok(read.kind === 'valid')
  assert.deepEqual(read.policy, policy)
})

const label = fc.stringMatching(/^[a-z0-9]{1,10}$/)
const host = fc.array(label, { minLength: 2, maxLength: 3 }).map((labels) => `${labels.join('.')}.example`)
const pattern = fc.tuple(fc.boolean(), host).map(([wildcard, name]) => (wildcard ? `*.${name}` : name))
const anyPolicy = fc.record(
  {
    mode: fc.constantFrom(...modes),
    maxAge: fc.nat(longestMaxAge),
    mx: fc.uniqueArray(pattern, { minLength: 1, maxLength: 5 }),
  },
  { noNullPrototype: true },
)

test('what is made of a policy is read back without a word', () => {
  fc.assert(
    fc.property(anyPolicy, (any) => {
      assert.deepEqual(parsePolicy(formatPolicy(any)), { kind: 'valid', policy: any, warnings: [] })
    }),
  )
})

test('the id of a policy is another one exactly when the policy is', () => {
  fc.assert(
    fc.property(anyPolicy, anyPolicy, (a, b) => {
      assert.match(policyId(a), /^[a-z0-9]{16}$/)
      assert.equal(policyId(a), policyId({ ...a, mx: a.mx.toReversed() }))
      assert.equal(policyId(a) === policyId(b), samePolicy(a, b))
    }),
  )
})

test('any text is read without a throw, with few words, and invalid with a problem or valid with a policy', () => {
  const line = fc.oneof(fc.string(), fc.constantFrom(...good.split(/(?<=\r\n)/), '\n', '\r', 'mx: ', 'mode: '))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const read = parsePolicy(lines.join(''))
      if (read.kind === 'invalid') assert.ok(read.problems.length > 0)
      else assert.ok(read.policy.mode === 'none' || read.policy.mx.length > 0)
    }),
    { numRuns: 1_000 },
  )
})

test('64 KiB of anything take less than 100 ms of CPU, and are told in at most 50 deviations of a kind', () => {
  const pieces = ['x\n', ' ', '\t:', 'mx: a,b,\n', '\r', 'mx: \u00fc.example\n', `${' '.repeat(30_000)}x`, ': ', 'a'.repeat(9_000)] // prettier-ignore
  for (const piece of pieces) {
    const text = piece.repeat(65_536 / piece.length)
    parsePolicy(text)
    const begun = process.cpuUsage()
    const read = parsePolicy(text)
    assert.ok(process.cpuUsage(begun).user < 100_000, JSON.stringify(piece.slice(0, 10)))
    assert.ok(read.kind === 'invalid' && read.problems.length <= 50 && read.warnings.length <= 50)
    assert.ok([...read.problems, ...read.warnings].every(({ text }) => text.length < 300))
  }
})
