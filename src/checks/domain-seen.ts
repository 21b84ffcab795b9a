/** All that was seen of one domain: what the findings are made of. */
import type { LookedUp } from '../dns/look-up.ts'
import { parsePolicy, type ReadPolicy } from '../mtasts/policy.ts'
import type { MailHosts } from './mail-hosts.ts'
import type { MxSeen, PolicySeen, Unseen } from './seen.ts'
import type { TlsaSeen } from './tlsa-seen.ts'

export type DomainSeen = {
  domain: string
  /** TXT of `_mta-sts.` and `_smtp._tls.` + domain. */
  stsRecord: LookedUp<'TXT'>
  tlsrptRecord: LookedUp<'TXT'>
  policy: PolicySeen
  mailHosts: MailHosts
  /** In the order of `mailHosts`. */
  hosts: HostSeen[]
  /** Mail domains in `rua` that have a TLSRPT record themselves. */
  loops: string[]
  /** URIs of this instance that are in `rua`, and why nothing answered there; no `unseen` where something did. */
  ownRua: { uri: string; unseen?: Unseen }[]
}

export type HostSeen = TlsaSeen & { mx: MxSeen }

/** The policy text behind what came of the fetch. */
export type PolicyText = {
  text: string
  read: ReadPolicy
  /** Whether a sender would read it: from an authenticated host, with status 200, whole. */
  fetched: boolean
}

/** Undefined where nothing came with status 200. Under a bad certificate it is read to tell more, and not `fetched`. */
export function policyTextOf({ reply, unseen }: PolicySeen): PolicyText | undefined {
  if (reply?.status !== 200) return undefined
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(reply.body)
  return { text, read: parsePolicy(text), fetched: unseen === undefined && !reply.truncated }
}

/** Looking again later may show more: it was us, or the DNS, and not the host. */
export const isPassing = ({ reason }: Unseen): boolean =>
  reason === 'budget' || reason === 'dns-unreachable' || reason === 'unreachable'
