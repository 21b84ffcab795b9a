/** RFC 8461 §3, RFC 8460 §3: what a domain should publish, from its live MX hosts, and whether it does. */
import { patternsFor } from '../mtasts/match.ts'
import { formatPolicy, policyId, type StsPolicy } from '../mtasts/policy.ts'
import { formatStsRecord, parseStsRecord } from '../mtasts/record.ts'
import { samePolicy } from '../mtasts/compare.ts'
import { formatRecord, parseRecord } from '../tlsrpt/record.ts'
import type { LookedUp } from '../dns/look-up.ts'
import { policyTextOf, type DomainSeen } from './domain-seen.ts'
import { hostingTexts, type HostingText } from './hosting.ts'
import type { MailHost, MailHosts } from './mail-hosts.ts'
import { isOwnRua, placeOfOwn } from './rua.ts'
import { readable } from './strangers-text.ts'

export type Records = {
  domain: string
  mailService: MailService
  /** TXT records: `_mta-sts` (absent where there is no policy to announce) and `_smtp._tls`. */
  records: TxtToPublish[]
  /** Absent where no MX host could be told. */
  policy?: { url: string; text: string; policy: StsPolicy; live: 'same' | 'other' | 'none' | 'unknown' }
  hosting: HostingText[]
  advice: string[]
}

/** `live`: what stands at the name now; absent where the DNS cannot tell. `matches`: it will do as it is. */
export type TxtToPublish = { name: string; type: 'TXT'; value: string; live?: string[]; matches: boolean }

export type MailService = 'google-workspace' | 'microsoft-365' | 'other'

export type RecordsInput = Pick<DomainSeen, 'domain' | 'mailHosts' | 'stsRecord' | 'tlsrptRecord' | 'policy'> & {
  /** `rua` URIs of this instance, the most useful first: mail, which is signed, before https. Not none. */
  ownAddresses: readonly string[]
  /** The id of a new record is made of it; without, of the policy. */
  at?: Date
}

/**
 * A valid live policy that lists every MX host is kept as it is, and so is its id; without one, mode testing comes first.
 * Other addresses in a live `rua` are kept, behind ours.
 */
export function makeRecords(input: RecordsInput): Records {
  const { domain, mailHosts, stsRecord, policy: seen, at } = input
  const policy = policyFor(mailHosts, livePolicy(seen))
  const live = liveStanding(seen, policy)
  const text = policy && formatPolicy(policy)
  return {
    domain,
    mailService: serviceOf(mailHosts),
    records: [...(policy ? [stsTxt(domain, stsRecord, policy, live === 'same', at)] : []), tlsrptTxt(input)],
    ...(policy && text !== undefined && { policy: { url: `https://mta-sts.${domain}/.well-known/mta-sts.txt`, text, policy, live } }), // prettier-ignore
    hosting: text === undefined ? [] : hostingTexts(domain, text),
    advice: adviceFor(mailHosts, policy),
  }
}

function livePolicy(seen: DomainSeen['policy']): StsPolicy | undefined {
  const policyText = policyTextOf(seen)
  return policyText?.fetched && policyText.read.kind === 'valid' ? policyText.read.policy : undefined
}

function liveStanding(
  seen: DomainSeen['policy'],
  policy: StsPolicy | undefined,
): 'same' | 'other' | 'none' | 'unknown' {
  // prettier-ignore
  const live = livePolicy(seen)
  if (live && policy && samePolicy(live, policy)) return 'same'
  if (policyTextOf(seen)) return 'other'
  const reason = seen.unseen?.reason
  return reason === 'dns-unreachable' || reason === 'budget' || reason === 'unreachable' ? 'unknown' : 'none'
}

const week = 604_800

function policyFor(mailHosts: MailHosts, live: StsPolicy | undefined): StsPolicy | undefined {
  if (mailHosts.kind !== 'hosts' || mailHosts.hosts.length === 0) return undefined
  const { hosts } = mailHosts
  if (!live || live.mode === 'none') return { mode: 'testing', maxAge: week, mx: patternsForHosts(hosts) }
  const isWhole = hosts.every(({ host }) => patternsFor(live.mx, host).length > 0)
  const missing = patternsForHosts(hosts).filter((pattern) => !live.mx.includes(pattern))
  const mx = isWhole ? live.mx : [...live.mx, ...missing]
  return { mode: live.mode, maxAge: Math.max(live.maxAge, week), mx }
}

/** https://support.google.com/a/answer/174125: new domains have the one host, older ones the five of aspmx. */
const googleAspmx = /^(?:[a-z0-9-]+\.)?aspmx\.l\.google\.com$/
const googleOthers = /^(?:smtp\.google\.com|aspmx\d\.googlemail\.com)$/
/** https://learn.microsoft.com/en-us/microsoft-365/enterprise/external-domain-name-system-records, with the national clouds. */
const microsoftWildcard = /^[a-z0-9-]+\.mail\.protection\.outlook\.com$/
const microsoftOthers = /\.mail\.protection\.(?:office365\.us|partner\.outlook\.cn)$/
/** https://learn.microsoft.com/en-us/purview/how-smtp-dane-works: as contoso-com.o-v1.mx.microsoft. */
const microsoftWithDane = /\.mx\.microsoft$/

/**
 * Hosts are listed as they stand, which says the most, but for two. Microsoft tells its customers the wildcard
 * (https://learn.microsoft.com/en-us/purview/enhancing-mail-flow-with-mta-sts; it would not cover a host below
 * mx.microsoft, which is a label longer). Google asks to list the servers of the MX records
 * (https://support.google.com/a/answer/9276511): five that Google may add to, in the form of its own policy, that of
 * gmail.com, which lists a host and what stands below it.
 */
function patternsForHosts(hosts: MailHost[]): string[] {
  const patterns = hosts.flatMap(({ host }) => {
    if (googleAspmx.test(host)) return ['aspmx.l.google.com', '*.aspmx.l.google.com']
    return microsoftWildcard.test(host) ? ['*.mail.protection.outlook.com'] : [host]
  })
  return [...new Set(patterns)]
}

function serviceOf(mailHosts: MailHosts): MailService {
  const hosts = mailHosts.kind === 'hosts' ? mailHosts.hosts.map(({ host }) => host) : []
  if (hosts.some((host) => googleAspmx.test(host) || googleOthers.test(host))) return 'google-workspace'
  const isMicrosoft = (host: string) =>
    [microsoftWildcard, microsoftOthers, microsoftWithDane].some((form) => form.test(host))
  return hosts.some(isMicrosoft) ? 'microsoft-365' : 'other'
}

function stsTxt(domain: string, looked: LookedUp<'TXT'>, policy: StsPolicy, isLive: boolean, at?: Date): TxtToPublish {
  const parsed = looked.kind === 'found' ? parseStsRecord(looked.records) : undefined
  const matches = isLive && parsed?.kind === 'found'
  const id = matches ? parsed.id : at ? idOfTime(at) : policyId(policy)
  return { name: `_mta-sts.${domain}`, type: 'TXT', value: formatStsRecord(id), ...liveTexts(looked), matches }
}

/** §3.1's own form: 20160831085700Z. */
const idOfTime = (at: Date): string => `${at.toISOString().slice(0, 19).replace(/\D/g, '')}Z`

function tlsrptTxt({ domain, tlsrptRecord: looked, ownAddresses }: RecordsInput): TxtToPublish {
  const parsed = looked.kind === 'found' ? parseRecord(looked.records) : undefined
  const live = parsed?.kind === 'found' ? parsed.rua : []
  const matches = placeOfOwn(live, ownAddresses) === 0 && ownAddresses.every((own) => live.some((uri) => isOwnRua(uri, [own]))) // prettier-ignore
  const others = live.filter((uri) => !isOwnRua(uri, ownAddresses))
  const value = formatRecord(matches ? live : [...ownAddresses, ...others])
  return { name: `_smtp._tls.${domain}`, type: 'TXT', value, ...liveTexts(looked), matches }
}

function liveTexts(looked: LookedUp<'TXT'>): { live?: string[] } {
  if (looked.kind === 'unreachable') return {}
  return { live: looked.kind === 'found' ? looked.records.slice(0, 20).map((record) => readable(record, 1_024)) : [] }
}

function adviceFor(mailHosts: MailHosts, policy: StsPolicy | undefined): string[] {
  const first =
    policy === undefined
      ? [noPolicySentence(mailHosts)]
      : [
          'Publish in this order: the policy file, then the _mta-sts record; to change the policy, first the file, then a new id.',
          ...(policy.mode === 'testing' ? ['Stay in testing until reports have been clean for two weeks and every MX host has been seen; then enforce.'] : []), // prettier-ignore
          'If DANE is or comes into use, keep MTA-STS beside it: many senders, Google among them, know only MTA-STS.',
        ]
  const isDane = mailHosts.kind === 'hosts' && mailHosts.hosts.some(({ host }) => microsoftWithDane.test(host))
  return [
    ...first,
    ...(serviceOf(mailHosts) === 'google-workspace' ? ['Google Workspace: the host names are those of Google; Google does not host the policy file, so one of the texts below does.'] : []), // prettier-ignore
    ...(serviceOf(mailHosts) === 'microsoft-365' ? ['Microsoft 365: Exchange Online does not host the policy file, so one of the texts below does.'] : []), // prettier-ignore
    ...(isDane
      ? ['Microsoft 365 with DANE: while MX records move to mx.microsoft, list the old and the new host.']
      : []),
    'The address by mail stands first: its reports are signed and can be verified, and some senders use only the first.',
  ]
}

function noPolicySentence(mailHosts: MailHosts): string {
  switch (mailHosts.kind) {
    case 'null':
      return 'The domain takes no mail (null MX), so there is nothing for MTA-STS to protect.'
    case 'unreachable':
      return 'The DNS cannot tell the MX hosts just now, so no policy can be made.'
    case 'none':
    case 'hosts':
      return 'The domain has no MX host that could be listed, so no policy can be made.'
  }
}
