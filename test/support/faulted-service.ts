/** The program, over a Postgres and a DNS that may fail, on ports that it keeps: senders find it again after each end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Limits } from '../../src/limits.ts'
import { claimPort } from './fault-ports.ts'
import { startProgram, type Ended, type Program, type Surroundings } from './program.ts'
import { policyDomain, ruaAddress } from './senders.ts'

export type FaultedService = {
  ports: { smtp: number; intake: number; api: number }
  dataDir: string
  /** Resolves with the ready line. */
  start: () => Promise<void>
  /** The one that runs, or ran last. */
  program: () => Program
  kill: () => Promise<Ended>
  /** SIGTERM. */
  terminate: () => Promise<Ended>
  /** Whether /readyz says yes; false where nobody answers. */
  isReady: () => Promise<boolean>
  close: () => Promise<void>
}

/** The variable LIMITS, where nobody is told that there are enough of his kind. */
export const limitsOf = (limits: Partial<Limits>): { LIMITS: string } => ({
  LIMITS: JSON.stringify({ unverifiedReportsPerDomainAndDay: 1_000_000_000, ...limits }),
})

export const adminToken = 'a-token-for-tests-only'

/** Not started yet. Without `databaseUrl` it has the embedded Postgres in its own folder. */
export async function makeFaultedService(
  env: Record<string, string>,
  databaseUrl: string | undefined,
  surroundings: Surroundings = {},
): Promise<FaultedService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tlsrpt-faulted-'))
  const [smtp, intake, api] = [await claimPort(), await claimPort(), await claimPort()]
  let program: Program | undefined
  let isRunning = false
  const end = async (signal: NodeJS.Signals) => {
    isRunning = false
    return program!.stop(signal)
  }
  return {
    ports: { smtp, intake, api },
    dataDir,
    start: async () => {
      program = startProgram(
        [],
        {
          ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
          DATA_DIR: dataDir,
          SMTP_HOST: '127.0.0.1',
          SMTP_PORT: String(smtp),
          SMTP_HOSTNAME: 'rua.example',
          RUA_ADDRESSES: ruaAddress,
          POLICY_DOMAINS: policyDomain,
          INTAKE_HOST: '127.0.0.1',
          INTAKE_PORT: String(intake),
          API_PORT: String(api),
          ADMIN_TOKEN: adminToken,
          ...limitsOf({}),
          LIMIT_EXEMPT_CIDRS: '127.0.0.0/8',
          ACCEPT_DATA_LOSS: '', // These servers are durable.
          LOG_LEVEL: 'fatal',
          NODE_COMPILE_CACHE: join(tmpdir(), 'tlsrpt-faulted-cache'), // Most of a start is reading the code.
          ...env,
        },
        surroundings,
      )
      isRunning = true
      await program.line()
    },
    program: () => program!,
    kill: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    isReady: () =>
      fetch(`http://127.0.0.1:${api}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    close: async () => {
      if (isRunning) await end('SIGKILL')
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
