/** "What is published, and what is wrong with it?": the last check, one made now, and what changed from check to check. */
import { useState } from 'preact/hooks'
import { makeCheck, type Step } from '../check-stream.ts'
import { api, told, type Schemas } from '../client.ts'
import { Failed, Show, useLoad } from '../load.tsx'
import { useAct } from '../parts/act.ts'
import { Copyable } from '../parts/copy.tsx'
import { Details } from '../parts/details.tsx'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'
import { mayWrite } from '../session.ts'
import { plural, time } from '../words.ts'

type Check = Schemas['Check']
type Finding = Schemas['Finding']

/** `made` counts the checks made on this page; `onMade` says that there is one more. */
export function Findings({ domain, made, onMade }: { domain: string; made: number; onMade: () => void }) {
  const last = useLoad((signal) => lastCheck(domain, signal), [domain, made])
  return (
    <Panel
      title="What a check from outside sees"
      question="DNS, policy host and every MX host, as a sender finds them. No mail is sent."
    >
      {mayWrite() && <CheckNow domain={domain} onMade={onMade} />}
      <Show of={last}>
        {(check) => (check ? <CheckResult check={check} /> : <p class="quiet">{domain} has not been checked yet.</p>)}
      </Show>
    </Panel>
  )
}

async function lastCheck(domain: string, signal: AbortSignal): Promise<Check | undefined> {
  const { data } = await told(api.GET('/v1/checks', { params: { query: { domain: [domain], limit: 1 } }, signal }))
  const key = data[0]?.key
  return key === undefined ? undefined : told(api.GET('/v1/checks/{key}', { params: { path: { key } }, signal }))
}

function CheckNow({ domain, onMade }: { domain: string; onMade: () => void }) {
  const [steps, setSteps] = useState<Step[]>([])
  const { busy, error, act } = useAct()
  const check = async () => {
    setSteps([])
    await makeCheck(domain, (step) => setSteps((before) => withStep(before, step)))
    onMade()
  }
  const ended = steps.filter(({ state }) => state === 'ended').length
  return (
    <>
      <button type="button" aria-busy={busy} disabled={busy} onClick={() => act(check)}>
        Check now
      </button>
      <p role="status" class="quiet">
        {busy ? `Looking: ${ended} of ${plural(steps.length, 'step')} done.` : steps.length > 0 && !error && 'Checked.'}
      </p>
      {busy && (
        <ul class="plain steps">
          {steps.map(({ step, subject, state }) => (
            <li key={`${step} ${subject}`} class={state}>
              <Said text={stepWords[step] ?? step} />: <Said text={subject} />
            </li>
          ))}
        </ul>
      )}
      {error && <Failed error={error} />}
    </>
  )
}

const stepWords: Record<string, string> = {
  'sts-record': 'MTA-STS record',
  policy: 'policy host',
  'mx-records': 'MX records',
  'mx-host': 'MX host',
  'tlsrpt-record': 'TLSRPT record',
  rua: 'address for reports',
}

const withStep = (steps: readonly Step[], step: Step): Step[] =>
  step.state === 'begun'
    ? [...steps, step]
    : steps.map((one) => (one.step === step.step && one.subject === step.subject ? step : one))

const severities = ['error', 'warning', 'advice', 'ok'] as const
const headings = { error: 'Broken', warning: 'Will hurt', advice: 'Could be better', ok: 'As it should be' }

function CheckResult({ check }: { check: Check }) {
  const of = (severity: Finding['severity']) => check.findings.filter((finding) => finding.severity === severity)
  return (
    <>
      <p class="headline">
        <span class={`state ${check.severity}`}>
          {verdictOf(of('error').length, of('warning').length)}
        </span>{' '}
        <small class="quiet">
          {time(check.started_at)}, {check.asked_by === null ? 'the daily check' : <>by <Said text={check.asked_by} /></>}
        </small>
      </p>
      <Changes changes={check.changes} />
      {severities.map((severity) => (
        <Group key={severity} severity={severity} findings={of(severity)} />
      ))}
    </>
  )
} // prettier-ignore

const verdictOf = (errors: number, warnings: number): string =>
  [errors > 0 ? plural(errors, 'error') : 'Nothing is broken', ...(warnings > 0 ? [plural(warnings, 'warning')] : [])].join(', ') // prettier-ignore

function Group({ severity, findings }: { severity: (typeof severities)[number]; findings: Finding[] }) {
  if (findings.length === 0) return null
  const list = (
    <ul class="plain findings">
      {findings.map((finding, i) => (
        <FindingItem key={i} finding={finding} />
      ))}
    </ul>
  )
  if (severity === 'ok') {
    return (
      <details>
        <summary>
          {headings.ok}: {findings.length}
        </summary>
        {list}
      </details>
    )
  }
  return (
    <section aria-label={headings[severity]}>
      <h3>
        <span class={`state ${severity}`}>{headings[severity]}</span>
      </h3>
      {list}
    </section>
  )
}

function FindingItem({ finding: { code, severity, subject, sentence, evidence, fix, value } }: { finding: Finding }) {
  return (
    <li class={`finding ${severity}`}>
      <p>
        <strong>
          <Said text={subject} />
        </strong>
        : <Said text={sentence} />
      </p>
      {fix !== undefined && (
        <p>
          <strong>To do:</strong> <Said text={fix} />
        </p>
      )}
      {value !== undefined && <Copyable text={value} label={`value for ${subject}`} />}
      {evidence.length > 0 && (
        <details>
          <summary>Evidence</summary>
          <ul class="plain">
            {evidence.map((line, i) => (
              <li key={i}>
                <code>
                  <Said text={line} />
                </code>
              </li>
            ))}
            <li class="quiet">{code}</li>
          </ul>
        </details>
      )}
    </li>
  )
}

function Changes({ changes }: { changes: Check['changes'] }) {
  if (changes.length === 0) return null
  return (
    <div class="note">
      <p>Since the check before:</p>
      <ul>
        {changes.map(({ sentence }, i) => (
          <li key={i}>
            <Said text={sentence} />
          </li>
        ))}
      </ul>
    </div>
  )
}

const shownChecks = 20

/** The newest checks; what changed in one is asked for when somebody opens it. */
export function CheckHistory({ domain, made }: { domain: string; made: number }) {
  const query = { domain: [domain], limit: shownChecks }
  const loaded = useLoad((signal) => told(api.GET('/v1/checks', { params: { query }, signal })), [domain, made])
  return (
    <Panel title="Checks so far" question="Made daily for domains of yours, and whenever somebody asks.">
      <Show of={loaded}>
        {({ data }) => (
          <ul class="plain">
            {data.map((row) => (
              <PastCheck key={row.key} row={row} />
            ))}
            {data.length === 0 && <li class="quiet">None in the last 30 days.</li>}
          </ul>
        )}
      </Show>
    </Panel>
  )
}

function PastCheck({ row }: { row: Schemas['CheckRow'] }) {
  const summary = (
    <>
      <span class={`state ${row.severity}`}>{time(row.started_at)}</span>: {plural(row.errors, 'error')},{' '}
      {plural(row.warnings, 'warning')}
    </>
  )
  return (
    <li>
      <Details summary={summary}>{() => <PastChanges checkKey={row.key} />}</Details>
    </li>
  )
}

function PastChanges({ checkKey: key }: { checkKey: string }) {
  const loaded = useLoad((signal) => told(api.GET('/v1/checks/{key}', { params: { path: { key } }, signal })), [key])
  return (
    <Show of={loaded}>
      {({ changes, previous_key: previous }) =>
        changes.length > 0 ? (
          <Changes changes={changes} />
        ) : (
          <p class="quiet">{previous === null ? 'The first one that is kept.' : 'Nothing changed since the one before.'}</p>
        )
      }
    </Show>
  )
} // prettier-ignore
