/** Who reaches the dashboard how: on a phone, in the dark, by keyboard, by screen reader, over a slow line. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { open, openBrowser, settled } from '../support/browser.ts'
import { runDemoService } from '../support/demo-service.ts'

const service = await runDemoService()
const { newPage } = await openBrowser()
const { data: reports } = await service.get<{ data: { key: string }[] }>('/v1/reports?limit=1')
const { data: refused } = await service.get<{ data: { key: string }[] }>('/v1/submissions?verdict=unauthenticated')

const views = ['/', '/domains/alpha.example', '/domains/web.example', '/failures', '/reports', `/reports/${reports[0]!.key}`, '/reporters', '/senders', '/policies', '/arrivals', `/submissions/${refused[0]!.key}`, '/set-up'] // prettier-ignore

test('on a phone no view is wider than the screen, and what is wider scrolls by itself', async (t) => {
  const page = await newPage(t, service, { viewport: { width: 380, height: 740 } })
  for (const view of views) {
    await open(page, view)
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 380, view)
    const lost = await page.evaluate(
      `[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, pre, svg, .unseen')).map((e) => e.outerHTML.slice(0, 200))`,
    )
    assert.deepEqual(lost, [], view)
  }
})

test('light and dark follow the system', async (t) => {
  const brightness = async (colorScheme: 'light' | 'dark') => {
    const page = await newPage(t, service, { colorScheme })
    await open(page, '/')
    const colour = await page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
    return Math.max(...colour.match(/\d+/g)!.slice(0, 3).map(Number))
  }
  assert.ok((await brightness('light')) > 240)
  assert.ok((await brightness('dark')) < 60)
})

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < 150; i++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<string>('(document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent).trim()') // prettier-ignore
    if (name.test(focused)) return
  }
  assert.fail(`nothing called ${String(name)} is reached by Tab`)
}

test('from home to the raw JSON of a report it takes a keyboard only', async (t) => {
  const page = await newPage(t, service)
  await open(page, '/')
  await tabTo(page, /^Skip to the content$/)
  await page.keyboard.press('Enter')
  await tabTo(page, /^alpha\.example$/)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/domains/alpha.example')
  await page.getByRole('heading', { level: 1, name: 'alpha.example' }).waitFor()
  await settled(page)
  await tabTo(page, /^Reports$/)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/reports?domain=alpha.example')
  await page.getByRole('heading', { level: 1, name: 'Reports' }).waitFor()
  await settled(page)
  await tabTo(page, /^\d+ Nov 2026$/)
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/reports\/[0-9a-f-]{36}$/)
  await settled(page)
  await tabTo(page, /^The report’s JSON$/)
  assert.match(await page.locator(':focus').innerText(), /"policy-domain": "alpha\.example"/)
})

type Finding = { id: string; impact: string; nodes: { html: string }[] }

async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<{ violations: Finding[] }>('axe.run(document, { resultTypes: ["violations"], preload: false })') // prettier-ignore
  return violations.flatMap(
    ({ id, impact, nodes }) =>
    ['serious', 'critical'].includes(impact) ? [`${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`] : [], // prettier-ignore
  )
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious, ${colorScheme}`, async (t) => {
    const page = await newPage(t, service, { colorScheme })
    await page.goto('/')
    await page.getByLabel('Token').waitFor()
    assert.deepEqual(await seriousFindings(page), [], 'sign-in')
    for (const view of ['/', '/domains/alpha.example', `/reports/${reports[0]!.key}`, '/arrivals']) {
      await open(page, view)
      assert.deepEqual(await seriousFindings(page), [], view)
    }
  })
}

test('home loads 250 kB of compressed script and style at most, and the picture costs a second of work at most', async (t) => {
  const page = await newPage(t, service)
  await page.request.post('/v1/session', { data: { token: 'a-token-for-tests-only' } })
  let bytes = 0
  const sizes: Promise<void>[] = []
  page.on('requestfinished', (request) => {
    if (['script', 'stylesheet'].includes(request.resourceType()))
      sizes.push(request.sizes().then(({ responseBodySize }) => void (bytes += responseBodySize)))
  })
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  const cpuMs = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics')
    return 1_000 * metrics.find(({ name }) => name === 'TaskDuration')!.value
  }
  const begun = performance.now()
  await page.goto('/')
  await page.getByRole('region', { name: 'What is broken' }).waitFor()
  const seenMs = performance.now() - begun
  await settled(page)
  await Promise.all(sizes)
  const homeMs = await cpuMs()
  await page.getByLabel('Window').selectOption('last 7 days')
  await page.waitForURL('**/?days=7')
  await settled(page)
  const changeMs = (await cpuMs()) - homeMs
  t.diagnostic(`${Math.round(bytes / 1000)} kB; the headline after ${Math.round(seenMs)} ms; ${Math.round(homeMs)} ms of CPU for all of home, ${Math.round(changeMs)} ms for a change of filter`) // prettier-ignore
  assert.ok(bytes > 50_000 && bytes <= 250_000, String(bytes))
  assert.ok(homeMs <= 1_000, String(homeMs))
  assert.ok(seenMs <= 10_000, String(seenMs)) // 1 s on two cores that have nothing else to do.
})
