/** A real browser for the tests of the dashboard: what goes wrong in it fails the test, whether the test looked or not. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from 'playwright-core'
import { demoNow } from './demo-service.ts'
import { adminToken, type RunningService } from './running-service.ts'

export type PageOptions = BrowserContextOptions & {
  /** What the browser's clock says; it stands still. demoNow unless given. */
  now?: Date
  /** Problems that the test is about. */
  expected?: RegExp[]
}

export type Browser = {
  /**
   * A page of a browser that nobody has signed in with, at 1280 x 800, in British English and UTC unless `options` say
   * otherwise; addresses are the service's. Closed after the test, which fails where the page logged an error, threw, broke
   * the Content-Security-Policy, opened a dialog, or asked for anything that is not the service's. Tests with the same
   * options have the scripts of the page from the cache, but for the first: one at a time, please.
   */
  newPage: (t: TestContext, service: Pick<RunningService, 'ports'>, options?: PageOptions) => Promise<Page>
}

/** One Chromium for a file, closed at its end: to be called at its top level, before the first test. */
export async function openBrowser(): Promise<Browser> {
  const closing: (() => Promise<void>)[] = []
  after(async () => {
    for (const close of closing) await close()
  })
  const { executablePath, env } = await findChromium()
  const browser = await chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    // What asks for anything beyond loopback finds nothing, and is told of.
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  })
  closing.push(() => browser.close())
  const profiles = new Map<string, Profile>()
  const profileOf = async (origin: string, now: Date, options: BrowserContextOptions): Promise<Profile> => {
    const key = JSON.stringify([origin, now, options])
    const profile = profiles.get(key) ?? (await newProfile(browser, origin, now, options))
    profiles.set(key, profile)
    return profile
  }
  return {
    newPage: async (t, { ports }, { now = demoNow, expected = [], ...options } = {}) => {
      const { page, problems } = await profileOf(`http://127.0.0.1:${ports.api}`, now, options)
      t.after(async () => {
        await page.goto('about:blank')
        await page.context().clearCookies()
        const seen = problems.splice(0).filter((problem) => !expected.some((one) => one.test(problem)))
        assert.deepEqual(seen, [])
      })
      return page
    },
  }
}

type Profile = { page: Page; problems: string[] }

async function newProfile(
  browser: Awaited<ReturnType<typeof chromium.launch>>,
  origin: string,
  now: Date,
  options: BrowserContextOptions,
): Promise<Profile> {
  const context = await browser.newContext({
    baseURL: origin,
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    ...options,
  })
  const problems: string[] = []
  await watch(context, origin, problems)
  await context.clock.setFixedTime(now)
  return { page: await context.newPage(), problems }
}

/** Signed in with this token, the page is at `path` and shows it. */
export async function signIn(page: Page, path = '/', token = adminToken): Promise<void> {
  await page.goto(path)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

/** Signs in without the form. By a connection of its own: one that was kept may just be closed, after its five seconds. */
export async function enter(page: Page, token = adminToken): Promise<void> {
  await page.request.post('/v1/session', { data: { token }, headers: { connection: 'close' } })
}

/** Signed in without the form, at `path`, with all of it there. */
export async function open(page: Page, path: string, token = adminToken): Promise<void> {
  const { cookies } = await page.context().storageState()
  if (cookies.length === 0) await enter(page, token)
  await page.goto(path)
  await settled(page)
}

/** As a link of the page leads there, without loading the page anew, with all of it there. */
export async function follow(page: Page, path: string): Promise<void> {
  const link = `Object.assign(document.createElement('a'), { href: ${JSON.stringify(path)}, hidden: true })`
  await page.evaluate(`(() => { const link = ${link}; document.body.append(link); link.click(); link.remove() })()`)
  await settled(page)
}

/** What is only there once it is opened. */
export async function openDetails(page: Page): Promise<void> {
  const open = `for (const details of document.querySelectorAll('details')) details.open = true`
  // The event comes in a task of its own, and then it is drawn.
  await page.evaluate(`new Promise((done) => { ${open}; setTimeout(() => setTimeout(done)) })`)
  await settled(page)
}

/** Nothing on the page is on its way any more. Watched from inside: asking again and again would cost the page more than its own work. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(quiet)
}

const quiet = `new Promise((resolve, reject) => {
  const isQuiet = () => document.querySelector('h1') && !document.querySelector('[aria-busy=true]')
  const end = () => { watcher.disconnect(); clearTimeout(timer); resolve() }
  const watcher = new MutationObserver(() => isQuiet() && end())
  const timer = setTimeout(() => reject(new Error('something is still on its way: ' + document.body.textContent)), 30_000)
  watcher.observe(document, { subtree: true, childList: true, attributeFilter: ['aria-busy'] })
  if (isQuiet()) end()
})`

/** All panels are laid out, those below the screen too, which have no size before (content-visibility); charts are drawn. */
export async function layOutAll(page: Page): Promise<void> {
  await page.evaluate(`new Promise((done, reject) => {
    for (const { style } of document.querySelectorAll('.panel')) style.contentVisibility = 'visible'
    const until = performance.now() + 30_000
    const look = () => {
      const blank = [...document.querySelectorAll('.plot, .cells, .spark')].filter((place) => !place.firstChild)
      if (blank.length === 0) return done()
      if (performance.now() > until) return reject(new Error('not drawn: ' + blank.map((place) => place.outerHTML)))
      requestAnimationFrame(look)
    }
    look()
  })`)
}

/** All of it, on the screen or not: innerText lacks panels that were not drawn yet (content-visibility). */
export async function textOf(place: Locator): Promise<string> {
  return (await place.textContent()) ?? ''
}

/** Of the first table whose caption has this: the rows below the head, each by the names in the head. */
export async function rowsOf(page: Page, caption: string | RegExp): Promise<Record<string, string>[]> {
  const table = page.locator('table').filter({ has: page.locator('caption', { hasText: caption }) })
  const [head = [], ...rows] = await table.first().locator('tr').evaluateAll(readCells)
  return rows.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ''])))
}

/** In the page. A cell that spans rows stands in the first one of them. */
const readCells = (rows: unknown[]): string[][] => {
  const spans: number[] = []
  return (rows as { cells: Iterable<{ textContent: string; rowSpan: number }> }[]).map(({ cells }) => {
    const texts: string[] = []
    for (const { textContent, rowSpan } of cells) {
      while ((spans[texts.length] ?? 0) > 0) {
        spans[texts.length]!--
        texts.push('')
      }
      spans[texts.length] = rowSpan - 1
      texts.push(textContent.replace(/\s+/g, ' ').trim())
    }
    return texts
  })
}

/** That nobody is signed in is how the page learns that it has to ask for a token. */
const notSignedIn = (message: string, address: string): boolean =>
  /status of 401/.test(message) && new URL(address).pathname === '/v1/session'

async function watch(context: BrowserContext, origin: string, problems: string[]): Promise<void> {
  await context.addInitScript(() => {
    const { document } = globalThis as unknown as { document: EventTarget }
    document.addEventListener('securitypolicyviolation', (event) => {
      const { effectiveDirective, blockedURI, sourceFile, sample } = event as unknown as Record<string, string>
      console.error(`policy violation: ${effectiveDirective} ${blockedURI} by ${sourceFile}: ${sample}`)
    })
  })
  context.on('console', (message) => {
    const { url } = message.location()
    if (message.type() === 'error' && !notSignedIn(message.text(), url || origin))
      problems.push(`${message.text()} (${url})`)
  })
  context.on('weberror', (error) => problems.push(`thrown: ${error.error().stack ?? error.error().message}`))
  context.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  context.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url())
    if (asked !== origin && !['data:', 'blob:'].includes(protocol)) problems.push(`left the instance: ${request.url()}`)
  })
}

type Chromium = { executablePath: string; env?: Record<string, string> }

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** What CHROMIUM names, else one that is installed, else the one that came with npm ci. */
async function findChromium(): Promise<Chromium> {
  const named = process.env['CHROMIUM']
  if (named) return { executablePath: named }
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const installed = folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path))
  return installed === undefined ? unpackChromium() : { executablePath: installed }
}

/** Once for each version, into the folder for temporary files: 200 MB. */
async function unpackChromium(): Promise<Chromium> {
  const home = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..')
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
  const folder = join(tmpdir(), `tlsrpt-chromium-${version}`)
  if (!existsSync(folder)) await unpackInto(folder, join(home, 'bin'))
  const executablePath = join(folder, 'chromium')
  const libraries = { LD_LIBRARY_PATH: join(folder, 'al2023/lib'), FONTCONFIG_PATH: join(folder, 'fonts') }
  return (await runs(executablePath)) ? { executablePath } : { executablePath, env: libraries }
}

/** Under a name of its own until it is whole: other test files may be at it, too. */
async function unpackInto(folder: string, packed: string): Promise<void> {
  const before = process.env['TMPDIR']
  const made = mkdtempSync(`${folder}-`)
  process.env['TMPDIR'] = made // Where the package unpacks to.
  try {
    const { default: packaged, inflate } = await import('@sparticuz/chromium')
    await packaged.executablePath(packed)
    await inflate(join(packed, 'al2023.tar.br')) // Libraries that a bare container lacks (NSS).
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
  try {
    renameSync(made, folder)
  } catch (error) {
    rmSync(made, { recursive: true })
    if (!existsSync(folder)) throw error
  }
}

/** Whether the system has the libraries that it wants. */
const runs = (executablePath: string): Promise<boolean> =>
  promisify(execFile)(executablePath, ['--version']).then(
    () => true,
    () => false,
  )
