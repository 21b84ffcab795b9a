/** What every command has: a person to talk to, an exit code, and the store for as long as it runs. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { migrationsFolder } from '../product.ts'
import type { Database } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { openStore } from '../store/open.ts'

/** A line to the person or program that called. */
export type Say = { out: (line: string) => void; err: (line: string) => void }

/** A line that the next one takes the place of, for a person who waits; '' when there is nothing more to wait for. */
export type Progress = (text: string) => void

/** What stdout is to whoever reads it: characters a line, Infinity where it is no terminal; and whether colours are seen. */
export type Terminal = { progress: Progress; width: number; colour: boolean }

/** 0 done, 1 something was refused or failed, 2 usage or configuration; of `check` also 3 a warning, 4 an error; of `selftest` 4 a broken link. */
export type ExitCode = 0 | 1 | 2 | 3 | 4

/** Runs `work` on a migrated store and closes it. A running service keeps its embedded Postgres: this joins it. */
export async function withStore<T>(
  config: Config,
  log: Logger,
  work: (db: Database, applied: string[]) => Promise<T>,
  connections = 1,
): Promise<T> {
  const store = await openStore(config, log)
  try {
    const db = store.connect('command', connections)
    const applied: string[] = []
    await migrate(db, migrationsFolder, (name) => applied.push(name))
    return await work(db, applied)
  } finally {
    await store.close()
  }
}

/** JSON as a command prints it: names as the API has them. */
export const printedJson = (value: object): string => JSON.stringify(inSnakeCase(value), undefined, 2)

function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase)
  if (typeof value !== 'object' || value === null) return value
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [snake(name), inSnakeCase(member)]))
}
