/** `export FILE`: everything in the store as one file, while the service runs. */
import { createWriteStream } from 'node:fs'
import { access, rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { product } from '../product.ts'
import { exportStore, type RowCounts } from '../store/export.ts'
import { withStore, type ExitCode, type Progress, type Say } from './command.ts'

export type ExportDeps = { say: Say; progress: Progress; stdout: Writable; now: () => Date }

/** `file` is where it goes, '-' for stdout. It gets its name when it is whole; nothing is ever written over. */
export async function runExport(config: Config, log: Logger, deps: ExportDeps, file: string): Promise<ExitCode> {
  const { say, progress, stdout, now } = deps
  const write = (out: Writable) =>
    withStore(config, log, (db) =>
      exportStore(db, out, {
        program: product.version,
        now: now(),
        onRows: (table, rows) => progress(`${table}: ${rows} rows`),
      }).finally(() => progress('')),
    )
  if (file === '-') {
    sayRows(say, 'Exported', await write(stdout))
    return 0
  }
  if (await isThere(file)) {
    say.err(`${file} is there already: give another name`)
    return 1
  }
  const partial = `${file}.partial`
  // Its owner's alone: it holds what strangers wrote, and the hashes of tokens. On the disk before it has its name.
  const out = createWriteStream(partial, { mode: 0o600, flush: true })
  let unwritable: Error | undefined
  out.on('error', (error) => (unwritable = error))
  try {
    const rows = await write(out)
    await rename(partial, file)
    sayRows(say, `Exported to ${file}`, rows)
    return 0
  } catch (error) {
    await rm(partial, { force: true })
    if (error === undefined || error !== unwritable) throw error
    say.err(`${file} cannot be written: ${unwritable.message}`)
    return 1
  }
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

/** To stderr, because stdout may be the export. */
export function sayRows(say: Say, done: string, rows: RowCounts): void {
  const width = Math.max(...Object.keys(rows).map((table) => table.length))
  say.err(`${done}, in rows:`)
  for (const [table, count] of Object.entries(rows)) say.err(`  ${table.padEnd(width)} ${String(count).padStart(12)}`)
}
