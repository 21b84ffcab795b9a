import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../src/checks/check.ts'
import { diffChecks } from '../../src/checks/diff.ts'
import type { DomainSeen } from '../../src/checks/domain-seen.ts'
import { worstOf } from '../../src/checks/findings/finding.ts'
import { judgeDomain } from '../../src/checks/findings/judge.ts'
import { observe } from '../../src/checks/observed.ts'
import { at, certificate, days, found, goodDomain, mailHosts, missing, mxHost, mxRecords, own, policyLines, policyText, policyUnseen, tlsa, unreachable, withTlsa } from './seen-domain.ts' // prettier-ignore

function checkOf(seen: DomainSeen): Check {
  const findings = judgeDomain(seen, own, at)
  const times = { startedAt: at.toISOString(), endedAt: at.toISOString() }
  return { domain: seen.domain, ...times, severity: worstOf(findings), findings, observed: observe(seen) }
}

const good = checkOf(goodDomain())

/** What changed from the good domain, findings apart. */
const changesTo = (change: Partial<DomainSeen>, from: Check = good) =>
  diffChecks(from, checkOf(goodDomain(change)))
    .filter(({ code }) => !code.startsWith('finding'))
    .map(({ code, sentence }) => `${code}: ${sentence}`)

const policy = (was: string, is: string) => policyText(policyLines.join('\n').replace(was, is))
const otherId = found('v=STSv1; id=2;')

test('nothing changes where nothing did, however the policy is written', () => {
  assert.deepEqual(diffChecks(good, good), [])
  assert.deepEqual(changesTo({ policy: policyText(policyLines.toReversed().join('\r\n')) }), [])
})

test('an id that changed alone, a policy that changed alone, and both together are three things', () => {
  assert.deepEqual(changesTo({ stsRecord: otherId }), ['sts-id-without-policy: The id changed from 20250601T000000 to 2, the policy did not.']) // prettier-ignore
  assert.deepEqual(changesTo({ policy: policy('enforce', 'testing') }), ['policy-without-sts-id: The policy changed: mode from enforce to testing. The id did not, so that senders keep the old one.']) // prettier-ignore
  assert.deepEqual(changesTo({ stsRecord: otherId, policy: policy('mx2.good', '*.good') }), [
    'sts-id: The id changed from 20250601T000000 to 2.',
    'policy: The policy changed: mx added: *.good.example; mx removed: mx2.good.example.',
  ])
})

test('a certificate that was renewed is told with its end and whether its key is another, once for a host', () => {
  const renewed = { validTo: days(170), fingerprint: 'f'.repeat(64) }
  const two = (change: Parameters<typeof certificate>[1]) => {
    const host = mxHost('mx2', { certificate: certificate('mx2.good.example', change) })
    const second = { ...host.mx.addresses[0]!, address: '2001:db8::2' }
    return { hosts: [mxHost('mx1'), { ...host, mx: { ...host.mx, addresses: [host.mx.addresses[0]!, second] } }] }
  }
  assert.deepEqual(changesTo(two(renewed), checkOf(goodDomain(two({})))), ['certificate: The certificate of mx2.good.example was renewed, now until 2025-11-18, with the same key.']) // prettier-ignore
  const otherKey = { ...renewed, validTo: days(1), publicKeyFingerprint: 'e'.repeat(64) }
  assert.deepEqual(changesTo(two(otherKey), checkOf(goodDomain(two({})))), ['certificate: The certificate of mx2.good.example was replaced, now until 2025-06-02, with another key.']) // prettier-ignore
})

test('MX hosts that came and went are told, and what enforce would do with those that stayed', () => {
  const moved = { mailHosts: mailHosts(mxRecords('mx1.good.example', 'mx3.good.example')), hosts: [mxHost('mx1', { offersStarttls: false }), mxHost('mx3')] } // prettier-ignore
  assert.deepEqual(changesTo(moved), [
    'mx-added: mx3.good.example is a new MX host.',
    'mx-removed: mx2.good.example is no MX host any more.',
    'enforce-verdict: Under enforce, mx1.good.example was delivered to and is now not delivered to.',
  ])
})

test('TLSA and TLSRPT records that changed are told', () => {
  const hosts = [withTlsa(mxHost('mx1'), [tlsa(3, 'leaf')]), mxHost('mx2')]
  assert.match(changesTo({ hosts })[0]!, /^tlsa: The TLSA records of mx1\.good\.example changed: 3 1 1 [0-9a-f]{64}\.$/)
  assert.deepEqual(changesTo({}, checkOf(goodDomain({ hosts }))), ['tlsa: The TLSA records of mx1.good.example changed: there are none now.']) // prettier-ignore
  assert.deepEqual(changesTo({ tlsrptRecord: found('v=TLSRPTv1; rua=mailto:a@b.example') }), ['tlsrpt-record: The TLSRPT record changed: reports now go to mailto:a@b.example.']) // prettier-ignore
  assert.deepEqual(changesTo({ tlsrptRecord: missing() }), ['tlsrpt-record: The TLSRPT record changed: reports now go nowhere.']) // prettier-ignore
})

test('what could not be seen is no change', () => {
  assert.deepEqual(
    changesTo({ stsRecord: unreachable, tlsrptRecord: unreachable, policy: policyUnseen('timeout') }),
    [],
  )
  assert.deepEqual(changesTo({ mailHosts: { kind: 'unreachable', reason: 'dns-timeout' }, hosts: [] }), [])
})

test('findings that are new and findings that are gone are told, those that are ok are not', () => {
  const broken = checkOf(goodDomain({ tlsrptRecord: missing(), ownRua: [] }))
  const told = (before: Check, after: Check) => diffChecks(before, after).filter(({ code }) => code.startsWith('finding')) // prettier-ignore
  const sentence = 'There is no TLSRPT record: senders tell nobody what fails.'
  assert.deepEqual(told(good, broken), [{ code: 'finding-new', subject: '_smtp._tls.good.example', sentence: `New: ${sentence}` }]) // prettier-ignore
  assert.deepEqual(told(broken, good), [{ code: 'finding-gone', subject: '_smtp._tls.good.example', sentence: `No longer: ${sentence}` }]) // prettier-ignore
})
