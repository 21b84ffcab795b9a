/** Who may be on the road at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeGate } from '../src/gate.ts'

const limits = { readAtOnce: 2, largeBytes: 50, readQueue: 3, readWaitSeconds: 30, underWayBytes: 100 }

test('who comes in one turn of the event loop goes on together, when all are heard; of very many some a turn later', async () => {
  const gate = makeGate(limits)
  const gone: number[] = []
  const come = (n: number) => void gate.together().then(() => gone.push(n))
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  for (let n = 0; n < 40; n++) come(n)
  setImmediate(() => {
    for (let n = 40; n < 150; n++) come(n) // Heard in the turn that the others go on in.
  })
  await Promise.resolve()
  assert.deepEqual(gone, [])
  await turn()
  assert.deepEqual(gone, [...Array(40).keys()])
  await turn()
  assert.deepEqual(gone, [...Array(104).keys()])
  await turn()
  assert.deepEqual(gone, [...Array(150).keys()])
})

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

/** In the order of their turns. `sizes` are bytes, and as many milliseconds is one at work. */
async function readAll(sizes: number[]): Promise<number[]> {
  const gate = makeGate({ ...limits, readAtOnce: 1, readQueue: 100 })
  const order: number[] = []
  const read = (bytes: number) => async () => {
    order.push(bytes)
    const until = performance.now() + bytes
    while (performance.now() < until) await sleep(0)
  }
  await Promise.all(sizes.map((bytes) => gate.inTurn(bytes, read(bytes))))
  return order
}

test('the oldest and the smallest share the time: while a large one is read, many small ones come, and all of them are next', async () => {
  assert.deepEqual(await readAll([0, 60, 61, 62, 3, 2, 1]), [0, 60, 1, 2, 3, 61, 62])
})

test('small ones that never end do not hold up the large ones for ever', async () => {
  const small = Array<number>(30).fill(2)
  const order = await readAll([0, 20, 21, ...small])
  assert.equal(order[1], 20)
  const smallBefore = order.indexOf(21) - 2
  assert.ok(smallBefore >= 2 && smallBefore <= 15, `${smallBefore} small ones before the second large one`)
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

test('what is large goes one by one, and beside the others', async () => {
  const gate = makeGate(limits)
  const started: string[] = []
  const finish: (() => void)[] = []
  const read = (name: string) => () => {
    started.push(name)
    return new Promise<string>((resolve) => {
      finish.push(() => {
        resolve(name)
      })
    })
  }
  const large = [gate.oneByOne(1, read('first large')), gate.oneByOne(1, read('second large'))]
  const small = gate.inTurn(1, read('small'))
  assert.deepEqual(started, ['first large', 'small'])
  finish[0]!()
  assert.equal(await large[0], 'first large')
  assert.deepEqual(started, ['first large', 'small', 'second large'])
  finish[1]!()
  finish[2]!()
  assert.deepEqual([await small, await large[1]], ['small', 'second large'])
})

test('what is not read yet counts as heavy until it is weighed, and waits for room', async () => {
  const gate = makeGate(limits)
  const first = await gate.holdUnread()
  assert.ok(first)
  const second = gate.holdUnread()
  assert.equal(gate.hold(60), undefined)
  first.weigh(20)
  const next = await second
  assert.ok(next)
  next.weigh(5)
  assert.ok(gate.hold(40))
  assert.equal(gate.hold(40), undefined)
  first.leave()
  next.leave()
  assert.ok(gate.hold(30))
})

test('what waited too long for room is told so', async () => {
  const gate = makeGate({ ...limits, readWaitSeconds: 0.02 })
  const heavy = gate.hold(1_000)
  assert.ok(heavy)
  assert.equal(await gate.holdUnread(), undefined)
  heavy()
  assert.ok(await gate.holdUnread())
})

test('side by side go as many as are no larger together than one may be; a large one waits for room, and nobody passes it by', async () => {
  const gate = makeGate({ ...limits, readQueue: 100 })
  const started: number[] = []
  const finish = new Map<number, () => void>()
  const read = (bytes: number) =>
    gate.sideBySide(bytes, async () => {
      started.push(bytes)
      await new Promise<void>((resolve) => finish.set(bytes, resolve))
    })
  const begun = [20, 21, 9, 49, 1, 2].map(read)
  assert.deepEqual(started, [20, 21, 9])
  const end = async (bytes: number) => {
    finish.get(bytes)!()
    await sleep(1)
  }
  await end(20)
  await end(21)
  assert.deepEqual(
    started,
    [20, 21, 9],
    'beside the third there is no room for the large one, who came before the others',
  )
  await end(9)
  assert.deepEqual(started, [20, 21, 9, 49, 1])
  await end(49)
  assert.deepEqual(started, [20, 21, 9, 49, 1, 2])
  const others = [gate.inTurn(1, () => Promise.resolve('in turn')), gate.oneByOne(99, () => Promise.resolve('large'))]
  assert.deepEqual(await Promise.all(others), ['in turn', 'large'], 'which is beside them')
  await end(1)
  const alone = read(1_000)
  assert.equal(started.at(-1), 2, 'however large, but not beside others')
  await end(2)
  assert.equal(started.at(-1), 1_000)
  finish.get(1_000)!()
  await Promise.all([...begun, alone])
})
