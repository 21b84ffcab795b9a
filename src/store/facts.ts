/** Rows of `policy` and `failure_detail`: what a report says, flat, each row carrying what it is asked by (DESIGN.md). */
import { isCounted, type NewClaim } from './claims.ts'
import type { CopyValue, TableRows } from './copy.ts'
import { textArray } from './literals.ts'

/** All facts of new claims, counted or not. */
export function factRows(claims: readonly NewClaim[]): TableRows[] {
  return [
    {
      into: `policy (domain, day, report_key, trust, reporter, organization, transport, counted, seq, policy_domain, policy_type,
        policy_mode, "primary", policy_type_raw, policy_string, mx_host, successful, failed, attributed)`,
      rows: policyRows(claims),
    },
    {
      into: `failure_detail (domain, day, report_key, trust, reporter, organization, transport, counted, policy_seq, policy_domain,
        policy_type, policy_mode, "primary", seq, result_type, result_type_raw, sending_mta_ip, sending_mta_ip_raw,
        receiving_mx_hostname, receiving_mx_helo, receiving_ip, receiving_ip_raw, failed_session_count,
        additional_information, failure_reason_code)`,
      rows: detailRows(claims),
    },
  ]
}

function* policyRows(claims: readonly NewClaim[]): Generator<CopyValue[]> {
  for (const claim of claims) {
    const carried = carriedBy(claim)
    for (const [seq, policy] of claim.share.domainReport.policies.entries()) {
      yield [
        ...carried,
        seq,
        policy.policyDomain,
        policy.policyType,
        policy.policyMode,
        policy.primary,
        policy.policyTypeRaw,
        textArray(policy.policyString),
        textArray(policy.mxHost),
        policy.totalSuccessfulSessionCount,
        policy.totalFailureSessionCount,
        policy.failureDetails.reduce((sum, detail) => sum + BigInt(detail.failedSessionCount), 0n),
      ]
    }
  }
}

function* detailRows(claims: readonly NewClaim[]): Generator<CopyValue[]> {
  for (const claim of claims) {
    const carried = carriedBy(claim)
    for (const [policySeq, policy] of claim.share.domainReport.policies.entries()) {
      for (const [seq, detail] of policy.failureDetails.entries()) {
        yield [
          ...carried,
          policySeq,
          policy.policyDomain,
          policy.policyType,
          policy.policyMode,
          policy.primary,
          seq,
          detail.resultType,
          detail.resultTypeRaw,
          detail.sendingMtaIp?.ip,
          detail.sendingMtaIp?.raw,
          detail.receivingMxHostname,
          detail.receivingMxHelo,
          detail.receivingIp?.ip,
          detail.receivingIp?.raw,
          detail.failedSessionCount,
          detail.additionalInformation,
          detail.failureReasonCode,
        ]
      }
    }
  }
}

/** domain, day, report_key, trust, reporter, organization, transport, counted. */
function carriedBy({ row, share }: NewClaim): CopyValue[] {
  return [
    row.domain,
    row.day,
    row.key,
    row.trust,
    row.reporter,
    share.report.organizationName,
    row.transport,
    isCounted(row),
  ]
}
