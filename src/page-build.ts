/** Makes the dashboard: src/dashboard/ by Vite into build/dashboard/, anew whenever what it is made from has changed. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'

/** Where the source is, with its vite.config.ts, and where the finished page comes to stand. */
export type Place = { source: string; folder: string }

const root = fileURLToPath(new URL('..', import.meta.url))
const ours: Place = { source: join(root, 'src/dashboard'), folder: join(root, 'build/dashboard') }

/** In the folder of the page: what it was made from. */
const stampFile = '.made-from'

/** What a browser is sent compressed; anything shorter is not worth a second file. */
const compressible = /\.(?:js|css|svg|json)$/
const shortest = 1_024

/** Whoever asks for the page meanwhile waits. */
const longestMs = 60_000

type Log = Record<'info' | 'error', (context: object, message: string) => void>

/** `page` is its folder, once that is as ready as it gets; `close` does not wait for it. */
export type Dashboard = { page: Promise<string>; close: () => Promise<void> }

/**
 * Sees to it that the page is there and of today, beside whatever else starts. Where that cannot be done, an older page
 * still stands in the folder, or none, and the log says why.
 */
export function ensurePage(log: Log, place = ours): Dashboard {
  const stopping = new AbortController()
  const page = renew(place, log, stopping.signal)
    .catch((error: unknown) => {
      if (!stopping.signal.aborted) log.error({ err: error }, 'the dashboard could not be built')
    })
    .then(() => place.folder)
  return {
    page,
    close: async () => {
      stopping.abort()
      await page
    },
  }
}

async function renew(place: Place, log: Log, signal: AbortSignal): Promise<void> {
  const vite = viteProgram()
  if (vite === undefined) {
    // `npm ci --omit=dev`: what was built elsewhere and brought along is as good as it is.
    const isThere = await access(join(place.folder, 'index.html')).then(() => true, () => false) // prettier-ignore
    if (!isThere) log.info({}, 'the dashboard is not part of this installation: `npm ci && npm run build` makes it')
    return
  }
  const madeFrom = await readFile(join(place.folder, stampFile), 'utf8').catch(() => undefined)
  if (madeFrom === (await stampOf(place.source))) return
  const begun = performance.now()
  await build(vite, place, signal)
  log.info({ ms: Math.round(performance.now() - begun) }, 'the dashboard is built')
}

/** `npm run build`. Rejects with what Vite says, or where Vite is not installed. */
export async function buildPage(): Promise<void> {
  const vite = viteProgram()
  if (vite === undefined) throw new Error('Vite is not installed: `npm ci` without --omit=dev brings it')
  await build(vite, ours, new AbortController().signal)
}

/**
 * In a process of its own: two seconds of work hold up nobody here, and its memory goes with it. Two at once are in
 * nobody's way, since each has a folder of its own until it is done.
 */
async function build(vite: string, { source, folder }: Place, signal: AbortSignal): Promise<void> {
  const stamp = await stampOf(source) // Before: what changes meanwhile makes the next build.
  await mkdir(dirname(folder), { recursive: true })
  const made = await mkdtemp(`${folder}-`)
  try {
    await runVite(vite, source, made, signal)
    for (const name of await readdir(join(made, 'assets'))) await compress(join(made, 'assets', name))
    await writeFile(join(made, stampFile), stamp)
    await chmod(made, 0o755) // Whoever runs the service may be another user than who built the page.
    await replace(folder, made)
  } finally {
    await rm(made, { recursive: true, force: true, maxRetries: 5 }) // Vite may have written a last file.
  }
}

/** With an environment of its own: nothing of ours is to be found in the page, or changes it. Rejects with what Vite says. */
async function runVite(vite: string, source: string, folder: string, signal: AbortSignal): Promise<void> {
  const config = join(source, 'vite.config.ts')
  const options = ['--config', config, '--configLoader', 'native', '--outDir', folder, '--emptyOutDir', '--logLevel', 'error'] // prettier-ignore
  try {
    await run(process.execPath, [vite, 'build', source, ...options], { cwd: root, env: {}, timeout: longestMs, signal })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw stderr ? new Error(stripVTControlCharacters(stderr).trim()) : error
  }
}

const run = promisify(execFile)

/** Beside each file, as .br and .gz: @fastify/static sends what the browser takes. */
async function compress(file: string): Promise<void> {
  const content = await readFile(file)
  if (!compressible.test(file) || content.length < shortest) return
  await writeFile(`${file}.br`, await promisify(brotliCompress)(content))
  await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }))
}

/** A folder cannot be renamed onto another: the old one steps aside. */
async function replace(folder: string, made: string): Promise<void> {
  const aside = `${made}.old`
  await rename(folder, aside).catch(ignore('ENOENT'))
  await rename(made, folder).catch(ignore('ENOTEMPTY', 'EEXIST')) // Somebody else's, made from the same.
  await rm(aside, { recursive: true, force: true })
}

const ignore =
  (...codes: string[]) =>
  (error: unknown): void => {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }

/** Over everything a build depends on: the source, how it is read, and the exact versions of the packages. */
async function stampOf(source: string): Promise<string> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const hash = createHash('sha256')
  for (const file of [join(root, 'package.json'), join(root, 'tsconfig.json'), ...files.sort()]) {
    const content = await readFile(file)
    hash.update(`${file.slice(root.length)} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

function viteProgram(): string | undefined {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve('vite/package.json'))), 'bin/vite.js')
  } catch {
    return undefined
  }
}
