/** Postgres goes away in every way it has, and comes back: our trouble is temporary, and the service comes back by itself. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startPostgres } from '../support/postgres-server.ts'
import { assertAlive, setStage, survive, type Stage } from './stage.ts'

const maxConnections = 40
const postgres = await startPostgres({ max_connections: String(maxConnections) })
after(postgres.close)

test('an acknowledgement of COMMIT that is lost on the way loses nothing, and the repeated delivery counts once', async (t) => {
  const stage = await survive(t, postgres, 'F4 acknowledgement of COMMIT lost', {
    begin: ({ proxy }) => {
      proxy.set({ kind: 'drop-commit-acknowledgement' })
    },
    seconds: 5,
    end: pass,
  })
  assert.ok(stage.proxy.dropped() > 0)
})

test('Postgres is stopped at once under load, and started again', async (t) => {
  await survive(t, postgres, 'F5 Postgres stopped immediately', {
    begin: () => postgres.stopImmediately(),
    seconds: 6,
    end: () => postgres.start(),
  })
})

test('Postgres is frozen, and thaws', async (t) => {
  await survive(t, postgres, 'F7 Postgres frozen', {
    begin: () => {
      postgres.freeze()
    },
    seconds: 20,
    end: () => {
      postgres.thaw()
    },
  })
})

test('the network to Postgres swallows everything, and heals', async (t) => {
  await survive(t, postgres, 'F8 network to Postgres swallows all', {
    begin: ({ proxy }) => {
      proxy.set({ kind: 'blackhole' })
    },
    seconds: 20,
    end: pass,
  })
})

test('Postgres is slow: each packet is late, and nobody is turned away', async (t) => {
  const { ledger } = await survive(t, postgres, 'F9 Postgres slow, 100 ms a packet', {
    begin: ({ proxy }) => {
      proxy.set({ kind: 'delay', ms: 100 })
    },
    seconds: 8,
    end: pass,
    isHarmless: true,
  })
  assert.equal(ledger.counts().temporary, 0)
})

test('connections to Postgres are reset, refused, and cut in the middle of answers', async (t) => {
  let weather: NodeJS.Timeout | undefined
  await survive(t, postgres, 'F6 connections reset, refused, cut', {
    begin: ({ proxy }) => {
      let turn = 0
      weather = setInterval(() => {
        const mode = [
          { kind: 'reset' },
          { kind: 'pass' },
          { kind: 'refuse' },
          { kind: 'cut-after', bytes: 700 },
        ] as const
        proxy.set(mode[turn++ % mode.length]!)
        if (turn % 3 === 0) proxy.cut()
      }, 200)
    },
    seconds: 8,
    end: (stage) => {
      clearInterval(weather)
      pass(stage)
    },
  })
})

test('the sessions of the service are terminated by the operator, every 200 ms', async (t) => {
  let killing: NodeJS.Timeout | undefined
  await survive(t, postgres, 'F6 sessions terminated (57P01)', {
    begin: ({ db }) => {
      killing = setInterval(() => {
        void db.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tlsrpt-receiver%' and datname = current_database()") // prettier-ignore
      }, 200)
    },
    seconds: 6,
    end: () => {
      clearInterval(killing)
    },
  })
})

test('Postgres is read-only, as a standby is, and is made the primary', async (t) => {
  await survive(t, postgres, 'F11 Postgres read-only (25006)', {
    begin: (stage) => setReadOnly(stage, 'on'),
    seconds: 5,
    end: (stage) => setReadOnly(stage, 'off'),
  })
})

test('Postgres has no connection left, and has some again', async (t) => {
  const others: pg.Client[] = []
  let crowding: NodeJS.Timeout | undefined
  await survive(t, postgres, 'F12 Postgres out of connections (53300)', {
    begin: ({ proxy, databaseUrl }) => {
      const connectionString = postgres.urlOf(new URL(databaseUrl).pathname.slice(1))
      crowding = setInterval(() => {
        proxy.cut() // What the service had, somebody else has now.
        for (let n = 0; n < 20; n++) {
          const client = new pg.Client({ connectionString })
          client.on('error', () => undefined)
          void client.connect().then(
            () => others.push(client),
            () => undefined,
          )
        }
      }, 200)
    },
    seconds: 5,
    end: async () => {
      clearInterval(crowding)
      await sleep(100)
      await Promise.all(others.map((client) => client.end()))
    },
  })
})

test('a service that starts while Postgres is away listens, says that it is not ready, tells senders to come back, and takes them when it is there', async (t) => {
  const stage = await setStage(t, postgres)
  await postgres.stopImmediately()
  await stage.service.start()
  assert.equal(await stage.service.isReady(), false)
  const senders = stage.send(4)
  await sleep(3_000)
  assert.equal(stage.ledger.counts().accepted, 0)
  assert.ok(stage.ledger.counts().temporary > 0)
  await postgres.start()
  const recoverySeconds = await stage.recovery()
  await senders.stop()
  await assertAlive(stage)
  assert.ok(recoverySeconds <= 10, `it took ${recoverySeconds} s`)
  await stage.judge('F10 Postgres absent at the start', { recoverySeconds })
})

test('the disk of Postgres is full, and has room again', async (t) => {
  const disk = mountSmallDisk()
  if (!disk) {
    t.skip('a small disk can be mounted by root only, and only where mounting is allowed')
    return
  }
  const small = await startPostgres({ shared_buffers: '16MB', min_wal_size: '32MB', max_wal_size: '32MB' }, disk.folder)
  t.after(async () => {
    await small.close()
    disk.unmount()
  })
  const neighbour = join(disk.folder, 'neighbour')
  await survive(t, small, 'F14, F15 disk of Postgres full', {
    begin: () => {
      fill(neighbour)
    },
    seconds: 8,
    end: async () => {
      rmSync(neighbour)
      await small.start() // Where it could not write its WAL it has ended, and the operator starts it.
    },
  })
})

const pass = ({ proxy }: Stage) => {
  proxy.set({ kind: 'pass' })
}

async function setReadOnly({ db }: Stage, value: 'on' | 'off'): Promise<void> {
  const client = await db.connect()
  await client.query('set default_transaction_read_only = off')
  await client.query(`alter system set default_transaction_read_only = ${value}`)
  await client.query('select pg_reload_conf()')
  client.release(true)
}

/** Undefined where that is not allowed. */
function mountSmallDisk(): { folder: string; unmount: () => void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=0711', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  return {
    folder,
    unmount: () => {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true })
    },
  }
}

/** Takes all the room there is. */
function fill(file: string): void {
  const handle = openSync(file, 'w')
  try {
    for (;;) writeSync(handle, Buffer.alloc(64 * 1024))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    closeSync(handle)
  }
}
