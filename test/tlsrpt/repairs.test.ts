import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { anomalyCodes, maxAnomaliesPerCode } from '../../src/tlsrpt/anomalies.ts'
import {
  accepted,
  datesWith,
  detailWith,
  entryWith,
  goodDetail,
  goodPolicy,
  goodReport,
  limits,
  policyWith,
  refused,
  reportWith,
  summaryWith,
} from './good-report.ts'

const notes = (json: unknown) => accepted(json).anomalies.map(({ code, pointer }) => `${code} ${pointer}`.trimEnd())
const policy = (json: unknown) => accepted(json).report.policies[0]!
const detail = (json: unknown) => policy(json).failureDetails[0]!

const policyAt = '/policies/0/policy'
const detailAt = '/policies/0/failure-details/0'

test('a conforming report is not touched and leaves no anomaly', () => {
  assert.deepEqual(accepted(goodReport), {
    kind: 'parsed',
    report: {
      organizationName: 'Sender Example',
      contactInfo: 'tlsrpt@sender.example',
      reportId: 'r-1',
      dateRange: { start: new Date('2026-03-01T00:00:00Z'), end: new Date('2026-03-01T23:59:59Z') },
      policies: [
        {
          policyType: 'sts',
          policyString: ['version: STSv1', 'mode: enforce', 'mx: mx.rcpt.example', 'max_age: 86400'],
          policyDomain: 'rcpt.example',
          mxHost: ['mx.rcpt.example'],
          totalSuccessfulSessionCount: 10,
          totalFailureSessionCount: 2,
          failureDetails: [
            {
              resultType: 'certificate-expired',
              failedSessionCount: 2,
              sendingMtaIp: { ip: '192.0.2.10' },
              receivingMxHostname: 'mx.rcpt.example',
              receivingIp: { ip: '198.51.100.7' },
            },
          ],
        },
      ],
    },
    anomalies: [],
  })
})

test('what RFC 8460 lets a sender leave out leaves no anomaly', () => {
  const changes = { 'policy-type': 'no-policy-found', 'policy-string': undefined, 'mx-host': undefined }
  const entry = { policy: { ...goodPolicy.policy, ...changes }, 'failure-details': undefined }
  const summary = { 'total-successful-session-count': 1, 'total-failure-session-count': 0 }
  const report = entryWith({ ...entry, summary })
  assert.deepEqual(notes(report), [])
  assert.deepEqual([policy(report).policyString, policy(report).mxHost, policy(report).failureDetails], [[], [], []])
})

test('members that RFC 8460 does not name are ignored at every level', () => {
  const more = { tenant_id: 1, 'x-extension': { a: [null, ''] } }
  const entry = {
    ...goodPolicy,
    ...more,
    policy: { ...goodPolicy.policy, ...more },
    'failure-details': [{ ...goodDetail, ...more }],
  }
  assert.deepEqual(accepted(reportWith({ ...more, policies: [entry] })), accepted(goodReport))
})

test('organization-name missing or null', () => {
  for (const name of [undefined, null, '', '  ']) {
    assert.deepEqual(notes(reportWith({ 'organization-name': name })), ['organization-name-missing /organization-name'])
    assert.equal('organizationName' in accepted(reportWith({ 'organization-name': name })).report, false)
  }
})

test('contact-info missing, null or no mail address', () => {
  for (const contact of [undefined, null, '']) {
    assert.deepEqual(notes(reportWith({ 'contact-info': contact })), ['contact-info-missing /contact-info'])
  }
  for (const contact of ['nobody', 'a@b.example, c@d.example', 'A <a@b.example>', 'a@[192.0.2.1]', '@b.example']) {
    const parsed = accepted(reportWith({ 'contact-info': contact }))
    assert.deepEqual(parsed.anomalies, [{ code: 'contact-info-unparsable', pointer: '/contact-info' }])
    assert.equal(parsed.report.contactInfo, contact)
  }
  for (const contact of [5, ['a@b.example'], {}]) {
    assert.deepEqual(notes(reportWith({ 'contact-info': contact })), ['contact-info-unparsable /contact-info'])
    assert.equal('contactInfo' in accepted(reportWith({ 'contact-info': contact })).report, false)
  }
})

test('report-id is a number', () => {
  assert.deepEqual(notes(reportWith({ 'report-id': 4711 })), ['report-id-is-number /report-id'])
  assert.equal(accepted(reportWith({ 'report-id': 4711 })).report.reportId, '4711')
})

test('policies is an object', () => {
  assert.deepEqual(notes(reportWith({ policies: goodPolicy })), ['policies-is-object /policies'])
  assert.deepEqual(accepted(reportWith({ policies: goodPolicy })).report, accepted(goodReport).report)
})

test('policy and summary are flat in the element of policies', () => {
  const { policy: inner, summary, ...rest } = goodPolicy
  for (const entry of [
    { ...inner, ...summary, ...rest },
    { ...inner, summary, ...rest },
  ]) {
    assert.deepEqual(notes(reportWith({ policies: [entry] })), ['policy-is-flat /policies/0'])
    assert.deepEqual(accepted(reportWith({ policies: [entry] })).report, accepted(goodReport).report)
  }
})

test('policy-type missing', () => {
  for (const type of [undefined, null, ' ']) {
    assert.deepEqual(notes(policyWith({ 'policy-type': type })), [`policy-type-missing ${policyAt}/policy-type`])
    assert.equal(policy(policyWith({ 'policy-type': type })).policyType, 'unknown')
  }
})

test('an unknown policy-type is kept, trimmed and in lower case, with its spelling beside it', () => {
  const report = policyWith({ 'policy-type': ' Future-Policy' })
  assert.deepEqual(notes(report), [`unknown-policy-type ${policyAt}/policy-type`])
  assert.equal(policy(report).policyType, 'future-policy')
  assert.equal(policy(report).policyTypeRaw, ' Future-Policy')
  assert.deepEqual(notes(policyWith({ 'policy-type': 'STS' })), [])
  assert.equal(policy(policyWith({ 'policy-type': 'STS' })).policyType, 'sts')
})

test('policy-domain missing, null or empty', () => {
  for (const domain of [undefined, null, '']) {
    const report = policyWith({ 'policy-domain': domain })
    assert.deepEqual(notes(report), [`policy-domain-missing ${policyAt}/policy-domain`])
    assert.equal('policyDomain' in policy(report), false)
  }
})

test('policy-domain in another spelling', () => {
  for (const domain of ['RCPT.example', 'rcpt.example.', ' rcpt.example']) {
    assert.deepEqual(notes(policyWith({ 'policy-domain': domain })), [
      `policy-domain-normalised ${policyAt}/policy-domain`,
    ])
    assert.equal(policy(policyWith({ 'policy-domain': domain })).policyDomain, 'rcpt.example')
  }
  assert.equal(policy(policyWith({ 'policy-domain': 'MÜNCHEN.Example.' })).policyDomain, 'xn--mnchen-3ya.example')
})

test('policy-string is a string, of one record or line or of several', () => {
  const strings = (type: string, text: string) => {
    const report = policyWith({ 'policy-type': type, 'policy-string': text })
    return [policy(report).policyString, notes(report).map((note) => note.split(' ')[0])]
  }
  assert.deepEqual(strings('tlsa', '3 1 1 AABB'), [['3 1 1 AABB'], ['policy-string-is-string']])
  const joined = ['policy-string-is-string', 'policy-string-joined']
  assert.deepEqual(strings('tlsa', '3 1 1 AABB; 3 1 1 CCDD'), [['3 1 1 AABB', '3 1 1 CCDD'], joined])
  assert.deepEqual(strings('sts', 'version: STSv1\r\nmode: none\r\n'), [['version: STSv1', 'mode: none'], joined])
  assert.deepEqual(strings('sts', 'version: STSv1; mode: none'), [['version: STSv1', 'mode: none'], joined])
})

test('an element of policy-string holds several records or lines', () => {
  const at = `policy-string-joined ${policyAt}/policy-string/0`
  const records = policyWith({ 'policy-type': 'TLSA', 'policy-string': ['3 1 1 AABB;3 1 1 CCDD', '2 1 1 EE'] })
  assert.deepEqual(notes(records), [at])
  assert.deepEqual(policy(records).policyString, ['3 1 1 AABB', '3 1 1 CCDD', '2 1 1 EE'])
  const lines = policyWith({ 'policy-string': ['version: STSv1\nmode: none', 'note: a; b'] })
  assert.deepEqual(notes(lines), [at])
  assert.deepEqual(policy(lines).policyString, ['version: STSv1', 'mode: none', 'note: a; b'])
})

test('policy-string holds a JSON list in a string', () => {
  const records = ['3 1 1 aabb', '3 1 1 ccdd']
  for (const value of [JSON.stringify(records), [JSON.stringify(records)]]) {
    const report = policyWith({ 'policy-type': 'tlsa', 'policy-string': value })
    assert.ok(notes(report).includes(`policy-string-holds-json ${policyAt}/policy-string/0`))
    assert.deepEqual(policy(report).policyString, records)
  }
  const deep = '['.repeat(100_000)
  for (const text of ['[no json', '[1]', '[["a"]]', deep]) {
    const report = accepted(policyWith({ 'policy-type': 'tlsa', 'policy-string': [text] })).report
    assert.deepEqual(report.policies[0]!.policyString, [text.slice(0, limits.textBytes)])
  }
})

test('mx-host is a string', () => {
  assert.deepEqual(notes(policyWith({ 'mx-host': '*.Rcpt.example' })), [`mx-host-is-string ${policyAt}/mx-host`])
  assert.deepEqual(policy(policyWith({ 'mx-host': '*.Rcpt.example' })).mxHost, ['*.rcpt.example'])
})

test('mx-host has the "mx:" of the policy before it', () => {
  const report = policyWith({ 'mx-host': ['mx: mx.rcpt.example', 'MX:b.rcpt.example.'] })
  assert.deepEqual(
    notes(report),
    [0, 1].map((i) => `mx-host-prefixed ${policyAt}/mx-host/${i}`),
  )
  assert.deepEqual(policy(report).mxHost, ['mx.rcpt.example', 'b.rcpt.example'])
})

test('null and empty elements of a list are none', () => {
  const report = policyWith({ 'mx-host': [null, '', 'mx.rcpt.example'], 'policy-string': [null, 'version: STSv1'] })
  assert.deepEqual(policy(report).mxHost, ['mx.rcpt.example'])
  assert.deepEqual(policy(report).policyString, ['version: STSv1'])
  const codes = notes(report).map((note) => note.replace(policyAt, ''))
  assert.deepEqual(codes, ['null-member /policy-string/0', 'null-member /mx-host/0', 'empty-member /mx-host/1'])
})

test('members that are null or empty are absent', () => {
  const optional = ['sending-mta-ip', 'receiving-mx-hostname', 'receiving-mx-helo', 'receiving-ip']
  for (const name of [...optional, 'additional-information', 'failure-reason-code']) {
    for (const [value, code] of [
      [null, 'null-member'],
      ['', 'empty-member'],
      [' ', 'empty-member'],
    ] as const) {
      const report = detailWith({ [name]: value })
      assert.deepEqual(notes(report), [`${code} ${detailAt}/${name}`])
      assert.deepEqual(detail(report), detail(detailWith({ [name]: undefined })))
    }
  }
  for (const [value, code] of [
    [null, 'null-member'],
    ['', 'empty-member'],
  ] as const) {
    for (const name of ['policy-string', 'mx-host'] as const) {
      assert.deepEqual(notes(policyWith({ [name]: value })), [`${code} ${policyAt}/${name}`])
    }
    assert.ok(notes(entryWith({ 'failure-details': value })).includes(`${code} /policies/0/failure-details`))
    assert.deepEqual(policy(entryWith({ 'failure-details': value })).failureDetails, [])
  }
})

test('members under the names of their types, or with underscores', () => {
  const { policies, ...rest } = goodReport
  const [{ 'failure-details': details, summary, policy: inner }] = policies as [typeof goodPolicy]
  const { 'contact-info': contact, 'date-range': range, ...other } = rest
  const aliased = {
    ...other,
    email_address: 'not an alias of an alias',
    'email-address': contact,
    date_range: { 'date-time': range['start-datetime'], end_datetime: range['end-datetime'] },
    policies: [
      {
        policy: {
          ...inner,
          'mx-host': undefined,
          'policy-domain': undefined,
          'mx-host-pattern': inner['mx-host'],
          domain: 'rcpt.example',
        },
        summary: { ...summary, 'total-successful-session-count': undefined, total_successful_session_count: 10 },
        failure_details: details.map(({ 'sending-mta-ip': ip, ...detail }) => ({
          ...detail,
          'ip-address': ip,
          'additional-info-uri': 'https://a.example/',
        })),
      },
    ],
  }
  assert.deepEqual(
    accepted(aliased).report,
    accepted(detailWith({ 'additional-information': 'https://a.example/' })).report,
  )
  assert.deepEqual(
    notes(aliased).sort(),
    [
      'member-alias /date-range/date-time',
      'member-alias /date-range/end_datetime',
      'member-alias /date_range',
      'member-alias /email-address',
      `member-alias ${detailAt}/additional-info-uri`,
      `member-alias ${detailAt}/ip-address`,
      'member-alias /policies/0/failure_details',
      `member-alias ${policyAt}/domain`,
      `member-alias ${policyAt}/mx-host-pattern`,
      'member-alias /policies/0/summary/total_successful_session_count',
    ].sort(),
  )
})

test('a member under its own name beats an alias, in any order', () => {
  for (const inner of [
    { domain: 'b.example', ...goodPolicy.policy },
    { ...goodPolicy.policy, domain: 'b.example' },
  ]) {
    assert.equal(policy(entryWith({ policy: inner })).policyDomain, 'rcpt.example')
    assert.deepEqual(notes(entryWith({ policy: inner })), [])
  }
  const both = policyWith({ 'policy-domain': null, domain: 'b.example' })
  assert.equal(policy(both).policyDomain, 'b.example')
})

test('session totals missing or null are 0', () => {
  const at = '/policies/0/summary/total-failure-session-count'
  for (const count of [undefined, null, '']) {
    const report = entryWith({
      summary: { 'total-successful-session-count': 3, 'total-failure-session-count': count },
      'failure-details': [],
    })
    assert.deepEqual(notes(report), [`count-missing ${at}`])
    assert.equal(policy(report).totalFailureSessionCount, 0)
  }
  assert.equal(
    notes(entryWith({ summary: null, 'failure-details': [] })).filter((note) => note.startsWith('count-missing'))
      .length,
    2,
  )
})

test('a count is a string of digits', () => {
  const report = summaryWith({ 'total-successful-session-count': '10', 'total-failure-session-count': '2' })
  const at = '/policies/0/summary'
  assert.deepEqual(accepted(report).report, accepted(goodReport).report)
  assert.deepEqual(notes(report), [
    `count-is-string ${at}/total-successful-session-count`,
    `count-is-string ${at}/total-failure-session-count`,
  ])
  assert.deepEqual(notes(detailWith({ 'failed-session-count': '2' })), [
    `count-is-string ${detailAt}/failed-session-count`,
  ])
  assert.equal(
    policy(summaryWith({ 'total-successful-session-count': '9007199254740991' })).totalSuccessfulSessionCount,
    2 ** 53 - 1,
  )
})

test('result-type missing is validation-failure', () => {
  for (const type of [undefined, null, '', ' ']) {
    assert.deepEqual(notes(detailWith({ 'result-type': type })), [`result-type-missing ${detailAt}/result-type`])
    assert.equal(detail(detailWith({ 'result-type': type })).resultType, 'validation-failure')
  }
})

test('an unknown result-type is kept, trimmed and in lower case, with its spelling beside it', () => {
  const report = detailWith({ 'result-type': 'Quantum-Failure ' })
  assert.deepEqual(notes(report), [`unknown-result-type ${detailAt}/result-type`])
  assert.equal(detail(report).resultType, 'quantum-failure')
  assert.equal(detail(report).resultTypeRaw, 'Quantum-Failure ')
  assert.deepEqual(notes(detailWith({ 'result-type': 'Certificate-Expired' })), [])
  assert.equal(detail(detailWith({ 'result-type': 'Certificate-Expired' })).resultTypeRaw, 'Certificate-Expired')
})

test('an address that is none keeps its text', () => {
  for (const text of ['unknown', 'fe80::1%eth0', '192.0.2.0/24', 'x.x.x.x', 'mx.rcpt.example', 'a'.repeat(200)]) {
    for (const [name, key] of [
      ['sending-mta-ip', 'sendingMtaIp'],
      ['receiving-ip', 'receivingIp'],
    ] as const) {
      assert.deepEqual(notes(detailWith({ [name]: text })), [`unparsable-address ${detailAt}/${name}`])
      assert.deepEqual(detail(detailWith({ [name]: text }))[key], { raw: text })
    }
  }
})

test('an address in brackets, and an IPv4 one written as IPv6', () => {
  const brackets = detailWith({ 'receiving-ip': '[2001:DB8::1]' })
  assert.deepEqual(notes(brackets), [`address-in-brackets ${detailAt}/receiving-ip`])
  assert.deepEqual(detail(brackets).receivingIp, { ip: '2001:db8::1', raw: '[2001:DB8::1]' })
  const mapped = detailWith({ 'receiving-ip': '::ffff:192.0.2.1' })
  assert.deepEqual(notes(mapped), [`address-v4-mapped ${detailAt}/receiving-ip`])
  assert.deepEqual(detail(mapped).receivingIp, { ip: '::ffff:192.0.2.1' })
})

test('a host name is in lower case without a final dot, and anything else is kept as text', () => {
  const host = (text: string) => detail(detailWith({ 'receiving-mx-hostname': text })).receivingMxHostname
  assert.equal(host('MX.Rcpt.example.'), 'mx.rcpt.example')
  assert.equal(host('mx.Münch.example'), 'mx.xn--mnch-0ra.example')
  assert.equal(host('[192.0.2.1] (none)'), '[192.0.2.1] (none)')
})

test('a full EHLO reply in receiving-mx-helo is kept whole', () => {
  const reply = '250-mx.rcpt.example\r\n250-PIPELINING\r\n250 STARTTLS'
  assert.equal(detail(detailWith({ 'receiving-mx-helo': reply })).receivingMxHelo, reply)
})

const strings: [string, (text: string) => unknown, (json: unknown) => string | undefined][] = [
  [
    '/organization-name',
    (text) => reportWith({ 'organization-name': text }),
    (json) => accepted(json).report.organizationName,
  ],
  [
    `${policyAt}/policy-type`,
    (text) => policyWith({ 'policy-type': text }),
    (json) => policy(json).policyTypeRaw ?? policy(json).policyType,
  ],
  [
    `${policyAt}/policy-string/0`,
    (text) => policyWith({ 'policy-string': [text] }),
    (json) => policy(json).policyString[0],
  ],
  [`${policyAt}/mx-host/0`, (text) => policyWith({ 'mx-host': [text] }), (json) => policy(json).mxHost[0]],
  [
    `${detailAt}/result-type`,
    (text) => detailWith({ 'result-type': text }),
    (json) => detail(json).resultTypeRaw ?? detail(json).resultType,
  ],
  [
    `${detailAt}/receiving-mx-hostname`,
    (text) => detailWith({ 'receiving-mx-hostname': text }),
    (json) => detail(json).receivingMxHostname,
  ],
  [
    `${detailAt}/receiving-mx-helo`,
    (text) => detailWith({ 'receiving-mx-helo': text }),
    (json) => detail(json).receivingMxHelo,
  ],
  [
    `${detailAt}/sending-mta-ip`,
    (text) => detailWith({ 'sending-mta-ip': text }),
    (json) => detail(json).sendingMtaIp?.raw,
  ],
  [`${detailAt}/receiving-ip`, (text) => detailWith({ 'receiving-ip': text }), (json) => detail(json).receivingIp?.raw],
  [
    `${detailAt}/additional-information`,
    (text) => detailWith({ 'additional-information': text }),
    (json) => detail(json).additionalInformation,
  ],
  [
    `${detailAt}/failure-reason-code`,
    (text) => detailWith({ 'failure-reason-code': text }),
    (json) => detail(json).failureReasonCode,
  ],
]

test('NUL is taken out of every text', () => {
  for (const [pointer, build, read] of strings) {
    assert.ok(notes(build('x\0\0y\0')).includes(`nul-stripped ${pointer}`), pointer)
    assert.equal(read(build('x\0\0y\0')), 'xy')
  }
})

test('half a surrogate pair is replaced in every text', () => {
  for (const [pointer, build, read] of strings) {
    assert.ok(notes(build('x\ud800y')).includes(`lone-surrogate ${pointer}`), pointer)
    assert.equal(read(build('x\ud800y')), 'x\ufffdy')
    assert.ok(!notes(build('x\u{1f600}y')).some((note) => note.startsWith('lone-surrogate')))
  }
})

test('an over-long text is cut between characters, and one of just the limit is not', () => {
  for (const [pointer, build, read] of strings) {
    const atLimit = 'x'.repeat(limits.textBytes)
    assert.equal(read(build(atLimit)), atLimit)
    assert.ok(!notes(build(atLimit)).some((note) => note.startsWith('text-truncated')))
    assert.ok(notes(build(`${atLimit}x`)).includes(`text-truncated ${pointer}`), pointer)
    assert.equal(read(build(`${atLimit}x`)), atLimit)
    assert.equal(read(build(`${'x'.repeat(limits.textBytes - 1)}é`)), 'x'.repeat(limits.textBytes - 1))
  }
})

test('a text that is NUL alone is an empty one', () => {
  assert.deepEqual(notes(detailWith({ 'failure-reason-code': '\0' })), [
    `nul-stripped ${detailAt}/failure-reason-code`,
    `empty-member ${detailAt}/failure-reason-code`,
  ])
})

test('date-times in other spellings are noted where they stand', () => {
  const codes = (start: string, end: string) => notes(datesWith(start, end))
  assert.deepEqual(codes('2026-03-01', '2026-03-01T24:00:00Z'), [
    'date-only /date-range/start-datetime',
    'end-of-day-24 /date-range/end-datetime',
  ])
  assert.deepEqual(codes('2026-03-01T00:00:00', '2026-03-01 23:59:60z'), [
    'date-without-zone /date-range/start-datetime',
    'date-blank-separator /date-range/end-datetime',
    'date-lower-case /date-range/end-datetime',
    'leap-second /date-range/end-datetime',
  ])
})

test('failure details that do not add up to the total are kept, and it is noted', () => {
  const at = 'details-differ-from-total /policies/0/summary/total-failure-session-count'
  for (const total of [1, 3]) assert.deepEqual(notes(summaryWith({ 'total-failure-session-count': total })), [at])
  const most = 2 ** 53 - 1
  const three = entryWith({
    summary: { 'total-successful-session-count': 0, 'total-failure-session-count': most },
    'failure-details': Array.from({ length: 3 }, () => ({ ...goodDetail, 'failed-session-count': most })),
  })
  assert.deepEqual(notes(three), [at])
})

test('an anomaly that is everywhere is told only at the first places', () => {
  const details = Array.from({ length: 100 }, () => ({ ...goodDetail, 'sending-mta-ip': null, 'receiving-ip': '' }))
  const codes = accepted(entryWith({ 'failure-details': details })).anomalies.map(({ code }) => code)
  assert.equal(codes.filter((code) => code === 'null-member').length, maxAnomaliesPerCode)
  assert.equal(codes.filter((code) => code === 'empty-member').length, maxAnomaliesPerCode)
})

test('every code of the table is noted somewhere, and says in a sentence what it means', () => {
  const sources = globSync('src/**/*.ts', { cwd: new URL('../../', import.meta.url) })
    .filter((file) => !file.endsWith('anomalies.ts'))
    .map((file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'))
    .join('\n')
  for (const [code, meaning] of Object.entries(anomalyCodes)) {
    assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    assert.match(meaning, /^[A-Z].*\.$/)
    assert.ok(sources.includes(`'${code}'`), code)
  }
})

test('what no repair is for stays refused', () => {
  for (const report of [
    summaryWith({ 'total-failure-session-count': [2] }),
    detailWith({ 'failure-reason-code': 5 }),
  ]) {
    assert.equal(refused(report).kind, 'unreadable')
  }
})
