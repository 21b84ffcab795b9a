/** Each view of the dashboard, on the demo's data: its numbers are those that the API answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { follow, layOutAll, open, openDetails, rowsOf, settled, textOf } from '../support/browser.ts'
import { newPage, service } from './demo.ts'

type Row = Record<string, string | number | boolean | null> & {
  unverified: { failed: number; successful: number; reports: number }
}
type Answer = { data: Row[]; totals: Row }

const window = 'from=2026-10-24&to=2026-11-23'
const ask = (path: string, query = '') => service.get<Answer>(`${path}?${window}${query && `&${query}`}`)
const count = (value: unknown) => new Intl.NumberFormat('en-GB').format(Number(value))
const percent = (part: number, of: number) =>
  new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 1 }).format(part / of)
const day = (text: unknown) =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' }).format(Date.parse(String(text)))

/** In the page: the columns with a number that is no link. */
const leadsNowhere = `[...document.querySelectorAll('td.number')].filter((cell) => /\\d/.test(cell.textContent) && !cell.querySelector('a')).map((cell) => cell.closest('table').rows[0].cells[cell.cellIndex].textContent)`

/** One page for all of them: they only look. */
test('each view of the dashboard shows what the API answers', async (t) => {
  const page = await newPage(t, service)
  await open(page, '/')

  await t.test('home says of each domain how it does, and its failures, as /v1/domains does', async () => {
    await follow(page, '/')
    const shown = await rowsOf(page, 'Our domains')
    const { data } = await ask('/v1/domains')
    assert.equal(shown.length, 3)
    for (const row of data) {
      const { failed, successful } = row['reports'] === 0 ? row.unverified : (row as unknown as Row['unverified'])
      const line = shown.find(({ Domain: name }) => name === row['domain'])!
      assert.equal(line['State'], row['state'])
      assert.equal(line['Failed'], count(failed))
      assert.ok(line['Success']?.startsWith(percent(successful, successful + failed)), line['Success'])
      assert.ok(String(row['headline']).length > 20)
    }
    assert.deepEqual(shown.map(({ State: state }) => state), ['failing', 'healthy', 'healthy']) // prettier-ignore
  })

  await t.test(
    'a stranger reads on home which domain is broken, since when, on which MX, why and what to change',
    async () => {
      await follow(page, '/')
      const broken = await textOf(page.getByRole('region', { name: 'What is broken' }))
      assert.match(broken, /^alpha\.example: MX mx2\.alpha\.example presents an expired certificate since 13 November 2026; 4 senders, 2,467 sessions/) // prettier-ignore
      assert.match(broken, /To do: Renew the certificate/)
      const card = page.getByRole('article').filter({ hasText: 'going on' }).first()
      assert.match(await textOf(card), /To do: Renew the certificate/)
      await card.getByText('Postfix', { exact: true }).click()
      assert.match(await textOf(card.getByLabel(/^Postfix/).first()), /smtpd_tls_chain_files/) // prettier-ignore
    },
  )

  await t.test('every number in a table leads to its rows', async () => {
    for (const view of [
      '/',
      '/domains/alpha.example',
      '/reports',
      '/reporters',
      '/senders',
      '/policies',
      '/arrivals',
    ]) {
      await follow(page, view)
      await openDetails(page)
      assert.deepEqual(
        await page.evaluate(`${leadsNowhere}.filter((head) => !['Share', 'Rate'].includes(head))`),
        [],
        view,
      )
    }
    await follow(page, '/reporters')
    await page.getByRole('row', { name: 'postfix-shape.example' }).getByRole('link', { name: '2', exact: true }).last().click() // prettier-ignore
    await page.waitForURL('**/reports?reporter=postfix-shape.example&anomaly=submitter-differs')
    await settled(page)
    assert.equal((await rowsOf(page, 'Reports')).length, 2)
    await page.getByRole('link', { name: 'Remove the filter Anomaly submitter-differs' }).waitFor()
  })

  await t.test('every domain has the headline that the API has', async () => {
    const { data } = await ask('/v1/domains')
    for (const row of data) {
      await follow(page, `/domains/${String(row['domain'])}`)
      await page.getByText(String(row['headline'])).first().waitFor()
    }
  })

  await t.test(
    'the days, as bars and as a table, are those of /v1/timeseries, and a day without a report is a gap',
    async () => {
      await follow(page, '/')
      await openDetails(page)
      await layOutAll(page)
      const shown = await rowsOf(page, /^Sessions by day/)
      const { data } = await ask('/v1/timeseries')
      const expected = data.map((row) => [day(row['bucket']), count(row['successful']), count(row['failed'])])
      assert.deepEqual(shown.map((row) => [row['Day'], row['Successful'], row['Failed']]), expected.toReversed()) // prettier-ignore
      const chart = page.getByRole('img', { name: /^Sessions by day/ })
      const titles = await chart.locator('title').allTextContents()
      for (const row of data)
        assert.ok(titles.includes(`${day(row['bucket'])}: ${count(row['successful'])} successful`))
      assert.deepEqual(titles.filter((title) => title.endsWith('no report')), ['22 Nov 2026: no report']) // prettier-ignore
    },
  )

  await t.test(
    'what fails where is /v1/summary by MX and result type, each cell leads to its rows, and no MX has a row',
    async () => {
      await follow(page, '/')
      await openDetails(page)
      const shown = await rowsOf(page, 'Failed sessions by receiving MX and result type')
      const { data, totals } = await ask('/v1/summary', 'group_by=receiving_mx_hostname,result_type&limit=500')
      const failing = data.filter((row) => row['result_type'] !== null && Number(row['failed']) > 0)
      assert.ok(failing.length > 8)
      for (const row of failing) {
        const mx = row['receiving_mx_hostname'] ?? 'no MX named'
        const cell = shown.find((line) => line['Receiving MX'] === mx)?.[String(row['result_type'])]
        assert.ok(cell?.startsWith(`${count(row['failed'])} `), `${String(mx)} ${String(row['result_type'])}: ${cell}`)
      }
      await page.getByText(`${count(totals['unattributed_failed'])} of ${count(totals['failed'])} failed sessions have no detail`).waitFor() // prettier-ignore
      const inTable = page
        .getByRole('table', { name: 'Failed sessions by receiving MX' })
        .getByRole('link', { name: /^1,713 40/ })
      const inChart = page.getByRole('link', { name: /^tlsa-invalid on mx2\.hoster\.example: 1,713 40/ })
      for (const link of [inTable, inChart]) {
        await follow(page, '/')
        await openDetails(page)
        await layOutAll(page)
        await link.click()
        await page.waitForURL('**/failures?*')
        await settled(page)
        assert.equal(new URL(page.url()).searchParams.get('receiving_mx_hostname'), 'mx2.hoster.example')
        const rows = await rowsOf(page, 'Failure details')
        assert.equal(rows.reduce((sum, row) => sum + Number(row['Sessions']), 0), 1_713) // prettier-ignore
      }
    },
  )

  await t.test(
    'each cause has its headline, its evidence and its meaning under the policy it was seen with',
    async () => {
      await follow(page, '/domains/dane.example')
      const { data } = await ask('/v1/causes', 'domain=dane.example')
      const cards = await page
        .getByRole('region', { name: 'Why, and what to do' })
        .getByRole('article')
        .allTextContents()
      assert.equal(cards.length, data.length)
      for (const [i, cause] of data.entries()) {
        const card = cards[i]!.replace(/\s+/g, ' ')
        assert.ok(card.includes(String(cause['headline'])), card)
        assert.ok(card.includes(`${count(cause['failed'])} failed session`), card)
        if (cause['enforce_refuses'] && String(cause['policy_types']) === 'tlsa') {
          assert.match(card, /DANE is always enforced/)
          assert.doesNotMatch(card, /Under testing/)
        }
      }
    },
  )

  await t.test('reporters by day, and whom to believe, are those of /v1/timeseries and /v1/reporters', async () => {
    await follow(page, '/reporters')
    const calendar = await rowsOf(page, /^Reporters by day/)
    const { data: summary } = await ask('/v1/summary', 'group_by=reporter')
    const expected = summary.flatMap(({ reporter, failed, reports, last_seen: last }) => reporter !== null && Number(reports) > 0 ? [[reporter, count(failed), day(last)]] : []) // prettier-ignore
    const sorted = (rows: unknown[][]) => rows.map((row) => row.join(' ')).sort()
    assert.deepEqual(sorted(calendar.map((row) => [row['Reporter'], row['Failed'], row['Last seen']])), sorted(expected)) // prettier-ignore
    await layOutAll(page)
    const cells = page.getByRole('img', { name: `${calendar.length} reporters by day` })
    assert.equal(await cells.locator('title').count(), 30 * calendar.length)
    const { data } = await ask('/v1/reporters')
    const standing = await rowsOf(page, 'Reporters and their standing')
    assert.deepEqual(
      standing.map((row) => [row['Reporter'], row['Standing'], row['Reports'], row['Failed']]),
      data.map((row) => [row['domain'], row['standing'], count(row['reports']), count(row['failed'])]),
    )
  })

  await t.test('who could not reach us is /v1/summary by organization and address', async () => {
    await follow(page, '/senders')
    const { data } = await ask('/v1/summary', 'group_by=organization,sending_mta_ip&limit=500')
    const rows = await rowsOf(page, 'Failed sessions by organization, sending network and address')
    const expected = data.filter((row) => Number(row['failed']) > 0 || row.unverified.failed > 0)
    assert.deepEqual(
      rows.map((row) => [row['Organization'], row['Sending MTA'], row['Failed'], row['Unverified']]),
      expected.map((row) => [row['organization'], row['sending_mta_ip'] ?? 'not said', count(row['failed']), count(row.unverified.failed)]), // prettier-ignore
    )
    assert.equal(rows.find((row) => row['Sending MTA'] === '198.51.100.40')?.['Network'], '198.51.100.0/24')
  })

  await t.test('the policies that senders apply are those of /v1/policy-versions', async () => {
    await follow(page, '/policies')
    const { data } = await ask('/v1/policy-versions', 'limit=50')
    const cards = await page.getByRole('article').allTextContents()
    assert.equal(cards.length, data.length)
    for (const [i, version] of data.entries()) {
      assert.ok(cards[i]!.includes(String(version['policy_domain'])))
      for (const line of version['policy_string'] as unknown as string[]) assert.ok(cards[i]!.includes(line), line)
    }
  })

  await t.test(
    'what arrived is all of /v1/arrivals, its shares make 100 %, and each number leads to its rows',
    async () => {
      await follow(page, '/arrivals')
      const { data } = await ask('/v1/arrivals')
      const all = data.reduce((sum, row) => sum + Number(row['count']), 0)
      const rows = await rowsOf(page, `${count(all)} arrivals, 100 %`)
      assert.equal(rows.reduce((sum, row) => sum + Number(row['Arrivals']), 0), all) // prettier-ignore
      const shares = rows.reduce((sum, row) => sum + Math.round(10 * parseFloat(row['Share']!)), 0)
      assert.equal(shares, 1_000)
      const refused = await rowsOf(page, /^Arrivals$/)
      const counted = ['accepted', 'duplicate']
      const expected = data.filter((row) => !counted.includes(String(row['verdict'])))
      assert.equal(refused.length, expected.reduce((sum, row) => sum + Number(row['count']), 0)) // prettier-ignore
      assert.ok(refused.every((row) => row['Verdict'] === 'conflict' || row['Reason'] !== '–'))
      const accepted = rows.find((row) => row['Verdict'] === 'accepted' && row['By'] === 'https')
      await page.getByRole('link', { name: accepted!['Arrivals']!, exact: true }).click()
      await page.getByRole('heading', { name: 'Arrivals: accepted by https' }).waitFor()
      await settled(page)
      await page.getByRole('button', { name: 'Show more' }).click()
      await page.getByRole('button', { name: 'Show more' }).waitFor({ state: 'detached' })
      assert.equal((await rowsOf(page, /^Arrivals$/)).length, Number(accepted!['Arrivals']))
    },
  )

  await t.test('a report shows its policies side by side, its proof, and its JSON as the API has it', async () => {
    const { data } = await ask('/v1/reports', 'limit=500')
    const two = data.find(({ failed_by_policy_type: types }) => Object.keys(types as unknown as object).length > 1)!
    await follow(page, `/reports/${String(two['key'])}`)
    const report = await service.get<{ policies: { policy_type: string; failed: number; successful: number }[] }>(`/v1/reports/${String(two['key'])}`) // prettier-ignore
    const cards = await page.getByRole('region', { name: 'Policies' }).getByRole('article').allTextContents()
    assert.equal(cards.length, report.policies.length)
    for (const [i, policy] of report.policies.entries()) {
      assert.ok(cards[i]!.startsWith(policy.policy_type))
      assert.ok(cards[i]!.includes(`${count(policy.successful)} succeeded, ${count(policy.failed)} failed`), cards[i])
    }
    await page.getByText('never added up').waitFor()
    const json = await textOf(page.getByLabel('The report’s JSON'))
    const answer = await fetch(`http://127.0.0.1:${service.ports.api}/v1/reports/${String(two['key'])}/json`, {
      headers: { authorization: 'Bearer a-token-for-tests-only' },
    })
    assert.deepEqual(JSON.parse(json), await answer.json())
  })

  await t.test('a domain that nobody verified says so, and shows what there is', async () => {
    await follow(page, '/domains/web.example')
    await openDetails(page)
    await page.getByText('No report on this domain is verified').waitFor()
    const { data } = await ask('/v1/timeseries', 'domain=web.example&trust=unverified')
    const shown = await rowsOf(page, /^Sessions by day/)
    assert.deepEqual(shown.map((row) => row['Successful']), data.map((row) => count(row['successful'])).toReversed()) // prettier-ignore
    await page.getByRole('link', { name: 'Failures' }).last().click()
    await page.waitForURL('**/failures?*')
    await settled(page)
    assert.equal(new URL(page.url()).searchParams.get('trust'), 'unverified')
    assert.ok((await rowsOf(page, 'Failure details')).length > 2)
  })
})
