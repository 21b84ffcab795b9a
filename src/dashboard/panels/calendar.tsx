/** "Who reports, who stopped?": reporters by day. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Picture } from '../parts/chart.tsx'
import { AsTable } from '../parts/details.tsx'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { daysBetween, daysOf, queryOf, windowOf } from '../question.ts'
import { approximately, count, day, percent, plural, shortDay } from '../words.ts'

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
            {reporters.map(([name, of], place) => {
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
                    <a
                      href={link('/reports', about)}
                      title={`Reports on ${of.length} of ${buckets.length} ${interval}s, failures on ${failing(of)}`}
                    >
                      <Said text={name === '' ? null : name} absent="not said" />
                    </a>
                  </th>
                  {place === 0 && (
                    <td rowSpan={reporters.length} class="days">
                      <Cells buckets={buckets} reporters={reporters} interval={interval} on={[rows, from, to]} />
                    </td>
                  )}
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

const failing = (rows: Row[]): number => rows.filter((row) => approximately(row.failed) > 0).length

const kinds = {
  gap: { share: 0.12, fill: 'var(--gap)' },
  ok: { share: 0.45, fill: 'var(--ok)' },
  bad: { share: 0.9, fill: 'var(--bad)' },
}

type CellsProps = {
  buckets: string[]
  reporters: [name: string, rows: Row[]][]
  interval: 'day' | 'week'
  /** What these are made of. */
  on: readonly unknown[]
}

/** One chart beside all rows. Failing days are twice as high, so not told by colour alone. */
function Cells({ buckets, reporters, interval, on }: CellsProps) {
  return (
    <Picture
      kind="cells"
      label={`${plural(reporters.length, 'reporter')} by ${interval}, each told in its row`}
      on={on}
      draw={(plot, { height }) => ({
        height,
        margin: 0,
        x: { type: 'band', domain: buckets, axis: null, padding: 0.12, round: false },
        y: { domain: [reporters.length, 0], axis: null },
        color: { type: 'identity' },
        marks: [
          plot.barY(
            reporters.flatMap(([, rows], place) => cellsOf(buckets, rows, place)),
            {
              x: 'bucket',
              y1: 'from',
              y2: 'to',
              fill: 'fill',
              title: 'title',
            },
          ),
        ],
      })}
    />
  )
}

/** `place` is the row, of height 1, that they stand in. */
function cellsOf(buckets: string[], rows: Row[], place: number) {
  const byBucket = new Map(rows.map((row) => [row.bucket, row]))
  return buckets.map((bucket) => {
    const row = byBucket.get(bucket)
    const failed = approximately(row?.failed)
    const sessions = failed + approximately(row?.successful)
    const { share, fill } = kinds[row === undefined ? 'gap' : failed > 0 ? 'bad' : 'ok']
    const said = row ? `${count(failed)} of ${count(sessions)} failed (${percent(failed, sessions)})` : 'no report'
    return { bucket, from: place + 0.95, to: place + 0.95 - share, fill, title: `${day(bucket)}: ${said}` }
  })
}
