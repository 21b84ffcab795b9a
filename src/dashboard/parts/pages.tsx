/** Long lists: a page at a time, the next one by the cursor that the API gave. */
import { useEffect, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { Refused } from '../client.ts'
import { Failed, Show, useLoad } from '../load.tsx'

type PageOf<Row> = { data: Row[]; page: { next_cursor: string | null } }

type Props<Row> = {
  ask: (cursor: string | undefined, signal?: AbortSignal) => Promise<PageOf<Row>>
  /** The list begins anew when something in here changes. */
  on: readonly unknown[]
  children: (rows: Row[]) => ComponentChildren
}

export function Pages<Row>({ ask, on, children }: Props<Row>) {
  const first = useLoad((signal) => ask(undefined, signal), on)
  const [more, setMore] = useState<{ rows: Row[]; next: string | null }>()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Refused>()
  useEffect(() => setMore(undefined), [JSON.stringify(on)])
  return (
    <Show of={first}>
      {({ data, page }) => {
        const next = more ? more.next : page.next_cursor
        const load = async () => {
          setBusy(true)
          setError(undefined)
          try {
            const answer = await ask(next ?? undefined)
            setMore({ rows: [...(more?.rows ?? []), ...answer.data], next: answer.page.next_cursor })
          } catch (failure) {
            if (!(failure instanceof Refused)) throw failure
            setError(failure)
          } finally {
            setBusy(false)
          }
        }
        return (
          <>
            {children([...data, ...(more?.rows ?? [])])}
            {error && <Failed error={error} />}
            {next !== null && (
              <button type="button" class="secondary" aria-busy={busy} disabled={busy} onClick={() => void load()}>
                Show more
              </button>
            )}
          </>
        )
      }}
    </Show>
  )
}
