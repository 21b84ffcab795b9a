/** Whom checks call: hardening cases 203 to 206, 213 and 215. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeOutgoing, makePatient, unseenOf, within, type OutgoingDeps } from '../../src/checks/outgoing.ts'
import { defaultLimits } from '../../src/limits.ts'
import { startConversation } from '../support/mail-world.ts'

const outgoing = (change: Partial<OutgoingDeps> = {}) =>
  makeOutgoing({ allowCidrs: [], ports: { smtp: 25, https: 443 }, limits: defaultLimits, nowMs: () => 0, ...change })

/** All that would be connected to, or asked for by name. */
const calls = (address: string) => outgoing().vet([address]).allowed.length > 0

test('203: no IPv4 address but a public one is called', async (t) => {
  const called: string[] = []
  const listener = await startConversation('127.0.0.1', 0, (socket) => {
    called.push(socket.remoteAddress!)
    socket.destroy()
  })
  t.after(() => listener.close())
  const strict = outgoing({ ports: { smtp: listener.port, https: listener.port } })
  const addresses = '127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 100.64.0.1 100.100.100.200 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255' // prettier-ignore
  for (const address of addresses.split(' ')) {
    assert.deepEqual(strict.vet([address]), { allowed: [], blocked: [address] })
    const connected = await strict.connect(address, 'https')
    assert.equal(connected.kind === 'failed' && connected.unseen.reason, 'blocked-address', address)
  }
  assert.deepEqual(called, [])
})

test('204: no IPv6 address but a public one is called, whatever it wraps', async () => {
  const addresses = '::1 :: ::ffff:127.0.0.1 ::ffff:a00:1 ::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2002:808:808:: fe80::1 fe80::1%lo fec0::1 fc00::1 fd00:ec2::254 2001:0::1 2001:db8::1 100::1 100:0:0:1::1 3fff::1 4000::1 5f00::1 ff02::1 ::ffff:0:127.0.0.1' // prettier-ignore
  for (const address of addresses.split(' ')) {
    assert.equal(calls(address), false, address)
    const connected = await outgoing().connect(address, 'smtp')
    assert.equal(connected.kind === 'failed' && connected.unseen.reason, 'blocked-address', address)
  }
})

test('public addresses are called, also by way of NAT64', () => {
  const addresses = '8.8.8.8 1.1.1.1 100.128.0.1 172.32.0.1 2606:4700:4700::1111 2a00:1450:4001::1a 64:ff9b::808:808 ::ffff:8.8.8.8' // prettier-ignore
  for (const address of addresses.split(' ')) assert.equal(calls(address), true, address)
})

test('an IPv4 address is the same in each of its wrappings', () => {
  fc.assert(
    fc.property(fc.ipV4().filter(isIPv4), (address) => {
      assert.equal(calls(`::ffff:${address}`), calls(address))
      assert.equal(calls(`64:ff9b::${address}`), calls(address))
    }),
  )
})

test('what is no address is not called, so that nothing is ever looked up behind our back', async () => {
  for (const text of ['localhost', '127.1', '0x7f.1', '2130706433', '', 'mx.example', '8.8.8.8 ', '8.8.8']) {
    assert.equal(calls(text), false, text)
    assert.equal((await outgoing().connect(text, 'smtp')).kind, 'failed', text)
  }
})

test('205: of a mixed answer only the public addresses are called', () => {
  const mixed = ['10.0.0.1', '8.8.8.8', '::1', '2606:4700::1']
  assert.deepEqual(outgoing().vet(mixed), { allowed: ['8.8.8.8', '2606:4700::1'], blocked: ['10.0.0.1', '::1'] })
})

test('at most four addresses are called, of both families in turn', () => {
  const [v4, v6] = [['8.0.0.1', '8.0.0.2', '8.0.0.3', '8.0.0.4', '8.0.0.5'], ['2606::1', '2606::2', '2606::3', '2606::4', '2606::5']] // prettier-ignore
  assert.deepEqual(outgoing().vet([...v4, ...v6]).allowed, ['8.0.0.1', '2606::1', '8.0.0.2', '2606::2'])
  assert.deepEqual(outgoing().vet([...v4, '2606::1']).allowed, ['8.0.0.1', '2606::1', '8.0.0.2', '8.0.0.3'])
  assert.deepEqual(outgoing().vet(['8.0.0.1', ...v6]).allowed, ['8.0.0.1', '2606::1', '2606::2', '2606::3'])
  assert.deepEqual(outgoing().vet(v4).allowed, v4.slice(0, 4))
  assert.equal(outgoing().vet(Array.from({ length: 500 }, (_, i) => `10.0.1.${i % 250}`)).blocked.length, 4)
})

test('the operator may allow ranges of his own, and nothing beside them', () => {
  const { allowed, blocked } = outgoing({ allowCidrs: ['10.1.0.0/16', 'fd00::/8'] }).vet(['10.1.2.3', '10.2.0.1', 'fd00::1', 'fc00::1']) // prettier-ignore
  assert.deepEqual(allowed, ['10.1.2.3', 'fd00::1'])
  assert.deepEqual(blocked, ['10.2.0.1', 'fc00::1'])
})

/** A clock that stands, and a listener that hangs up. */
async function hangUp(t: { after: (close: () => Promise<void>) => void }, limits: Partial<typeof defaultLimits>) {
  const listener = await startConversation('127.0.0.1', 0, (socket) => socket.end())
  t.after(() => listener.close())
  const clock = { ms: 0 }
  const door = outgoing({ allowCidrs: ['127.0.0.0/8'], ports: { smtp: listener.port, https: listener.port }, limits: { ...defaultLimits, ...limits }, nowMs: () => clock.ms }) // prettier-ignore
  const call = async (close = true) => {
    const connected = await door.connect('127.0.0.1', 'smtp')
    if (connected.kind === 'failed') return connected.unseen.reason
    if (close) connected.socket.destroy()
    return connected
  }
  return { clock, call, door }
}

test('213: one address hears from us so often in a minute and no more, whatever names it has', async (t) => {
  const { clock, call } = await hangUp(t, { checkConnectionsPerMinute: 3 })
  for (let i = 0; i < 3; i++) assert.notEqual(await call(), 'budget')
  assert.equal(await call(), 'budget')
  clock.ms = 59_999
  assert.equal(await call(), 'budget')
  clock.ms = 60_000
  assert.notEqual(await call(), 'budget')
})

test('213: checks that nobody waits for take half of what an address may get, and wait for the rest', async (t) => {
  const limits = { ...defaultLimits, checkConnectionsPerMinute: 4, checkPatienceMs: 300_000 }
  const { clock, call, door } = await hangUp(t, limits)
  const waited: number[] = []
  const wait = (milliseconds: number) => {
    waited.push(milliseconds)
    clock.ms += milliseconds
    return Promise.resolve()
  }
  const { connect } = makePatient(door, { limits, nowMs: () => clock.ms, wait })(new AbortController().signal)
  const callPatiently = async () => {
    const connected = await connect('127.0.0.1', 'smtp')
    if (connected.kind === 'connected') connected.socket.destroy()
    return connected.kind
  }
  assert.deepEqual([await callPatiently(), await callPatiently(), waited], ['connected', 'connected', []])
  assert.deepEqual([await call(), await call()].map((socket) => typeof socket), ['object', 'object'], 'for people there is room') // prettier-ignore
  assert.deepEqual([await callPatiently(), waited], ['connected', [60_000]])
})

test('a check that nobody waits for gives a crowded address up when its patience, or the service, is at its end', async (t) => {
  const limits = { ...defaultLimits, checkConnectionsPerMinute: 1, checkConnections: 0, checkPatienceMs: 5_000 }
  const { clock, door } = await hangUp(t, limits)
  const wait = (milliseconds: number) => Promise.resolve((clock.ms += milliseconds))
  const patient = makePatient(door, { limits, nowMs: () => clock.ms, wait })
  const reason = async (signal: AbortSignal) => {
    const connected = await patient(signal).connect('127.0.0.1', 'smtp')
    return connected.kind === 'failed' && connected.unseen.reason
  }
  assert.equal(await reason(new AbortController().signal), 'budget')
  const waited = clock.ms
  assert.ok(waited >= 5_000)
  assert.equal(await reason(AbortSignal.abort()), 'budget')
  assert.equal(clock.ms, waited)
})

test('213: so many connections are open at once and no more', async (t) => {
  const { call } = await hangUp(t, { checkConnections: 2 })
  const open = [await call(false), await call(false)].map((socket) => (typeof socket === 'object' ? socket.socket : assert.fail(socket))) // prettier-ignore
  assert.equal(await call(), 'budget')
  await new Promise((resolve) => open[0]!.destroy().on('close', resolve))
  assert.notEqual(await call(), 'budget')
  open[1]!.destroy()
})

test('213: one key has so many checks in a minute, and then hears when to come back', () => {
  const clock = { ms: 5_000 }
  const { admit } = outgoing({ nowMs: () => clock.ms, limits: { ...defaultLimits, checksPerMinute: 2 } })
  assert.deepEqual([admit('a'), admit('a'), admit('a'), admit('b')], [0, 0, 60, 0])
  clock.ms += 30_000
  assert.equal(admit('a'), 30)
  clock.ms += 30_000
  assert.equal(admit('a'), 0)
})

test('215: of any host only the two ports are called, so never that of a service of ours', async (t) => {
  const called: string[] = []
  const api = await startConversation('127.0.0.1', 0, (socket) => {
    called.push('api')
    socket.destroy()
  })
  const smtp = await startConversation('127.0.0.1', 0, (socket) => socket.destroy())
  t.after(() => Promise.all([api.close(), smtp.close()]))
  const door = outgoing({ allowCidrs: ['127.0.0.1'], ports: { smtp: smtp.port, https: 1 } })
  const connected = await door.connect('127.0.0.1', 'smtp')
  if (connected.kind === 'failed') return assert.fail(connected.unseen.text)
  connected.socket.destroy()
  const refused = await door.connect('127.0.0.1', 'https')
  assert.equal(refused.kind === 'failed' && refused.unseen.reason, 'refused')
  assert.deepEqual(called, [])
})

test('206: nothing else in the room opens a connection', () => {
  const opens = /^import \{[^}]*\b(?:connect|createConnection|createSocket|lookup|get|request)\b[^}]*\} from 'node:(?:net|http|https|http2|dgram|dns)(?:\/promises)?'/m // prettier-ignore
  const doors = globSync('src/checks/**/*.ts').filter((file) => opens.test(readFileSync(file, 'utf8')))
  assert.deepEqual(doors.sort(), ['src/checks/outgoing.ts', 'src/checks/policy-host.ts', 'src/checks/selftest-post.ts'])
  // The clients of HTTP and SMTP are given a connection that stands already.
  for (const file of globSync('src/checks/**/*.ts')) {
    const code = readFileSync(file, 'utf8')
    if (/\bstartRequest\(/.test(code)) assert.match(code, /createConnection: \(\) => \w+,/, file)
    if (/\bcreateTransport\(/.test(code)) assert.match(code, /\n\s+connection: socket,/, file)
  }
})

test('a step takes as long as it may', async () => {
  await assert.rejects(within(10, 'the greeting', new Promise(() => undefined)), { code: 'ETIMEDOUT', message: 'the greeting took longer than 0.01 s' }) // prettier-ignore
  assert.equal(await within(1_000, 'it', Promise.resolve(7)), 7)
})

test('a word of the network is a value, a defect of ours is an error', () => {
  const coded = (code: string) => Object.assign(new Error('bad\nnews'), { code })
  assert.deepEqual(unseenOf(coded('ECONNRESET'), 'tls-failed'), { reason: 'reset', text: 'the connection was broken off' }) // prettier-ignore
  assert.deepEqual(unseenOf(coded('HPE_INVALID_CONSTANT'), 'bad-reply'), { reason: 'bad-reply', text: 'bad\ufffdnews' }) // prettier-ignore
  assert.equal(unseenOf(coded('ENETUNREACH'), 'unreachable').reason, 'unreachable')
  assert.equal(unseenOf(coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls-failed').reason, 'tls-failed')
  assert.throws(() => unseenOf(new TypeError('x is undefined'), 'tls-failed'), TypeError)
  assert.throws(() => unseenOf(coded('ERR_INVALID_ARG_TYPE'), 'tls-failed'), /bad/)
})
