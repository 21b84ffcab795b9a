/** Text that a stranger sent, made fit to be shown: in a terminal, in a log, on a page. */

/**
 * At most `maxChars` characters of `text`, which may be of any size; control characters, lone surrogates and what turns
 * the direction of writing are U+FFFD.
 */
export const readable = (text: string, maxChars: number): string =>
  text.slice(0, maxChars).trim().replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd') // prettier-ignore
