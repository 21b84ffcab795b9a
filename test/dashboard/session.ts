/** Signing in and out of the dashboard, in a real browser. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, signIn, textOf } from '../support/browser.ts'
import { adminToken } from '../support/running-service.ts'
import { newPage, service } from './demo.ts'

const button = (name: string) => ['button', { name }] as const

test('who is not signed in sees a form for the token and nothing else', async (t) => {
  const page = await newPage(t, service)
  await page.goto('/domains/alpha.example')
  await page.getByLabel('Token').waitFor()
  assert.doesNotMatch(await textOf(page.locator('body')), /alpha\.example/)
  assert.equal(await page.getByRole(...button('Sign out')).count(), 0)
})

test('a wrong token is told to be wrong, and the form stays', async (t) => {
  const page = await newPage(t, service)
  await page.goto('/')
  await page.getByLabel('Token').fill('wrong')
  await page.getByRole(...button('Sign in')).click()
  await page.getByRole('alert').waitFor()
  assert.equal(await page.getByLabel('Token').count(), 1)
  assert.deepEqual(await page.context().cookies(), [])
})

test('who signs in sees where he wanted to go, stays signed in through a reload, and signs out', async (t) => {
  const page = await newPage(t, service)
  await signIn(page, '/domains/alpha.example')
  assert.match(page.url(), /\/domains\/alpha\.example$/)
  await page.getByText('alpha.example').first().waitFor()
  await page.reload()
  await page.getByRole(...button('Sign out')).click()
  await page.getByLabel('Token').waitFor()
  assert.deepEqual(await page.context().cookies(), [])
  await page.reload()
  await page.getByLabel('Token').waitFor()
})

test('202: who signs in after another, on the same page, sees nothing of his, and there is no way back to it', async (t) => {
  const page = await newPage(t, service, { expected: [/status of 401/] })
  const made = await fetch(`http://127.0.0.1:${service.ports.api}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Ada', scopes: ['read'], domains: ['web.example'] }),
  })
  const { token } = (await made.json()) as { token: string }
  await signIn(page, '/')
  await page.getByText('alpha.example').first().waitFor()
  await page.getByRole('navigation').getByRole('link', { name: 'Failures' }).click()
  await page.getByText('alpha.example').first().waitFor()
  await page.getByRole(...button('Sign out')).click()
  await page.getByLabel('Token').waitFor()
  await page.goBack()
  await page.getByLabel('Token').waitFor()
  const others = /alpha\.example|dane\.example/
  assert.doesNotMatch(await textOf(page.locator('body')), others)
  await page.getByLabel('Token').fill(token)
  await page.getByRole(...button('Sign in')).click()
  await page.getByRole('link', { name: 'web.example' }).first().waitFor()
  await settled(page)
  assert.doesNotMatch(await textOf(page.locator('body')), others)
})

test('no script sees the token or the session, and the address has neither', async (t) => {
  const page = await newPage(t, service)
  await signIn(page)
  const seen = await page.evaluate('JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])')
  assert.equal(seen, '["",{},{}]')
  assert.ok(!page.url().includes(adminToken))
  const [cookie, ...others] = await page.context().cookies()
  assert.deepEqual(others, [])
  assert.deepEqual([cookie?.name, cookie?.httpOnly, cookie?.sameSite], ['tlsrpt-session', true, 'Strict'])
  assert.ok(!cookie!.value.includes(adminToken))
})

test('a session whose token is revoked ends in the form', async (t) => {
  const page = await newPage(t, service, { expected: [/status of 401/] })
  const api = (method: string, path: string, body?: object) =>
    fetch(`http://127.0.0.1:${service.ports.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
  const made = await api('POST', '/v1/tokens', { name: 'Ada', scopes: ['read'], domains: ['web.example'] })
  const { key, token } = (await made.json()) as { key: string; token: string }
  await signIn(page, '/', token)
  assert.equal((await api('DELETE', `/v1/tokens/${key}`)).status, 204)
  await page.reload()
  await page.getByLabel('Token').waitFor()
})
