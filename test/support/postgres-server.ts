/** A Postgres that a test may stop, freeze and fill: durable, on a unix socket of its own. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { packagedFolder, runnableBinaries } from '../../src/store/embedded-binaries.ts'
import { findPlace } from '../../src/store/embedded-place.ts'
import { connectionOf, launch, type Server } from '../../src/store/embedded-server.ts'
import { testDatabaseOptions } from './database.ts'

export type PostgresServer = {
  /** Of its unix socket. */
  socketPath: string
  /** Address of one of its databases, past any proxy. */
  urlOf: (database: string) => string
  /** A pool on one of its databases; whoever asks for it ends it. */
  open: (database: string) => Database
  /** Where it does not run. */
  start: () => Promise<void>
  /** SIGQUIT: no checkpoint, no good-bye; what was committed is found in the WAL at the next start. */
  stopImmediately: () => Promise<void>
  /** SIGSTOP for the server and all of its sessions, and SIGCONT. */
  freeze: () => void
  thaw: () => void
  close: () => Promise<void>
}

/** In `folder`, else in a new one; initdb included. It ends with this process, however that ends. */
export async function startPostgres(settings: Record<string, string> = {}, folder?: string): Promise<PostgresServer> {
  const dataDir = folder ?? mkdtempSync(join(tmpdir(), 'tlsrpt-fault-'))
  const place = findPlace(dataDir, { uid: process.getuid!(), gid: process.getgid!() })
  const log = () => undefined
  const binaries = await runnableBinaries(
    packagedFolder(process.platform, process.arch),
    place.programs,
    place.account,
    log,
  )
  const options = { binaries, folder: place.folder, account: place.account, settings, log }
  const { host, port, user } = connectionOf(place.folder)
  const urlOf = (database: string) => `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}`
  const pid = () => Number(readFileSync(join(place.folder, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0])
  let server: Server | undefined
  const run = async () => {
    server = await launch(options)
    void server.exited.then(() => (server = undefined))
  }
  await run()

  const signal = (name: NodeJS.Signals) => {
    const postmaster = pid()
    for (const process_ of [postmaster, ...childrenOf(postmaster)]) process.kill(process_, name)
  }
  return {
    socketPath: join(host, `.s.PGSQL.${port}`),
    urlOf,
    open: (database) => openDatabase(urlOf(database), testDatabaseOptions, () => undefined),
    start: async () => {
      if (!server) await run()
    },
    stopImmediately: async () => {
      process.kill(pid(), 'SIGQUIT')
      await server?.exited
    },
    freeze: () => {
      signal('SIGSTOP')
    },
    thaw: () => {
      signal('SIGCONT')
    },
    close: async () => {
      await server?.stop()
      rmSync(place.folder, { recursive: true, force: true })
      if (folder === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Of a process that is stopped none come and go. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? Number(name) : []
      } catch {
        return [] // It has ended meanwhile.
      }
    })
}
