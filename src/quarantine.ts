/** Where our own code throws: the bytes are kept, nobody is told to come again, and an upgrade may judge them anew. */
import type { Quarantined } from './tlsrpt/verdict.ts'

export type DefectLog = { error: (context: object, message: string) => void }

/** What `work` comes to; a defect of ours is logged and is a verdict. */
export async function orQuarantine<T>(work: () => Promise<T>, log: DefectLog): Promise<T | Quarantined> {
  try {
    return await work()
  } catch (error) {
    log.error({ err: error }, 'a submission made our own code throw; it is quarantined')
    return { kind: 'quarantined', reason: 'defect' }
  }
}
