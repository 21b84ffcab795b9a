/** Our own listeners under their published names; whether they are reached is seen in check.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeSeldom } from '../../src/checks/own-listeners.ts'

test('each server is looked at once in a while, whatever mailbox or token stands behind it', async () => {
  const looked: string[] = []
  let nowMs = 0
  const see = seeSeldom(
    (uri) => {
      looked.push(uri)
      return Promise.resolve({ reason: 'refused', text: uri })
    },
    1_000,
    () => nowMs,
  )
  const mail = await see('mailto:a@rua.example')
  assert.equal(await see('mailto:b@RUA.example'), mail)
  await see('https://rua.example/v1/tlsrpt/one')
  await see('https://rua.example/v1/tlsrpt/two')
  assert.deepEqual(looked, ['mailto:a@rua.example', 'https://rua.example/v1/tlsrpt/one'])
  nowMs = 1_000
  await see('mailto:b@rua.example')
  assert.equal(looked.length, 3)
})
