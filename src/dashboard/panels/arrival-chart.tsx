/** Arrivals by day, in three kinds: what counts, what was there already, and what was refused or set aside. */
import type { Schemas } from '../client.ts'
import { useAsked } from '../asked.tsx'
import { Chart } from '../parts/chart.tsx'
import { Table } from '../parts/table.tsx'
import { windowOf } from '../question.ts'
import { approximately, count, day } from '../words.ts'

type Arrival = Schemas['ArrivalCount']

const kindOf = ({ verdict }: Arrival): 'accepted' | 'duplicate' | 'refused' =>
  verdict === 'accepted' || verdict === 'duplicate' ? verdict : 'refused'

const colors = { accepted: 'var(--ok)', duplicate: 'var(--gap)', refused: 'var(--bad)' }

export function ArrivalChart({ rows, from, to }: { rows: Arrival[]; from: string; to: string }) {
  const { here, question } = useAsked()
  if (rows.length === 0) return null
  const bars = [...Map.groupBy(rows, (row) => `${row.day} ${kindOf(row)}`).values()].map((of) => ({
    day: of[0]!.day,
    kind: kindOf(of[0]!),
    verdicts: [...new Set(of.map(({ verdict }) => verdict))],
    arrivals: of.reduce((sum, row) => sum + approximately(row.count), 0),
  }))
  const label = `Arrivals by day: ${Object.keys(colors).map((kind) => `${count(bars.filter((bar) => bar.kind === kind).reduce((sum, bar) => sum + bar.arrivals, 0))} ${kind}`).join(', ')}.` // prettier-ignore
  return (
    <>
      <p class="legend" aria-hidden="true">
        <span class="key ok">accepted</span>
        <span class="key gap">was there already</span>
        <span class="key bad">refused or set aside</span>
      </p>
      <Chart
        label={label}
        on={[rows, from, to]}
        draw={(plot) => ({
          height: 180,
          marginLeft: 50,
          x: { type: 'utc', interval: 'day', domain: [new Date(from), new Date(to)], label: null },
          y: { grid: true, label: 'arrivals', ticks: 4 },
          color: { type: 'identity' },
          marks: [
            plot.rectY(bars, {
              x: (bar: { day: string }) => new Date(bar.day),
              interval: 'day',
              y: 'arrivals',
              fill: (bar: { kind: keyof typeof colors }) => colors[bar.kind],
              order: Object.values(colors).toReversed(),
              inset: 0.5,
              title: (bar: { day: string; kind: string; arrivals: number }) =>
                `${day(bar.day)}: ${count(bar.arrivals)} ${bar.kind}`,
            }),
            plot.ruleY([0]),
          ],
        })}
        table={() => (
          <Table
            caption={label}
            rows={bars.toSorted((a, b) => b.day.localeCompare(a.day))}
            rowKey={(bar) => `${bar.day} ${bar.kind}`}
            columns={[
              { head: 'Day', whole: true, cell: (bar) => day(bar.day), by: (bar) => bar.day },
              { head: 'What', cell: (bar) => bar.kind, by: (bar) => bar.kind },
              {
                head: 'Arrivals',
                numeric: true,
                cell: (bar) => (
                  <a
                    href={here({ ...windowOf(bar.day, 'day', question), verdict: bar.verdicts, transport: undefined })}
                  >
                    {count(bar.arrivals)}
                  </a>
                ),
                by: (bar) => bar.arrivals,
              },
            ]}
          />
        )}
      />
    </>
  )
}
