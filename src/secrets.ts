/** What must not be read in a log: the last guard, behind code that does not write it there. */

const concealed = '[concealed]'

/** A shorter one would be found in words that are none. */
const shortest = 6

/**
 * Makes the function that takes these secrets, as they are and as JSON has them, and the account in any address of a
 * database, out of a line of the log.
 */
export function makeConcealer(secrets: readonly string[]): (line: string) => string {
  const spellings = secrets.filter(({ length }) => length >= shortest).flatMap((secret) => [secret, inJson(secret)])
  return (line) => {
    const plain = line.includes('://') ? line.replace(/\b(postgres(?:ql)?:\/\/)[^\s"]*@/gi, `$1${concealed}@`) : line
    return spellings.reduce((rest, secret) => rest.replaceAll(secret, concealed), plain)
  }
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)
