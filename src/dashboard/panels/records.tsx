/** "What do I publish?": the records and the policy from the live MX hosts, and whether they stand there already. */
import { api, told, type Schemas } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { Copyable } from '../parts/copy.tsx'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'

type Records = Schemas['Records']

export function RecordsToPublish({ domain, made }: { domain: string; made: number }) {
  const loaded = useLoad(
    (signal) => told(api.GET('/v1/records/{domain}', { params: { path: { domain } }, signal })),
    [domain, made],
  )
  return (
    <Panel title="What to publish" question="Made of the MX hosts that the DNS names now.">
      <Show of={loaded}>
        {({ records, policy, hosting, advice }) => (
          <>
            <ul>
              {advice.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            {policy && <Policy policy={policy} />}
            {policy &&
              hosting.map(({ name, title, text }) => (
                <details key={name}>
                  <summary>{title}</summary>
                  <Copyable text={text} label={title} />
                </details>
              ))}
            {records.map((record) => (
              <TxtRecord key={record.name} record={record} />
            ))}
          </>
        )}
      </Show>
    </Panel>
  )
}

const policyWords = {
  same: ['healthy', 'this is what is published'],
  other: ['warning', 'another one is published'],
  none: ['error', 'none is published'],
  unknown: ['unknown', 'what is published could not be seen'],
} as const

function Policy({ policy: { url, text, live } }: { policy: NonNullable<Records['policy']> }) {
  const [state, words] = policyWords[live]
  return (
    <section aria-label="The policy file">
      <h3>
        The policy file: <span class={`state ${state}`}>{words}</span>
      </h3>
      <p class="quiet">
        At <Said text={url} />
      </p>
      <Copyable text={text} label="policy file" />
    </section>
  )
}

function TxtRecord({ record: { name, value, live, matches } }: { record: Records['records'][number] }) {
  const [state, words] = matches
    ? ['healthy', 'what is published will do']
    : live === undefined
      ? ['unknown', 'the DNS could not tell what is published']
      : live.length === 0
        ? ['error', 'none is published']
        : ['warning', 'another one is published']
  return (
    <section aria-label={`TXT record at ${name}`}>
      <h3>
        TXT at <Said text={name} />: <span class={`state ${state}`}>{words}</span>
      </h3>
      <Copyable text={value} label={`TXT record at ${name}`} />
      {!matches && live !== undefined && live.length > 0 && (
        <p class="quiet">
          There now:{' '}
          {live.map((text, i) => (
            <code key={i}>
              <Said text={text} />
            </code>
          ))}
        </p>
      )}
    </section>
  )
}
