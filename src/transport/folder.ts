/** Files under paths, at any depth; of a Maildir its mails (cr.yp.to/proto/maildir.html). */
import { statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** `reason` is there where a file or folder cannot be looked at; the others are listed all the same. */
export type ListedFile = { kind: 'file'; path: string; size: number } | { kind: 'failed'; path: string; reason: string }

/** In order of name. What is hidden, and what is neither file nor folder, is passed over unless it is a path given. */
export async function* listFiles(paths: readonly string[]): AsyncGenerator<ListedFile> {
  for (const path of paths) {
    try {
      const found = statSync(path) // For each of 100,000 files a tenth of what the thread pool would cost.
      if (found.isDirectory()) yield* listFolder(path)
      else if (found.isFile()) yield { kind: 'file', path, size: found.size }
      else yield { kind: 'failed', path, reason: 'neither a file nor a folder' }
    } catch (error) {
      yield { kind: 'failed', path, reason: reasonOf(error) }
    }
  }
}

async function* listFolder(folder: string): AsyncGenerator<ListedFile> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))
  const has = (name: string) => entries.some((entry) => entry.name === name && entry.isDirectory())
  const isMaildir = has('cur') && has('new')
  for (const entry of entries) {
    const isFile = entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(join(folder, entry.name))))
    // Of a Maildir the files at its top are its server's, and those in tmp are not all there yet.
    if (isMaildir && (isFile || entry.name === 'tmp')) continue
    if (isFile ? !entry.name.startsWith('.') : entry.isDirectory()) yield* listFiles([join(folder, entry.name)])
  }
}

/** Links to folders are not followed: they may lead in circles. */
const leadsToFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

/** What the system says, without the path, which stands beside it. */
export const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return message.replace(/, \w+(?: '.*')?$/s, '')
}
