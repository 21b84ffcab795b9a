/** What findings say, where it matters how; and that no stranger can make them throw, or say much. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DomainSeen, HostSeen } from '../../../src/checks/domain-seen.ts'
import type { FindingCode } from '../../../src/checks/findings/codes.ts'
import { finding, worstOf } from '../../../src/checks/findings/finding.ts'
import { judgeDomain } from '../../../src/checks/findings/judge.ts'
import { readMailHosts } from '../../../src/checks/mail-hosts.ts'
import { observe } from '../../../src/checks/observed.ts'
import { readable } from '../../../src/checks/strangers-text.ts'
import { associationData } from '../../../src/checks/tlsa.ts'
import { at, certificate, chain, faulty, found, goodDomain, missing, mxHost, mxRecords, mxUnseen, own, policyLines, policySeen, policyText, policyUnseen, reply, tlsa, withTlsa } from '../seen-domain.ts' // prettier-ignore

function theOne(seen: DomainSeen, code: FindingCode) {
  const all = judgeDomain(seen, own, at).filter((one) => one.code === code)
  assert.equal(all.length, 1, code)
  return all[0]!
}

test('a redirect is named with where it leads', () => {
  const location = 'https://www.good.example/mta-sts.txt'
  const one = theOne(goodDomain({ policy: policySeen({ reply: reply([], { status: 301, location }) }) }), 'policy-redirect') // prettier-ignore
  assert.ok(one.sentence.includes(location))
  assert.ok(one.evidence.includes(`Location: ${location}`))
})

test('an alias of the record is shown with the record', () => {
  const looked = { ...found('v=STSv1; id=1'), aliases: ['a.provider.example', 'b.provider.example'] } as DomainSeen['stsRecord'] // prettier-ignore
  const { evidence } = theOne(goodDomain({ stsRecord: looked }), 'sts-record-found')
  assert.deepEqual(evidence, ['CNAME a.provider.example', 'CNAME b.provider.example', 'TXT v=STSv1; id=1'])
})

test('an MX host that a wildcard misses by a label is told so, with the line to add', () => {
  const policy = policyText(`${policyLines.join('\n').replace('mx1.good.example', '*.example')}\n`)
  const one = theOne(goodDomain({ policy }), 'mx-not-covered')
  assert.equal(one.subject, 'mx1.good.example')
  assert.ok(one.sentence.includes('"*.example" stands for exactly one label'))
  assert.equal(one.value, 'mx: mx1.good.example')
})

test('a policy without a record comes with the record to publish, whose id is that of the policy', () => {
  assert.match(theOne(goodDomain({ stsRecord: missing() }), 'sts-policy-without-record').value!, /^v=STSv1; id=[0-9a-f]{16};$/) // prettier-ignore
})

test('where nothing was announced, what a web server at the name does wrong is nobody’s fault', () => {
  const policy = policySeen({ certificate: faulty('mta-sts.good.example', 'host-mismatch'), reply: reply([], { status: 404 }) }) // prettier-ignore
  const codes = judgeDomain(goodDomain({ stsRecord: missing(), policy }), own, at).map(({ code }) => code)
  assert.deepEqual(codes.filter((code) => code.startsWith('policy') || code.startsWith('sts')), ['sts-not-set-up']) // prettier-ignore
})

test('a policy under a bad certificate is read all the same, and does not count as fetched', () => {
  const certificateSeen = faulty('mta-sts.good.example', 'expired')
  const policy = policySeen({
    certificate: certificateSeen,
    unseen: { reason: 'bad-certificate', text: 'it is expired' },
  })
  const codes = judgeDomain(goodDomain({ policy }), own, at).map(({ code }) => code)
  assert.ok(codes.includes('policy-valid') && codes.includes('mx-covered') && codes.includes('sts-record-without-policy')) // prettier-ignore
  assert.ok(!codes.includes('policy-fetched'))
  assert.equal(observe(goodDomain({ policy })).policy?.fetched, false)
})

test('the greeting, the version of TLS and the certificate are the evidence of an address', () => {
  const { evidence } = judgeDomain(goodDomain(), own, at).find(({ code }) => code === 'mx-tls-good')!
  assert.deepEqual(evidence.slice(0, 4), ['greeting: mx1.good.example ESMTP', 'TLSv1.3', 'names: mx1.good.example', 'issuer: CN=A Public Authority']) // prettier-ignore
})

test('what enforce would do is said in the present of an enforced policy, and else in the conditional', () => {
  const sentence = (seen: DomainSeen) => judgeDomain(seen, own, at).find(({ code }) => code === 'mx-enforce-delivers')!.sentence // prettier-ignore
  assert.match(sentence(goodDomain()), /^As the policy is enforced,/)
  const testing = policyText(policyLines.join('\n').replace('enforce', 'testing'))
  assert.match(sentence(goodDomain({ policy: testing })), /^If the policy were enforced,/)
  const none = goodDomain({ stsRecord: missing(), policy: policyUnseen('no-such-name') })
  assert.match(sentence(none), /^If there were an enforced policy/)
})

test('why a sender would not deliver is told by address', () => {
  const expired = mxHost('mx1', { certificate: faulty('mx1.good.example', 'expired') })
  const addresses = [...mxHost('mx2').mx.addresses, ...mxHost('mx1', { offersStarttls: false }).mx.addresses]
  const partly = { ...mxHost('mx2'), mx: { ...mxHost('mx2').mx, addresses } }
  const hosts = [expired, partly]
  assert.deepEqual(theOne(goodDomain({ hosts }), 'mx-enforce-refuses').evidence, ['192.0.2.1: the certificate: it is expired.']) // prettier-ignore
  assert.deepEqual(theOne(goodDomain({ hosts }), 'mx-enforce-partly').evidence, ['192.0.2.2: TLS as a sender wants it.', '192.0.2.1: It does not offer STARTTLS: mail arrives in the clear.']) // prettier-ignore
})

test('a certificate that no TLSA record matches comes with the one that would', () => {
  const hosts = [withTlsa(mxHost('mx1'), [tlsa(3, 'other')])]
  const { value } = theOne(goodDomain({ hosts }), 'dane-mismatch')
  assert.equal(value, `_25._tcp.mx1.good.example. TLSA 3 1 1 ${associationData(chain[0]!, 1, 1)!.toString('hex')}`)
})

test('TLSA records at the end of an alias are told with both names, and what to publish with the one where it goes', () => {
  const host = { ...withTlsa(mxHost('mx1'), [tlsa(3, 'other')]), alias: 'real.example', tlsaBase: 'real.example' }
  const { subject, value } = theOne(goodDomain({ hosts: [host] }), 'dane-mismatch')
  assert.equal(subject, 'mx1.good.example [_25._tcp.real.example]')
  assert.match(value!, /^_25\._tcp\.real\.example\. TLSA 3 1 1 [0-9a-f]{64}$/)
})

test('a certificate that matches by its authority may name the host, the end of its alias or the domain', () => {
  const codes = (...names: string[]) => {
    const shown = faulty('mx1.good.example', 'host-mismatch')
    const host = withTlsa(mxHost('mx1', { certificate: { ...shown, names } }), [tlsa(2, 'issuer')])
    return judgeDomain(goodDomain({ hosts: [{ ...host, tlsaBase: 'real.example' }] }), own, at).map(({ code }) => code)
  }
  for (const name of ['real.example', '*.example', 'good.example', 'mx1.good.example']) {
    assert.ok(!codes('other.example.net', name).includes('dane-ta-certificate'), name)
  }
  assert.ok(codes('other.example.net').includes('dane-ta-certificate'))
})

test('usage 2 matches the issuer, and every form of usage 3 the leaf', () => {
  for (const selector of [0, 1]) {
    for (const matchingType of [0, 1, 2]) {
      for (const [usage, der] of [
        [2, chain[1]!],
        [3, chain[0]!],
      ] as const) {
        // prettier-ignore
        const record = { usage, selector, matchingType, data: associationData(der, selector, matchingType)! }
        theOne(goodDomain({ hosts: [withTlsa(mxHost('mx1'), [record])] }), 'dane-good')
      }
    }
  }
})

test('what this instance should be in rua with keeps the addresses that are there, behind it', () => {
  const tlsrptRecord = found('v=TLSRPTv1; rua=mailto:a@b.example')
  const { value } = theOne(goodDomain({ tlsrptRecord }), 'tlsrpt-does-not-name-us')
  assert.equal(value, `v=TLSRPTv1; rua=${own.join(',')},mailto:a@b.example`)
})

test('a domain that takes no mail, or does not exist, lacks neither MTA-STS nor TLSRPT', () => {
  const bare = {
    stsRecord: missing(),
    tlsrptRecord: missing(),
    policy: policyUnseen('no-such-name'),
    hosts: [],
    ownRua: [],
  }
  const codes = (mx: Parameters<typeof readMailHosts>[1]) =>
    judgeDomain(goodDomain({ ...bare, mailHosts: readMailHosts('good.example', mx, false, 10) }), own, at).map(({ code }) => code) // prettier-ignore
  assert.deepEqual(codes(mxRecords('.')), ['mx-null'])
  assert.deepEqual(codes({ ...missing(), reason: 'no-such-name' }), ['mx-missing'])
  assert.deepEqual(codes(missing()), ['sts-not-set-up', 'mx-missing', 'tlsrpt-record-missing'])
})

test('the severity of a check is that of its worst finding', () => {
  const [ok, advice, error] = (['sts-record-found', 'mx-null', 'mx-missing'] as const).map((code) => finding(code, 'a.example', 'So.')) // prettier-ignore
  assert.equal(worstOf([]), 'ok')
  assert.equal(worstOf([ok!, advice!]), 'advice')
  assert.equal(worstOf([error!, ok!, advice!]), 'error')
})

test('texts of strangers are shown without what turns text round, cuts lines or hides', () => {
  const one = finding('mx-missing', 'a\u0000b', 'x\u202ey\n', {
    evidence: ['\u001b[31m', '\ud800'],
    value: 'a\r\nb\u0007',
  })
  assert.deepEqual([one.subject, one.sentence, one.evidence, one.value], ['a\ufffdb', 'x\ufffdy', ['\ufffd[31m', '\ufffd'], 'a\nb\ufffd']) // prettier-ignore
})

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('v=STSv1; id=1;', 'v=TLSRPTv1; rua=mailto:a@b.example', 'x'.repeat(9_000))) // prettier-ignore
const looked = <T>(record: fc.Arbitrary<T>) =>
  fc.oneof(
    fc.record({
      kind: fc.constant('found' as const),
      records: fc.array(record, { minLength: 1, maxLength: 4 }),
      authenticated: fc.boolean(),
      aliases: fc.array(text, { maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('missing' as const),
      reason: fc.constantFrom('no-such-name' as const, 'no-data' as const),
      authenticated: fc.boolean(),
      aliases: fc.array(text, { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('unreachable' as const), reason: text }),
  )
const reason = fc.constantFrom('no-address', 'no-such-name', 'dns-unreachable', 'blocked-address', 'refused', 'unreachable', 'timeout', 'reset', 'tls-failed', 'bad-certificate', 'bad-reply', 'too-large', 'budget') // prettier-ignore
/** As the probes promise it (seen.ts). */
const shown = text.map((any) => readable(any, 512))
const anyUnseen = fc.record({ reason, text: shown })
const anyCertificate = fc.constantFrom(
  certificate('mx1.good.example'),
  faulty('mx1.good.example', 'expired'),
  certificate('x', { chain: [Buffer.from('no certificate')], names: [] }),
)
const anyReply = fc.record(
  {
    status: fc.constantFrom(200, 301, 404, 999),
    location: text,
    mediaType: text,
    body: fc.oneof(text, fc.constant(policyLines.join('\n'))).map((body) => Buffer.from(body)),
    truncated: fc.boolean(),
  },
  { requiredKeys: ['status', 'body', 'truncated'] },
)
const anyPolicy = fc.record(
  {
    host: fc.constant('mta-sts.good.example'),
    addresses: fc.constant<string[]>(['192.0.2.1']),
    certificate: anyCertificate,
    reply: anyReply,
    unseen: anyUnseen,
  },
  { requiredKeys: ['host', 'addresses'] },
)
const anyTlsa = fc.record({
  usage: fc.nat(4),
  selector: fc.nat(2),
  matchingType: fc.nat(3),
  data: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
})
const anyAddress = fc.record(
  {
    address: fc.constant('192.0.2.1'),
    greeting: shown,
    offersStarttls: fc.boolean(),
    tlsVersion: fc.constantFrom('TLSv1.3', 'TLSv1', 'unknown'),
    certificate: anyCertificate,
    unseen: anyUnseen,
  },
  { requiredKeys: ['address'] },
)
const anyHost: fc.Arbitrary<HostSeen> = fc.record(
  {
    mx: fc.record(
      {
        host: fc.constantFrom('mx1.good.example', 'mx2.good.example'),
        preference: fc.nat(65_535),
        addresses: fc.array(anyAddress, { maxLength: 3 }),
        unseen: anyUnseen,
      },
      { requiredKeys: ['host', 'preference', 'addresses'] },
    ),
    alias: text,
    tlsaBase: text,
    tlsa: looked(anyTlsa),
  },
  { requiredKeys: ['mx', 'tlsaBase', 'tlsa'] },
)
const anyDomain: fc.Arbitrary<DomainSeen> = fc.record({
  domain: fc.constant('good.example'),
  stsRecord: looked(text),
  tlsrptRecord: looked(text),
  policy: anyPolicy,
  mailHosts: fc
    .tuple(looked(fc.record({ preference: fc.nat(65_535), exchange: text })), fc.boolean())
    .map(([mx, hasAddress]) => readMailHosts('good.example', mx, hasAddress, 10)),
  hosts: fc.array(anyHost, { maxLength: 3 }),
  loops: fc.array(text, { maxLength: 2 }),
  ownRua: fc.array(fc.record({ uri: text, unseen: anyUnseen }, { requiredKeys: ['uri'] }), { maxLength: 2 }),
})

test('whatever is seen, there are findings, without a throw, in bounds, and JSON that Postgres takes', () => {
  fc.assert(
    fc.property(anyDomain, (seen) => {
      const findings = judgeDomain(seen, own, at)
      const stored = { findings, observed: observe(seen) }
      assert.ok(findings.length > 0 && findings.length < 200)
      assert.deepEqual(JSON.parse(JSON.stringify(stored)), stored)
      const json = JSON.stringify(stored)
      assert.ok(json.length < 400_000 && !/\\u0000|\\ud[89a-f]/i.test(json))
    }),
    { numRuns: 500 },
  )
})

test('records of 16 KiB of anything make no more findings than short ones, and take less than 300 ms of CPU', () => {
  for (const piece of ['x;', 'a,', ' ', ';', '<b>;', 'mailto:a@b.example,', `${own[0]!},`]) {
    const long = piece.repeat(16_000 / piece.length)
    const looked = (start: string) =>
      found(`${start}${long}`, ...Array.from({ length: 5 }, () => `"v=STSv1 v=TLSRPT${long}`))
    const seen = goodDomain({ stsRecord: looked('v=STSv1; id=1;'), tlsrptRecord: looked('v=TLSRPTv1; rua=') })
    const begun = process.cpuUsage()
    const findings = judgeDomain(seen, own, at)
    observe(seen)
    assert.ok(process.cpuUsage(begun).user < 300_000, piece)
    assert.ok(findings.length < 40 && JSON.stringify(findings).length < 100_000, piece)
  }
})

test('a policy of 64 KiB of patterns makes no more findings than a short one', () => {
  const many = Array.from({ length: 5_000 }, (_, i) => `mx: h${i}.x.example`)
  const findings = judgeDomain(goodDomain({ policy: policyText([...policyLines, ...many].join('\n')), hosts: [mxUnseen('mx1', 'timeout')] }), own, at) // prettier-ignore
  assert.ok(findings.length < 30 && JSON.stringify(findings).length < 50_000)
})
