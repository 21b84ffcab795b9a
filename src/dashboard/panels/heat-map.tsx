/** "What fails where?": failed sessions by receiving MX and result type. What names no MX has a row of its own. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { Chart } from '../parts/chart.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { useAsked } from '../asked.tsx'
import { queryOf } from '../question.ts'
import { approximately, count, isZero, plural } from '../words.ts'
import { drawGrid, gridOf, GridTable } from './heat-grid.tsx'
import { totalsOf } from './totals.ts'

type Row = Schemas['SummaryRow']

export function HeatMap({ domain }: { domain?: string }) {
  const { question } = useAsked()
  const query = {
    ...queryOf(question, domain),
    trust: question.trust,
    group_by: ['receiving_mx_hostname', 'result_type'] as ('receiving_mx_hostname' | 'result_type')[],
    limit: 500,
  }
  const loaded = useLoad(
    async (signal) => {
      const [cells, totals] = await Promise.all([
        told(api.GET('/v1/summary', { params: { query }, signal })),
        totalsOf(question, domain, question.trust),
      ])
      return {
        rows: cells.data.filter(({ result_type: type }) => type !== null && type !== undefined),
        totals,
      }
    },
    [query],
  )
  return (
    <Panel
      title="What fails where"
      question="Failed sessions by receiving MX and result type."
      actions={<CsvButton path="/v1/summary" query={query} />}
    >
      <Show of={loaded}>
        {({ rows, totals }) => <Cells rows={rows} totals={totals} {...(domain !== undefined && { domain })} />}
      </Show>
    </Panel>
  )
}

function Cells({ rows, totals, domain }: { rows: Row[]; totals: Schemas['Totals']; domain?: string }) {
  const { question, link } = useAsked()
  const shown = rows.filter((row) => !isZero(row.failed) || !isZero(row.unverified.failed))
  const filters = { ...question.filters, ...(domain !== undefined && { domain }) }
  const unattributed = (
    <Unattributed
      value={totals.unattributed_failed}
      failed={totals.failed}
      reports={link('/reports', { ...filters, trust: question.trust })}
    />
  )
  if (shown.length === 0) {
    return <p class="quiet">No failure detail in this window. {unattributed}</p>
  }
  const grid = gridOf(shown, (about) => link('/failures', { ...filters, ...about }), question.trust === 'verified')
  return (
    <>
      <Chart
        label={`Failed sessions by receiving MX and result type: ${plural(grid.mxs.length, 'MX', 'MXs')}, ${plural(grid.types.length, 'result type')}.`}
        on={[rows, question, domain]}
        hasLinks
        keepsNames
        draw={(plot, { width }) => drawGrid(plot, grid, width)}
        table={() => <GridTable grid={grid} />}
      />
      {grid.hidden > 0 && (
        <p class="quiet">
          The {grid.mxs.length} with the most failures of {count(grid.mxs.length + grid.hidden)}; the CSV has them all.
        </p>
      )}
      {unattributed}
    </>
  )
}

function Unattributed({
  value,
  failed,
  reports,
}: {
  value: Schemas['Count'] | null
  failed: Schemas['Count']
  reports: string
}) {
  if (value === null || isZero(value)) return null
  const isMore = approximately(value) > 0
  return (
    <p class="note">
      {isMore
        ? `${count(value)} of ${count(failed)} failed sessions have no detail: `
        : `The details add up to ${count(String(-BigInt(value)))} sessions more than the totals of `}
      <a href={reports}>their reports</a>
      {isMore ? ' do not say what failed.' : ' say.'}
    </p>
  )
}
