/** From a name to the page of that domain, where the list is long. */
import { useState } from 'preact/hooks'
import { useAsked } from '../asked.tsx'
import { DomainField } from '../parts/domain-field.tsx'

export function FindDomain() {
  const { link, go } = useAsked()
  const [name, setName] = useState('')
  return (
    <form
      class="one-field"
      onSubmit={(event) => {
        event.preventDefault()
        go(link(`/domains/${encodeURIComponent(name.trim().toLowerCase())}`))
      }}
    >
      <DomainField label="Another domain" placeholder="example.com" value={name} onChange={setName} />
      <button type="submit" class="outline">
        Show
      </button>
    </form>
  )
}
