/** Values in the shape a parameter of Postgres takes. */

/** jsonb takes neither U+0000 nor half a surrogate pair, and strangers write both (EHLO names, header fields, pointers). */
const noJsonb = /\\u(?:0000|d[89a-f])/i

/** JSON for jsonb: what it would refuse becomes U+FFFD. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value)
  if (!noJsonb.test(text)) return text // Says too much for a written-out backslash and `u`; then only time is lost.
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'string' ? item.toWellFormed().replaceAll('\0', '\ufffd') : item,
  )
}

/** A text[] as text: an array of arrays must be a rectangle, an array of these need not. */
export function textArray(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`
}
