import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseReport } from '../../src/tlsrpt/parse.ts'
import { problemMessages } from '../../src/tlsrpt/problems.ts'
import { maxProblems, type Problem } from '../../src/tlsrpt/submission.ts'
import {
  accepted,
  arrivedAt,
  bytes,
  datesWith,
  detailWith,
  entryWith,
  goodDetail,
  goodPolicy,
  goodReport,
  limits,
  parse,
  policyWith,
  refused,
  reportWith,
  summaryWith,
  verdict,
} from './good-report.ts'

const good = JSON.stringify(goodReport)
const rangeAt = '/date-range'
const policyAt = '/policies/0/policy'
const detailAt = '/policies/0/failure-details/0'

// Bytes and JSON

test('what is no JSON is malformed', () => {
  assert.equal(verdict(''), 'malformed empty')
  for (const text of [
    'hello',
    'NaN',
    '{a:1}',
    `${good.slice(0, -1)},}`,
    good.slice(0, 100),
    good + good,
    '  ',
    "{'a':1}",
    `${good}x`,
  ]) {
    assert.equal(verdict(text), 'malformed not-json', text.slice(0, 20))
  }
})

test('what is no UTF-8 is malformed, and the next report is read all the same', () => {
  const parseBytes = (json: Buffer) => {
    const parsed = parseReport(json, arrivedAt, limits)
    return parsed.kind === 'parsed' ? 'parsed' : parsed.reason
  }
  const invalid = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]
  for (const sequence of invalid) {
    const name = Buffer.concat([
      Buffer.from('{"organization-name":"'),
      Buffer.from(sequence),
      Buffer.from('",'),
      bytes(good).subarray(1),
    ])
    assert.equal(parseBytes(name), 'not-utf-8')
    assert.equal(parseBytes(bytes(good)), 'parsed')
  }
  assert.equal(parseBytes(Buffer.from(good, 'utf16le')), 'not-json')
  assert.equal(parseBytes(Buffer.from(`\ufeff${good}`, 'utf16le')), 'not-utf-8')
})

test('a message about bad JSON never quotes it', () => {
  for (const text of ['\0', '{"a":\u001b[31m}', `${good.slice(0, -1)}<script>`]) {
    const [problem] = refused(text).problems
    assert.match(problem!.message, /^This is no JSON\.(?: See character \d+\.)?$/)
  }
})

test('one byte order mark is taken off and noted', () => {
  assert.deepEqual(accepted(`\ufeff${good}`).anomalies, [{ code: 'byte-order-mark', pointer: '' }])
  assert.equal(verdict(`\ufeff\ufeff${good}`), 'malformed not-json')
})

test('nesting is bounded, in members that nobody knows as well', () => {
  const nested = (depth: number) => good.replace('{', `{"x":${'['.repeat(depth)}${']'.repeat(depth)},`)
  assert.equal(accepted(nested(15)).report.reportId, 'r-1')
  assert.equal(verdict(nested(16)), 'malformed too-deep')
  const start = performance.now()
  for (const depth of [1_000, 50_000, 5_000_000]) assert.equal(verdict(nested(depth)), 'malformed too-deep')
  assert.ok(performance.now() - start < 2_000)
})

test('tokens and members of one object are bounded', () => {
  assert.equal(verdict(good.replace('{', `{"x":[${'{},'.repeat(500_000)}0],`)), 'too-large too-many-tokens')
  assert.equal(
    verdict(`{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":0`).join()}}`),
    'too-large too-many-members',
  )
})

test('a repeated member name is refused, wherever and however it stands', () => {
  const twice = [
    good.replace('{', '{"report-id":"r-0",'),
    good.replace('{', '{"policies":[],'),
    good.replace('"total-failure', '"total-failure-session-count":1,"total-failure'),
    good.replace('{', '{"\\u0072eport-id":"r-0",'),
    good.replace('{', '{"x":{"a":1,"a":1},'),
    good.replace('{', '{"__proto__":1,"__proto__":1,'),
  ]
  for (const text of twice) assert.equal(verdict(text), 'unreadable repeated-member')
})

test('a top level that is no object is unreadable', () => {
  for (const text of ['null', '[]', '"x"', '5', 'true', `[${good}]`])
    assert.equal(verdict(text), 'unreadable not-an-object')
})

test('member names of Object.prototype are inert at every level', () => {
  const poison =
    '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":null,'
  assert.deepEqual(accepted(good.replaceAll('{', `{${poison}`)), accepted(goodReport))
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  assert.equal(verdict('{"toString":1,"constructor":{}}'), 'unreadable object-expected /date-range')
  const inherited = good.replace(/"policy":(\{.*?\})/, '"policy":{"__proto__":$1}')
  assert.equal(accepted(inherited).report.policies[0]!.policyType, 'unknown')
})

// Members

test('report-id must be there and be a string', () => {
  for (const id of [undefined, null, '', ' ', {}, [], true, 1.5, 1e21, 2 ** 53]) {
    assert.equal(verdict(reportWith({ 'report-id': id })), 'unreadable report-id-expected /report-id')
  }
  assert.equal(verdict(good.replace('"r-1"', '133944884956529435')), 'unreadable report-id-expected /report-id')
})

test('a report-id is never cleaned, for two could become one', () => {
  for (const id of ['r\0', 'r\ud800', 'r\udc00']) {
    assert.equal(verdict(reportWith({ 'report-id': id })), 'unreadable report-id-expected /report-id')
  }
  for (const id of ['R-1', 'r-1 ', ' r-1', 'e\u0301', '\u00e9', 'r\u200b', '\r\n']) {
    const outcome = parse(reportWith({ 'report-id': `${id}x` }))
    assert.equal(outcome.kind === 'parsed' && outcome.report.reportId, `${id}x`)
  }
})

test('a report-id may have 1,024 bytes', () => {
  assert.equal(accepted(reportWith({ 'report-id': 'é'.repeat(512) })).report.reportId.length, 512)
  assert.equal(verdict(reportWith({ 'report-id': `${'é'.repeat(512)}x` })), 'unreadable report-id-too-long /report-id')
})

test('date-range must be there and hold two date-times', () => {
  for (const range of [undefined, null, '2026-03-01', ['2026-03-01', '2026-03-02'], 5]) {
    assert.equal(verdict(reportWith({ 'date-range': range })), 'unreadable object-expected /date-range')
  }
  for (const date of [
    undefined,
    null,
    '',
    1772323200,
    'now',
    'infinity',
    'today',
    '2026-02-30T00:00:00Z',
    '99999-01-01T00:00:00Z',
    {},
  ]) {
    assert.equal(
      verdict(datesWith(date, '2026-03-01T23:59:59Z')),
      `unreadable date-time-expected ${rangeAt}/start-datetime`,
    )
    assert.equal(
      verdict(datesWith('2026-03-01T00:00:00Z', date)),
      `unreadable date-time-expected ${rangeAt}/end-datetime`,
    )
  }
})

test('a date range starts in 2016 or later, does not end before it starts, and spans 31 days at most', () => {
  assert.equal(accepted(datesWith('2016-01-01T00:00:00Z', '2016-01-02T00:00:00Z')).anomalies.length, 0)
  assert.equal(
    verdict(datesWith('2015-12-31T23:59:59Z', '2016-01-01T00:00:00Z')),
    `unreadable start-before-2016 ${rangeAt}/start-datetime`,
  )
  assert.equal(accepted(datesWith('2026-03-01T00:00:00Z', '2026-03-01T00:00:00Z')).anomalies.length, 0)
  assert.equal(
    verdict(datesWith('2026-03-01T00:00:01Z', '2026-03-01T00:00:00Z')),
    `unreadable end-before-start ${rangeAt}/end-datetime`,
  )
  assert.equal(accepted(datesWith('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z')).anomalies.length, 0)
  assert.equal(
    verdict(datesWith('2026-01-01T00:00:00Z', '2026-02-01T00:00:01Z')),
    `unreadable date-range-too-long ${rangeAt}`,
  )
  assert.equal(refused(datesWith('1970-01-01T00:00:00Z', '2099-01-01T00:00:00Z')).problems.length, 3)
})

test('a date range ends 48 hours after the arrival at most', () => {
  assert.equal(accepted(datesWith('2026-03-04T00:00:00Z', '2026-03-04T04:00:00Z')).anomalies.length, 0)
  assert.equal(
    verdict(datesWith('2026-03-04T00:00:00Z', '2026-03-04T04:00:01Z')),
    `unreadable end-in-future ${rangeAt}/end-datetime`,
  )
})

test('policies must be there and be a list or an object, and may be empty', () => {
  for (const policies of [undefined, null, '', 'x', 5, true]) {
    assert.equal(verdict(reportWith({ policies })), 'unreadable list-expected /policies')
  }
  assert.deepEqual(accepted(reportWith({ policies: [] })).report.policies, [])
  for (const entry of [null, 5, 'x', []]) {
    assert.equal(verdict(reportWith({ policies: [goodPolicy, entry] })), 'unreadable object-expected /policies/1')
  }
  assert.equal(verdict(reportWith({ policies: {} })), 'unreadable object-expected /policies/0/policy')
  assert.equal(verdict(reportWith({ policies: { 0: goodPolicy } })), 'unreadable object-expected /policies/0/policy')
})

test('a policy type longer than 255 characters is cut between characters, and kept as it was written beside', () => {
  for (const [word, kept] of [
    ['x'.repeat(300), 'x'.repeat(255)],
    ['\u{10400}'.repeat(256), '\u{10428}'.repeat(255)],
  ] as const) {
    const [policy] = accepted(policyWith({ 'policy-type': word })).report.policies
    assert.deepEqual([policy!.policyType, policy!.policyTypeRaw], [kept, word])
  }
  assert.equal(accepted(policyWith({ 'policy-type': 'x'.repeat(255) })).report.policies[0]!.policyTypeRaw, undefined)
})

test('members of the wrong type are refused', () => {
  for (const value of [5, true, {}, ['x']]) {
    assert.equal(verdict(reportWith({ 'organization-name': value })), 'unreadable text-expected /organization-name')
    assert.equal(verdict(policyWith({ 'policy-type': value })), `unreadable text-expected ${policyAt}/policy-type`)
    assert.equal(verdict(policyWith({ 'mx-host': [value] })), `unreadable text-expected ${policyAt}/mx-host/0`)
    assert.equal(
      verdict(policyWith({ 'policy-string': ['x', value] })),
      `unreadable text-expected ${policyAt}/policy-string/1`,
    )
    for (const name of Object.keys(goodDetail).filter((name) => name !== 'failed-session-count')) {
      assert.equal(verdict(detailWith({ [name]: value })), `unreadable text-expected ${detailAt}/${name}`)
    }
  }
  for (const value of [5, true, {}]) {
    assert.equal(verdict(policyWith({ 'mx-host': value })), `unreadable list-expected ${policyAt}/mx-host`)
    assert.equal(verdict(policyWith({ 'policy-string': value })), `unreadable list-expected ${policyAt}/policy-string`)
    assert.equal(
      verdict(entryWith({ 'failure-details': value })),
      'unreadable list-expected /policies/0/failure-details',
    )
  }
  for (const value of ['x', 5, []]) {
    assert.equal(verdict(entryWith({ policy: value })), `unreadable object-expected ${policyAt}`)
    assert.equal(verdict(entryWith({ summary: value })), 'unreadable object-expected /policies/0/summary')
    assert.equal(verdict(entryWith({ 'failure-details': [value] })), `unreadable object-expected ${detailAt}`)
  }
  assert.equal(verdict(entryWith({ 'failure-details': [null] })), `unreadable object-expected ${detailAt}`)
  const deep = JSON.parse('{"a":'.repeat(11) + '1' + '}'.repeat(11)) as unknown
  assert.equal(
    verdict(detailWith({ 'additional-information': deep })),
    `unreadable text-expected ${detailAt}/additional-information`,
  )
})

test('a policy-domain that is no domain name is refused', () => {
  for (const domain of [
    '*.rcpt.example',
    '192.0.2.1',
    'a..b',
    'x.example@y',
    'rcpt\0.example',
    '.',
    `${'a.'.repeat(130)}example`,
    5,
    [],
  ]) {
    assert.equal(
      verdict(policyWith({ 'policy-domain': domain })),
      `unreadable domain-expected ${policyAt}/policy-domain`,
    )
  }
})

test('counts are whole numbers from 0 to 2^53-1', () => {
  const with_ = (count: string) => [
    good.replace('"total-successful-session-count":10', `"total-successful-session-count":${count}`),
    good.replace('"total-failure-session-count":2', `"total-failure-session-count":${count}`),
    good.replace('"failed-session-count":2', `"failed-session-count":${count}`),
  ]
  for (const [count, value] of [
    ['0', 0],
    ['1e3', 1_000],
    ['1.0e1', 10],
    ['10e-1', 1],
    ['2.0', 2],
    ['9007199254740991', 2 ** 53 - 1],
  ] as const) {
    assert.equal(accepted(with_(count)[0]).report.policies[0]!.totalSuccessfulSessionCount, value)
    assert.equal(accepted(with_(count)[1]).report.policies[0]!.totalFailureSessionCount, value)
    assert.equal(accepted(with_(count)[2]).report.policies[0]!.failureDetails[0]!.failedSessionCount, value)
  }
  const numbers = [
    '-1',
    '1.5',
    '1e-1',
    '9007199254740992',
    '9007199254740993',
    '1e30',
    '1e308',
    '1e400',
    '9'.repeat(1_000_000),
  ]
  const strings = [
    '"0x5"',
    '"5.5"',
    '" 5 x"',
    '" 5"',
    '"-5"',
    '"+5"',
    '"1e3"',
    '"five"',
    '"9007199254740992"',
    '"99999999999999999"',
    '"٥"',
  ]
  for (const count of [...numbers, ...strings, 'true', '[]', '{}']) {
    const pointers = [
      '/policies/0/summary/total-successful-session-count',
      '/policies/0/summary/total-failure-session-count',
      `${detailAt}/failed-session-count`,
    ]
    for (const [i, pointer] of pointers.entries())
      assert.equal(verdict(with_(count)[i]), `unreadable count-expected ${pointer}`)
  }
})

test('failed-session-count must be there', () => {
  for (const count of [undefined, null, '']) {
    assert.equal(
      verdict(detailWith({ 'failed-session-count': count })),
      `unreadable count-expected ${detailAt}/failed-session-count`,
    )
  }
})

test('a number beyond 2^53-1 is refused in members that nobody knows as well', () => {
  assert.equal(verdict(good.replace('{', '{"x":[9007199254740992],')), 'unreadable unsafe-number')
  assert.equal(accepted(good.replace('{', '{"x":[9007199254740991],')).anomalies.length, 0)
})

test('counts that no total of the store could hold are refused, whether of policies or of their details', () => {
  const most = Number.MAX_SAFE_INTEGER
  const summary = (successful: number, failed: number) => ({ 'total-successful-session-count': successful, 'total-failure-session-count': failed }) // prettier-ignore
  const policies = (n: number, entry: object) => reportWith({ policies: Array.from({ length: n }, () => ({ ...goodPolicy, 'failure-details': [], ...entry })) }) // prettier-ignore
  const refused = 'unreadable too-many-sessions /policies'
  for (const counts of [summary(most, 0), summary(0, most)]) {
    assert.equal(accepted(policies(999, { summary: counts })).report.policies.length, 999)
    assert.equal(verdict(policies(1_000, { summary: counts })), refused)
  }
  const detail = { ...goodDetail, 'failed-session-count': most }
  assert.equal(verdict(policies(1, { 'failure-details': Array.from({ length: 1_000 }, () => detail) })), refused)
})

// Limits

test('policies, failure details and list entries are bounded', () => {
  const policies = (n: number) => reportWith({ policies: Array.from({ length: n }, () => goodPolicy) })
  assert.equal(accepted(policies(3), { policies: 3 }).report.policies.length, 3)
  assert.equal(verdict(policies(4), { policies: 3 }), 'too-large too-many-policies /policies')
  const details = (...counts: number[]) =>
    reportWith({
      policies: counts.map((n) => ({ ...goodPolicy, 'failure-details': Array.from({ length: n }, () => goodDetail) })),
    })
  assert.equal(accepted(details(2, 1), { failureDetails: 3 }).report.policies.length, 2)
  assert.equal(
    verdict(details(2, 2), { failureDetails: 3 }),
    'too-large too-many-failure-details /policies/1/failure-details',
  )
  for (const name of ['policy-string', 'mx-host'] as const) {
    const list = (n: number) => policyWith({ [name]: Array.from({ length: n }, (_, i) => `x${i}`) })
    assert.equal(accepted(list(1_000)).report.policies.length, 1)
    assert.equal(verdict(list(1_001)), `too-large too-many-list-entries ${policyAt}/${name}`)
  }
})

test('the limits stand at what the service says', () => {
  const details = (n: number) =>
    entryWith({
      summary: { 'total-failure-session-count': n },
      'failure-details': Array.from({ length: n }, () => ({ 'failed-session-count': 1, 'result-type': 'x' })),
    })
  assert.equal(accepted(details(50_000)).report.policies[0]!.failureDetails.length, 50_000)
  assert.equal(verdict(details(50_001)), 'too-large too-many-failure-details /policies/0/failure-details')
  const policies = (n: number) =>
    reportWith({ policies: Array.from({ length: n }, () => ({ policy: { 'policy-type': 'sts' } })) })
  assert.equal(accepted(policies(10_000)).report.policies.length, 10_000)
  assert.equal(verdict(policies(10_001)), 'too-large too-many-policies /policies')
})

test('a policy-string that is taken apart is bounded as any other', () => {
  for (const separator of [';', '\n', ' \n\n']) {
    const records = (n: number) =>
      policyWith({
        'policy-type': 'tlsa',
        'policy-string': Array.from({ length: n }, () => '3 1 1 aa').join(separator),
      })
    assert.equal(accepted(records(1_000)).report.policies[0]!.policyString.length, 1_000)
    assert.equal(verdict(records(1_001)), `too-large too-many-list-entries ${policyAt}/policy-string`)
  }
  const json = (n: number) => policyWith({ 'policy-string': [JSON.stringify(Array.from({ length: n }, () => 'x'))] })
  assert.equal(accepted(json(1_000)).report.policies[0]!.policyString.length, 1_000)
  const start = performance.now()
  assert.equal(
    verdict(policyWith({ 'policy-string': 'a\n'.repeat(5_000_000) })),
    `too-large too-many-list-entries ${policyAt}/policy-string`,
  )
  assert.ok(performance.now() - start < 3_000)
})

test('at most ten problems are told, each with its pointer, and half a million cost no more than that', () => {
  const bad = Array.from({ length: 500_000 }, () => ({}))
  const start = performance.now()
  assert.equal(
    verdict(reportWith({ policies: bad }), { jsonTokens: 2_000_000 }),
    'too-large too-many-policies /policies',
  )
  const { kind, problems } = refused(reportWith({ policies: bad }), { jsonTokens: 2_000_000, policies: 500_000 })
  assert.deepEqual([kind, problems.length], ['unreadable', maxProblems])
  assert.deepEqual(
    problems.map(({ pointer }) => pointer),
    Array.from({ length: 10 }, (_, i) => `/policies/${i}/policy`),
  )
  assert.equal(
    refused(entryWith({ 'failure-details': Array.from({ length: 50_000 }, () => ({})) })).problems.length,
    maxProblems,
  )
  assert.equal(refused(policyWith({ 'mx-host': Array.from({ length: 1_000 }, () => 0) })).problems.length, maxProblems)
  assert.ok(performance.now() - start < 4_000)
})

test('every problem has a sentence, and its code is the reason', () => {
  for (const [code, message] of Object.entries(problemMessages)) {
    assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    assert.match(message, /^[A-Z].*\.$/)
  }
  const refusal = refused(reportWith({ 'report-id': null, 'date-range': null, policies: [5] }))
  const expected: Problem[] = [
    { code: 'object-expected', pointer: '/date-range', message: problemMessages['object-expected'] },
    { code: 'report-id-expected', pointer: '/report-id', message: problemMessages['report-id-expected'] },
    { code: 'object-expected', pointer: '/policies/0', message: problemMessages['object-expected'] },
  ]
  assert.deepEqual(refusal, { kind: 'unreadable', reason: 'object-expected', problems: expected })
})

// Properties

const runs = { numRuns: 500 }

test('any bytes are a report or a refusal, and never throw', () => {
  const anyJson = fc.json().map((text) => bytes(text))
  const mutated = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
    const json = bytes(good)
    json[at] = byte
    return json
  })
  const spliced = fc
    .tuple(
      fc.nat(good.length),
      fc.nat(40),
      fc.constantFrom('null', '[]', '{}', '""', '0', '-1', '1e999', '"\\ud800"', '[[', '\\', '"', ',', ':', '\ufeff'),
    )
    .map(([at, cut, token]) => bytes(good.slice(0, at) + token + good.slice(at + cut)))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), anyJson, mutated, spliced), (json) => {
      const parsed = parseReport(json, arrivedAt, limits)
      if (parsed.kind === 'parsed') return
      assert.ok(parsed.problems.length >= 1 && parsed.problems.length <= maxProblems)
      assert.equal(parsed.reason, parsed.problems[0]!.code)
    }),
    { numRuns: 2_000 },
  )
})

/** Any values at all in the places of a report. */
const anything = fc.oneof(
  fc.constantFrom(
    null,
    '',
    ' ',
    '5',
    'sts',
    'x\0',
    '\ud800',
    'a.example',
    'MÜ.example.',
    '192.0.2.1',
    '[::1]',
    '2026-03-01',
    [],
    {},
    0,
    -1,
    1.5,
    2 ** 60,
  ),
  fc.string({ unit: 'binary' }),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>,
)
const objectOf = (value: object, nested: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record(
    Object.fromEntries(
      Object.entries(value).map(([name, usual]) => [name, likely(nested[name] ?? fc.constant(usual))]),
    ),
    { requiredKeys: [] },
  )
const likely = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: anything })
const detail = objectOf({ ...goodDetail, 'receiving-mx-helo': 'mx', 'failure-reason-code': 'x', 'ip-address': '::1' })
const policy = objectOf(goodPolicy, {
  policy: objectOf({ ...goodPolicy.policy, domain: 'b.example', mx_host: 'mx' }),
  summary: objectOf(goodPolicy.summary),
  'failure-details': fc.array(detail, { maxLength: 3 }),
})
const anyReport = objectOf(goodReport, { policies: fc.array(policy, { maxLength: 3 }) }).map((some) => ({
  'date-range': goodReport['date-range'],
  'report-id': 'r-1',
  policies: [],
  ...some,
}))

test('a parsed report keeps its promises, whatever was sent', () => {
  let parsedOnes = 0
  const texts = (value: unknown): string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(texts)
        : []
  fc.assert(
    fc.property(anyReport, (json) => {
      const parsed = parse(json)
      if (parsed.kind !== 'parsed') return
      parsedOnes++
      const { report, anomalies } = parsed
      for (const text of [...texts(report), ...texts(anomalies)]) {
        assert.ok(text.isWellFormed() && !text.includes('\0') && Buffer.byteLength(text) <= limits.textBytes)
      }
      for (const { policyDomain, totalFailureSessionCount, failureDetails } of report.policies) {
        assert.ok(policyDomain === undefined || /^[a-z0-9.-]{1,253}$/.test(policyDomain))
        for (const count of [totalFailureSessionCount, ...failureDetails.map((detail) => detail.failedSessionCount)]) {
          assert.ok(Number.isSafeInteger(count) && count >= 0)
        }
      }
      assert.ok(!JSON.stringify(report).includes('null'))
    }),
    runs,
  )
  assert.ok(parsedOnes > 50)
})

test('the order of members and the white space change nothing', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, member]) => [name, reversed(member)]),
    )
  }
  const canonical = (json: string) => {
    const parsed = parse(json)
    if (parsed.kind !== 'parsed') return parsed.kind
    return { ...parsed, anomalies: parsed.anomalies.map(({ code, pointer }) => `${code} ${pointer}`).sort() }
  }
  fc.assert(
    fc.property(anyReport, fc.constantFrom(0, 1, '\t', '\r\n'), (json, indent) => {
      assert.deepEqual(canonical(JSON.stringify(reversed(json), undefined, indent)), canonical(JSON.stringify(json)))
    }),
    runs,
  )
})

// The samples of other projects and of the field

const corpus = new URL('../../../shared/corpus/', import.meta.url)
const skip = existsSync(corpus) ? false : 'there is no corpus beside the repository'
const sample = (path: string) => {
  const parsed = parseReport(readFileSync(new URL(path, corpus)), new Date('2026-06-01T00:00:00Z'), limits)
  if (parsed.kind !== 'parsed') return `${parsed.kind} ${parsed.reason}`
  return { ...parsed, codes: parsed.anomalies.map(({ code }) => code) }
}
const acceptedSample = (path: string) => {
  const result = sample(path)
  if (typeof result === 'string') assert.fail(`${path}: ${result}`)
  return result
}

type Expected = {
  org: string
  contact: string | null
  reportId: string
  begin: string
  end: string
  policies: {
    type: string
    domain: string | null
    mxHost: string | string[] | null
    policyStrings: number | null
    success: number
    failure: number
    failures: [string, number][]
  }[]
}

test('real reports yield what they say', { skip }, () => {
  const table = JSON.parse(readFileSync(new URL('real/expected.json', corpus), 'utf8')) as Record<
    string,
    { expected?: { report: Expected } }
  >
  const instant = (date: Date) => date.toISOString().replace('.000', '')
  let seen = 0
  for (const [file, { expected }] of Object.entries(table)) {
    if (!file.endsWith('.json') || expected === undefined) continue
    seen++
    const { report } = acceptedSample(`real/${file}`)
    const read: Expected = {
      org: report.organizationName!,
      contact: report.contactInfo ?? null,
      reportId: report.reportId,
      begin: instant(report.dateRange.start),
      end: instant(report.dateRange.end),
      policies: report.policies.map((policy) => ({
        type: policy.policyType,
        domain: policy.policyDomain ?? null,
        mxHost: policy.mxHost,
        policyStrings: policy.policyString.length,
        success: policy.totalSuccessfulSessionCount,
        failure: policy.totalFailureSessionCount,
        failures: policy.failureDetails.map((detail) => [detail.resultType, detail.failedSessionCount]),
      })),
    }
    const wanted: Expected = {
      ...expected.report,
      policies: expected.report.policies.map((policy) => ({
        ...policy,
        mxHost: [policy.mxHost ?? []].flat().map((host) => host.replace(/^mx: /, '')),
        policyStrings: policy.policyStrings ?? 0,
      })),
    }
    assert.deepEqual(read, wanted, file)
  }
  assert.ok(seen >= 9)
})

test('shapes that senders are known to produce are kept whole', { skip }, () => {
  const codes: Record<string, string[]> = {
    'shapes/01-rfc8460-appendix-b.json': ['mx-host-is-string'],
    'shapes/03-google-empty-sending-ip.json': ['empty-member'],
    'shapes/05-microsoft-fetch-error-minimal.json': [],
    'shapes/07-sys4-no-policy-domain.json': ['policy-domain-missing'],
    'shapes/09-sts-and-tlsa-same-domain.json': [],
    'shapes/11-unknown-result-type.json': ['unknown-result-type'],
    'shapes/13-counts-as-strings.json': ['count-is-string', 'count-is-string', 'count-is-string'],
    'shapes/15-null-policy-string.json': ['null-member'],
    'shapes/17-mx-host-pattern-key.json': ['member-alias'],
    'shapes/19-missing-contact-info.json': ['contact-info-missing'],
    'shapes/21-utf8-bom.json': ['byte-order-mark'],
    'derived/mail-tlsrpt-perl-underscore-key.json': ['empty-member', 'member-alias'],
    'derived/microsoft-mx-hosts-mismatch.json': [],
    'derived/stalwart-null-failure-fields.json': ['contact-info-missing', ...Array<string>(3).fill('null-member')],
  }
  for (const [file, expected] of Object.entries(codes)) {
    assert.deepEqual(acceptedSample(file).codes.sort(), expected, file)
  }
  const attributed = (file: string) =>
    acceptedSample(file).report.policies.map(({ failureDetails }) =>
      failureDetails.map((detail) => [detail.resultType, detail.failedSessionCount]),
    )
  assert.deepEqual(attributed('derived/mail-tlsrpt-perl-underscore-key.json'), [[['certificate-expired', 2]]])
  assert.deepEqual(attributed('shapes/09-sts-and-tlsa-same-domain.json'), [[], [['tlsa-invalid', 2]]])
  assert.deepEqual(attributed('shapes/11-unknown-result-type.json'), [[['ech-required', 1]]])
  assert.deepEqual(acceptedSample('shapes/17-mx-host-pattern-key.json').report.policies[0]!.mxHost, ['*.example.com'])
})

test('one edge each around one good report', { skip }, () => {
  const baseline = acceptedSample('json/good-baseline.json')
  assert.deepEqual(baseline.codes, [])
  assert.deepEqual(acceptedSample('json/utf8-bom.json').report, baseline.report)
  assert.deepEqual(acceptedSample('json/count-float-exp.json').report, baseline.report)
  assert.equal(sample('json/truncated.json'), 'malformed not-json')
  assert.equal(sample('json/empty.json'), 'malformed empty')
  assert.equal(sample('json/deep-nesting.json'), 'malformed too-deep')
  assert.equal(sample('json/count-negative.json'), 'unreadable count-expected')
  assert.equal(sample('json/date-epoch-numbers.json'), 'unreadable date-time-expected')
  assert.deepEqual(acceptedSample('json/policies-empty.json').report.policies, [])
  const [tlsa] = acceptedSample('json/tlsa-semicolon-joined.json').report.policies
  assert.deepEqual(tlsa!.policyString, ['3 1 1 AABB', '3 1 1 CCDD'])
  const unknown = acceptedSample('json/unknown-types.json')
  assert.deepEqual(unknown.codes.sort(), ['unknown-policy-type', 'unknown-result-type'])
  assert.equal(unknown.report.policies[0]!.policyType, 'future-policy')
  assert.equal(
    acceptedSample('json/policy-domain-ulabel-upper-dot.json').report.policies[0]!.policyDomain,
    'xn--mnchen-3ya.example',
  )
  assert.deepEqual(acceptedSample('json/date-space-lowercase-leapsecond.json').report.dateRange, {
    start: new Date('2026-02-28T23:00:00Z'),
    end: new Date('2026-03-01T23:59:59Z'),
  })
  const [badIps] = acceptedSample('json/bad-ips.json').report.policies[0]!.failureDetails
  assert.deepEqual(badIps!.sendingMtaIp, { ip: '2001:db8::1', raw: '[2001:db8::1]' })
  assert.deepEqual(badIps!.receivingIp, { raw: 'not-an-ip' })
  assert.equal(badIps!.receivingMxHostname, 'mx.rcpt.example')
  const hostile = acceptedSample('json/hostile-strings.json')
  assert.deepEqual(hostile.codes, ['nul-stripped', 'text-truncated'])
  assert.equal(hostile.report.organizationName, '<img src=x onerror=alert(1)>\u202e')
  assert.equal(hostile.report.policies[0]!.failureDetails[0]!.additionalInformation, 'javascript:alert(1)')
})

test('a count that is out of range is told where it stands', () => {
  assert.equal(
    verdict(summaryWith({ 'total-failure-session-count': 2 ** 53 })),
    'unreadable count-expected /policies/0/summary/total-failure-session-count',
  )
})
