/** What fuzzing finds: the same defect once, its input as a file, and how to see it again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `extension` says how the bytes come: a mail, a report, or all that is said on a connection. */
export type Sent = { bytes: Buffer; extension: 'eml' | 'json' | 'smtp' | 'http' }

export type Findings = {
  /** Keeps what is under way where it is found after a crash of the process, or a loop without an end. */
  begin: (sent: Sent) => void
  add: (sent: Sent, error: unknown) => void
  /** One text for each, with the command that repeats it. */
  told: string[]
  /** Leaves nothing behind where nothing was found. */
  end: () => void
}

export function makeFindings(keepsUnderWay: boolean): Findings {
  let folder: string | undefined
  const known = new Set<string>()
  const told: string[] = []
  const keep = (name: string, { bytes, extension }: Sent): string => {
    folder ??= mkdtempSync(join(tmpdir(), 'tlsrpt-fuzz-'))
    const file = join(folder, `${name}.${extension}`)
    writeFileSync(file, bytes)
    return file
  }
  return {
    told,
    begin: (sent) => {
      if (keepsUnderWay) keep('under-way', sent)
    },
    add: (sent, error) => {
      const message = error instanceof Error ? error.message : String(error)
      const kind = message.replace(/[\d.]+/g, '#').slice(0, 60)
      if (known.has(kind)) return
      known.add(kind)
      const file = keep(`finding-${known.size}`, sent)
      const text = `${message.slice(0, 2_000)}\n  npm run fuzz -- ${file}`
      told.push(text)
      console.log(`FOUND ${text}`)
    },
    end: () => {
      if (folder !== undefined && told.length === 0) rmSync(folder, { recursive: true })
    },
  }
}
