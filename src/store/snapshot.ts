/** An answer that takes several statements, which are to agree. */
import { inTransaction, type Database, type Queryable } from './database.ts'

/** `work` sees the store as it is at its first statement, and only reads. */
export const inSnapshot = <T>(db: Database, work: (tx: Queryable) => Promise<T>): Promise<T> =>
  inTransaction(db, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only')
    return work(tx)
  })
