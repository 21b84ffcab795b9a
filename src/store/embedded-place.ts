/** Where the embedded Postgres keeps its data, and as whom it runs: it refuses to run as root. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Account } from './embedded-binaries.ts'

export type Place = {
  /** Holds the cluster, the socket and the claims. */
  folder: string
  account: Account
  /** For the programs of Postgres, where they have to be copied. */
  programs: string
  /** What the operator should know of it. */
  notice?: string
}

/** For what the account of Postgres cannot reach where it was wanted, or lies. */
const elsewhere = '/var/lib/tlsrpt-receiver'

/**
 * The folder `postgres` in `dataDir`, made if need be, for a process that runs as `self`. Root hands its cluster to
 * `nobody`, or leaves it to whom it belongs already; where nobody cannot reach `dataDir`, the folder is a link to one
 * in /var/lib/tlsrpt-receiver.
 */
export function findPlace(dataDir: string, self: Account): Place {
  const folder = join(dataDir, 'postgres')
  if (self.uid === 0) return placeForRoot(dataDir, folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const real = realpathSync(folder)
  return { folder: real, account: self, programs: real }
}

function placeForRoot(dataDir: string, folder: string): Place {
  const nobody = accountOf('nobody')
  mkdirSync(dataDir, { recursive: true, mode: 0o711 })
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) makeFolder(dataDir, folder, nobody)
  const real = realpathSync(folder)
  const cluster = statSync(join(real, 'cluster'), { throwIfNoEntry: false })
  const account = cluster && cluster.uid !== 0 ? { uid: cluster.uid, gid: cluster.gid } : nobody
  if (!canEnter(real, account)) {
    throw new Error(
      `Postgres does not run as root, and its user (uid ${account.uid}) cannot enter ${real}: move DATA_DIR`,
    )
  }
  if (real === join(realpathSync(dataDir), 'postgres')) return { folder: real, account, programs: elsewhere }
  const notice = `the database is kept in ${real}: Postgres does not run as root, and its user cannot reach ${dataDir}`
  return { folder: real, account, programs: elsewhere, notice }
}

/** Owned by root, so that the account of Postgres cannot put a link in the way of what root does in it. */
function makeFolder(dataDir: string, folder: string, account: Account): void {
  // A folder made for us alone (mktemp -d, a new volume) may let the account pass; one that holds other things stays as it is.
  if (readdirSync(dataDir).length === 0) chmodSync(dataDir, statSync(dataDir).mode | 0o001)
  if (canEnter(dataDir, account)) {
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o711) // Whatever the umask.
    return
  }
  if (mkdirSync(elsewhere, { recursive: true }) !== undefined) chmodSync(elsewhere, 0o755)
  const away = mkdtempSync(join(elsewhere, 'postgres-'))
  chmodSync(away, 0o711)
  try {
    symlinkSync(away, folder)
  } catch (error) {
    rmSync(away, { recursive: true })
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // Another process of ours was faster.
  }
}

function accountOf(user: string): Account {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** Asked of the kernel: modes alone do not tell of access lists, or of file systems that know no root. */
function canEnter(folder: string, account: Account): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$0"', folder], { ...account, cwd: '/', stdio: 'ignore' }).status === 0
}
