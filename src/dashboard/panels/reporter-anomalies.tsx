/** What senders do not as RFC 8460 says, and we repaired or noted: by who they are. */
import { useAsked } from '../asked.tsx'
import { api, told } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Domain } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { approximately, count } from '../words.ts'

export function ReporterAnomalies() {
  const { question, link } = useAsked()
  const query = { from: question.from, to: question.to, limit: 200 }
  const loaded = useLoad((signal) => told(api.GET('/v1/reporters', { params: { query }, signal })), [query])
  return (
    <Panel
      title="Anomalies by reporter"
      question="Repaired or noted in what counts; nothing was lost by them."
      actions={<CsvButton path="/v1/reporters" query={query} />}
    >
      <Show of={loaded}>
        {({ data, page }) => {
          const rows = data.flatMap(({ domain, anomalies }) =>
            Object.entries(anomalies).map(([code, reports]) => ({ domain, code, reports })),
          )
          return (
            <>
              <Table
                caption="Anomalies by reporter"
                quietCaption
                rows={rows}
                rowKey={({ domain, code }) => `${domain} ${code}`}
                empty="None in this window."
                columns={[
                  { head: 'Reporter', cell: (row) => <Domain name={row.domain} />, by: (row) => row.domain },
                  { head: 'Anomaly', cell: (row) => row.code, by: (row) => row.code },
                  {
                    head: 'Reports',
                    numeric: true,
                    cell: (row) => (
                      <a href={link('/reports', { reporter: row.domain, anomaly: row.code })}>{count(row.reports)}</a>
                    ),
                    by: (row) => approximately(row.reports),
                  },
                ]}
              />
              {page.next_cursor !== null && <p class="quiet">Of the first {count(data.length)}; the CSV has all.</p>}
            </>
          )
        }}
      </Show>
    </Panel>
  )
}
