/**
 * `npm run test:faults [-- FILTER...]`: runs test/faults/*.fault.ts one after the other, each on a Postgres of its own, and
 * prints what came of it as a table. A filter is a part of a file's name; FAULT_SEED=N brings the random moments of a run
 * back. Ends after 12 minutes, well or not.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatRows, type Row } from './table.ts'

const root = join(import.meta.dirname, '../..')
const limitMs = 12 * 60_000
/** Forced: Node 24 has been seen to spin for ever in its own cleanup (CleanupHandles), all tests of the file being over. */
const nodeOptions = ['--test', '--test-reporter=spec', '--test-concurrency=1', '--test-timeout=420000', '--test-force-exit'] // prettier-ignore

process.on('SIGINT', () => undefined) // It reaches the tests as well: they end, and then we clean up.

const args = process.argv.slice(2)
const filters = args.filter((arg) => !arg.startsWith('-'))
const options = args.filter((arg) => arg.startsWith('-'))
const files = globSync('test/faults/*.fault.ts', { cwd: root })
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort()

if (files.length === 0) {
  console.error(`no file of test/faults has '${filters.join("' or '")}' in its name`)
  process.exitCode = 1
} else {
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-figures-'))
  const figures = join(folder, 'rows')
  const startedAt = performance.now()
  try {
    process.exitCode = await run(figures)
    const rows = existsSync(figures) ? readFileSync(figures, 'utf8').trim().split('\n') : []
    console.log(formatRows(rows.map((row) => JSON.parse(row) as Row)))
    console.log(`${Math.round((performance.now() - startedAt) / 1000)} s`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function run(figures: string): Promise<number> {
  const child = spawn(process.execPath, [...nodeOptions, ...options, ...files], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'), ...process.env, FAULT_FIGURES: figures },
    stdio: 'inherit',
  })
  const late = setTimeout(() => {
    console.error(`not done in ${limitMs / 60_000} minutes`)
    child.kill('SIGTERM')
  }, limitMs)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(late)
  return code ?? 1
}
