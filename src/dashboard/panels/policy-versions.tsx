/** "Which policy do senders apply?": the versions of the policy string, by who applied them and when. */
import { api, told, type Schemas } from '../client.ts'
import { CsvButton } from '../parts/csv.tsx'
import { Details } from '../parts/details.tsx'
import { Panel } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { addDays } from '../question.ts'
import { approximately, count, day, days, isZero, plural } from '../words.ts'

type Version = Schemas['PolicyVersion']

export function PolicyVersions({ domain }: { domain?: string }) {
  const { question } = useAsked()
  const asked = domain !== undefined ? [domain] : question.filters.domain
  const query = { from: question.from, to: question.to, ...(asked && { domain: asked }), ...(question.filters.reporter && { reporter: question.filters.reporter }), limit: 50 } // prettier-ignore
  return (
    <Panel
      title="Policies that senders apply"
      question="Newest first. A sender may go on with an old one until its max_age is over."
      actions={<CsvButton path="/v1/policy-versions" query={query} />}
    >
      <Pages
        ask={(more, init) =>
          told(api.GET('/v1/policy-versions', { params: { query: { ...query, ...more } }, ...init }))
        }
        on={[query]}
      >
        {(rows) =>
          rows.length === 0 ? (
            <p class="quiet">No policy in this window.</p>
          ) : (
            <div class="cards">
              {rows.map((version, i) => (
                <VersionCard key={i} version={version} />
              ))}
            </div>
          )
        }
      </Pages>
    </Panel>
  )
}

function VersionCard({ version }: { version: Version }) {
  const { link } = useAsked()
  /** Of its kind and its days: the API knows no filter by the very policy. */
  const reportsOf = (of: Record<string, string | undefined>) =>
    link('/reports', {
      policy_domain: version.policy_domain,
      policy_type: version.policy_type,
      days: undefined,
      from: version.first_day,
      to: addDays(version.last_day, 1),
      ...of,
    })
  return (
    <article class="card">
      <h3>
        <Domain name={version.policy_domain} />: <Said text={version.policy_mode ?? version.policy_type} />
      </h3>
      <p class="quiet">
        <Said text={version.policy_type} />
        {version.max_age !== null && <>, max_age {maxAge(version.max_age)}</>},{' '}
        {days(version.first_day, version.last_day)}
      </p>
      {version.live !== null && (
        <p>
          {version.live === 'same' ? (
            <span class="state ok">This is the one published now.</span>
          ) : (
            <span class="state warning">Older than the one published now.</span>
          )}
          {version.live === 'older' && version.cache_until !== null && (
            <> Caches run out by {day(version.cache_until)}.</>
          )}
        </p>
      )}
      <ul class="plain">
        {version.policy_string.map((line, i) => (
          <li key={i}>
            <code>
              <Said text={line} />
            </code>
          </li>
        ))}
      </ul>
      {version.mx_host.length > 0 && (
        <p class="quiet">
          mx-host:{' '}
          {version.mx_host.map((host, i) => (
            <span key={i}>
              {i > 0 && ', '}
              <Said text={host} />
            </span>
          ))}
        </p>
      )}
      {!isZero(version.reports) && (
        <p>
          {failedOf(version)}, <a href={reportsOf({ trust: 'verified' })}>{plural(version.reports, 'report')}</a>
        </p>
      )}
      {!isZero(version.unverified.reports) && (
        <p class="quiet">
          {failedOf(version.unverified)},{' '}
          <a href={reportsOf({ trust: 'unverified' })}>{plural(version.unverified.reports, 'unverified report')}</a>
        </p>
      )}
      <Details summary={`Applied by ${count(version.reporters.length)}`}>
        {() => (
          <Table
            caption="Who applied this policy"
            quietCaption
            rows={version.reporters}
            rowKey={(_, place) => String(place)}
            columns={[
              {
                head: 'Reporter',
                cell: (row) => (
                  <a href={reportsOf(byWhom(row))}>
                    <Said text={row.reporter ?? row.organization} />
                  </a>
                ),
              },
              { head: 'Trust', whole: true, cell: (row) => row.trust },
              { head: 'First', whole: true, cell: (row) => day(row.first_day), by: (row) => row.first_day },
              { head: 'Last', whole: true, cell: (row) => day(row.last_day), by: (row) => row.last_day },
              {
                head: 'Cached until',
                cell: (row) => (row.cache_until === null ? '–' : day(row.cache_until)),
                by: (row) => row.cache_until,
              },
              {
                head: 'Reports',
                numeric: true,
                cell: (row) => <a href={reportsOf(byWhom(row))}>{count(row.reports)}</a>,
                by: (row) => approximately(row.reports),
              },
            ]}
          />
        )}
      </Details>
    </article>
  )
}

const byWhom = ({ reporter, organization }: Version['reporters'][number]) =>
  reporter === null ? { organization: organization ?? '' } : { reporter }

const failedOf = ({ successful, failed }: Pick<Version, 'successful' | 'failed'>): string =>
  `${count(failed)} of ${count(approximately(successful) + approximately(failed))} sessions failed`

const daySeconds = 86_400

const maxAge = (seconds: Schemas['Count']): string => {
  const days = approximately(seconds) / daySeconds
  return days >= 1 ? `${count(Math.round(days * 10) / 10)} d` : `${count(seconds)} s`
}
