/**
 * Questions that day_total answers: it has a row where the facts have hundreds. What it does not have is who reported,
 * and that is looked up in the indexes of `report`, for what is shown only (DESIGN.md, The store).
 */
import { conditions, dimensions, isOfSome, type Bind, type Dimension, type Question } from './question.ts'
import { addedUp, asked, list, ofTypes, type Page } from './sums.ts'

const inTotals: readonly Dimension[] = ['domain', 'trust', 'day', 'week', 'month']

/** `groupBy` and what is filtered by are columns of day_total. */
export const isOfTotals = ({ filters }: Question, groupBy: readonly Dimension[]): boolean =>
  [...groupBy, ...(Object.keys(filters) as Dimension[])].every((dimension) => inTotals.includes(dimension))

/** The same, and who reported can be found by an index. */
export const isSummaryOfTotals = (question: Question, groupBy: readonly Dimension[]): boolean =>
  isOfTotals(question, groupBy) && !times.some((name) => question.filters[name] !== undefined)

const times: readonly Dimension[] = ['day', 'week', 'month']

/**
 * The aggregate that adds up day_total: 'sum_bigint' (migrations/0013_sum_bigint.sql), or 'sum' where what comes of it is too
 * large for that.
 */
export type Adding = 'sum_bigint' | 'sum'

/** The series of isOfTotals, as seriesOfFacts (fact-sums.ts) has it. */
export function seriesOfTotals(
  question: Question,
  groupBy: readonly Dimension[],
  bind: Bind,
  adding: Adding,
): { items: string[]; select: string } {
  const groups = groupBy.map((_, index) => `g${index}`)
  return {
    items: [`part as (${partsOfTotals(question, groupBy, { where: 'true', byType: false }, bind, adding)})`],
    select: `select ${list([...groups, addedUp(false, question.trust)])} from part group by ${list(groups)}`,
  }
}

const summed = ['successful', 'failed', 'reports'] as const

type Parts = {
  /** One more condition. */
  where: string
  /** By policy type too, with what failed of it. Over all domains by day it takes 52 ms without, and 60 with it. */
  byType: boolean
}

/** A SELECT of parts for addedUp: g0, g1, ... and the sums by trust, `type` being no type where nobody asks for it. */
function partsOfTotals(
  question: Question,
  groupBy: readonly Dimension[],
  { where, byType }: Parts,
  bind: Bind,
  adding: Adding,
): string {
  const groups = groupBy.map((name, index) => `${dimensions[name]} collate "C" as g${index}`)
  const ownKeys = groupBy.map((name) => (times.includes(name) ? 'day' : name))
  const keys = [...new Set([...ownKeys, ...(byType ? ['policy_type'] : []), 'trust'])]
  const numbers = byType ? [...summed, 'failed_of_type'] : summed
  const sums = [...numbers, 'attributed'].map((column) => `${adding}(${column}) as ${column}`)
  const type = byType ? 'policy_type' : "''"
  // Days are made text, weeks and months when there are few rows left.
  return `
    select ${list([...groups, `${type} as type`, 'trust', ...numbers])}, failed - attributed as unattributed, first_seen, last_seen
    from (
      select ${list([...keys, ...sums])}, min(day) as first_seen, max(day) as last_seen
      from day_total where ${where} and ${conditions(question, bind)} group by ${list(keys)}
    ) total`
}

const ofPolicies: Parts = { where: 'policies > 0', byType: true }

/** The statement of `summarize` (aggregates.ts), where isSummaryOfTotals and the order is not by reporters. */
export function summaryOfTotals(
  question: Question,
  { groupBy, order, limit, offset }: Page,
  bind: Bind,
  adding: Adding,
): string {
  const groups = groupBy.map((_, index) => `g${index}`)
  const own = ['position', ...groups.map((group) => `page.${group}`)]
  const isSame = (other: string) => groups.map((group) => `page.${group} = ${other}.${group}`).join(' and ') || 'true'
  const sums = `select ${list([...groups, addedUp(false, question.trust)])} from part ${groups.length > 0 ? `group by ${list(groups)}` : ''}`
  const isByDomain = groupBy.includes('domain')
  // The sums that nothing is ordered by are left out by Postgres here, and made for the few groups on the page.
  return `
    with recursive part as (${partsOfTotals(question, groupBy, ofPolicies, bind, adding)}),
    page as (
      select ${list(['position', ...groups])}
      from (select ${list([`row_number() over (order by ${order}) as position`, ...groups])} from (${sums}) sums where facts > 0) ranked
      where position > ${bind(offset)} and position <= ${bind(offset + limit + 1)}
    ), whole_part as (
      select ${list(['type', 'trust', ...[...summed, 'failed_of_type', 'unattributed'].map((column) => `${adding}(${column}) as ${column}`)])},
        min(first_seen) as first_seen, max(last_seen) as last_seen
      from part group by type, trust
    ), ${heard(question, groupBy, bind)}
    select ${list([...own, addedUp(false, question.trust)])},
      ${isByDomain ? heardOfDomain(question, groupBy, bind) : 'coalesce(heard_in.reporters, 0)'} as reporters,
      ${ofTypes} filter (where ${asked[question.trust]}) as failed_of_types
    from page join part on ${isSame('part')} ${isByDomain ? '' : `left join (${heardIn(groupBy)}) heard_in on ${isSame('heard_in')}`}
    group by ${list([...own, ...(isByDomain ? [] : ['heard_in.reporters'])])}
    union all
    select 0, ${groups.map(() => 'null, ').join('')} whole.* from (${wholeOf(question)}) whole
    order by position`
}

/** One row with the columns of a summary's totals, of `whole_part` and of `heard`. */
const wholeOf = ({ trust }: Question): string => `
  select ${addedUp(false, trust)}, (select count(distinct reporter) from heard where day is not null) as reporters,
    ${ofTypes} filter (where ${asked[trust]}) as failed_of_types
  from whole_part`

/** The totals of a summary, where isSummaryOfTotals without grouping: items of a WITH RECURSIVE, and a SELECT. */
export const wholeOfTotals = (question: Question, bind: Bind, adding: Adding): { items: string[]; select: string } => ({
  items: [`whole_part as (${partsOfTotals(question, [], ofPolicies, bind, adding)})`, heard(question, [], bind)],
  select: wholeOf(question),
})

/**
 * WITH items; `heard` has each verified reporter with a counted report, and each day of it where a time groups: a row
 * without a day says nothing. Over all domains they are walked to from one to the next by the index on reporter and day,
 * whole months so that no entry is passed over: a step for each, however many reports there are.
 */
function heard(question: Question, groupBy: readonly Dimension[], bind: Bind): string {
  if (isNobodyAsked(question)) return 'heard as (select null::text as reporter, null::date as day where false)'
  const daily = groupBy.some((name) => times.includes(name)) && !groupBy.includes('domain')
  if (isOfSome(question))
    return `heard as (
      select reporter, ${daily ? 'day' : 'min(day) as day'} from report
      where counted and reporter is not null and ${conditions(question, bind)} group by ${daily ? 'reporter, day' : 'reporter'})`
  const from = `${bind(question.window.from)}::date`
  const to = `${bind(question.window.to)}::date`
  const month = (day: string) => `date_trunc('month', (${day})::timestamp)`
  const inMonths = `day >= ${month(from)}::date and day < (${month(`${to} - 1`)} + interval '1 month')::date`
  const next = (after: string) => `(
    select r.day from report r where r.reporter = h.reporter and ${after} and r.day >= ${from} and r.day < ${to} and counted
    order by r.day limit 1)`
  return `
    name as (
      (select reporter from report where reporter is not null and ${inMonths} order by reporter limit 1)
      union all
      select (select r.reporter from report r where r.reporter > name.reporter and ${inMonths} order by r.reporter limit 1)
      from name where name.reporter is not null
    ), heard as (
      select reporter, ${next('true')} as day from name h where reporter is not null
      ${daily ? `union all select reporter, ${next('r.day > h.day')} from heard h where day is not null` : ''})`
}

/** What is asked for is unverified alone, and that has no reporters. */
const isNobodyAsked = ({ trust, filters }: Question): boolean =>
  trust === 'unverified' || filters.trust?.includes('verified') === false

/** By time and trust. */
function heardIn(groupBy: readonly Dimension[]): string {
  const groups = groupBy.map((name, index) => `${dimensions[name]} collate "C" as g${index}`)
  return `
    select ${list([...groups, 'count(distinct reporter) as reporters'])}
    from (select reporter, day, 'verified' as trust from heard where day is not null) heard
    ${groupBy.length > 0 ? `group by ${list(groupBy.map((_, index) => `g${index}`))}` : ''}`
}

/** Of one row of the page: by the primary key of `report`, which begins with domain and day. */
function heardOfDomain(question: Question, groupBy: readonly Dimension[], bind: Bind): string {
  if (isNobodyAsked(question)) return '0::bigint'
  const within = groupBy.map((name, index) => inGroup[name]!(`page.g${index}`))
  const { from, to } = question.window
  return `(
    select count(*) from (
      select reporter from report r
      where counted and reporter is not null and r.day >= ${bind(from)} and r.day < ${bind(to)} and ${within.join(' and ')}
      group by reporter) reporter)`
}

/** Conditions that an index can be asked by. */
const inGroup: Partial<Record<Dimension, (group: string) => string>> = {
  domain: (group) => `r.domain = ${group} collate "default"`,
  trust: (group) => `r.trust = ${group}`,
  day: (group) => `r.day = ${group}::date`,
  week: (group) => `r.day >= ${group}::date and r.day < ${group}::date + 7`,
  month: (group) => `r.day >= ${group}::date and r.day < (${group}::date + interval '1 month')::date`,
}
