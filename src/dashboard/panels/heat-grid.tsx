/** Failed sessions by receiving MX and result type, as cells and as the table of the same numbers. */
import type { PlotOptions } from '@observablehq/plot'
import type { Schemas } from '../client.ts'
import type * as Plot from '../parts/plot.ts'
import { Domain, Said } from '../parts/said.tsx'
import { approximately, count, isZero, percent, readableDomain, visible } from '../words.ts'

type Row = Schemas['SummaryRow']

const maxRows = 25

type Line = { name: string; failed: number; href: string }

type Cell = {
  /** Places in `mxs` and `types`. */
  mx: number
  type: number
  /** Of all. */
  share: string
  /** 0 to 1, of the largest. */
  weight: number
  failed: Schemas['Count']
  href: string
  /** What nobody verified, beside what somebody did. */
  unverified: { failed: Schemas['Count']; href: string } | undefined
}

export type Grid = {
  /** Those with most failures first. '' is for details that name none. */
  mxs: Line[]
  types: string[]
  cells: Cell[]
  /** MXs that are left out. */
  hidden: number
}

type Link = (about: Record<string, string>) => string

export function gridOf(rows: readonly Row[], link: Link, isVerified: boolean): Grid {
  const mxs = sumBy(rows, mxOf)
  const types = sumBy(rows, typeOf)
  const shown = mxs.slice(0, maxRows)
  const all = mxs.reduce((sum, [, failed]) => sum + failed, 0)
  const most = Math.max(1, ...rows.map((row) => approximately(row.failed)))
  const placeOfMx = new Map(shown.map(([name], place) => [name, place]))
  const placeOfType = new Map(types.map(([name], place) => [name, place]))
  const cells = rows.flatMap((row): Cell[] => {
    const mx = placeOfMx.get(mxOf(row))
    if (mx === undefined) return []
    const about = { receiving_mx_hostname: mxOf(row), result_type: typeOf(row) }
    const hasUnverified = isVerified && !isZero(row.unverified.failed)
    return [
      {
        mx,
        type: placeOfType.get(typeOf(row))!,
        share: percent(row.failed, all),
        weight: approximately(row.failed) / most,
        failed: row.failed,
        href: link(about),
        unverified: hasUnverified
          ? { failed: row.unverified.failed, href: link({ ...about, trust: 'unverified' }) }
          : undefined,
      },
    ]
  })
  return {
    mxs: shown.map(([name, failed]) => ({ name, failed, href: link({ receiving_mx_hostname: name }) })),
    types: types.map(([name]) => name),
    cells,
    hidden: mxs.length - shown.length,
  }
}

const mxOf = (row: Row): string => row.receiving_mx_hostname ?? ''
const typeOf = (row: Row): string => row.result_type ?? ''

function sumBy(rows: readonly Row[], key: (row: Row) => string): [name: string, failed: number][] {
  const sums = new Map<string, number>()
  for (const row of rows) sums.set(key(row), (sums.get(key(row)) ?? 0) + approximately(row.failed))
  return [...sums].sort((a, b) => b[1] - a[1])
}

const noMx = 'no MX named'
const cellWidth = 80
const lineHeight = 12
/** In pixels, as the style sheet has it. */
const em = 11

/** Wider than the room where that is too narrow to read: it scrolls. */
export function drawGrid(plot: typeof Plot, { mxs, types, cells }: Grid, room: number): PlotOptions {
  const marginLeft = room < 600 ? 100 : 150
  const headHeight = 4 * lineHeight
  const cellHeight = (1 + Math.max(...cells.map((cell) => linesOf(cell).length))) * lineHeight
  const columns = types.length + 1
  const nameOf = ({ name }: Line) => (name === '' ? noMx : visible(readableDomain(name)))
  return {
    width: Math.max(room, marginLeft + columns * cellWidth),
    height: headHeight + mxs.length * cellHeight,
    marginLeft,
    marginTop: headHeight,
    marginRight: 0,
    marginBottom: 0,
    x: { type: 'band', domain: Array.from({ length: columns }, (_, place) => place), label: null, padding: 0.03 },
    y: { type: 'band', domain: mxs.map((_, place) => place), label: null, padding: 0.06 },
    marks: [
      plot.axisX({
        anchor: 'top',
        tickSize: 0,
        lineWidth: cellWidth / em,
        tickFormat: (place: number) => broken(place < types.length ? visible(types[place]!) : 'All'),
      }),
      plot.axisY({
        tickSize: 0,
        lineWidth: (marginLeft - 20) / em,
        textOverflow: 'ellipsis-middle',
        tickFormat: (place: number) => nameOf(mxs[place]!),
      }),
      plot.cell(cells, {
        x: 'type',
        y: 'mx',
        fill: 'var(--bad)',
        fillOpacity: ({ weight }: Cell) => 0.07 + weight * 0.31,
        href: ({ failed, href, unverified }: Cell) => (isZero(failed) && unverified ? unverified.href : href),
        title: (cell: Cell) => `${visible(types[cell.type]!)} on ${nameOf(mxs[cell.mx]!)}: ${linesOf(cell).join(' ')}`,
      }),
      plot.text(cells, {
        x: 'type',
        y: 'mx',
        text: (cell: Cell) => linesOf(cell).join('\n'),
        fill: 'currentColor',
        pointerEvents: 'none',
      }),
      plot.text(mxs, {
        x: types.length,
        y: (_: Line, place: number) => place,
        text: ({ failed }: Line) => count(failed),
        fill: 'currentColor',
        href: 'href',
        title: (line: Line) => `All on ${nameOf(line)}: ${count(line.failed)}`,
      }),
    ],
  }
}

/** May be broken behind a hyphen. */
const broken = (name: string): string => name.replaceAll('-', '-\u200b')

const linesOf = ({ failed, share, unverified }: Cell): string[] => [
  ...(isZero(failed) ? [] : [count(failed), share]),
  ...(unverified ? [`+ ${count(unverified.failed)}`, 'unverified'] : []),
]

export function GridTable({ grid: { mxs, types, cells } }: { grid: Grid }) {
  return (
    <div class="scroll" role="region" aria-label="What fails where, as a table" tabIndex={0}>
      <table class="heat">
        <caption class="unseen">Failed sessions by receiving MX and result type</caption>
        <thead>
          <tr>
            <th scope="col">Receiving MX</th>
            {types.map((name) => (
              <th key={name} scope="col" class="number">
                <Said text={name} />
              </th>
            ))}
            <th scope="col" class="number">
              All
            </th>
          </tr>
        </thead>
        <tbody>
          {mxs.map(({ name, failed, href }, mx) => (
            <tr key={name}>
              <th scope="row">{name === '' ? <em>{noMx}</em> : <Domain name={name} />}</th>
              {types.map((type, place) => (
                <TableCell key={type} cell={cells.find((cell) => cell.mx === mx && cell.type === place)} />
              ))}
              <td class="number">
                <a href={href}>{count(failed)}</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function TableCell({ cell }: { cell: Cell | undefined }) {
  if (!cell) return <td class="number" aria-label="none" />
  return (
    <td class="number">
      {!isZero(cell.failed) && (
        <a href={cell.href}>
          {count(cell.failed)} <small>{cell.share}</small>
        </a>
      )}
      {cell.unverified && (
        <a class="beside" href={cell.unverified.href}>
          + {count(cell.unverified.failed)} unverified
        </a>
      )}
    </td>
  )
}
