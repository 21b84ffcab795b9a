/** Which process runs the embedded Postgres of a folder: at most one, also when several start at once. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A lock file is a claim, `owner-PID-START-RANDOM`. START tells a process from a later one with its id, so a name is
 * never used again: whoever finds the claim of a dead process may delete it, without a race. Its content is empty
 * until the server is ready.
 */
export type Claim = string

export type Owner = { pid: number; isReady: boolean }

/** A name for process `pid`, which must be alive; nothing is claimed yet. */
export const newClaim = (pid: number): Claim => `owner-${pid}-${startOf(pid)!}-${randomUUID().slice(0, 8)}`

/** The living owner of `folder` other than `own`, if there is one. Claims of the dead are cleared away. */
export function otherOwner(folder: string, own: Claim): Owner | undefined {
  for (const name of readdirSync(folder)) {
    const [, pid, start] = /^owner-(\d+)-(\w+)-\w+$/.exec(name) ?? []
    if (pid === undefined || name === own) continue
    if (startOf(Number(pid)) === start) return { pid: Number(pid), isReady: readText(join(folder, name)) !== '' }
    rmSync(join(folder, name), { force: true })
  }
  return undefined
}

/**
 * Claims `folder`; false when another process has or wants it. Of two that write their claims at once, at least one
 * sees the other when it looks again, so never both succeed; when neither does, they try again after unequal pauses.
 */
export function takeClaim(folder: string, own: Claim): boolean {
  writeFileSync(join(folder, own), '', { mode: 0o600, flag: 'wx' })
  if (otherOwner(folder, own) === undefined) return true
  releaseClaim(folder, own)
  return false
}

/** Tells the processes that wait for the owner of `own` to connect. */
export function announceReady(folder: string, own: Claim): void {
  const draft = join(folder, `ready-${own}`)
  writeFileSync(draft, 'ready\n', { mode: 0o600, flag: 'wx' })
  renameSync(draft, join(folder, own))
}

export function releaseClaim(folder: string, own: Claim): void {
  rmSync(join(folder, own), { force: true })
}

/** The command line of a process; '' when it is gone or a zombie. */
export function commandOf(pid: number): string {
  return hasProc ? readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') : ps(pid, 'command')
}

/** When a process started, in letters and digits; undefined when it is gone or a zombie. */
function startOf(pid: number): string | undefined {
  if (!hasProc) {
    const [, start] = /^\s*[^Z\s]\S*\s+(.+)$/.exec(ps(pid, 'stat', 'lstart')) ?? []
    return start?.replaceAll(/\W/g, '')
  }
  // proc_pid_stat(5): after the command, which may hold anything in its brackets, come state (3) ... start time (22).
  const fields = readText(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ')
  if (fields.length < 20 || fields[0] === 'Z') return undefined
  return `${readText('/proc/sys/kernel/random/boot_id').slice(0, 8)}x${fields[19]!}` // Counted from the boot.
}

const hasProc = existsSync('/proc/self/stat')

function ps(pid: number, ...columns: string[]): string {
  const format = columns.flatMap((column) => ['-o', `${column}=`])
  try {
    const env = { LC_ALL: 'C', PATH: '/bin:/usr/bin' } // One spelling of dates for all.
    return execFileSync('ps', ['-ww', ...format, '-p', String(pid)], { env, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return '' // It answers 1 for a process that is gone.
  }
}

/** '' when the file is gone: it belongs to a process that may end at any time. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
