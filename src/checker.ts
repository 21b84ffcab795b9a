/** Wires the checks of a Config: the service stands on it, and the commands that look at a domain. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCheck, type Check } from './checks/check.ts'
import { readDomainInput, type DomainInput } from './checks/domain-input.ts'
import { makeTrust } from './checks/certificate-seen.ts'
import { lookAtRecords, type LookDeps, type Progress } from './checks/look.ts'
import { makeSeeMx } from './checks/mx-host.ts'
import { makeOutgoing, makePatient, type Outgoing } from './checks/outgoing.ts'
import { makeSeeRua, seeSeldom } from './checks/own-listeners.ts'
import { makeSeePolicy } from './checks/policy-host.ts'
import { makeRecords, type Records } from './checks/records.ts'
import { makeResolveAddresses } from './checks/resolve-addresses.ts'
import { runSelfTest, type SelfTest, type SelfTestDeps } from './checks/selftest.ts'
import { mailDomainOf } from './checks/rua.ts'
import { ruaOf, type Config } from './config.ts'
import { makeLookUp, type LookUp } from './dns/look-up.ts'

export type Checker = {
  /** What may be asked about, in any spelling. */
  readDomain: (text: string) => DomainInput
  /** Counts a check that `key` asks for: 0, or the seconds to wait. */
  admit: (key: string) => number
  /** Rejects never; takes `limits.checkMs` at most. */
  check: (domain: string, onProgress: (progress: Progress) => void) => Promise<Check>
  /** Checks that nobody waits for, and that wait where others are to have their turn (see makePatient), until the signal. */
  checkPatiently: (signal: AbortSignal) => (domain: string) => Promise<Check>
  /** What the domain should publish (src/checks/records.ts). */
  records: (domain: string) => Promise<Records>
  /** Reports to this instance, by what the domain has published (src/checks/selftest.ts). */
  selfTest: (domain: string, given: Pick<SelfTestDeps, 'isOurs' | 'store' | 'onLink'>) => Promise<SelfTest>
  lookUp: LookUp
}

export type CheckerWorld = {
  now: () => Date
  /** A clock in milliseconds that nobody sets. */
  nowMs: () => number
  product: { name: string; version: string }
  /** In place of the real DNS. */
  lookUp?: LookUp
}

/** Daily checks of many domains look at our own listeners once in a while. */
const ownListenersMs = 600_000

/** Rejects when CHECK_CA_FILE cannot be read, or holds what is no certificate. */
export async function makeChecker(config: Config, { now, nowMs, product, ...world }: CheckerWorld): Promise<Checker> {
  const { limits, checks } = config
  const trust = makeTrust(checks.caFile === undefined ? '' : await readFile(checks.caFile, 'utf8'))
  const lookUp = world.lookUp ?? makeLookUp(config.dnsServers, limits)
  const ports = { https: checks.httpsPort, smtp: checks.smtpPort }
  const outgoing = makeOutgoing({ allowCidrs: checks.allowCidrs, ports, limits, nowMs })
  const patient = makePatient(outgoing, { limits, nowMs, wait: sleepUntil })
  const ehloName = config.smtp.hostname
  const userAgent = `${product.name}/${product.version} (MTA-STS check by ${ehloName})`
  const ownAddresses = ruaOf(config).filter(isReachable)
  const callingBy = (outgoing: Outgoing) => ({ resolveAddresses: makeResolveAddresses(lookUp), outgoing, trust, limits, now }) // prettier-ignore
  const lookingBy = (outgoing: Outgoing): Omit<LookDeps, 'onProgress'> => {
    const calling = callingBy(outgoing)
    const seeMx = makeSeeMx({ ...calling, ehloName })
    return {
      ...{ lookUp, ownAddresses, limits, seeMx },
      seePolicy: makeSeePolicy({ ...calling, userAgent }),
      seeRua: makeSeeRua({ ...calling, lookUp, seeMx }),
    }
  }
  const deps = lookingBy(outgoing)
  const patientLimits = { ...limits, checkMs: limits.checkMs + limits.checkPatienceMs }
  return {
    readDomain: (text) => readDomainInput(text, checks.allowCidrs.length > 0),
    admit: outgoing.admit,
    check: (domain, onProgress) => runCheck(domain, { ...deps, onProgress, now }),
    checkPatiently: (signal) => {
      const looking = lookingBy(patient(signal))
      const seeRua = seeSeldom(looking.seeRua, ownListenersMs, nowMs)
      return (domain) => runCheck(domain, { ...looking, seeRua, limits: patientLimits, signal, onProgress: () => undefined, now }) // prettier-ignore
    },
    records: async (domain) => makeRecords({ domain, ownAddresses, ...(await lookAtRecords(domain, deps)) }),
    selfTest: (domain, given) => {
      const { dkimSignatures: signatures, dkimLookups: lookups, dkimClockSkewSeconds: clockSkewSeconds, dkimFutureSeconds: futureSeconds } = limits // prettier-ignore
      const newToken = () => randomBytes(12).toString('hex')
      const dkim = { signatures, lookups, clockSkewSeconds, futureSeconds }
      return runSelfTest(domain, { ...callingBy(outgoing), lookUp, ownAddresses, ehloName, userAgent, limits: { ...limits, ...dkim }, newToken, wait: sleep, ...given }) // prettier-ignore
    },
    lookUp,
  }
}

const sleepUntil = (milliseconds: number, signal: AbortSignal) =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined)

/** For whoever asks (PUBLIC_CHECKS): public addresses alone, and nothing about this instance. */
export function forStrangers({ intake, ...config }: Config): Config {
  const { url: _url, ...listener } = intake
  const { smtp, checks } = config
  return { ...config, intake: listener, smtp: { ...smtp, ruaAddresses: [] }, checks: { ...checks, allowCidrs: [] } }
}

/** Without SMTP_HOSTNAME the address may be at the mere name of a machine, which nobody else knows. */
const isReachable = (uri: string): boolean => mailDomainOf(uri)?.includes('.') ?? true
