/** What has arrived, as it is kept: found by its key, read with its bytes, listed in the order of arrival. */
import type { Provenance, Submission } from '../tlsrpt/submission.ts'
import type { Database } from './database.ts'

/** Where an arrival has its rows; `arrivedOn` is a UTC day, YYYY-MM-DD. */
export type ArrivalPlace = { arrivedOn: string; arrivalKey: string }

/**
 * `dkim` is what the signatures came to, as the judged parts had it; [] where nobody had reason to ask. `domain` is what
 * the bytes are filed under, which never changes: where several shards hold the store it says which one (docs/scale.md).
 */
export type StoredArrival = {
  place: ArrivalPlace & { domain: string }
  submission: Submission
  dkim: Record<string, unknown>[]
}

/** Undefined when there is no submission of that key. */
export async function findArrival(db: Database, submissionKey: string): Promise<ArrivalPlace | undefined> {
  const { rows } = await db.query<ArrivalPlace>(
    'select arrived_on as "arrivedOn", arrival_key as "arrivalKey" from submission where key = $1',
    [submissionKey],
  )
  return rows[0]
}

/** Undefined when the bytes are no longer kept, or never were. */
export async function readArrival(db: Database, place: ArrivalPlace): Promise<StoredArrival | undefined> {
  type Row = {
    domain: string
    form: 'message' | 'report'
    bytes: Buffer
    at: Date
    provenance: Provenance
    dkim: StoredArrival['dkim']
  }
  const { rows } = await db.query<Row>(
    `with told as (
       select provenance, dkim from submission where arrived_on = $1 and arrival_key = $2 order by dkim = '[]', part limit 1
     )
     select domain, form, bytes, arrived_at as at, provenance, dkim
     from submission_raw cross join told where arrived_on = $1 and arrival_key = $2`,
    [place.arrivedOn, place.arrivalKey],
  )
  const row = rows[0]
  if (!row) return undefined
  const { domain, form, bytes: raw, at: arrivedAt, provenance, dkim } = row
  return { place: { ...place, domain }, submission: { raw, form, arrivedAt, provenance }, dkim }
}

/** Arrivals in one answer of the database. */
const pageRows = 500

/**
 * Arrivals whose bytes are kept, oldest first, up to the key `last`: from the UTC day `since` on, with one of the
 * `verdicts` on any of their parts; without them all. What changes while this runs may or may not be among them.
 */
export async function* listArrivals(
  db: Database,
  { since, verdicts, last }: { since?: string; verdicts?: readonly string[]; last: string },
): AsyncGenerator<ArrivalPlace> {
  let after: string | undefined
  for (;;) {
    const { rows } = await db.query<ArrivalPlace>(
      `select distinct s.arrived_on as "arrivedOn", s.arrival_key as "arrivalKey"
       from submission s join submission_raw r on r.arrived_on = s.arrived_on and r.arrival_key = s.arrival_key
       where s.arrived_on >= coalesce($1::date, '-infinity') and s.verdict = any(coalesce($2::text[], array[s.verdict]))
         and s.arrival_key > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000') and s.arrival_key <= $4::uuid
       order by s.arrival_key limit $5`,
      [since, verdicts, after, last, pageRows],
    )
    yield* rows
    if (rows.length < pageRows) return
    after = rows.at(-1)!.arrivalKey
  }
}
