/** CPU time of other processes, as Linux accounts it in /proc (proc(5)): all threads, user and system. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString())

type Stat = { parent: number; own: number; reaped: number }

/** undefined when the process is gone. Times in ticks. */
function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ') // The name in brackets may hold anything.
    const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((i) => Number(fields[i]))
    return { parent: parent!, own: user! + system!, reaped: childUser! + childSystem! }
  } catch {
    return undefined
  }
}

export const parentOf = (pid: number): number | undefined => statOf(pid)?.parent

/** Microseconds since it began; 0 when it is gone. */
export const cpuOfProcess = (pid: number): number => ((statOf(pid)?.own ?? 0) / ticksPerSecond) * 1e6

/** Of the children of this process that have ended. */
export const cpuOfReaped = (): number => ((statOf(process.pid)?.reaped ?? 0) / ticksPerSecond) * 1e6

/** Of a process, its children, and those it has seen end: the postmaster with all its backends and helpers. */
export function cpuOfFamily(pid: number): number {
  const head = statOf(pid)
  if (!head) return 0
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? [])
    .filter(({ parent }) => parent === pid)
  const ticks = children.reduce((sum, { own, reaped }) => sum + own + reaped, head.own + head.reaped)
  return (ticks / ticksPerSecond) * 1e6
}

/** Microseconds of this very thread's process that `work` takes for one round, the middle of `rounds` tries. */
export function cpuOfWork(rounds: number, work: () => void): number {
  const tries = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return user + system
  }).sort((a, b) => a - b)
  return tries[Math.floor(tries.length / 2)]!
}
