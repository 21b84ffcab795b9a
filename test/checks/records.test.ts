import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRecords, type RecordsInput } from '../../src/checks/records.ts'
import { matchesMx } from '../../src/mtasts/match.ts'
import { parseStsRecord } from '../../src/mtasts/record.ts'
import { parseRecord } from '../../src/tlsrpt/record.ts'
import { at, found, goodDomain, mailHosts, missing, mxRecords, own, policyLines, policyText, policyUnseen, unreachable } from './seen-domain.ts' // prettier-ignore

const nothing = { stsRecord: missing(), tlsrptRecord: missing(), policy: policyUnseen('no-such-name') }
const recordsOf = (change: Partial<RecordsInput> = {}) => makeRecords({ ...goodDomain(), ownAddresses: own, ...change })
const hostsOf = (...names: string[]) => mailHosts(mxRecords(...names))
const mxOf = (...names: string[]) => recordsOf({ ...nothing, mailHosts: hostsOf(...names) }).policy?.policy.mx

test('for a domain with nothing there is a policy in testing for its MX, and both records, readable by our own eyes', () => {
  const { records, policy, hosting, mailService } = recordsOf(nothing)
  assert.equal(mailService, 'other')
  assert.equal(policy?.text, 'version: STSv1\r\nmode: testing\r\nmx: mx1.good.example\r\nmx: mx2.good.example\r\nmax_age: 604800\r\n') // prettier-ignore
  assert.equal(policy.live, 'none')
  assert.equal(policy.url, 'https://mta-sts.good.example/.well-known/mta-sts.txt')
  assert.deepEqual(records.map(({ name, matches, live }) => [name, matches, live]), [['_mta-sts.good.example', false, []], ['_smtp._tls.good.example', false, []]]) // prettier-ignore
  assert.equal(parseStsRecord([records[0]!.value]).kind, 'found')
  assert.deepEqual(parseRecord([records[1]!.value]), { kind: 'found', rua: own, warnings: [] })
  assert.deepEqual(hosting.map(({ name }) => name), ['nginx', 'caddy', 'cloudflare-worker', 'github-pages']) // prettier-ignore
})

test('what is published and good is left as it is, and matches', () => {
  const { records, policy } = recordsOf()
  assert.equal(policy?.live, 'same')
  assert.deepEqual(records.map(({ matches, value, live }) => [matches, [value]].concat([live ?? []])), [[true, ['v=STSv1; id=20250601T000000;'], ['v=STSv1; id=20250601T000000;']], [true, [`v=TLSRPTv1; rua=${own.join(',')}`], [`v=TLSRPTv1; rua=${own.join(',')}`]]]) // prettier-ignore
  const wildcard = policyText(policyLines.join('\n').replace('mx1.good.example', '*.good.example').replace('mx: mx2.good.example\n', '')) // prettier-ignore
  assert.deepEqual(recordsOf({ policy: wildcard }).policy?.live, 'same')
})

test('a policy that misses a host gets it, keeps its mode, and a new id', () => {
  const { records, policy } = recordsOf({ mailHosts: hostsOf('mx1.good.example', 'mx3.good.example') })
  assert.deepEqual(policy?.policy, { mode: 'enforce', maxAge: 2_592_000, mx: ['mx1.good.example', 'mx2.good.example', 'mx3.good.example'] }) // prettier-ignore
  assert.equal(policy.live, 'other')
  assert.ok(!records[0]!.matches && !records[0]!.value.includes('20250601T000000'))
})

test('a max_age of hours becomes a week, and an invalid policy a new one in testing', () => {
  assert.equal(recordsOf({ policy: policyText(policyLines.join('\n').replace('2592000', '3600')) }).policy?.policy.maxAge, 604_800) // prettier-ignore
  const invalid = recordsOf({ policy: policyText('<html>') }).policy
  assert.deepEqual([invalid?.policy.mode, invalid?.live], ['testing', 'other'])
})

test('the id is made of the policy, or of the time that is given', () => {
  const value = (given?: Date) => recordsOf({ ...nothing, ...(given && { at: given }) }).records[0]!.value
  assert.equal(value(at), 'v=STSv1; id=20250601120000Z;')
  assert.equal(value(), value())
  assert.notEqual(value(), recordsOf({ ...nothing, mailHosts: hostsOf('other.example.com') }).records[0]!.value)
})

test('the hosts of Google Workspace and Microsoft 365 get their patterns, which cover them', () => {
  const google = ['aspmx.l.google.com', 'alt1.aspmx.l.google.com', 'alt4.aspmx.l.google.com']
  assert.deepEqual(mxOf(...google), ['aspmx.l.google.com', '*.aspmx.l.google.com'])
  assert.ok(google.every((host) => mxOf(...google)!.some((pattern) => matchesMx(pattern, host))))
  assert.deepEqual(mxOf('smtp.google.com'), ['smtp.google.com'])
  assert.deepEqual(mxOf('it-example.mail.protection.outlook.com'), ['*.mail.protection.outlook.com'])
  assert.deepEqual(mxOf('aspmx.l.google.com', 'aspmx2.googlemail.com'), ['aspmx.l.google.com', '*.aspmx.l.google.com', 'aspmx2.googlemail.com']) // prettier-ignore
  assert.deepEqual(mxOf('it-example.o-v1.mx.microsoft'), ['it-example.o-v1.mx.microsoft'])
  const service = (name: string) => recordsOf({ mailHosts: hostsOf(name) }).mailService
  for (const host of [...google, 'smtp.google.com', 'aspmx2.googlemail.com']) assert.equal(service(host), 'google-workspace') // prettier-ignore
  for (const host of ['it-example.o-v1.mx.microsoft', 'it.mail.protection.outlook.com', 'it.mail.protection.office365.us']) assert.equal(service(host), 'microsoft-365') // prettier-ignore
  for (const host of ['l.google.com', 'xaspmx.l.google.com', 'mail.protection.outlook.com']) assert.equal(service(host), 'other') // prettier-ignore
})

test('other addresses in rua stay, behind ours', () => {
  const { records } = recordsOf({ tlsrptRecord: found(`v=TLSRPTv1; rua=mailto:a@b.example,${own[1]!}`) })
  assert.deepEqual([records[1]!.matches, records[1]!.value], [false, `v=TLSRPTv1; rua=${own.join(',')},mailto:a@b.example`]) // prettier-ignore
  const token = recordsOf({ tlsrptRecord: found(`v=TLSRPTv1; rua=${own.join(',')}/token`) })
  assert.equal(token.records[1]!.matches, true)
})

test('where the DNS cannot tell, it is not said that there is nothing', () => {
  const { records, policy } = recordsOf({ stsRecord: unreachable, tlsrptRecord: unreachable, policy: policyUnseen('budget') }) // prettier-ignore
  assert.deepEqual(records.map(({ live, matches }) => [live, matches]), [[undefined, false], [undefined, false]]) // prettier-ignore
  assert.equal(policy?.live, 'unknown')
})

test('without MX hosts there is no policy, and a sentence why', () => {
  for (const hosts of [mailHosts(mxRecords('.')), mailHosts(missing()), mailHosts(unreachable)]) {
    const { policy, records, hosting, advice } = recordsOf({ mailHosts: hosts })
    assert.deepEqual([policy, records.length, hosting], [undefined, 1, []])
    assert.match(advice[0]!, /policy|protect/)
  }
})

test('the advice says to keep MTA-STS beside DANE', () => {
  assert.ok(recordsOf().advice.some((sentence) => sentence.includes('keep MTA-STS beside it')))
})
