/** Everything that a sender wrote is text in the dashboard, whatever he wrote, wherever he wrote it. */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { visible } from '../../src/dashboard/words.ts'
import { ensurePage } from '../../src/page-build.ts'
import { follow, layOutAll, open, openDetails, textOf } from '../support/browser.ts'
import { demoNow } from '../support/demo-service.ts'
import { runService, type RunningService } from '../support/running-service.ts'
import { newPage, service as demo } from './demo.ts'

const payloads = [
  '<img src=x onerror=alert(1)>',
  '"><svg/onload=alert(1)>',
  '{{7*7}} ${7*7}',
  'javascript:alert(1)',
  '</script><script>alert(1)</script>',
  'photo\u202egpj.exe\u2066\u200f\u0007\u001b[31m\u00ad',
  `https://evil.example/"onmouseover="alert(1)`,
]

/** In every string that a report has (RFC 8460 §4.4), but for the domain that makes it ours. */
const reportOf = (text: string, i: number) => ({
  'organization-name': `${text} organization`,
  'date-range': { 'start-datetime': '2026-11-21T00:00:00Z', 'end-datetime': '2026-11-21T23:59:59Z' },
  'contact-info': `${text} contact`,
  'report-id': `${text} id ${i}`,
  policies: [
    {
      policy: {
        'policy-type': i % 2 === 0 ? 'sts' : `${text} type`,
        'policy-string': [`mode: ${text}`, `mx: ${text}`],
        'policy-domain': 'ours.example',
        'mx-host': [`${text} host`],
      },
      summary: { 'total-successful-session-count': 10, 'total-failure-session-count': 4 },
      'failure-details': [
        {
          'result-type': `${text} result`,
          'sending-mta-ip': `${text} from`,
          'receiving-mx-hostname': `${text} mx`,
          'receiving-mx-helo': `${text} helo`,
          'receiving-ip': `${text} to`,
          'failed-session-count': 3,
          'additional-information': text,
          'failure-reason-code': `${text} code`,
        },
      ],
    },
  ],
})

/** A service to which each of them was sent, by a road that takes all: as a file. */
async function runTold(
  t: TestContext,
): Promise<{ service: RunningService; keys: { report: string; submission: string }[] }> {
  const log = { info: () => undefined, error: console.error }
  const env = { POLICY_DOMAINS: 'ours.example' }
  const service = await runService({ now: () => demoNow, dashboard: ensurePage(log), env }, t)
  const keys: { report: string; submission: string }[] = []
  for (const [i, text] of payloads.entries()) {
    const [outcome] = await service.ingest({
      raw: Buffer.from(JSON.stringify(reportOf(text, i))),
      form: 'report',
      arrivedAt: demoNow,
      provenance: { transport: 'file', fileName: `${text}.json` },
    })
    assert.ok(outcome?.kind === 'accepted', JSON.stringify(outcome))
    keys.push({ report: outcome.reports[0]!.key, submission: outcome.submissionKey })
  }
  await service.ingest({
    raw: Buffer.from('not a mail'),
    form: 'message',
    arrivedAt: demoNow,
    provenance: { transport: 'smtp', peerAddress: '192.0.2.1', helo: payloads[0]!, mailFrom: payloads[1]!, rcptTo: [payloads[4]!], tls: false }, // prettier-ignore
  })
  return { service, keys }
}

/** What would be markup of theirs: elements, attributes and addresses that the page itself never has. */
const foreign = `[...document.querySelectorAll('img, iframe, object, form[action], svg[onload], [onerror], [onload], [onmouseover], script:not([src^="/assets/"]), a[href^="javascript" i], body style')].map((e) => e.outerHTML)`

const outward = `[...document.querySelectorAll('a[href^="http"]')].filter((a) => a.origin !== location.origin).map((a) => [a.protocol, a.rel])`

test('183: everything that a sender wrote is text', async (t) => {
  const { service, keys } = await runTold(t)
  const page = await newPage(t, service)
  await open(page, '/')
  for (const [i, text] of payloads.entries()) {
    await t.test(`in each field of a report, and in its raw JSON, this is text: ${visible(text)}`, async () => {
      const { report, submission } = keys[i]!
      await follow(page, `/reports/${report}`)
      const said = new Set(await page.locator('.said').allTextContents())
      const told = await service.get<Record<string, unknown>>(`/v1/reports/${report}`)
      const strings = stringsOf({ ...told, decision: null, anomalies: [] })
      assert.ok(strings.filter((string) => string.includes(text)).length >= 8, strings.join('\n'))
      for (const string of strings.filter((each) => each.includes(text.slice(0, 5))))
        assert.ok(said.has(visible(string)), string)
      const json = await textOf(page.getByLabel('The report’s JSON'))
      assert.ok(json.includes(visible(JSON.stringify(`${text} contact`))), json)
      assert.deepEqual(await page.evaluate(foreign), [])
      for (const [protocol, rel] of await page.evaluate<string[][]>(outward)) {
        assert.match(protocol!, /^https?:$/)
        assert.match(rel!, /noreferrer noopener/)
      }
      assert.deepEqual(treacherous(await textOf(page.locator('main'))), [])
      await follow(page, `/submissions/${submission}`)
      assert.ok((await page.locator('.said').allTextContents()).includes(visible(`${text}.json`)))
      assert.deepEqual(await page.evaluate(foreign), [])
    })
  }

  await t.test('186: the bytes of a report are saved by a browser, as they came, under a name of ours', async () => {
    const { report } = keys[0]!
    await follow(page, `/reports/${report}`)
    const offered = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download' }).click()
    const download = await offered
    assert.equal(download.suggestedFilename(), `tlsrpt-${report}.json`)
    assert.equal(await text(createReadStream(await download.path())), JSON.stringify(reportOf(payloads[0]!, 0)))
  })

  await t.test('no other view makes anything but text of it', async () => {
    const views = ['/', '/domains/ours.example', '/failures', '/reports', '/reporters', '/senders', '/policies', '/arrivals'] // prettier-ignore
    for (const view of views) {
      await follow(page, `${view}?trust=any`)
      await openDetails(page)
      await layOutAll(page)
      const text = await textOf(page.locator('main'))
      assert.match(text, view === '/arrivals' ? /192\.0\.2\.1/ : /onerror=alert\(1\)/, view)
      assert.deepEqual(await page.evaluate(foreign), [], view)
      const toCopy = await page.locator('.copyable pre').allTextContents()
      assert.deepEqual(toCopy.filter((each) => /alert\(1\)|7\*7/.test(each)), [], 'what is to be copied ends in a shell') // prettier-ignore
      assert.deepEqual(treacherous(text), [], view)
    }
  })
})

test('183: markup that got into the page all the same would not run: the policy of the answer forbids it', async (t) => {
  const page = await newPage(t, demo, { expected: [/policy violation: script-src|Content Security Policy/] })
  await page.goto('/')
  const refused = await page.evaluate<string[]>(`new Promise((done) => {
    const seen = new Set()
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
      seen.add(effectiveDirective)
      if (seen.size === 2) setTimeout(() => done([...seen, document.title]))
    })
    const script = document.createElement('script')
    script.textContent = 'document.title = "ran"'
    document.body.append(script)
    document.body.insertAdjacentHTML('beforeend', '<svg onload="document.title = String.fromCharCode(1)"></svg><button onclick="document.title = 1"></button><a href="javascript:document.title = 1"></a>')
    document.querySelector('button[onclick]').click()
    document.querySelector('a[href^=javascript]').click()
  })`)
  assert.deepEqual(refused.toSorted(), ['TLS reports', 'script-src-attr', 'script-src-elem'])
})

const treacherous = (shown: string): string[] =>
  shown.match(/.*[\u202a-\u202e\u2066-\u2069\u200f\u0007\u001b].*/g) ?? []

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}
