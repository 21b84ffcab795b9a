/** Everything as of one instant, for those who read it all while the service runs. */
import { inTransaction, type Database, type Queryable } from './database.ts'
import { makePartitions } from './partitions.ts'
import { tables } from './tables.ts'
import { daysAfter, utcDay } from '../tlsrpt/dates.ts'

/** `work` sees the store as it is when this begins, for as long as it takes, and holds up nobody. `now` is that instant. */
export async function atOneInstant<T>(db: Database, now: Date, work: (tx: Queryable) => Promise<T>): Promise<T> {
  // A month that is made meanwhile would wait for us, since its rows might lie in a default partition, and the intake for
  // it. Where that is so already it cannot be made, and nobody waits for it.
  const days = [-1, 0, 1, 2].map((ahead) => daysAfter(utcDay(now), ahead))
  await makePartitions(db)({ reported: days, arrived: days }).catch(() => undefined)
  return inTransaction(db, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only')
    await tx.query('set local statement_timeout = 0')
    // Retention drops no month that is about to be read: it tries again later.
    await tx.query(`lock table ${tables.join(', ')} in access share mode`)
    return work(tx)
  })
}
