/**
 * `npm test [-- FILTER...]`: runs test/**\/*.test.ts against one throw-away Postgres, or against the server at
 * TEST_DATABASE_URL. A filter is a part of a file's path, such as `dkim` or `store/migrate`, or the whole path of a file
 * that only runs when it is named; what starts with a dash goes to `node --test`, such as `--test-name-pattern=...`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../src/store/embedded.ts'
import { createTemplate, dropTemplate } from './support/database.ts'

const root = join(import.meta.dirname, '..')

/** Three files at a time: with two, two cores have nothing to do for a sixth of the time; what is held to a bound is CPU. */
const nodeOptions = ['--test', '--test-reporter=spec', '--test-concurrency=3']

/** Four times what a run was seen to have on its server at most, the log of it included. */
const wantedBytes = 2 * 1024 ** 3

/** The longest files. They begin first, or the last of them would run alone at the end, on one of the two cores. */
const longOnes = [
  'test/api/wall.test.ts',
  'test/bad-inputs/bad-inputs.test.ts',
  'test/bad-inputs/largest.test.ts',
  'test/bad-inputs/load.test.ts',
  'test/dashboard/browser.test.ts',
  'test/world/world.test.ts',
]

/** Each file is a process of its own: what one has compiled, the others need not (half of the time of a small file). */
const compileCache = join(root, 'node_modules/.cache/compiled')

// Ctrl-C reaches the tests as well: they end, and then we clean up.
process.on('SIGINT', () => undefined)

const args = process.argv.slice(2)
const filters = args.filter((arg) => !arg.startsWith('-'))
const options = args.filter((arg) => arg.startsWith('-'))
const named = filters.filter((filter) => filter.startsWith('test/') && filter.endsWith('.ts'))
const files = globSync(['test/**/*.test.ts', ...named], { cwd: root })
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort()
for (const file of longOnes)
  if (!existsSync(join(root, file))) throw new Error(`${file} is gone: run.ts has it as long`)

if (files.length === 0) {
  console.error(`no test file has '${filters.join("' or '")}' in its path`)
  process.exitCode = 1
} else {
  const server = await testServer()
  try {
    const template = await createTemplate(server.url)
    process.exitCode = await run(files, { TEST_DATABASE_URL: server.url, TEST_DATABASE_TEMPLATE: template })
    await dropTemplate(server.url, template)
  } finally {
    await server.stop()
  }
}

async function testServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) return { url: given, stop: () => Promise.resolve() }
  const dataDir = mkdtempSync(join(roomyMemory() ?? tmpdir(), 'tlsrpt-test-'))
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    max_wal_size: '256MB',
  }
  const { connection, stop } = await startEmbeddedPostgres({ dataDir, settings, log: () => undefined })
  return {
    url: `postgres://${connection.user}@localhost/${connection.database}?host=${encodeURIComponent(connection.host)}`,
    stop: async () => {
      await stop()
      rmSync(dataDir, { recursive: true })
    },
  }
}

/**
 * Where files are kept in memory, if a run has room there. Each test file has a database or two of its own, and each of
 * those is many hundreds of small files: half a second on some disks, and 40 ms here.
 */
function roomyMemory(): string | undefined {
  const folder = '/dev/shm'
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    return undefined
  }
  const { bavail, bsize } = statfsSync(folder)
  return Math.min(bavail * bsize, process.availableMemory()) > wantedBytes ? folder : undefined
}

async function run(files: string[], environment: Record<string, string>): Promise<number> {
  // Node sorts them by name, and a name from the root comes before one that is relative.
  const inOrder = files.map((file) => (longOnes.includes(file) ? join(root, file) : file))
  const child = spawn(process.execPath, [...nodeOptions, ...options, ...inOrder], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...environment },
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
