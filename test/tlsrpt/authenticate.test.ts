import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticate, isAligned, reportingDomain, type Signature } from '../../src/tlsrpt/authenticate.ts'

const mail = { from: ['noreply@sender.example'], fromFields: 1, tlsReportSubmitter: 'sender.example' }
const pass = (domain: string, more: Partial<Signature> = {}): Signature => ({
  result: 'pass',
  domain,
  unacceptable: [],
  signedHeaders: ['from'],
  ...more,
})

test('the reporting domain is that of contact-info, else TLS-Report-Submitter, else From', () => {
  assert.equal(reportingDomain('tlsrpt@contact.example', mail), 'contact.example')
  assert.equal(reportingDomain(undefined, mail), 'sender.example')
  assert.equal(reportingDomain('not an address', mail), 'sender.example')
  assert.equal(reportingDomain(undefined, { ...mail, tlsReportSubmitter: 'Some Organization' }), 'sender.example')
  assert.equal(reportingDomain(undefined, { from: ['x@[192.0.2.1]'], fromFields: 1 }), undefined)
})

test('parent, sibling and subdomain are aligned; another organisation and a public suffix are not', () => {
  for (const domain of ['sender.example', 'mta7.sender.example']) assert.ok(isAligned(domain, 'sender.example'), domain)
  assert.ok(isAligned('sender.example', 'mail.sender.example'))
  assert.ok(isAligned('a.sender.example', 'b.sender.example'))
  for (const domain of ['other.example', 'example', 'co.uk', 'github.io'])
    assert.ok(!isAligned(domain, 'sender.example'), domain)
  assert.ok(!isAligned('evil.github.io', 'good.github.io'))
  assert.ok(!isAligned('evil.co.uk', 'good.co.uk'))
})

test('one passing aligned signature verifies, whatever the others came to', () => {
  const answer = authenticate('t@sender.example', mail, [
    { ...pass('sender.example'), result: 'fail', reason: 'body-hash-mismatch' },
    { ...pass('sender.example'), result: 'temperror' },
    pass('evil.example'),
    pass('mta7.sender.example'),
  ])
  assert.ok(answer.kind === 'verified')
  assert.equal(answer.reporter, 'sender.example')
})

test('contact-info of another organisation is not aligned, even when From is', () => {
  const answer = authenticate('smtp-tls-reporting@google.com', mail, [pass('sender.example')])
  assert.ok(answer.kind === 'failed')
  assert.equal(answer.code, 'signature-not-aligned')
})

test('a key that cannot be looked up is worth waiting for only where it would be aligned', () => {
  const waiting = authenticate('t@sender.example', mail, [
    pass('evil.example'),
    { ...pass('sender.example'), result: 'temperror', reason: 'dns-servfail' },
  ])
  assert.deepEqual(waiting, { kind: 'temporary', reason: 'dns-servfail' })
  const pointless = authenticate('t@sender.example', mail, [{ ...pass('evil.example'), result: 'temperror' }])
  assert.ok(pointless.kind === 'failed')
  assert.equal(pointless.code, 'no-passing-signature')
})

test('passing but unacceptable, passing but foreign, and not passing are three different failures', () => {
  const codes = [
    authenticate('t@sender.example', mail, [pass('sender.example', { unacceptable: ['testing'] })]),
    authenticate('t@sender.example', mail, [pass('evil.example')]),
    authenticate('t@sender.example', mail, [
      { ...pass('sender.example'), result: 'fail', reason: 'signature-mismatch' },
    ]),
    authenticate('t@sender.example', mail, []),
    authenticate('t@sender.example', mail, [
      { ...pass('co.uk'), result: 'permerror', reason: 'domain-is-public-suffix' },
    ]),
  ].map((answer) => (answer.kind === 'failed' ? [answer.code, answer.reason] : answer.kind))
  assert.deepEqual(codes, [
    ['signature-not-acceptable', 'testing'],
    ['signature-not-aligned', 'signature-not-aligned'],
    ['no-passing-signature', 'signature-mismatch'],
    ['no-passing-signature', 'no-signature'],
    ['signature-not-aligned', 'domain-is-public-suffix'],
  ])
})

test('none or several From addresses are nobody', () => {
  for (const from of [[], ['a@sender.example', 'b@sender.example']]) {
    assert.equal(authenticate('t@sender.example', { ...mail, from }, [pass('sender.example')]).kind, 'failed')
  }
  assert.equal(authenticate('t@sender.example', { ...mail, fromFields: 2 }, [pass('sender.example')]).kind, 'failed')
})

test('a differing TLS-Report-Submitter is noted, never refused', () => {
  const answer = authenticate('t@sender.example', { ...mail, tlsReportSubmitter: 'My Organization' }, [
    pass('sender.example'),
  ])
  assert.ok(answer.kind === 'verified')
  assert.deepEqual(answer.anomalies, [{ code: 'submitter-differs', pointer: '' }])
})
