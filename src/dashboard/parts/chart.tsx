/** Charts: Observable Plot's SVG, with a name for screen readers and the same numbers as a table. */
import type { PlotOptions } from '@observablehq/plot'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { AsTable } from './details.tsx'
import type * as Plot from './plot.ts'

type Props = {
  /** What one sees, in one sentence. */
  label: string
  /** Called with the width that there is, in CSS pixels. Colours come from the style sheet: `var(--ok)`. */
  draw: (plot: typeof Plot, width: number) => PlotOptions
  /** Drawn anew when something in here changes. */
  on: readonly unknown[]
  /** The same numbers. */
  table: () => ComponentChildren
}

/** Four fifths of the script: the first words of the page do not wait for it. */
const loading = import('./plot.ts')

export function Chart({ label, draw, on, table }: Props) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = place.current!
    let plot: typeof Plot | undefined
    let drawnFor = 0
    // It tells the width at the beginning, too; where the chart is off the screen, as soon as it is not (style.css).
    const watcher = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0)
      if (!plot || width === drawnFor || width === 0) return
      drawnFor = width
      element.replaceChildren(picture(plot, { ...draw(plot, width), width }, label))
    })
    void loading.then((loaded) => {
      plot = loaded
      watcher.observe(element)
    })
    return () => {
      plot = undefined
      watcher.disconnect()
    }
  }, on)
  return (
    <figure class="chart">
      <div class="plot" ref={place} />
      <AsTable>{table}</AsTable>
    </figure>
  )
}

function picture(plot: typeof Plot, options: PlotOptions, label: string): Element {
  const svg = plot.plot(options)
  // Plot puts a style element into each chart, which our Content-Security-Policy forbids: its rules are in style.css.
  for (const style of svg.querySelectorAll('style')) style.remove()
  // Of an image the parts have no names of their own; Plot gives them some.
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', label)
  return svg
}
