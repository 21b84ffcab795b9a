/** Tables: a caption, columns that sort, pages that load on, and the same rows as CSV. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

export type Column<Row> = {
  head: string
  cell: (row: Row) => ComponentChildren
  /** Right-aligned, in figures of equal width. */
  numeric?: boolean
  /** Short, and easier to read on one line: a day, a word, buttons. */
  whole?: boolean
  /** The column sorts by this; undefined and '' come last. */
  by?: (row: Row) => number | string | null | undefined
}

type Props<Row> = {
  caption: string
  /** The caption is for screen readers only, because a heading above says the same. */
  quietCaption?: boolean
  columns: Column<Row>[]
  rows: readonly Row[]
  /** By the row, or where nothing in it is its own, by its place. */
  rowKey: (row: Row, place: number) => string
  empty?: ComponentChildren
}

export function Table<Row>({
  caption,
  quietCaption = false,
  columns,
  rows,
  rowKey,
  empty = 'Nothing in this window.',
}: Props<Row>) {
  // prettier-ignore
  const [order, setOrder] = useState<{ column: number; descending: boolean }>()
  if (rows.length === 0) return <p class="quiet">{empty}</p>
  const by = order && columns[order.column]?.by
  const shown = by ? rows.toSorted((a, b) => compare(by(a), by(b), order.descending)) : rows
  const sortBy = (column: number) =>
    setOrder({ column, descending: order?.column === column ? !order.descending : (columns[column]?.numeric ?? false) })
  return (
    <div class="scroll" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class={quietCaption ? 'unseen' : undefined}>{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ head, numeric, by: sortable }, i) => (
              <th
                key={head}
                scope="col"
                class={numeric ? 'number' : undefined}
                aria-sort={order?.column === i ? (order.descending ? 'descending' : 'ascending') : undefined}
              >
                {sortable ? (
                  <button type="button" class="sort" onClick={() => sortBy(i)}>
                    {head}
                    <span aria-hidden="true">{order?.column === i ? (order.descending ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                ) : (
                  head
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, place) => (
            <tr key={rowKey(row, place)}>
              {columns.map(({ head, cell, numeric, whole }) => (
                <td key={head} class={numeric ? 'number' : whole ? 'whole' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

type Sortable = number | string | null | undefined

function compare(a: Sortable, b: Sortable, descending: boolean): number {
  const [noA, noB] = [a, b].map((value) => value === null || value === undefined || value === '')
  if (noA || noB) return Number(noA) - Number(noB)
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
  return descending ? -order : order
}
