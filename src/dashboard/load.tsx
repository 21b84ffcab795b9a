/** Asking the API from a view: what is shown while it answers, and when it does not. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { AskedBefore, useAsked } from './asked.tsx'
import { Refused } from './client.ts'
import { sessionEnded } from './session.ts'

export type Loaded<T> =
  | { kind: 'loading' }
  /** `stale`: of the question before; the answer to this one is on its way. */
  | { kind: 'done'; value: T; stale: boolean }
  | { kind: 'failed'; error: Refused; retry: () => void }

/** The last answer, and what it was the answer to. */
type Held<T> = { to: string } & ({ value: T } | { error: Refused })

/** Asks when the view appears and whenever something in `on` changes; an answer that comes too late is dropped. */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): Loaded<T> {
  const [held, setHeld] = useState<Held<T>>()
  const [attempt, setAttempt] = useState(0)
  const asked = JSON.stringify([attempt, on])
  // Not useEffect, which waits for the next picture: the service can be at work while that is drawn.
  useLayoutEffect(() => {
    const asking = new AbortController()
    ask(asking.signal).then(
      (value) => {
        if (!asking.signal.aborted) setHeld({ to: asked, value })
      },
      (error: unknown) => {
        if (asking.signal.aborted) return
        if (!(error instanceof Refused)) throw error
        if (error.status === 401) sessionEnded()
        setHeld({ to: asked, error })
      },
    )
    return () => asking.abort()
  }, [asked])
  if (held && 'value' in held) return { kind: 'done', value: held.value, stale: held.to !== asked }
  if (held?.to !== asked) return { kind: 'loading' }
  return { kind: 'failed', error: held.error, retry: () => setAttempt((n) => n + 1) }
}

/** Sooner it would be a flicker. */
const lateMs = 400

/** The answer before stays on view, as it was, until the next one is there: nothing jumps, and nothing is drawn twice. */
export function Show<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
  const asked = useAsked()
  const shown = useRef<JSX.Element>(null)
  const place = useRef<HTMLDivElement>(null)
  const isStale = of.kind === 'done' && of.stale
  useEffect(() => {
    if (!isStale) return
    const late = setTimeout(() => place.current?.classList.add('late'), lateMs)
    return () => {
      clearTimeout(late)
      place.current?.classList.remove('late')
    }
  }, [isStale])
  if (of.kind === 'loading') return <p class="loading" aria-busy="true">Loading …</p> // prettier-ignore
  if (of.kind === 'failed') return <Failed error={of.error} retry={of.retry} />
  if (!of.stale || !shown.current) shown.current = <AskedBefore asked={asked}>{children(of.value)}</AskedBefore>
  return (
    <div ref={place} class="shown" aria-busy={of.stale}>
      {shown.current}
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
        {problem.errors
          ?.filter(({ message }) => !error.message.includes(message))
          .map((each, i) => (
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
