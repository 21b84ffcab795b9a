/** Sums over the counted facts, by whatever they bear (RFC 8460 §4.4; DESIGN.md, "Counting honestly"). */
import { isOutOfRange, type Database } from './database.ts'
import { prepared } from './prepared.ts'
import { seriesOfFacts, summaryOfFacts } from './fact-sums.ts'
import { isOfSome, makeBind, type Bind, type Dimension, type Question } from './question.ts'
import { list } from './sums.ts'
import { isOfTotals, isSummaryOfTotals, seriesOfTotals, summaryOfTotals, type Adding } from './total-sums.ts'

/**
 * What a group of facts adds up to, over the trust that was asked for. Sessions that succeeded belong to a policy, not
 * to a failure detail: where a dimension of the details groups or filters, null stands for what nobody can know.
 */
export type Numbers = Counts & {
  /** failed / (successful + failed); null where there were no sessions. */
  failureRate: number | null
  /** All policy types seen, also those whose counts are not in `failed` because they may describe the same sessions. */
  failedByPolicyType: Record<string, bigint>
  /** `failed` minus what the failure details add up to, either sign. */
  unattributedFailed: bigint | null
  /** Verified ones. */
  reporters: bigint
  /** 'YYYY-MM-DD', the first and the last day with a report. */
  firstSeen: string | null
  lastSeen: string | null
}

/** Sessions and reports; `unverified` is the same over what nobody stands behind, always beside the others. */
export type Counts = Sessions & { unverified: Sessions }

type Sessions = { successful: bigint | null; failed: bigint; reports: bigint }

export type SummaryRow = { group: Partial<Record<Dimension, string | null>>; numbers: Numbers }

/** Numbers that a summary can be ordered by, beside its own groupings: name -> SQL expression. */
const orderable = {
  successful: 'successful',
  failed: 'failed',
  failure_rate: 'failed / nullif(successful + failed, 0)',
  unattributed_failed: 'unattributed',
  reports: 'reports',
  reporters: 'reporters',
  first_seen: 'first_seen',
  last_seen: 'last_seen',
} as const

export type OrderColumn = keyof typeof orderable | Dimension

export const orderableNames = Object.keys(orderable) as [keyof typeof orderable, ...(keyof typeof orderable)[]]

export type SummaryQuestion = Question & {
  groupBy: readonly Dimension[]
  /** A dimension must be one of `groupBy`. Ties are ordered by the groups, absent values last. */
  orderBy: { column: OrderColumn; descending: boolean }
  limit: number
  /** Groups before the first one wanted. */
  offset: number
}

/**
 * One row for each group with a fact on either side of trust, and `totals`: the same question without grouping. At
 * most limit + 1 rows, so that the caller sees whether there are more. One statement, so rows and totals agree.
 */
export async function summarize(
  db: Database,
  question: SummaryQuestion,
): Promise<{ rows: SummaryRow[]; totals: Numbers }> {
  const { groupBy, orderBy, limit, offset } = question
  const groups = groupBy.map((_, index) => `g${index}`)
  const isGroup = (column: OrderColumn): column is Dimension => groupBy.includes(column as Dimension)
  const first = isGroup(orderBy.column) ? `g${groupBy.indexOf(orderBy.column)}` : orderable[orderBy.column]
  const order = [
    `${first} ${orderBy.descending ? 'desc' : 'asc'} nulls last`,
    ...groups.map((group) => `${group} nulls last`),
  ].join(', ')
  const page = { groupBy, order, limit, offset }
  const textOf =
    isSummaryOfTotals(question, groupBy) && orderBy.column !== 'reporters' ? summaryOfTotals : summaryOfFacts
  const answer = await addingUp<NumbersRow & { position: bigint }>(db, question, (bind, adding) =>
    textOf(question, page, bind, adding),
  )
  const [totals, ...rows] = answer
  return {
    totals: readNumbers(totals!),
    rows: rows.map((row) => ({
      group: readGroup(row, groupBy),
      numbers: readNumbers(row),
    })),
  }
}

export type TimeseriesQuestion = Question & {
  interval: 'day' | 'week' | 'month'
  splitBy: Dimension | undefined
  maxRows: number
}

export type TimeseriesRow = {
  /** First day of the interval. */
  bucket: string
  /** Null also where nothing splits. */
  split: string | null
} & Counts

/** The sums by interval, oldest first; no row for an interval without a report. At most maxRows + 1 rows. */
export async function timeseries(db: Database, question: TimeseriesQuestion): Promise<TimeseriesRow[]> {
  const { interval, splitBy, maxRows } = question
  const groups: Dimension[] = splitBy === undefined ? [interval] : [interval, splitBy]
  const names = groups.map((_, index) => `g${index}`)
  const order = names.map((name) => `${name} nulls last`).join(', ')
  const seriesOf = isOfTotals(question, groups) ? seriesOfTotals : seriesOfFacts
  const rows = await addingUp<CountsRow>(db, question, (bind, adding) => {
    const { items, select } = seriesOf(question, groups, bind, adding)
    return `
      with ${list(items)}
      select ${list([...names, counts])} from (${select}) sums
      where facts > 0 order by ${order} limit ${bind(maxRows + 1)}`
  })
  return rows.map((row) => ({
    bucket: row.g0!,
    split: row.g1 ?? null,
    ...readCounts(row),
  }))
}

/** Of what addedUp has. */
const counts = 'successful, failed, reports, unverified_successful, unverified_failed, unverified_reports'

/** As node-postgres gives them: numeric is text. The groups are g0, g1, ... */
type CountsRow = Record<`g${number}`, string | null> & {
  successful: string | null
  failed: string
  reports: bigint
  unverified_successful: string | null
  unverified_failed: string
  unverified_reports: bigint
}

type NumbersRow = CountsRow & {
  unattributed: string | null
  reporters: bigint
  first_seen: string | null
  last_seen: string | null
  /** [type, sum], a type as often as it has reporters; null where there is nothing. */
  failed_of_types: [type: string, sum: string][] | null
}

/** The rows of a statement; where its sums are too large for the quick way of adding up, made by the other one. */
async function addingUp<Row extends object>(
  db: Database,
  question: Question,
  textOf: (bind: Bind, adding: Adding) => string,
): Promise<Row[]> {
  const ask = async (adding: Adding): Promise<Row[]> => {
    const { bind, values } = makeBind()
    const text = textOf(bind, adding)
    return (await db.query<Row>(isOfSome(question) ? prepared(db, text, values) : { text, values })).rows
  }
  try {
    return await ask('sum_bigint')
  } catch (error) {
    if (!isOutOfRange(error)) throw error
    return ask('sum')
  }
}

const readGroup = (row: CountsRow, groupBy: readonly Dimension[]): SummaryRow['group'] =>
  Object.fromEntries(groupBy.map((name, index) => [name, row[`g${index}`]]))

function readNumbers(row: NumbersRow): Numbers {
  const counts = readCounts(row)
  const sessions = counts.successful === null ? 0n : counts.successful + counts.failed
  return {
    ...counts,
    failureRate: sessions === 0n ? null : Number(counts.failed) / Number(sessions),
    failedByPolicyType: sumByType(row.failed_of_types ?? []),
    unattributedFailed: row.unattributed === null ? null : BigInt(row.unattributed),
    reporters: row.reporters,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
  }
}

/** Sums out of jsonb, where they are text because a JSON number would be rounded. A Map: a type may be '__proto__'. */
export function sumByType(sums: readonly [type: string, sum: string][]): Record<string, bigint> {
  const byType = new Map<string, bigint>()
  for (const [type, sum] of sums) byType.set(type, (byType.get(type) ?? 0n) + BigInt(sum))
  // Sorted: Postgres hashes, and another one, with the same rows, may have another order.
  return Object.fromEntries([...byType].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const readCounts = (row: CountsRow): Counts => ({
  successful: row.successful === null ? null : BigInt(row.successful),
  failed: BigInt(row.failed),
  reports: row.reports,
  unverified: {
    successful: row.unverified_successful === null ? null : BigInt(row.unverified_successful),
    failed: BigInt(row.unverified_failed),
    reports: row.unverified_reports,
  },
})
