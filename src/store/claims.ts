/** The claims to an identity as rows of `report`: locked, read, written. What they are worth: tlsrpt/identity.ts. */
import type { Claim, Standing } from '../tlsrpt/identity.ts'
import type { Report } from '../tlsrpt/report.ts'
import type { Anomaly, Transport, Trust } from '../tlsrpt/submission.ts'
import type { DomainReport } from '../tlsrpt/verdict.ts'
import type { Queryable } from './database.ts'
import { jsonText } from './literals.ts'

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

/** One accepted report's part for one domain, as it arrived. */
export type Share = { domainReport: DomainReport; report: Report; teller: Teller }

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
 * Inserts those whose (domain, day, identity, variant) is free, and answers their keys; waits for transactions that
 * have inserted the same and not yet committed. `claims` must be in the order of compareIdentities.
 */
export async function insertClaims(tx: Queryable, claims: readonly NewClaim[]): Promise<Set<string>> {
  if (claims.length === 0) return new Set()
  const of = (read: (row: ClaimRow, report: Report) => unknown) =>
    claims.map(({ row, share }) => read(row, share.report))
  const { rows } = await tx.query<{ key: string }>({
    name: 'insert report', // Named, so that it is parsed and planned once a connection, not once a batch.
    text: `insert into report (domain, day, identity, variant, key, submission_key, content_hash, trust, reporter, standing,
       counted, implausible, transport, organization, report_id, contact_info, start_datetime, end_datetime, arrived_at,
       anomalies, successful, failed)
     select * from unnest($1::text[], $2::date[], $3::bytea[], $4::smallint[], $5::uuid[], $6::uuid[], $7::bytea[],
       $8::text[], $9::text[], $10::text[], $11::boolean[], $12::boolean[], $13::text[], $14::text[], $15::text[],
       $16::text[], $17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::jsonb[], $21::bigint[], $22::bigint[])
     on conflict (domain, day, identity, variant) do nothing
     returning key`,
    values: [
      of((row) => row.domain),
      of((row) => row.day),
      of((row) => row.identity),
      of((row) => row.variant),
      of((row) => row.key),
      of((row) => row.submissionKey),
      of((row) => row.contentHash),
      of((row) => row.trust),
      of((row) => row.reporter),
      of((row) => row.standing),
      of((row) => isCounted(row)),
      of((row) => row.implausible),
      of((row) => row.transport),
      of((_, report) => report.organizationName),
      of((_, report) => report.reportId),
      of((row) => row.contactInfo),
      of((_, report) => report.dateRange.start.toISOString()),
      of((_, report) => report.dateRange.end.toISOString()),
      of((row) => row.arrivedAt.toISOString()),
      of((row) => jsonText(row.anomalies)),
      of((row) => row.successful),
      of((row) => row.failed),
    ],
  })
  return new Set(rows.map(({ key }) => key))
}

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
 * Locks these identities until the end of the transaction and answers their claims, by identity in hex and in the
 * order of variants. `identities` must be in the order of compareIdentities.
 */
export async function lockClaims(tx: Queryable, identities: readonly IdentityKey[]): Promise<Map<string, ClaimRow[]>> {
  if (identities.length === 0) return new Map()
  const keys = [identities.map((i) => i.domain), identities.map((i) => i.day), identities.map((i) => i.identity)]
  // Variant 0 stands for the identity: who adds or changes a variant holds its lock. `day = any` lets Postgres plan
  // for these months alone.
  await tx.query(
    `select from unnest($1::text[], $2::date[], $3::bytea[]) as w (domain, day, identity)
     join report r on r.domain = w.domain and r.day = w.day and r.identity = w.identity
     where r.variant = 0 and r.day = any($2::date[])
     order by r.domain collate "C", r.day, r.identity
     for update of r`,
    keys,
  )
  // A statement of its own: the one above does not see variants that were committed while it waited.
  const { rows } = await tx.query<StoredClaim>(
    `select ${claimColumns}
     from unnest($1::text[], $2::date[], $3::bytea[]) as w (domain, day, identity)
     join report r on r.domain = w.domain and r.day = w.day and r.identity = w.identity
     where r.day = any($2::date[])
     order by r.variant`,
    keys,
  )
  return Map.groupBy(rows.map(claimRow), (row) => row.identity.toString('hex'))
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
