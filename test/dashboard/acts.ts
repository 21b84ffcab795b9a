/** What one does with the dashboard: decide, block, judge again, export, upload, and meet its edges. */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { ensurePage } from '../../src/page-build.ts'
import { follow, open, rowsOf, settled, textOf } from '../support/browser.ts'
import { demoNow } from '../support/demo-service.ts'
import { reportOn } from '../support/report-mail.ts'
import { aPolicy, aReport, insertReports } from '../support/rows.ts'
import { adminToken, runService, type RunningService } from '../support/running-service.ts'
import { newPage, service } from './demo.ts'

type Row = Record<string, unknown> & { key: string }
type List = { data: Row[] }
const first = async (path: string) => (await service.get<List>(path)).data[0]!

const ask = (path: string, init: RequestInit = {}, { ports }: Pick<RunningService, 'ports'> = service) =>
  fetch(`http://127.0.0.1:${ports.api}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${adminToken}`, ...(init.headers as Record<string, string>) },
  })

const newToken = async (
  scopes: string[],
  domains: string[],
  of: Pick<RunningService, 'ports'> = service,
): Promise<{ key: string; token: string }> => {
  const headers = { 'content-type': 'application/json' }
  const made = await ask('/v1/tokens', { method: 'POST', headers, body: JSON.stringify({ name: 'Ada', scopes, domains }) }, of) // prettier-ignore
  return (await made.json()) as { key: string; token: string }
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })

test('a filter and the window stand in the address, so they outlive a reload and can be taken away', async (t) => {
  const page = await newPage(t, service)
  await open(page, '/failures')
  await page.getByLabel('Window').selectOption('last 7 days')
  await page.waitForURL('**/failures?days=7')
  await page.goto(`${page.url()}&result_type=certificate-expired`)
  await settled(page)
  const before = await rowsOf(page, 'Failure details')
  assert.ok(before.length > 5 && before.every((row) => row['Result type'] === 'certificate-expired'))
  await page.reload()
  await settled(page)
  assert.deepEqual(await rowsOf(page, 'Failure details'), before)
  assert.equal(await page.getByLabel('Window').inputValue(), '7')
  await page.getByRole('link', { name: 'Remove the filter Result type certificate-expired' }).click()
  await page.waitForURL('**/failures?days=7')
  await page.getByText('tlsa-invalid').first().waitFor()
})

test('a report is excluded from all numbers, and included again', async (t) => {
  const page = await newPage(t, service)
  const { key } = await first('/v1/reports?domain=dane.example&limit=1')
  const counted = async () => (await service.get<{ counted: boolean }>(`/v1/reports/${key}`)).counted
  await open(page, `/reports/${key}`)
  await button(page, 'Exclude this report from all numbers').click()
  await page.getByText(/excluded, not in any number; excluded by admin/).waitFor()
  assert.equal(await counted(), false)
  await button(page, 'Include this report in the numbers').click()
  await page.getByText(/counted; included by admin/).waitFor()
  assert.equal(await counted(), true)
  await ask(`/v1/reports/${key}/decision`, { method: 'DELETE' })
})

test('a reporter is blocked, unblocked and known', async (t) => {
  const page = await newPage(t, service)
  await open(page, '/reporters')
  const standing = async () =>
    (await service.get<List>('/v1/reporters')).data.find((row) => row['domain'] === 'mox-shape.example')!['standing']
  await button(page, 'Block mox-shape.example').click()
  await button(page, 'Unblock mox-shape.example').waitFor()
  assert.equal(await standing(), 'blocked')
  await button(page, 'Unblock mox-shape.example').click()
  await button(page, 'Block mox-shape.example').waitFor()
  await button(page, 'Know mox-shape.example').click()
  await button(page, 'Know mox-shape.example').waitFor({ state: 'detached' })
  assert.equal(await standing(), 'known')
})

test('what was refused tells why, and is judged again, by the domains of today', async (t) => {
  const page = await newPage(t, service)
  const { key } = await first('/v1/submissions?verdict=not-ours&reason=not-ours&limit=1')
  await open(page, `/submissions/${key}`)
  await page.getByText('elsewhere.example is no policy domain of this receiver').waitFor()
  await button(page, 'Judge again').click()
  await page.getByText('not-ours: not-ours', { exact: true }).waitFor()
  await service.put('/v1/domains/elsewhere.example', {})
  await button(page, 'Judge again').click()
  await page.locator('dd').getByText('accepted').waitFor()
  await page.getByRole('region', { name: 'Reports' }).getByRole('link', { name: 'elsewhere.example' }).waitFor()
  assert.equal(await button(page, 'Judge again').count(), 0)
  await ask('/v1/domains/elsewhere.example?purge=true', { method: 'DELETE' })
})

test('CSV is the API’s own, all pages of it', async (t) => {
  const page = await newPage(t, service)
  await open(page, '/reports')
  const offered = page.waitForEvent('download')
  await button(page, 'Export CSV').click()
  const download = await offered
  assert.equal(download.suggestedFilename(), 'tlsrpt-reports.csv')
  const answer = await ask('/v1/reports?from=2026-10-24&to=2026-11-23&limit=500', { headers: { accept: 'text/csv' } })
  const expected = await answer.text()
  assert.equal(await text(createReadStream(await download.path())), expected)
  assert.ok(expected.split('\n').length > 150, 'more than a page of it')
})

test('a token of one domain sees that domain, and no button that it may not press', async (t) => {
  const page = await newPage(t, service)
  const { token } = await newToken(['read'], ['web.example'])
  await open(page, '/', token)
  assert.deepEqual((await rowsOf(page, 'Our domains')).map((row) => row['Domain']), ['web.example']) // prettier-ignore
  assert.doesNotMatch(await textOf(page.locator('body')), /alpha\.example|dane\.example/)
  await open(page, '/reports')
  assert.deepEqual([...new Set((await rowsOf(page, 'Reports')).map((row) => row['Domain']))], ['web.example'])
  await open(page, '/reporters')
  assert.equal(await button(page, /^(?:Know|Block)/).count(), 0)
  await open(page, '/arrivals')
  assert.equal(await button(page, 'Judge again').count(), 0)
})

test('what is not there is said not to be: a domain, a report, an arrival, a page', async (t) => {
  const page = await newPage(t, service, { expected: [/status of 40[04]/] })
  for (const path of [
    '/domains/none.example',
    '/domains/%3Cimg%20src=x%20onerror=alert(1)%3E',
    '/reports/none',
    '/submissions/none',
  ]) {
    await (page.url() === 'about:blank' ? open : follow)(page, path)
    await page.getByRole('alert').waitFor()
    assert.equal(await button(page, 'Try again').count(), 0)
  }
  await open(page, '/nowhere')
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  await page.getByRole('link', { name: 'To the overview' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
})

test('an answer that does not come is told, and asked for again', async (t) => {
  const page = await newPage(t, service, { expected: [/status of 503|ERR_FAILED/] })
  await open(page, '/set-up')
  await page.route('**/v1/failures?*', (route) => route.abort())
  await page.getByRole('navigation').getByRole('link', { name: 'Failures' }).click()
  await page.getByText('The service cannot be reached.').waitFor()
  await page.unroute('**/v1/failures?*')
  await button(page, 'Try again').click()
  await page.getByText('certificate-expired').first().waitFor()
})

test('a session that ends while one looks around ends in the form, and one goes on where one was', async (t) => {
  const page = await newPage(t, service, { expected: [/status of 401/] })
  const { key, token } = await newToken(['read', 'write'], [])
  await open(page, '/reporters', token)
  await ask(`/v1/tokens/${key}`, { method: 'DELETE' })
  await button(page, 'Block parcelpost.example').click()
  await page.getByLabel('Token').fill(adminToken)
  await button(page, 'Sign in').click()
  await page.getByRole('heading', { name: 'Reporters' }).waitFor()
})

test('who comes before the first report is told what to publish and when to expect one, and can try a report', async (t) => {
  const log = { info: () => undefined, error: console.error }
  const env = { INTAKE_URL: 'https://rua.example/v1/tlsrpt' }
  const empty = await runService({ now: () => demoNow, dashboard: ensurePage(log), env }, t)
  const page = await newPage(t, empty, {
    permissions: ['clipboard-read', 'clipboard-write'],
    expected: [/status of 400/],
  })
  await open(page, '/')
  const { record } = await empty.get<{ record: string }>('/v1/instance')
  assert.match(record, /mailto:tlsrpt@rua\.example,https:\/\/rua\.example/)
  await page.getByText(record).waitFor()
  await page.getByText(/24 to 48 hours/).waitFor()
  await button(page, 'Copy TXT record').click()
  await page.getByText('Copied.').waitFor()
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), record)

  const domain = page.getByLabel('A mail domain of yours')
  await domain.fill('com')
  await button(page, 'Add').click()
  await page.getByRole('alert').filter({ hasText: 'public suffix' }).waitFor()
  await domain.fill('ours.example')
  await button(page, 'Add').click()
  await page.getByText('ours.example and what is below it is yours now').waitFor()

  await page.getByLabel('Domain to test').fill('nobody.example.com')
  await button(page, 'Test').click()
  await page.getByText('✕ broken: record').waitFor() // It publishes no record.

  const report = reportOn({ domain: 'ours.example', day: '2026-11-20', reportId: 'r1', failed: 3 })
  const file = (name: string, content: string) => ({ name, mimeType: 'application/json', buffer: Buffer.from(content) })
  await page.getByLabel('Drop a file here, or choose one').setInputFiles([
    file('good.json', JSON.stringify(report)),
    file('bad.json', 'no report'),
  ]) // prettier-ignore
  await page.getByText('bad.json: malformed (not-gzip-or-json)').waitFor()
  await page.getByText('good.json: accepted').waitFor()
  await page.reload()
  await settled(page)
  assert.deepEqual(stated(await rowsOf(page, 'Our domains')), [['ours.example', 'failing']]) // prettier-ignore

  await t.test(
    'who has more domains than a page finds the ones in need first, and the others by "Show more"',
    async () => {
      const names = Array.from({ length: 60 }, (_, i) => `d${i + 10}.example`)
      for (const name of names) await empty.put(`/v1/domains/${name}`, {})
      const said = (domain: string, day: string, failed = 0n) =>
        aReport({ domain, day, policies: [aPolicy({ failed })] })
      await insertReports(empty.database.db, [said('ours.example', '2026-11-21')])
      await page.reload()
      await settled(page)
      await page.getByText('on the 10 domains below none has come yet').waitFor()
      await page.getByText('Below: the 1 domain with most reports.').waitFor()
      await page.getByRole('img', { name: /^Sessions by day/ }).waitFor()
      await follow(page, '/senders')
      await page.getByText('Below: the 1 domain with most reports; for another one,').waitFor()
      await follow(page, '/')

      await insertReports(empty.database.db, [
        said('d11.example', '2026-11-21'),
        said('d67.example', '2026-11-21', 4n),
        said('d68.example', '2026-11-21', 12n),
        said('d69.example', '2026-11-10'),
      ])
      await page.reload()
      await settled(page)
      const broken = await page.getByRole('region', { name: 'What is broken' }).locator('.headline').allTextContents()
      assert.match(broken.join('\n'), /^d68\.example: 12 sessions .*\nd67\.example: 4 sessions .*$/)
      await page.getByText('Below: the 3 domains in most need.').waitFor()
      const inNeed = [['d68.example', 'failing'], ['d67.example', 'failing'], ['d69.example', 'silent']] // prettier-ignore
      const unheard = names.filter(
        (name) => !['d11.example', 'd67.example', 'd68.example', 'd69.example'].includes(name),
      )
      const all = [...inNeed, ...unheard.map((name) => [name, 'no reports yet']), ['d11.example', 'healthy'], ['ours.example', 'healthy']] // prettier-ignore
      assert.deepEqual(stated(await rowsOf(page, 'Our domains')), all.slice(0, 10))
      for (const shown of [60, all.length]) {
        await page.getByRole('region', { name: 'Domains' }).getByRole('button', { name: 'Show more' }).click()
        await page
          .getByRole('link', { name: all[shown - 1]![0]! })
          .first()
          .waitFor()
        await settled(page)
        assert.equal((await rowsOf(page, 'Our domains')).length, shown)
      }
      assert.deepEqual(stated(await rowsOf(page, 'Our domains')), all)
      assert.equal(await page.getByRole('img', { name: /^d\d\d\.example: failures on \d of \d days/ }).count(), 60)

      const inView = all.slice(0, 3).map(([name]) => name!).sort() // prettier-ignore
      const asked = questionsOf(page)
      for (const [view, note, question] of [
        ['/senders', 'Below: the 3 domains in most need; for another one,', '/v1/summary'],
        ['/policies', 'Below: the 3 domains in most need; for another one,', '/v1/policy-versions'],
        ['/reporters', 'Reporters by day: the 3 domains in most need; for another one,', '/v1/timeseries'],
      ] as const) {
        asked.splice(0)
        await follow(page, view)
        await page.getByText(note).waitFor()
        await follow(page, `${view}?days=90`)
        await page.getByText(note).waitFor()
        assert.deepEqual(domainsOf(asked, question), [inView, inView], view)
        assert.deepEqual(domainsOf(asked, '/v1/domain-names'), [[], []], view)
        assert.deepEqual(domainsOf(asked, '/v1/domains'), [], view)

        asked.splice(0)
        await follow(page, `${view}?domain=d11.example`)
        assert.equal(await page.locator('.note').count(), 0)
        assert.deepEqual(domainsOf(asked, question), [['d11.example']], view)
        assert.deepEqual(domainsOf(asked, '/v1/domain-names'), [], view)
        assert.deepEqual(domainsOf(asked, '/v1/domains'), [], view)
      }
      asked.splice(0)
      await follow(page, '/')
      for (const question of ['/v1/summary', '/v1/timeseries', '/v1/causes'])
        for (const domains of domainsOf(asked.filter((url) => !isOfTable(url)), question)) assert.deepEqual(domains, inView, question) // prettier-ignore
      assert.deepEqual(domainsOf(asked, '/v1/domains'), [[]])

      await page.getByRole('textbox', { name: 'Another domain' }).fill(' D11.Example ')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: 'd11.example' }).waitFor()
      await page.getByText('healthy').waitFor()

      await follow(page, '/set-up')
      const checks = page.getByRole('link', { name: /^Check / })
      assert.equal(await checks.count(), 50)
      await button(page, 'Show more').click()
      await button(page, 'Show more').waitFor({ state: 'detached' })
      assert.equal(await checks.count(), all.length)

      await insertReports(empty.database.db, unheard.slice(0, 20).map((name) => said(name, '2026-11-20', 1n))) // prettier-ignore
      await follow(page, '/')
      await page.getByText('and at least 7 domains more, below.').waitFor()

      const { token } = await newToken(['read'], unheard.slice(20), empty)
      await page.goto('about:blank')
      await page.context().clearCookies()
      await open(page, '/', token)
      await page.getByText(/24 to 48 hours/).waitFor() // All that this one may see are new.
    },
  )
})

test('where the window says which domains there are, it is known to be few before a question is about all of them', async (t) => {
  const log = { info: () => undefined, error: console.error }
  const any = await runService({ now: () => demoNow, dashboard: ensurePage(log), env: { POLICY_DOMAINS: '*' } }, t)
  const names = Array.from({ length: 12 }, (_, i) => `d${i + 10}.example`)
  const days = names.map((_, i) => (i < 3 ? '2026-11-21' : '2026-11-01'))
  await insertReports(any.database.db, names.map((domain, i) => aReport({ domain, day: days[i]!, policies: [aPolicy({ failed: 1n })] }))) // prettier-ignore
  const page = await newPage(t, any)
  const asked = questionsOf(page)
  for (const view of ['/', '/senders']) {
    await open(page, `${view}?days=7`)
    assert.deepEqual(domainsOf(asked, '/v1/summary')[0], [], view)
    asked.splice(0)
    await follow(page, `${view}?days=30`)
    await page.getByText('Below: the 3 domains in most need').waitFor()
    assert.ok(domainsOf(asked, '/v1/summary').length > 0)
    for (const domains of domainsOf(asked, '/v1/summary')) assert.deepEqual(domains, names.slice(0, 3), view)
    asked.splice(0)
  }
})

const stated = (rows: Record<string, string>[]) => rows.map((row) => [row['Domain'], row['State']])

/** What the page asks of the API from here on. */
function questionsOf(page: Page): URL[] {
  const asked: URL[] = []
  page.on('request', (request) => asked.push(new URL(request.url())))
  return asked
}

/** For the sparklines of the list of domains, which has more than the panels are about. */
const isOfTable = (url: URL): boolean => url.searchParams.get('split_by') === 'domain'

/** About which domains each question of this path was; none: about all. */
const domainsOf = (asked: URL[], path: string): string[][] =>
  asked.filter(({ pathname }) => pathname === path).map(({ searchParams }) => searchParams.getAll('domain').sort())
