/** The program itself as a child process, over a database of the bench: its CPU time is its own, not the load's. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cpuOfProcess } from './cpu.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

export const adminToken = 'a-token-for-benchmarks'

export type Receiver = {
  ports: { smtp: number; intake: number; api: number }
  /** CPU microseconds so far. */
  cpu: () => number
  /** Peak resident memory so far, in MB. */
  peakMemory: () => number
  /** Drains it; answers its profile if one was asked for. */
  stop: () => Promise<CpuProfile | undefined>
}

/** What `node --cpu-prof` writes: the parts of it that we read. */
export type CpuProfile = {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[]
  samples: number[]
  timeDeltas: number[]
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
/** What `npm start` gives Node: what V8 may take. */
const nodeOptions = scripts.start.split(' ').filter((word) => word.startsWith('--'))

export type ReceiverOptions = { databaseUrl: string; env?: Record<string, string>; profile?: boolean }

/** Resolves when it is ready. Plain HTTP behind a proxy, as in README's recipe; limits by address are off for loopback. */
export async function startReceiver({ databaseUrl, env = {}, profile = false }: ReceiverOptions): Promise<Receiver> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const flags = profile ? ['--cpu-prof', '--cpu-prof-dir', dataDir, '--cpu-prof-name', 'intake.cpuprofile'] : []
  const child = spawn(process.execPath, [...nodeOptions, ...flags, 'src/main.ts', 'serve'], {
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
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ports = await readyPorts(child)
  const pid = child.pid!
  return {
    ports,
    cpu: () => cpuOfProcess(pid),
    peakMemory: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      const found = profile && readdirSync(dataDir).includes('intake.cpuprofile')
      const read = found
        ? (JSON.parse(readFileSync(join(dataDir, 'intake.cpuprofile'), 'utf8')) as CpuProfile)
        : undefined
      rmSync(dataDir, { recursive: true })
      return read
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
