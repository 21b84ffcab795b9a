/** "Is it getting better?": successful and failed sessions by day, and their rate. A day without a report is a gap. */
import type { PlotOptions } from '@observablehq/plot'
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { Chart } from '../parts/chart.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import type * as Plot from '../parts/plot.ts'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { daysBetween, queryOf, windowOf, type Interval } from '../question.ts'
import { approximately, count, day, percent } from '../words.ts'

type Row = Schemas['TimeseriesRow']

/** More bars than this cannot be told apart. */
const maxBars = 120

export function Daily({ domain }: { domain?: string }) {
  const { question } = useAsked()
  const days = daysBetween(question.from, question.to)
  const interval = days <= maxBars ? 'day' : days <= maxBars * 7 ? 'week' : 'month'
  const query = { ...queryOf(question, domain), trust: question.trust, interval } as const
  const loaded = useLoad((signal) => told(api.GET('/v1/timeseries', { params: { query }, signal })), [query])
  return (
    <Panel
      title={`Sessions by ${interval}`}
      question="Is it getting better?"
      actions={<CsvButton path="/v1/timeseries" query={query} />}
    >
      <Show of={loaded}>
        {({ data }) => (
          <Bars rows={data} from={question.from} to={question.to} interval={interval} {...(domain && { domain })} />
        )}
      </Show>
    </Panel>
  )
}

function Bars({
  rows,
  from,
  to,
  interval,
  domain,
}: {
  rows: Row[]
  from: string
  to: string
  interval: Interval
  domain?: string
}) {
  // prettier-ignore
  const { question, link } = useAsked()
  if (rows.length === 0) return <p class="quiet">No report in this window.</p>
  const hasSuccessful = rows.some(({ successful }) => successful !== null)
  const sums = { successful: 0, failed: 0 }
  for (const row of rows) {
    sums.successful += approximately(row.successful)
    sums.failed += approximately(row.failed)
  }
  const about = { ...question.filters, ...(domain !== undefined && { domain }) }
  const bucketOf = ({ bucket }: Row) => ({ ...about, ...windowOf(bucket, interval, question) })
  const rowsOf = (row: Row, trust = {}) => link('/failures', { ...bucketOf(row), ...trust })
  const reportsOf = (row: Row) => link('/reports', { ...bucketOf(row), trust: question.trust })
  const label = hasSuccessful
    ? `Sessions by ${interval}: ${count(sums.failed)} failed, ${percent(sums.successful, sums.successful + sums.failed)} succeeded; ${rows.length} ${interval}s with reports.`
    : `Failed sessions by ${interval}: ${count(sums.failed)} in all; ${rows.length} ${interval}s with reports.`
  return (
    <>
      <p class="legend" aria-hidden="true">
        {hasSuccessful && <span class="key ok">successful</span>}
        <span class="key bad">failed</span>
        {hasSuccessful && <span class="key rate">failure rate</span>}
        <span class="key gap">no report</span>
      </p>
      <Chart
        label={label}
        on={[rows, from, to]}
        draw={(plot, { width }) => options(plot, rows, { from, to, interval, width })}
        table={() => (
          <Table
            caption={label}
            rows={rows.toReversed()}
            rowKey={({ bucket }) => bucket}
            columns={[
              {
                head: interval === 'day' ? 'Day' : `First day of the ${interval}`,
                cell: (row) => day(row.bucket),
                by: (row) => row.bucket,
              },
              {
                head: 'Successful',
                numeric: true,
                cell: (row) => (row.successful === null ? '–' : <a href={reportsOf(row)}>{count(row.successful)}</a>),
                by: (row) => approximately(row.successful),
              },
              {
                head: 'Failed',
                numeric: true,
                cell: (row) => <a href={rowsOf(row)}>{count(row.failed)}</a>,
                by: (row) => approximately(row.failed),
              },
              { head: 'Rate', numeric: true, cell: (row) => rate(row) },
              { head: 'Reports', numeric: true, cell: (row) => <a href={reportsOf(row)}>{count(row.reports)}</a> },
              {
                head: 'Unverified failed',
                numeric: true,
                cell: (row) => <a href={rowsOf(row, { trust: 'unverified' })}>{count(row.unverified.failed)}</a>,
              },
            ]}
          />
        )}
      />
    </>
  )
}

const rate = ({ successful, failed }: Row): string =>
  successful === null ? '–' : percent(failed, approximately(successful) + approximately(failed))

function options(
  plot: typeof Plot,
  rows: Row[],
  { from, to, interval, width }: { from: string; to: string; interval: Interval; width: number },
): PlotOptions {
  // prettier-ignore
  const bars = rows.flatMap(({ bucket, successful, failed }) => [
    { day: new Date(bucket), kind: 'failed', sessions: approximately(failed) },
    ...(successful === null ? [] : [{ day: new Date(bucket), kind: 'successful', sessions: approximately(successful) }]),
  ])
  const most = Math.max(1, ...rows.map((row) => approximately(row.successful) + approximately(row.failed)))
  const hasRate = rows.some(({ successful }) => successful !== null)
  const known = new Map(rows.map((row) => [row.bucket, row]))
  const step = interval === 'week' ? 'monday' : interval // Plot's weeks begin on Sunday, the API's do not.
  const all = interval === 'day' ? plot.utcInterval('day').range(new Date(from), new Date(to)) : []
  const points = (all.length > 0 ? all : rows.map(({ bucket }) => new Date(bucket))).map((date) => {
    const row = known.get(date.toISOString().slice(0, 10))
    const sessions = row ? approximately(row.successful) + approximately(row.failed) : 0
    return { day: date, rate: row && sessions > 0 ? approximately(row.failed) / sessions : NaN }
  })
  return {
    height: width < 500 ? 200 : 240,
    marginLeft: 50,
    marginRight: hasRate ? 45 : 10,
    x: { type: 'utc', interval: step, domain: [new Date(from), new Date(to)], label: null },
    y: { domain: [0, most], grid: true, label: 'sessions', tickFormat: '~s', ticks: 5 },
    marks: [
      plot.rectY(
        all.filter((date) => !known.has(date.toISOString().slice(0, 10))),
        {
          x: (date: Date) => date,
          interval: step,
          y1: 0,
          y2: most,
          fill: 'var(--gap)',
          title: (date: Date) => `${day(date.toISOString())}: no report`,
        },
      ),
      plot.rectY(bars, {
        x: 'day',
        interval: step,
        y: 'sessions',
        fill: ({ kind }: { kind: string }) => (kind === 'failed' ? 'var(--bad)' : 'var(--ok)'),
        order: ['var(--bad)', 'var(--ok)'],
        inset: 0.5,
        title: (bar: { day: Date; kind: string; sessions: number }) =>
          `${day(bar.day.toISOString())}: ${count(bar.sessions)} ${bar.kind}`,
      }),
      ...(hasRate
        ? [
            plot.line(points, {
              x: 'day',
              y: ({ rate: r }: { rate: number }) => r * most,
              stroke: 'var(--rate)',
              strokeWidth: 1.5,
              marker: 'dot',
            }),
            plot.axisY({ anchor: 'left', label: 'sessions', tickFormat: '~s', ticks: 5 }),
            plot.axisY(
              [0, 0.25, 0.5, 0.75, 1].map((share) => share * most),
              { anchor: 'right', label: 'rate', tickFormat: (value: number) => `${Math.round((value / most) * 100)}%` },
            ),
          ]
        : []),
      plot.ruleY([0]),
    ],
    color: { type: 'identity' },
  }
}
