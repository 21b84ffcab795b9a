/** `npm run screenshots`: the pictures of README and docs/, of the demo's data, made anew. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBrowser, signIn } from '../support/browser.ts'
import { runDemoService } from '../support/demo-service.ts'
import { inPalette } from '../support/palette-png.ts'

/** They stand in the repository, and are loaded by whoever reads README. */
const maxBytes = 150_000

const folder = new URL('../../docs/screenshots/', import.meta.url)
await mkdir(folder, { recursive: true })

const service = await runDemoService()
const { newPage } = await openBrowser()
const failed = '/v1/failures?domain=alpha.example&result_type=certificate-expired&limit=1'
const { data } = await service.get<{ data: { report_key: string }[] }>(failed)

const views = [
  ['home', '/'],
  ['domain', '/domains/alpha.example'],
  ['report', `/reports/${data[0]!.report_key}`],
] as const

for (const colorScheme of ['light', 'dark'] as const) {
  test(`${views.map(([name]) => name).join(', ')}, ${colorScheme}`, async (t) => {
    const viewport = { width: 1280, height: 1000 }
    const page = await newPage(t, service, { colorScheme, viewport, deviceScaleFactor: 1, reducedMotion: 'reduce' })
    await signIn(page)
    for (const [name, path] of views) {
      await page.goto(path)
      await page.waitForLoadState('networkidle')
      await page.locator('[aria-busy=true]').waitFor({ state: 'detached' })
      const png = inPalette(await page.screenshot({ animations: 'disabled', caret: 'hide' }))
      assert.ok(png.length <= maxBytes, `${name} has ${png.length} bytes`)
      await writeFile(fileURLToPath(new URL(`${name}-${colorScheme}.png`, folder)), png)
    }
  })
}
