/** RFC 7672 §2.2.2: at which name the TLSA records of an MX host count. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookUpTlsa } from '../../src/checks/tlsa-seen.ts'
import { makeLookUp, type LookedUp, type LookUp, type LookUpType, type RecordOf } from '../../src/dns/look-up.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { missing, tlsa, unreachable } from './seen-domain.ts'

const host = 'mx1.it.example'
const end = 'real.provider.example'
const told = (record: RecordOf[LookUpType], authenticated = true, aliases: string[] = []): LookedUp => ({ kind: 'found', records: [record], authenticated, aliases }) // prettier-ignore
const records = (authenticated = true) => told(tlsa(3, 'leaf'), authenticated)
const cname = { [`CNAME ${host}`]: told('middle.example') }
const address = (authenticated = true) => told('192.0.2.1', authenticated, ['middle.example', end])
const secure = { ...cname, [`A ${host}`]: address() }
const atHost = `TLSA _25._tcp.${host}`
const atEnd = `TLSA _25._tcp.${end}`

type Case = [name: string, zone: Record<string, LookedUp>, base: string, kind: LookedUp['kind']]

const cases: Case[] = [
  ['a host that is no alias is asked itself', { [atHost]: records() }, host, 'found'],
  ['the end of a validated alias comes first', { ...secure, [atHost]: records(), [atEnd]: records() }, end, 'found'],
  ['the host itself stands where the end has none', { ...secure, [atHost]: records() }, host, 'found'],
  ['without records at either name there are none', secure, host, 'missing'],
  ['an alias that is not validated to its end is not followed', { ...cname, [`A ${host}`]: address(false), [atHost]: records(), [atEnd]: records() }, host, 'found'],
  ['an alias without addresses is followed by its denial', { ...cname, [`A ${host}`]: { ...missing([end]), authenticated: true }, [atEnd]: records() }, end, 'found'],
  ['AAAA tells the end where A does not', { ...cname, [`A ${host}`]: unreachable, [`AAAA ${host}`]: address(), [atEnd]: records() }, end, 'found'],
  ['where the DNS cannot tell the end, the host itself is asked', { ...cname, [`A ${host}`]: unreachable, [`AAAA ${host}`]: unreachable, [atHost]: records() }, host, 'found'],
  ['that the records of the end cannot be told is the end of it', { ...secure, [atEnd]: unreachable, [atHost]: records() }, end, 'unreachable'],
  ['records of the end that nobody validated give way to those of the host', { ...secure, [atEnd]: records(false), [atHost]: records() }, host, 'found'],
  ['and are told where there are no others', { ...secure, [atEnd]: records(false) }, end, 'found'],
] // prettier-ignore

for (const [name, zone, base, kind] of cases) {
  test(name, async () => {
    const lookUp = ((asked, type) => Promise.resolve(zone[`${type} ${asked}`] ?? missing())) as LookUp
    const seen = await lookUpTlsa(host, lookUp)
    assert.deepEqual([seen.tlsaBase, seen.tlsa.kind, seen.alias], [base, kind, zone === cases[0]![1] ? undefined : 'middle.example']) // prettier-ignore
  })
}

test('so it is with a real server, over an alias of two steps', async (t) => {
  const data = { ...tlsa(3, 'leaf'), certificate: tlsa(3, 'leaf').data }
  const dns = await startDnsServer({
    [host]: { cname: 'middle.example' },
    'middle.example': { cname: end },
    [end]: { records: { A: ['192.0.2.1'] }, ad: true },
    [`_25._tcp.${end}`]: { records: { TLSA: [data] }, ad: true },
  })
  t.after(dns.close)
  const seen = await lookUpTlsa(host, makeLookUp([dns.address], { dnsTimeoutMs: 30_000, dnsQuestions: 10 }))
  assert.deepEqual([seen.alias, seen.tlsaBase, seen.tlsa.kind], ['middle.example', end, 'found'])
})
