import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { packagedFolder, runnableBinaries } from '../../src/store/embedded-binaries.ts'
import { announceReady, newClaim, otherOwner, releaseClaim, takeClaim } from '../../src/store/embedded-owner.ts'
import { findPlace } from '../../src/store/embedded-place.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded.ts'
import { testDatabaseOptions } from '../support/database.ts'

const isRoot = process.getuid!() === 0
const self = { uid: process.getuid!(), gid: process.getgid!() }
const onlyRoot = { skip: isRoot ? false : 'only root has to run Postgres as somebody else' }

const scratch = mkdtempSync(join(tmpdir(), 'tlsrpt-test-'))
chmodSync(scratch, 0o755)
after(() => { rmSync(scratch, { recursive: true }) }) // prettier-ignore

/** Most tests share a folder, one after the other: a new cluster takes a second. */
const dataDir = join(scratch, 'data')
const cluster = join(dataDir, 'postgres', 'cluster')

async function start(
  t: TestContext,
  folder: string,
  log: (line: string) => void = () => undefined,
): Promise<{ postgres: EmbeddedPostgres; db: Database }> {
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log })
  const db = openDatabase(postgres.connection, testDatabaseOptions, () => undefined)
  t.after(async () => {
    if (!db.ended) await db.end()
    await postgres.stop()
  })
  return { postgres, db }
}

/** Another process on the same folder; `said` is what it has said so far, line by line. */
function startProcess(t: TestContext, folder: string, task = '') {
  const file = fileURLToPath(new URL('../support/embedded-process.ts', import.meta.url))
  const child = spawn(process.execPath, [file, folder, task], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
  const end = async () => {
    child.stdin.end()
    await exited
  }
  return { said, end, kill: () => child.kill('SIGKILL'), exited }
}

async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<number> {
  const startedAt = performance.now()
  while (!(await holds())) {
    assert.ok(performance.now() - startedAt < withinMs, `not within ${withinMs} ms: ${what}`)
    await sleep(10)
  }
  return performance.now() - startedAt
}

const count = async (db: Database) =>
  (await db.query<{ n: bigint }>('select count(*) as n from acknowledged')).rows[0]!.n

test('data outlive a stop and a start, and are durable', async (t) => {
  const first = await start(t, dataDir)
  await first.db.query('create table acknowledged (n integer primary key)')
  await first.db.query('insert into acknowledged values (0)')
  await first.db.end()
  await first.postgres.stop()
  assert.ok(!existsSync(join(cluster, 'postmaster.pid')), 'it has stopped')

  const { postgres, db } = await start(t, dataDir)
  assert.equal(await count(db), 1n)
  assert.ok(postgres.isOwner())
  assert.equal(postgres.notice, undefined)
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums']) {
    assert.equal(
      (await db.query<{ value: string }>(`select current_setting($1) as value`, [setting])).rows[0]!.value,
      'on',
      setting,
    )
  }
})

test('no network socket is opened, and only its own user and root can reach the other one', async (t) => {
  const { postgres, db } = await start(t, dataDir)
  assert.equal(
    (await db.query<{ value: string }>(`select current_setting('listen_addresses') as value`)).rows[0]!.value,
    '',
  )
  const folder = statSync(postgres.connection.host)
  assert.equal(folder.mode & 0o777, 0o700)
  assert.equal(folder.uid !== 0, true)
})

test('a second process connects to the server that runs, and leaves it alone when it ends', async (t) => {
  const { db } = await start(t, dataDir)
  const guest = startProcess(t, dataDir)
  await until('the guest is ready', () => guest.said.length > 0)
  assert.deepEqual(guest.said, ['guest'])
  await guest.end()
  assert.equal(await count(db), 1n)
})

test('when the owner ends, a process that only connected takes over', async (t) => {
  const owner = startProcess(t, dataDir)
  await until('the owner is ready', () => owner.said[0] === 'owner')
  const { postgres, db } = await start(t, dataDir)
  assert.ok(!postgres.isOwner())
  await owner.end()
  await until('it has taken over', () => postgres.isOwner())
  assert.equal(await count(db), 1n)
})

test('of processes that start at once exactly one runs the server, and all are served', async (t) => {
  const processes = Array.from({ length: 4 }, () => startProcess(t, dataDir))
  await until('all are ready', () => processes.every(({ said }) => said.length > 0))
  assert.deepEqual(processes.flatMap(({ said }) => said).sort(), ['guest', 'guest', 'guest', 'owner'])
  await Promise.all(processes.map(({ end }) => end()))
})

test('kill -9 of the owner stops Postgres at once, and the next start has every acknowledged row', async (t) => {
  const writer = startProcess(t, dataDir, 'write')
  await until('some rows are acknowledged', () => writer.said.length > 100)
  const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
  writer.kill()
  const tookMs = await until('Postgres has stopped', () => !existsSync(join(cluster, 'postmaster.pid')), 3_000)
  t.diagnostic(`process ${pid} was gone after ${Math.round(tookMs)} ms`)

  const { db } = await start(t, dataDir)
  const acknowledged = BigInt(writer.said.at(-1)!)
  const stored = (await count(db)) - 1n // Row 0 of the first test.
  assert.ok(stored === acknowledged || stored === acknowledged + 1n, `${stored} rows of ${acknowledged} acknowledged`)
})

test('kill -9 of everything at once loses nothing either', async (t) => {
  const { db: before, postgres } = await start(t, dataDir)
  await before.query('truncate acknowledged')
  await before.end()
  await postgres.stop()
  const writer = startProcess(t, dataDir, 'write')
  await until('some rows are acknowledged', () => writer.said.length > 100)
  writer.kill()
  process.kill(Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
  await writer.exited // Else the start may join what is just dying, and lose its first question.

  const { db } = await start(t, dataDir)
  const acknowledged = BigInt(writer.said.at(-1)!)
  assert.ok((await count(db)) >= acknowledged, `all of ${acknowledged} acknowledged`)
})

test('a Postgres that was left behind is stopped first', async (t) => {
  const writer = startProcess(t, dataDir)
  await until('it runs', () => writer.said[0] === 'owner')
  const lock = readFileSync(join(cluster, 'postmaster.pid'), 'utf8')
  // Frozen, so that it cannot see its owner go.
  process.kill(Number(lock.split('\n')[0]), 'SIGSTOP')
  writer.kill()
  await writer.exited
  const lines: string[] = []
  const starting = start(t, dataDir, (line) => lines.push(line))
  await until('it is found', () => lines.some((line) => line.includes('left behind')))
  process.kill(Number(lock.split('\n')[0]), 'SIGCONT')
  const { postgres } = await starting
  assert.ok(postgres.isOwner())
})

test('a Postgres that crashes comes back by itself, at the same address', async (t) => {
  const { db } = await start(t, dataDir)
  const before = await count(db)
  process.kill(Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
  await until('it has gone', () => count(db).then(() => false, () => true)) // prettier-ignore
  await until('it is back', () => count(db).then((now) => now === before, () => false)) // prettier-ignore
})

test('what a crash leaves behind does not hinder the next start', async (t) => {
  // As after a reboot: another process, here ourselves, has the id of the former server.
  writeFileSync(join(cluster, 'postmaster.pid'), `${process.pid}\n${cluster}\n`)
  const { postgres, db } = await start(t, dataDir)
  assert.ok(postgres.isOwner())
  assert.ok((await count(db)) > 0n)
})

test('an initdb that was cut short is not mistaken for a cluster', async (t) => {
  const folder = join(scratch, 'cut-short')
  const drafts = () =>
    existsSync(join(folder, 'postgres'))
      ? readdirSync(join(folder, 'postgres')).filter((name) => name.startsWith('init-'))
      : []
  const first = startProcess(t, folder)
  await until('initdb is at work', () =>
    drafts().some((draft) => existsSync(join(folder, 'postgres', draft, 'PG_VERSION'))),
  )
  first.kill()
  assert.deepEqual(first.said, [])
  const { db } = await start(t, folder)
  assert.equal((await db.query<{ one: number }>('select 1 as one')).rows[0]!.one, 1)
})

test('a path too long for a socket gets one in a private folder of /tmp, and nobody else may have made that', async (t) => {
  const folder = join(scratch, 'x'.repeat(100))
  const { postgres } = await start(t, folder)
  const sockets = postgres.connection.host
  t.after(() => { rmSync(sockets, { recursive: true }) }) // prettier-ignore
  assert.match(sockets, /^\/tmp\/tlsrpt-[0-9a-f]{16}$/)
  assert.equal(lstatSync(sockets).mode & 0o777, 0o700)
  await postgres.stop()

  chmodSync(sockets, 0o777)
  await assert.rejects(startEmbeddedPostgres({ dataDir: folder, log: () => undefined }), /is no private folder of uid/)
  assert.deepEqual(
    readdirSync(postgres.dataDir).filter((name) => name.startsWith('owner-')),
    [],
    'the claim is released',
  )
})

test('a claim counts only while its very process lives', () => {
  const folder = mkdtempSync(join(scratch, 'claims-'))
  const [mine, other] = [newClaim(process.pid), newClaim(process.pid)]
  const ofTheDead = mine.replace(/^owner-\d+/, 'owner-4194304') // Above the largest process id.
  const ofAnEarlierProcess = mine.replace(/-\w+-(\w+)$/, '-0badb007x1-$1')
  writeFileSync(join(folder, ofTheDead), 'ready\n')
  writeFileSync(join(folder, ofAnEarlierProcess), 'ready\n')

  assert.equal(takeClaim(folder, mine), true)
  assert.deepEqual(readdirSync(folder), [mine], 'the others are cleared away')
  assert.equal(takeClaim(folder, other), false)
  assert.deepEqual(otherOwner(folder, other), { pid: process.pid, isReady: false })
  announceReady(folder, mine)
  assert.deepEqual(otherOwner(folder, other), { pid: process.pid, isReady: true })
  releaseClaim(folder, mine)
  assert.equal(takeClaim(folder, other), true)
})

test('a machine without a package, or an install without optional dependencies, is told what to do', () => {
  assert.throws(
    () => packagedFolder('sunos', 'x64'),
    /no embedded Postgres for sunos-x64 here: set DATABASE_URL .* or install with optional dependencies/,
  )
})

test('programs that cannot run where they are run from a copy, with the links that no install script made', async (t) => {
  const hidden = mkdtempSync(join(scratch, 'hidden-')) // Mode 0700, as /root.
  const native = join(hidden, 'package', 'native')
  const packaged = packagedFolder(process.platform, process.arch)
  cpSync(packaged, native, { recursive: true, filter: (file) => !lstatSync(file).isSymbolicLink() })
  cpSync(join(packaged, '..', 'package.json'), join(native, '..', 'package.json'))
  const folder = join(scratch, 'copies')
  mkdirSync(folder)
  const { account } = findPlace(join(scratch, 'anywhere'), self)
  const lines: string[] = []
  const binaries = await runnableBinaries(native, folder, account, (line) => lines.push(line))
  if (isRoot) {
    assert.match(binaries, /copies\/binaries-[0-9.a-z-]+\/native$/)
    assert.equal(lines.length, 1)
    assert.equal(await runnableBinaries(native, folder, account, (line) => lines.push(line)), binaries, 'copied once')
    assert.equal(lines.length, 1)
  } else {
    assert.equal(binaries, native, 'the links are made in place')
  }
  t.diagnostic(lines.join())
})

test('root has nobody run Postgres, and lets it into a folder made for us alone', onlyRoot, () => {
  const folder = mkdtempSync(join(scratch, 'private-'))
  const place = findPlace(folder, self)
  assert.equal(place.folder, join(folder, 'postgres'))
  assert.equal(place.notice, undefined)
  assert.notEqual(place.account.uid, 0)
  assert.equal(statSync(folder).mode & 0o777, 0o701)
})

test(
  'as root, where nobody cannot reach the folder, the data go to /var/lib/tlsrpt-receiver and it says so',
  onlyRoot,
  async (t) => {
    const home = mkdtempSync(join(scratch, 'home-')) // Mode 0700, as /root.
    const wanted = join(home, 'data')
    const { postgres, db } = await start(t, wanted)
    t.after(() => {
      rmSync(postgres.dataDir, { recursive: true })
      if (readdirSync(dirname(postgres.dataDir)).length === 0) rmdirSync(dirname(postgres.dataDir))
    })
    assert.match(postgres.dataDir, /^\/var\/lib\/tlsrpt-receiver\/postgres-\w+$/)
    assert.ok(postgres.notice?.includes(postgres.dataDir) && postgres.notice.includes(wanted), postgres.notice)
    assert.equal(readlinkSync(join(wanted, 'postgres')), postgres.dataDir)
    assert.equal(statSync(home).mode & 0o777, 0o700, 'a folder that is not ours stays closed')
    await db.query('create table kept (n integer)')
    await db.end()
    await postgres.stop()

    const again = await start(t, wanted)
    assert.equal(again.postgres.dataDir, postgres.dataDir)
    await again.db.query('select * from kept')
  },
)

test('root leaves a cluster to the user it belongs to', onlyRoot, () => {
  const folder = mkdtempSync(join(scratch, 'theirs-'))
  chmodSync(folder, 0o755)
  const { folder: place } = findPlace(folder, self)
  mkdirSync(join(place, 'cluster'))
  chownSync(join(place, 'cluster'), 4711, 4711)
  assert.equal(findPlace(folder, self).account.uid, 4711)
})
