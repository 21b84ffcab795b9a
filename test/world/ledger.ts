/**
 * One invented week: every SMTP session that our correspondents had with us, and how each of them judged it. This list is
 * the truth. The reports are written from it (reports.ts), and what the API has to answer is folded from it (truth.ts).
 */

export type SenderName = 'google' | 'microsoft' | 'postfix' | 'mox' | 'stalwart' | 'stranger'

export type Session = {
  sender: SenderName
  /** UTC day. */
  day: string
  /** The recipient's domain: one of ours, a subdomain of one, or a neighbour on the same MX host. */
  to: string
  /** tlsrpt-reporter tells a busy day in two reports, _idx1 and _idx2. */
  part: 1 | 2
  mx: string
  /** By each policy that the sender applied: Microsoft judges by DANE and by MTA-STS, others by one. */
  judgements: Judgement[]
}

export type Judgement = {
  policyType: 'sts' | 'tlsa' | 'no-policy-found'
  /** As the sender names it: the domain, a subdomain of it, or the MX host. */
  policyDomain: string
  policyMode?: 'enforce' | 'testing'
  failed: boolean
  /** What the sender tells of the failure: one line, two for one session, or none. */
  details: Detail[]
}

export type Detail = {
  resultType: string
  sendingMtaIp?: string
  receivingMxHostname?: string
  receivingIp?: string
  failureReasonCode?: string
}

/** Wednesday to Tuesday, so that it has two weeks and two months in it. */
export const days = [
  '2026-10-28',
  '2026-10-29',
  '2026-10-30',
  '2026-10-31',
  '2026-11-01',
  '2026-11-02',
  '2026-11-03',
] as const

/** Ours: alpha with MTA-STS, dane with DANE on the hosts of a hoster, web with rua=https: only. */
export const ourDomains = ['alpha.example', 'dane.example', 'web.example'] as const

/** Host -> its addresses. */
export const mxHosts: Record<string, string[]> = {
  'mx1.alpha.example': ['198.51.100.11', '2001:db8:a::11'],
  'mx2.alpha.example': ['198.51.100.12'],
  'mx1.hoster.example': ['198.51.100.21'],
  'mx2.hoster.example': ['198.51.100.22', '2001:db8:b::22'],
  'mail.web.example': ['198.51.100.31'],
}

const hostsOf: Record<string, string[]> = {
  'alpha.example': ['mx1.alpha.example', 'mx1.alpha.example', 'mx2.alpha.example'], // The first one is preferred.
  'lists.alpha.example': ['mx1.alpha.example'],
  'dane.example': ['mx1.hoster.example', 'mx2.hoster.example'],
  'neighbour.example': ['mx1.hoster.example'],
  'web.example': ['mail.web.example'],
}

/** Who writes to whom, and how much a day. */
const traffic: { sender: SenderName; to: string; sessions: number }[] = [
  { sender: 'google', to: 'alpha.example', sessions: 40 },
  { sender: 'google', to: 'dane.example', sessions: 12 },
  { sender: 'google', to: 'web.example', sessions: 15 },
  { sender: 'microsoft', to: 'alpha.example', sessions: 30 },
  { sender: 'microsoft', to: 'dane.example', sessions: 10 },
  { sender: 'postfix', to: 'alpha.example', sessions: 9 },
  { sender: 'postfix', to: 'dane.example', sessions: 24 },
  { sender: 'postfix', to: 'web.example', sessions: 6 },
  { sender: 'mox', to: 'alpha.example', sessions: 5 },
  { sender: 'mox', to: 'lists.alpha.example', sessions: 3 },
  { sender: 'mox', to: 'dane.example', sessions: 6 },
  { sender: 'mox', to: 'neighbour.example', sessions: 4 },
  { sender: 'stalwart', to: 'alpha.example', sessions: 4 },
  { sender: 'stalwart', to: 'dane.example', sessions: 5 },
  { sender: 'stalwart', to: 'web.example', sessions: 7 },
  { sender: 'stranger', to: 'alpha.example', sessions: 50 },
]

/** Microsoft tells no addresses of its own. */
const sendingIps: Record<SenderName, string[]> = {
  google: ['192.0.2.65', '192.0.2.66', '2001:db8:10::65'],
  microsoft: [],
  postfix: ['203.0.113.80'],
  mox: ['203.0.113.25', '2001:db8:30::25'],
  stalwart: ['203.0.113.90', '203.0.113.91'],
  stranger: ['203.0.113.66'],
}

/** A `share` of the sessions that it fits failed. Two result types are two lines about one session. */
type Incident = {
  days: readonly string[]
  to?: string
  policyType?: Judgement['policyType']
  mx?: string
  sender?: SenderName
  share: number
  resultTypes: string[]
  reason?: string
  /** A policy that cannot be had fails without a host (RFC 8460 §4.4). */
  withoutHost?: boolean
}

const [wed, thu, fri, sat, sun, mon, tue] = days

const incidents: Incident[] = [
  { days: [sun], mx: 'mx2.alpha.example', policyType: 'sts', share: 0.8, resultTypes: ['certificate-expired', 'certificate-host-mismatch'] }, // prettier-ignore
  { days: [fri, sat, sun, mon], mx: 'mx2.alpha.example', policyType: 'sts', share: 0.9, resultTypes: ['certificate-expired'], reason: 'X509_V_ERR_CERT_HAS_EXPIRED' }, // prettier-ignore
  { days, to: 'alpha.example', policyType: 'sts', share: 0.04, resultTypes: ['starttls-not-supported'] },
  { days: [wed], to: 'alpha.example', policyType: 'sts', sender: 'microsoft', share: 0.3, resultTypes: ['sts-policy-fetch-error'], withoutHost: true }, // prettier-ignore
  { days: [thu], to: 'alpha.example', policyType: 'tlsa', sender: 'microsoft', share: 0.5, resultTypes: ['tlsa-invalid'], reason: 'VALIDATION_FAILURE' }, // prettier-ignore
  { days: [mon], to: 'alpha.example', policyType: 'sts', sender: 'google', share: 0.2, resultTypes: [] },
  { days: [thu, fri], mx: 'mx2.hoster.example', policyType: 'tlsa', share: 0.7, resultTypes: ['tlsa-invalid'] },
  { days: [tue], to: 'dane.example', policyType: 'tlsa', share: 0.4, resultTypes: ['dnssec-invalid'] },
  { days: [sat], to: 'dane.example', policyType: 'tlsa', sender: 'stalwart', share: 1, resultTypes: ['dane-required'] },
  { days: [mon], to: 'dane.example', policyType: 'tlsa', sender: 'microsoft', share: 0.5, resultTypes: ['validation-failure'], reason: 'MX_HOSTS_MISMATCH', withoutHost: true }, // prettier-ignore
  { days: [sat], policyType: 'no-policy-found', share: 0.3, resultTypes: ['starttls-not-supported'] },
  { days: [wed, thu], to: 'web.example', policyType: 'sts', share: 0.5, resultTypes: ['certificate-not-trusted'], reason: 'X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN' }, // prettier-ignore
  { days: [fri], to: 'web.example', policyType: 'sts', sender: 'google', share: 0.4, resultTypes: ['sts-webpki-invalid'], withoutHost: true }, // prettier-ignore
  { days: [fri], to: 'web.example', policyType: 'sts', sender: 'stalwart', share: 0.6, resultTypes: ['sts-policy-invalid'], withoutHost: true }, // prettier-ignore
  { days, sender: 'stranger', share: 1, resultTypes: ['validation-failure'] },
]

export type Random = () => number

/** Numbers in [0, 1), the same for the same seed (mulberry32, by Tommy Ettinger, in the public domain). */
export function seeded(seed: number): Random {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const pick = <T>(from: readonly T[], random: Random): T | undefined => from[Math.floor(random() * from.length)]

export function simulateWeek(seed: number): Session[] {
  const random = seeded(seed)
  return days.flatMap((day) =>
    traffic.flatMap(({ sender, to, sessions }) => {
      const today = 1 + Math.floor(sessions * (0.5 + random()))
      return Array.from({ length: today }, () => simulateSession(sender, day, to, random))
    }),
  )
}

function simulateSession(sender: SenderName, day: string, to: string, random: Random): Session {
  const mx = pick(hostsOf[to]!, random)!
  const part = sender === 'postfix' && to === 'dane.example' && day === fri && random() < 0.3 ? 2 : 1
  const policies = policiesOf(sender, to, mx, day)
  return {
    sender,
    day,
    to,
    part,
    mx,
    judgements: policies.map((policy) => judge(sender, day, to, mx, policy, random)),
  }
}

type Policy = Pick<Judgement, 'policyType' | 'policyDomain' | 'policyMode'>

/** What the sender found to apply, as that sender tells it. */
function policiesOf(sender: SenderName, to: string, mx: string, day: string): Policy[] {
  const tlsa = (policyDomain: string): Policy => ({ policyType: 'tlsa', policyDomain })
  const none: Policy = { policyType: 'no-policy-found', policyDomain: to }
  switch (to) {
    case 'alpha.example': {
      const sts: Policy = { policyType: 'sts', policyDomain: to, policyMode: 'enforce' }
      return sender === 'microsoft' ? [sts, tlsa(to)] : [sts] // The same session under both.
    }
    case 'web.example':
      return sender === 'postfix' ? [none] : [{ policyType: 'sts', policyDomain: to, policyMode: 'testing' }]
    case 'dane.example':
      if (sender === 'google') return [none] // Google does no DANE.
      if (sender === 'postfix' && mx === 'mx2.hoster.example' && day === mon) return [none] // Its TLSA records were gone.
      return [tlsa(sender === 'postfix' ? mx : to)]
    case 'neighbour.example':
      return [tlsa(to)]
    default:
      return [none]
  }
}

function judge(sender: SenderName, day: string, to: string, mx: string, policy: Policy, random: Random): Judgement {
  const incident = incidents.find(
    (each) =>
      each.days.includes(day) &&
      (each.to ?? to) === to &&
      (each.mx ?? mx) === mx &&
      (each.sender ?? sender) === sender &&
      (each.policyType ?? policy.policyType) === policy.policyType &&
      random() < each.share,
  )
  if (!incident) return { ...policy, failed: false, details: [] }
  const sendingMtaIp = pick(sendingIps[sender], random)
  const receivingIp = pick(mxHosts[mx]!, random)
  const details = incident.resultTypes.map((resultType): Detail => ({
    resultType,
    ...(sendingMtaIp !== undefined && { sendingMtaIp }),
    ...(!incident.withoutHost && { receivingMxHostname: mx, ...(receivingIp !== undefined && { receivingIp }) }),
    ...(incident.reason !== undefined && { failureReasonCode: incident.reason }),
  }))
  return { ...policy, failed: true, details }
}
