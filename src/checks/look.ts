/** Looks at a domain from outside, at everything at once that can be; the only part of a check that waits. */
import type { LookedUp, LookUp } from '../dns/look-up.ts'
import { parseRecord } from '../tlsrpt/record.ts'
import type { DomainSeen, HostSeen } from './domain-seen.ts'
import { readMailHosts, type MailHost, type MailHosts } from './mail-hosts.ts'
import type { SeeMx } from './mx-host.ts'
import type { SeeRua } from './own-listeners.ts'
import type { SeePolicy } from './policy-host.ts'
import { isOnUsualPort, isOwnRua, mailDomainOf } from './rua.ts'
import type { Unseen } from './seen.ts'
import { lookUpTlsa } from './tlsa-seen.ts'

export type LookDeps = {
  lookUp: LookUp
  seePolicy: SeePolicy
  seeMx: SeeMx
  seeRua: SeeRua
  /** `rua` URIs of this instance; may be none. */
  ownAddresses: readonly string[]
  limits: LookLimits
  onProgress: (progress: Progress) => void
  /** Ends the look as the end of its time does. */
  signal?: AbortSignal
}

export type LookLimits = {
  /** For all of a check; what is not seen by then is not seen. */
  checkMs: number
  /** MX hosts of one domain that are looked at. */
  checkMxHosts: number
  /** Addresses in `rua` that are looked at, and mail domains of them. */
  checkRuas: number
}

/** Each step begins once and ends once, also when it was given up. */
export type Progress = { step: Step; subject: string; state: 'begun' | 'ended' }
export type Step = 'sts-record' | 'policy' | 'mx-records' | 'mx-host' | 'tlsrpt-record' | 'rua'

const tooLate: Unseen = { reason: 'budget', text: 'the time for the check was up' }
const notTold = { kind: 'unreachable', reason: 'dns-timeout' } as const

/** Rejects never for what a stranger does. `domain` as readDomainInput answers it. */
export async function lookAtDomain(domain: string, deps: LookDeps): Promise<DomainSeen> {
  using time = startTime(deps.limits.checkMs, deps.onProgress, deps.signal)
  const [stsRecord, policy, tlsrpt, mail] = await Promise.all([
    time.step('sts-record', `_mta-sts.${domain}`, () => deps.lookUp(`_mta-sts.${domain}`, 'TXT'), notTold),
    seePolicyInTime(domain, deps, time),
    lookAtTlsrpt(domain, deps, time),
    lookAtMail(domain, deps, time),
  ])
  return { domain, stsRecord, policy, ...tlsrpt, ...mail }
}

/** As much as it takes to say what should be published: the records, the policy, the MX records. */
export type LiveRecords = Pick<DomainSeen, 'stsRecord' | 'tlsrptRecord' | 'policy' | 'mailHosts'>

export async function lookAtRecords(
  domain: string,
  deps: Pick<LookDeps, 'lookUp' | 'seePolicy' | 'limits'>,
): Promise<LiveRecords> {
  using time = startTime(deps.limits.checkMs, () => undefined)
  const [stsRecord, policy, tlsrptRecord, mailHosts] = await Promise.all([
    time.step('sts-record', domain, () => deps.lookUp(`_mta-sts.${domain}`, 'TXT'), notTold),
    seePolicyInTime(domain, deps, time),
    time.step('tlsrpt-record', domain, () => deps.lookUp(`_smtp._tls.${domain}`, 'TXT'), notTold),
    findMailHosts(domain, deps, time),
  ])
  return { stsRecord, policy, tlsrptRecord, mailHosts }
}

type Time = ReturnType<typeof startTime>

/** A step that is not over when the time is up is left alone, and `late` stands for what it would have said. */
function startTime(milliseconds: number, onProgress: LookDeps['onProgress'], signal?: AbortSignal) {
  const { promise: up, resolve } = Promise.withResolvers<undefined>()
  let isUp = false
  const end = () => {
    isUp = true
    resolve(undefined)
  }
  const timer = setTimeout(end, milliseconds)
  signal?.addEventListener('abort', end)
  return {
    step: async <T>(step: Step, subject: string, run: () => Promise<T>, late: T): Promise<T> => {
      if (isUp) return late
      onProgress({ step, subject, state: 'begun' })
      const told = await Promise.race([run(), up.then(() => late)])
      onProgress({ step, subject, state: 'ended' })
      return told
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
    },
  }
}

function seePolicyInTime(domain: string, { seePolicy }: Pick<LookDeps, 'seePolicy'>, time: Time) {
  const host = `mta-sts.${domain}`
  return time.step('policy', host, () => seePolicy(domain), { host, addresses: [], unseen: tooLate })
}

function findMailHosts(
  domain: string,
  { lookUp, limits }: Pick<LookDeps, 'lookUp' | 'limits'>,
  time: Time,
): Promise<MailHosts> {
  const find = async (): Promise<MailHosts> => {
    const mx = await lookUp(domain, 'MX')
    const addresses = mx.kind === 'missing' && mx.reason === 'no-data' ? await Promise.all([lookUp(domain, 'A'), lookUp(domain, 'AAAA')]) : [] // prettier-ignore
    const hasAddress = addresses.some(({ kind }) => kind === 'found')
    if (!hasAddress && addresses.some(({ kind }) => kind === 'unreachable')) return notTold
    return readMailHosts(domain, mx, hasAddress, limits.checkMxHosts)
  }
  return time.step('mx-records', domain, find, notTold)
}

async function lookAtMail(
  domain: string,
  deps: LookDeps,
  time: Time,
): Promise<Pick<DomainSeen, 'mailHosts' | 'hosts'>> {
  // prettier-ignore
  const mailHosts = await findMailHosts(domain, deps, time)
  const hosts = mailHosts.kind === 'hosts' ? mailHosts.hosts : []
  return { mailHosts, hosts: await Promise.all(hosts.map((mailHost) => lookAtHost(mailHost, deps, time))) }
}

function lookAtHost({ host, preference }: MailHost, deps: LookDeps, time: Time): Promise<HostSeen> {
  const look = async (): Promise<HostSeen> => {
    const [mx, tlsaSeen] = await Promise.all([deps.seeMx(host, preference), lookUpTlsa(host, deps.lookUp)])
    return { mx, ...tlsaSeen }
  }
  const late = { mx: { host, preference, addresses: [], unseen: tooLate }, tlsaBase: host, tlsa: notTold }
  return time.step('mx-host', host, look, late)
}

async function lookAtTlsrpt(
  domain: string,
  deps: LookDeps,
  time: Time,
): Promise<Pick<DomainSeen, 'tlsrptRecord' | 'loops' | 'ownRua'>> {
  const name = `_smtp._tls.${domain}`
  const tlsrptRecord = await time.step<LookedUp<'TXT'>>('tlsrpt-record', name, () => deps.lookUp(name, 'TXT'), notTold)
  const rua = ruaIn(tlsrptRecord)
  const mailDomains = [...new Set(rua.flatMap((uri) => mailDomainOf(uri) ?? []))].slice(0, deps.limits.checkRuas)
  const own = rua
    .filter((uri) => isOwnRua(uri, deps.ownAddresses) && isOnUsualPort(uri))
    .slice(0, deps.limits.checkRuas)
  const [loops, ownRua] = await Promise.all([
    Promise.all(mailDomains.map((mailDomain) => time.step('rua', mailDomain, () => asksForReports(mailDomain, deps), []))), // prettier-ignore
    Promise.all(own.map((uri) => time.step('rua', uri, () => seeOwn(uri, deps), { uri, unseen: tooLate }))),
  ])
  return { tlsrptRecord, loops: loops.flat(), ownRua }
}

function ruaIn(tlsrptRecord: LookedUp<'TXT'>): string[] {
  const parsed = parseRecord(tlsrptRecord.kind === 'found' ? tlsrptRecord.records : [])
  return parsed.kind === 'found' ? parsed.rua : []
}

async function asksForReports(mailDomain: string, { lookUp }: LookDeps): Promise<string[]> {
  return ruaIn(await lookUp(`_smtp._tls.${mailDomain}`, 'TXT')).length > 0 ? [mailDomain] : []
}

async function seeOwn(uri: string, { seeRua }: LookDeps): Promise<DomainSeen['ownRua'][number]> {
  const unseen = await seeRua(uri)
  return { uri, ...(unseen && { unseen }) }
}
