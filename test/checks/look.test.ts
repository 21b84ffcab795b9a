/** What is asked for, how much of it, and for how long; DNS and probes are values here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { lookAtDomain, lookAtRecords, type LookDeps, type Progress } from '../../src/checks/look.ts'
import type { LookedUp, LookUp } from '../../src/dns/look-up.ts'
import { judgeDomain } from '../../src/checks/findings/judge.ts'
import { at, found, missing, mxHost, mxRecords, own, policySeen, unreachable } from './seen-domain.ts'

type Zone = Record<string, LookedUp>

/** Answers from `zone`, 'TYPE name'; what is not in it is missing. */
function world(zone: Zone, change: Partial<LookDeps> = {}) {
  const asked: string[] = []
  const progress: Progress[] = []
  const lookUp: LookUp = (name, type) => {
    asked.push(`${type} ${name}`)
    return Promise.resolve((zone[`${type} ${name}`] ?? missing()) as LookedUp<typeof type>)
  }
  const deps: LookDeps = {
    lookUp,
    seePolicy: (domain) => Promise.resolve(policySeen({ host: `mta-sts.${domain}` })),
    seeMx: (host, preference) => {
      asked.push(`SMTP ${host}`)
      return Promise.resolve({ ...mxHost('mx1').mx, host, preference })
    },
    seeRua: (uri) => {
      asked.push(`RUA ${uri}`)
      return Promise.resolve(undefined)
    },
    ownAddresses: own,
    limits: { checkMs: 5_000, checkMxHosts: 10, checkRuas: 3 },
    onProgress: (step) => progress.push(step),
    ...change,
  }
  return { asked, progress, deps }
}

const addresses: LookedUp = { kind: 'found', records: ['192.0.2.9'], authenticated: false, aliases: [] }
const alias: LookedUp = { kind: 'found', records: ['other.example'], authenticated: false, aliases: [] }

test('everything is asked for once, and every step ends', async () => {
  const { asked, progress, deps } = world({
    'MX it.example': mxRecords('mx1.it.example', 'mx2.it.example'),
    'CNAME mx2.it.example': alias,
    'TXT _smtp._tls.it.example': found(`v=TLSRPTv1; rua=${own.join(',')},mailto:a@it.example`),
    'TXT _smtp._tls.reports.example': found('v=TLSRPTv1; rua=mailto:x@y.example'),
  })
  const seen = await lookAtDomain('it.example', deps)
  const expected = [
    ...['MX it.example', 'TXT _mta-sts.it.example', 'TXT _smtp._tls.it.example', 'TXT _smtp._tls.reports.example'],
    ...['mx1.it.example', 'mx2.it.example'].flatMap((mx) => [`CNAME ${mx}`, `SMTP ${mx}`, `TLSA _25._tcp.${mx}`]),
    'A mx2.it.example', // An alias: whether it is validated to its end.
    ...own.map((uri) => `RUA ${uri}`),
  ]
  assert.deepEqual([...new Set(asked)].sort(), [...expected].sort())
  assert.deepEqual(seen.hosts.map(({ mx, alias }) => [mx.host, alias]), [['mx1.it.example', undefined], ['mx2.it.example', 'other.example']]) // prettier-ignore
  assert.deepEqual(seen.loops, ['reports.example', 'it.example'])
  assert.deepEqual(seen.ownRua, own.map((uri) => ({ uri }))) // prettier-ignore
  const subjects = (state: string) => progress.filter((step) => step.state === state).map(({ subject }) => subject)
  assert.deepEqual(subjects('begun').sort(), subjects('ended').sort())
  assert.ok(subjects('begun').includes('mx2.it.example') && subjects('begun').includes('mta-sts.it.example'))
})

test('of many MX hosts ten are called, and of many addresses in rua three', async () => {
  const names = Array.from({ length: 500 }, (_, i) => `mx${i}.it.example`)
  const rua = Array.from({ length: 100 }, (_, i) => `mailto:a@d${i}.example,${own[1]!}/${i}`)
  const { asked, deps } = world({
    'MX it.example': mxRecords(...names),
    'TXT _smtp._tls.it.example': found(`v=TLSRPTv1; rua=${rua.join(',')}`),
  })
  const seen = await lookAtDomain('it.example', deps)
  assert.ok(seen.mailHosts.kind === 'hosts' && seen.mailHosts.beyond === 490)
  const count = (what: string) => asked.filter((question) => question.startsWith(what)).length
  assert.deepEqual([count('SMTP'), count('RUA'), count('TXT _smtp._tls.d')], [10, 3, 3])
})

test('an address of this instance on another port than 443 is not called', async () => {
  const ours = 'https://reports.example:8443/v1/tlsrpt'
  const zone = { 'TXT _smtp._tls.it.example': found(`v=TLSRPTv1; rua=${ours}`) }
  const { asked, deps } = world(zone, { ownAddresses: [ours] })
  assert.deepEqual((await lookAtDomain('it.example', deps)).ownRua, [])
  assert.ok(!asked.some((question) => question.startsWith('RUA')))
})

test('without an MX record the domain itself is called, if it has an address', async () => {
  const implicit = world({ 'AAAA it.example': addresses })
  assert.equal((await lookAtDomain('it.example', implicit.deps)).hosts[0]?.mx.host, 'it.example')
  const none = world({})
  assert.deepEqual((await lookAtDomain('it.example', none.deps)).mailHosts, { kind: 'none', nameExists: true })
  const unknown = world({ 'A it.example': unreachable })
  assert.equal((await lookAtDomain('it.example', unknown.deps)).mailHosts.kind, 'unreachable')
  const gone = world({ 'MX it.example': { ...missing(), reason: 'no-such-name' } })
  assert.deepEqual((await lookAtDomain('it.example', gone.deps)).mailHosts, { kind: 'none', nameExists: false })
  assert.ok(!gone.asked.includes('A it.example'))
})

test('when the time is up, what was seen stands, and the rest says so', async () => {
  const never = new Promise<never>(() => undefined)
  const { progress, deps } = world(
    { 'MX it.example': mxRecords('mx1.it.example', 'mx2.it.example') },
    {
      limits: { checkMs: 100, checkMxHosts: 10, checkRuas: 3 },
      seePolicy: () => never,
      seeMx: (host, preference) =>
        host === 'mx1.it.example' ? Promise.resolve({ ...mxHost('mx1').mx, host, preference }) : never,
    },
  )
  const seen = await lookAtDomain('it.example', deps)
  assert.equal(seen.policy.unseen?.reason, 'budget')
  assert.deepEqual(seen.hosts.map(({ mx }) => mx.unseen?.reason), [undefined, 'budget']) // prettier-ignore
  assert.equal(progress.filter(({ state }) => state === 'begun').length, progress.filter(({ state }) => state === 'ended').length) // prettier-ignore
  const codes = judgeDomain(seen, own, at).map(({ code }) => code)
  assert.ok(codes.includes('mx-not-seen') && codes.includes('mx-tls-good'))
})

test('a look that is given up ends at once', async () => {
  const never = new Promise<never>(() => undefined)
  const ending = new AbortController()
  const { deps } = world(
    { 'MX it.example': mxRecords('mx1.it.example') },
    { seePolicy: () => never, seeMx: () => never },
  )
  const looking = lookAtDomain('it.example', { ...deps, limits: { ...deps.limits, checkMs: 600_000 }, signal: ending.signal }) // prettier-ignore
  ending.abort()
  assert.equal((await looking).policy.unseen?.reason, 'budget')
})

test('what has not begun when the time is up does not begin', async () => {
  const { asked, deps } = world({}, { limits: { checkMs: 20, checkMxHosts: 10, checkRuas: 3 } })
  const slow: LookUp = async (name, type) => {
    await wait(60)
    return deps.lookUp(name, type)
  }
  await lookAtDomain('it.example', { ...deps, lookUp: slow })
  await wait(100)
  assert.ok(!asked.some((question) => question.startsWith('SMTP')))
})

test('an error of ours is not swallowed', async () => {
  const { deps } = world({}, { seePolicy: () => Promise.reject(new Error('a defect')) })
  await assert.rejects(lookAtDomain('it.example', deps), /a defect/)
})

test('for the records to publish no MX host is called', async () => {
  const { asked, deps } = world({ 'MX it.example': mxRecords('mx1.it.example') })
  const live = await lookAtRecords('it.example', deps)
  assert.equal(live.mailHosts.kind, 'hosts')
  assert.deepEqual(asked.sort(), ['MX it.example', 'TXT _mta-sts.it.example', 'TXT _smtp._tls.it.example'])
})
