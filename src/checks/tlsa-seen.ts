/** RFC 7672 §2.2.2: where the TLSA records of an MX host stand, which may be an alias, and what they are. */
import type { LookedUp, LookUp } from '../dns/look-up.ts'

export type TlsaSeen = {
  /** What the MX host is an alias for. */
  alias?: string
  /** The TLSA base domain: the MX host, or the end of its alias. */
  tlsaBase: string
  /** Of `_25._tcp.` + tlsaBase. */
  tlsa: LookedUp<'TLSA'>
}

export const tlsaName = (base: string): string => `_25._tcp.${base}`

/**
 * As a sender with DANE asks: where an alias is validated to its end, the end first, and then the host itself, for which
 * the first that has validated records stands. That the DNS cannot tell those of the end ends it: the sender skips the
 * host. What nobody validated is taken where there is nothing else, to be told. Rejects never.
 */
export async function lookUpTlsa(host: string, lookUp: LookUp): Promise<TlsaSeen> {
  const [cname, ofHost] = await Promise.all([lookUp(host, 'CNAME'), lookUp(tlsaName(host), 'TLSA')])
  if (cname.kind !== 'found') return { tlsaBase: host, tlsa: ofHost }
  const alias = cname.records[0]!
  const end = await validatedEnd(host, lookUp)
  const ofEnd = end === undefined ? undefined : await lookUp(tlsaName(end), 'TLSA')
  const counts = ofEnd?.kind === 'unreachable' || (ofEnd?.kind === 'found' && (ofEnd.authenticated || ofHost.kind === 'missing')) // prettier-ignore
  return { alias, ...(counts ? { tlsaBase: end!, tlsa: ofEnd } : { tlsaBase: host, tlsa: ofHost }) }
}

/** Undefined where the chain of aliases is not validated as a whole, or the DNS cannot tell. */
async function validatedEnd(host: string, lookUp: LookUp): Promise<string | undefined> {
  const a = await lookUp(host, 'A')
  const looked = a.kind === 'unreachable' ? await lookUp(host, 'AAAA') : a
  return looked.kind !== 'unreachable' && looked.authenticated ? looked.aliases.at(-1) : undefined
}
