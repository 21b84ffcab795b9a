/** The program itself as a child process: what a person starts, and what it prints. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export type Ended = { code: number | null; stdout: string; stderr: string }

export type Program = {
  pid: number
  /** The next whole line on stdout. */
  line: () => Promise<string>
  stop: (signal: NodeJS.Signals) => Promise<Ended>
  /** Hears no more of what it writes: closes the pipes, or leaves them full. */
  close: () => void
  pause: () => void
  ended: Promise<Ended>
}

/** `npm start -- ...args`, less npm; the environment is `env`, PATH, and ACCEPT_DATA_LOSS. */
export function startProgram(args: string[], env: Record<string, string>): Program {
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], ACCEPT_DATA_LOSS: 'yes', ...env }, // The test server is not durable.
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
