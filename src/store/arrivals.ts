/** Rows of `submission` and `submission_raw`: every arrival with its verdict, and the bytes it came as. */
import { utcDay } from '../tlsrpt/dates.ts'
import type { Refusal, Submission } from '../tlsrpt/submission.ts'
import type { Accepted, Outcome, Quarantined } from '../tlsrpt/verdict.ts'
import type { Share } from './claims.ts'
import type { ColumnValue } from './binary.ts'
import { copyTable, type RowGroup, type TableRows } from './copy-data.ts'
import { jsonText } from './json-text.ts'
import { isStrangers } from './quota.ts'

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
export const arrivalDay = ({ submission }: Arrival): string => utcDay(submission.arrivedAt)

/**
 * The verdicts, one row for each part, and the bytes, once for each arrival that has any to keep. `tellers` are the keys
 * of the parts that a claim now goes by.
 */
export const arrivalRows = (arrivals: readonly DecidedArrival[], tellers: ReadonlySet<string>): TableRows[] => [
  { table: submissionTable, groups: submissionRows(arrivals) },
  { table: rawTable, groups: [{ shared: [], rows: rawRows(arrivals, tellers) }] },
]

/** What `submissionRow` has a value for. */
export const submissionTable = copyTable('submission', [
  ['arrived_on', 'date'],
  ['key', 'uuid'],
  ['domain', 'text'],
  ['domains', 'text[]'],
  ['arrival_key', 'uuid'],
  ['part', 'smallint'],
  ['arrived_at', 'timestamptz'],
  ['transport', 'text'],
  ['provenance', 'jsonb'],
  ['verdict', 'text'],
  ['reason', 'text'],
  ['trust', 'text'],
  ['reporter', 'text'],
  ['anomalies', 'jsonb'],
  ['problems', 'jsonb'],
  ['dkim', 'jsonb'],
  ['reports', 'jsonb'],
])

const rawTable = copyTable('submission_raw', [
  ['arrived_on', 'date'],
  ['domain', 'text'],
  ['arrival_key', 'uuid'],
  ['arrived_at', 'timestamptz'],
  ['form', 'text'],
  ['refused', 'boolean'],
  ['source', 'text'],
  ['bytes', 'bytea'],
])

function* submissionRows(arrivals: readonly DecidedArrival[]): Generator<RowGroup> {
  for (const { arrival, key, parts, outcomes } of arrivals) {
    const rows = parts.map((part, seq) =>
      submissionRow(arrival.submission, key, { ...part, seq, domains: domainsOf(part) }, outcomes[seq]!),
    )
    yield { shared: [], rows }
  }
}

/** `seq` is the part's place within the arrival; `domains` are those of ours in it, sorted. */
export function submissionRow(
  { arrivedAt, provenance }: Submission,
  arrivalKey: string,
  { seq, key, judged, domains }: { seq: number; key: string; judged: JudgedPart; domains: readonly string[] },
  outcome: Outcome,
): ColumnValue[] {
  const { judgement, dkim } = judged
  return [
    arrivedAt,
    key,
    domains[0] ?? '',
    domains,
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

function* rawRows(arrivals: readonly DecidedArrival[], tellers: ReadonlySet<string>): Generator<ColumnValue[]> {
  for (const decided of arrivals) {
    const { arrival, key, parts } = decided
    if (!keepsBytes(decided, tellers)) continue
    const { arrivedAt, form, raw } = arrival.submission
    const domain = parts.flatMap(domainsOf)[0] ?? ''
    const isExpendable = parts.every((part) => isRefused(part) || isOutdated(part, arrival))
    yield [arrivedAt, domain, key, arrivedAt, form, isExpendable, arrival.source, raw]
  }
}

/**
 * Not what is too large: that is the point of the limit. Nor what a stranger sends again: the bytes of the first arrival
 * say the same, and he may repeat himself as often as he likes, with whatever no signature covers around it.
 */
function keepsBytes({ arrival, parts, outcomes }: DecidedArrival, tellers: ReadonlySet<string>): boolean {
  if (parts.every(({ judged }) => judged.judgement.kind === 'too-large')) return false
  if (arrival.submission.provenance.transport === 'file') return true
  return outcomes.some(({ kind }) => kind !== 'duplicate') || parts.some(({ key }) => tellers.has(key))
}

const isRefused = ({ judged }: KeyedPart): boolean => 'problems' in judged.judgement

/** A stranger's report older than the retention. No quota sees what has no facts, so the bound on refused bytes holds it. */
const isOutdated = ({ judged: { judgement }, shares }: KeyedPart, { submission }: Arrival): boolean =>
  judgement.kind === 'accepted' &&
  shares.length === 0 &&
  isStrangers({ trust: judgement.trust, transport: submission.provenance.transport })

const domainsOf = ({ judged: { judgement } }: KeyedPart): readonly string[] =>
  judgement.kind === 'accepted' ? judgement.domains : []
