/**
 * `npm run test:faults [-- FILTER...]`: runs test/faults/*.fault.ts, each on a Postgres of its own, and prints what came
 * of it as a table. Two at a time, since most of their time is waiting; alone those that hold the service to a figure.
 * A filter is a part of a file's name; FAULT_SEED=N brings the random moments of a run back. Ends after 12 minutes, well
 * or not.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { formatRows, type Row } from './table.ts'

const root = join(import.meta.dirname, '../..')
const limitMs = 12 * 60_000
/** Forced: Node 24 has been seen to spin for ever in its own cleanup (CleanupHandles), all tests of the file being over. */
const nodeOptions = ['--test', '--test-reporter=spec', '--test-timeout=420000', '--test-force-exit']
/** They measure a service that has the machine to itself: its 99th percentile, its memory. */
const alone = ['load.fault.ts', 'memory.fault.ts']

const over = new AbortController() // By Ctrl-C, which reaches the tests as well: they end, and then we clean up.
process.on('SIGINT', () => {
  over.abort()
})

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
    const isAlone = (file: string) => alone.includes(basename(file))
    const together = await run(files.filter((file) => !isAlone(file)), 2, figures) // prettier-ignore
    const oneByOne = await run(files.filter(isAlone), 1, figures)
    process.exitCode = together || oneByOne
    const rows = existsSync(figures) ? readFileSync(figures, 'utf8').trim().split('\n') : []
    console.log(formatRows(rows.map((row) => JSON.parse(row) as Row)))
    console.log(`${Math.round((performance.now() - startedAt) / 1000)} s`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** So many files at once; what is left of the limit is all they have. */
async function run(some: string[], atOnce: number, figures: string): Promise<number> {
  if (some.length === 0) return 0
  if (over.signal.aborted) return 1
  const child = spawn(process.execPath, [...nodeOptions, `--test-concurrency=${atOnce}`, ...options, ...some], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'), ...process.env, FAULT_FIGURES: figures },
    stdio: 'inherit',
  })
  const late = setTimeout(() => {
    console.error(`not done in ${limitMs / 60_000} minutes`)
    over.abort()
    child.kill('SIGTERM')
  }, limitMs - performance.now())
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(late)
  return code ?? 1
}
