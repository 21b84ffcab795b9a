/** Asking the API from a view: what is shown while it answers, and when it does not. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Refused } from './client.ts'
import { sessionEnded } from './session.ts'

export type Loaded<T> =
  | { kind: 'loading' }
  /** `stale`: of the question before; the answer to this one is on its way. */
  | { kind: 'done'; value: T; stale: boolean }
  | { kind: 'failed'; error: Refused; retry: () => void }

/** Asks when the view appears and whenever something in `on` changes; an answer that comes too late is dropped. */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ kind: 'loading' })
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const asking = new AbortController()
    setState((before) => (before.kind === 'done' ? { ...before, stale: true } : { kind: 'loading' }))
    ask(asking.signal).then(
      (value) => {
        if (!asking.signal.aborted) setState({ kind: 'done', value, stale: false })
      },
      (error: unknown) => {
        if (asking.signal.aborted) return
        if (!(error instanceof Refused)) throw error
        if (error.status === 401) sessionEnded()
        setState({ kind: 'failed', error, retry: () => setAttempt((n) => n + 1) })
      },
    )
    return () => asking.abort()
  }, [JSON.stringify(on), attempt])
  return state
}

export function Show<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
  if (of.kind === 'loading') return <p class="loading" aria-busy="true">Loading …</p> // prettier-ignore
  if (of.kind === 'failed') return <Failed error={of.error} retry={of.retry} />
  return (
    <div class={of.stale ? 'stale' : undefined} aria-busy={of.stale}>
      {children(of.value)}
    </div>
  )
}

/** A thing that is not there will not be there at the next try. */
const mayPass = ({ status }: Refused): boolean => status === 0 || status === 429 || status >= 500

export function Failed({ error, retry }: { error: Refused; retry?: () => void }) {
  const { problem } = error
  return (
    <div role="alert" class="failed">
      <p>
        {error.message}
        {problem.errors?.map((each, i) => (
          <span key={i}> {each.message}.</span>
        ))}
      </p>
      {problem.request_id !== undefined && <p class="quiet">Request {problem.request_id}</p>}
      {retry && mayPass(error) && (
        <button type="button" class="secondary" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}
