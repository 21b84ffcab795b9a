/** Plain text tables for a terminal: padded columns, numbers to the right. */

/** `rows` are cells as text, as many as `headings`; a heading that starts with '>' makes a column of numbers. */
export function formatTable(headings: string[], rows: string[][]): string[] {
  const right = headings.map((heading) => heading.startsWith('>'))
  const lines = [headings.map((heading) => heading.replace(/^>/, '')), ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const format = (line: string[]) =>
    line
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [format(lines[0]!), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1).map(format)]
}
