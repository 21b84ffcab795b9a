/** "What fails where?": failed sessions by receiving MX and result type. What names no MX has a row of its own. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { useAsked } from '../asked.tsx'
import { queryOf } from '../question.ts'
import { totalsOf } from './totals.ts'
import { approximately, count, isZero, percent } from '../words.ts'

type Row = Schemas['SummaryRow']
const maxRows = 25

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

/** Of a table of links a reader of any kind can make sense; it is the picture and its table at once. */
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
  const sumBy = (key: (row: Row) => string) => {
    const sums = new Map<string, number>()
    for (const row of shown) sums.set(key(row), (sums.get(key(row)) ?? 0) + approximately(row.failed))
    return [...sums].sort((a, b) => b[1] - a[1])
  }
  const mxs = sumBy((row) => row.receiving_mx_hostname ?? '')
  const types = sumBy((row) => row.result_type ?? '')
  const all = mxs.reduce((sum, [, failed]) => sum + failed, 0)
  const most = Math.max(1, ...shown.map((row) => approximately(row.failed)))
  const cellOf = (mx: string, type: string) => shown.find((row) => (row.receiving_mx_hostname ?? '') === mx && row.result_type === type) // prettier-ignore
  return (
    <>
      <div class="scroll" role="region" aria-label="What fails where" tabIndex={0}>
        <table class="heat">
          <caption class="unseen">Failed sessions by receiving MX and result type</caption>
          <thead>
            <tr>
              <th scope="col">Receiving MX</th>
              {types.map(([type]) => (
                <th key={type} scope="col" class="number">
                  <Said text={type} />
                </th>
              ))}
              <th scope="col" class="number">
                All
              </th>
            </tr>
          </thead>
          <tbody>
            {mxs.slice(0, maxRows).map(([mx, failed]) => (
              <tr key={mx}>
                <th scope="row">{mx === '' ? <em>no MX named</em> : <Domain name={mx} />}</th>
                {types.map(([type]) => {
                  const cell = cellOf(mx, type)
                  if (!cell) return <td key={type} class="number" aria-label="none" />
                  const about = { ...filters, receiving_mx_hostname: mx, result_type: type }
                  return (
                    <td key={type} class="number" style={shade(approximately(cell.failed) / most)}>
                      {!isZero(cell.failed) && (
                        <a href={link('/failures', about)}>
                          {count(cell.failed)} <small>{percent(cell.failed, all)}</small>
                        </a>
                      )}
                      {!isZero(cell.unverified.failed) && question.trust === 'verified' && (
                        <a class="beside" href={link('/failures', { ...about, trust: 'unverified' })}>
                          + {count(cell.unverified.failed)} unverified
                        </a>
                      )}
                    </td>
                  )
                })}
                <td class="number">
                  <a href={link('/failures', { ...filters, receiving_mx_hostname: mx })}>{count(failed)}</a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {mxs.length > maxRows && (
        <p class="quiet">
          The {maxRows} with the most failures of {count(mxs.length)}; the CSV has them all.
        </p>
      )}
      {unattributed}
    </>
  )
}

/** Set by the CSS object model, which the Content-Security-Policy allows: no style attribute is ever parsed. */
const shade = (share: number) => ({ '--share': `${Math.round(15 + share * 70)}%` })

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
