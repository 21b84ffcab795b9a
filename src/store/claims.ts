/** The claims to an identity as rows of `report`: locked, read, written. What they are worth: tlsrpt/identity.ts. */
import type { Claim, Standing } from '../tlsrpt/identity.ts'
import type { Report } from '../tlsrpt/report.ts'
import type { Anomaly, Transport, Trust } from '../tlsrpt/submission.ts'
import type { DomainReport } from '../tlsrpt/verdict.ts'
import type { ColumnValue } from './binary.ts'
import { copyTable, type TableRows } from './copy-data.ts'
import type { Queryable } from './database.ts'
import { jsonText } from './json-text.ts'

/** Where an identity has its rows: the shard, the partition, and the hash. */
export type IdentityKey = Pick<DomainReport, 'domain' | 'day' | 'identity'>

/** Who says so: of several arrivals with one content, the one with the best trust, and of those the earliest. */
export type Teller = {
  trust: Trust
  reporter?: string
  submissionKey: string
  transport: Transport
  arrivedAt: Date
  contactInfo: string | undefined
  anomalies: Anomaly[]
}

/** One row of `report`, without what never changes and decides nothing. */
export type ClaimRow = IdentityKey &
  Claim &
  Teller & {
    key: string
    /** 0 for the first claim to the identity, then counting. */
    variant: number
    contentHash: Buffer
    standing: Standing
    /** Sessions by the primary policies. */
    successful: bigint
    failed: bigint
  }

/** One accepted report's part for one domain, as it arrived. `bytes` are what it may fill of the quota (quota.ts). */
export type Share = { domainReport: DomainReport; report: Report; teller: Teller; bytes: number }

/** A claim that was not there before, with the share that made it. */
export type NewClaim = { row: ClaimRow; share: Share }

export const isCounted = (row: ClaimRow): boolean => row.standing === 'counted'

/** Ascending by domain, day and identity: the order in which everybody locks, so that nobody waits in a circle. */
export function compareIdentities(a: IdentityKey, b: IdentityKey): number {
  if (a.domain !== b.domain) return a.domain < b.domain ? -1 : 1
  if (a.day !== b.day) return a.day < b.day ? -1 : 1
  return a.identity.compare(b.identity)
}

/**
 * The rows of new claims, given in the order of compareIdentities. Copying them waits for transactions that have inserted
 * the same (domain, day, identity, variant) and not yet committed, and is a 'duplicate' error (database.ts) when they do.
 */
export const claimRows = (claims: readonly NewClaim[]): TableRows => ({
  table: reportTable,
  groups: [{ shared: [], rows: claims.map(reportRow) }],
})

const reportTable = copyTable('report', [
  ['domain', 'text'],
  ['day', 'date'],
  ['identity', 'bytea'],
  ['variant', 'smallint'],
  ['key', 'uuid'],
  ['submission_key', 'uuid'],
  ['content_hash', 'bytea'],
  ['trust', 'text'],
  ['reporter', 'text'],
  ['standing', 'text'],
  ['counted', 'boolean'],
  ['implausible', 'boolean'],
  ['transport', 'text'],
  ['organization', 'text'],
  ['report_id', 'text'],
  ['contact_info', 'text'],
  ['start_datetime', 'timestamptz'],
  ['end_datetime', 'timestamptz'],
  ['arrived_at', 'timestamptz'],
  ['anomalies', 'jsonb'],
  ['successful', 'bigint'],
  ['failed', 'bigint'],
  ['bytes', 'integer'],
])

const reportRow = ({ row, share: { report, bytes } }: NewClaim): ColumnValue[] => [
  row.domain,
  row.day,
  row.identity,
  row.variant,
  row.key,
  row.submissionKey,
  row.contentHash,
  row.trust,
  row.reporter,
  row.standing,
  isCounted(row),
  row.implausible,
  row.transport,
  report.organizationName,
  report.reportId,
  row.contactInfo,
  report.dateRange.start,
  report.dateRange.end,
  row.arrivedAt,
  jsonText(row.anomalies),
  row.successful,
  row.failed,
  bytes,
]

/** What `claimRow` reads, of `report r`. */
export const claimColumns = `r.domain, r.day, r.identity, r.variant, r.key, r.submission_key, r.content_hash, r.trust, r.reporter,
  r.standing, r.decision, r.implausible, r.transport, r.contact_info, r.arrived_at, r.anomalies, r.successful, r.failed`

export type StoredClaim = {
  domain: string
  day: string
  identity: Buffer
  variant: number
  key: string
  submission_key: string
  content_hash: Buffer
  trust: Trust
  reporter: string | null
  standing: Standing
  decision: 'include' | 'exclude' | null
  implausible: boolean
  transport: Transport
  contact_info: string | null
  arrived_at: Date
  anomalies: Anomaly[]
  successful: bigint
  failed: bigint
}

/**
 * The claims to these identities as they are now, by identity in hex and in the order of variants. Whoever acts on them
 * locks the identities first.
 */
export async function readClaims(tx: Queryable, identities: readonly IdentityKey[]): Promise<Map<string, ClaimRow[]>> {
  if (identities.length === 0) return new Map()
  const { rows } = await tx.query<StoredClaim>({
    name: 'read report', // Named, so that it is parsed and planned once a connection, not once a batch.
    text: `select ${claimColumns}
     from unnest($1::text[], $2::date[], $3::bytea[]) as w (domain, day, identity)
     join report r on r.domain = w.domain and r.day = w.day and r.identity = w.identity
     where r.day = any($2::date[]) -- Lets Postgres plan for these months alone.
     order by r.variant`,
    values: [identities.map((i) => i.domain), identities.map((i) => i.day), identities.map((i) => i.identity)],
  })
  return Map.groupBy(rows.map(claimRow), (row) => row.identity.toString('hex'))
}

/**
 * Locks these identities until the end of the transaction and answers their claims, as readClaims does. `identities` must
 * be in the order of compareIdentities. Variant 0 stands for the identity: who adds or changes a variant holds its lock.
 */
export async function lockClaims(tx: Queryable, identities: readonly IdentityKey[]): Promise<Map<string, ClaimRow[]>> {
  // A statement for each domain: several shards cannot be locked by one (docs/scale.md).
  for (const [domain, own] of Map.groupBy(identities, (identity) => identity.domain)) {
    await tx.query({
      name: 'lock report',
      text: `select from report where domain = $1 and day = any($2::date[]) and identity = any($3::bytea[]) and variant = 0
        order by day, identity for update`,
      values: [domain, [...new Set(own.map(({ day }) => day))], own.map(({ identity }) => identity)],
    })
  }
  // Only a new statement sees the variants that were committed while the last one waited.
  return readClaims(tx, identities)
}

export const claimRow = (stored: StoredClaim): ClaimRow => ({
  domain: stored.domain,
  day: stored.day,
  identity: stored.identity,
  variant: stored.variant,
  key: stored.key,
  submissionKey: stored.submission_key,
  contentHash: stored.content_hash,
  trust: stored.trust,
  ...(stored.reporter !== null && { reporter: stored.reporter }),
  standing: stored.standing,
  ...(stored.decision !== null && { decision: stored.decision }),
  implausible: stored.implausible,
  transport: stored.transport,
  contactInfo: stored.contact_info ?? undefined,
  arrivedAt: stored.arrived_at,
  anomalies: stored.anomalies,
  successful: stored.successful,
  failed: stored.failed,
})

/** Writes what may change of claims whose identity is locked: teller, standing and decision, also on their facts. */
export async function updateClaims(tx: Queryable, claims: readonly ClaimRow[]): Promise<void> {
  if (claims.length === 0) return
  const of = (read: (row: ClaimRow) => unknown) => claims.map(read)
  const place = [of((row) => row.domain), of((row) => row.day), of((row) => row.key)]
  await tx.query(
    `update report r set standing = c.standing, counted = c.counted, decision = c.decision, trust = c.trust,
       reporter = c.reporter, submission_key = c.submission_key, transport = c.transport, arrived_at = c.arrived_at,
       contact_info = c.contact_info, anomalies = c.anomalies
     from unnest($1::text[], $2::date[], $3::uuid[], $4::bytea[], $5::smallint[], $6::text[], $7::boolean[], $8::text[],
       $9::text[], $10::text[], $11::uuid[], $12::text[], $13::timestamptz[], $14::text[], $15::jsonb[])
       as c (domain, day, key, identity, variant, standing, counted, decision, trust, reporter, submission_key, transport,
             arrived_at, contact_info, anomalies)
     where r.domain = c.domain and r.day = c.day and r.identity = c.identity and r.variant = c.variant
       and r.day = any($2::date[])`,
    [
      ...place,
      of((row) => row.identity),
      of((row) => row.variant),
      of((row) => row.standing),
      of((row) => isCounted(row)),
      of((row) => row.decision),
      of((row) => row.trust),
      of((row) => row.reporter),
      of((row) => row.submissionKey),
      of((row) => row.transport),
      of((row) => row.arrivedAt.toISOString()),
      of((row) => row.contactInfo),
      of((row) => jsonText(row.anomalies)),
    ],
  )
  const told = [
    of((row) => isCounted(row)),
    of((row) => row.trust),
    of((row) => row.reporter),
    of((row) => row.transport),
  ]
  for (const table of ['policy', 'failure_detail']) {
    await tx.query(
      `update ${table} f set counted = c.counted, trust = c.trust, reporter = c.reporter, transport = c.transport
       from unnest($1::text[], $2::date[], $3::uuid[], $4::boolean[], $5::text[], $6::text[], $7::text[])
         as c (domain, day, key, counted, trust, reporter, transport)
       where f.domain = c.domain and f.day = c.day and f.report_key = c.key and f.day = any($2::date[])`,
      [...place, ...told],
    )
  }
}
