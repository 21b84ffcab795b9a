/** The dashboard is made by itself, of a source that is small enough to be made often. */
import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { ensurePage, type Place } from '../src/page-build.ts'

const script = (text: string) => `document.title = ${JSON.stringify(text.repeat(500))}`

async function newPlace(t: TestContext, text = 'first'): Promise<Place> {
  const home = await mkdtemp(join(tmpdir(), 'tlsrpt-build-'))
  t.after(() => rm(home, { recursive: true }))
  const source = join(home, 'source')
  await mkdir(source)
  await writeFile(join(source, 'vite.config.ts'), 'export default { logLevel: "error" satisfies string }\n')
  await writeFile(join(source, 'index.html'), '<!doctype html><script type="module" src="./main.ts"></script>')
  await writeFile(join(source, 'main.ts'), script(text))
  return { source, folder: join(home, 'build/dashboard') }
}

/** Until it is as ready as it gets; what the log had to say. */
async function ensured(place: Place): Promise<[level: string, message: string, error?: Error][]> {
  const logged: [string, string, Error?][] = []
  const hear = (level: string) => (context: { err?: Error }, message: string) => {
    logged.push(context.err ? [level, message, context.err] : [level, message])
  }
  assert.equal(await ensurePage({ info: hear('info'), error: hear('error') }, place).page, place.folder)
  return logged
}

const unexpected = (_context: object, message: string) => assert.ok(false, message)

const built: [string, string][] = [['info', 'the dashboard is built']]

/** The one script of the page that stands there, with what was made of it. */
async function scriptOf({ folder }: Place): Promise<{ file: string; text: string }> {
  const [, file] = /src="\/(assets\/[\w-]+\.js)"/.exec(await readFile(join(folder, 'index.html'), 'utf8')) ?? []
  return { file: join(folder, file!), text: await readFile(join(folder, file!), 'utf8') }
}

test('the page is made once, and again when its source has changed', async (t) => {
  const place = await newPlace(t)
  assert.deepEqual(await ensured(place), built)
  const before = await scriptOf(place)
  assert.match(before.text, /first/)
  assert.deepEqual(await ensured(place), [])
  await writeFile(join(place.source, 'main.ts'), script('second'))
  assert.deepEqual(await ensured(place), built)
  const after = await scriptOf(place)
  assert.match(after.text, /second/)
  assert.notEqual(after.file, before.file, 'a browser that kept the old file asks for the new one')
  assert.equal(await stat(before.file).catch(() => 'gone'), 'gone')
})

test('every file has its compressed forms beside it, and anybody may read the folder', async (t) => {
  const place = await newPlace(t)
  await ensured(place)
  const { file, text } = await scriptOf(place)
  assert.equal(brotliDecompressSync(await readFile(`${file}.br`)).toString(), text)
  assert.equal(gunzipSync(await readFile(`${file}.gz`)).toString(), text)
  assert.equal((await stat(place.folder)).mode & 0o777, 0o755)
})

test('two starts at once end in one whole page, and leave nothing else behind', async (t) => {
  const place = await newPlace(t)
  await ensured(place)
  await writeFile(join(place.source, 'main.ts'), script('second'))
  for (const logged of await Promise.all([ensured(place), ensured(place), ensured(place)])) {
    assert.ok(logged.every(([level]) => level === 'info'))
  }
  assert.match((await scriptOf(place)).text, /second/)
  assert.deepEqual(await readdir(join(place.folder, '..')), ['dashboard'])
})

test('a source that cannot be built leaves the page that was there, and the log says what is wrong', async (t) => {
  const place = await newPlace(t)
  await ensured(place)
  await writeFile(join(place.source, 'main.ts'), "import './nowhere.ts'")
  const [logged, ...more] = await ensured(place)
  assert.deepEqual([logged?.[0], logged?.[1], more], ['error', 'the dashboard could not be built', []])
  assert.match(logged![2]!.message, /nowhere\.ts/)
  assert.match((await scriptOf(place)).text, /first/)
  assert.deepEqual(await readdir(join(place.folder, '..')), ['dashboard'])
})

test('who closes while it is being built does not wait, and leaves nothing behind', async (t) => {
  const place = await newPlace(t)
  const { page, close } = ensurePage({ info: unexpected, error: unexpected }, place)
  while ((await readdir(join(place.folder, '..')).catch(() => [])).length === 0);
  await close()
  assert.equal(await page, place.folder)
  assert.deepEqual(await readdir(join(place.folder, '..')), [])
})

test('where Vite is not installed the page that is there is left as it is, and that there is none is told', async (t) => {
  const place = await newPlace(t)
  const elsewhere = join(place.source, '../src')
  await mkdir(elsewhere)
  await copyFile(new URL('../src/page-build.ts', import.meta.url), join(elsewhere, 'page-build.ts'))
  const there = (await import(join(elsewhere, 'page-build.ts'))) as { ensurePage: typeof ensurePage }
  const told: string[] = []
  const log = { info: (_: object, message: string) => told.push(message), error: unexpected }
  await there.ensurePage(log, place).page
  assert.match(told.join(), /not part of this installation.*npm run build/)
  await mkdir(place.folder, { recursive: true })
  await writeFile(join(place.folder, 'index.html'), 'brought along')
  await there.ensurePage(log, place).page
  assert.equal(told.length, 1)
  assert.equal(await readFile(join(place.folder, 'index.html'), 'utf8'), 'brought along')
})
