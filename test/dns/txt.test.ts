/** The real resolver against a server on loopback that does all that servers do. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { encode } from 'dns-packet'
import type { TxtAnswer } from '../../src/dkim/verify.ts'
import { makeResolveTxt, type DnsLimits } from '../../src/dns/txt.ts'
import { defaultLimits } from '../../src/limits.ts'
import { replyTo, startDnsServer, TRUNCATED, txt, type DnsServer } from '../support/dns-server.ts'

const long = `v=DKIM1; p=${'A'.repeat(900)}`
const server = await startDnsServer({
  'one.example': 'v=1',
  'two.example': ['a', 'b'],
  'long.example': long,
  'bytes.example': '\u00e9\u00ff',
  'alias.example': { cname: 'one.example' },
  'chain.example': { cname: 'chain2.example', ttl: 50 },
  'chain2.example': { cname: 'Short.Example', ttl: 20 },
  'short.example': { txt: 'at the end', ttl: 30 },
  'circle.example': { cname: 'circle2.example' },
  'circle2.example': { cname: 'circle.example' },
  'dangling.example': { cname: 'nowhere.example' },
  'empty.example': { nodata: true },
  'broken.example': { servfail: true },
  'refused.example': { rcode: 5 },
  'odd.example': { rcode: 9 },
  'silent.example': { drop: true },
  'large.example': { truncate: long },
})
after(() => server.close())

const missing: TxtAnswer = { kind: 'missing' }
const found = (...records: string[]): TxtAnswer => ({ kind: 'found', records })
const unreachable = (reason: string): TxtAnswer => ({ kind: 'unreachable', reason })

/** With a clock that the test moves: `clock.now` is in seconds. */
function resolver(servers: string[] | DnsServer = server, change: Partial<DnsLimits> = {}) {
  const clock = { now: 0 }
  const limits = { ...defaultLimits, ...change }
  const addresses = Array.isArray(servers) ? servers : [servers.address]
  return { clock, resolveTxt: makeResolveTxt(addresses, limits, () => clock.now * 1_000) }
}
const { resolveTxt } = resolver()

/** For what is never answered. */
const impatient = resolver(server, { dnsTimeoutMs: 600 }).resolveTxt

/** One answer after the other for the same question. */
async function askTwice(name: string, seconds: number, change: Partial<DnsLimits> = {}): Promise<number> {
  const { clock, resolveTxt } = resolver(server, change)
  const before = server.queries.length
  await resolveTxt(name)
  clock.now = seconds
  await resolveTxt(name)
  return server.queries.length - before
}

test('a record is found, its strings joined with nothing between, each byte a character', async () => {
  assert.deepEqual(await resolveTxt('one.example'), found('v=1'))
  assert.deepEqual(await resolveTxt('long.example'), found(long))
  assert.deepEqual(await resolveTxt('bytes.example'), found('\u00e9\u00ff'))
})

test('several records at a name are several records', async () => {
  assert.deepEqual(await resolveTxt('two.example'), found('a', 'b'))
})

test('an alias, and a chain of them, is followed', async () => {
  assert.deepEqual(await resolveTxt('alias.example'), found('v=1'))
  assert.deepEqual(await resolveTxt('chain.example'), found('at the end'))
})

test('aliases in a circle, and one that leads nowhere, are missing', async () => {
  assert.deepEqual(await resolveTxt('circle.example'), missing)
  assert.deepEqual(await resolveTxt('dangling.example'), missing)
})

test('no such name and no such record are missing: asking again would not help', async () => {
  assert.deepEqual(await resolveTxt('nowhere.example'), missing)
  assert.deepEqual(await resolveTxt('empty.example'), missing)
})

test('a name that cannot be asked for is missing, and nobody is asked', async () => {
  const before = server.queries.length
  for (const name of ['', '.', 'a..example', `${'a'.repeat(64)}.example`, `${'a.'.repeat(130)}example`, 'b\u00fccher.example', 'a b.example', 'a\0.example']) assert.deepEqual(await resolveTxt(name), missing) // prettier-ignore
  assert.equal(server.queries.length, before)
})

test('a truncated answer is asked for again over TCP', async () => {
  assert.deepEqual(await resolveTxt('large.example'), found(long))
})

test('a server that fails, refuses, or says what nobody knows, is unreachable, with its word as the reason', async () => {
  assert.deepEqual(await resolveTxt('broken.example'), unreachable('dns-servfail'))
  assert.deepEqual(await resolveTxt('refused.example'), unreachable('dns-refused'))
  assert.deepEqual(await resolveTxt('odd.example'), unreachable('dns-rcode-9'))
})

test('a silent server is asked twice, and is unreachable within the time allowed', async () => {
  const before = server.queries.length
  const begun = performance.now()
  assert.deepEqual(await impatient('silent.example'), unreachable('dns-timeout'))
  assert.ok(performance.now() - begun < 1_500)
  assert.equal(server.queries.length - before, 2)
})

test('a lost datagram costs no answer', async () => {
  let asked = 0
  server.zone['lossy.example'] = { send: (query) => (++asked === 1 ? [] : [replyTo(query, [txt('lossy.example', 'x')])]) } // prettier-ignore
  assert.deepEqual(await resolver(server, { dnsTimeoutMs: 1_000 }).resolveTxt('lossy.example'), found('x'))
})

test('a resolver that is not there is unreachable at once', async () => {
  const gone = await startDnsServer({})
  await gone.close()
  const begun = performance.now()
  const answer = await resolver([gone.address]).resolveTxt('one.example')
  assert.deepEqual(answer, unreachable('dns-connrefused'))
  assert.ok(performance.now() - begun < 2_000)
})

test('where TCP is refused, a truncated answer is unreachable and not missing', async () => {
  const udp = createSocket('udp4')
  udp.on('message', (message, peer) => {
    message.writeUInt16BE(0x8000 | 0x0080 | TRUNCATED, 2)
    udp.send(message, peer.port, peer.address)
  })
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const answer = await resolver([`127.0.0.1:${udp.address().port}`]).resolveTxt('one.example')
  udp.close()
  assert.deepEqual(answer, unreachable('dns-connrefused'))
})

test('the next server is asked when one fails, is silent or is gone, and first from then on', async () => {
  const gone = await startDnsServer({})
  await gone.close()
  const failing = await startDnsServer({ 'one.example': { servfail: true }, 'two.example': { servfail: true } })
  const silent = await startDnsServer({ 'one.example': { drop: true }, 'two.example': { drop: true } })
  const { resolveTxt } = resolver([gone.address, failing.address, silent.address, server.address], {
    dnsTimeoutMs: 4_000,
  })
  assert.deepEqual(await resolveTxt('one.example'), found('v=1'))
  assert.deepEqual(await resolveTxt('two.example'), found('a', 'b'))
  await failing.close()
  await silent.close()
  assert.deepEqual([failing.queries, silent.queries], [['one.example'], ['one.example']])
})

test('an IPv6 server is asked', async (t) => {
  const six = await startDnsServer({ 'one.example': 'six', 'large.example': { truncate: long } }, '::1').catch(() => undefined) // prettier-ignore
  if (!six) {
    t.skip('no IPv6 on this machine')
    return
  }
  const { resolveTxt } = resolver(six)
  assert.deepEqual(await resolveTxt('one.example'), found('six'))
  assert.deepEqual(await resolveTxt('large.example'), found(long))
  await six.close()
})

test('a server that does not know EDNS is asked without', async () => {
  server.zone['old.example'] = { rcode: 1, unless: 'plain' }
  server.zone['old2.example'] = { rcode: 4, unless: 'plain' }
  server.zone['older.example'] = { send: (query) => [replyTo(query, [], query.additionals?.length ? { flags: 0x0081, questions: [] } : { answers: [txt('older.example', 'x')] })] } // prettier-ignore
  server.zone['confused.example'] = { rcode: 1 }
  assert.deepEqual(await resolveTxt('old.example'), found('plain'))
  assert.deepEqual(await resolveTxt('old2.example'), found('plain'))
  assert.deepEqual(await resolveTxt('older.example'), found('x'))
  assert.deepEqual(await resolveTxt('confused.example'), unreachable('dns-formerr'))
})

test('an answer with a wrong id, to a wrong question, or that is a question, is passed over', async () => {
  const name = 'spoofed.example'
  const forged = [txt(name, 'forged')]
  const question = (change: object) => ({ questions: [{ type: 'TXT', name, ...change }] }) as object
  const wrong = (query: Parameters<typeof replyTo>[0]) => [
    replyTo(query, forged, { id: (query.id! + 1) % 65_536 }),
    replyTo(query, forged, { type: 'query' }),
    replyTo(query, [txt('other.example', 'forged')], question({ name: 'other.example' })),
    replyTo(query, forged, question({ type: 'A' })),
    replyTo(query, forged, question({ class: 'CH' })),
    replyTo(query, forged, { questions: [] }),
    replyTo(query, forged, { questions: [query.questions![0]!, query.questions![0]!] }),
    Buffer.from('garbage'),
    Buffer.alloc(0),
  ]
  server.zone[name] = { send: (query) => [...wrong(query), replyTo(query, [txt('SPOOFED.example', 'true')])] }
  assert.deepEqual(await resolveTxt(name), found('true'))
  server.zone['forged.example'] = { send: (query) => wrong(query) }
  assert.deepEqual(await impatient('forged.example'), unreachable('dns-timeout'))
})

test('records of another name, class or type than asked for do not count', async () => {
  server.zone['stuffed.example'] = {
    send: (query) => [
      replyTo(query, [
        txt('other.example', 'not asked for'),
        { ...txt('stuffed.example', 'chaos'), class: 'CH' } as never,
        { type: 'A', name: 'stuffed.example', data: '192.0.2.1' },
        txt('stuffed.example', 'right'),
      ]),
    ],
  }
  assert.deepEqual(await resolveTxt('stuffed.example'), found('right'))
})

test('an answer that cannot be read, cut short or with pointers in a circle, is unreachable', async () => {
  const broken = (change: (bytes: Buffer) => Buffer) => ({
    send: (query: Parameters<typeof replyTo>[0]) => [change(encode(replyTo(query, [txt('x.example', 'a'.repeat(200))])))], // prettier-ignore
  })
  server.zone['cut.example'] = broken((bytes) => bytes.subarray(0, bytes.length - 100))
  server.zone['half.example'] = broken((bytes) => bytes.subarray(0, 14))
  server.zone['counts.example'] = broken((bytes) => (bytes.writeUInt16BE(0xffff, 6), bytes))
  server.zone['loop.example'] = broken((bytes) => (bytes.writeUInt16BE(0xc00c, 12), bytes))
  server.zone['noise.example'] = broken((bytes) => bytes.fill(0xc0, 4))
  server.zone['badvers.example'] = {
    send: (query) => [replyTo(query, [], { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 1, ednsVersion: 0, flags: 0, flag_do: false, options: [] }] })], // prettier-ignore
  }
  for (const name of ['cut.example', 'half.example', 'counts.example', 'loop.example', 'noise.example']) {
    assert.deepEqual(await resolveTxt(name), unreachable('dns-badresp'), name)
  }
  assert.deepEqual(await resolveTxt('badvers.example'), unreachable('dns-rcode-16'))
})

test('over TCP, an answer in pieces is put together, and one that ends early or is none is unreachable', async () => {
  const overTcp = (answers: (query: Parameters<typeof replyTo>[0]) => ReturnType<typeof replyTo>[] | Buffer[]) => ({
    send: (query: Parameters<typeof replyTo>[0], over: 'udp' | 'tcp') =>
      over === 'udp' ? [replyTo(query, [], { flags: TRUNCATED })] : answers(query),
  })
  server.zone['wide.example'] = overTcp((query) => [replyTo(query, Array.from({ length: 15 }, () => txt('wide.example', 'w'.repeat(1_000))))]) // prettier-ignore
  server.zone['still-truncated.example'] = overTcp((query) => [replyTo(query, [], { flags: TRUNCATED })])
  server.zone['other-id.example'] = overTcp((query) => [replyTo(query, [], { id: (query.id! + 1) % 65_536 })])
  server.zone['nothing.example'] = overTcp(() => [Buffer.alloc(0)])
  assert.deepEqual(await resolveTxt('wide.example'), found(...Array.from({ length: 15 }, () => 'w'.repeat(1_000))))
  for (const name of ['still-truncated.example', 'other-id.example', 'nothing.example']) {
    assert.deepEqual(await resolveTxt(name), unreachable('dns-badresp'), name)
  }
})

test('an answer beyond all bounds holds no key: it is missing, for a sender is not told to retry it', async () => {
  const records = Array.from({ length: 17 }, () => txt('huge.example', 'h'.repeat(1_000)))
  server.zone['huge.example'] = { send: (query, over) => [replyTo(query, over === 'tcp' ? records : [], over === 'udp' ? { flags: TRUNCATED } : {})] } // prettier-ignore
  server.zone['huge-datagram.example'] = { send: (query) => [replyTo(query, records)] }
  assert.deepEqual(await resolveTxt('huge.example'), missing)
  assert.deepEqual(await resolveTxt('huge-datagram.example'), missing)
})

test('an empty answer from a server that neither resolves nor is responsible says nothing', async () => {
  const referral = { type: 'NS', name: 'example', ttl: 300, data: 'ns.example' } as const
  server.zone['lame.example'] = { send: (query) => [replyTo(query, [], { flags: 0, authorities: [referral] })] }
  assert.deepEqual(await resolveTxt('lame.example'), unreachable('dns-no-recursion'))
})

test('an answer is kept for its TTL, whatever the case of the name', async () => {
  const { clock, resolveTxt } = resolver()
  const before = server.queries.length
  await resolveTxt('one.example')
  clock.now = 299
  assert.deepEqual(await resolveTxt('ONE.Example'), found('v=1'))
  assert.equal(server.queries.length - before, 1)
  clock.now = 300
  await resolveTxt('one.example')
  assert.equal(server.queries.length - before, 2)
})

test('the shortest TTL of a chain and of several records counts', async () => {
  assert.equal(await askTwice('chain.example', 19), 1)
  assert.equal(await askTwice('chain.example', 20), 2)
  server.zone['mixed.example'] = { send: (query) => [replyTo(query, [txt('mixed.example', 'a', 9), txt('mixed.example', 'b', 5)])] } // prettier-ignore
  assert.equal(await askTwice('mixed.example', 4), 1)
  assert.equal(await askTwice('mixed.example', 5), 2)
})

test('a TTL of 0, and one with its top bit set, keep nothing', async () => {
  server.zone['zero.example'] = { txt: 'a', ttl: 0 }
  server.zone['negative.example'] = { txt: 'a', ttl: 0x8000_0000 }
  assert.equal(await askTwice('zero.example', 0), 2)
  assert.equal(await askTwice('negative.example', 0), 2)
})

test('a TTL of years keeps a key for an hour: it may be withdrawn', async () => {
  server.zone['forever.example'] = { txt: 'a', ttl: 0x7fff_ffff }
  assert.equal(await askTwice('forever.example', 3_599), 1)
  assert.equal(await askTwice('forever.example', 3_600), 2)
})

test('that there is none is kept for what the SOA record says, for five minutes at most, and not at all without one', async () => {
  server.zone['brief.example'] = { nothing: true, keep: 60 }
  server.zone['brief-nodata.example'] = { nodata: true, keep: 60 }
  server.zone['lasting.example'] = { nothing: true, keep: 86_400 }
  for (const name of ['brief.example', 'brief-nodata.example']) {
    assert.equal(await askTwice(name, 59), 1, name)
    assert.equal(await askTwice(name, 60), 2, name)
  }
  assert.equal(await askTwice('lasting.example', 299), 1)
  assert.equal(await askTwice('lasting.example', 300), 2)
  assert.equal(await askTwice('nowhere.example', 0), 2)
})

test('what could not be told is asked again: when the resolver is back, so are we', async () => {
  const { resolveTxt } = resolver(server, { dnsTimeoutMs: 600 })
  for (const trouble of [{ servfail: true }, { drop: true }] as const) {
    server.zone['back.example'] = trouble
    assert.equal((await resolveTxt('back.example')).kind, 'unreachable')
  }
  server.zone['back.example'] = 'here'
  assert.deepEqual(await resolveTxt('back.example'), found('here'))
})

test('many who ask for one name at once ask one question, also where the answer is not kept', async () => {
  const { resolveTxt } = resolver()
  server.zone['sought.example'] = { delay: 50, txt: 'x' }
  server.zone['sought-zero.example'] = { txt: 'x', ttl: 0 }
  const before = server.queries.length
  const names = ['sought.example', 'sought-zero.example', 'Sought.Example']
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => resolveTxt(names[i % 3]!)))
  assert.deepEqual(answers, Array(60).fill(found('x')))
  assert.equal(server.queries.length - before, 2)
})

test('beyond the questions that may be under way one more is unreachable at once, and later it is not', async () => {
  const { resolveTxt } = resolver(server, { dnsQuestions: 3 })
  for (const n of [1, 2, 3, 4]) server.zone[`busy${n}.example`] = { delay: 50, txt: `${n}` }
  const answers = await Promise.all([1, 2, 3, 4].map((n) => resolveTxt(`busy${n}.example`)))
  assert.deepEqual(answers, [found('1'), found('2'), found('3'), unreachable('dns-busy')])
  assert.deepEqual(await resolveTxt('busy4.example'), found('4'))
})
