/** What is there for whoever opens it: it is made then, and not before. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

export function Details({ summary, children }: { summary: ComponentChildren; children: () => ComponentChildren }) {
  const [open, setOpen] = useState(false)
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{summary}</summary>
      {open && children()}
    </details>
  )
}

/** The numbers of a picture. */
export const AsTable = ({ children }: { children: () => ComponentChildren }) => (
  <div class="as-table">
    <Details summary="The same as a table">{children}</Details>
  </div>
)
