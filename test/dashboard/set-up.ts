/** The Setup page of a domain, live: what is wrong is proved and told, and after the fix the same page says so (RFC 8461). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificates } from '../../src/demo/simulators.ts'
import { ensurePage } from '../../src/page-build.ts'
import { signIn, textOf } from '../support/browser.ts'
import { startMailWorld } from '../support/mail-world.ts'
import { aDetail, aPolicy, aReport, insertReports } from '../support/rows.ts'
import { runService } from '../support/running-service.ts'
import { newPage } from './demo.ts'

const domain = 'alpha.example'
const policyString = ['version: STSv1', 'mode: testing', `mx: mx1.${domain}`, `mx: mx2.${domain}`, 'max_age: 604800']
/** Certificates are made for now. */
const now = new Date()
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000).toISOString().slice(0, 10)

const sts = { policyDomain: domain, policyString }
const told = (day: string, reporter: string, policy: Parameters<typeof aPolicy>[0]) =>
  aReport({ domain, day, reporter, organization: reporter, policies: [aPolicy({ ...sts, ...policy })] })
test('a domain is set up, looked at from outside', async (t) => {
  const world = await startMailWorld({
    [domain]: {
      sts: 'v=STSv1; id=20260101;',
      policy: policyString.map((line) => `${line}\r\n`).join(''),
      mx: { [`mx1.${domain}`]: {}, [`mx2.${domain}`]: { certificate: certificates.expired } },
    },
  })
  t.after(() => world.close())
  const log = {
    info: () => undefined,
    error: (context: object, message: string) => {
      console.error(message, context)
    },
  }
  const service = await runService({ now: () => new Date(), env: world.env, dashboard: ensurePage(log) }, t)
  await service.put(`/v1/domains/${domain}`, {})
  await insertReports(service.database.db, [
    told(daysAgo(3), 'google.com', { successful: 90n, failed: 7n, details: [aDetail({ receivingMxHostname: `mx2.${domain}`, failed: 7n, failureReasonCode: 'X509_V_ERR_CERT_HAS_EXPIRED' })] }), // prettier-ignore
  ])

  await t.test(
    'what is wrong is proved live, and after the fix and new reports the page says that it is safe to enforce',
    async (t) => {
      const page = await newPage(t, service, { now })
      await signIn(page, `/domains/${domain}`)
      await page.getByRole('link', { name: 'Set up and check' }).click()
      await page.getByRole('heading', { name: `Set up ${domain}` }).waitFor()
      await page.getByText(`${domain} has not been checked yet.`).waitFor()
      await page.getByText('has not been looked at from outside yet').waitFor()

      const check = async () => {
        const made = page.waitForResponse((response) => new URL(response.url()).pathname.startsWith('/v1/checks/'))
        await page.getByRole('button', { name: 'Check now' }).click()
        await page.getByText('Checked.', { exact: true }).waitFor()
        await made
      }
      await check()
      const broken = page.getByRole('region', { name: 'Broken' })
      await broken
        .getByText(`mx2.${domain} [${world.addressOf(`mx2.${domain}`)}]`)
        .first()
        .waitFor()
      await broken.getByText('Renew the certificate').first().waitFor()
      await page.getByText('Not ready').waitFor()
      const inTheWay = page.getByRole('list', { name: 'What stands in the way' })
      await inTheWay.getByText(`certificate-expired on mx2.${domain}: 7 sessions of google.com failed`).waitFor()
      await page.getByText('this is what is published').waitFor()
      await page.getByLabel(`TXT record at _smtp._tls.${domain}`).first().waitFor()

      await page.goto(`/domains/${domain}`)
      await page.getByText('Still broken.').waitFor()
      await page.getByText('that is: the certificate has expired').waitFor()

      await world.mx.get(`mx2.${domain}`)!.become({})
      await page.goto(`/domains/${domain}/set-up`)
      await check()
      await page.getByText('No longer: The certificate is not valid for senders').waitFor()
      assert.equal(await page.getByRole('region', { name: 'Broken' }).count(), 0)
      await inTheWay.getByText('certificate-expired on').waitFor() // No report knows of the fix yet.
      await page.goto(`/domains/${domain}`)
      await page.getByText('Fixed since').waitFor()

      await insertReports(service.database.db, [
        told(daysAgo(1), 'google.com', { successful: 80n }),
        told(daysAgo(1), 'microsoft.com', { successful: 40n }),
      ])
      await page.goto(`/domains/${domain}/set-up`)
      await page.getByText('Ready to enforce').waitFor()
      const edit = await textOf(page.getByLabel('policy file in mode enforce', { exact: true }))
      assert.match(edit, /^version: STSv1\s+mode: enforce\s/)
    },
  )

  await t.test('a check that the service refuses says why, and can be made again', async (t) => {
    const page = await newPage(t, service, { now, expected: [/status of 4/] })
    await signIn(page, '/domains/localhost/set-up')
    await page.getByRole('button', { name: 'Check now' }).click()
    await page.getByRole('alert').filter({ hasText: 'domain' }).first().waitFor()
    await page.getByRole('button', { name: 'Check now', disabled: false }).waitFor()
  })
})
