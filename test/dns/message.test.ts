/** Whatever the bytes of a reply: it is read or it is not, without a throw and in little time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decode, encode } from 'dns-packet'
import { isAskable, maxMessageBytes, readReply, writeQuestion } from '../../src/dns/message.ts'
import { replyTo, txt } from '../support/dns-server.ts'

const question = { name: 'tls._domainkey.sender.example', type: 'TXT' } as const
const bytes = writeQuestion(question, 7, true)
const reply = encode(replyTo(decode(bytes), [txt(question.name, 'k'.repeat(400))]))

test('the question is as it should be: recursion desired, one question, EDNS with 1232 octets', () => {
  const { id, flag_rd, questions, additionals } = decode(bytes)
  assert.deepEqual({ id, flag_rd, questions }, { id: 7, flag_rd: true, questions: [{ ...question, class: 'IN' }] })
  assert.partialDeepStrictEqual(additionals, [{ type: 'OPT', udpPayloadSize: 1232 }])
  assert.deepEqual(decode(writeQuestion(question, 7, false)).additionals, [])
})

test('every name that is asked for comes back from the wire as it was', () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,63}$/)
  const names = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))
  fc.assert(
    fc.property(names, (name) => {
      fc.pre(isAskable(name))
      assert.equal(decode(writeQuestion({ name, type: 'TXT' }, 1, true)).questions?.[0]?.name, name)
    }),
  )
})

test('a reply with any of its bytes changed or cut off never throws, and never shows a record cut short', () => {
  const damage = fc.array(fc.tuple(fc.nat(reply.length - 1), fc.nat(255)), { maxLength: 8 })
  fc.assert(
    fc.property(damage, fc.nat(reply.length), (changes, length) => {
      const damaged = Buffer.from(reply)
      for (const [at, byte] of changes) damaged[at] = byte
      readReply(damaged.subarray(0, length), question, 7)
      const cut = readReply(reply.subarray(0, length), question, 7)
      assert.equal(cut.kind === 'reply', length === reply.length)
    }),
    { numRuns: 2_000 },
  )
})

test('noise behind a good header never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
      readReply(Buffer.concat([bytes.subarray(0, 2), Buffer.from([0x81, 0x80]), noise]), question, 7)
    }),
    { numRuns: 2_000 },
  )
})

/** A chain of so many pointers, each behind as many labels of one letter, and all the records that fit whose names go down all of it, twice. */
function pointersAllTheWay(links: number, labels: 0 | 1): Buffer {
  const head = encode({ ...replyTo(decode(bytes)), additionals: [] })
  const chainStart = head.length + 12
  const root = head.length - 5
  const link = (to: number) => [...Buffer.from('\x01a'.repeat(labels)), 0xc0 | (to >> 8), to & 0xff]
  const size = link(0).length
  const chain = Buffer.from(Array.from({ length: links }, (_, i) => link(i === 0 ? root : chainStart + (i - 1) * size)).flat()) // prettier-ignore
  const last = 0xc000 | (chainStart + (links - 1) * size)
  const record = (type: number, data: Buffer, owner: number) => {
    const start = Buffer.alloc(12)
    start.writeUInt16BE(owner)
    start.writeUInt16BE(type, 2)
    start.writeUInt16BE(1, 4)
    start.writeUInt16BE(data.length, 10)
    return Buffer.concat([start, data])
  }
  const cname = record(5, Buffer.from([last >> 8, last & 0xff]), last)
  const fitting = Math.floor((maxMessageBytes - chainStart - chain.length) / cname.length)
  head.writeUInt16BE(1 + fitting, 6)
  return Buffer.concat([head, record(0xfffe, chain, 0xc00c), ...Array<Buffer>(fitting).fill(cname)])
}

const dearest = [
  { what: 'of 126 labels and pointers in each name', worst: pointersAllTheWay(126, 1), kind: 'reply' },
  { what: 'of pointers to pointers in thousands', worst: pointersAllTheWay(4_096, 0), kind: 'malformed' },
] as const
for (const { what, worst, kind } of dearest) {
  test(`the dearest message to read, ${what}, costs less than 100 ms of CPU`, () => {
    readReply(worst, question, 7) // The first is compiled.
    const before = process.cpuUsage()
    assert.equal(readReply(worst, question, 7).kind, kind)
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 100_000, `${(user + system) / 1000} ms`)
    assert.deepEqual(readReply(Buffer.concat([worst, Buffer.alloc(20)]), question, 7), { kind: 'too-large' })
  })
}

test('a name may lead through 127 pointers, as many as it may have labels, and no more', () => {
  assert.equal(readReply(pointersAllTheWay(126, 0), question, 7).kind, 'reply') // The owner and the alias are one more.
  assert.equal(readReply(pointersAllTheWay(127, 0), question, 7).kind, 'malformed')
})
