/** Charts: Observable Plot's SVG, with a name for screen readers and the same numbers as a table. */
import type { PlotOptions } from '@observablehq/plot'
import type { ComponentChildren, RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useAsked } from '../asked.tsx'
import { AsTable } from './details.tsx'
import type * as Plot from './plot.ts'

/**
 * In the room that there is, in CSS pixels. Colours come from the style sheet: `var(--ok)`. Text of a sender is to be made
 * visible (words.ts).
 */
type Draw = (plot: typeof Plot, room: { width: number; height: number }) => PlotOptions

type Props = {
  /** What one sees, in one sentence. */
  label: string
  draw: Draw
  /** Where it is wider than the room and scrolls, its left margin stays in sight: what the lines are called. */
  keepsNames?: boolean
  /** Drawn anew when something in here changes: what the API answered, not what is made of it anew each time. */
  on: readonly unknown[]
}

/** Two thirds of the script: the first words of the page do not wait for it. */
const loading = import('./plot.ts')

/** `table`: the same numbers. `hasLinks`: parts of it lead somewhere, and are named by their titles. */
export function Chart({
  table,
  hasLinks = false,
  ...drawn
}: Props & { table: () => ComponentChildren; hasLinks?: boolean }) {
  // prettier-ignore
  const { go } = useAsked()
  const place = useDrawn<HTMLDivElement>(drawn, hasLinks ? nameLinks : nameImage)
  // Where links of HTML are followed without loading the page anew, those of SVG are not heard of.
  const follow = (event: MouseEvent) => {
    const to = (event.target as Element).closest('a')?.getAttribute('href')
    if (!to || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(to)
  }
  return (
    <figure class="chart">
      {hasLinks ? (
        <div class="scroll" role="region" aria-label={drawn.label} tabIndex={0}>
          <div class="plot" ref={place} onClick={follow} />
        </div>
      ) : (
        <div class="plot" ref={place} />
      )}
      <AsTable>{table}</AsTable>
    </figure>
  )
}

/** A chart beside the numbers that it is about, in the room that the style sheet gives this class. */
export function Picture({ kind, ...drawn }: Props & { kind: string }) {
  return <span class={kind} ref={useDrawn<HTMLSpanElement>(drawn, nameImage)} />
}

/** Where it is drawn. What is off the screen is drawn as soon as it is not (style.css). */
function useDrawn<Place extends HTMLElement>(
  { label, draw, keepsNames = false, on }: Props,
  name: (svg: Element, label: string) => void,
): RefObject<Place | null> {
  const place = useRef<Place | null>(null)
  useEffect(() => {
    const element = place.current!
    let plot: typeof Plot | undefined
    let drawnFor = 0
    // It tells the room at the beginning, too.
    const watcher = new ResizeObserver(([entry]) => {
      const [width, height] = [Math.floor(entry!.contentRect.width), Math.floor(entry!.contentRect.height)]
      if (!plot || width === drawnFor || width === 0) return
      drawnFor = width
      const options = { width, ...draw(plot, { width, height }) }
      const svg = picture(plot, options)
      const names = keepsNames && options.width > width ? [marginOf(svg, options.marginLeft!)] : []
      name(svg, label)
      element.replaceChildren(...names, svg)
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
  return place
}

function picture(plot: typeof Plot, options: PlotOptions): Element {
  const svg = plot.plot(options)
  // Plot puts a style element into each chart, which our Content-Security-Policy forbids: its rules are in style.css.
  for (const style of svg.querySelectorAll('style')) style.remove()
  // Parts of an image have no names of their own; Plot gives them some.
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
  return svg
}

/** The left margin of the picture once more, to lie over it and stay where it is (style.css). Screen readers have the first. */
function marginOf(svg: Element, width: number): Element {
  const margin = svg.cloneNode(true) as SVGElement
  for (const link of margin.querySelectorAll('a')) link.remove()
  margin.setAttribute('width', String(width))
  margin.setAttribute('viewBox', `0 0 ${width} ${svg.getAttribute('height')!}`)
  margin.setAttribute('class', 'names')
  margin.setAttribute('aria-hidden', 'true')
  return margin
}

function nameImage(svg: Element, label: string): void {
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', label)
}

/** What surrounds it has the label. A link is named by its title, which must not be read as a part of its text. */
function nameLinks(svg: Element): void {
  for (const link of svg.querySelectorAll('a')) {
    const title = link.querySelector('title')
    link.setAttribute('href', link.getAttributeNS('http://www.w3.org/1999/xlink', 'href')!)
    link.setAttribute('aria-label', title?.textContent ?? '')
    if (title?.parentElement?.tagName === 'text') title.remove()
  }
}
