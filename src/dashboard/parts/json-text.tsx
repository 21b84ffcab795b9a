/** JSON as it was sent, indented and coloured by token; every piece of it is text. */
import type { JSX } from 'preact'
import { Refused } from '../client.ts'
import { Show, useLoad } from '../load.tsx'
import { visible } from '../words.ts'

/** A browser gets slow over more elements than this makes; the download has it whole. */
const maxCharacters = 200_000

export function JsonText({ address }: { address: string }) {
  const loaded = useLoad(
    async (signal) => {
      const response = await fetch(address, { signal, headers: { accept: 'text/plain' } }).catch((error: unknown) => {
        if (signal.aborted) throw error
        throw new Refused(0, { detail: 'The service cannot be reached.' })
      })
      const text = await response.text()
      if (!response.ok) throw new Refused(response.status, problemIn(text))
      return indented(text)
    },
    [address],
  )
  return (
    <Show of={loaded}>
      {(text) => (
        <>
          <pre class="json" tabIndex={0} aria-label="The report’s JSON">
            <code>{tokens(text.slice(0, maxCharacters))}</code>
          </pre>
          {text.length > maxCharacters && <p class="quiet">Cut here; the download has all of it.</p>}
        </>
      )}
    </Show>
  )
}

function problemIn(text: string): { detail?: string } {
  try {
    return JSON.parse(text) as { detail?: string }
  } catch {
    return {}
  }
}

/** What JSON.parse does not keep (repeated names, numbers' spelling) stays out of view only where it can be indented. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

const token = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g

function tokens(text: string): (string | JSX.Element)[] {
  const pieces: (string | JSX.Element)[] = []
  let end = 0
  for (const match of text.matchAll(token)) {
    const [whole, string, colon, number] = match
    if (match.index > end) pieces.push(text.slice(end, match.index))
    const kind =
      string === undefined ? (number === undefined ? 'word' : 'number') : colon === undefined ? 'string' : 'name'
    pieces.push(<span class={`json-${kind}`}>{visible(string ?? whole)}</span>)
    if (colon !== undefined) pieces.push(colon)
    end = match.index + whole.length
  }
  pieces.push(text.slice(end))
  return pieces
}
