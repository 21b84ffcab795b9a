/** Whose a policy domain is. The list itself lives in store/domains.ts and in POLICY_DOMAINS; here it is only asked. */
import { getDomain } from 'tldts'

/** One domain of ours. Names are lower-case A-labels without trailing dot. */
export type OwnDomain = {
  domain: string
  includeSubdomains: boolean
  /** Hosts that serve it and are not under it: DANE policies name the MX host. */
  mx: readonly string[]
}

export type Ownership = {
  /** The domain of ours that `policyDomain` belongs to: itself, or the most specific parent that covers subdomains. */
  ownerOf: (policyDomain: string) => string | undefined
  /** The domains of ours that the host is listed for, sorted. */
  ownersOfMx: (host: string) => readonly string[]
}

/** `any` is POLICY_DOMAINS=*: what nobody listed belongs to its organisational domain. */
export function makeOwnership(ownDomains: readonly OwnDomain[], any: boolean): Ownership {
  const byName = new Map(ownDomains.map((own) => [own.domain, own]))
  const byMx = Map.groupBy(
    ownDomains.flatMap((own) => own.mx.map((host) => ({ host, domain: own.domain }))),
    ({ host }) => host,
  )
  return {
    ownerOf: (policyDomain) =>
      listedOwner(byName, policyDomain) ?? (any ? organizationalDomain(policyDomain) : undefined),
    ownersOfMx: (host) => (byMx.get(host) ?? []).map(({ domain }) => domain).sort(),
  }
}

function listedOwner(byName: ReadonlyMap<string, OwnDomain>, policyDomain: string): string | undefined {
  if (byName.has(policyDomain)) return policyDomain
  for (let dot = policyDomain.indexOf('.'); dot !== -1; dot = policyDomain.indexOf('.', dot + 1)) {
    const parent = policyDomain.slice(dot + 1)
    if (byName.get(parent)?.includeSubdomains) return parent
  }
  return undefined
}

/** The name directly below a public suffix, private suffixes included (github.io); undefined for a suffix itself. */
export function organizationalDomain(domain: string): string | undefined {
  return getDomain(domain, { allowPrivateDomains: true }) ?? undefined
}

/** A domain of POLICY_DOMAINS: with its subdomains; a variable cannot name hosts. */
export const covering = (domain: string): OwnDomain => ({ domain, includeSubdomains: true, mx: [] })
