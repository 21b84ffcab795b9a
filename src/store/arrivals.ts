/** Rows of `submission` and `submission_raw`: every arrival with its verdict, and the bytes it came as. */
import type { Refusal, Submission } from '../tlsrpt/submission.ts'
import type { Accepted, Outcome, Quarantined } from '../tlsrpt/verdict.ts'
import type { Share } from './claims.ts'
import type { CopyValue, TableRows } from './copy.ts'
import { jsonText, textArray } from './literals.ts'

/** One submission with what became of each report part in it. `source` is the network of the peer, for eviction. */
export type Arrival = { submission: Submission; source: string; parts: JudgedPart[] }

/** `dkim` is kept as jsonb as it is. */
export type JudgedPart = { judgement: Accepted | Refusal | Quarantined; dkim: readonly object[] }

/** An arrival on its way into the store: with keys for itself and its parts, and what each part says about our domains. */
export type KeyedArrival = { arrival: Arrival; key: string; parts: KeyedPart[] }
export type KeyedPart = { key: string; judged: JudgedPart; shares: Share[] }
/** One outcome for each part. */
export type DecidedArrival = KeyedArrival & { outcomes: Outcome[] }

/** UTC day of arrival, YYYY-MM-DD: the partition. */
export const arrivalDay = ({ submission }: Arrival): string => dayOf(submission.arrivedAt)

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

/** The verdicts, one row for each part, and the bytes, once for each arrival. */
export function arrivalRows(arrivals: readonly DecidedArrival[]): TableRows[] {
  return [
    { into: submissionInto, rows: submissionRows(arrivals) },
    {
      into: 'submission_raw (arrived_on, domain, arrival_key, arrived_at, form, refused, source, bytes)',
      rows: rawRows(arrivals),
    },
  ]
}

/** What `submissionRow` has a value for. */
export const submissionInto = `submission (arrived_on, key, domain, domains, arrival_key, part, arrived_at, transport, provenance, verdict,
  reason, trust, reporter, anomalies, problems, dkim, reports)`

function* submissionRows(arrivals: readonly DecidedArrival[]): Generator<CopyValue[]> {
  for (const { arrival, key, parts, outcomes } of arrivals) {
    for (const [seq, part] of parts.entries()) {
      const { key: partKey, judged } = part
      yield submissionRow(
        arrival.submission,
        key,
        { seq, key: partKey, judged, domains: domainsOf(part) },
        outcomes[seq]!,
      )
    }
  }
}

/** `seq` is the part's place within the arrival; `domains` are those of ours in it, sorted. */
export function submissionRow(
  { arrivedAt, provenance }: Submission,
  arrivalKey: string,
  { seq, key, judged, domains }: { seq: number; key: string; judged: JudgedPart; domains: readonly string[] },
  outcome: Outcome,
): CopyValue[] {
  const { judgement, dkim } = judged
  return [
    dayOf(arrivedAt),
    key,
    domains[0] ?? '',
    textArray(domains),
    arrivalKey,
    seq,
    arrivedAt,
    provenance.transport,
    jsonText(provenance),
    outcome.kind,
    'reason' in judgement ? judgement.reason : undefined,
    'trust' in judgement ? judgement.trust : undefined,
    'reporter' in judgement ? judgement.reporter : undefined,
    jsonText('anomalies' in judgement ? judgement.anomalies : []),
    jsonText('problems' in judgement ? judgement.problems : []),
    jsonText(dkim),
    jsonText('reports' in outcome ? outcome.reports : []),
  ]
}

function* rawRows(arrivals: readonly DecidedArrival[]): Generator<CopyValue[]> {
  for (const { arrival, key, parts } of arrivals) {
    // What is too large is not kept, not even as bytes: that is the point of the limit.
    if (parts.every(({ judged }) => judged.judgement.kind === 'too-large')) continue
    const { arrivedAt, form, raw } = arrival.submission
    const domain = parts.flatMap(domainsOf)[0] ?? ''
    yield [arrivalDay(arrival), domain, key, arrivedAt, form, parts.every(isRefused), arrival.source, raw]
  }
}

const isRefused = ({ judged }: KeyedPart): boolean => 'problems' in judged.judgement

const domainsOf = ({ shares }: KeyedPart): string[] => shares.map(({ domainReport }) => domainReport.domain)
