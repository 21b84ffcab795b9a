/** Postgres is there, and others in it are in the way: locks, deadlocks, transactions that cannot be put in an order, slow questions. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { adminToken, limitsOf } from '../support/faulted-service.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { policyDomain } from '../support/senders.ts'
import { assertAlive, setStage, survive, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

/** A transaction of somebody else, which ends with the function that it answers. */
async function begin(
  { db }: Stage,
  ...statements: string[]
): Promise<{ client: PoolClient; end: () => Promise<void> }> {
  const client = await db.connect()
  for (const statement of ['begin', ...statements]) await client.query(statement)
  const end = async () => {
    await client.query('rollback')
    client.release(true)
  }
  return { client, end }
}

test('F13: somebody holds a lock on the reports: senders are told to come back (55P03), and taken when it is gone', async (t) => {
  let end = () => Promise.resolve()
  await survive(t, postgres, 'F13 lock held by others (55P03)', {
    env: limitsOf({ lockMs: 1_000 }),
    begin: async (stage) => {
      end = (await begin(stage, 'lock table report in access exclusive mode')).end
    },
    seconds: 5,
    end: () => end(),
  })
})

/** Holds the totals, and reaches for the reports when a writer that has those waits for it. */
async function lockCrosswise(stage: Stage): Promise<void> {
  // The writer looks for a deadlock first, and is the one that is rolled back.
  const { client, end } = await begin(stage, "set local deadlock_timeout = '20s'", 'set local lock_timeout = 0')
  await client.query('select from day_total where domain = $1 for update', [policyDomain])
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and application_name like 'tlsrpt-receiver%'`
  while ((await stage.db.query(waiting)).rowCount === 0) await sleep(20)
  await client.query('lock table report in share mode')
  await end()
}

test('F13: deadlocks (40P01) are tried again by the service itself, and no sender hears of them', async (t) => {
  const rounds = 3
  let running: Promise<void> | undefined
  const { db, ledger } = await survive(t, postgres, 'F13 deadlocks (40P01)', {
    begin: (stage) => {
      running = (async () => {
        for (let n = 0; n < rounds; n++) await lockCrosswise(stage)
      })()
    },
    seconds: 1,
    end: () => running,
    isHarmless: true,
  })
  const deadlocks = 'select deadlocks::int as n from pg_stat_database where datname = current_database()'
  const { rows } = await db.query<{ n: number }>(deadlocks)
  assert.ok(rows[0]!.n >= rounds, `${rows[0]!.n} deadlocks`)
  assert.equal(ledger.counts().temporary, 0)
})

test('F13: transactions that cannot be put in an order (40001) are tried again by the service itself', async (t) => {
  let isOver = false
  let meddling: Promise<void> | undefined
  const { db, ledger } = await survive(t, postgres, 'F13 serialization failures (40001)', {
    begin: async ({ db, proxy }) => {
      const { rows } = await db.query<{ name: string }>('select current_database() as name')
      await db.query(`alter database ${rows[0]!.name} set default_transaction_isolation = 'repeatable read'`)
      proxy.cut() // New sessions are as the database is now.
      meddling = (async () => {
        while (!isOver) {
          await db.query('update day_total set reports = reports where domain = $1', [policyDomain])
          await sleep(10)
        }
      })()
    },
    seconds: 4,
    end: async () => {
      isOver = true
      await meddling
    },
    isHarmless: true,
  })
  const { rows } = await db.query<{ n: number }>('select xact_rollback::int as n from pg_stat_database where datname = current_database()') // prettier-ignore
  assert.ok(rows[0]!.n > 0, 'no transaction met another')
  assert.equal(ledger.refused().length, 0)
})

test('F16, F17: a hundred questions to the API that take too long (57014) are answered 503, and reports come in meanwhile', async (t) => {
  const questions = 100
  const stage = await setStage(t, postgres, limitsOf({ statementMs: 2_000 }))
  const { service, ledger } = stage
  await service.start()
  const senders = stage.send()
  await stage.recovery()
  const { end } = await begin(stage, 'lock table token in access exclusive mode') // Reports need none of it.
  const startedAt = performance.now()
  const ask = async () => {
    const headers = { authorization: `Bearer ${adminToken}` }
    const answer = await fetch(`http://127.0.0.1:${service.ports.api}/v1/tokens`, { headers })
    const told = `${answer.status} ${answer.headers.get('retry-after')} ${((await answer.json()) as { reason: string }).reason}`
    return { told, seconds: (performance.now() - startedAt) / 1000 }
  }
  const before = ledger.counts().accepted
  const asked = Promise.all(Array.from({ length: questions }, ask))
  await sleep(500)
  assert.ok(await service.isReady(), 'slow questions are no reason to turn senders away')
  const answers = await asked
  await end()
  const during = ledger.counts().accepted - before
  assert.deepEqual(new Set(answers.map(({ told }) => told)), new Set(['503 10 temporary-failure']))
  const slowest = Math.max(...answers.map(({ seconds }) => seconds))
  assert.ok(slowest <= 10, `${slowest} s`)
  assert.ok(during > 0)
  await senders.stop()
  await assertAlive(stage)
  assert.deepEqual([ledger.counts().temporary, ledger.counts().unheard], [0, 0])
  const notes = `${questions} told 503 in ${slowest.toFixed(1)} s, ${during} reports taken meanwhile`
  await stage.judge('F16, F17 slow questions to the API', { notes })
})
