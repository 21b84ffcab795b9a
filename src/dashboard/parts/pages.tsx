/** Long lists: a page at a time, the next one by the cursor that the API gave. */
import { useEffect, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { Failed, Show, useLoad } from '../load.tsx'
import { useAct } from './act.ts'

type PageOf<Row> = { data: Row[]; page: { next_cursor: string | null } }

type Props<Row> = {
  /** `more` goes into the query, `init` beside it. */
  ask: (more: { cursor?: string }, init: { signal?: AbortSignal }) => Promise<PageOf<Row>>
  /** The list begins anew when something in here changes. */
  on: readonly unknown[]
  children: (rows: Row[]) => ComponentChildren
}

export function Pages<Row>({ ask, on, children }: Props<Row>) {
  const first = useLoad((signal) => ask({}, { signal }), on)
  const [more, setMore] = useState<{ rows: Row[]; next: string | null }>()
  const { busy, error, act } = useAct()
  useEffect(() => setMore(undefined), [JSON.stringify(on)])
  return (
    <Show of={first}>
      {({ data, page }) => {
        const next = more ? more.next : page.next_cursor
        const load = async (cursor: string) => {
          const answer = await ask({ cursor }, {})
          setMore({ rows: [...(more?.rows ?? []), ...answer.data], next: answer.page.next_cursor })
        }
        return (
          <>
            {children([...data, ...(more?.rows ?? [])])}
            {error && <Failed error={error} />}
            {next !== null && (
              <button
                type="button"
                class="secondary"
                aria-busy={busy}
                disabled={busy}
                onClick={() => act(() => load(next))}
              >
                Show more
              </button>
            )}
          </>
        )
      }}
    </Show>
  )
}
