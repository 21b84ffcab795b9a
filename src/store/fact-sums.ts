/** Questions that the counted facts answer: policies (RFC 8460 §4.4), their tallies, or their failure details. */
import {
  conditions,
  dimensions,
  filterConditions,
  isDetailDimension,
  isOfSome,
  splitFilters,
  type Bind,
  type Dimension,
  type Filters,
  type Question,
  type TrustScope,
} from './question.ts'
import { addedUp, asked, isUnverified, list, ofTypes, type Page } from './sums.ts'
import { firstOf } from './tally.ts'
import { isSummaryOfTotals, wholeOfTotals, type Adding } from './total-sums.ts'

/** The statement of `summarize` (aggregates.ts), whatever is asked. */
export function summaryOfFacts(
  question: Question,
  { groupBy, order, limit, offset }: Page,
  bind: Bind,
  adding: Adding,
): string {
  const groups = groupBy.map((_, index) => `g${index}`)
  const table = tableOf(question, groupBy)
  const whose = table === 'tally' && isOfSome(question) ? 'heard' : 'reporter'
  const rowsOf = source('fact', table, question, groupBy, whose)
  const isApart = table !== 'policy' && tableOf(question, []) === 'policy' // Then the totals know what succeeded.
  const totalsOf = isApart ? source('told', 'policy', question, [], whose) : source('fact', table, question, [], whose)
  const isOfDays = isApart && isSummaryOfTotals(question, []) // Then the policies are not read for the totals.
  const isSum = !isApart && rowsOf.hasOneType === totalsOf.hasOneType && groupBy.every(isOfReport)
  const rowSums = sums('part', rowsOf, groupBy, question.trust)
  const items = [
    ...facts(question, groupBy, rowsOf, isOfDays ? undefined : totalsOf, bind),
    `part as (${parts(rowsOf, groups)})`,
  ]
  const totals = isOfDays
    ? wholeOfTotals(question, bind, adding)
    : {
        items: [
          ...(isApart && table !== 'tally' ? facts(question, [], totalsOf, undefined, bind) : []),
          ...(isSum ? [] : [`totals_part as (${parts(totalsOf, [])})`]),
        ],
        select: sums(isSum ? 'part' : 'totals_part', totalsOf, [], question.trust),
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

/** Sums by `groupBy` as g0, g1, ..., with the columns of `addedUp`: WITH items, and a SELECT. */
export function seriesOfFacts(
  question: Question,
  groupBy: readonly Dimension[],
  bind: Bind,
): { items: string[]; select: string } {
  const groups = groupBy.map((_, index) => `g${index}`)
  const of = source('fact', tableOf(question, groupBy), question, groupBy, undefined)
  return {
    items: [...facts(question, groupBy, of, undefined, bind), `part as (${parts(of, groups)})`],
    select: `select ${list([...asText(groupBy), addedUp(isDetailed(of), question.trust)])} from part group by ${list(groups)}`,
  }
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
  whose: Whose | undefined
}

/**
 * How verified reporters are told apart, where anybody asks how many there are. 'reporter': by name. 'heard': each has a
 * bit of its own, so that they add up as sessions do. Numbering them takes one more pass, over policies; hashing their
 * names with each element of the tallies takes a third of all (docs/performance.md).
 */
type Whose = 'heard' | 'reporter'

function source(
  name: string,
  table: Table,
  { filters }: Question,
  groupBy: readonly Dimension[],
  whose: Whose | undefined,
): Source {
  const asked = new Set([...groupBy, ...dimensionsOf(filters)])
  const hasOne = (dimension: Dimension) => groupBy.includes(dimension) || new Set(filters[dimension]).size === 1
  // Of a report with two of the values that are filtered by, each has its first.
  const isOnce = [...asked].every((dimension) => isOfReport(dimension) || (isTallied(dimension) && hasOne(dimension)))
  return {
    name,
    table,
    hasOneType: hasOne('policy_type'),
    isFirst: table === 'failure_detail' || !isOnce ? undefined : table === 'policy' ? 'seq = 0' : isFirstOf(asked),
    whose,
  }
}

const isOfReport = (dimension: Dimension): boolean => inReports.includes(dimension)

const inReports: readonly Dimension[] = ['domain', 'organization', 'reporter', 'trust', 'transport', 'day', 'week', 'month'] // prettier-ignore

function isFirstOf(asked: ReadonlySet<Dimension>): string {
  const [ofTypes, ofMx] = [asked.has('result_type'), asked.has('receiving_mx_hostname')]
  return `first_of & ${ofTypes && ofMx ? firstOf.pair : ofTypes ? firstOf.resultType : firstOf.mx} <> 0`
}

/** Columns that are no text, and what makes them text: of the few groups that there are, not of each fact. */
const madeText: Partial<Record<Dimension, (group: string) => string>> = {
  day: (group) => `${group}::text`,
  sending_mta_ip: (group) => `host(${group})`,
  receiving_ip: (group) => `host(${group})`,
}

/** Columns of policies that are carried along only where they group. */
const onlyGrouping: readonly Dimension[] = ['domain', 'policy_domain', 'policy_mode', 'organization', 'transport', 'reporter'] // prettier-ignore

const borne = 'trust, day, "primary"'
const ofPolicy = 'seq, successful, failed, failed - attributed as unattributed'

/**
 * WITH items, the source last; before tallies there is `told`, their policies. `totals` is what else is to be made of
 * either. The policies and details of some domains are read once and kept, since planning to read them takes longer than
 * reading the few of a small domain. Those of all domains are read as often as they are asked: to keep millions is to
 * write them to disk.
 */
function facts(
  question: Question,
  groupBy: readonly Dimension[],
  of: Source,
  totals: Source | undefined,
  bind: Bind,
): string[] {
  const groups = groupBy.map((dimension, index) =>
    dimension in madeText ? `${dimension} as g${index}` : `${dimensions[dimension]} collate "C" as g${index}`,
  )
  const type = 'policy_type collate "C" as type'
  const read = (name: string, columns: readonly string[], table: string, filters: Filters) => {
    const kept = isOfSome(question) ? 'materialized' : 'not materialized'
    const select = `select ${list(columns)} from ${table} where counted and ${conditions({ ...question, filters }, bind)}`
    return of.whose === 'heard' ? heardIn(name, select) : [`${name} as ${kept} (${select})`]
  }
  if (of.table !== 'tally') {
    const numbers = of.table === 'policy' ? ofPolicy : 'failed_session_count as failed'
    return read(of.name, [...groups, type, borne, 'reporter, report_key', numbers], of.table, question.filters)
  }
  const [ofDetails, filters] = splitFilters(question.filters)
  const elements = [...new Set([...groupBy, ...dimensionsOf(ofDetails)])].filter(isTallied)
  const tallies = [...elements.map((dimension) => ofTally[dimension]), 'tally_failed', 'tally_first']
  const taken = elements.map((dimension) => `unnest(${ofTally[dimension]}) as ${dimension}`)
  // What is kept is written, and what is carried along is copied for each element: no more than is asked for.
  const columns = groupBy.filter((dimension) => onlyGrouping.includes(dimension))
  const areToldApart = [of, ...(totals?.name === of.name ? [totals] : [])].some(({ isFirst }) => isFirst === undefined)
  const ofReport = areToldApart ? ['report_key'] : []
  const carried = [borne, ...(of.whose ? [of.whose] : []), ...ofReport]
  const ofTotals = totals?.name === 'told' ? [type, ofPolicy, 'report_key'] : ofReport
  return [
    ...read(
      'told',
      [...new Set([...columns, 'policy_type', borne, 'reporter', ...ofTotals]), ...tallies],
      'policy',
      filters,
    ),
    `${of.name} as (
      select ${list([...groups, type, ...carried, 'tallied as failed', 'first_of'])}
      from (select ${list([...new Set([...columns, 'policy_type', ...carried]), ...taken])},
              unnest(tally_failed) as tallied, unnest(tally_first) as first_of
            from told) element
      where ${['true', ...filterConditions(ofDetails, bind)].join(' and ')})`,
  ]
}

/** What was read, kept, and with each row whom it is heard from: bits as many as there are reporters, one of them set. */
const heardIn = (name: string, select: string): string[] => [
  `${name}_read as materialized (${select})`,
  `${name}_reporter as (
    select reporter, set_bit(repeat('0', count(*) over ()::int)::bit varying, row_number() over ()::int - 1, 1) as heard
    from (select distinct reporter from ${name}_read where reporter is not null) reporter)`,
  `${name} as not materialized (select * from ${name}_read left join ${name}_reporter using (reporter))`,
]

/**
 * What adds up within each group and type. Without a policy type to filter or group by, only primary policies count: the
 * others may describe the same sessions. They still make a row, and are told by type. Where no fact stands for its report
 * the reports take a pass of their own, so that Postgres hashes both. (With count(distinct) over all it sorts every fact:
 * twice as long for 43,000 details.)
 */
function parts({ name, table, hasOneType, isFirst, whose }: Source, groups: readonly string[]): string {
  // Few are not primary, so little is added up twice.
  const ofPrimary = (column: string) =>
    `sum(${column})${hasOneType ? '' : ` - coalesce(sum(${column}) filter (where not "primary"), 0)`}`
  const ofPolicies = (column: string) => (table === 'policy' ? ofPrimary(column) : 'null::numeric')
  const keys = [...groups, 'type', 'trust', ...(whose === 'reporter' ? [whose] : [])]
  const heard = whose === 'heard' ? ', bit_or(heard) as heard' : ''
  const sums = `
    select ${list(keys)},
      ${ofPolicies('successful')} as successful, ${ofPrimary('failed')} as failed,
      ${ofPolicies('unattributed')} as unattributed, sum(failed) as failed_of_type,
      min(day) as first_seen, max(day) as last_seen,
      ${isFirst === undefined ? 'null::bigint' : `count(*) filter (where ${isFirst})`} as reports ${heard}
    from ${name} group by ${list(keys)}`
  if (isFirst !== undefined) return sums
  const nobody = whose === 'reporter' ? ', null' : ''
  return `${sums}
    union all
    select ${list([...groups, `null, trust ${nobody}, null, null, null, null, null, null, count(*) ${heard && ', null'}`])}
    from (select distinct ${list([...groups, 'trust', 'report_key'])} from ${name}) report
    group by ${list([...groups, 'trust'])}`
}

/** The parts put together for each group, with how many reporters they are of. */
function sums(from: string, of: Source, groupBy: readonly Dimension[], trust: TrustScope): string {
  const main = asked[trust]
  const isVouched = `filter (where ${main} and not ${isUnverified})`
  return `
    select ${list([...asText(groupBy), addedUp(isDetailed(of), trust)])},
      ${of.whose === 'heard' ? `coalesce(bit_count(bit_or(heard) ${isVouched}), 0)` : `count(distinct reporter) ${isVouched}`} as reporters,
      ${ofTypes} filter (where type is not null and ${main}) as failed_of_types
    from ${from} ${groupBy.length > 0 ? `group by ${list(groupBy.map((_, index) => `g${index}`))}` : ''}`
}

const asText = (groupBy: readonly Dimension[]): string[] =>
  groupBy.map((dimension, index) => {
    const text = madeText[dimension]?.(`g${index}`)
    return text === undefined ? `g${index}` : `${text} collate "C" as g${index}`
  })

/** Sessions that succeeded are not in it. */
const isDetailed = ({ table }: Source): boolean => table !== 'policy'

const dimensionsOf = (filters: Filters) => Object.keys(filters) as Dimension[]
