/** The embedded Postgres: run by this process, or by another one of ours on the same folder; for small sites and tests. */
import { once } from 'node:events'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { packagedFolder, runnableBinaries } from './embedded-binaries.ts'
import { announceReady, newClaim, otherOwner, releaseClaim, takeClaim } from './embedded-owner.ts'
import { findPlace } from './embedded-place.ts'
import { connectionOf, launch, type Server } from './embedded-server.ts'

export type EmbeddedPostgres = {
  /** Stays the same for the life of this value, whoever runs the server. */
  connection: { host: string; port: number; user: string; database: string }
  /** Whether this process runs the server just now; false where another one does. */
  isOwner: () => boolean
  /** Where the data really are. */
  dataDir: string
  /** What the operator should be told of that. */
  notice?: string
  /** Stops the server if this process runs it. Close the pools first. */
  stop: () => Promise<void>
}

export type EmbeddedPostgresOptions = {
  dataDir: string
  /** Parameters of postgresql.conf. Without any it is durable, and as modest as Postgres is by default. */
  settings?: Record<string, string>
  log: (line: string) => void
}

const restartPauseMs = 1_000
const ownerPollMs = 250

/**
 * Resolves when the Postgres of `dataDir` takes connections. The first process starts it; others, such as a command
 * typed while the service runs, only connect. From then on it is kept running: after a crash it is started again, and
 * when its owner ends, one of the others takes over. It does not outlive its owner, however that ends. Rejects, with
 * what to do, where there is no Postgres for this machine, where it cannot reach its data, or when it does not start.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { settings = {}, log } = options
  const packaged = packagedFolder(process.platform, process.arch)
  const self = { uid: process.getuid!(), gid: process.getgid!() }
  const { folder, account, programs, notice } = findPlace(resolve(options.dataDir), self)
  const claim = newClaim(process.pid)
  let server: Server | undefined // While this process is the owner.

  const stopping = new AbortController()
  const stopped = once(stopping.signal, 'abort')
  const pause = (ms: number) => sleep(ms, undefined, stopping).catch(() => undefined)

  await secure()
  const keeping = keepRunning()
  return {
    connection: connectionOf(folder),
    isOwner: () => server !== undefined,
    dataDir: folder,
    ...(notice !== undefined && { notice }),
    stop: async () => {
      stopping.abort()
      await keeping
      await letGo()
    },
  }

  /** Resolves when somebody runs the server: this process, or another one that says it is ready. */
  async function secure(): Promise<void> {
    while (!stopping.signal.aborted) {
      const owner = otherOwner(folder, claim)
      if (owner?.isReady) return
      if (!owner && takeClaim(folder, claim)) return start()
      await pause(20 + Math.random() * 80) // Unequal, for two that met in takeClaim.
    }
  }

  async function start(): Promise<void> {
    try {
      const binaries = await runnableBinaries(packaged, programs, account, log)
      server = await launch({ binaries, folder, account, settings, log })
      announceReady(folder, claim)
    } catch (error) {
      await letGo()
      throw error
    }
  }

  async function letGo(): Promise<void> {
    await server?.stop()
    server = undefined
    releaseClaim(folder, claim)
  }

  async function keepRunning(): Promise<void> {
    for (;;) {
      try {
        await Promise.race([server ? server.exited : ownerGone(), stopped])
        if (stopping.signal.aborted) return
        log('the embedded Postgres has ended; starting it again')
        if (server) await pause(restartPauseMs)
        await letGo()
        await secure()
      } catch (error) {
        log(error instanceof Error ? error.message : String(error))
        await pause(restartPauseMs)
      }
    }
  }

  async function ownerGone(): Promise<void> {
    while (!stopping.signal.aborted && otherOwner(folder, claim)?.isReady) await pause(ownerPollMs)
  }
}
