/** Every code of a finding: something that produces it, and something like it that does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DomainSeen, HostSeen } from '../../../src/checks/domain-seen.ts'
import { codes, type FindingCode } from '../../../src/checks/findings/codes.ts'
import { judgeDomain } from '../../../src/checks/findings/judge.ts'
import type { LookedUp } from '../../../src/dns/look-up.ts'
import {
  at, certificate, days, faulty, found, goodDomain, mailHosts, missing, mxHost, mxRecords, mxUnseen, own, policyLines,
  policySeen, policyText, policyUnseen, reply, tlsa, unreachable, unseen, withTlsa,
} from '../seen-domain.ts' // prettier-ignore

const good = goodDomain()
const codesOf = (seen: DomainSeen) => judgeDomain(seen, own, at).map(({ code }) => code)

const sts = (stsRecord: LookedUp<'TXT'>, policy = good.policy) => goodDomain({ stsRecord, policy })
const tlsrpt = (tlsrptRecord: LookedUp<'TXT'>) => goodDomain({ tlsrptRecord, ownRua: [] })
const policy = (seen: DomainSeen['policy']) => goodDomain({ policy: seen })
const text = (change: (text: string) => string) => policy(policyText(change(`${policyLines.join('\r\n')}\r\n`)))
const line = (was: string, is: string) => text((before) => before.replace(was, is))
const hosts = (...seen: HostSeen[]) => goodDomain({ hosts: seen })
const mx = (looked: LookedUp<'MX'>, hasAddress = false) =>
  goodDomain({ mailHosts: mailHosts(looked, hasAddress), hosts: looked.kind === 'found' ? good.hosts : [] })
const policyCertificate = (change: Parameters<typeof certificate>[1]) =>
  policy(policySeen({ certificate: certificate('mta-sts.good.example', change) }))
const badPolicyCertificate = (kind: Parameters<typeof faulty>[1]) =>
  policy(policySeen({ certificate: faulty('mta-sts.good.example', kind), unseen: unseen('bad-certificate') }))
const badMxCertificate = (kind: Parameters<typeof faulty>[1]) =>
  hosts(mxHost('mx1', { certificate: faulty('mx1.good.example', kind) }), mxHost('mx2'))
const dane = (...records: Parameters<typeof withTlsa>[1]) => {
  const mailHostsSigned = { ...good.mailHosts, authenticated: true } as typeof good.mailHosts
  return goodDomain({ mailHosts: mailHostsSigned, hosts: good.hosts.map((host) => withTlsa(host, records)) })
}
const daneGood = dane(tlsa(3, 'leaf'))
const notSetUp = sts(missing(), policyUnseen('no-such-name'))
const noStarttls = mxHost('mx1', { offersStarttls: false })
const { tlsVersion: _version, certificate: _certificate, ...beforeTls } = mxHost('mx1').mx.addresses[0]!
const cutShort = (reason: Parameters<typeof unseen>[0]): HostSeen => ({
  ...mxHost('mx1'),
  mx: { ...mxHost('mx1').mx, addresses: [{ ...beforeTls, unseen: unseen(reason) }] },
})

/** `not` is the good domain where it is not said. */
const scenes: Record<FindingCode, { yes: DomainSeen; not?: DomainSeen }> = {
  'sts-record-found': { yes: good, not: notSetUp },
  'sts-not-set-up': { yes: notSetUp, not: sts(missing()) },
  'sts-policy-without-record': { yes: sts(missing()), not: sts(missing(), policySeen({ reply: reply(['<html>']) })) },
  'sts-record-without-policy': { yes: policy(policyUnseen('refused')), not: policy(policyUnseen('budget')) },
  'sts-record-unreachable': { yes: sts(unreachable) },
  'sts-record-several': { yes: sts(found('v=STSv1; id=1', 'v=STSv1; id=2')), not: sts(found('v=STSv1; id=1', 'v=spf1')) }, // prettier-ignore
  'sts-record-id': { yes: sts(found('v=STSv1; id=2025-06-01')) },
  'sts-record-syntax': { yes: sts(found('v=STSv1; id=1; x')), not: sts(found('v=STSv1; id=1; x=y')) },
  'sts-record-similar': { yes: sts(found('"v=STSv1; id=1"')), not: sts(found('v=spf1')) },
  'sts-record-odd': { yes: sts(found('v=STSv1 ; id=1')) },
  'sts-record-alias-dangling': {
    yes: sts(missing(['_mta-sts.provider.example'])),
    not: sts({ ...found('v=STSv1; id=1'), aliases: ['_mta-sts.provider.example'] } as LookedUp<'TXT'>),
  },

  'policy-fetched': { yes: good, not: policy(policyUnseen('timeout')) },
  'policy-host-missing': { yes: policy(policyUnseen('no-such-name')), not: notSetUp },
  'policy-address-blocked': { yes: policy(policyUnseen('blocked-address')) },
  'policy-unreachable': { yes: policy(policyUnseen('timeout')), not: policy(policyUnseen('dns-unreachable')) },
  'policy-not-seen': { yes: policy(policyUnseen('budget')) },
  'policy-certificate-good': { yes: good, not: badPolicyCertificate('expired') },
  'policy-certificate-expired': { yes: badPolicyCertificate('expired') },
  'policy-certificate-not-yet-valid': { yes: badPolicyCertificate('not-yet-valid') },
  'policy-certificate-host-mismatch': { yes: badPolicyCertificate('host-mismatch') },
  'policy-certificate-not-trusted': { yes: badPolicyCertificate('not-trusted') },
  'policy-certificate-ends-soon': {
    yes: policyCertificate({ validTo: days(13.9) }),
    not: policyCertificate({ validTo: days(14.1) }),
  },
  'policy-redirect': {
    yes: policy(policySeen({ reply: reply([], { status: 301, location: 'https://www.good.example/' }) })),
    not: policy(policySeen({ reply: reply([], { status: 304 }) })),
  },
  'policy-status': {
    yes: policy(policySeen({ reply: reply([], { status: 404 }) })),
    not: policy(policySeen({ reply: reply([], { status: 302, location: '/' }) })),
  },
  'policy-media-type': { yes: policy(policySeen({ reply: reply(policyLines, { mediaType: 'text/html' }) })) },
  'policy-too-large': {
    yes: policy(policySeen({ reply: reply(policyLines, { truncated: true }), unseen: unseen('too-large') })),
  },

  'policy-valid': { yes: good, not: line('enforce', 'on') },
  'policy-empty': { yes: text(() => '') },
  'policy-byte-order-mark': { yes: text((before) => `\ufeff${before}`) },
  'policy-line-ending': { yes: text((before) => before.replaceAll('\n', '')) },
  'policy-line-malformed': { yes: line('mode: enforce', 'enforce') },
  'policy-key-misspelt': { yes: line('mode:', 'Mode:') },
  'policy-version-missing': { yes: line('version: STSv1\r\n', '') },
  'policy-version-unknown': { yes: line('STSv1', 'STSv2') },
  'policy-mode-missing': { yes: line('mode: enforce\r\n', '') },
  'policy-mode-unknown': { yes: line('enforce', 'on') },
  'policy-max-age-missing': { yes: line('max_age: 2592000\r\n', '') },
  'policy-max-age-malformed': { yes: line('2592000', '30d') },
  'policy-max-age-too-large': { yes: line('2592000', '99999999') },
  'policy-mx-missing': { yes: text((before) => before.replace(/mx: .*\r\n/g, '')) },
  'policy-mx-malformed': { yes: line('mx2.good.example', 'mx2.*.example') },
  'policy-mx-not-a-labels': { yes: line('mx2.good.example', 'mx2.gööd.example') },
  'policy-line-endings-mixed': { yes: line('\r\n', '\n'), not: text((before) => before.replaceAll('\r\n', '\n')) },
  'policy-line-blank': { yes: line('\r\n', '\r\n\r\n') },
  'policy-blank-misplaced': { yes: line('mode:', 'mode :'), not: line('mode: ', 'mode:  ') },
  'policy-key-unknown': { yes: text((before) => `${before}x: y\r\n`) },
  'policy-key-twice': { yes: text((before) => `${before}mode: none\r\n`) },
  'policy-mx-twice': { yes: text((before) => `${before}mx: MX1.good.example\r\n`) },
  'policy-value-malformed': { yes: text((before) => `${before}x:\r\n`), not: text((before) => `${before}x: y\r\n`) },
  'policy-mode-enforce': { yes: good, not: line('enforce', 'testing') },
  'policy-mode-testing': { yes: line('enforce', 'testing') },
  'policy-mode-none': { yes: line('enforce', 'none') },
  'policy-max-age-short': { yes: line('2592000', '86399'), not: line('2592000', '86400') },
  'policy-max-age-low': {
    yes: line('2592000', '604800'),
    not: text((before) => before.replace('2592000', '604800').replace('enforce', 'testing')),
  },

  'mx-not-told': { yes: mx(unreachable) },
  'mx-missing': { yes: mx(missing()), not: mx(missing(), true) },
  'mx-implicit': { yes: mx(missing(), true) },
  'mx-null': { yes: mx(mxRecords('.')) },
  'mx-null-among-others': { yes: mx(mxRecords('mx1.good.example', '.')), not: mx(mxRecords('.')) },
  'mx-is-address': { yes: mx(mxRecords('mx1.good.example', '192.0.2.1')) },
  'mx-not-a-host-name': { yes: mx(mxRecords('mx1.good.example', 'localhost')) },
  'mx-is-alias': { yes: hosts({ ...mxHost('mx1'), alias: 'other.example' }, mxHost('mx2')) },
  'mx-too-many': {
    yes: mx(mxRecords(...Array.from({ length: 11 }, (_, i) => `mx${i}.good.example`))),
    not: mx(mxRecords(...Array.from({ length: 20 }, (_, i) => `mx${i % 10}.good.example`))),
  },
  'mx-covered': { yes: good, not: text((before) => before.replace(/mx: .*\r\n/g, 'mx: x.example\r\n')) },
  'mx-not-covered': { yes: line('mx2.good', 'mx3.good'), not: line('mx2.good', '*.good') },
  'policy-pattern-unused': { yes: text((before) => `${before}mx: old.good.example\r\n`) },

  'mx-tls-good': { yes: good, not: hosts(noStarttls) },
  'mx-no-address': { yes: hosts({ ...mxHost('mx1'), mx: { ...mxHost('mx1').mx, addresses: [], unseen: unseen('no-address') } }) }, // prettier-ignore
  'mx-address-blocked': { yes: hosts(mxUnseen('mx1', 'blocked-address')) },
  'mx-unreachable': { yes: hosts(mxUnseen('mx1', 'timeout'), mxHost('mx2')), not: hosts(mxUnseen('mx1', 'timeout')) },
  'mx-turns-us-away': {
    yes: hosts(mxHost('mx1', { greeting: '554 go away', unseen: unseen('refused') })),
    not: hosts(mxUnseen('mx1', 'refused')),
  },
  'mx-none-answers': {
    yes: hosts(mxUnseen('mx1', 'timeout'), mxUnseen('mx2', 'timeout')),
    not: hosts(mxUnseen('mx1', 'timeout'), mxUnseen('mx2', 'refused')),
  },
  'mx-not-seen': { yes: hosts(mxUnseen('mx1', 'budget')) },
  'mx-no-route': { yes: hosts(mxUnseen('mx1', 'unreachable')) },
  'mx-bad-reply': { yes: hosts(mxUnseen('mx1', 'bad-reply')) },
  'mx-no-starttls': { yes: hosts(noStarttls) },
  'mx-tls-too-old': { yes: hosts(mxHost('mx1', { tlsVersion: 'TLSv1.1' })), not: hosts(mxHost('mx1', { tlsVersion: 'TLSv1.2' })) }, // prettier-ignore
  'mx-tls-failed': { yes: hosts(cutShort('tls-failed')) },
  'mx-certificate-expired': { yes: badMxCertificate('expired') },
  'mx-certificate-not-yet-valid': { yes: badMxCertificate('not-yet-valid') },
  'mx-certificate-host-mismatch': { yes: badMxCertificate('host-mismatch') },
  'mx-certificate-not-trusted': { yes: badMxCertificate('not-trusted') },
  'mx-certificate-ends-soon': { yes: hosts(mxHost('mx1', { certificate: certificate('mx1.good.example', { validTo: days(3) }) })) }, // prettier-ignore
  'mx-enforce-delivers': { yes: good, not: hosts(noStarttls) },
  'mx-enforce-partly': {
    yes: hosts({ ...mxHost('mx1'), mx: { ...mxHost('mx1').mx, addresses: [...mxHost('mx1').mx.addresses, ...noStarttls.mx.addresses] } }), // prettier-ignore
    not: hosts({ ...mxHost('mx1'), mx: { ...mxHost('mx1').mx, addresses: [...mxHost('mx1').mx.addresses, ...mxUnseen('mx1', 'unreachable').mx.addresses] } }), // prettier-ignore
  },
  'mx-enforce-refuses': { yes: line('mx2.good', 'mx3.good') },
  'mx-enforce-unknown': { yes: hosts(mxUnseen('mx1', 'budget')) },
  'enforce-no-mx-left': { yes: hosts(noStarttls), not: hosts(noStarttls, mxHost('mx2')) },

  'tlsrpt-record-found': { yes: good, not: tlsrpt(missing()) },
  'tlsrpt-record-missing': { yes: tlsrpt(missing()) },
  'tlsrpt-record-unreachable': { yes: tlsrpt(unreachable) },
  'tlsrpt-record-several': { yes: tlsrpt(found('v=TLSRPTv1; rua=mailto:a@b.example', 'v=TLSRPTv1; rua=mailto:a@b.example')) }, // prettier-ignore
  'tlsrpt-record-syntax': { yes: tlsrpt(found('v=TLSRPTv1; rua=http://b.example')) },
  'tlsrpt-record-similar': { yes: tlsrpt(found('v=tlsrptv1; rua=mailto:a@b.example')), not: tlsrpt(found('v=spf1')) },
  'tlsrpt-record-odd': { yes: tlsrpt(found('v=TLSRPTv1 ; rua=mailto:a@b.example')) },
  'tlsrpt-record-alias-dangling': { yes: tlsrpt(missing(['_smtp._tls.provider.example'])) },
  'tlsrpt-names-us': { yes: good, not: tlsrpt(found(`v=TLSRPTv1; rua=mailto:a@b.example,${own[0]!}`)) },
  'tlsrpt-names-us-later': { yes: tlsrpt(found(`v=TLSRPTv1; rua=mailto:a@b.example,${own[1]!}/token`)) },
  'tlsrpt-does-not-name-us': { yes: tlsrpt(found('v=TLSRPTv1; rua=mailto:tls@reports2.example')) },
  'tlsrpt-rua-reached': { yes: good, not: goodDomain({ ownRua: [] }) },
  'tlsrpt-rua-not-reached': {
    yes: goodDomain({ ownRua: [{ uri: own[0]!, unseen: unseen('refused') }] }),
    not: goodDomain({ ownRua: [{ uri: own[0]!, unseen: unseen('budget') }] }),
  },
  'tlsrpt-loop': { yes: goodDomain({ loops: ['reports.example'] }) },

  'dane-not-used': { yes: good, not: daneGood },
  'dane-good': { yes: daneGood },
  'dane-mismatch': { yes: dane(tlsa(3, 'other')), not: daneGood },
  'dane-record-stale': { yes: dane(tlsa(3, 'leaf'), tlsa(3, 'other')), not: daneGood },
  'dane-unusable': { yes: dane(tlsa(3, 'leaf'), tlsa(1, 'leaf')), not: dane(tlsa(1, 'leaf')) },
  'dane-none-usable': { yes: dane(tlsa(1, 'leaf')), not: dane(tlsa(3, 'leaf'), tlsa(1, 'leaf')) },
  'dane-not-authenticated': { yes: hosts(withTlsa(mxHost('mx1'), [tlsa(3, 'leaf')], false)), not: daneGood },
  'dane-mx-not-authenticated': { yes: hosts(withTlsa(mxHost('mx1'), [tlsa(3, 'leaf')])), not: daneGood },
  'dane-lookup-failed': { yes: hosts({ ...mxHost('mx1'), tlsa: unreachable }) },
  'dane-ta-certificate': {
    yes: hosts(withTlsa(mxHost('mx1', { certificate: faulty('mx1.good.example', 'host-mismatch') }), [tlsa(2, 'issuer')])), // prettier-ignore
    not: hosts(withTlsa(mxHost('mx1', { certificate: faulty('mx1.good.example', 'host-mismatch') }), [tlsa(3, 'leaf')])), // prettier-ignore
  },
  'dane-not-compared': { yes: hosts(withTlsa(mxUnseen('mx1', 'timeout'), [tlsa(3, 'leaf')])) },
  'dane-partly': { yes: hosts(withTlsa(mxHost('mx1'), [tlsa(3, 'leaf')]), mxHost('mx2')), not: daneGood },
  'dane-beside-sts': { yes: daneGood },
  'dane-without-sts': {
    yes: goodDomain({ stsRecord: missing(), policy: policyUnseen('no-such-name'), hosts: daneGood.hosts }),
    not: daneGood,
  },
}

test('there is a scene for every code, and for nothing else', () => {
  assert.deepEqual(Object.keys(scenes).sort(), Object.keys(codes).sort()) // The types say so too, and are not looked at when tests run.
})

for (const [code, { yes, not = good }] of Object.entries(scenes)) {
  test(`${code} is found where it is so, and not where it is not`, () => {
    assert.ok(codesOf(yes).includes(code as FindingCode), codesOf(yes).join(' '))
    assert.ok(!codesOf(not).includes(code as FindingCode))
  })
}

test('of a good domain everything is ok', () => {
  assert.deepEqual(judgeDomain(good, own, at).filter(({ severity }) => severity !== 'ok'), []) // prettier-ignore
  assert.deepEqual(judgeDomain(daneGood, own, at).filter(({ severity }) => severity !== 'ok'), []) // prettier-ignore
})

test('every code has a sentence that says what it means', () => {
  for (const [code, { meaning }] of Object.entries(codes)) assert.match(meaning, /^[A-Zm].*\.$/, code)
})

test('every finding is about something, in one sentence; what is not ok says what to do, or what was seen', () => {
  for (const { yes } of Object.values(scenes)) {
    for (const found of judgeDomain(yes, own, at)) {
      assert.match(found.sentence, /^\S.*\.$/, found.code)
      assert.ok(found.subject.includes('.example'), found.code)
      assert.equal(found.severity, codes[found.code].severity)
      if (found.severity === 'error') assert.ok(found.fix !== undefined || found.evidence.length > 0, found.code)
      assert.ok(!/undefined|\[object|NaN/.test(JSON.stringify(found)), JSON.stringify(found))
    }
  }
})

test('where no address of this instance is known, it is not asked whether it is in rua', () => {
  const codes = judgeDomain(tlsrpt(found('v=TLSRPTv1; rua=mailto:a@b.example')), [], at).map(({ code }) => code)
  assert.ok(codes.includes('tlsrpt-record-found') && !codes.includes('tlsrpt-does-not-name-us'))
})
