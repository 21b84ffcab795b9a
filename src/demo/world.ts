/** The demo's domains as a check sees them (RFC 8461): a zone in place of the DNS, a policy host and MX on loopback. */
import { createHash, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LookedUp, LookUp, LookUpType, RecordOf } from '../dns/look-up.ts'
import { domains, policyLines } from './history.ts'
import { makeAuthority, startMx, startPolicyHost, type Authority, type Place } from './simulators.ts'

export type DemoWorld = {
  /** Knows this world and nothing beyond it. */
  lookUp: LookUp
  /** Variables that let a service look at this world, and at nothing else. */
  env: Record<string, string>
  /** Puts right what is wrong: mx2.alpha.example shows a new certificate from now on. */
  mend: () => Promise<void>
  close: () => Promise<void>
}

export type DemoWorldOptions = {
  now: Date
  /** The certificate of its authority goes there. */
  folder: string
  /** Of the service on 127.0.0.1: checks know one port for each of the two. */
  ports: { smtp: number; intake: number }
  /** Mail domain of the reports, which is the name of the service as well. */
  receiver: string
  rua: string[]
}

const simulated = 'mx.demo.example'
const broken = 'mx2.alpha.example'
const service = '127.0.0.1'
/** Beside the service, where a system has more than one address for itself; some have to be told first. */
const beside = '127.0.0.2'

export async function startDemoWorld(options: DemoWorldOptions): Promise<DemoWorld> {
  const { now, folder, receiver, rua } = options
  const authority = await makeAuthority(now)
  const caFile = join(folder, 'demo-authority.pem')
  await writeFile(caFile, authority.certificate)
  const { address, mx, policyHost } = await startSimulators(authority, options)
  const zone = makeZone(address, receiver, rua, await keyHash(authority))
  return {
    lookUp: lookUpIn(zone),
    env: {
      CHECK_ALLOW_CIDRS: '127.0.0.0/8',
      CHECK_SMTP_PORT: String(mx.port),
      CHECK_HTTPS_PORT: String(policyHost.port),
      CHECK_CA_FILE: caFile,
    },
    mend: () => mx.become({ others: mailHosts({}) }),
    close: async () => {
      await Promise.all([mx.close(), policyHost.close()])
    },
  }
}

/** All hosts at one address. Without a second one they cannot have the service's ports: then a self-test finds no way. */
async function startSimulators(authority: Authority, { ports }: DemoWorldOptions) {
  const start = async (mail: Place, web: Place) => {
    const mx = await startMx(authority, mail, simulated, { others: mailHosts({ days: [-90, -9] }) })
    try {
      return { address: mail.address, mx, policyHost: await startPolicyHost(authority, web, policySites()) }
    } catch (error) {
      await mx.close()
      throw error
    }
  }
  try {
    return await start({ address: beside, port: ports.smtp }, { address: beside, port: ports.intake })
  } catch (error) {
    if (!['EADDRNOTAVAIL', 'EADDRINUSE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return start({ address: service, port: 0 }, { address: service, port: 0 })
  }
}

const allMx = domains.flatMap(({ mx }) => Object.keys(mx))

const mailHosts = (ofBroken: { days?: [number, number] }) =>
  Object.fromEntries(allMx.map((host) => [host, host === broken ? ofBroken : {}]))

const withPolicy = domains.filter(({ policyType }) => policyType === 'sts')

const policySites = () =>
  new Map(withPolicy.map((domain) => [`mta-sts.${domain.domain}`, { body: `${policyLines(domain, 0).join('\r\n')}\r\n` }])) // prettier-ignore

/** RFC 6698 §2.1.3: SHA-256 of the public key, which all hosts of this world share. */
async function keyHash(authority: Authority): Promise<Buffer> {
  const { publicKey } = new X509Certificate((await authority.issue('mx1.hoster.example', {})).cert)
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
}

type Zone = Record<string, { [T in LookUpType]?: RecordOf[T][] }>

function makeZone(address: string, receiver: string, rua: string[], tlsaData: Buffer): Zone {
  const zone: Zone = { [receiver]: { A: [service], MX: [{ preference: 10, exchange: receiver }] } }
  for (const { domain, mx, policyType } of domains) {
    zone[domain] = { MX: Object.keys(mx).map((exchange, i) => ({ preference: 10 * (i + 1), exchange })) }
    zone[`_smtp._tls.${domain}`] = { TXT: [`v=TLSRPTv1; rua=${rua.join(',')}`] }
    if (policyType === 'sts') {
      zone[`_mta-sts.${domain}`] = { TXT: ['v=STSv1; id=20260801000000;'] }
      zone[`mta-sts.${domain}`] = { A: [address] }
    }
    for (const host of Object.keys(mx)) {
      zone[host] = { A: [address] }
      if (policyType === 'tlsa') zone[`_25._tcp.${host}`] = { TLSA: [{ usage: 3, selector: 1, matchingType: 1, data: tlsaData }] } // prettier-ignore
    }
  }
  return zone
}

/** Where there is DANE the zone is signed. */
const lookUpIn =
  (zone: Zone): LookUp =>
  <T extends LookUpType>(name: string, type: T): Promise<LookedUp<T>> => {
    const entry = zone[name.toLowerCase()]
    const records = entry?.[type]
    const told = { authenticated: /(?:^|\.)(?:hoster|dane)\.example$/.test(name), aliases: [] }
    if (records) return Promise.resolve({ kind: 'found', records, ...told })
    return Promise.resolve({ kind: 'missing', reason: entry ? 'no-data' : 'no-such-name', ...told })
  }
