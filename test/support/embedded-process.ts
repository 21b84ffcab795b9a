/**
 * A process of ours on the embedded Postgres of DATA_DIR: `node embedded-process.ts DATA_DIR [write]`. Says 'owner' or
 * 'guest' when it is ready, then with `write` the number of each row that is committed. Stops when its input ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../src/store/database.ts'
import { startEmbeddedPostgres } from '../../src/store/embedded.ts'
import { testDatabaseOptions } from './database.ts'

const [dataDir, task] = process.argv.slice(2)
const inputEnded = new AbortController()
process.stdin.on('end', () => { inputEnded.abort() }).resume() // prettier-ignore

const postgres = await startEmbeddedPostgres({ dataDir: dataDir!, log: () => undefined })
const db = openDatabase(postgres.connection, testDatabaseOptions, () => undefined)
await db.query('create table if not exists acknowledged (n integer primary key)')
console.log(postgres.isOwner() ? 'owner' : 'guest')

for (let n = 1; !inputEnded.signal.aborted; n++) {
  if (task === 'write') {
    await db.query('insert into acknowledged values ($1)', [n])
    console.log(n)
  } else {
    await sleep(10)
  }
}
await db.end()
await postgres.stop()
