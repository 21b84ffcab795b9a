/** A process to kill: applies retention again and again, as every instance of the service does. Takes an address and days. */
import { openDatabase } from '../../src/store/database.ts'
import { applyRetention } from '../../src/store/retention.ts'
import { testDatabaseOptions } from './database.ts'

const [, , address, reportDays, refusedBytes] = process.argv
const db = openDatabase(address!, testDatabaseOptions, () => undefined)
const keep = { rawDays: 90, refusedDays: 14, reportDays: Number(reportDays), refusedBytes: Number(refusedBytes) }
console.log('begins')
for (;;) {
  try {
    await applyRetention(db, new Date(), keep)
    console.log('done')
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error // A partition that is in use goes the next time.
  }
}
