/** Judged arrivals for the tests of the store: what the judge hands to the recorder, made from a few words. */
import { randomBytes } from 'node:crypto'
import { v7 } from 'uuid'
import type { Arrival, JudgedPart } from '../../src/store/arrivals.ts'
import { contentHash, reportIdentity } from '../../src/tlsrpt/identity.ts'
import type { FailureDetail } from '../../src/tlsrpt/report.ts'
import type { Provenance } from '../../src/tlsrpt/submission.ts'
import type { Accepted, DomainReport, JudgedPolicy } from '../../src/tlsrpt/verdict.ts'

/** One report as a sender told it. Whatever is left out is the same for all. */
export type Telling = {
  /** The verified sender; left out: nobody verified. */
  by?: string
  reportId?: string
  /** Whose policies it is about; one domain report each. */
  domains?: string[]
  /** UTC day. */
  day?: string
  /** Sessions: the content. */
  successful?: number
  failed?: number
  implausible?: boolean
  /** Older than the retention: nothing of it is counted. */
  outdated?: boolean
  contactInfo?: string
}

export const newKey = (at: Date): string => v7({ msecs: at.getTime() })

export const arrivedAt = new Date('2026-03-02T05:00:00Z')
export const later = (seconds: number, from = arrivedAt): Date => new Date(from.getTime() + seconds * 1000)

/** One mail or post with these reports as its parts. */
export function arrival(
  tellings: Telling | Telling[],
  at = arrivedAt,
  more: Partial<Arrival['submission']> = {},
): Arrival {
  const parts = [tellings].flat().map(accepted)
  const isMail = parts.some(({ judgement }) => judgement.kind === 'accepted' && judgement.trust === 'verified')
  return judgedArrival(parts, at, { provenance: isMail ? smtp : https, ...more })
}

export function judgedArrival(
  parts: JudgedPart[],
  at = arrivedAt,
  more: Partial<Arrival['submission']> & { source?: string } = {},
): Arrival {
  const { source = '192.0.2.0/24', ...submission } = more
  return {
    submission: { raw: randomBytes(40), form: 'report', arrivedAt: at, provenance: https, ...submission },
    source,
    parts,
  }
}

const https: Provenance = { transport: 'https', peerAddress: '192.0.2.7' }
const smtp: Provenance = { transport: 'smtp', peerAddress: '192.0.2.8', helo: 'mail.example', mailFrom: '', rcptTo: [], tls: true } // prettier-ignore

function accepted(telling: Telling): JudgedPart {
  const { by, reportId = 'r1', day = '2026-03-01', domains = ['example.org'], contactInfo } = telling
  const dateRange = { start: new Date(`${day}T00:00:00Z`), end: new Date(`${day}T23:59:59Z`) }
  const organizationName = 'Example Reports'
  const domainReports = domains.map((domain): DomainReport => {
    const policies = policiesOf(domain, telling)
    const primary = policies.filter((policy) => policy.primary)
    return {
      domain,
      day,
      dateRange,
      identity: reportIdentity(organizationName, reportId, dateRange, domain),
      contentHash: contentHash(policies),
      policies,
      successful: primary.reduce((sum, policy) => sum + BigInt(policy.totalSuccessfulSessionCount), 0n),
      failed: primary.reduce((sum, policy) => sum + BigInt(policy.totalFailureSessionCount), 0n),
      implausible: telling.implausible ?? false,
    }
  })
  const judgement: Accepted = {
    kind: 'accepted',
    trust: by === undefined ? 'unverified' : 'verified',
    ...(by !== undefined && { reporter: by }),
    report: {
      organizationName,
      ...(contactInfo !== undefined && { contactInfo }),
      reportId,
      dateRange,
      policies: domainReports.flatMap(({ policies }) => policies),
    },
    domains: [...domains],
    domainReports: telling.outdated ? [] : domainReports,
    anomalies: [],
  }
  return { judgement, dkim: [] }
}

/** An STS policy that counts, and a TLSA policy that may have seen the same sessions. */
function policiesOf(domain: string, { successful = 90, failed = 10 }: Telling): JudgedPolicy[] {
  const details: FailureDetail[] = [
    { resultType: 'certificate-expired', failedSessionCount: failed, sendingMtaIp: { ip: '2001:db8::1', raw: '2001:DB8::1' } },
    { resultType: 'starttls-not-supported', failedSessionCount: 1, receivingIp: { raw: 'unknown' }, receivingMxHostname: `mx.${domain}` },
  ] // prettier-ignore
  return [
    {
      policyType: 'sts',
      policyString: ['version: STSv1', 'mode: enforce', String.raw`note: "a, {b}" \ c`],
      policyDomain: domain,
      policyMode: 'enforce',
      mxHost: [`*.${domain}`],
      primary: true,
      totalSuccessfulSessionCount: successful,
      totalFailureSessionCount: failed,
      failureDetails: failed > 0 ? details : [],
    },
    {
      policyType: 'tlsa',
      policyString: [],
      policyDomain: `mx.${domain}`,
      mxHost: [],
      primary: false,
      totalSuccessfulSessionCount: 1,
      totalFailureSessionCount: 0,
      failureDetails: [],
    },
  ]
}
