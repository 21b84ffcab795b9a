/** From what was seen of a domain to everything there is to say of it, in the order in which one sets it up. */
import { parseStsRecord } from '../../mtasts/record.ts'
import { policyTextOf, type DomainSeen } from '../domain-seen.ts'
import type { FindingCode } from './codes.ts'
import { daneFindings } from './dane.ts'
import type { Finding } from './finding.ts'
import { coverageFindings, mxRecordFindings } from './mx-coverage.ts'
import { mxHostFindings } from './mx-hosts.ts'
import { policyFindings } from './policy.ts'
import { stsRecordFindings } from './sts-record.ts'
import { tlsrptFindings } from './tlsrpt-record.ts'

/** `own`: see tlsrptFindings. `at` is when it was seen. Throws never, whatever was seen. */
export function judgeDomain(seen: DomainSeen, own: readonly string[], at: Date): Finding[] {
  const { domain, policy, mailHosts, hosts } = seen
  const read = policyTextOf(policy)?.read
  const findings = [
    ...stsRecordFindings(domain, seen.stsRecord, policy),
    ...policyFindings(policy, isAnnounced(seen.stsRecord), at),
    ...mxRecordFindings(domain, mailHosts, hosts),
    ...coverageFindings(domain, mailHosts, read),
    ...mxHostFindings(domain, hosts, read, at),
    ...tlsrptFindings(seen, own),
    ...daneFindings(domain, mailHosts, hosts, read),
  ]
  return takesMail(mailHosts) ? findings : findings.filter(({ code }) => !wantedWithMail.includes(code))
}

/** RFC 7505: a domain that takes no mail, or does not exist, lacks nothing without these. */
const takesMail = (mailHosts: DomainSeen['mailHosts']): boolean =>
  mailHosts.kind !== 'null' && (mailHosts.kind !== 'none' || mailHosts.nameExists)
const wantedWithMail: readonly FindingCode[] = ['sts-not-set-up', 'tlsrpt-record-missing']

/** Where the DNS cannot tell, a policy may be meant. */
function isAnnounced(looked: DomainSeen['stsRecord']): boolean {
  if (looked.kind === 'unreachable' || looked.aliases.length > 0) return true
  const parsed = parseStsRecord(looked.kind === 'found' ? looked.records : [])
  return parsed.kind !== 'missing' || parsed.similar.length > 0
}
