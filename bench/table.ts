/** The figures as a table for people, and as JSON for programs. */
import { isMet, ratioOf, type Figure } from './bench.ts'

export type Measured = Figure & { scenario: string }

const heads = ['scenario', 'what', 'measured', 'floor', 'ratio', 'target', '']

/** One line a figure, its note below it, and how many targets are met. */
export function formatTable(figures: readonly Measured[]): string {
  const rows = figures.map((figure) => ({ cells: cellsOf(figure), note: figure.note }))
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map(({ cells }) => cells[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i >= 2 && i <= 5 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  const lines = rows.flatMap(({ cells, note }) => [line(cells), ...(note === undefined ? [] : [`    ${note}`])])
  const judged = figures.map(isMet).filter((met) => met !== undefined)
  const met = judged.filter((each) => each).length
  return [
    line(heads),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...lines,
    '',
    `${met} of ${judged.length} targets met.`,
  ].join('\n')
}

function cellsOf(figure: Measured): string[] {
  const { scenario, what, value, unit, floor, target } = figure
  const ratio = ratioOf(figure)
  const met = isMet(figure)
  return [
    scenario,
    what,
    `${round(value)} ${unit}`,
    floor === undefined ? '' : `${round(floor)} ${unit}`,
    ratio === undefined ? '' : `${ratio.toFixed(2)}x`,
    target === undefined ? '' : formatTarget(target, unit),
    met === undefined ? '' : met ? 'met' : 'NOT MET',
  ]
}

function formatTarget(target: NonNullable<Figure['target']>, unit: string): string {
  const suffix = target.of === 'ratio' ? 'x' : ` ${unit}`
  return 'atMost' in target ? `<= ${target.atMost}${suffix}` : `>= ${target.atLeast}${suffix}`
}

/** Three digits that mean something. */
const round = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : value.toPrecision(3).replace(/\.?0+$/, '')

export const toJson = (machine: readonly string[], figures: readonly Measured[]): object => ({
  machine,
  figures: figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), met: isMet(figure) })),
})
