/** What is kept, moved and dropped while reports come in: copies of the store taken under load, and retention that is killed. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createPartitions, factTables, listMonths } from '../../src/store/partitions.ts'
import { inTransaction } from '../../src/store/database.ts'
import { verifyStore } from '../../src/store/verify.ts'
import { makeFaultedService } from '../support/faulted-service.ts'
import { request } from '../support/http-client.ts'
import { startPostgresProxy } from '../support/postgres-proxy.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { runProgram } from '../support/program.ts'
import { makeHttpsWay, nextTold } from '../support/senders.ts'
import { assertAlive, judge, random, setStage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-keeping-'))
after(() => {
  rmSync(folder, { recursive: true })
})

/** From one database into another, which is there and empty; both by their addresses. */
type Copying = {
  take: (from: string, file: string) => Promise<unknown>
  put: (into: string, file: string) => Promise<unknown>
}

const ours = async (command: string, url: string, file: string) => {
  const { code, stderr } = await runProgram([command, file], { DATABASE_URL: url, DATA_DIR: folder })
  assert.equal(code, 0, stderr)
}

const copyings: Record<string, Copying> = {
  export: { take: (from, file) => ours('export', from, file), put: (into, file) => ours('restore', into, file) },
  pg_dump: {
    take: (from, file) => run('pg_dump', ['--format=custom', '--file', file, '--dbname', from]),
    put: (into, file) => run('pg_restore', ['--exit-on-error', '--dbname', into, file]),
  },
}

/** Why there is no such program, or undefined: an older pg_dump refuses a newer server. */
async function whyNot(name: string): Promise<string | undefined> {
  if (name !== 'pg_dump') return undefined
  const admin = postgres.open('postgres')
  const { rows } = await admin.query<{ server_version: string }>('show server_version')
  await admin.end()
  const server = Number.parseInt(rows[0]!.server_version, 10)
  const { stdout } = await run('pg_dump', ['--version']).catch(() => ({ stdout: '' }))
  const found = Number(/ (\d+)\./.exec(stdout)?.[1] ?? 0)
  return found >= server
    ? undefined
    : `pg_dump of release ${server} or newer is needed in PATH; ${found === 0 ? 'there is none' : `this is ${found}`}`
}

for (const [name, { take, put }] of Object.entries(copyings)) {
  test(`F30: a copy of the store is taken under load (${name}) and put into another: what was acknowledged before is there, and repeats are known`, async (t) => {
    const why = await whyNot(name)
    if (why !== undefined) {
      t.skip(why)
      return
    }
    const stage = await setStage(t, postgres)
    const { service, ledger } = stage
    await service.start()
    const first = nextTold()
    assert.equal((await sendOnce(service.ports.intake, first)).kind, 'accepted')
    const senders = stage.send()
    while (ledger.counts().accepted < 100) await sleep(20)
    const before = ledger.fork()
    const file = join(folder, name)
    await take(postgres.urlOf(new URL(stage.databaseUrl).pathname.slice(1)), file)
    const during = ledger.counts().accepted - 100
    await senders.stop()
    await stage.judge(`F30 ${name} under load: the old store`)
    await service.terminate()

    const copy = `${name}_of_it`
    const admin = postgres.open('postgres')
    await admin.query(`create database ${copy}`)
    await admin.end()
    await put(postgres.urlOf(copy), file)
    const db = postgres.open(copy)
    const restored = await makeFaultedService({ DNS_SERVERS: stage.dns.address }, postgres.urlOf(copy))
    t.after(async () => {
      await restored.close()
      await db.end()
    })
    await restored.start()
    assert.match((await sendOnce(restored.ports.intake, first)).text, /"verdict":"duplicate"/)
    await judge(before, db, `F30 ${name} under load: the new store`, { notes: `${during} more came during the copy` })
  })
}

async function sendOnce(port: number, told: ReturnType<typeof nextTold>) {
  const way = makeHttpsWay(port)
  const reply = await way.send(told)
  way.close()
  return reply
}

const dayMs = 86_400_000
const reportDays = 40
const refusedBytes = 4_000
const kills = 6

/** Of months that are over: their first day. */
const oldDays = Array.from({ length: 8 }, (_, i) => new Date(Date.now() - (80 + 31 * i) * dayMs).toISOString().slice(0, 10)) // prettier-ignore

/** `pass` ends with the pass that is under way. */
function retain(t: TestContext, url: string) {
  const program = new URL('../support/retention-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, url, String(reportDays), String(refusedBytes)], { stdio: ['ignore', 'pipe', 'inherit'] }) // prettier-ignore
  const ended = once(child, 'exit')
  const kill = () => {
    child.kill('SIGKILL')
    return ended
  }
  t.after(kill)
  const over = ended.then(() => assert.fail('retention has ended'))
  over.catch(() => undefined)
  const lines = createInterface({ input: child.stdout })
  return { begun: once(lines, 'line'), pass: () => Promise.race([once(lines, 'line'), over]), kill }
}

test('F31: retention is killed, runs twice at once, and runs while reports and rubbish come in: nothing is torn, and nobody waits a second for it', async (t) => {
  const stage = await setStage(t, postgres)
  const { service, db } = stage
  await service.start()
  const slow = await startPostgresProxy(postgres.socketPath) // So that there is a midst to be killed in.
  t.after(slow.close)
  slow.set({ kind: 'delay', ms: 15 })
  const url = slow.urlOf(new URL(stage.databaseUrl).pathname.slice(1))
  for (const day of oldDays)
    assert.equal((await sendOnce(service.ports.intake, { ...nextTold(), day })).kind, 'accepted')
  const oldMonths = [...new Set(oldDays.map((day) => day.slice(0, 7)))]
  const wanted = oldMonths.flatMap((month) => factTables.map((table) => ({ table, month })))
  const isOld = ({ month, table }: { month: string; table: string }) => oldMonths.includes(month) && (factTables as readonly string[]).includes(table) // prettier-ignore

  const senders = stage.send()
  const over = new AbortController()
  const rubbish = (async () => {
    while (!over.signal.aborted) {
      await request({ port: service.ports.intake, tls: true }, 'POST', '/v1/tlsrpt', JSON.stringify({ rubbish: 'x'.repeat(1_000), random: random() })) // prettier-ignore
      await sleep(50)
    }
  })()
  let longestWait = 0
  const watching = (async () => {
    const waits =
      'select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::float8 as s from pg_locks where not granted'
    while (!over.signal.aborted) {
      longestWait = Math.max(longestWait, (await db.query<{ s: number }>(waits)).rows[0]!.s)
      await sleep(50)
    }
  })()
  await stage.recovery()

  let interrupted = 0
  for (let n = 0; n < kills; n++) {
    const victim = retain(t, url)
    await victim.begun
    await sleep(500 * random())
    await victim.kill()
    if ((await listMonths(db)).some(isOld)) interrupted++
    await inTransaction(db, (tx) => createPartitions(tx, wanted)) // Those that are gone, empty: more to drop.
  }
  const both = [retain(t, url), retain(t, url)]
  const deadline = performance.now() + 30_000
  while ((await listMonths(db)).some(isOld)) {
    assert.ok(performance.now() < deadline, 'old months are still there after 30 s')
    await sleep(100)
  }
  await stage.recovery()
  over.abort()
  await Promise.all([rubbish, watching])
  await Promise.all(both.map(({ pass }) => pass().then(pass))) // One whole pass of each since then: what came last is evicted.
  await Promise.all(both.map(({ kill }) => kill()))
  await senders.stop()

  const { rows } = await db.query<{ old: number; refused: number }>(
    `select (select count(*) from report where day = any($1::date[]))::int as old,
            (select coalesce(sum(size), 0) from submission_raw where refused)::int as refused`,
    [oldDays],
  )
  assert.deepEqual(rows[0]!.old, 0)
  assert.ok(rows[0]!.refused <= refusedBytes, `${rows[0]!.refused} bytes of refused submissions`)
  assert.deepEqual((await verifyStore(db, new Date())).findings, [])
  assert.ok(longestWait <= 1, `somebody waited ${longestWait} s for a lock`)
  assert.ok(interrupted > 0, 'each had done all before it was killed')
  await assertAlive(stage)
  assert.equal(stage.ledger.counts().temporary, 0)
  const notes = `${kills} kills, ${interrupted} of them in the midst; longest wait for a lock ${longestWait.toFixed(2)} s`
  await stage.judge('F31 retention killed, twice, under load', { notes })
})
