/** One run of the embedded Postgres, from an empty folder or a crashed cluster to its exit. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Account } from './embedded-binaries.ts'
import { commandOf } from './embedded-owner.ts'

export type Server = {
  /** Why it ended; never rejects. */
  exited: Promise<string>
  stop: () => Promise<void>
}

export type ServerOptions = {
  binaries: string
  /** Absolute, without links. */
  folder: string
  account: Account
  /** Parameters of postgresql.conf. */
  settings: Record<string, string>
  log: (line: string) => void
}

const run = promisify(execFile)

const user = 'tlsrpt'
const port = 5432 // Only part of the socket's name: there is no network socket.
const draftPrefix = 'init-'
const shutdownMs = 10_000

/** Nothing of our environment: a locale that is not installed, say, makes initdb fail. */
const environment = { LC_ALL: 'C', TZ: 'UTC' }

/** How to reach the server of `folder`; always the same, so that a pool outlives a restart. */
export const connectionOf = (folder: string): { host: string; port: number; user: string; database: string } => ({
  host: socketFolder(folder),
  port,
  user,
  database: 'postgres',
})

/** sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the final NUL. */
function socketFolder(folder: string): string {
  const inside = join(folder, 'run')
  if (Buffer.byteLength(`${inside}/.s.PGSQL.${port}`) <= 103) return inside
  return `/tmp/tlsrpt-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`
}

/**
 * Runs Postgres on `folder`, which this process must have claimed; resolves when it takes connections, also after a
 * crash, and rejects with its own words when it does not start. It ends with this process, even by kill -9: a shell
 * waits for the end of a pipe that nobody writes to.
 */
export async function launch(options: ServerOptions): Promise<Server> {
  const { folder, account, log } = options
  const cluster = join(folder, 'cluster')
  clearDrafts(folder)
  if (!existsSync(cluster)) await initialize(options, cluster)
  makeSocketFolder(socketFolder(folder), account)
  await clearOrphan(cluster, log)
  clearLocks(cluster, socketFolder(folder))
  const child = spawnPostgres(options, cluster)
  const exited = exitOf(child)
  await ready(child, exited, log)
  return { exited, stop: () => stop(child, exited) }
}

function spawnPostgres({ binaries, folder, account, settings }: ServerOptions, cluster: string): ChildProcess {
  const parameters = {
    listen_addresses: '',
    unix_socket_directories: socketFolder(folder),
    unix_socket_permissions: '0700',
    log_line_prefix: '', // Who hears the lines knows the time.
    log_checkpoints: 'off',
    ...settings,
  }
  const flags = Object.entries(parameters).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  // The inner shell becomes an orphan, so that Postgres has no child it does not know. `$$` is Postgres after exec.
  const script = '( (read -r _ <&3; kill -INT $$) >/dev/null 2>&1 & ); exec "$0" "$@" </dev/null 3<&-'
  const command = [join(binaries, 'bin', 'postgres'), '-D', cluster, '-p', String(port), ...flags]
  return spawn('/bin/sh', ['-c', script, ...command], {
    ...account,
    env: environment,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C in the terminal is for us: we still need the database to finish.
  })
}

function clearDrafts(folder: string): void {
  for (const name of readdirSync(folder).filter((name) => name.startsWith(draftPrefix))) {
    try {
      rmSync(join(folder, name), { recursive: true })
    } catch {
      // The initdb of a killed process still writes to it: the next start will get it.
    }
  }
}

/** Under another name first: an initdb that was cut short must not be mistaken for a cluster. */
async function initialize({ binaries, folder, account, settings, log }: ServerOptions, cluster: string): Promise<void> {
  log('making a new database cluster')
  const draft = mkdtempSync(join(folder, draftPrefix)) // Never one that the initdb of a killed process still writes to.
  lchownSync(draft, account.uid, account.gid)
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--encoding=UTF8']
  const access = ['--username', user, '--auth-local=trust', '--auth-host=reject'] // The socket's folder is the guard.
  const sync = settings['fsync'] === 'off' ? ['--no-sync'] : []
  const flags = ['-D', draft, ...locale, ...access, ...sync, '--data-checksums', '--no-instructions']
  await run(join(binaries, 'bin', 'initdb'), flags, { ...account, env: environment, cwd: folder })
  renameSync(draft, cluster)
  const handle = openSync(folder, 'r') // Or a power cut might undo the rename, and with it everything stored since.
  fsyncSync(handle)
  closeSync(handle)
}

/** A Postgres whose process of ours was killed has to end first. */
async function clearOrphan(cluster: string, log: (line: string) => void): Promise<void> {
  const lockFile = join(cluster, 'postmaster.pid')
  if (!existsSync(lockFile)) return
  const pid = Number(readFileSync(lockFile, 'utf8').split('\n')[0])
  const isAlive = () => commandOf(pid).includes(` -D ${cluster} `)
  for (let waitedMs = 0; isAlive(); waitedMs += 50) {
    if (waitedMs === 0) log(`stopping a Postgres that was left behind, process ${pid}`)
    if (waitedMs % shutdownMs === 0) process.kill(pid, waitedMs === 0 ? 'SIGINT' : 'SIGQUIT')
    await sleep(50)
  }
}

/**
 * What a crash leaves behind. Postgres would take a zombie, or any later process with the id in them, for their
 * owner and refuse to start. A backend that outlived it still keeps a second server out, by its shared memory.
 */
function clearLocks(cluster: string, sockets: string): void {
  rmSync(join(cluster, 'postmaster.pid'), { force: true })
  rmSync(join(sockets, `.s.PGSQL.${port}.lock`), { force: true })
}

/** A stranger may have made the one in /tmp before us, or put a link there. */
function makeSocketFolder(folder: string, { uid, gid }: Account): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const made = lstatSync(folder)
  if (made.isDirectory() && made.uid === 0 && uid !== 0) lchownSync(folder, uid, gid)
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw new Error(`${folder} is no private folder of uid ${uid}: remove it, or give DATA_DIR a shorter path`)
  }
}

/** When all of its processes have let go of the log: after that a new server can start. */
function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('exit', () => child.stdio[3]?.destroy()) // Lets the waiting shell go.
    child.once('close', (code, signal) => {
      resolve(signal ? `signal ${signal}` : `exit code ${code ?? 'unknown'}`)
    })
  })
}

/** Resolves when the server takes connections; every line of its log goes to `log`, from now on. */
function ready(child: ChildProcess, exited: Promise<string>, log: (line: string) => void): Promise<void> {
  const lastWords: string[] = []
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      log(line)
      lastWords.push(line)
      lastWords.splice(0, lastWords.length - 5)
      if (line.includes('database system is ready to accept connections')) resolve()
    })
    void exited.then((reason) => {
      reject(new Error(`the embedded Postgres did not start (${reason}): ${lastWords.join(' | ')}`))
    })
  })
}

/** Open transactions are rolled back, sessions closed, and the data written out; what hangs is cut off. */
async function stop(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.kill('SIGINT')
  const impatience = setTimeout(() => child.kill('SIGQUIT'), shutdownMs)
  await exited
  clearTimeout(impatience)
}
