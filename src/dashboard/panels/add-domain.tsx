/** How a domain comes to be ours, for who has not the command line at hand. */
import { useState } from 'preact/hooks'
import { useAsked } from '../asked.tsx'
import { api, told } from '../client.ts'
import { Failed } from '../load.tsx'
import { useAct } from '../parts/act.ts'
import { DomainField } from '../parts/domain-field.tsx'
import { Domain } from '../parts/said.tsx'
import { mayWriteAll } from '../session.ts'

export function AddDomain({ onAdded }: { onAdded: () => void }) {
  const { link } = useAsked()
  const [name, setName] = useState('')
  const [added, setAdded] = useState<string>()
  const { busy, error, act } = useAct()
  if (!mayWriteAll()) return null
  const add = async () => {
    setAdded(undefined)
    const { domain } = await told(api.PUT('/v1/domains/{domain}', { params: { path: { domain: name.trim() } }, body: {} }))
    setAdded(domain)
    setName('')
    onAdded()
  } // prettier-ignore
  return (
    <>
      <form
        class="one-field"
        onSubmit={(event) => {
          event.preventDefault()
          act(add)
        }}
      >
        <DomainField label="A mail domain of yours" placeholder="example.com" value={name} onChange={setName} />
        <button type="submit" class="outline" disabled={busy} aria-busy={busy}>
          Add
        </button>
      </form>
      <div role="status">
        {error && <Failed error={error} />}
        {added !== undefined && (
          <p>
            <Domain name={added} /> and what is below it is yours now:{' '}
            <a href={link(`/domains/${added}/set-up`)}>check what it publishes</a>.
          </p>
        )}
      </div>
    </>
  )
}
