import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeResolveTxt } from '../src/dns.ts'
import { startDnsServer } from './support/dns-server.ts'

const long = `v=DKIM1; p=${'A'.repeat(900)}`
const server = await startDnsServer({
  'one.example': 'v=1',
  'two.example': ['a', 'b'],
  'long.example': long,
  'alias.example': { cname: 'one.example' },
  'empty.example': { nodata: true },
  'broken.example': { servfail: true },
  'silent.example': { drop: true },
  'large.example': { truncate: long },
})
after(() => server.close())
const resolveTxt = makeResolveTxt([server.address], 600)

test('a record is found, its strings joined with nothing between', async () => {
  assert.deepEqual(await resolveTxt('one.example'), { kind: 'found', records: ['v=1'] })
  assert.deepEqual(await resolveTxt('long.example'), { kind: 'found', records: [long] })
})

test('several records at a name are several records', async () => {
  const answer = await resolveTxt('two.example')
  assert.ok(answer.kind === 'found')
  assert.deepEqual(answer.records.sort(), ['a', 'b'])
})

test('an alias is followed', async () => {
  assert.deepEqual(await resolveTxt('alias.example'), { kind: 'found', records: ['v=1'] })
})

test('a truncated answer is asked for again over TCP', async () => {
  assert.deepEqual(await resolveTxt('large.example'), { kind: 'found', records: [long] })
})

test('no such name and no such record are missing: asking again would not help', async () => {
  assert.deepEqual(await resolveTxt('nowhere.example'), { kind: 'missing' })
  assert.deepEqual(await resolveTxt('empty.example'), { kind: 'missing' })
})

test('a failing and a silent server are unreachable, within the time allowed', async () => {
  assert.deepEqual(await resolveTxt('broken.example'), { kind: 'unreachable', reason: 'dns-servfail' })
  const begun = performance.now()
  assert.equal((await resolveTxt('silent.example')).kind, 'unreachable')
  assert.ok(performance.now() - begun < 1_500)
})

test('a resolver that is not there is unreachable', async () => {
  const gone = await startDnsServer({})
  await gone.close()
  assert.equal((await makeResolveTxt([gone.address], 600)('one.example')).kind, 'unreachable')
})
