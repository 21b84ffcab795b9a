/** "Can I trust this?": every reporter with its standing, and the buttons to change it. */
import { useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { Failed } from '../load.tsx'
import { useAct } from '../parts/act.ts'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { mayWriteAll } from '../session.ts'
import { approximately, count, day } from '../words.ts'

type Reporter = Schemas['Reporter']
type StandingWord = Reporter['standing']

/** Why a report is in no number. */
const uncounted = ['superseded', 'conflict', 'contested', 'implausible', 'excluded', 'blocked']

/** Of each all reports of the window are read: the first few are there at once. */
const firstRows = 20

export function Standing() {
  const { question, link } = useAsked()
  const [changed, setChanged] = useState<Record<string, StandingWord>>({})
  const query = { from: question.from, to: question.to, limit: 200 }
  const standingOf = (row: Reporter) => changed[row.domain] ?? row.standing
  return (
    <Panel
      title="Whom to believe"
      question="The organisational domain behind the DKIM signature. Blocked ones are kept and never count."
      actions={<CsvButton path="/v1/reporters" query={query} />}
    >
      <Pages
        ask={({ cursor }, init) => {
          const page = cursor === undefined ? { limit: firstRows } : { cursor }
          return told(api.GET('/v1/reporters', { params: { query: { ...query, ...page } }, ...init }))
        }}
        on={[query]}
      >
        {(rows) => (
          <Table
            caption="Reporters and their standing"
            quietCaption
            rows={rows}
            rowKey={(row) => row.domain}
            empty="No verified reporter yet."
            columns={[
              {
                head: 'Reporter',
                cell: (row) => (
                  <a href={link('/reports', { reporter: row.domain })}>
                    <Domain name={row.domain} />
                  </a>
                ),
                by: (row) => row.domain,
              },
              {
                head: 'Calls itself',
                cell: (row) =>
                  row.organizations.map((name, i) => (
                    <span key={name}>
                      {i > 0 && ', '}
                      <Said text={name} />
                    </span>
                  )),
              },
              {
                head: 'Standing',
                whole: true,
                cell: (row) => (
                  <>
                    {standingOf(row)}{' '}
                    {row.standing_source === 'seed' && changed[row.domain] === undefined && (
                      <small class="quiet">well known</small>
                    )}
                  </>
                ),
                by: standingOf,
              },
              {
                head: 'Reports',
                numeric: true,
                cell: (row) => <a href={link('/reports', { reporter: row.domain })}>{count(row.reports)}</a>,
                by: (row) => approximately(row.reports),
              },
              {
                head: 'Not counted',
                numeric: true,
                cell: (row) => (
                  <a href={link('/reports', { reporter: row.domain, standing: uncounted })}>
                    {count(row.uncounted_reports)}
                  </a>
                ),
                by: (row) => approximately(row.uncounted_reports),
              },
              {
                head: 'Failed',
                numeric: true,
                cell: (row) => <a href={link('/failures', { reporter: row.domain })}>{count(row.failed)}</a>,
                by: (row) => approximately(row.failed),
              },
              {
                head: 'Last seen',
                whole: true,
                cell: (row) => (
                  <>
                    {row.last_seen === null ? '–' : day(row.last_seen)} {row.overdue && <mark>overdue</mark>}
                  </>
                ),
                by: (row) => row.last_seen,
              },
              {
                head: 'Anomalies',
                cell: (row) => (
                  <span class="anomalies">
                    {Object.entries(row.anomalies).map(([code, reports]) => (
                      <span key={code}>
                        {code} <a href={link('/reports', { reporter: row.domain, anomaly: code })}>{count(reports)}</a>
                      </span>
                    ))}
                  </span>
                ),
              },
              ...(mayWriteAll()
                ? [
                    {
                      head: 'Change',
                      whole: true,
                      cell: (row: Reporter) => (
                        <Change
                          row={row}
                          standing={standingOf(row)}
                          onChange={(standing) => setChanged((before) => ({ ...before, [row.domain]: standing }))}
                        />
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Pages>
    </Panel>
  )
}

function Change({
  row,
  standing,
  onChange,
}: {
  row: Reporter
  standing: StandingWord
  onChange: (standing: StandingWord) => void
}) {
  // prettier-ignore
  const { busy, error, act } = useAct()
  const set = async (next: StandingWord) => {
    const { standing } = await told(
      api.PATCH('/v1/reporters/{domain}', { params: { path: { domain: row.domain } }, body: { standing: next } }),
    )
    onChange(standing)
  }
  const button = (next: StandingWord, label: string) => (
    <button
      type="button"
      class="outline small"
      disabled={busy}
      onClick={() => act(() => set(next))}
      aria-label={`${label} ${row.domain}`}
    >
      {label}
    </button>
  )
  return (
    <span class="acts">
      {standing !== 'known' && button('known', 'Know')}
      {standing !== 'blocked' ? button('blocked', 'Block') : button('new', 'Unblock')}
      {error && <Failed error={error} />}
    </span>
  )
}
