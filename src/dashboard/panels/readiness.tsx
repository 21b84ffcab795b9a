/** "Can I enforce?": the verdict, what stands in the way, what enforcing would have refused, and the two edits. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { Copyable } from '../parts/copy.tsx'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'
import { Table } from '../parts/table.tsx'
import { useAsked } from '../asked.tsx'
import { approximately, count, day, plural } from '../words.ts'

type Answer = Schemas['Readiness']

export function Readiness({ domain, made }: { domain: string; made: number }) {
  const { question } = useAsked()
  const { from, to } = question
  const loaded = useLoad(
    (signal) => told(api.GET('/v1/domains/{domain}/readiness', { params: { path: { domain }, query: { from, to } }, signal })), // prettier-ignore
    [domain, from, to, made],
  )
  return (
    <Panel
      title="Can I enforce?"
      question="By verified reports of known reporters under the policy published now, and by the last check."
    >
      <Show of={loaded}>{(readiness) => <Verdict readiness={readiness} />}</Show>
    </Panel>
  )
}

const verdictWords = {
  ready: 'Ready to enforce',
  'not-ready': 'Not ready',
  'not-enough-evidence': 'Not enough evidence',
} as const

function Verdict({ readiness }: { readiness: Answer }) {
  const { domain, verdict, mode, blockers, clean, thresholds, edits } = readiness
  const isTooLittle = blockers.some(({ code }) => code.startsWith('too-few-')) // It says the same numbers.
  return (
    <article class="card">
      <p class="headline">
        <span class={`state ${verdict}`}>
          {mode === 'enforce' && verdict === 'ready' ? 'Enforced, and it holds' : verdictWords[verdict]}
        </span>
      </p>
      {!isTooLittle && (
        <p>
          Since {day(clean.since)} {plural(clean.reporters.length, 'known reporter')} told of{' '}
          {plural(clean.sessions, 'session')} without a failure; {count(thresholds.min_sessions)} by{' '}
          {count(thresholds.min_reporters)} are asked for.
        </p>
      )}
      {blockers.length > 0 && (
        <ul class="plain" aria-label="What stands in the way">
          {blockers.map(({ sentence, fix }, i) => (
            <li key={i} class="finding">
              <p>
                <Said text={sentence} />
              </p>
              <p>
                <strong>To do:</strong> <Said text={fix} />
              </p>
            </li>
          ))}
        </ul>
      )}
      <WouldHaveBeenRefused readiness={readiness} />
      {edits && (
        <details open={verdict === 'ready'}>
          <summary>The two edits{verdict === 'ready' ? '' : ', for when it is ready'}</summary>
          <p>First the policy file, then the TXT record at _mta-sts.{domain}:</p>
          <Copyable text={edits.policy} label="policy file in mode enforce" />
          <Copyable text={edits.record} label="TXT record with a new id" />
        </details>
      )}
    </article>
  )
}

function WouldHaveBeenRefused({ readiness: { would_have_been_refused: refused, window } }: { readiness: Answer }) {
  if (refused.of.length === 0) return <p>Enforcing would have refused nothing in this window.</p>
  return (
    <>
      <p>
        Enforcing would have refused the mail of {plural(refused.sessions, 'session')} from {day(window.from)} on:
      </p>
      <Table
        caption="What enforcing would have refused"
        quietCaption
        rows={refused.of}
        rowKey={(row) => `${row.result_type} ${row.mx ?? ''}`}
        columns={[
          { head: 'Result type', cell: (row) => <Said text={row.result_type} />, by: (row) => row.result_type },
          { head: 'MX', cell: (row) => <Said text={row.mx} />, by: (row) => row.mx },
          { head: 'Sessions', numeric: true, cell: (row) => count(row.sessions), by: (row) => approximately(row.sessions) },
          { head: 'Told by', cell: (row) => row.reporters.join(', ') },
          { head: 'Last', cell: (row) => day(row.last_seen), by: (row) => row.last_seen },
        ]}
      />
    </>
  )
} // prettier-ignore
