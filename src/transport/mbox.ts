/** RFC 4155 and what is older: the mails in an mbox, one at a time, however large it is. */

/** How far a separator may reach: longer lines are no postmarks. */
const reachBytes = 8 * 1024

/** The line after a postmark begins a header field (RFC 5322 §2.2); prose that begins with "From " is followed by prose. */
const postmark = /^From [^\n]*\n(?=[!-9;-~]+[ \t]*:)/

/**
 * The mails in their order, each a copy with its line ends as they are and `>From ` unquoted (mboxrd and mboxo);
 * undefined in place of one larger than `maxBytes`. Memory is bounded by that and by the size of a chunk.
 */
export async function* splitMbox(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer | undefined> {
  let buffer: Buffer = Buffer.from('\n\n') // As if a mail had ended here; that one is left out.
  let searched = 0
  let number = 0
  let isCut = false
  for await (const chunk of chunks) {
    buffer = Buffer.concat([buffer, chunk])
    for (let next; (next = findPostmark(buffer, searched)); searched = 0) {
      if (number++ > 0) yield isCut ? undefined : mailOf(buffer.subarray(0, next.start), maxBytes)
      buffer = buffer.subarray(next.end)
      isCut = false
    }
    if (buffer.length > maxBytes + reachBytes) {
      buffer = buffer.subarray(-reachBytes)
      isCut = true
    }
    searched = Math.max(0, buffer.length - reachBytes)
  }
  if (number > 0) yield isCut ? undefined : mailOf(buffer, maxBytes)
}

/** The next whole postmark behind an empty line; one that is not all there yet is found when more has come. */
function findPostmark(buffer: Buffer, from: number): { start: number; end: number } | undefined {
  for (let i = buffer.indexOf('\nFrom ', from); i !== -1; i = buffer.indexOf('\nFrom ', i + 1)) {
    const isBehindEmptyLine = buffer[buffer[i - 1] === 0x0d ? i - 2 : i - 1] === 0x0a
    const line = isBehindEmptyLine
      ? postmark.exec(buffer.toString('latin1', i + 1, i + 1 + reachBytes))?.[0]
      : undefined
    if (line !== undefined) return { start: i + 1, end: i + 1 + line.length }
  }
  return undefined
}

/** Less the empty line that belongs to the mbox. */
function mailOf(bytes: Buffer, maxBytes: number): Buffer | undefined {
  const end = /\n\r?\n$/.exec(bytes.toString('latin1', Math.max(0, bytes.length - 3)))?.[0]
  const mail = bytes.subarray(0, end === undefined ? bytes.length : bytes.length - end.length + 1)
  if (mail.length > maxBytes) return undefined
  if (!mail.includes('>From ')) return Buffer.from(mail) // What is kept must not keep the whole chunk with it.
  return Buffer.from(mail.toString('latin1').replaceAll(/^>(>*From )/gm, '$1'), 'latin1')
}
