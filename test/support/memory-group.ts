/** A control group that gives the processes in it so much memory and no more, where this may be had: root, and Linux with cgroups. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type MemoryGroup = {
  /** A shell command that puts its shell into the group. */
  enter: string
  /** The most that was in use. */
  peakBytes: () => number
  /** Once nobody is in it. */
  remove: () => void
}

const files = {
  1: { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' }, // prettier-ignore
  2: { root: '/sys/fs/cgroup', limit: 'memory.max', peak: 'memory.peak' },
}

/** Undefined where that cannot be had. */
export function makeMemoryGroup(bytes: number): MemoryGroup | undefined {
  const { root, limit, peak } = existsSync(join(files[1].root, files[1].limit)) ? files[1] : files[2]
  const folder = join(root, `tlsrpt-${process.pid}-${Date.now()}`)
  try {
    mkdirSync(folder)
  } catch {
    return undefined
  }
  try {
    writeFileSync(join(folder, limit), String(bytes))
  } catch {
    rmdirSync(folder)
    return undefined
  }
  return {
    enter: `echo $$ >${join(folder, 'cgroup.procs')}`,
    peakBytes: () => Number(readFileSync(join(folder, peak), 'utf8')),
    remove: () => {
      rmdirSync(folder)
    },
  }
}
