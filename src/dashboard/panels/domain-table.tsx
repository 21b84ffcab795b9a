/** "Which domain needs me?": our domains, the ones in need first. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad, type Loaded } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { approximately, count, day, isZero, percent } from '../words.ts'
import { stateWords } from './state.ts'

type Row = Schemas['Domain']
type Bucket = Schemas['TimeseriesRow']

/** Sparklines for more domains would be one heavy question for pictures that nobody scrolls to. */
const maxSparklines = 50

export function DomainTable({ onLoaded }: { onLoaded?: (rows: Row[]) => void }) {
  const { question } = useAsked()
  const query = { from: question.from, to: question.to, limit: 500 }
  const loaded = useLoad(
    async (signal) => {
      const { data, page } = await told(api.GET('/v1/domains', { params: { query }, signal }))
      const rows = data.toSorted((a, b) => need(b) - need(a) || approximately(b.failed) - approximately(a.failed) || a.domain.localeCompare(b.domain)) // prettier-ignore
      onLoaded?.(rows)
      return { rows, more: page.next_cursor !== null }
    },
    [query],
  )
  const drawn = loaded.kind === 'done' ? loaded.value.rows.slice(0, maxSparklines).map(({ domain }) => domain) : []
  const days = useDays(drawn.sort())
  return (
    <Panel title="Domains" question="Which domain needs me?" actions={<CsvButton path="/v1/domains" query={query} />}>
      <Show of={loaded}>
        {({ rows, more }) => (
          <>
            <Domains rows={rows} days={days.kind === 'done' && !days.stale ? days.value : undefined} />
            {more && <p class="quiet">The first {count(rows.length)} by name; the CSV has them all.</p>}
          </>
        )}
      </Show>
    </Panel>
  )
}

/** What the sparklines are drawn of, by domain; it is asked for beside the table, which does not wait for it. */
function useDays(domain: string[]): Loaded<Map<string, Bucket[]>> {
  const { from, to } = useAsked().question
  const query = { from, to, domain, split_by: 'domain', trust: 'any' } as const
  return useLoad(
    async (signal) => {
      if (domain.length === 0) return new Map<string, Bucket[]>()
      const { data } = await told(api.GET('/v1/timeseries', { params: { query }, signal }))
      return Map.groupBy(data, (bucket) => bucket.domain ?? '')
    },
    [query],
  )
}

/** Failing before silent before nothing yet before healthy. */
const need = ({ state }: Row): number => ['healthy', 'no-reports', 'silent', 'failing'].indexOf(state)

/** Where nobody stands behind any report, what is there is shown, and said to be unverified. */
function shownOf(row: Row): { successful: Schemas['Count']; failed: Schemas['Count']; unverified: boolean } {
  const unverified = isZero(row.reports) && !isZero(row.unverified.reports)
  const { successful, failed } = unverified ? row.unverified : row
  return { successful, failed, unverified }
}

function Domains({ rows, days }: { rows: Row[]; days: Map<string, Bucket[]> | undefined }) {
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
                <Sparkline
                  buckets={days && (days.get(row.domain) ?? [])}
                  from={question.from}
                  to={question.to}
                  name={row.domain}
                />
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
