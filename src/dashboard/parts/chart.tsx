/** Charts: Observable Plot's SVG, with a name for screen readers and the same numbers as a table. */
import * as Plot from '@observablehq/plot'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

type Props = {
  /** What one sees, in one sentence. */
  label: string
  /** Called with the width that there is, in CSS pixels. Colours come from the style sheet: `var(--ok)`. */
  draw: (width: number) => Plot.PlotOptions
  /** Drawn anew when something in here changes. */
  on: readonly unknown[]
  /** The same numbers. */
  table: ComponentChildren
  /** A mark's element may be a link: called after drawing with the SVG. */
  after?: (svg: SVGSVGElement) => void
}

export function Chart({ label, draw, on, table, after }: Props) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = place.current!
    let drawnFor = 0
    const redraw = (width: number) => {
      if (width === drawnFor || width === 0) return
      drawnFor = width
      const svg = Plot.plot({ ...draw(width), width }) as SVGSVGElement
      // Plot puts a style element into each chart, which our Content-Security-Policy forbids: its rules are in style.css.
      for (const style of svg.querySelectorAll('style')) style.remove()
      // Of an image the parts have no names of their own; Plot gives them some.
      for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
      svg.setAttribute('role', 'img')
      svg.setAttribute('aria-label', label)
      after?.(svg)
      element.replaceChildren(svg)
    }
    const watcher = new ResizeObserver(([entry]) => redraw(Math.floor(entry?.contentRect.width ?? 0)))
    watcher.observe(element)
    redraw(element.clientWidth)
    return () => watcher.disconnect()
  }, [JSON.stringify(on)])
  return (
    <figure class="chart">
      <div class="plot" ref={place} />
      <details>
        <summary>The same as a table</summary>
        {table}
      </details>
    </figure>
  )
}
