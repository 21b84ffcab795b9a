/** A and AAAA of a name, as the probes ask for them. */
import type { LookUp } from '../dns/look-up.ts'
import type { ResolveAddresses } from './outgoing.ts'

/** One family that cannot be told does not hide the other. */
export function makeResolveAddresses(lookUp: LookUp): ResolveAddresses {
  return async (host) => {
    const [a, aaaa] = await Promise.all([lookUp(host, 'A'), lookUp(host, 'AAAA')])
    const addresses = [a, aaaa].flatMap((looked) => (looked.kind === 'found' ? looked.records : []))
    if (addresses.length > 0) return { kind: 'found', addresses }
    if (a.kind === 'unreachable') return a
    if (aaaa.kind === 'unreachable') return aaaa
    return { kind: 'missing', nameExists: [a, aaaa].some((looked) => looked.kind === 'missing' && looked.reason === 'no-data') } // prettier-ignore
  }
}
