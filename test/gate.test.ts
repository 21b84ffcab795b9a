/** Who may be on the road at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeGate } from '../src/gate.ts'

const limits = { readAtOnce: 2, readQueue: 3, readWaitSeconds: 30, underWayBytes: 100 }

test('so many are read at once, so many wait in the order they came, and one more is told so at once', async () => {
  const gate = makeGate(limits)
  const started: number[] = []
  const finish: (() => void)[] = []
  const read = (n: number) => () =>
    new Promise<number>((resolve) => {
      started.push(n)
      finish[n] = () => {
        resolve(n)
      }
    })
  const answers = [0, 1, 2, 3, 4].map((n) => gate.inTurn(1, read(n)))
  assert.deepEqual(started, [0, 1])
  assert.equal(await gate.inTurn(1, read(5)), undefined)
  for (const n of [1, 0, 2, 3, 4]) {
    finish[n]!()
    assert.equal(await answers[n], n)
    await sleep(1)
  }
  assert.deepEqual(started, [0, 1, 2, 3, 4], 'and what was turned away never ran')
})

test('the oldest and the smallest take turns, so that large ones hold up nobody and are not held up for ever', async () => {
  const gate = makeGate({ ...limits, readAtOnce: 1, readQueue: 10 })
  const order: number[] = []
  const sizes = [0, 900, 901, 902, 3, 2, 1]
  await Promise.all(sizes.map((bytes) => gate.inTurn(bytes, () => Promise.resolve(order.push(bytes)))))
  assert.deepEqual(order, [0, 900, 1, 901, 2, 902, 3])
})

test('who waited too long is told so, and never runs', async () => {
  const gate = makeGate({ ...limits, readAtOnce: 1, readWaitSeconds: 0.02 })
  const first = gate.inTurn(1, () => sleep(50, 'first'))
  const late = gate.inTurn(1, (): Promise<string> => Promise.reject(new Error('ran')))
  assert.equal(await first, 'first')
  assert.equal(await late, undefined)
  assert.equal(await gate.inTurn(1, () => Promise.resolve('next')), 'next')
})

test('work that throws gives its turn back', async () => {
  const gate = makeGate({ ...limits, readAtOnce: 1 })
  const broken = gate.inTurn(1, () => Promise.reject(new Error('a defect')))
  const next = gate.inTurn(1, () => Promise.resolve('next'))
  await assert.rejects(broken, /a defect/)
  assert.equal(await next, 'next')
})

test('what is under way is weighed; one is always taken, however heavy', () => {
  const gate = makeGate(limits)
  const heavy = gate.hold(1_000)
  assert.ok(heavy)
  assert.equal(gate.hold(1), undefined)
  assert.ok(gate.hold(0), 'what is no report takes no room')
  heavy()
  const leave = gate.hold(60)
  assert.ok(leave)
  assert.equal(gate.hold(20), undefined, 'the last quarter is for light ones')
  for (let i = 0; i < 40; i++) assert.ok(gate.hold(1))
  assert.equal(gate.hold(1), undefined)
  leave()
  assert.ok(gate.hold(1))
})
