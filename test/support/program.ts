/** The program itself as a child process: what a person starts, and what it prints. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Fault } from './fault-probe.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
/** What `npm start` gives Node: what V8 may take. */
export const nodeOptions = scripts.start.split(' ').filter((word) => word.startsWith('--'))

export type Ended = { code: number | null; stdout: string; stderr: string }

export type Program = {
  pid: number
  /** The next whole line on stdout. */
  line: () => Promise<string>
  stop: (signal: NodeJS.Signals) => Promise<Ended>
  /** Hears no more of what it writes: closes the pipes, or leaves them full. */
  close: () => void
  pause: () => void
  /** To a program with a probe (fault-probe.ts): what is to happen inside it. */
  tell: (fault: Fault) => void
  ended: Promise<Ended>
}

export type Surroundings = {
  /** Hears `tell`. */
  hasProbe?: boolean
  /** Shell commands that the process runs before it becomes the program. */
  first?: string
}

/** What a program gets of our own environment: where commands are, and what others have compiled (test/run.ts). */
export const inherited: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
}

/** `npm start -- ...args`, less npm; the environment is `env`, ACCEPT_DATA_LOSS, and what is inherited. */
export function startProgram(
  args: string[],
  env: Record<string, string>,
  { hasProbe = false, first = ':' }: Surroundings = {},
): Program {
  const probe = hasProbe ? ['--import', new URL('fault-probe.ts', import.meta.url).href] : []
  const command = [process.execPath, ...nodeOptions, ...probe, 'src/main.ts', ...args]
  const child = spawn('/bin/sh', ['-c', `${first}; exec "$0" "$@"`, ...command], {
    cwd: root,
    env: { ...inherited, ACCEPT_DATA_LOSS: 'yes', ...env }, // The test server is not durable.
    stdio: ['ignore', 'pipe', 'pipe', hasProbe ? 'ipc' : 'ignore'],
  }) as ChildProcessByStdio<null, Readable, Readable>
  let stdout = ''
  let stderr = ''
  let read = 0
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return {
    pid: child.pid!,
    line: async () => {
      for (;;) {
        const end = stdout.indexOf('\n', read)
        if (end !== -1) {
          const line = stdout.slice(read, end)
          read = end + 1
          return line
        }
        const more = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)])
        if (!more) throw new Error(`the program ended without another line: ${stderr}`)
      }
    },
    close: () => {
      for (const pipe of [child.stdout, child.stderr]) pipe.destroy()
    },
    tell: (fault) => {
      child.send(fault)
    },
    pause: () => {
      for (const pipe of [child.stdout, child.stderr]) pipe.pause()
    },
    stop: (signal) => {
      child.kill(signal)
      return ended
    },
    ended,
  }
}

/** Runs a command to its end. */
export const runProgram = (args: string[], env: Record<string, string>): Promise<Ended> => startProgram(args, env).ended
