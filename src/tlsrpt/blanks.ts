/** RFC 5234 WSP, as the records of RFC 8460 §3 and RFC 8461 §3 have it around their delimiters. */

const isBlank = (character: string | undefined) => character === ' ' || character === '\t'

/**
 * Without the blanks and tabs around. A loop, because a regular expression that looks for blanks at the end takes the
 * square of the length of any run of them: a second for a TXT record of 16 KiB.
 */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start++
  while (end > start && isBlank(text[end - 1])) end--
  return text.slice(start, end)
}
