/** Failure details as they were reported: what every number of failed sessions leads to. */
import { api, told } from '../client.ts'
import { ends, receivingIp, receivingMx, resultType, sessions } from '../panels/failure-columns.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Page } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { queryOf } from '../question.ts'
import { day } from '../words.ts'

export function Failures() {
  const { question, link } = useAsked()
  const query = { ...queryOf(question), trust: question.trust, limit: 100 }
  return (
    <Page title="Failures">
      <p class="quiet">
        Failure details, newest day first. <CsvButton path="/v1/failures" query={query} />
      </p>
      <Pages
        ask={(more, init) => told(api.GET('/v1/failures', { params: { query: { ...query, ...more } }, ...init }))}
        on={[query]}
      >
        {(rows) => (
          <Table
            caption="Failure details"
            quietCaption
            rows={rows}
            rowKey={(row) => row.key}
            empty="No failure detail in this window, by these filters."
            columns={[
              {
                head: 'Day',
                whole: true,
                cell: (row) => <a href={link(`/reports/${row.report_key}`)}>{day(row.day)}</a>,
                by: (row) => row.day,
              },
              { head: 'Domain', cell: (row) => <Domain name={row.domain} />, by: (row) => row.domain },
              resultType,
              sessions,
              receivingMx,
              receivingIp,
              ...ends,
              { head: 'Policy', cell: (row) => <Said text={row.policy_type} />, by: (row) => row.policy_type },
              {
                head: 'Reported by',
                cell: (row) => <Said text={row.reporter ?? row.organization} />,
                by: (row) => row.reporter ?? row.organization,
              },
              { head: 'Trust', whole: true, cell: (row) => row.trust, by: (row) => row.trust },
            ]}
          />
        )}
      </Pages>
    </Page>
  )
}
