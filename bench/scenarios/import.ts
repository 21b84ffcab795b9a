/** `tlsrpt-receiver import` of a folder with 100,000 report files, as another tool would hand them over. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, Figure, Scenario } from '../bench.ts'
import { copyFloor } from '../copy-floor.ts'
import { cpuOfReaped } from '../cpu.ts'
import { parseFloor } from '../floors.ts'
import { uniqueBodies } from '../reports.ts'

const files = 100_000
const filesAFolder = 5_000

export const importScenario: Scenario = { name: 'import', run: measure }

async function measure({ server, say }: Bench): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const database = await server.freshDatabase()
  try {
    say(`writing ${files} files`)
    const sample = writeReports(join(folder, 'reports'))
    say('importing')
    const startedAt = performance.now()
    const service = cpuOfReaped()
    const postgres = server.cpu()
    await runImport(database.url, folder)
    const seconds = (performance.now() - startedAt) / 1000
    const used = { service: (cpuOfReaped() - service) / files, postgres: (server.cpu() - postgres) / files }
    say('the floor')
    const { rows } = await database.db.query<{ reports: number }>('select count(*)::int as reports from report')
    if (rows[0]!.reports !== files) throw new Error(`${rows[0]!.reports} of ${files} reports were imported`)
    const parse = parseFloor(sample)
    const copy = await copyFloor(server, database, 20_000)
    return [
      {
        what: `${files} files`,
        value: used.service + used.postgres,
        unit: 'us',
        floor: parse + copy,
        target: { of: 'ratio', atMost: 2 },
        note: `service ${Math.round(used.service)} us, Postgres ${Math.round(used.postgres)} us; ${Math.round(files / seconds)}/s by the clock; floor: gunzip + JSON.parse ${Math.round(parse)}, COPY ${Math.round(copy)}`,
      },
    ]
  } finally {
    await database.close()
    rmSync(folder, { recursive: true })
  }
}

/** Answers some of them. */
function writeReports(folder: string): Buffer[] {
  const bodies = uniqueBodies(1)
  let some: Buffer[] = []
  for (let i = 0; i < files / filesAFolder; i++) {
    const part = join(folder, String(i))
    mkdirSync(part, { recursive: true })
    some = Array.from({ length: filesAFolder }, () => bodies.next().value)
    some.forEach((body, j) => writeFileSync(join(part, `${j}.json.gz`), body))
  }
  return some
}

async function runImport(databaseUrl: string, folder: string): Promise<void> {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const child = spawn(process.execPath, ['src/main.ts', 'import', join(folder, 'reports')], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      POLICY_DOMAINS: '*',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr.on('data', (data: Buffer) => (told = (told + data.toString()).slice(-2_000)))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the import ended with ${String(code)}: ${told}`)
}
