/** JSON as jsonb takes it. */

/** jsonb takes neither U+0000 nor half a surrogate pair, and strangers write both (EHLO names, header fields, pointers). */
const noJsonb = /\\u(?:0000|d[89a-f])/i

/** JSON for jsonb: what it would refuse becomes U+FFFD. */
export function jsonText(value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return '[]' // Most lists of anomalies and problems.
  const text = JSON.stringify(value)
  if (!noJsonb.test(text)) return text // Says too much for a written-out backslash and `u`; then only time is lost.
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'string' ? item.toWellFormed().replaceAll('\0', '\ufffd') : item,
  )
}
