/** What is asked stands in the address: the window, whose word counts, and the filters. So a link is a question. */
/** Filters that every view takes over from the address, by their names in the API. */
export const filterNames = [
  'domain',
  'policy_domain',
  'policy_type',
  'result_type',
  'receiving_mx_hostname',
  'reporter',
  'organization',
  'sending_mta_ip',
  'failure_reason_code',
  'anomaly',
  'standing',
] as const

export type FilterName = (typeof filterNames)[number]
export type Filters = Partial<Record<FilterName, string[]>>
export type Trust = 'verified' | 'unverified' | 'any'

export type Question = {
  /** Whole UTC days [from, to). */
  from: string
  to: string
  trust: Trust
  filters: Filters
}

export const defaultDays = 30
const dayMs = 86_400_000

export const addDays = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)

export const daysBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / dayMs)

/** Every UTC day of [from, to). */
export const daysOf = (from: string, to: string): string[] =>
  Array.from({ length: Math.max(0, daysBetween(from, to)) }, (_, i) => addDays(from, i))

export type Interval = 'day' | 'week' | 'month'

const later = (a: string, b: string): string => (a > b ? a : b)
const earlier = (a: string, b: string): string => (a < b ? a : b)

/** For a link: what of a question's window is in this bucket, which is named by its first day. */
export function windowOf(
  bucket: string,
  interval: Interval,
  { from, to }: Pick<Question, 'from' | 'to'>,
): { days: undefined; from: string; to: string } {
  const next = interval === 'month' ? `${addDays(bucket, 31).slice(0, 7)}-01` : addDays(bucket, interval === 'day' ? 1 : 7) // prettier-ignore
  return { days: undefined, from: later(bucket, from), to: earlier(next, to) }
}

const isDay = (text: string | null): text is string =>
  text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))

/** Reads an address' search part. What makes no sense is left out: an address is typed by people. `today` is a UTC day. */
export function readQuestion(search: URLSearchParams, today: string): Question {
  const days = Number(search.get('days') ?? defaultDays)
  const given = { from: search.get('from'), to: search.get('to') }
  const to = isDay(given.to) ? given.to : addDays(today, 1)
  const from = isDay(given.from) && given.from < to ? given.from : addDays(to, -(days >= 1 && days <= 3_650 ? Math.floor(days) : defaultDays)) // prettier-ignore
  const trust = search.get('trust')
  return {
    from,
    to,
    trust: trust === 'any' || trust === 'unverified' ? trust : 'verified',
    filters: Object.fromEntries(filterNames.flatMap((name) => (search.has(name) ? [[name, search.getAll(name)]] : []))),
  }
}

/** What of an address is kept when one goes from view to view. */
const kept = ['days', 'from', 'to', 'trust']

/**
 * An address inside the page: `path` with the window and the trust of now, and `changes` on top: a value, several, or
 * `undefined` to leave it out. Filters of now are kept only with `keepFilters`.
 */
export function makeLink(
  search: URLSearchParams,
  path: string,
  changes: Record<string, string | string[] | undefined> = {},
  { keepFilters = false } = {},
): string {
  const next = new URLSearchParams()
  for (const [name, value] of search) if (kept.includes(name) || keepFilters) next.append(name, value)
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name)
    for (const each of value === undefined ? [] : [value].flat()) next.append(name, each)
  }
  const text = next.toString()
  return text === '' ? path : `${path}?${text}`
}

/**
 * The query of an API call for numbers about `question`; `domain` stands for the view's own domain, if it is about one.
 * An anomaly and a standing are of reports: what is not counted is in no number.
 */
export const queryOf = (
  { from, to, filters: { anomaly: _, standing: __, ...filters } }: Question,
  domain?: string,
) => ({
  from,
  to,
  ...filters,
  ...(domain !== undefined && { domain: [domain] }),
})
