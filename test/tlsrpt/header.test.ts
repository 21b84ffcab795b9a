import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addrSpecs, mailFacts, mimeHeader, readHeader, type Header } from '../../src/tlsrpt/header.ts'

const limits = {
  headerBytes: 256 * 1024,
  headerFields: 1000,
  headerFieldBytes: 32 * 1024,
  receivedFields: 50,
  lineBytes: 65_536,
}
const read = (text: string, within = limits) => readHeader(Buffer.from(text, 'latin1'), within)
const reason = (text: string, within = limits) => {
  const header = read(text, within)
  return header.kind === 'header' ? undefined : `${header.kind} ${header.reason}`
}
function headerOf(text: string): Header {
  const header = read(text)
  assert.ok(header.kind === 'header', JSON.stringify(header))
  return header
}
const factsOf = (...lines: string[]) => mailFacts(headerOf(`${lines.join('\r\n')}\r\n\r\n`).fields)

test('a header is split into fields, folds included, and the body begins behind the empty line', () => {
  const { fields, bodyStart } = headerOf('From: a@b.example\r\nX-Long: one\r\n\ttwo\r\n\r\nbody')
  assert.deepEqual(fields, [
    { name: 'from', raw: 'From: a@b.example' },
    { name: 'x-long', raw: 'X-Long: one\r\n\ttwo' },
  ])
  assert.equal(bodyStart, 'From: a@b.example\r\nX-Long: one\r\n\ttwo\r\n\r\n'.length)
})

test('line ends may be LF alone, as in files', () => {
  const { fields, bodyStart } = headerOf('A: 1\n 2\nB: 3\n\nbody\n')
  assert.deepEqual(fields, [
    { name: 'a', raw: 'A: 1\n 2' },
    { name: 'b', raw: 'B: 3' },
  ])
  assert.equal(bodyStart, 'A: 1\n 2\nB: 3\n\n'.length)
})

test('a message may be all header, or all body', () => {
  assert.equal(headerOf('A: 1\r\nB: 2\r\n').bodyStart, 'A: 1\r\nB: 2\r\n'.length)
  for (const text of ['\r\nA: 1\r\n', '\nA: 1\n']) {
    const { fields, bodyStart } = headerOf(text)
    assert.deepEqual(fields, [])
    assert.equal(bodyStart, text.indexOf('A'))
  }
})

test('lines that are no fields are there without a name', () => {
  const lines = [
    'From someone@x.example Tue Mar  3 05:24:41 2020',
    'no colon',
    ': x',
    'two words: x',
    'Fr\xf6m: x',
    ' folded first',
  ]
  for (const line of lines) assert.equal(headerOf(`${line}\r\n\r\n`).fields[0]?.name, '', line)
  assert.equal(headerOf('From \t: a@b.example\r\n\r\n').fields[0]?.name, 'from')
  assert.equal(headerOf('__proto__: x\r\n\r\n').fields[0]?.name, '__proto__')
})

test('NUL, bare CR and nothing at all are refused', () => {
  assert.equal(reason(''), 'malformed empty')
  assert.equal(reason('A: 1\r\n\r\nbo\0dy'), 'malformed nul-byte')
  assert.equal(reason('A: 1\rB: 2\r\n\r\n'), 'malformed bare-cr')
  assert.equal(reason('A: 1\r\n\r\nbody\r'), 'malformed bare-cr')
  assert.equal(reason('A: 1\r\r\n\r\n'), 'malformed bare-cr')
})

test('a line may be as long as allowed, wherever it stands and however it ends', () => {
  const within = { ...limits, lineBytes: 100 }
  const line = 'x'.repeat(100)
  for (const before of [
    '\r\n',
    '\r\n\r\n\r\n',
    '\n',
    '\r\ny\r\n',
    `\r\n${'z'.repeat(99)}\r\n`,
    `\n${line}\n${line}\r\n`,
  ]) {
    for (const after of ['', '\r\n', '\n', '\r\ny', `\n${line}\n`]) {
      assert.equal(reason(before + line + after, within), undefined, JSON.stringify(before + after))
      assert.equal(
        reason(`${before}${line}x${after}`, within),
        'malformed line-too-long',
        JSON.stringify(before + after),
      )
    }
  }
})

test('the check of line lengths agrees with counting them', () => {
  const line = fc.tuple(fc.nat({ max: 12 }), fc.constantFrom('\n', '\r\n', ''))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 10 }), (lines, lineBytes) => {
      const text = `\n${lines.map(([length, end]) => 'x'.repeat(length) + end).join('')}`
      const tooLong = text.split(/\r?\n/).some(({ length }) => length > lineBytes)
      assert.equal(reason(text, { ...limits, lineBytes }), tooLong ? 'malformed line-too-long' : undefined)
    }),
  )
})

test('the header, its fields and their number may be as large as allowed', () => {
  const whole = (bytes: number) => `${'A: 1\r\n'.repeat(4)}B: `.padEnd(bytes, 'x')
  const within = { ...limits, headerBytes: 200 }
  for (const end of ['\r\n\r\nbody', '\n\nbody']) {
    assert.equal(reason(whole(200) + end, within), undefined)
    assert.equal(reason(whole(201) + end, within), 'malformed header-too-large')
  }
  assert.equal(reason('x'.repeat(300), within), 'malformed header-too-large')
  assert.equal(reason(`${'A: 1\r\n'.repeat(1000)}\r\n`), undefined)
  assert.equal(reason(`${'A: 1\r\n'.repeat(1001)}\r\n`), 'malformed too-many-header-fields')
  const field = (bytes: number) => `${'A: 1\r\n '.padEnd(bytes - 4, 'x')}\r\n y\r\n\r\n`
  assert.equal(reason(field(32 * 1024)), undefined)
  assert.equal(reason(field(32 * 1024 + 1)), 'malformed header-field-too-large')
})

test('a mail that has passed more servers than allowed is in a loop', () => {
  assert.equal(reason(`${'Received: x\r\n'.repeat(50)}\r\n`), undefined)
  assert.equal(reason(`${'received: x\r\n'.repeat(51)}\r\n`), 'malformed mail-loop')
})

test('hostile headers are read or refused at once', (t) => {
  const headers = {
    'a field of 5 MB': `A: ${'x'.repeat(5_000_000)}\r\n\r\n`,
    '200,000 fields': `${'A: 1\r\n'.repeat(200_000)}\r\n`,
    '300,000 folds': `A: 1${'\r\n x'.repeat(300_000)}\r\n\r\n`,
    '10 MiB of LF': '\n'.repeat(10 * 1024 * 1024),
    '10 MiB of CRLF': '\r\n'.repeat(5 * 1024 * 1024),
    '10 MiB of longest lines': `A: 1\r\n\r\n${`${'x'.repeat(65_536)}\r\ny\r\n`.repeat(160)}`,
    'From with a list of 32 kB': `From: ${'a,'.repeat(16_000)}\r\n\r\n`,
    'From of folds': `From: ${'\r\n '.repeat(10_000)}\r\n\r\n`,
    'Received of blanks': `Received: 1${' '.repeat(32_000)}\r\n\r\n`,
  }
  for (const [name, text] of Object.entries(headers)) {
    const start = performance.now()
    const header = read(text)
    if (header.kind === 'header') mailFacts(header.fields)
    const took = performance.now() - start
    t.diagnostic(`${name}: ${took.toFixed(0)} ms, ${header.kind === 'header' ? 'read' : header.reason}`)
    assert.ok(took < 2000, name)
  }
})

test('the addr-specs of a From field are found, whatever stands around them', () => {
  const fields: [string, string[]][] = [
    ['tlsrpt@sender.example', ['tlsrpt@sender.example']],
    ['<tlsrpt@sender.example>', ['tlsrpt@sender.example']],
    ['Sender Example <tlsrpt@sender.example>', ['tlsrpt@sender.example']],
    ['"Example, Inc. <x@y.example>" <a@b.example>', ['a@b.example']],
    ['"quote \\" <x@y.example>" <a@b.example>', ['a@b.example']],
    ['Example, Inc. <a@b.example>', ['a@b.example']],
    ['x@y.example <a@b.example>', ['a@b.example']],
    ['(x@y.example) a@b.example (a (nested) \\) comment)', ['a@b.example']],
    ['a(comment)@b.example', ['a@b.example']],
    ['<a(comment)@b.example>', ['a@b.example']],
    ['"john doe"@b.example', ['"john doe"@b.example']],
    ['"a@b"@c.example', ['"a@b"@c.example']],
    ['a@m\u00fcnchen.example', ['a@m\u00fcnchen.example']],
    ['a@b.example, <c@d.example>', ['a@b.example', 'c@d.example']],
    ['a@b.example; c@d.example', ['a@b.example', 'c@d.example']],
    ['<a@b.example> <c@d.example>', ['a@b.example', 'c@d.example']],
    ['=?utf-8?Q?x=40y.example?= <a@b.example>', ['a@b.example']],
    ['=?utf-8?B?eEB5LmV4YW1wbGU=?=', []],
    ['=?utf-8?Q?x@y.example?=', []],
    ['=?utf-8?Q?=3Cx=40y.example=3E?=', []],
    ['', []],
    ['Sender Example', []],
    ['postmaster', []],
    ['a@', []],
    ['@b.example', []],
    ['a@b@c.example', []],
    ['a b@c.example', []],
    ['a@b.example c', []],
    ['<@route.example:a@b.example>', []],
    ['Reports: a@b.example;', []],
    ['Reports: a@b.example, c@d.example; e@f.example', ['e@f.example']],
    ['undisclosed-recipients:;', []],
    ['"unclosed <a@b.example>', []],
    ['(unclosed <a@b.example>', []],
    ['<a@b.example', []],
    ['a@b.example\\', []],
  ]
  for (const [field, expected] of fields) assert.deepEqual(addrSpecs(field), expected, field)
})

test('no From field makes its reader stall', (t) => {
  const fields = {
    commas: 'a,'.repeat(500_000),
    groups: 'g:'.repeat(500_000),
    comments: '('.repeat(1_000_000),
    quotes: '"'.repeat(1_000_001),
    'escaped quotes': '\\"'.repeat(500_000),
    angles: '<'.repeat(1_000_000),
    'angle pairs': '<>'.repeat(500_000),
    'at signs': '@'.repeat(1_000_000),
    blanks: ' '.repeat(1_000_000),
    'one long word': 'a'.repeat(1_000_000),
    'a long quoted word': `"${'\\a'.repeat(500_000)}`,
  }
  for (const [name, field] of Object.entries(fields)) {
    const start = performance.now()
    assert.deepEqual(addrSpecs(field), [], name)
    const took = performance.now() - start
    t.diagnostic(`a megabyte of ${name}: ${took.toFixed(0)} ms`)
    assert.ok(took < 2000, name)
  }
})

test('any text gives addr-specs with one @ outside quotes, or none', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('a', 'b', '.', '@', '<', '>', '"', '\\', '(', ')', ',', ':', ';', ' ') }),
  )
  fc.assert(
    fc.property(text, (field) => {
      for (const address of addrSpecs(field))
        assert.match(address.replace(/^"(?:[^"\\]|\\.)*"/, 'q'), /^[^@\s<>]+@[^@\s<>]+$/)
    }),
    { numRuns: 500 },
  )
})

test('the facts of a mail are read from its raw fields', () => {
  assert.deepEqual(
    factsOf(
      'Received: from a by b (x; y);\tTue, 03 Mar 2020 05:24:41 -0500 (EST)',
      'Received: from c by a; Mon, 2 Mar 2020 00:00:00 +0000',
      'From: Sender <tlsrpt@sender.example>',
      'TLS-Report-Domain:  Rcpt.Example ',
      'TLS-Report-Submitter: Sender Example,',
      ' Inc.',
    ),
    {
      from: ['tlsrpt@sender.example'],
      fromFields: 1,
      tlsReportDomain: 'Rcpt.Example',
      tlsReportDomainFields: 1,
      tlsReportSubmitter: 'Sender Example, Inc.',
      tlsReportSubmitterFields: 1,
      receivedAt: new Date('2020-03-03T10:24:41Z'),
    },
  )
})

test('of repeated TLS-Report fields the bottom-most counts, and their number is told', () => {
  const facts = factsOf('TLS-Report-Domain: forged.example', 'tls-report-domain: real.example', 'TLS-Report-Submitter:')
  assert.equal(facts.tlsReportDomain, 'real.example')
  assert.equal(facts.tlsReportDomainFields, 2)
  assert.equal(facts.tlsReportSubmitter, undefined)
  assert.equal(facts.tlsReportSubmitterFields, 1)
})

test('two From fields are both read', () => {
  const facts = factsOf('From: forged@bank.example', 'FROM : real@sender.example')
  assert.deepEqual(facts.from, ['forged@bank.example', 'real@sender.example'])
  assert.equal(facts.fromFields, 2)
})

test('a Received date is an instant or absent', () => {
  const dates: [string, string | undefined][] = [
    ['by b; 16 Sep 2022 12:10 +0200', '2022-09-16T10:10:00.000Z'],
    ['by b; Tue,\t3 Mar 2020 05:24:41 GMT', '2020-03-03T05:24:41.000Z'],
    ['by b; Tue, 3 Mar 2020 05:24:41', undefined],
    ['by b; Tue, 3 Foo 2020 05:24:41 +0000', undefined],
    ['by b; yesterday', undefined],
    ['by b', undefined],
    ['', undefined],
  ]
  for (const [received, expected] of dates) {
    assert.equal(factsOf(`Received: ${received}`).receivedAt?.toISOString(), expected, received)
  }
})

test('a MIME parser gets its own fields and the Subject, the bottom-most of each', () => {
  const { fields } = headerOf(
    'Content-Type: text/plain\r\nTo: x\r\nSubject: s\r\n\tt\r\nContent-Type: a/b;\n c=d\r\n\r\n',
  )
  assert.deepEqual(mimeHeader(fields), {
    bytes: Buffer.from('Content-Type: a/b;\n c=d\r\nSubject: s\r\n\tt\r\n\r\n'),
    repeated: true,
  })
  assert.deepEqual(mimeHeader([]), { bytes: Buffer.from('\r\n'), repeated: false })
})
