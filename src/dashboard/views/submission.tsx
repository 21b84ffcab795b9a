/** One arrival: its verdict, why, and another try. */
import { useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { Failed, Show, useLoad } from '../load.tsx'
import { Anomalies, Problems, Proof } from '../panels/marks.tsx'
import { useAct } from '../parts/act.ts'
import { Page, Panel } from '../parts/page.tsx'
import { Domain, Said } from '../parts/said.tsx'
import { useAsked } from '../asked.tsx'
import { mayWriteAll } from '../session.ts'
import { time } from '../words.ts'

export function SubmissionView({ params }: { params?: { key: string } }) {
  const { link } = useAsked()
  const key = params?.key ?? ''
  const [again, setAgain] = useState(0)
  const loaded = useLoad((signal) => told(api.GET('/v1/submissions/{key}', { params: { path: { key } }, signal })), [key, again]) // prettier-ignore
  return (
    <Page title="Arrival">
      <Show of={loaded}>
        {(submission) => (
          <>
            <section class="panel">
              <dl class="facts">
                <dt>Verdict</dt>
                <dd>
                  <strong>{submission.verdict}</strong> {submission.reason !== null && <>: {submission.reason}</>}
                </dd>
                <dt>Arrived</dt>
                <dd>
                  {time(submission.arrived_at)} by {submission.transport}
                </dd>
                {Object.entries(submission.provenance).map(([name, value]) => (
                  <Fact
                    key={name}
                    name={name.replaceAll('_', ' ')}
                    value={typeof value === 'object' ? JSON.stringify(value) : String(value)}
                  />
                ))}
                <dt>Whose word</dt>
                <dd>
                  {submission.trust ?? '–'} <Said text={submission.reporter} absent="" />
                </dd>
              </dl>
              <JudgeAgain submission={submission} onJudged={() => setAgain((n) => n + 1)} />{' '}
              <a href={`/v1/submissions/${encodeURIComponent(key)}/raw`} download>
                Download as it arrived
              </a>
            </section>
            {submission.reports.length > 0 && (
              <Panel title="Reports">
                <ul>
                  {submission.reports.map((report) => (
                    <li key={report.key}>
                      <a href={link(`/reports/${report.key}`)}>
                        <Domain name={report.domain} />
                      </a>
                      : {report.verdict}
                    </li>
                  ))}
                </ul>
              </Panel>
            )}
            <Problems problems={submission.problems} />
            <Proof submission={submission} />
            <Anomalies anomalies={submission.anomalies} />
          </>
        )}
      </Show>
    </Page>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  if (name === 'transport') return null
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Said text={value} />
      </dd>
    </>
  )
}

const final: Schemas['Submission']['verdict'][] = ['accepted', 'duplicate']

/** By the code and the domains of today. */
export function JudgeAgain({ submission, onJudged }: { submission: Schemas['Submission']; onJudged: () => void }) {
  const [said, setSaid] = useState('')
  const { busy, error, act } = useAct()
  if (!mayWriteAll() || final.includes(submission.verdict)) return null
  const judge = async () => {
    const { verdict, reason } = await told(
      api.POST('/v1/submissions/{key}/replay', { params: { path: { key: submission.key } } }),
    )
    setSaid(reason === null ? verdict : `${verdict}: ${reason}`)
    if (verdict !== submission.verdict) onJudged()
  }
  return (
    <>
      <button type="button" class="outline small" disabled={busy} aria-busy={busy} onClick={() => act(judge)}>
        Judge again
      </button>{' '}
      <span role="status">{said}</span>
      {error && <Failed error={error} />}
    </>
  )
}
