/** "Which policy do senders apply?": the versions of the policy string, by who applied them and when. */
import { api, told, type Schemas } from '../client.ts'
import { CsvButton } from '../parts/csv.tsx'
import { Panel } from '../parts/page.tsx'
import { Pages } from '../parts/pages.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.ts'
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
        ask={(cursor, signal) =>
          told(
            api.GET('/v1/policy-versions', {
              params: { query: { ...query, ...(cursor !== undefined && { cursor }) } },
              ...(signal && { signal }),
            }),
          )
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
          {failedOf(version)}, {plural(version.reports, 'report')}
        </p>
      )}
      {!isZero(version.unverified.reports) && (
        <p class="quiet">
          {failedOf(version.unverified)}, {plural(version.unverified.reports, 'unverified report')}
        </p>
      )}
      <details>
        <summary>Applied by {count(version.reporters.length)}</summary>
        <Table
          caption="Who applied this policy"
          quietCaption
          rows={version.reporters.map((each, i) => ({ ...each, i }))}
          rowKey={({ i }) => String(i)}
          columns={[
            {
              head: 'Reporter',
              cell: (row) => (
                <a
                  href={link(
                    '/reports',
                    row.reporter === null ? { organization: row.organization ?? '' } : { reporter: row.reporter },
                  )}
                >
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
              cell: (row) => count(row.reports),
              by: (row) => approximately(row.reports),
            },
          ]}
        />
      </details>
    </article>
  )
}

const failedOf = ({ successful, failed }: Pick<Version, 'successful' | 'failed'>): string =>
  `${count(failed)} of ${count(approximately(successful) + approximately(failed))} sessions failed`

const daySeconds = 86_400

const maxAge = (seconds: Schemas['Count']): string => {
  const days = approximately(seconds) / daySeconds
  return days >= 1 ? `${count(Math.round(days * 10) / 10)} d` : `${count(seconds)} s`
}
