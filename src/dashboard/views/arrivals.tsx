/** "Did we lose anything?": every arrival with its verdict, and what was refused with the reason. */
import { useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { ArrivalChart } from '../panels/arrival-chart.tsx'
import { ReporterAnomalies } from '../panels/reporter-anomalies.tsx'
import { CsvButton } from '../parts/csv.tsx'
import { Page, Panel } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { approximately, count, enumerate, plural, shares, time } from '../words.ts'
import { JudgeAgain } from './submission.tsx'

type Verdict = Schemas['Submission']['verdict']
type Arrival = Schemas['ArrivalCount']

const verdicts: Verdict[] = ['accepted', 'duplicate', 'conflict', 'quarantined', 'unauthenticated', 'malformed', 'unreadable', 'not-ours', 'too-large'] // prettier-ignore
const transports = ['smtp', 'https', 'file'] as const
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
      <List />
      <ReporterAnomalies />
    </Page>
  )
}

/** All there is, and so 100 %. */
function Verdicts({ rows }: { rows: Arrival[] }) {
  const { here } = useAsked()
  const all = rows.reduce((sum, row) => sum + approximately(row.count), 0)
  if (all === 0) return <p class="quiet">Nothing arrived in this window.</p>
  const groups = [...Map.groupBy(rows, (row) => `${row.verdict} ${row.transport}`)].map(([key, of]) => ({
    key,
    verdict: of[0]!.verdict,
    transport: of[0]!.transport,
    arrivals: of.reduce((sum, row) => sum + approximately(row.count), 0),
  }))
  const sorted = groups.sort((a, b) => b.arrivals - a.arrivals)
  const parts = shares(sorted.map(({ arrivals }) => arrivals))
  return (
    <Table
      caption={`${plural(all, 'arrival')}, 100 %`}
      rows={sorted.map((group, i) => ({ ...group, share: parts[i]! }))}
      rowKey={({ key }) => key}
      columns={[
        { head: 'Verdict', whole: true, cell: (row) => row.verdict, by: (row) => row.verdict },
        { head: 'By', cell: (row) => row.transport, by: (row) => row.transport },
        {
          head: 'Arrivals',
          numeric: true,
          cell: ({ verdict, transport, arrivals }) => <a href={here({ verdict, transport })}>{count(arrivals)}</a>,
          by: (row) => row.arrivals,
        },
        { head: 'Share', numeric: true, cell: (row) => row.share, by: (row) => row.arrivals },
      ]}
    />
  )
}

/** Those of a verdict that the address names, else what was refused or does not count. */
function List() {
  const { question, link, here, search } = useAsked()
  const [judged, setJudged] = useState(0)
  const verdict = verdicts.filter((each) => search.getAll('verdict').includes(each))
  const transport = transports.filter((each) => search.getAll('transport').includes(each))
  const isChosen = verdict.length > 0
  const query = {
    from: question.from,
    to: question.to,
    verdict: isChosen ? verdict : refusals,
    ...(transport.length > 0 && { transport }),
    ...(question.filters.domain && { domain: question.filters.domain }),
    limit: 50,
  }
  return (
    <Panel
      title={isChosen ? `Arrivals: ${enumerate(verdict)} ${transport.length > 0 ? `by ${enumerate(transport)}` : ''}` : 'Refused or not counted'} // prettier-ignore
      question="Kept with its reason, for a bounded time; what was refused can be judged again."
      actions={<CsvButton path="/v1/submissions" query={query} />}
    >
      {isChosen && (
        <p>
          <a href={here({ verdict: undefined, transport: undefined })}>What was refused or not counted</a>
        </p>
      )}
      <Pages
        ask={(more, init) => told(api.GET('/v1/submissions', { params: { query: { ...query, ...more } }, ...init }))}
        on={[query, judged]}
      >
        {(rows) => (
          <Table
            caption="Arrivals"
            quietCaption
            rows={rows}
            rowKey={(row) => row.key}
            empty={isChosen ? 'Nothing of this kind in this window.' : 'Nothing was refused in this window.'}
            columns={[
              {
                head: 'Arrived',
                whole: true,
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
              { head: 'Verdict', whole: true, cell: (row) => row.verdict, by: (row) => row.verdict },
              { head: 'Reason', cell: (row) => <Said text={row.reason} />, by: (row) => row.reason },
              { head: 'Problem', cell: (row) => <Said text={row.problems[0]?.message ?? null} /> },
              {
                head: 'Again',
                whole: true,
                cell: (row) => <JudgeAgain submission={row} onJudged={() => setJudged((n) => n + 1)} />,
              },
            ]}
          />
        )}
      </Pages>
    </Panel>
  )
}
