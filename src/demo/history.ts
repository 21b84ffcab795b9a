/** Ninety invented days of three invented domains, as RFC 8460 reports: something to look at before the first real one. */

/** Who reports, by which transport, and with how many sessions a day. All under the reserved TLD .example. */
export type Sender = { name: string; domain: string; by: 'mail' | 'https'; sessions: number; ips: string[] }

export const senders: Sender[] = [
  {
    name: 'Search Giant Mail',
    domain: 'searchgiant.example',
    by: 'mail',
    sessions: 900,
    ips: ['192.0.2.17', '192.0.2.18', '2001:db8:17::25'],
  },
  {
    name: 'Office Cloud',
    domain: 'officecloud.example',
    by: 'mail',
    sessions: 400,
    ips: ['198.51.100.40', '198.51.100.41'],
  },
  { name: 'Parcel Post', domain: 'parcelpost.example', by: 'mail', sessions: 25, ips: ['203.0.113.99'] },
  {
    name: 'Hosting Collective',
    domain: 'hostingcollective.example',
    by: 'https',
    sessions: 60,
    ips: ['203.0.113.7', '2001:db8:7::1'],
  },
]

/** A domain of ours: what it publishes, who serves it, and what went wrong when. */
export type DemoDomain = {
  domain: string
  policyType: 'sts' | 'tlsa' | 'no-policy-found'
  /** Days ago when mode testing ended; absent: it has not. */
  enforcedFor?: number
  /** MX host -> its address. */
  mx: Record<string, string>
  senders: string[]
  incidents: Incident[]
}

/** Days are counted back from today: 1 is yesterday. `share` of the sessions fail, on `mx` or on any. */
type Incident = {
  days: [oldest: number, newest: number]
  resultType: string
  share: number
  mx?: string
  reason?: string
  only?: string
}

export const domains: DemoDomain[] = [
  {
    domain: 'alpha.example',
    policyType: 'sts',
    mx: { 'mx1.alpha.example': '192.0.2.1', 'mx2.alpha.example': '192.0.2.2' },
    senders: ['searchgiant.example', 'officecloud.example', 'parcelpost.example', 'hostingcollective.example'],
    incidents: [
      { days: [84, 80], resultType: 'sts-policy-fetch-error', share: 0.3, reason: '404' },
      { days: [76, 73], resultType: 'sts-webpki-invalid', share: 0.5, reason: 'X509_V_ERR_HOSTNAME_MISMATCH' },
      { days: [66, 66], resultType: 'sts-policy-invalid', share: 1, only: 'officecloud.example' },
      { days: [58, 55], resultType: 'starttls-not-supported', share: 0.1, only: 'parcelpost.example' },
      { days: [44, 30], resultType: 'certificate-host-mismatch', share: 0.2, mx: 'mx2.alpha.example' },
      {
        days: [22, 21],
        resultType: 'validation-failure',
        share: 0.02,
        mx: 'mx1.alpha.example',
        reason: 'X509_V_ERR_PATH_LENGTH_EXCEEDED',
      },
      {
        days: [9, 1],
        resultType: 'certificate-expired',
        share: 0.4,
        mx: 'mx2.alpha.example',
        reason: 'X509_V_ERR_CERT_HAS_EXPIRED',
      },
    ],
  },
  {
    domain: 'dane.example',
    policyType: 'tlsa',
    mx: { 'mx1.hoster.example': '198.51.100.1', 'mx2.hoster.example': '198.51.100.2' },
    senders: ['officecloud.example', 'parcelpost.example'],
    incidents: [
      { days: [71, 70], resultType: 'dnssec-invalid', share: 0.6 },
      { days: [52, 50], resultType: 'dane-required', share: 0.1, only: 'parcelpost.example' },
      { days: [26, 19], resultType: 'tlsa-invalid', share: 0.5, mx: 'mx2.hoster.example' },
    ],
  },
  {
    domain: 'web.example',
    policyType: 'sts',
    enforcedFor: 45,
    mx: { 'mail.web.example': '203.0.113.25' },
    senders: ['hostingcollective.example'],
    incidents: [
      {
        days: [37, 33],
        resultType: 'certificate-not-trusted',
        share: 0.9,
        mx: 'mail.web.example',
        reason: 'X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN',
      },
    ],
  },
]

/** One report on its way: whose, about which domain of ours, and its JSON. */
export type DemoReport = { sender: Sender; domain: string; reportId: string; json: string }

const dayMs = 24 * 60 * 60 * 1000

/**
 * Every sender's report on every domain that it knows, for `days` whole UTC days up to yesterday; the same each time.
 * `mended`: what still goes wrong has been put right before these days.
 */
export function* history(today: Date, days: number, mended = false): Generator<DemoReport> {
  for (let ago = days; ago >= 1; ago--) {
    const start = new Date(Math.floor(today.getTime() / dayMs) * dayMs - ago * dayMs)
    for (const domain of domains) {
      for (const sender of senders.filter((one) => domain.senders.includes(one.domain))) {
        yield demoReport(
          sender,
          mended ? { ...domain, incidents: domain.incidents.filter(isOver) } : domain,
          start,
          ago,
        )
      }
    }
  }
}

const isOver = ({ days: [, newest] }: Incident) => newest > 1

function demoReport(sender: Sender, domain: DemoDomain, start: Date, ago: number): DemoReport {
  const day = start.toISOString().slice(0, 10)
  const reportId = `${day}_${domain.domain}@${sender.domain}`
  const hosts = Object.keys(domain.mx)
  const policies =
    domain.policyType === 'tlsa'
      ? hosts.map((host) => policy(sender, domain, ago, [host]))
      : [policy(sender, domain, ago, hosts)]
  const report = {
    'organization-name': sender.name,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': `tls-reports@${sender.domain}`,
    'report-id': reportId,
    policies,
  }
  return { sender, domain: domain.domain, reportId, json: JSON.stringify(report) }
}

/** One policy entry: for STS the domain with all its hosts, for DANE a host of its own (RFC 8460 §4.4). */
function policy(sender: Sender, domain: DemoDomain, ago: number, hosts: string[]) {
  const sessions = Math.max(
    1,
    Math.round((sender.sessions / hosts.length) * wobble(`${sender.domain}${domain.domain}${ago}`)),
  )
  const failures = domain.incidents
    .filter(
      ({ days: [oldest, newest], only, mx }) =>
        ago <= oldest &&
        ago >= newest &&
        (only ?? sender.domain) === sender.domain &&
        (mx === undefined || hosts.includes(mx)),
    )
    .map((incident) => failureDetail(incident, sender, domain, sessions))
  const failed = failures.reduce((sum, detail) => sum + detail['failed-session-count'], 0)
  return {
    policy: {
      'policy-type': domain.policyType,
      ...(domain.policyType === 'sts'
        ? {
            'policy-string': policyLines(domain, ago),
            'policy-domain': domain.domain,
            'mx-host': hosts,
          }
        : { 'policy-string': [`3 1 1 ${'ab'.repeat(32)}`], 'policy-domain': hosts[0] }),
    },
    summary: { 'total-successful-session-count': sessions - failed, 'total-failure-session-count': failed },
    'failure-details': failures,
  }
}

/** RFC 8461 §3.2, as it was so many days ago. */
export const policyLines = ({ mx, enforcedFor }: DemoDomain, ago: number): string[] => [
  'version: STSv1',
  `mode: ${enforcedFor === undefined || ago > enforcedFor ? 'testing' : 'enforce'}`,
  ...Object.keys(mx).map((host) => `mx: ${host}`),
  'max_age: 604800',
]

function failureDetail(
  { resultType, share, mx, reason }: Incident,
  sender: Sender,
  domain: DemoDomain,
  sessions: number,
) {
  return {
    'result-type': resultType,
    'sending-mta-ip': sender.ips[sessions % sender.ips.length],
    ...(mx !== undefined && { 'receiving-mx-hostname': mx, 'receiving-ip': domain.mx[mx] }),
    'failed-session-count': Math.max(1, Math.floor(sessions * share * 0.9)),
    ...(reason !== undefined && { 'failure-reason-code': reason }),
  }
}

/** Between 0.7 and 1.3, the same for the same text: a history that does not change from run to run. */
function wobble(text: string): number {
  let hash = 0
  for (const character of text) hash = (hash * 31 + character.charCodeAt(0)) % 10_007
  return 0.7 + (hash / 10_007) * 0.6
}
