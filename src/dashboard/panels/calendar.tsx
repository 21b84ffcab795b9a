/** "Who reports, who stopped?": reporters by day. */
import type { JSX } from 'preact'
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { AsTable } from '../parts/details.tsx'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { daysBetween, daysOf, queryOf, windowOf } from '../question.ts'
import { approximately, count, day, percent, shortDay } from '../words.ts'

type Row = Schemas['TimeseriesRow']
const maxDays = 92
const maxReporters = 30

export function Calendar({ domain }: { domain?: string }) {
  const { question } = useAsked()
  // Nobody can be named for what nobody signed: unverified reports go by the label that they gave themselves.
  const splitBy = question.trust === 'verified' ? 'reporter' : 'organization'
  const interval = daysBetween(question.from, question.to) <= maxDays ? 'day' : 'week'
  const query = { ...queryOf(question, domain), trust: question.trust, interval, split_by: splitBy } as const
  const loaded = useLoad((signal) => told(api.GET('/v1/timeseries', { params: { query }, signal })), [query])
  return (
    <Panel
      title="Who reports"
      question={
        splitBy === 'reporter'
          ? 'Reporters by day: who stopped?'
          : 'By organization name, a label that anyone can write.'
      }
      actions={<CsvButton path="/v1/timeseries" query={query} />}
    >
      <Show of={loaded}>
        {({ data }) => (
          <Days
            rows={data}
            splitBy={splitBy}
            from={question.from}
            to={question.to}
            interval={interval}
            {...(domain !== undefined && { domain })}
          />
        )}
      </Show>
    </Panel>
  )
}

type Props = { rows: Row[]; splitBy: 'reporter' | 'organization'; from: string; to: string; interval: 'day' | 'week'; domain?: string } // prettier-ignore

function Days({ rows, splitBy, from, to, interval, domain }: Props) {
  const { question, link } = useAsked()
  const aboutReporter = (name: string) => ({
    ...question.filters,
    [splitBy]: name,
    ...(domain !== undefined && { domain }),
  })
  const aboutRow = (row: Row) => ({ ...aboutReporter(row[splitBy] ?? ''), ...windowOf(row.bucket, interval, question) })
  const reportsOf = (row: Row) => link('/reports', { ...aboutRow(row), trust: question.trust })
  const named = rows.filter((row) => approximately(row.reports) > 0)
  if (named.length === 0) return <p class="quiet">No report in this window.</p>
  const buckets = interval === 'day' ? daysOf(from, to) : [...new Set(rows.map(({ bucket }) => bucket))].sort()
  const byReporter = Map.groupBy(named, (row) => row[splitBy] ?? '')
  const reporters = [...byReporter].sort(([, a], [, b]) => b.length - a.length).slice(0, maxReporters)
  return (
    <>
      <p class="legend" aria-hidden="true">
        <span class="key ok">all succeeded</span>
        <span class="key bad">some failed</span>
        <span class="key gap">no report</span>
      </p>
      <div class="scroll" role="region" aria-label="Reporters by day" tabIndex={0}>
        <table class="calendar">
          <caption class="unseen">
            Reporters by {interval}, from {day(from)}
          </caption>
          <thead>
            <tr>
              <th scope="col">Reporter</th>
              <th scope="col" class="days">
                {shortDay(buckets[0] ?? from)} – {shortDay(buckets.at(-1) ?? to)}
              </th>
              <th scope="col" class="number">
                Sessions
              </th>
              <th scope="col" class="number">
                Failed
              </th>
              <th scope="col">Last seen</th>
            </tr>
          </thead>
          <tbody>
            {reporters.map(([name, of]) => {
              const failed = of.reduce((sum, row) => sum + approximately(row.failed), 0)
              const sessions = of.reduce((sum, row) => sum + approximately(row.successful), failed)
              const last =
                of
                  .map(({ bucket }) => bucket)
                  .sort()
                  .at(-1) ?? from
              const about = aboutReporter(name)
              return (
                <tr key={name}>
                  <th scope="row">
                    <a href={link('/reports', about)}>
                      <Said text={name === '' ? null : name} absent="not said" />
                    </a>
                  </th>
                  <td>
                    <DayStrip buckets={buckets} rows={of} name={name} />
                  </td>
                  <td class="number">
                    <a href={link('/reports', { ...about, trust: question.trust })}>{count(sessions)}</a>
                  </td>
                  <td class="number">
                    <a href={link('/failures', about)}>{count(failed)}</a>
                  </td>
                  <td>{day(last)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
      <AsTable>
        {() => (
          <Table
            caption={`Reports by ${interval} and reporter`}
            rows={named}
            rowKey={(row) => `${row.bucket} ${row[splitBy] ?? ''}`}
            columns={[
              {
                head: interval === 'day' ? 'Day' : 'Week of',
                whole: true,
                cell: (row) => day(row.bucket),
                by: (row) => row.bucket,
              },
              {
                head: 'Reporter',
                cell: (row) => <Said text={row[splitBy]} absent="not said" />,
                by: (row) => row[splitBy],
              },
              {
                head: 'Reports',
                numeric: true,
                cell: (row) => <a href={reportsOf(row)}>{count(row.reports)}</a>,
                by: (row) => approximately(row.reports),
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
                cell: (row) => <a href={link('/failures', aboutRow(row))}>{count(row.failed)}</a>,
                by: (row) => approximately(row.failed),
              },
            ]}
          />
        )}
      </AsTable>
      {byReporter.size > maxReporters && (
        <p class="quiet">
          The {maxReporters} most regular of {count(byReporter.size)}; the CSV has them all.
        </p>
      )}
    </>
  )
}

/** At most: where there is less room the strip is narrower. */
const cellWidth = 9
const stripHeight = 18

/** One SVG a reporter: a cell a day. Failing days are full height and hatched by shape, not by colour alone. */
export function DayStrip({ buckets, rows, name }: { buckets: string[]; rows: Row[]; name: string }): JSX.Element {
  const byBucket = new Map(rows.map((row) => [row.bucket, row]))
  const failing = rows.filter((row) => approximately(row.failed) > 0).length
  return (
    <svg
      class="strip"
      role="img"
      aria-label={`${name}: reports on ${rows.length} of ${buckets.length} days, failures on ${failing}`}
      viewBox={`0 0 ${buckets.length * cellWidth} ${stripHeight}`}
      preserveAspectRatio="none"
      height={stripHeight}
      style={{ maxWidth: `${buckets.length * cellWidth}px` }}
    >
      {buckets.map((bucket, i) => {
        const row = byBucket.get(bucket)
        const failed = approximately(row?.failed)
        const sessions = failed + approximately(row?.successful)
        const kind = row === undefined ? 'gap' : failed > 0 ? 'bad' : 'ok'
        const height = kind === 'gap' ? 3 : kind === 'bad' ? stripHeight : stripHeight / 2
        return (
          <rect
            key={bucket}
            class={kind}
            x={i * cellWidth}
            y={stripHeight - height}
            width={cellWidth - 1}
            height={height}
          >
            <title>
              {day(bucket)}:{' '}
              {row === undefined
                ? 'no report'
                : `${count(failed)} of ${count(sessions)} failed (${percent(failed, sessions)})`}
            </title>
          </rect>
        )
      })}
    </svg>
  )
}
