/** "Did we lose anything?": every arrival with its verdict, and what was refused with the reason. */
import { useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { ArrivalChart } from '../panels/arrival-chart.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Page, Panel } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.ts'
import { approximately, count, percent, time } from '../words.ts'
import { JudgeAgain } from './submission.tsx'

type Verdict = Schemas['Submission']['verdict']
type Arrival = Schemas['ArrivalCount']

const refusals: Verdict[] = ['unauthenticated', 'malformed', 'unreadable', 'not-ours', 'too-large', 'quarantined', 'conflict'] // prettier-ignore

export function Arrivals() {
  const { question } = useAsked()
  const query = {
    from: question.from,
    to: question.to,
    ...(question.filters.domain && { domain: question.filters.domain }),
  }
  const loaded = useLoad((signal) => told(api.GET('/v1/arrivals', { params: { query }, signal })), [query])
  return (
    <Page title="Arrivals">
      <Panel
        title="What became of it"
        question="By the day of arrival."
        actions={<CsvButton path="/v1/arrivals" query={query} />}
      >
        <Show of={loaded}>
          {({ data }) => (
            <>
              <Verdicts rows={data} />
              <ArrivalChart rows={data} from={question.from} to={question.to} />
            </>
          )}
        </Show>
      </Panel>
      <Refused_ />
    </Page>
  )
}

/** All there is, and so 100 %. */
function Verdicts({ rows }: { rows: Arrival[] }) {
  const all = rows.reduce((sum, row) => sum + approximately(row.count), 0)
  if (all === 0) return <p class="quiet">Nothing arrived in this window.</p>
  const groups = [...Map.groupBy(rows, (row) => `${row.verdict} ${row.transport}`)].map(([key, of]) => ({
    key,
    verdict: of[0]!.verdict,
    transport: of[0]!.transport,
    arrivals: of.reduce((sum, row) => sum + approximately(row.count), 0),
  }))
  return (
    <Table
      caption={`${count(all)} arrivals, 100 %`}
      rows={groups.sort((a, b) => b.arrivals - a.arrivals)}
      rowKey={({ key }) => key}
      columns={[
        { head: 'Verdict', cell: (row) => row.verdict, by: (row) => row.verdict },
        { head: 'By', cell: (row) => row.transport, by: (row) => row.transport },
        { head: 'Arrivals', numeric: true, cell: (row) => count(row.arrivals), by: (row) => row.arrivals },
        { head: 'Share', numeric: true, cell: (row) => percent(row.arrivals, all), by: (row) => row.arrivals },
      ]}
    />
  )
}

function Refused_() {
  const { question, link } = useAsked()
  const [judged, setJudged] = useState(0)
  const query = { from: question.from, to: question.to, verdict: refusals, limit: 50, ...(question.filters.domain && { domain: question.filters.domain }) } // prettier-ignore
  return (
    <Panel
      title="Refused or not counted"
      question="Kept with its reason, for a bounded time; it can be judged again."
      actions={<CsvButton path="/v1/submissions" query={query} />}
    >
      <Pages
        ask={(cursor, signal) =>
          told(
            api.GET('/v1/submissions', {
              params: { query: { ...query, ...(cursor !== undefined && { cursor }) } },
              ...(signal && { signal }),
            }),
          )
        }
        on={[query, judged]}
      >
        {(rows) => (
          <Table
            caption="Refusals"
            quietCaption
            rows={rows}
            rowKey={(row) => row.key}
            empty="Nothing was refused in this window."
            columns={[
              {
                head: 'Arrived',
                cell: (row) => <a href={link(`/submissions/${row.key}`)}>{time(row.arrived_at)}</a>,
                by: (row) => row.arrived_at,
              },
              { head: 'By', cell: (row) => row.transport, by: (row) => row.transport },
              {
                head: 'From',
                cell: (row) => (
                  <Said
                    text={
                      'peer_address' in row.provenance
                        ? row.provenance.peer_address
                        : (row.provenance.file_name ?? null)
                    }
                  />
                ),
              },
              { head: 'Verdict', cell: (row) => row.verdict, by: (row) => row.verdict },
              { head: 'Reason', cell: (row) => <Said text={row.reason} />, by: (row) => row.reason },
              { head: 'Problem', cell: (row) => <Said text={row.problems[0]?.message ?? null} /> },
              {
                head: 'Again',
                cell: (row) => <JudgeAgain submission={row} onJudged={() => setJudged((n) => n + 1)} />,
              },
            ]}
          />
        )}
      </Pages>
    </Panel>
  )
}
