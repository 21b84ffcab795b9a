/** RFC 3207 up to TLS, with MX of every kind: hardening cases 207, 208, 211 and 212. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls'
import type { MxAddressSeen } from '../../src/checks/seen.ts'
import { certificates, type Mx } from '../../src/demo/simulators.ts'
import type { Conversation } from '../support/mail-world.ts'
import { flood, probesOf, startWorld, trickle } from './fixtures.ts'

const host = 'mx.it.example'
const only = (mx: Mx | Conversation) => ({ 'it.example': { mx: { [host]: mx } } })

const problems = ({ certificate }: MxAddressSeen) => certificate?.problems.map(({ kind }) => kind)

test('an MX is seen up to TLS, and left with QUIT: no mail is ever sent', async (t) => {
  const world = await startWorld(t, only({}))
  const seen = await probesOf(world).seeMx(host, 10)
  const [address] = seen.addresses
  assert.deepEqual(seen, { host, preference: 10, addresses: [address] })
  const { certificate, ...rest } = address!
  assert.deepEqual(rest, {
    address: world.addressOf(host),
    greeting: `220 ${host} ESMTP`,
    offersStarttls: true,
    tlsVersion: 'TLSv1.3',
  })
  assert.deepEqual([certificate?.names, certificate?.problems, certificate?.chain.length], [[host], [], 2])
  assert.deepEqual(world.heard, [`${host} EHLO us.example`, `${host} STARTTLS`, `${host} QUIT`])
})

test('211: whatever is wrong with a certificate is named, and was seen', async (t) => {
  const world = await startWorld(t, only({}))
  const { seeMx } = probesOf(world)
  const cases: [Mx, string[]][] = [
    [{ certificate: certificates.expired }, ['expired']],
    [{ certificate: certificates['wrong-name'] }, ['host-mismatch']],
    [{ certificate: certificates.untrusted }, ['not-trusted']],
    [{ certificate: { ...certificates['self-signed'], ...certificates.expired } }, ['expired', 'not-trusted']],
    // RFC 8461 §4.2: the name of the MX counts, not that of the domain.
    [{ certificate: { names: ['it.example'] } }, ['host-mismatch']],
    [{ certificate: { names: ['*.it.example'] } }, []],
  ]
  for (const [mx, kinds] of cases) {
    await world.mx.get(host)!.become(mx)
    const [address] = (await seeMx(host, 10)).addresses
    assert.deepEqual([problems(address!), address!.unseen, address!.tlsVersion], [kinds, undefined, 'TLSv1.3'])
  }
})

test('TLS 1.1 is told from no TLS', async (t) => {
  const world = await startWorld(t, only({ tls: 'TLSv1.1' }))
  const [address] = (await probesOf(world).seeMx(host, 10)).addresses
  assert.deepEqual([address!.tlsVersion, problems(address!)], ['TLSv1.1', []])
})

test('an MX without STARTTLS is left with QUIT', async (t) => {
  const world = await startWorld(t, only({ starttls: 'missing' }))
  const [address] = (await probesOf(world).seeMx(host, 10)).addresses
  assert.deepEqual([address!.offersStarttls, address!.tlsVersion, address!.unseen], [false, undefined, undefined])
  assert.deepEqual(world.heard, [`${host} EHLO us.example`, `${host} QUIT`])
})

/** Says `greeting`, and answers EHLO and STARTTLS as told. */
const says =
  (greeting: string, ehlo = '250 mx', starttls = '220 go'): Conversation =>
  (socket) => {
    socket.write(`${greeting}\r\n`)
    socket.on('data', (data) => {
      const command = data.toString('latin1')
      if (command.startsWith('EHLO')) socket.write(`${ehlo}\r\n`)
      if (command.startsWith('STARTTLS')) socket.write(`${starttls}\r\n`)
      if (command.startsWith('QUIT')) socket.end('221 bye\r\n')
    })
  }
const offering = '250-mx\r\n250 STARTTLS'

type Told = Partial<Record<'greeting' | 'reason' | 'text', string>> & { offers?: boolean }
const told = ({ greeting, offersStarttls, unseen }: MxAddressSeen): Told => ({
  ...(greeting !== undefined && { greeting }),
  ...(offersStarttls !== undefined && { offers: offersStarttls }),
  ...unseen,
})

/** What an MX does, in hardening's words, and what is told of it. */
const odd: [title: string, mx: Conversation, expected: Told][] = [
  ['turns us away', says('554 no service for you'), { greeting: '554 no service for you', reason: 'refused', text: 'it greets with 554 no service for you' }], // prettier-ignore
  ['is busy', says('421-later\r\n421 please'), { greeting: '421 later', reason: 'refused', text: 'it greets with 421 later' }], // prettier-ignore
  ['greets with a success that is none', says('250 hello'), { greeting: '250 hello', reason: 'bad-reply', text: 'it greets with 250 hello' }], // prettier-ignore
  [
    'greets in several lines',
    says('220-mx\r\n220-no spam\r\n220 ready', '250 mx'),
    { greeting: '220 mx', offers: false },
  ],
  ['knows no EHLO', says('220 old', '502 what'), { greeting: '220 old', offers: false }],
  ['refuses our EHLO', says('220 mx', '550 who are you'), { greeting: '220 mx', reason: 'refused', text: 'it answers EHLO with 550 who are you' }], // prettier-ignore
  ['offers it in lower case', says('220 mx', '250-mx\r\n250-starttls\r\n250 SIZE', '454 not now'), { greeting: '220 mx', offers: true, reason: 'tls-failed', text: 'it offers STARTTLS and answers it with 454 not now' }], // prettier-ignore
  ['names itself STARTTLS', says('220 mx', '250 STARTTLS'), { greeting: '220 mx', offers: false }],
  ['has line feeds alone', (socket) => socket.write('220 mx\n'), { greeting: '220 mx', reason: 'timeout', text: 'the reply to EHLO took longer than 3 s' }], // prettier-ignore
  ['greets with NUL and bytes of no alphabet', says('220 m\0x \x1b[31m\u202eevil'), { greeting: '220 m\ufffdx \ufffd[31m\ufffdevil', offers: false }], // prettier-ignore
  ['speaks HTTP', says('HTTP/1.1 400 Bad Request'), { greeting: 'HTTP/1.1 400 Bad Request', reason: 'bad-reply', text: "no SMTP reply: 'HTTP/1.1 400 Bad Request'" }], // prettier-ignore
  ['speaks SSH', says('SSH-2.0-OpenSSH_9.9'), { greeting: 'SSH-2.0-OpenSSH_9.9', reason: 'bad-reply', text: "no SMTP reply: 'SSH-2.0-OpenSSH_9.9'" }], // prettier-ignore
  ['closes at once', (socket) => socket.end(), { reason: 'reset', text: 'the connection was closed without a reply' }],
  ['resets at once', (socket) => socket.resetAndDestroy(), { reason: 'reset', text: 'the connection was broken off' }],
  ['closes after EHLO', (socket) => { socket.write('220 mx\r\n'); socket.once('data', () => socket.end()) }, { greeting: '220 mx', reason: 'reset', text: 'the connection was closed without a reply' }], // prettier-ignore
  ['says nothing', () => undefined, { reason: 'timeout', text: 'the greeting took longer than 3 s' }],
  ['says a letter now and then', (socket) => { trickle(socket, '2', 50) }, { reason: 'timeout', text: 'the greeting took longer than 3 s' }], // prettier-ignore
  ['says a line now and then', (socket) => { trickle(socket, '220-x\r\n', 50) }, { reason: 'timeout', text: 'the greeting took longer than 3 s' }], // prettier-ignore
  ['greets for ever, in lines', (socket) => { flood(socket, '220-spam\r\n') }, { greeting: '220-spam\ufffd\ufffd'.repeat(52).slice(0, 512), reason: 'too-large', text: 'a reply of more than 4096 bytes' }], // prettier-ignore
  ['greets for ever, without a line', (socket) => { flood(socket, 'x') }, { greeting: 'x'.repeat(512), reason: 'too-large', text: 'a reply of more than 4096 bytes' }], // prettier-ignore
  ['answers EHLO for ever', (socket) => { socket.write('220 mx\r\n'); socket.once('data', () => { flood(socket, '250-x\r\n') }) }, { greeting: '220 mx', reason: 'too-large', text: 'a reply of more than 4096 bytes' }], // prettier-ignore
  ['goes on in clear after STARTTLS', (socket) => { says('220 mx', offering)(socket); socket.on('data', (data) => { if (data[0] === 0x16) socket.write('250 what TLS\r\n') }) }, { greeting: '220 mx', offers: true, reason: 'tls-failed', text: 'wrong version number' }], // prettier-ignore
  ['is silent after STARTTLS', says('220 mx', offering), { greeting: '220 mx', offers: true, reason: 'timeout', text: 'the TLS handshake took longer than 3 s' }], // prettier-ignore
  ['closes after STARTTLS', (socket) => { says('220 mx', offering)(socket); socket.on('data', (data) => { if (data[0] === 0x16) socket.end() }) }, { greeting: '220 mx', offers: true, reason: 'reset', text: 'the connection was broken off' }], // prettier-ignore
  ['answers before it is asked', (socket) => { says('220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go', '250 mx')(socket) }, { greeting: '220 mx', offers: false }], // prettier-ignore
]
test('212: of an MX of whatever kind there is a word, in time', async (t) => {
  const named = odd.map(([title, mx, expected], i) => ({ title, mx, expected, name: `mx${i}.it.example` }))
  const world = await startWorld(t, {
    'it.example': { mx: Object.fromEntries(named.map(({ name, mx }) => [name, mx])) },
  })
  const within = (ms: number) => probesOf(world, { limits: { checkReplyMs: ms, checkTlsMs: ms, checkQuitMs: 100 } })
  const [soon, sometime] = [within(3_000), within(600_000)] // Who answers at all may take his time on a slow machine.
  const seen = await Promise.all(named.map(({ name, expected }) => (expected.reason === 'timeout' ? soon : sometime).seeMx(name, 10))) // prettier-ignore
  for (const [i, { title, expected }] of named.entries()) {
    await t.test(`that ${title}`, () => {
      assert.deepEqual(told(seen[i]!.addresses[0]!), expected)
    })
  }
})

test('212: what is said in clear behind the reply to STARTTLS is not heard', async (t) => {
  const contexts: SecureContext[] = []
  const mx: Conversation = (socket) => {
    says('220 mx', offering, '220 go\r\n250-mx\r\n250 STARTTLS\r\n221 bye')(socket)
    socket.on('data', (data) => {
      if (!data.toString('latin1').startsWith('STARTTLS')) return
      socket.removeAllListeners('data')
      new TLSSocket(socket, { isServer: true, secureContext: contexts[0]! })
    })
  }
  const world = await startWorld(t, only(mx))
  contexts.push(createSecureContext(await world.authority.issue(host, {})))
  const [address] = (await probesOf(world, { limits: { checkQuitMs: 100 } }).seeMx(host, 10)).addresses
  assert.deepEqual([address!.unseen, address!.tlsVersion, problems(address!)], [undefined, 'TLSv1.3', []])
})

test('207, 208: what is no host name is neither looked up nor called', async (t) => {
  const world = await startWorld(t, only({}))
  const names = ['127.0.0.1', '[127.0.0.1]', '127.1', '0x7f.1', '2130706433', '①②⑦.①', '::1', 'localhost', '.', '', 'a..example', 'mx .example', 'mx.example\r\nQUIT', `${'a'.repeat(64)}.example`, `${'a.'.repeat(150)}example`] // prettier-ignore
  const { seeMx } = probesOf(world)
  for (const name of names) {
    const { addresses, unseen } = await seeMx(name, 10)
    assert.deepEqual([addresses, unseen?.reason], [[], 'no-such-name'], name)
  }
  assert.deepEqual(world.dns.queries, [])
})

test('207: the names of this machine are not known here', async (t) => {
  const world = await startWorld(t, only({}))
  const { seeMx } = probesOf(world)
  for (const name of ['localhost.localdomain', 'printer.local']) {
    assert.equal((await seeMx(name, 10)).unseen?.reason, 'no-such-name')
  }
  assert.deepEqual([...new Set(world.dns.queries)], ['localhost.localdomain', 'printer.local'])
})

test('208: a circle of aliases has no address', async (t) => {
  const world = await startWorld(t, only({}))
  Object.assign(world.dns.zone, {
    'a.it.example': { cname: 'b.it.example' },
    'b.it.example': { cname: 'a.it.example' },
  })
  assert.equal((await probesOf(world).seeMx('a.it.example', 10)).unseen?.reason, 'no-address')
})

test('each address has a word of its own, those that are not called as well', async (t) => {
  const world = await startWorld(t, only({}))
  const [open, closed] = [world.addressOf(host), world.cidr.replace('0/24', '250')]
  world.dns.zone[host] = { records: { A: [open, closed, '10.0.0.1'], AAAA: ['::1'] } }
  const { addresses, unseen } = await probesOf(world).seeMx(host, 10)
  assert.deepEqual(
    addresses.map(({ address, unseen }) => [address, unseen?.reason]),
    [[open, undefined], [closed, 'refused'], ['10.0.0.1', 'blocked-address'], ['::1', 'blocked-address']],
  ) // prettier-ignore
  assert.equal(unseen, undefined)
})

test('a host of which no address may be called was not seen', async (t) => {
  const world = await startWorld(t, only({}))
  world.dns.zone[host] = { records: { A: ['192.168.1.1'] } }
  const { addresses, unseen } = await probesOf(world).seeMx(host, 10)
  assert.deepEqual(unseen, { reason: 'blocked-address', text: '192.168.1.1 is not a public address' })
  assert.deepEqual(addresses, [{ address: '192.168.1.1', unseen }])
})

test('an MX name with an underscore is one', async (t) => {
  const world = await startWorld(t, { 'it.example': { mx: { '_dc-mx.1a2b.it.example': {} } } })
  const { addresses } = await probesOf(world).seeMx('_dc-mx.1a2b.it.example', 10)
  assert.equal(addresses[0]?.tlsVersion, 'TLSv1.3')
})
