/** "Which domain needs me?": our domains, the ones in need first. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.ts'
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
      const drawn = rows.slice(0, maxSparklines).map(({ domain }) => domain)
      const series = drawn.length === 0 ? [] : (await told(api.GET('/v1/timeseries', {
      params: { query: { from: question.from, to: question.to, domain: drawn, split_by: 'domain', trust: 'any' } }, signal,
    }))).data // prettier-ignore
      return { rows, more: page.next_cursor !== null, series: Map.groupBy(series, (bucket) => bucket.domain ?? '') }
    },
    [query],
  )
  return (
    <Panel title="Domains" question="Which domain needs me?" actions={<CsvButton path="/v1/domains" query={query} />}>
      <Show of={loaded}>
        {({ rows, more, series }) => (
          <>
            <Domains rows={rows} series={series} />
            {more && <p class="quiet">The first {count(rows.length)} by name; the CSV has them all.</p>}
          </>
        )}
      </Show>
    </Panel>
  )
}

/** Failing before silent before nothing yet before healthy. */
const need = ({ state }: Row): number => ['healthy', 'no-reports', 'silent', 'failing'].indexOf(state)

/** Where nobody stands behind any report, what is there is shown, and said to be unverified. */
function told_(row: Row): { successful: Schemas['Count']; failed: Schemas['Count']; unverified: boolean } {
  const unverified = isZero(row.reports) && !isZero(row.unverified.reports)
  const { successful, failed } = unverified ? row.unverified : row
  return { successful, failed, unverified }
}

function Domains({ rows, series }: { rows: Row[]; series: Map<string, Bucket[]> }) {
  const { question, link } = useAsked()
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
            const { successful, failed, unverified } = told_(row)
            const sessions = approximately(successful) + approximately(failed)
            return (
              <span class="success">
                <Sparkline
                  buckets={series.get(row.domain) ?? []}
                  from={question.from}
                  to={question.to}
                  name={row.domain}
                />
                {sessions === 0 ? '–' : percent(successful, sessions)}
                {unverified && <small class="quiet"> unverified</small>}
              </span>
            )
          },
          by: (row) =>
            approximately(told_(row).successful) /
            Math.max(1, approximately(told_(row).successful) + approximately(told_(row).failed)),
        },
        {
          head: 'Failed',
          numeric: true,
          cell: (row) => (
            <a href={link('/failures', { domain: row.domain, ...(told_(row).unverified && { trust: 'unverified' }) })}>
              {count(told_(row).failed)}
            </a>
          ),
          by: (row) => approximately(told_(row).failed),
        },
        {
          head: 'Top cause',
          cell: (row) =>
            row.top_cause === null ? (
              '–'
            ) : (
              <>
                <Said text={row.top_cause.result_type} />
                {row.top_cause.receiving_mx_hostname !== null && (
                  <>
                    {' '}
                    on <Said text={row.top_cause.receiving_mx_hostname} />
                  </>
                )}
                {!row.top_cause.ongoing && <small class="quiet"> (over)</small>}
              </>
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
            return last === null ? 'never' : day(last)
          },
          by: (row) => row.last_report_day ?? row.unverified.last_report_day,
        },
      ]}
    />
  )
}
