import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepAnswers, type KeepLimits } from '../../src/dns/keep.ts'

/** `asked` grows by each name that was looked up. Every answer may be kept for 10 s; it is the name's length in bytes. */
function keeper(change: Partial<KeepLimits> = {}) {
  const asked: string[] = []
  const clock = { now: 0 }
  const lookUp = (name: string) => {
    asked.push(name)
    return Promise.resolve({ value: `${name} ${asked.length}`, seconds: 10, bytes: name.length })
  }
  const keep = keepAnswers(lookUp, { dnsCacheNames: 3, dnsCacheAnswerBytes: 20, ...change }, () => clock.now)
  return { asked, clock, keep }
}

test('the name that was not asked for the longest goes first', async () => {
  const { asked, keep } = keeper()
  for (const name of ['a', 'b', 'c', 'a', 'd']) await keep(name)
  assert.deepEqual(asked.splice(0), ['a', 'b', 'c', 'd'])
  for (const name of ['a', 'c', 'd']) await keep(name)
  assert.deepEqual(asked, [])
  await keep('b')
  assert.deepEqual(asked, ['b'])
})

test('a stranger with ever new names does not push out what is in use', async () => {
  const { asked, keep } = keeper()
  for (let n = 0; n < 1_000; n++) {
    await keep('in-use')
    await keep(`new${n}`)
  }
  assert.equal(asked.filter((name) => name === 'in-use').length, 1)
})

test('a large answer is given, but not kept', async () => {
  const { asked, keep } = keeper()
  const name = 'x'.repeat(21)
  assert.equal(await keep(name), `${name} 1`)
  assert.equal(await keep(name), `${name} 2`)
  await keep('y'.repeat(20))
  await keep('y'.repeat(20))
  assert.equal(asked.length, 3)
})

test('to be asked for does not make an answer last longer', async () => {
  const { clock, keep } = keeper()
  for (clock.now = 0; clock.now < 10_000; clock.now += 1_000) assert.equal(await keep('a'), 'a 1')
  assert.equal(await keep('a'), 'a 2')
})

test('a look-up that throws is not kept, and does not keep the name busy', async () => {
  let tries = 0
  const lookUp = () => (++tries === 1 ? Promise.reject(new Error('a defect')) : Promise.resolve({ value: 'b', seconds: 1, bytes: 1 })) // prettier-ignore
  const keep = keepAnswers(lookUp, { dnsCacheNames: 1, dnsCacheAnswerBytes: 1 }, () => 0)
  await assert.rejects(keep('a'), /a defect/)
  assert.equal(await keep('a'), 'b')
})
