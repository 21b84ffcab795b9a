/** "Export CSV": the API's own CSV of what is on view, all pages of it. */
import { useState } from 'preact/hooks'
import { Failed } from '../load.tsx'
import { Refused } from '../client.ts'
import { sessionEnded } from '../session.ts'

/** Beyond that a program should ask the API. */
const maxPages = 200

/** `query` as the view asked; `path` a list of the API. */
export function CsvButton({
  path,
  query,
}: {
  path: string
  query: Record<string, string | number | readonly string[] | undefined>
}) {
  // prettier-ignore
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Refused>()
  const save = async () => {
    setBusy(true)
    setError(undefined)
    try {
      offer(await readCsv(path, query), `tlsrpt-${path.split('/').at(-1) ?? 'rows'}.csv`)
    } catch (failure) {
      setError(failure instanceof Refused ? failure : new Refused(0, { detail: 'The service cannot be reached.' }))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <button type="button" class="outline small" aria-busy={busy} disabled={busy} onClick={() => void save()}>
        Export CSV
      </button>
      {error && <Failed error={error} />}
    </>
  )
}

async function readCsv(
  path: string,
  query: Record<string, string | number | readonly string[] | undefined>,
): Promise<string> {
  // prettier-ignore
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const each of value === undefined ? [] : [value].flat()) search.append(name, String(each))
  let text = ''
  let next: string | undefined = `${path}?${search.toString()}`
  for (let page = 0; next !== undefined && page < maxPages; page++) {
    const response: Response = await fetch(next, { headers: { accept: 'text/csv' } })
    if (response.status === 401) sessionEnded()
    if (!response.ok) throw new Refused(response.status, {})
    const csv = await response.text()
    text += page === 0 ? csv : csv.slice(csv.indexOf('\n') + 1) // The head stands above the first page.
    next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  }
  return text
}

/** Hands the browser a file. */
export function offer(content: BlobPart, fileName: string, type = 'text/csv;charset=utf-8'): void {
  const address = URL.createObjectURL(new Blob([content], { type }))
  const link = Object.assign(document.createElement('a'), { href: address, download: fileName })
  link.click()
  URL.revokeObjectURL(address)
}
