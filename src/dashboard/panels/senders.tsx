/** "Who could not reach me?": failures by reporting organisation, then by sending network and address. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'
import { Table, type Column } from '../parts/table.tsx'
import { networkOf } from './network.ts'
import { useAsked } from '../asked.tsx'
import { queryOf } from '../question.ts'
import { approximately, count, day, isZero } from '../words.ts'

type Row = Schemas['SummaryRow']

export function SenderTable({ domain }: { domain?: string }) {
  const { question, link } = useAsked()
  const query = {
    ...queryOf(question, domain),
    trust: question.trust,
    group_by: ['organization', 'sending_mta_ip'] as ('organization' | 'sending_mta_ip')[],
    limit: 500,
  }
  const unverifiedColumn: Column<Row> = {
    head: 'Unverified',
    numeric: true,
    cell: (row) => <a href={rowsOf(row, { trust: 'unverified' })}>{count(row.unverified.failed)}</a>,
    by: (row) => approximately(row.unverified.failed),
  }
  const loaded = useLoad((signal) => told(api.GET('/v1/summary', { params: { query }, signal })), [query])
  const filters = { ...question.filters, ...(domain !== undefined && { domain }) }
  const rowsOf = ({ organization, sending_mta_ip: ip }: Row, trust = {}) =>
    link('/failures', { ...filters, organization: organization ?? '', sending_mta_ip: ip ?? '', ...trust })
  return (
    <Panel
      title="Who could not reach me"
      question="Failed sessions by who sent."
      actions={<CsvButton path="/v1/summary" query={query} />}
    >
      <Show of={loaded}>
        {({ data, page }) => {
          const rows = data.filter((row) => !isZero(row.failed) || !isZero(row.unverified.failed))
          return (
            <>
              <Table<Row>
                caption="Failed sessions by organization, sending network and address"
                quietCaption
                rows={rows}
                rowKey={(row) => JSON.stringify([row.organization, row.sending_mta_ip])}
                empty="Nobody failed to reach you in this window, as far as the reports say."
                columns={[
                  {
                    head: 'Organization',
                    cell: (row) => <Said text={row.organization} absent="not said" />,
                    by: (row) => row.organization,
                  },
                  {
                    head: 'Network',
                    cell: (row) => <Said text={networkOf(row.sending_mta_ip)} />,
                    by: (row) => networkOf(row.sending_mta_ip),
                  },
                  {
                    head: 'Sending MTA',
                    cell: (row) => (
                      <a href={rowsOf(row, isZero(row.failed) ? { trust: 'unverified' } : {})}>
                        <Said text={row.sending_mta_ip} absent="not said" />
                      </a>
                    ),
                    by: (row) => row.sending_mta_ip,
                  },
                  {
                    head: 'Failed',
                    numeric: true,
                    cell: (row) => <a href={rowsOf(row)}>{count(row.failed)}</a>,
                    by: (row) => approximately(row.failed),
                  },
                  ...(question.trust === 'verified' ? [unverifiedColumn] : []),
                  {
                    head: 'First seen',
                    whole: true,
                    cell: (row) => (row.first_seen === null ? '–' : day(row.first_seen)),
                    by: (row) => row.first_seen,
                  },
                  {
                    head: 'Last seen',
                    whole: true,
                    cell: (row) => (row.last_seen === null ? '–' : day(row.last_seen)),
                    by: (row) => row.last_seen,
                  },
                ]}
              />
              {page.next_cursor !== null && (
                <p class="quiet">The {data.length} with the most failures; the CSV has them all.</p>
              )}
            </>
          )
        }}
      </Show>
    </Panel>
  )
}
