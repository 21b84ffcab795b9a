/** Sums over the counted facts, by whatever they bear (RFC 8460 §4.4; DESIGN.md, "Counting honestly"). */
import type { QueryConfig } from 'pg'
import type { Database } from './database.ts'
import { prepared } from './prepared.ts'
import {
  conditions,
  dimensions,
  filterConditions,
  isDetailDimension,
  isOfSome,
  makeBind,
  splitFilters,
} from './question.ts'
import type { Bind, Dimension, Question, TrustScope } from './question.ts'
import { addedUp, asked, isUnverified, list, ofTypes } from './sums.ts'
import { firstOf } from './tally.ts'
import { isOfTotals, isSummaryOfTotals, partsOfTotals, summaryOfTotals, wholeOfTotals } from './total-sums.ts'

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
  const { bind, values } = makeBind()
  const groups = groupBy.map((_, index) => `g${index}`)
  const isGroup = (column: OrderColumn): column is Dimension => groupBy.includes(column as Dimension)
  const first = isGroup(orderBy.column) ? `g${groupBy.indexOf(orderBy.column)}` : orderable[orderBy.column]
  const order = [
    `${first} ${orderBy.descending ? 'desc' : 'asc'} nulls last`,
    ...groups.map((group) => `${group} nulls last`),
  ].join(', ')
  const page = { groupBy, order, limit, offset }
  const text =
    isSummaryOfTotals(question, groupBy) && orderBy.column !== 'reporters'
      ? summaryOfTotals(question, page, bind)
      : summaryOfFacts(question, page, bind)
  const answer = await db.query<NumbersRow & { position: bigint }>(statement(db, question, text, values))
  const [totals, ...rows] = answer.rows
  return {
    totals: readNumbers(totals!),
    rows: rows.map((row) => ({
      group: readGroup(row, groupBy),
      numbers: readNumbers(row),
    })),
  }
}

type Page = Pick<SummaryQuestion, 'groupBy' | 'limit' | 'offset'> & { order: string }

function summaryOfFacts(question: Question, { groupBy, order, limit, offset }: Page, bind: Bind): string {
  const groups = groupBy.map((_, index) => `g${index}`)
  const table = tableOf(question, groupBy)
  const rowsOf = source('fact', table, question, groupBy)
  const isApart = table !== 'policy' && tableOf(question, []) === 'policy' // Then the totals know what succeeded.
  const totalsOf = isApart ? source('told', 'policy', question, []) : source('fact', table, question, [])
  const isSum = !isApart && rowsOf.hasOneType === totalsOf.hasOneType && groupBy.every(isOfReport)
  const rowSums = sums('part', isDetailed(rowsOf), groups, question.trust)
  const items = [...facts(question, groupBy, rowsOf, bind), `part as (${parts(rowsOf, groups)})`]
  const totals =
    isApart && !isOfSome(question) && isSummaryOfTotals(question, []) // The policies of all domains are not read twice.
      ? wholeOfTotals(question, bind)
      : {
          items: [
            ...(isApart && table !== 'tally' ? facts(question, [], totalsOf, bind) : []),
            ...(isSum ? [] : [`totals_part as (${parts(totalsOf, [])})`]),
          ],
          select: sums(isSum ? 'part' : 'totals_part', isDetailed(totalsOf), [], question.trust),
        }
  return `
    with recursive ${list([...items, ...totals.items])}
    select * from (
      select row_number() over (order by ${order}) as position, sums.* from (${rowSums}) sums where facts > 0
    ) ranked where position > ${bind(offset)} and position <= ${bind(offset + limit + 1)}
    union all
    select 0, ${groups.map(() => 'null, ').join('')} totals.* from (${totals.select}) totals
    order by position`
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
  const { bind, values } = makeBind()
  const groups: Dimension[] = splitBy === undefined ? [interval] : [interval, splitBy]
  const names = groups.map((_, index) => `g${index}`)
  const order = names.map((name) => `${name} nulls last`).join(', ')
  const of = source('fact', tableOf(question, groups), question, groups)
  const [head, detailed, from] = isOfTotals(question, groups)
    ? ['', false, `(${partsOfTotals(question, groups, 'true', bind)}) part`]
    : [`with ${list(facts(question, groups, of, bind))}, part as (${parts(of, names)})`, isDetailed(of), 'part']
  const text = `
    ${head}
    select ${list([...names, counts])}
    from (select ${list([...names, addedUp(detailed, question.trust)])} from ${from} group by ${list(names)}) sums
    where facts > 0 order by ${order} limit ${bind(maxRows + 1)}`
  const { rows } = await db.query<CountsRow>(statement(db, question, text, values))
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

/** Policies; their tallies, where nothing else is asked of the failure details; or the details themselves. */
type Table = 'policy' | 'tally' | 'failure_detail'

/** Of all the dimensions that group or filter. */
function tableOf({ filters }: Question, groupBy: readonly Dimension[]): Table {
  const ofDetails = [...groupBy, ...dimensionsOf(filters)].filter(isDetailDimension)
  if (ofDetails.length === 0) return 'policy'
  return ofDetails.every(isTallied) ? 'tally' : 'failure_detail'
}

/** What the tallies know of failure details: dimension -> column of `policy`. */
const ofTally = { result_type: 'tally_result_type', receiving_mx_hostname: 'tally_mx' } as const

const isTallied = (dimension: Dimension): dimension is keyof typeof ofTally => Object.hasOwn(ofTally, dimension)

/** The facts of a question under a name of their own. */
type Source = {
  name: string
  table: Table
  /** It is about one policy type, so nothing is counted twice. */
  hasOneType: boolean
  /** What holds for one fact of each report in a group; undefined where only their keys tell reports apart. */
  isFirst: string | undefined
}

function source(name: string, table: Table, { filters }: Question, groupBy: readonly Dimension[]): Source {
  const asked = new Set([...groupBy, ...dimensionsOf(filters)])
  const hasOne = (dimension: Dimension) => groupBy.includes(dimension) || new Set(filters[dimension]).size === 1
  // Of a report with two of the values that are filtered by, each has its first.
  const isOnce = [...asked].every((dimension) => isOfReport(dimension) || (isTallied(dimension) && hasOne(dimension)))
  return {
    name,
    table,
    hasOneType: hasOne('policy_type'),
    isFirst: table === 'failure_detail' || !isOnce ? undefined : table === 'policy' ? 'seq = 0' : isFirstOf(asked),
  }
}

const isOfReport = (dimension: Dimension): boolean => inReports.includes(dimension)

const inReports: readonly Dimension[] = ['domain', 'organization', 'reporter', 'trust', 'transport', 'day', 'week', 'month'] // prettier-ignore

function isFirstOf(asked: ReadonlySet<Dimension>): string {
  const [ofTypes, ofMx] = [asked.has('result_type'), asked.has('receiving_mx_hostname')]
  return `first_of & ${ofTypes && ofMx ? firstOf.pair : ofTypes ? firstOf.resultType : firstOf.mx} <> 0`
}

/**
 * WITH items, the source last; before tallies there is `told`, their policies. The policies and details of some domains
 * are read once and kept, since planning to read them takes longer than reading the few of a small domain. Those of all
 * domains are read as often as they are asked: to keep millions is to write them to disk.
 */
function facts(question: Question, groupBy: readonly Dimension[], { name, table }: Source, bind: Bind): string[] {
  const kept = isOfSome(question) ? 'materialized' : 'not materialized'
  const groups = groupBy.map((dimension, index) => `${dimensions[dimension]} collate "C" as g${index}`)
  const borne = 'policy_type collate "C" as type, trust, reporter, report_key, day, "primary"'
  const ofPolicy = 'seq, successful, failed, failed - attributed as unattributed'
  if (table !== 'tally') {
    const numbers = table === 'policy' ? ofPolicy : 'failed_session_count as failed'
    return [
      `${name} as ${kept} (
        select ${list([...groups, borne, numbers])} from ${table} where counted and ${conditions(question, bind)})`,
    ]
  }
  const [ofDetails, filters] = splitFilters(question.filters)
  const elements = [...new Set([...groupBy, ...dimensionsOf(ofDetails)])].filter(isTallied)
  const asked = 'domain, policy_domain, policy_type, policy_mode, organization, transport'
  const tallies = [...elements.map((dimension) => ofTally[dimension]), 'tally_failed', 'tally_first']
  return [
    `told as ${kept} (
      select ${list([borne, ofPolicy, asked, ...tallies])}
      from policy where counted and ${conditions({ ...question, filters }, bind)})`,
    `${name} as (
      select ${list([...groups, borne, 'tallied as failed', 'first_of'])}
      from (select *, ${list(elements.map((dimension) => `unnest(${ofTally[dimension]}) as ${dimension}`))},
              unnest(tally_failed) as tallied, unnest(tally_first) as first_of from told) element
      where ${['true', ...filterConditions(ofDetails, bind)].join(' and ')})`,
  ]
}

/**
 * What adds up within each group, type and reporter. Without a policy type to filter or group by, only primary policies
 * count: the others may describe the same sessions. They still make a row, and are told by type. Where no fact stands for
 * its report the reports take a pass of their own, so that Postgres hashes both. (With count(distinct) over all it sorts
 * every fact: twice as long for 43,000 details.)
 */
function parts({ name, table, hasOneType, isFirst }: Source, groups: readonly string[]): string {
  const primary = hasOneType ? 'true' : '"primary"'
  const ofPolicies = (column: string) =>
    table === 'policy' ? `sum(${column}) filter (where ${primary})` : 'null::numeric'
  const sums = `
    select ${list([...groups, 'type, trust, reporter'])},
      ${ofPolicies('successful')} as successful, sum(failed) filter (where ${primary}) as failed,
      ${ofPolicies('unattributed')} as unattributed, sum(failed) as failed_of_type,
      min(day) as first_seen, max(day) as last_seen,
      ${isFirst === undefined ? 'null::bigint' : `count(*) filter (where ${isFirst})`} as reports
    from ${name} group by ${list([...groups, 'type', 'trust', 'reporter'])}`
  if (isFirst !== undefined) return sums
  return `${sums}
    union all
    select ${list([...groups, 'null, trust, null, null, null, null, null, null, null, count(*)'])}
    from (select distinct ${list([...groups, 'trust', 'report_key'])} from ${name}) report
    group by ${list([...groups, 'trust'])}`
}

/** The parts put together for each group. */
function sums(from: string, detailed: boolean, groups: readonly string[], trust: TrustScope): string {
  const main = asked[trust]
  return `
    select ${list([...groups, addedUp(detailed, trust)])},
      count(distinct reporter) filter (where ${main} and not ${isUnverified}) as reporters,
      ${ofTypes} filter (where type is not null and ${main}) as failed_of_types
    from ${from} ${groups.length > 0 ? `group by ${list(groups)}` : ''}`
}

const statement = (db: Database, question: Question, text: string, values: unknown[]): QueryConfig =>
  isOfSome(question) ? prepared(db, text, values) : { text, values }

/** Sessions that succeeded are not in it. */
const isDetailed = ({ table }: Source): boolean => table !== 'policy'

const dimensionsOf = (filters: Question['filters']) => Object.keys(filters) as Dimension[]

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
