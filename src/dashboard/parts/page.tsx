/** The frame of a view: its heading, which takes the focus after a change of view, and the title of the tab. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

export function Page({
  title,
  children,
  heading,
}: {
  title: string
  heading?: ComponentChildren
  children: ComponentChildren
}) {
  // prettier-ignore
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · TLS reports`
    if (document.activeElement === document.body) head.current?.focus({ preventScroll: true })
  }, [title])
  return (
    <main id="content">
      <h1 ref={head} tabIndex={-1}>
        {heading ?? title}
      </h1>
      {children}
    </main>
  )
}

export function Panel({
  title,
  id = `panel-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`,
  question,
  children,
  actions,
}: {
  title: string
  /** What a link on the page leads to. */
  id?: string
  question?: string
  children: ComponentChildren
  actions?: ComponentChildren
}) {
  // prettier-ignore
  return (
    <section class="panel" id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {question !== undefined && <p class="quiet">{question}</p>}
        {actions}
      </header>
      {children}
    </section>
  )
}
