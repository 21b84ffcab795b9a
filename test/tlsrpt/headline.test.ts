import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { causeHeadline, domainHeadline, type CauseWords, type DomainWords } from '../../src/tlsrpt/headline.ts'
import { resultTypes } from '../../src/tlsrpt/result-types.ts'

const cause = (given: Partial<CauseWords> = {}): CauseWords => ({
  domain: 'alpha.example',
  resultType: 'certificate-expired',
  receivingMxHostname: 'mx2.alpha.example',
  failureReasonCode: null,
  policyTypes: ['sts'],
  policyModes: ['testing'],
  since: '2026-05-12',
  until: '2026-05-20',
  ongoing: true,
  trust: 'verified',
  reporters: 3n,
  reports: 9n,
  sessions: 412n,
  ...given,
})

test('a cause that goes on says what, since when, who says so, and what becomes of the mail', () => {
  assert.equal(
    causeHeadline(cause()),
    'MX mx2.alpha.example presents an expired certificate since 12 May 2026; 3 senders, 412 sessions; delivered all the same; under enforce this mail would be refused',
  )
})

const told: [Partial<CauseWords>, now: string, then: string][] = [
  [{ resultType: 'starttls-not-supported' }, 'MX mx2.alpha.example does not offer STARTTLS', 'MX mx2.alpha.example did not offer STARTTLS'],
  [{ resultType: 'certificate-host-mismatch' }, 'MX mx2.alpha.example presents a certificate for another name', 'MX mx2.alpha.example presented a certificate for another name'],
  [{ resultType: 'certificate-expired' }, 'MX mx2.alpha.example presents an expired certificate', 'MX mx2.alpha.example presented an expired certificate'],
  [{ resultType: 'certificate-not-trusted' }, 'MX mx2.alpha.example presents a certificate that senders do not trust', 'MX mx2.alpha.example presented a certificate that senders did not trust'],
  [{ resultType: 'tlsa-invalid' }, 'MX mx2.alpha.example presents a certificate that its TLSA records do not match', 'MX mx2.alpha.example presented a certificate that its TLSA records did not match'],
  [{ resultType: 'dnssec-invalid' }, 'MX mx2.alpha.example fails DNSSEC validation', 'MX mx2.alpha.example failed DNSSEC validation'],
  [{ resultType: 'dane-required' }, 'MX mx2.alpha.example has no secure TLSA record, on which a sender insists,', 'MX mx2.alpha.example had no secure TLSA record, on which a sender insisted,'],
  [{ resultType: 'sts-policy-fetch-error', receivingMxHostname: null }, 'The MTA-STS policy of alpha.example cannot be fetched', 'The MTA-STS policy of alpha.example could not be fetched'],
  [{ resultType: 'sts-policy-invalid' }, 'The MTA-STS policy of alpha.example is not valid', 'The MTA-STS policy of alpha.example was not valid'],
  [{ resultType: 'sts-webpki-invalid' }, 'The MTA-STS policy of alpha.example is served with an invalid certificate', 'The MTA-STS policy of alpha.example was served with an invalid certificate'],
  [{ resultType: 'validation-failure' }, 'MX mx2.alpha.example fails validation', 'MX mx2.alpha.example failed validation'],
  [{ resultType: 'validation-failure', failureReasonCode: 'X509_V_ERR_PATH' }, 'MX mx2.alpha.example fails validation with "X509_V_ERR_PATH"', 'MX mx2.alpha.example failed validation with "X509_V_ERR_PATH"'],
  [{ resultType: 'quantum-downgrade' }, 'MX mx2.alpha.example fails with "quantum-downgrade"', 'MX mx2.alpha.example failed with "quantum-downgrade"'],
  [{ resultType: '__proto__', failureReasonCode: 'odd' }, 'MX mx2.alpha.example fails with "__proto__" (odd)'.replace('(odd)', '("odd")'), 'MX mx2.alpha.example failed with "__proto__" ("odd")'],
  [{ receivingMxHostname: null }, 'An MX of alpha.example presents an expired certificate', 'An MX of alpha.example presented an expired certificate'],
  [{ receivingMxHostname: '2001:db8::1' }, 'MX 2001:db8::1 presents an expired certificate', 'MX 2001:db8::1 presented an expired certificate'],
  [{ receivingMxHostname: 'mx; all is well' }, 'MX "mx; all is well" presents an expired certificate', 'MX "mx; all is well" presented an expired certificate'],
] // prettier-ignore

for (const [given, now, then] of told) {
  test(now, () => {
    assert.equal(causeHeadline(cause(given)).split(' since ')[0], now)
    assert.equal(causeHeadline(cause({ ...given, ongoing: false })).split(' from ')[0], then)
  })
}

test('every registered result type has words of its own', () => {
  for (const { name } of resultTypes)
    assert.ok(!causeHeadline(cause({ resultType: name })).includes('fails with'), name)
  assert.deepEqual(resultTypes.map(({ name }) => name).filter((name) => !told.some(([{ resultType }]) => resultType === name)), []) // prettier-ignore
})

for (const [since, until, words] of [
  ['2026-05-02', '2026-05-02', 'on 2 May 2026'],
  ['2026-05-02', '2026-05-10', 'from 2 to 10 May 2026'],
  ['2026-04-28', '2026-05-02', 'from 28 April to 2 May 2026'],
  ['2025-12-28', '2026-01-02', 'from 28 December 2025 to 2 January 2026'],
  ['2025-05-02', '2026-05-10', 'from 2 May 2025 to 10 May 2026'],
] as const) {
  test(`what is over was ${words}`, () => {
    const [what] = causeHeadline(cause({ since, until, ongoing: false })).split('; ')
    assert.equal(what, `MX mx2.alpha.example presented an expired certificate ${words}`)
  })
}

for (const [given, now, then] of [
  [{ policyModes: ['testing'] }, 'delivered all the same; under enforce this mail would be refused', 'delivered all the same; under enforce this mail would have been refused'],
  [{ policyModes: ['testing', 'enforce'] }, 'delivered all the same; under enforce this mail would be refused', 'delivered all the same; under enforce this mail would have been refused'],
  [{ policyModes: ['none'] }, 'delivered all the same; under enforce this mail would be refused', 'delivered all the same; under enforce this mail would have been refused'],
  [{ policyModes: [], policyTypes: ['no-policy-found'] }, 'delivered all the same; under enforce this mail would be refused', 'delivered all the same; under enforce this mail would have been refused'],
  [{ policyModes: ['enforce', 'testing'] }, 'the policy is enforced, so this mail is refused', 'the policy was enforced, so this mail was refused'],
  [{ policyModes: [], policyTypes: ['tlsa'] }, 'DANE is always enforced, so this mail is refused', 'DANE is always enforced, so this mail was refused'],
  [{ policyModes: ['testing'], policyTypes: ['sts', 'tlsa'] }, 'DANE is always enforced, so this mail is refused', 'DANE is always enforced, so this mail was refused'],
  [{ policyModes: [] }, 'under enforce this mail would be refused', 'under enforce this mail would have been refused'],
  [{ policyModes: ['made-up'] }, 'under enforce this mail would be refused', 'under enforce this mail would have been refused'],
  [{ resultType: 'sts-policy-invalid', policyModes: ['enforce'] }, 'mail is delivered all the same', 'mail was delivered all the same'],
] as const) {
  const { policyTypes = ['sts'], policyModes, ...rest } = given as Partial<CauseWords>
  test(`policies ${policyTypes.join(' and ')}, modes ${policyModes!.join(', then ') || 'unknown'}${rest.resultType ? `, ${rest.resultType}` : ''}: ${now}`, () => {
    const mail = (ongoing: boolean) => causeHeadline(cause({ ...given, ongoing })).split('sessions; ')[1]
    assert.equal(mail(true), now)
    assert.equal(mail(false), then)
  })
} // prettier-ignore

test('of a sender’s own word nobody can tell what becomes of the mail', () => {
  assert.equal(
    causeHeadline(cause({ resultType: 'quantum-downgrade' })),
    'MX mx2.alpha.example fails with "quantum-downgrade" since 12 May 2026; 3 senders, 412 sessions',
  )
})

test('who says so is counted, and what nobody verified is called so', () => {
  const who = (given: Partial<CauseWords>) => causeHeadline(cause(given)).split('; ')[1]
  assert.equal(who({ reporters: 1n, sessions: 1n }), '1 sender, 1 session')
  assert.equal(who({ sessions: 1_234_567n }), '3 senders, 1,234,567 sessions')
  assert.equal(who({ trust: 'unverified', reporters: 0n, reports: 1n }), '412 sessions in 1 report, none verified')
  assert.equal(who({ trust: 'any' }), '412 sessions in 9 reports, verified or not')
})

test('what strangers wrote is one quoted piece of one line, however it is written', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 })
  fc.assert(
    fc.property(text, text, text, (resultType, receivingMxHostname, failureReasonCode) => {
      const line = causeHeadline(cause({ resultType: `x${resultType}`, receivingMxHostname, failureReasonCode }))
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      assert.ok(line.length < 400, line)
      assert.match(line, /^MX ([a-z0-9._:-]+|"[^"]*") fails with "[^"]*" \("[^"]*"\) since 12 May 2026; 3 senders, 412 sessions$/)
    }),
  )
}) // prettier-ignore

const domain = (given: Partial<DomainWords> = {}): DomainWords => ({
  domain: 'alpha.example',
  state: 'healthy',
  trust: 'verified',
  lastReportDay: '2026-05-20',
  silentDays: 1,
  successful: 12_345n,
  failed: 0n,
  failedOnLastDay: 0n,
  cause: undefined,
  ...given,
})

const over = cause({ ongoing: false, until: '2026-05-14' })

for (const [given, sentence] of [
  [{}, 'All 12,345 sessions with alpha.example succeeded'],
  [{ successful: 1n }, 'The one session with alpha.example succeeded'],
  [{ successful: 0n }, 'No session with alpha.example failed'],
  [{ trust: 'unverified' }, 'All 12,345 sessions with alpha.example succeeded; no report is verified'],
  [{ failed: 2n }, 'Nothing failed by the last reports; before that 2 sessions with alpha.example failed, and no report says how'],
  [{ cause: over }, `Nothing failed by the last reports; before that: ${causeHeadline(over)}`],
  [{ state: 'failing', cause: cause() }, causeHeadline(cause())],
  [{ state: 'failing', failedOnLastDay: 1n }, '1 session with alpha.example failed on 20 May 2026, and no report says how'],
  [{ state: 'failing', failedOnLastDay: 7n, cause: over, trust: 'unverified' }, '7 sessions with alpha.example failed on 20 May 2026, and no report says how; no report is verified'],
  [{ state: 'silent', silentDays: 12 }, 'No report on alpha.example for 12 days, since 20 May 2026'],
  [{ state: 'silent', silentDays: 12, trust: 'unverified' }, 'No report on alpha.example for 12 days, since 20 May 2026; no report is verified'],
  [{ state: 'silent', silentDays: 12, cause: cause() }, `No report on alpha.example for 12 days, since 20 May 2026; the last ones said: ${causeHeadline(cause())}`],
  [{ state: 'silent', silentDays: 12, cause: over }, 'No report on alpha.example for 12 days, since 20 May 2026'],
  [{ state: 'silent', lastReportDay: null }, 'No report on alpha.example in this time'],
  [{ state: 'no-reports', lastReportDay: null }, 'No report on alpha.example yet: senders report a day after the mail, once its _smtp._tls record names this service'],
] as [Partial<DomainWords>, string][]) {
  test(`a domain is told of as: ${sentence}`, () => assert.equal(domainHeadline(domain(given)), sentence))
} // prettier-ignore
