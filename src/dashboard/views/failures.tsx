/** Failure details as they were reported: what every number of failed sessions leads to. */
import { api, told } from '../client.ts'
import { CsvButton } from '../parts/csv.tsx'
import { Page } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Domain, Said, SaidLink } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.ts'
import { queryOf } from '../question.ts'
import { approximately, count, day } from '../words.ts'

export function Failures() {
  const { question, link } = useAsked()
  const query = { ...queryOf(question), trust: question.trust, limit: 100 }
  return (
    <Page title="Failures">
      <p class="quiet">
        Failure details, newest day first. <CsvButton path="/v1/failures" query={query} />
      </p>
      <Pages
        ask={(cursor, signal) =>
          told(
            api.GET('/v1/failures', {
              params: { query: { ...query, ...(cursor !== undefined && { cursor }) } },
              ...(signal && { signal }),
            }),
          )
        }
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
              { head: 'Result type', cell: (row) => <Said text={row.result_type} />, by: (row) => row.result_type },
              {
                head: 'Sessions',
                numeric: true,
                cell: (row) => count(row.failed_session_count),
                by: (row) => approximately(row.failed_session_count),
              },
              {
                head: 'Receiving MX',
                cell: (row) => <Said text={row.receiving_mx_hostname} />,
                by: (row) => row.receiving_mx_hostname,
              },
              { head: 'Receiving IP', cell: (row) => <Said text={row.receiving_ip} />, by: (row) => row.receiving_ip },
              {
                head: 'Sending MTA',
                cell: (row) => <Said text={row.sending_mta_ip} />,
                by: (row) => row.sending_mta_ip,
              },
              {
                head: 'Reason',
                cell: (row) => <Said text={row.failure_reason_code} />,
                by: (row) => row.failure_reason_code,
              },
              { head: 'More', cell: (row) => <SaidLink text={row.additional_information} /> },
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
