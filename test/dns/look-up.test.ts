/** What checks ask the DNS for, against a server on loopback. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { decode } from 'dns-packet'
import { makeLookUp } from '../../src/dns/look-up.ts'
import { writeQuestion } from '../../src/dns/message.ts'
import { defaultLimits } from '../../src/limits.ts'
import { replyTo, startDnsServer, TRUNCATED, txt } from '../support/dns-server.ts'

const tlsa = { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 7) }
const server = await startDnsServer({
  'full.example': {
    records: {
      A: ['192.0.2.1', '192.0.2.2'],
      AAAA: ['2001:db8::1'],
      MX: [
        { preference: 10, exchange: 'MX1.full.example' },
        { preference: 20, exchange: '.' },
      ],
      TLSA: [tlsa],
      TXT: ['a'.repeat(400), '\u00e9'],
    },
  },
  'signed.example': { records: { MX: [{ preference: 0, exchange: 'mx.signed.example' }] }, ad: true },
  'alias.example': { cname: 'Alias2.example' },
  'alias2.example': { cname: 'signed.example' },
  'dangling.example': { cname: 'gone.example' },
  'circle.example': { cname: 'circle2.example' },
  'circle2.example': { cname: 'circle.example' },
  'empty.example': { nodata: true },
  'broken.example': { servfail: true },
  'silent.example': { drop: true },
})
after(() => server.close())

const lookUp = makeLookUp([server.address], { ...defaultLimits, dnsTimeoutMs: 60_000 })
const unsigned = { authenticated: false, aliases: [] }

test('records of each type are found, and nothing of another type beside them', async () => {
  const found = (...records: unknown[]) => ({ kind: 'found', records, ...unsigned })
  assert.deepEqual(await lookUp('full.example', 'A'), found('192.0.2.1', '192.0.2.2'))
  assert.deepEqual(await lookUp('full.example', 'AAAA'), found('2001:db8::1'))
  assert.deepEqual(await lookUp('full.example', 'TXT'), found('a'.repeat(400), '\u00e9'))
  assert.deepEqual(
    await lookUp('full.example', 'MX'),
    found({ preference: 10, exchange: 'MX1.full.example' }, { preference: 20, exchange: '.' }),
  )
  const { certificate: data, ...rest } = tlsa
  assert.deepEqual(await lookUp('full.example', 'TLSA'), found({ ...rest, data }))
})

test('a name that does not exist is told from one without such a record', async () => {
  assert.deepEqual(await lookUp('nowhere.example', 'MX'), { kind: 'missing', reason: 'no-such-name', ...unsigned })
  assert.deepEqual(await lookUp('empty.example', 'MX'), { kind: 'missing', reason: 'no-data', ...unsigned })
  assert.deepEqual(await lookUp('signed.example', 'A'), {
    kind: 'missing',
    reason: 'no-data',
    authenticated: true,
    aliases: [],
  })
  assert.deepEqual(await lookUp('a..b', 'A'), { kind: 'missing', reason: 'no-such-name', ...unsigned })
})

test('what cannot be told now is neither found nor missing', async () => {
  assert.deepEqual(await lookUp('broken.example', 'TLSA'), { kind: 'unreachable', reason: 'dns-servfail' })
  const impatient = makeLookUp([server.address], { ...defaultLimits, dnsTimeoutMs: 300 })
  assert.deepEqual(await impatient('silent.example', 'A'), { kind: 'unreachable', reason: 'dns-timeout' })
})

test('aliases are followed and named, also where they lead nowhere or in a circle', async () => {
  const mx = { preference: 0, exchange: 'mx.signed.example' }
  const aliases = ['alias2.example', 'signed.example']
  assert.deepEqual(await lookUp('alias.example', 'MX'), { kind: 'found', records: [mx], authenticated: true, aliases })
  assert.partialDeepStrictEqual(await lookUp('dangling.example', 'TXT'), { kind: 'missing', aliases: ['gone.example'] })
  assert.partialDeepStrictEqual(await lookUp('circle.example', 'TXT'), {
    kind: 'missing',
    aliases: ['circle2.example', 'circle.example'],
  })
})

test('who asks for the alias itself gets it, and not what it leads to', async () => {
  assert.deepEqual(await lookUp('alias.example', 'CNAME'), { kind: 'found', records: ['Alias2.example'], ...unsigned })
  assert.partialDeepStrictEqual(await lookUp('full.example', 'CNAME'), { kind: 'missing', reason: 'no-data' })
})

test('the resolver is asked whether it has validated the answer', async () => {
  assert.partialDeepStrictEqual(await lookUp('signed.example', 'MX'), { kind: 'found', authenticated: true })
  assert.partialDeepStrictEqual(await lookUp('full.example', 'MX'), { kind: 'found', authenticated: false })
  const question = { name: 'a.example', type: 'MX' } as const
  const asked = (dnssec: boolean) => decode(writeQuestion({ ...question, dnssec }, 7, true))
  const bits = (packet: ReturnType<typeof decode>) => [packet.flag_ad, packet.additionals?.map((option) => option.type === 'OPT' && option.flag_do)] // prettier-ignore
  assert.deepEqual(bits(asked(true)), [true, [true]])
  assert.deepEqual(bits(asked(false)), [false, [false]])
})

test('signatures and proofs of absence that come along do not disturb', async () => {
  const name = 'proof.example'
  const signature = {
    type: 'RRSIG',
    name,
    class: 'IN',
    ttl: 300,
    data: {
      typeCovered: 'TXT',
      algorithm: 13,
      labels: 2,
      originalTTL: 300,
      expiration: 1_800_000_000,
      inception: 1_700_000_000,
      keyTag: 1,
      signersName: 'example',
      signature: Buffer.alloc(64, 1),
    },
  } as const
  const proof = {
    type: 'NSEC3',
    name: 'abc.example',
    class: 'IN',
    ttl: 300,
    data: {
      algorithm: 1,
      flags: 0,
      iterations: 0,
      salt: Buffer.alloc(0),
      nextDomain: Buffer.alloc(20, 3),
      rrtypes: ['A', 'RRSIG'] as string[],
    },
  } as const
  server.zone[name] = { send: (query) => [replyTo(query, [txt(name, 'x'), signature])] }
  server.zone['absent.example'] = { send: (query) => [replyTo(query, [], { authorities: [proof, signature] })] }
  assert.deepEqual(await lookUp(name, 'TXT'), { kind: 'found', records: ['x'], ...unsigned })
  assert.partialDeepStrictEqual(await lookUp('absent.example', 'TLSA'), { kind: 'missing', reason: 'no-data' })
})

test('an answer beyond all bounds cannot be told', async () => {
  const records = Array.from({ length: 17 }, () => txt('huge.example', 'h'.repeat(1_000)))
  server.zone['huge.example'] = { send: (query, over) => [replyTo(query, over === 'tcp' ? records : [], over === 'udp' ? { flags: TRUNCATED } : {})] } // prettier-ignore
  assert.deepEqual(await lookUp('huge.example', 'TXT'), { kind: 'unreachable', reason: 'dns-too-large' })
})

test('nothing is kept: the same question is asked again', async () => {
  const before = server.queries.length
  await lookUp('full.example', 'A')
  await lookUp('full.example', 'A')
  assert.equal(server.queries.length - before, 2)
})
