/** Rows of `policy` and `failure_detail`: what a report says, flat, each row carrying what it is asked by (DESIGN.md). */
import type { FailureDetail } from '../tlsrpt/report.ts'
import type { JudgedPolicy } from '../tlsrpt/verdict.ts'
import type { ColumnValue } from './binary.ts'
import { isCounted, type ClaimRow, type NewClaim } from './claims.ts'
import { copyTable, type RowGroup, type TableRows } from './copy-data.ts'
import type { Queryable } from './database.ts'
import { tallies } from './tally.ts'

/** All facts of new claims, counted or not. */
export const factRows = (claims: readonly NewClaim[]): TableRows[] => [
  { table: policyTable, groups: policyRows(claims) },
  { table: detailTable, groups: detailRows(claims) },
]

/** What `carriedBy` has values for. */
const carried = [
  ['domain', 'text'],
  ['day', 'date'],
  ['report_key', 'uuid'],
  ['trust', 'text'],
  ['reporter', 'text'],
  ['organization', 'text'],
  ['transport', 'text'],
  ['counted', 'boolean'],
] as const

const policyTable = copyTable('policy', [
  ...carried,
  ['seq', 'smallint'],
  ['policy_domain', 'text'],
  ['policy_type', 'text'],
  ['policy_mode', 'text'],
  ['"primary"', 'boolean'],
  ['policy_type_raw', 'text'],
  ['policy_string', 'text[]'],
  ['mx_host', 'text[]'],
  ['successful', 'bigint'],
  ['failed', 'bigint'],
  ['attributed', 'numeric'],
  ['tally_result_type', 'text[]'],
  ['tally_mx', 'text[]'],
  ['tally_failed', 'numeric[]'],
  ['tally_first', 'smallint[]'],
])

const detailTable = copyTable('failure_detail', [
  ...carried,
  ['policy_seq', 'smallint'],
  ['policy_domain', 'text'],
  ['policy_type', 'text'],
  ['policy_mode', 'text'],
  ['"primary"', 'boolean'],
  ['seq', 'integer'],
  ['result_type', 'text'],
  ['result_type_raw', 'text'],
  ['sending_mta_ip', 'inet'],
  ['sending_mta_ip_raw', 'text'],
  ['receiving_mx_hostname', 'text'],
  ['receiving_mx_helo', 'text'],
  ['receiving_ip', 'inet'],
  ['receiving_ip_raw', 'text'],
  ['failed_session_count', 'bigint'],
  ['additional_information', 'text'],
  ['failure_reason_code', 'text'],
])

function* policyRows(claims: readonly NewClaim[]): Generator<RowGroup> {
  for (const claim of claims) {
    const { policies } = claim.share.domainReport
    const tallied = tallies(policies)
    yield {
      shared: carriedBy(claim),
      rows: policies.map((policy, seq) => [
        ...asked(policy, seq),
        policy.policyTypeRaw,
        policy.policyString,
        policy.mxHost,
        policy.totalSuccessfulSessionCount,
        policy.totalFailureSessionCount,
        attributedOf(policy),
        tallied[seq]?.resultTypes,
        tallied[seq]?.mx,
        tallied[seq]?.failed,
        tallied[seq]?.first,
      ]),
    }
  }
}

function* detailRows(claims: readonly NewClaim[]): Generator<RowGroup> {
  for (const claim of claims) {
    for (const [policySeq, policy] of claim.share.domainReport.policies.entries()) {
      if (policy.failureDetails.length === 0) continue
      yield {
        shared: [...carriedBy(claim), ...asked(policy, policySeq)],
        rows: ownColumns(policy.failureDetails),
      }
    }
  }
}

/** One row at a time: a report may have 50,000. */
function* ownColumns(details: readonly FailureDetail[]): Generator<ColumnValue[]> {
  for (const [seq, detail] of details.entries()) {
    yield [
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

const asked = ({ policyDomain, policyType, policyMode, primary }: JudgedPolicy, seq: number): ColumnValue[] => [
  seq,
  policyDomain,
  policyType,
  policyMode,
  primary,
]

function carriedBy({ row, share }: NewClaim): ColumnValue[] {
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

const attributedOf = ({ failureDetails }: JudgedPolicy): bigint =>
  failureDetails.reduce((sum, detail) => sum + BigInt(detail.failedSessionCount), 0n)

/** What policies of one type in one report add up to: sessions, and how many policies. */
export type PolicySums = {
  policyType: string
  primary: boolean
  successful: bigint
  failed: bigint
  /** The same as the sum of the failure details, which need not be `failed`. */
  attributed: bigint
  policies: bigint
}

/** Of policies as they arrive, each for itself. */
export const policySums = (policies: readonly JudgedPolicy[]): PolicySums[] =>
  policies.map((policy) => ({
    policyType: policy.policyType,
    primary: policy.primary,
    successful: BigInt(policy.totalSuccessfulSessionCount),
    failed: BigInt(policy.totalFailureSessionCount),
    attributed: attributedOf(policy),
    policies: 1n,
  }))

/** Of reports that are stored, by their key. */
export async function readPolicySums(tx: Queryable, claims: readonly ClaimRow[]): Promise<Map<string, PolicySums[]>> {
  type Row = { key: string } & Pick<PolicySums, 'policyType' | 'primary' | 'policies'> &
    Record<'successful' | 'failed' | 'attributed', string>
  const of = (name: 'domain' | 'day' | 'key') => claims.map((claim) => claim[name])
  const { rows } = await tx.query<Row>(
    `select p.report_key as key, p.policy_type as "policyType", p."primary", sum(p.successful) as successful,
       sum(p.failed) as failed, sum(p.attributed) as attributed, count(*) as policies
     from unnest($1::text[], $2::date[], $3::uuid[]) as w (domain, day, key)
     join policy p on p.domain = w.domain and p.day = w.day and p.report_key = w.key
     where p.day = any($2::date[]) group by p.report_key, p.policy_type, p."primary"`,
    [of('domain'), of('day'), of('key')],
  )
  const sums = rows.map(({ successful, failed, attributed, ...row }) => ({
    ...row,
    successful: BigInt(successful),
    failed: BigInt(failed),
    attributed: BigInt(attributed),
  }))
  return Map.groupBy(sums, ({ key }) => key)
}
