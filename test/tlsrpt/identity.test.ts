import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { contentHash, repeatedClaim, reportIdentity, standings, type Claim } from '../../src/tlsrpt/identity.ts'
import type { FailureDetail, Policy } from '../../src/tlsrpt/report.ts'

const at = (second: number) => new Date(Date.UTC(2026, 2, 2, 0, 0, second))
const day = { start: at(0), end: at(59) }

test('the same report told again has the same identity, whoever builds it', () => {
  const again = { start: new Date(day.start), end: new Date(day.end) }
  assert.deepEqual(reportIdentity('Example', 'r1', day, 'a.example'), reportIdentity('Example', 'r1', again, 'a.example'))
}) // prettier-ignore

test('another organization, report id, range or domain is another report', () => {
  const identities = [
    reportIdentity('Example', 'r1', day, 'a.example'),
    reportIdentity('Other', 'r1', day, 'a.example'),
    reportIdentity(undefined, 'r1', day, 'a.example'),
    reportIdentity('', 'r1', day, 'a.example'),
    reportIdentity('Example', 'r2', day, 'a.example'),
    reportIdentity('Example', 'r1', { start: day.start, end: at(58) }, 'a.example'),
    reportIdentity('Example', 'r1', { start: at(1), end: day.end }, 'a.example'),
    reportIdentity('Example', 'r1', day, 'b.example'),
    reportIdentity('Example","r1', '', day, 'a.example'), // The parts cannot run into each other.
  ]
  assert.equal(new Set(identities.map((identity) => identity.toString('hex'))).size, identities.length)
})

const detail: FailureDetail = {
  resultType: 'certificate-expired',
  failedSessionCount: 3,
  sendingMtaIp: { ip: '192.0.2.1' },
}
const policy: Policy & { policyDomain: string } = {
  policyType: 'sts',
  policyString: ['version: STSv1', 'mode: enforce'],
  policyDomain: 'a.example',
  mxHost: ['mx1.a.example', 'mx2.a.example'],
  totalSuccessfulSessionCount: 5,
  totalFailureSessionCount: 3,
  failureDetails: [detail, { resultType: 'starttls-not-supported', failedSessionCount: 1 }],
}

test('policies and details in another order are the same content', () => {
  const other = { ...policy, policyType: 'tlsa', failureDetails: [] }
  const reversed = { ...policy, failureDetails: policy.failureDetails.toReversed() }
  assert.deepEqual(contentHash([policy, other]), contentHash([other, reversed]))
})

test('a spelling that was repaired is the same content', () => {
  const respelled = {
    ...policy,
    policyTypeRaw: 'STS',
    failureDetails: [{ ...detail, resultTypeRaw: 'Certificate-Expired', sendingMtaIp: { ip: '192.0.2.1', raw: '192.0.2.001' } }, policy.failureDetails[1]!],
  } // prettier-ignore
  assert.deepEqual(contentHash([policy]), contentHash([respelled]))
})

test('each value that is told makes another content', () => {
  const withDetail = (change: Partial<FailureDetail>) => ({ ...policy, failureDetails: [{ ...detail, ...change }, policy.failureDetails[1]!] }) // prettier-ignore
  const contents = [
    [policy],
    [policy, policy],
    [],
    [{ ...policy, policyType: 'tlsa' }],
    [{ ...policy, policyDomain: 'b.example' }],
    [{ ...policy, policyString: ['mode: enforce', 'version: STSv1'] }],
    [{ ...policy, mxHost: ['mx1.a.example'] }],
    [{ ...policy, totalSuccessfulSessionCount: 6 }],
    [{ ...policy, totalFailureSessionCount: 4 }],
    [{ ...policy, failureDetails: [detail] }],
    [withDetail({ resultType: 'certificate-not-trusted' })],
    [withDetail({ failedSessionCount: 4 })],
    [withDetail({ sendingMtaIp: { ip: '192.0.2.2' } })],
    [withDetail({ sendingMtaIp: { raw: 'unknown' } })],
    [withDetail({ receivingMxHostname: 'mx1.a.example' })],
    [withDetail({ receivingMxHelo: 'mx1.a.example' })],
    [withDetail({ receivingIp: { ip: '192.0.2.1' } })],
    [withDetail({ additionalInformation: 'https://a.example/' })],
    [withDetail({ failureReasonCode: 'https://a.example/' })],
  ]
  assert.equal(new Set(contents.map((content) => contentHash(content).toString('hex'))).size, contents.length)
})

/** The content hash is stored: this is what it has to stay, however it is come by. */
const plainContentHash = (policies: (Policy & { policyDomain: string })[]): Buffer => {
  const texts = policies.map((p) =>
    JSON.stringify([
      ...[p.policyType, p.policyDomain, p.policyString, p.mxHost],
      ...[p.totalSuccessfulSessionCount, p.totalFailureSessionCount],
      p.failureDetails
        .map((d) =>
          JSON.stringify([
            ...[d.resultType, d.failedSessionCount, d.sendingMtaIp?.ip ?? d.sendingMtaIp?.raw ?? null],
            ...[d.receivingMxHostname ?? null, d.receivingMxHelo ?? null, d.receivingIp?.ip ?? d.receivingIp?.raw ?? null],
            ...[d.additionalInformation ?? null, d.failureReasonCode ?? null],
          ]),
        )
        .sort(),
    ]),
  )
  return hash('sha256', JSON.stringify(texts.sort()), 'buffer')
} // prettier-ignore

test('content is hashed as the JSON of its policies, sorted, each as the JSON of its values', () => {
  const anyText = fc.oneof(fc.constantFrom('', '"', '\\', '!', 'A', '\u{1f600}'), fc.string({ unit: 'binary' }))
  const anyDetail: fc.Arbitrary<FailureDetail> = fc.record(
    { resultType: anyText, failedSessionCount: fc.nat(3), receivingMxHostname: anyText, sendingMtaIp: fc.record({ raw: anyText }) },
    { requiredKeys: ['resultType', 'failedSessionCount'] },
  ) // prettier-ignore
  const anyPolicy = fc
    .record({ mxHost: fc.array(anyText, { maxLength: 1 }), failureDetails: fc.array(anyDetail, { maxLength: 3 }) })
    .map((drawn): typeof policy => ({ ...policy, ...drawn }))
  const same = fc.constant<typeof policy>({ ...policy, failureDetails: [detail, detail] })
  fc.assert(
    fc.property(fc.array(fc.oneof(anyPolicy, same), { maxLength: 4 }), (policies) => {
      assert.deepEqual(contentHash(policies), plainContentHash(policies))
    }),
  )
  const many = Array.from({ length: 3_000 }, (_, i) => ({ ...detail, failedSessionCount: i % 1_000 }))
  const large: (typeof policy)[] = [
    { ...policy, failureDetails: many },
    policy,
    { ...policy, failureDetails: many.slice(1) },
  ]
  assert.deepEqual(contentHash(large), plainContentHash(large))
})

const unverified = (second: number, more: Partial<Claim> = {}): Claim => ({ trust: 'unverified', arrivedAt: at(second), implausible: false, ...more }) // prettier-ignore
const verified = (reporter: string, second: number, more: Partial<Claim> = {}): Claim => ({ trust: 'verified', reporter, arrivedAt: at(second), implausible: false, ...more }) // prettier-ignore

const cases: { name: string; claims: Claim[]; standing: string[] }[] = [
  { name: 'a single claim counts, verified or not', claims: [unverified(1)], standing: ['counted'] },
  { name: 'of two verified by one reporter the earlier counts', claims: [verified('r', 2), verified('r', 1)], standing: ['conflict', 'counted'] },
  { name: 'two reporters are two reports', claims: [verified('r', 1), verified('s', 2)], standing: ['counted', 'counted'] },
  { name: 'a verified claim takes the place of an unverified one', claims: [unverified(1), verified('r', 2)], standing: ['superseded', 'counted'] },
  { name: 'an unverified claim cannot suppress a verified one', claims: [verified('r', 1), unverified(2)], standing: ['counted', 'conflict'] },
  { name: 'unverified claims that disagree do not count', claims: [unverified(1), unverified(2), unverified(3)], standing: ['contested', 'contested', 'contested'] },
  { name: 'a count too large to believe does not count', claims: [verified('r', 1, { implausible: true })], standing: ['implausible'] },
  { name: 'and leaves nothing to an unverified claim', claims: [verified('r', 1, { implausible: true }), unverified(2)], standing: ['implausible', 'conflict'] },
  { name: 'the operator includes', claims: [verified('r', 1, { implausible: true, decision: 'include' }), verified('r', 2, { decision: 'include' })], standing: ['counted', 'counted'] },
  { name: 'the operator excludes', claims: [verified('r', 1, { decision: 'exclude' })], standing: ['excluded'] },
  { name: 'a blocked reporter never counts, whatever was decided', claims: [verified('x', 1), verified('x', 2, { decision: 'include' })], standing: ['blocked', 'blocked'] },
  { name: 'a blocked reporter is nothing to the others', claims: [verified('x', 1), unverified(2)], standing: ['blocked', 'counted'] },
  { name: 'an exclusion settles what is contested', claims: [unverified(1), unverified(2, { decision: 'exclude' })], standing: ['counted', 'excluded'] },
] // prettier-ignore
for (const { name, claims, standing } of cases) {
  test(`standing: ${name}`, () => {
    assert.deepEqual(standings(claims, new Set(['x'])), standing)
  })
}

const blocked = new Set(['s'])

const anyClaim = fc.record({ by: fc.constantFrom(undefined, 'r', 's'), implausible: fc.boolean() })

test('the standing of a claim does not depend on the order in which claims were recorded', () => {
  fc.assert(
    fc.property(fc.array(anyClaim, { maxLength: 6 }), fc.func(fc.integer()), (drawn, rank) => {
      const claims = drawn.map(({ by, implausible }, second) => by === undefined ? unverified(second, { implausible }) : verified(by, second, { implausible })) // prettier-ignore
      const shuffled = claims.map((claim, i) => ({ claim, i })).sort((a, b) => rank(a.i) - rank(b.i))
      const expected = standings(claims, blocked)
      assert.deepEqual(standings(shuffled.map(({ claim }) => claim), blocked), shuffled.map(({ i }) => expected[i])) // prettier-ignore
    }),
  )
})

test('at most one claim of each reporter counts, none of a blocked one, and unverified ones only where no other verified one is', () => {
  fc.assert(
    fc.property(fc.array(anyClaim, { maxLength: 6 }), (drawn) => {
      const standing = standings(drawn.map(({ by, implausible }, second) => by === undefined ? unverified(second, { implausible }) : verified(by, second, { implausible })), blocked) // prettier-ignore
      const counted = drawn.flatMap(({ by }, i) => (standing[i] === 'counted' ? [by] : []))
      assert.equal(new Set(counted).size, counted.length)
      assert.ok(!counted.includes('s'), 'who is blocked')
      if (counted.includes(undefined)) assert.ok(drawn.every(({ by }) => by === undefined || by === 's'))
    }),
  )
})

const a = contentHash([policy])
const b = contentHash([])

test('the same content by the same reporter is a repeat, and other content is not', () => {
  const claims = [{ ...verified('r', 1), contentHash: a }]
  assert.equal(repeatedClaim(claims, { trust: 'verified', reporter: 'r', contentHash: a }), 0)
  assert.equal(repeatedClaim(claims, { trust: 'verified', reporter: 'r', contentHash: b }), undefined)
  assert.equal(repeatedClaim(claims, { trust: 'verified', reporter: 's', contentHash: a }), undefined)
  assert.equal(repeatedClaim([], { trust: 'unverified', contentHash: a }), undefined)
})

test('an unverified copy repeats a verified claim before an unverified one', () => {
  const claims = [{ ...unverified(1), contentHash: b }, { ...unverified(2), contentHash: a }, { ...verified('r', 3), contentHash: a }] // prettier-ignore
  assert.equal(repeatedClaim(claims, { trust: 'unverified', contentHash: a }), 2)
  assert.equal(repeatedClaim(claims, { trust: 'unverified', contentHash: b }), 0)
})

test('a verified copy repeats its own claim before an unverified one, which it would confirm', () => {
  const claims = [{ ...unverified(1), contentHash: a }, { ...verified('r', 2), contentHash: a }] // prettier-ignore
  assert.equal(repeatedClaim(claims, { trust: 'verified', reporter: 'r', contentHash: a }), 1)
  assert.equal(repeatedClaim(claims, { trust: 'verified', reporter: 's', contentHash: a }), 0)
})
