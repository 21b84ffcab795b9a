/** From a name to the page of that domain, where the list is long. */
import { useState } from 'preact/hooks'
import { useAsked } from '../asked.tsx'

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
      <label>
        Another domain
        <input
          required
          placeholder="example.com"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <button type="submit" class="outline">
        Show
      </button>
    </form>
  )
}
