/** Reports, counted or not. */
import { api, told, type Schemas } from '../client.ts'
import { CsvButton } from '../parts/csv.tsx'
import { Page } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { approximately, count, day } from '../words.ts'

export function Reports() {
  const { question, link, search } = useAsked()
  // Those that are of failure details are none of a report.
  const { sending_mta_ip: _, failure_reason_code: __, standing, ...filters } = question.filters
  const query = {
    from: question.from,
    to: question.to,
    ...filters,
    ...(standing && { standing: standing as Schemas['Report']['standing'][] }),
    // Unlike numbers, a list of reports is of all of them unless the address says so.
    trust: search.has('trust') ? question.trust : ('any' as const),
    limit: 100,
  }
  return (
    <Page title="Reports">
      <p class="quiet">
        Newest day first, counted or not. <CsvButton path="/v1/reports" query={query} />
      </p>
      <Pages
        ask={(more, init) => told(api.GET('/v1/reports', { params: { query: { ...query, ...more } }, ...init }))}
        on={[query]}
      >
        {(rows) => (
          <Table
            caption="Reports"
            quietCaption
            rows={rows}
            rowKey={(row) => row.key}
            empty="No report in this window, by these filters."
            columns={[
              {
                head: 'Day',
                whole: true,
                cell: (row) => <a href={link(`/reports/${row.key}`)}>{day(row.day)}</a>,
                by: (row) => row.day,
              },
              { head: 'Domain', cell: (row) => <Domain name={row.domain} />, by: (row) => row.domain },
              { head: 'Organization', cell: (row) => <Said text={row.organization} />, by: (row) => row.organization },
              {
                head: 'Reporter',
                cell: (row) => <Said text={row.reporter} absent="nobody stands behind it" />,
                by: (row) => row.reporter,
              },
              { head: 'Trust', whole: true, cell: (row) => row.trust, by: (row) => row.trust },
              { head: 'Standing', whole: true, cell: (row) => row.standing, by: (row) => row.standing },
              {
                head: 'Successful',
                numeric: true,
                cell: (row) => <a href={link(`/reports/${row.key}`)}>{count(row.successful)}</a>,
                by: (row) => approximately(row.successful),
              },
              {
                head: 'Failed',
                numeric: true,
                cell: (row) => <a href={link(`/reports/${row.key}`)}>{count(row.failed)}</a>,
                by: (row) => approximately(row.failed),
              },
              {
                head: 'Anomalies',
                numeric: true,
                cell: (row) => <a href={link(`/reports/${row.key}`)}>{row.anomalies.length}</a>,
                by: (row) => row.anomalies.length,
              },
              { head: 'By', cell: (row) => row.transport, by: (row) => row.transport },
            ]}
          />
        )}
      </Pages>
    </Page>
  )
}
