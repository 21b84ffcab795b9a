/** "Which domain needs me?": our domains, the ones in need first. */
import { useRef, useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { useLoad } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { approximately, count, day, isZero, percent } from '../words.ts'
import { FindDomain } from './find-domain.tsx'
import { neediestQuery } from './in-most-need.tsx'
import { stateWords } from './state.ts'

type Row = Schemas['Domain']
type Bucket = Schemas['TimeseriesRow']
type DaysOf = (domain: string) => Bucket[] | undefined

/** That many come with each "Show more": who wants more than the neediest looks for one that is not. */
const moreRows = 50

/** Of the window [from, to), in the order of need; `more`: there are others, in no more need than these. */
export type FirstPage = { from: string; to: string; rows: Row[]; more: boolean }

/** `onLoaded` is told the first page. */
export function DomainTable({ onLoaded }: { onLoaded?: (first: FirstPage) => void }) {
  const query = neediestQuery(useAsked().question)
  const { from, to } = query
  const [areMany, setAreMany] = useState(false)
  const [names, setNames] = useState<string[]>([])
  const daysOf = useDays(names)
  const ask = async (page: { cursor?: string }, init: { signal?: AbortSignal }) => {
    const isFirst = page.cursor === undefined
    const asked = { ...query, ...page, ...(!isFirst && { limit: moreRows }) }
    const answer = await told(api.GET('/v1/domains', { params: { query: asked }, ...init }))
    const more = answer.page.next_cursor !== null
    if (isFirst) setAreMany(more)
    const listed = answer.data.map(({ domain }) => domain)
    setNames((before) => (isFirst ? listed : [...before, ...listed]))
    if (isFirst) onLoaded?.({ from, to, rows: answer.data, more })
    return answer
  }
  return (
    <Panel
      title="Domains"
      question="Which domain needs me?"
      actions={<CsvButton path="/v1/domains" query={{ from, to, limit: 500 }} />}
    >
      <Pages ask={ask} on={[query]}>
        {(rows) => <Domains rows={uniqueOf(rows)} daysOf={daysOf} />}
      </Pages>
      {areMany && <FindDomain />}
    </Panel>
  )
}

/** A row may have moved from one page to the next meanwhile. */
const uniqueOf = (rows: Row[]): Row[] => [...new Map(rows.map((row) => [row.domain, row])).values()]

/** As many as a filter takes. */
const mostAsked = 100

/**
 * What the sparkline of a domain is drawn of; undefined while it is on its way: the table does not wait for it. After a
 * change of the window it is asked for at once, of those listed before: mostly they stay the same.
 */
function useDays(names: readonly string[]): DaysOf {
  const { from, to } = useAsked().question
  const held = useRef({ of: '', days: new Map<string, Bucket[]>(), asked: [] as string[] }).current
  if (held.of !== `${from} ${to}`) Object.assign(held, { of: `${from} ${to}`, days: new Map() })
  const { days } = held
  const unknown = names.filter((domain) => !days.has(domain))
  if (unknown.length > 0) held.asked = unknown.slice(0, mostAsked).sort()
  const query = { from, to, domain: held.asked, split_by: 'domain', trust: 'any' } as const
  useLoad(
    async (signal) => {
      if (query.domain.length === 0) return
      const { data } = await told(api.GET('/v1/timeseries', { params: { query }, signal }))
      const found = Map.groupBy(data, (bucket) => bucket.domain)
      for (const domain of query.domain) days.set(domain, found.get(domain) ?? [])
    },
    [query],
  )
  return (domain) => days.get(domain)
}

/** Failing before silent before nothing yet before healthy. */
const need = ({ state }: Row): number => ['healthy', 'no-reports', 'silent', 'failing'].indexOf(state)

/** Where nobody stands behind any report, what is there is shown, and said to be unverified. */
function shownOf(row: Row): { successful: Schemas['Count']; failed: Schemas['Count']; unverified: boolean } {
  const unverified = isZero(row.reports) && !isZero(row.unverified.reports)
  const { successful, failed } = unverified ? row.unverified : row
  return { successful, failed, unverified }
}

function Domains({ rows, daysOf }: { rows: Row[]; daysOf: DaysOf }) {
  const { question, link } = useAsked()
  const aboutIt = (row: Row) => ({ domain: row.domain, ...(shownOf(row).unverified && { trust: 'unverified' }) })
  const reportsOf = (row: Row) => link('/reports', aboutIt(row))
  return (
    <Table
      caption="Our domains"
      quietCaption
      rows={rows}
      rowKey={(row) => row.domain}
      empty={
        <>
          No domain is ours yet: see <a href={link('/set-up')}>Set up</a>.
        </>
      }
      columns={[
        {
          head: 'Domain',
          cell: (row) => (
            <a href={link(`/domains/${row.domain}`)}>
              <Domain name={row.domain} />
            </a>
          ),
          by: (row) => row.domain,
        },
        {
          head: 'State',
          whole: true,
          cell: (row) => <span class={`state ${row.state}`}>{stateWords[row.state]}</span>,
          by: need,
        },
        {
          head: 'Success',
          cell: (row) => {
            const { successful, failed, unverified } = shownOf(row)
            const sessions = approximately(successful) + approximately(failed)
            return (
              <span class="success">
                <Sparkline buckets={daysOf(row.domain)} from={question.from} to={question.to} name={row.domain} />
                {sessions === 0 ? '–' : <a href={reportsOf(row)}>{percent(successful, sessions)}</a>}
                {unverified && <small class="quiet"> unverified</small>}
              </span>
            )
          },
          by: (row) =>
            approximately(shownOf(row).successful) /
            Math.max(1, approximately(shownOf(row).successful) + approximately(shownOf(row).failed)),
        },
        {
          head: 'Failed',
          numeric: true,
          cell: (row) => <a href={link('/failures', aboutIt(row))}>{count(shownOf(row).failed)}</a>,
          by: (row) => approximately(shownOf(row).failed),
        },
        {
          head: 'Top cause',
          cell: (row) =>
            row.top_cause === null ? (
              '–'
            ) : (
              <a
                href={link('/failures', {
                  ...aboutIt(row),
                  result_type: row.top_cause.result_type,
                  receiving_mx_hostname: row.top_cause.receiving_mx_hostname ?? '',
                })}
              >
                <Said text={row.top_cause.result_type} />
                {row.top_cause.receiving_mx_hostname !== null && (
                  <>
                    {' '}
                    on <Said text={row.top_cause.receiving_mx_hostname} />
                  </>
                )}
                {!row.top_cause.ongoing && <small class="quiet"> (over)</small>}
              </a>
            ),
          by: (row) => row.top_cause?.result_type,
        },
        {
          head: 'Policy',
          cell: (row) =>
            row.policy_modes.length === 0
              ? '–'
              : row.policy_modes.map((mode, i) => (
                  <span key={mode}>
                    {i > 0 && ', '}
                    <Said text={mode} />
                  </span>
                )),
        },
        {
          head: 'Last report',
          whole: true,
          cell: (row) => {
            const last = row.last_report_day ?? row.unverified.last_report_day
            return last === null ? 'never' : <a href={reportsOf(row)}>{day(last)}</a>
          },
          by: (row) => row.last_report_day ?? row.unverified.last_report_day,
        },
      ]}
    />
  )
}
