/** One report: what it says, how far it is to be believed, and its bytes. */
import { useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { Failed, Show, useLoad } from '../load.tsx'
import { ends, receivingIp, receivingMx, resultType, sessions } from '../panels/failure-columns.tsx'
import { Anomalies, Proof } from '../panels/marks.tsx'
import { useAct } from '../parts/act.ts'
import { JsonText } from '../parts/json-text.tsx'
import { Page, Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { mayWrite } from '../session.ts'
import { approximately, count, day, percent, time, visible } from '../words.ts'

type Report = Schemas['ReportWithPolicies']
type Policy = Schemas['Policy']

export function ReportView({ key_ = '', params }: { key_?: string; params?: { key: string } }) {
  const key = params?.key ?? key_
  const [again, setAgain] = useState(0)
  const loaded = useLoad(
    async (signal) => {
      const report = await told(api.GET('/v1/reports/{key}', { params: { path: { key } }, signal }))
      const submission = await told(api.GET('/v1/submissions/{key}', { params: { path: { key: report.submission_key } }, signal })).catch(() => undefined) // prettier-ignore
      return { report, submission }
    },
    [key, again],
  )
  return (
    <Page title="Report">
      <Show of={loaded}>
        {({ report, submission }) => (
          <>
            <Summary report={report} onDecided={() => setAgain((n) => n + 1)} />
            <Policies policies={report.policies} />
            {report.policies.map((policy, i) => (
              <Details key={i} policy={policy} id={detailsId(i)} />
            ))}
            {submission && <Proof submission={submission} />}
            <Anomalies anomalies={report.anomalies} />
            <Raw reportKey={report.key} />
          </>
        )}
      </Show>
    </Page>
  )
}

function Summary({ report, onDecided }: { report: Report; onDecided: () => void }) {
  const { link } = useAsked()
  const all = approximately(report.successful) + approximately(report.failed)
  return (
    <section class="panel">
      <dl class="facts">
        <dt>Domain</dt>
        <dd>
          <a href={link(`/domains/${report.domain}`)}>
            <Domain name={report.domain} />
          </a>
        </dd>
        <dt>Organization</dt>
        <dd>
          <Said text={report.organization} />
        </dd>
        <dt>Contact</dt>
        <dd>
          <Said text={report.contact_info} />
        </dd>
        <dt>Report id</dt>
        <dd>
          <Said text={report.report_id} />
        </dd>
        <dt>Range</dt>
        <dd>
          {time(report.start_datetime)} to {time(report.end_datetime)}; counts on {day(report.day)}
        </dd>
        <dt>Arrived</dt>
        <dd>
          {time(report.arrived_at)} by {report.transport}
        </dd>
        <dt>Sessions</dt>
        <dd>
          <a href="#policies">
            {count(report.failed)} of {count(all)} failed
          </a>{' '}
          ({percent(report.failed, all)})
        </dd>
        <dt>Whose word</dt>
        <dd>
          {report.trust === 'verified' ? (
            <>
              verified: <Said text={report.reporter} />
            </>
          ) : (
            'unverified: nobody stands behind it'
          )}
        </dd>
        <dt>Standing</dt>
        <dd>
          {report.standing}
          {report.counted ? '' : ', not in any number'}
          {report.decision && (
            <>
              ; {report.decision.word}d by <Said text={report.decision.by} />, {time(report.decision.at)}{' '}
              <Said text={report.decision.reason} absent="" />
            </>
          )}
        </dd>
      </dl>
      {mayWrite() && <Decide report={report} onDecided={onDecided} />}
    </section>
  )
}

function Decide({ report, onDecided }: { report: Report; onDecided: () => void }) {
  const { busy, error, act } = useAct()
  const word = report.counted ? 'exclude' : 'include'
  const decide = async () => {
    await told(api.POST(`/v1/reports/{key}/${word}`, { params: { path: { key: report.key } }, body: {} }))
    onDecided()
  }
  return (
    <>
      <button type="button" class="outline" disabled={busy} aria-busy={busy} onClick={() => act(decide)}>
        {word === 'exclude' ? 'Exclude this report from all numbers' : 'Include this report in the numbers'}
      </button>
      {error && <Failed error={error} />}
    </>
  )
}

const detailsId = (i: number): string => `details-${i + 1}`

/** Side by side and never added up: sts and tlsa of one report may be the same sessions. */
function Policies({ policies }: { policies: Policy[] }) {
  return (
    <Panel
      id="policies"
      title="Policies"
      question={
        new Set(policies.map(({ policy_type: type }) => type)).size > 1
          ? 'Different policy types may describe the same sessions, so they are never added up.'
          : ''
      }
    >
      <div class="cards">
        {policies.map((policy, i) => (
          <article key={i} class="card">
            <h3>
              <Said text={policy.policy_type} />{' '}
              {policy.policy_mode !== null && (
                <small>
                  <Said text={policy.policy_mode} />
                </small>
              )}
            </h3>
            <p>
              <Said text={policy.policy_domain} />{' '}
              {policy.primary && <small class="quiet">stands for the totals</small>}
            </p>
            <p>
              {count(policy.successful)} succeeded,{' '}
              {policy.failure_details.length === 0 ? (
                <>{count(policy.failed)} failed</>
              ) : (
                <a href={`#${detailsId(i)}`}>{count(policy.failed)} failed</a>
              )}
              {approximately(policy.unattributed_failed) !== 0 && (
                <>; {count(policy.unattributed_failed)} not told by the details</>
              )}
            </p>
            <ul class="plain">
              {policy.policy_string.map((line, j) => (
                <li key={j}>
                  <code>
                    <Said text={line} />
                  </code>
                </li>
              ))}
            </ul>
            {policy.mx_host.length > 0 && (
              <p class="quiet">
                mx-host:{' '}
                {policy.mx_host.map((host, j) => (
                  <span key={j}>
                    <Said text={host} />{' '}
                  </span>
                ))}
              </p>
            )}
          </article>
        ))}
      </div>
    </Panel>
  )
}

function Details({ policy, id }: { policy: Policy; id: string }) {
  if (policy.failure_details.length === 0) return null
  return (
    <Panel id={id} title={`Failure details: ${visible(policy.policy_type)}`}>
      <Table
        caption={`Failure details of the policy ${visible(policy.policy_type)}`}
        quietCaption
        rows={policy.failure_details}
        rowKey={(_, place) => String(place)}
        columns={[
          resultType,
          sessions,
          receivingMx,
          { head: 'HELO', cell: (row) => <Said text={row.receiving_mx_helo} /> },
          receivingIp,
          ...ends,
        ]}
      />
    </Panel>
  )
}

function Raw({ reportKey }: { reportKey: string }) {
  const address = `/v1/reports/${encodeURIComponent(reportKey)}/raw`
  return (
    <Panel
      title="As it arrived"
      actions={
        <a href={address} download>
          Download
        </a>
      }
    >
      <JsonText address={`/v1/reports/${encodeURIComponent(reportKey)}/json`} />
    </Panel>
  )
}
