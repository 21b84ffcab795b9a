/** `restore FILE`: an export into an empty store, whole or not at all. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { BadExport } from '../store/export-format.ts'
import { restoreStore } from '../store/restore.ts'
import { withStore, type ExitCode, type Progress, type Say } from './command.ts'
import { sayRows } from './export.ts'

export type RestoreDeps = { say: Say; progress: Progress; stdin: Readable }

/** `file` is where it comes from, '-' for stdin. */
export async function runRestore(config: Config, log: Logger, deps: RestoreDeps, file: string): Promise<ExitCode> {
  const { say, progress, stdin } = deps
  const bytes = file === '-' ? stdin : createReadStream(file)
  let unreadable: Error | undefined
  bytes.on('error', (error: Error) => (unreadable = error))
  try {
    const rows = await withStore(config, log, (db) =>
      restoreStore(db, bytes, (table, count) => progress(`${table}: ${count} rows`)).finally(() => progress('')),
    )
    sayRows(say, `Restored from ${file}`, rows)
    return 0
  } catch (error) {
    const why = error instanceof BadExport ? error : unreadable
    if (why === undefined || why !== error) throw error
    say.err(`${file} cannot be restored: ${why.message}. Nothing was changed.`)
    return 1
  } finally {
    bytes.destroy()
  }
}
