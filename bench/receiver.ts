/** The program itself as a child process, over a database of the bench: its CPU time is its own, not the load's. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cpuOfProcess } from './cpu.ts'
import { profileWhile, type CpuProfile } from './profile.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

export const adminToken = 'a-token-for-benchmarks'

export type Receiver = {
  ports: { smtp: number; intake: number; api: number }
  /** CPU microseconds so far. */
  cpu: () => number
  /** Peak resident memory since the last time it was asked for, in MB. */
  peakMemory: () => number
  /** What its main thread does while `work` runs. Nothing is measured afterwards: it is looked at from then on. */
  profileWhile: <T>(work: () => Promise<T>) => Promise<{ profile: CpuProfile; result: T }>
  /** Drains it. */
  stop: () => Promise<void>
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
/** What `npm start` gives Node: what V8 may take. */
const nodeOptions = scripts.start.split(' ').filter((word) => word.startsWith('--'))

export type ReceiverOptions = { databaseUrl: string; env?: Record<string, string> }

/** Resolves when it is ready. Plain HTTP behind a proxy, as in README's recipe; limits by address are off for loopback. */
export async function startReceiver({ databaseUrl, env = {} }: ReceiverOptions): Promise<Receiver> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const child = spawn(process.execPath, [...nodeOptions, '--inspect-port=127.0.0.1:0', 'src/main.ts', 'serve'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: '0',
      SMTP_HOSTNAME: 'rua.example',
      RUA_ADDRESSES: 'tlsrpt@rua.example',
      INTAKE_HOST: '127.0.0.1',
      INTAKE_PORT: '0',
      INTAKE_TLS: 'off',
      API_PORT: '0',
      POLICY_DOMAINS: '*',
      ADMIN_TOKEN: adminToken,
      LIMIT_EXEMPT_CIDRS: '127.0.0.0/8',
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const inspector = inspectorOf(child)
  const ports = await readyPorts(child)
  const pid = child.pid!
  return {
    ports,
    cpu: () => cpuOfProcess(pid),
    peakMemory: () => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      writeFileSync(`/proc/${pid}/clear_refs`, '5') // The peak begins anew (proc(5)).
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
    },
    profileWhile: async (work) => {
      child.kill('SIGUSR1') // Node starts its inspector, once.
      return profileWhile(await inspector, work)
    },
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      rmSync(dataDir, { recursive: true })
    },
  }
}

/** Out of the one line that it prints when it is ready. */
async function readyPorts(child: ChildProcess): Promise<Receiver['ports']> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the service did not start')))
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout! }), 'line'), ended])) as [string]
  ended.catch(() => undefined)
  const { smtp_port: smtp, intake_port: intake, api_port: api } = JSON.parse(line) as Record<string, number>
  return { smtp: smtp!, intake: intake!, api: api! }
}

/** Where its inspector listens, once it does, out of what Node says on stderr; what else is said there is passed on. */
function inspectorOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  createInterface({ input: child.stderr! }).on('line', (line) => {
    const url = /^Debugger listening on (ws:.*)/.exec(line)?.[1]
    if (url !== undefined) resolve(url)
    else if (!/^Debugger |^For help, see: /.test(line)) console.error(line)
  })
  return promise
}
