/** What the scenarios came to, as a table to read. */

export type Row = {
  scenario: string
  /** Reports of which a sender was told that they were accepted; reports and submissions of these that are not there; what counts twice. */
  acknowledged: number
  lost: number
  twice: number
  /** From the end of the fault until both transports accept again. */
  recoverySeconds?: number
  notes?: string
}

export function formatRows(rows: readonly Row[]): string {
  const heads = ['fault', 'acknowledged', 'lost', 'twice', 'recovery', '']
  const cells = rows.map(({ scenario, acknowledged, lost, twice, recoverySeconds, notes = '' }) => [
    scenario,
    String(acknowledged),
    String(lost),
    String(twice),
    recoverySeconds === undefined ? '' : `${recoverySeconds.toFixed(1)} s`,
    notes,
  ])
  const all = [heads, ...cells, ['together', ...[1, 2, 3].map((i) => String(sum(cells, i))), '', '']]
  const widths = heads.map((_, i) => Math.max(...all.map((line) => line[i]!.length)))
  const isNumber = (i: number) => i >= 1 && i <= 4
  const format = (line: string[]) =>
    line.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ').trimEnd() // prettier-ignore
  return all.map(format).join('\n')
}

const sum = (cells: readonly string[][], column: number): number =>
  cells.reduce((total, line) => total + Number(line[column]), 0)
