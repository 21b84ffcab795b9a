/** `migrate`: brings the schema up to date, and says what was done. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { withStore, type ExitCode, type Say } from './command.ts'

export async function runMigrate(config: Config, log: Logger, say: Say): Promise<ExitCode> {
  const applied = await withStore(config, log, (_db, names) => Promise.resolve(names))
  say.out(applied.length === 0 ? 'The schema is up to date.' : `Applied: ${applied.join(', ')}`)
  return 0
}
