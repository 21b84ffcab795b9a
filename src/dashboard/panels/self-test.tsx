/** The setup doctor: whether reports about a domain find their way here, link by link. */
import { useState } from 'preact/hooks'
import { api, told, type Schemas } from '../client.ts'
import { Failed } from '../load.tsx'
import { useAct } from '../parts/act.ts'
import { DomainField } from '../parts/domain-field.tsx'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'

export function SelfTest() {
  const [domain, setDomain] = useState('')
  const [outcome, setOutcome] = useState<Schemas['SelfTest']>()
  const { busy, error, act } = useAct()
  const run = async () => {
    setOutcome(undefined)
    setOutcome(await told(api.POST('/v1/selftest', { body: { domain: domain.trim() } })))
  }
  return (
    <Panel
      title="Test the setup"
      question="Sends reports to the addresses that a domain has published, and sees whether they arrive here. They count nowhere."
    >
      <form
        class="one-field"
        onSubmit={(event) => {
          event.preventDefault()
          act(run)
        }}
      >
        <DomainField label="Domain to test" value={domain} onChange={setDomain} />
        <button type="submit" class="outline" disabled={busy} aria-busy={busy}>
          {busy ? 'Testing, up to two minutes' : 'Test'}
        </button>
      </form>
      <div role="status">{error ? <Failed error={error} /> : outcome && <Links of={outcome} />}</div>
    </Panel>
  )
}

function Links({ of: { domain, first_broken: broken, links } }: { of: Schemas['SelfTest'] }) {
  return (
    <>
      <p>
        <strong>
          {broken ? (
            <Said text={broken.sentence} />
          ) : (
            <>
              Reports about <bdi>{domain}</bdi> find their way here.
            </>
          )}
        </strong>
      </p>
      <ul>
        {links.map(({ link, subject, holds, sentence }, i) => (
          <li key={i}>
            {holds ? '✓ holds' : '✕ broken'}: {link}, <Said text={subject} />. <Said text={sentence} />
          </li>
        ))}
      </ul>
    </>
  )
}
