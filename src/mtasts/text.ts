/** What strangers wrote, for the readers of this folder. */

const longestQuote = 80

/** As it stands in a sentence: in quotation marks, and not at any length. */
export const quote = (text: string): string =>
  `"${text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text}"`
