/** How bytes come into memory. */
import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { collect } from '../../src/transport/collect.ts'

const unhurried = { graceSeconds: 60, bytesPerSecond: 1 }

test('what comes in pieces of any size is whole again, up to the limit and not beyond', async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9000 }), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(pieces, async (chunks) => {
      const all = Buffer.concat(chunks)
      const room = { left: 1_000_000 }
      const stream = () => Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
      assert.deepEqual(await collect(stream(), all.length, room, unhurried), { kind: 'whole', bytes: all })
      assert.equal(room.left, 1_000_000 - all.length)
      room.left += all.length
      if (all.length > 0)
        assert.deepEqual(await collect(stream(), all.length - 1, room, unhurried), { kind: 'too-large' })
      assert.equal(room.left, 1_000_000)
    }),
  )
})

test('who finds no room, or breaks off, gives back what he had', async () => {
  const room = { left: 10 }
  const first = new PassThrough()
  const second = new PassThrough()
  const collected = [collect(first, 100, room, unhurried), collect(second, 100, room, unhurried)]
  first.write('123456')
  await new Promise(setImmediate)
  second.write('1234')
  await new Promise(setImmediate)
  assert.equal(room.left, 0)
  second.write('5')
  assert.deepEqual(await collected[1], { kind: 'no-room' })
  assert.equal(room.left, 4)
  second.end('what still comes flows by')
  first.destroy(new Error('reset'))
  assert.deepEqual(await collected[0], { kind: 'broken-off' })
  assert.equal(room.left, 10)
})

test('who sends too slowly on average is given up, and who was fast enough may rest for as long', async () => {
  const room = { left: 1_000 }
  const pace = { graceSeconds: 0.1, bytesPerSecond: 100 }
  const [slow, fast] = [new PassThrough(), new PassThrough()]
  const collected = [collect(slow, 100, room, pace), collect(fast, 100, room, pace)]
  slow.write('x'.repeat(5))
  fast.write('x'.repeat(60))
  await sleep(250)
  assert.deepEqual(await collected[0], { kind: 'too-slow' })
  assert.equal(room.left, 940)
  fast.end()
  assert.equal((await collected[1])?.kind, 'whole')
})

test('ten megabytes in a million pieces take little more memory than that', async () => {
  const before = process.memoryUsage().rss
  const collected = await collect(
    Readable.from(tenBytesAtATime(1_000_000)),
    10_000_000,
    { left: 10_000_000 },
    unhurried,
  )
  assert.equal(collected.kind, 'whole')
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024
  assert.ok(grown < 150, `${grown} MiB`) // A list of a million Buffers takes more.
})

function* tenBytesAtATime(times: number): Generator<Buffer> {
  for (let i = 0; i < times; i++) yield Buffer.alloc(10)
}
