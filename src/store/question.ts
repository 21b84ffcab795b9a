/** What the facts can be asked by (RFC 8460 §4.4): the only place where a name from outside becomes SQL. */

/** Whole UTC days, [from, to), each 'YYYY-MM-DD'. */
export type Window = { from: string; to: string }

/** The wall: the domains of ours that whoever asks may know of; undefined is all, those to come as well. */
export type Visible = readonly string[] | undefined

/** Whose word the main numbers are; 'any' adds both up. */
export type TrustScope = 'verified' | 'unverified' | 'any'

/** Columns that every fact bears. */
const ofPolicy = {
  domain: 'domain',
  policy_domain: 'policy_domain',
  policy_type: 'policy_type',
  policy_mode: 'policy_mode',
  organization: 'organization',
  reporter: 'reporter',
  trust: 'trust',
  transport: 'transport',
  day: 'day::text',
  week: `date_trunc('week', day::timestamp)::date::text`,
  month: `date_trunc('month', day::timestamp)::date::text`,
} as const

/** Columns of failure details only: sessions that succeeded have none of them (§4.4). */
const ofDetail = {
  result_type: 'result_type',
  receiving_mx_hostname: 'receiving_mx_hostname',
  sending_mta_ip: 'host(sending_mta_ip)',
  receiving_ip: 'host(receiving_ip)',
  failure_reason_code: 'failure_reason_code',
} as const

/** Name -> SQL expression, text or null. Weeks start on Monday; weeks and months are named by their first day. */
export const dimensions = { ...ofPolicy, ...ofDetail }

export type Dimension = keyof typeof dimensions

export const dimensionNames = Object.keys(dimensions) as [Dimension, ...Dimension[]]

export const intervals = ['day', 'week', 'month'] as const

export const isDetailDimension = (dimension: Dimension): boolean => Object.hasOwn(ofDetail, dimension)

/** Any of the values; null is "the sender did not say". Addresses are addresses or CIDR ranges. */
export type Filters = Partial<Record<Dimension, readonly (string | null)[]>>

export type Question = { window: Window; trust: TrustScope; filters: Filters; visible: Visible }

/** About some domains, not about all there are. */
export const isOfSome = ({ filters, visible }: Question): boolean =>
  filters.domain !== undefined || visible !== undefined

/** Takes a value and gives its placeholder. */
export type Bind = (value: unknown) => string

/** The values of one statement, in the order of their placeholders. */
export function makeBind(): { bind: Bind; values: unknown[] } {
  const values: unknown[] = []
  return { values, bind: (value) => `$${values.push(value)}` }
}

/** `column` bears a domain of ours. To be asked of every row, whatever else is asked: nobody's row and another's are alike. */
export const isVisible = (column: string, visible: Visible, bind: Bind): string =>
  visible === undefined ? 'true' : `${column} = any(${bind(visible)}::text[])`

/** Window, filters and the wall as one SQL condition over policy, failure_detail or, for what it bears, day_total. */
export function conditions({ window, filters, visible }: Omit<Question, 'trust'>, bind: Bind): string {
  const always = [`day >= ${bind(window.from)}`, `day < ${bind(window.to)}`, isVisible('domain', visible, bind)]
  return [...always, ...filterConditions(filters, bind)].join(' and ')
}

/** The filters alone. */
export const filterConditions = (filters: Filters, bind: Bind): string[] =>
  dimensionNames.flatMap((name) => {
    const values = filters[name]
    return values === undefined
      ? []
      : [isAddress(name) ? within(name, values, bind) : among(dimensions[name], values, bind)]
  })

/** By what bears them. */
export function splitFilters(filters: Filters): [ofDetails: Filters, ofPolicies: Filters] {
  const entries = Object.entries(filters)
  const isOfDetail = ([name]: [string, unknown]) => isDetailDimension(name as Dimension)
  return [
    Object.fromEntries(entries.filter(isOfDetail)),
    Object.fromEntries(entries.filter((entry) => !isOfDetail(entry))),
  ]
}

const isAddress = (name: Dimension): boolean => name === 'sending_mta_ip' || name === 'receiving_ip'

/**
 * `expression` is one of the values; null among them is SQL's null. `expression` is ours, the values are anyone's. One
 * value is asked for by itself: then an index has the rows in order, where an array of one would have all of them sorted.
 */
export const among = (expression: string, values: readonly (string | null)[], bind: Bind, type = 'text'): string =>
  anyOf(expression, values, ([first, ...others]) =>
    others.length === 0
      ? `${expression} = ${bind(first)}::${type}`
      : `${expression} = any(${bind([first, ...others])}::${type}[])`,
  )

const within = (column: string, values: readonly (string | null)[], bind: Bind): string =>
  anyOf(column, values, (given) => `${column} <<= any(${bind(given)}::inet[])`)

function anyOf(expression: string, values: readonly (string | null)[], matches: (given: string[]) => string): string {
  const given = values.filter((value) => value !== null)
  const alternatives = [
    ...(given.length > 0 ? [matches(given)] : []),
    ...(given.length < values.length ? [`${expression} is null`] : []),
  ]
  return `(${alternatives.join(' or ') || 'false'})`
}
