/** RFC 8461 §3.3 as a sender does it, on policy hosts of every kind: hardening cases 206, 209, 210 and 211. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { PolicySeen } from '../../src/checks/seen.ts'
import { certificates, type CertificateSpec, type Site } from '../../src/demo/simulators.ts'
import { startConversation, type WorldDomain } from '../support/mail-world.ts'
import { flood, probesOf, startWorld, trickle } from './fixtures.ts'

const policy = 'version: STSv1\r\nmode: enforce\r\nmx: mx.good.example\r\nmax_age: 604800\r\n'

/** The one domain of a world. */
const only = (site: Site) => ({ 'it.example': { policy: site } })

const problems = ({ certificate }: PolicySeen) => certificate?.problems.map(({ kind }) => kind)

test('a policy is seen with its certificate, asked for as a sender does', async (t) => {
  const world = await startWorld(t, { 'good.example': { policy } })
  const seen = await probesOf(world).seePolicy('good.example')
  assert.equal(seen.unseen, undefined)
  assert.deepEqual([seen.host, seen.address], ['mta-sts.good.example', world.addressOf('mta-sts.good.example')])
  assert.deepEqual(seen.reply, { status: 200, mediaType: 'text/plain', body: Buffer.from(policy), truncated: false })
  const certificate = seen.certificate!
  assert.deepEqual(certificate.names, ['mta-sts.good.example'])
  assert.equal(certificate.issuer, 'CN=A Private Authority')
  assert.deepEqual(certificate.problems, [])
  assert.equal(certificate.chain.length, 2)
  assert.ok(certificate.validTo > new Date() && certificate.validFrom < new Date())
  for (const hash of [certificate.fingerprint, certificate.publicKeyFingerprint]) assert.match(hash, /^[0-9a-f]{64}$/)

  assert.deepEqual(world.heard, ['mta-sts.good.example /.well-known/mta-sts.txt'])
  assert.deepEqual(world.headers[0], {
    host: 'mta-sts.good.example',
    'user-agent': 'tlsrpt-receiver (check by us.example)',
    accept: 'text/plain',
    'accept-encoding': 'identity',
    connection: 'close',
  })
})

const notThere: [title: string, domain: string, reason: string][] = [
  ['a name that does not exist', 'nobody.example', 'no-such-name'],
  ['a name without addresses', 'bare.example', 'no-address'],
  ['a name that cannot be looked up', 'servfail.example', 'dns-unreachable'],
  ['an address that refuses', 'closed.example', 'refused'],
  ['a private address', 'private.example', 'blocked-address'],
  ['a listener that hangs up', 'rude.example', 'reset'],
  ['a listener without TLS', 'plain.example', 'tls-failed'],
]
test('why there is no reply has a name', async (t) => {
  const world = await startWorld(t, {
    'rude.example': { policy: (socket) => socket.once('data', () => socket.destroy()) },
    'plain.example': { policy: (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n') },
  })
  Object.assign(world.dns.zone, {
    'mta-sts.bare.example': { records: {} },
    'mta-sts.servfail.example': { servfail: true },
    'mta-sts.closed.example': { records: { A: [world.cidr.replace('0/24', '250')] } },
    'mta-sts.private.example': { records: { A: ['10.0.0.1'], AAAA: ['::1'] } },
  })
  const { seePolicy } = probesOf(world)
  for (const [title, domain, reason] of notThere) {
    const { reply, unseen } = await seePolicy(domain)
    assert.deepEqual({ reply, reason: unseen?.reason }, { reply: undefined, reason }, title)
    assert.notEqual(unseen?.text, '')
  }
})

test('the next address is asked where the first does not connect', async (t) => {
  const world = await startWorld(t, { 'good.example': { policy } })
  const [closed, open] = [world.cidr.replace('0/24', '250'), world.addressOf('mta-sts.good.example')]
  const { seePolicy } = probesOf(world, { resolveAddresses: () => Promise.resolve({ kind: 'found', addresses: [closed, open] }) }) // prettier-ignore
  const seen = await seePolicy('good.example')
  assert.deepEqual(seen.addresses, [closed, open])
  assert.deepEqual([seen.address, seen.reply?.status], [open, 200])
})

test('206: the address that was vetted is the one that is called, whatever the DNS says next', async (t) => {
  const world = await startWorld(t, { 'good.example': { policy } })
  const called: string[] = []
  const inside = await startConversation('127.0.0.1', world.ports.https, (socket) => {
    called.push('inside')
    socket.destroy()
  })
  t.after(() => inside.close())
  const answers = [world.addressOf('mta-sts.good.example'), '127.0.0.1', '127.0.0.1']
  let asked = 0
  const { seePolicy } = probesOf(world, { resolveAddresses: () => Promise.resolve({ kind: 'found', addresses: [answers[asked++]!] }) }) // prettier-ignore
  assert.equal((await seePolicy('good.example')).reply?.status, 200)
  assert.equal((await seePolicy('good.example')).unseen?.reason, 'blocked-address')
  assert.equal(asked, 2)
  assert.deepEqual(called, [])
})

test('209: no redirect is followed, and where it leads is told', async (t) => {
  const world = await startWorld(t, {
    'it.example': {},
    'other.example': { policy },
  })
  for (const [status, location] of [
    [301, 'http://169.254.169.254/latest/meta-data/'],
    [302, 'file:///etc/passwd'],
    [307, 'https://mta-sts.other.example/.well-known/mta-sts.txt'],
    [308, '/elsewhere'],
    [302, 'javascript:\u0007alert(1)'],
  ] as const) {
    world.sites.set('mta-sts.it.example', { status, answer: (response) => response.socket!.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`) }) // prettier-ignore
    world.dns.zone['mta-sts.it.example'] = { records: { A: [world.addressOf('mta-sts.other.example')] } }
    world.heard.length = 0
    const { reply, unseen } = await probesOf(world).seePolicy('it.example')
    if (location.includes('\u0007')) {
      assert.equal(unseen?.reason, 'bad-reply') // A control character is no header to Node.
      continue
    }
    assert.deepEqual([reply?.status, reply?.location, unseen], [status, location, undefined])
    assert.equal(world.heard.length, 1)
  }
})

test('a status is told as it is, with the body that came', async (t) => {
  const world = await startWorld(t, only({}))
  const { seePolicy } = probesOf(world)
  for (const status of [204, 404, 500, 599]) {
    world.sites.set('mta-sts.it.example', { status, ...(status !== 204 && { body: 'no' }) })
    const { reply, unseen } = await seePolicy('it.example')
    assert.deepEqual([reply?.status, reply?.body.toString(), unseen], [status, status === 204 ? '' : 'no', undefined])
  }
})

test('the media type comes without its parameters', async (t) => {
  const world = await startWorld(t, only({ headers: { 'content-type': 'Text/HTML; charset="x;y"' } }))
  assert.equal((await probesOf(world).seePolicy('it.example')).reply?.mediaType, 'text/html')
})

const sized: [title: string, bytes: number, truncated: boolean][] = [
  ['64 KiB', 65_536, false],
  ['64 KiB and a byte', 65_537, true],
  ['10 MB', 10_000_000, true],
]
for (const [title, bytes, truncated] of sized) {
  test(`210: of a policy of ${title}, 64 KiB are read`, async (t) => {
    const world = await startWorld(t, only({ body: 'x'.repeat(bytes) }))
    const { reply, unseen } = await probesOf(world).seePolicy('it.example')
    assert.equal(reply?.body.length, 65_536)
    assert.deepEqual([reply.truncated, unseen?.reason], [truncated, truncated ? 'too-large' : undefined])
  })
}

test('210: what is compressed is told, and not inflated', async (t) => {
  const bomb = gzipSync(Buffer.alloc(20_000_000))
  const world = await startWorld(t, only({}))
  const { seePolicy } = probesOf(world)
  for (const [encoding, reason] of [
    ['gzip', 'bad-reply'],
    ['br', 'bad-reply'],
    [Array(1_000).fill('gzip').join(', '), 'bad-reply'],
    ['identity', undefined],
    ['', undefined],
  ] as const) {
    // prettier-ignore
    world.sites.set('mta-sts.it.example', { headers: { 'content-encoding': encoding }, body: bomb })
    const { reply, unseen } = await seePolicy('it.example')
    assert.deepEqual(reply?.body, bomb)
    assert.equal(unseen?.reason, reason)
  }
})

const ok = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
/** What the answer begins with, and what never ends; 'every' milliseconds, or as fast as it is read. */
const endless: { title: string; begin: string; then: string; every?: number; reason: string; replied: boolean }[] = [
  { title: 'chunks', begin: `${ok}Transfer-Encoding: chunked\r\n\r\n`, then: '5\r\nmode:\r\n', reason: 'too-large', replied: true }, // prettier-ignore
  { title: 'chunk extensions', begin: `${ok}Transfer-Encoding: chunked\r\n\r\n5;`, then: 'x', reason: 'too-large', replied: true }, // prettier-ignore
  { title: 'trailers', begin: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n`, then: 'X: y\r\n', reason: 'too-large', replied: true }, // prettier-ignore
  { title: 'a body without a length', begin: `${ok}\r\n`, then: 'x', reason: 'too-large', replied: true },
  { title: 'a body, a byte now and then', begin: `${ok}Content-Length: 60000\r\n\r\n`, then: 'x', every: 20, reason: 'timeout', replied: true }, // prettier-ignore
  { title: 'a body that never comes', begin: `${ok}Content-Length: 100\r\n\r\n`, then: '', every: 50, reason: 'timeout', replied: true }, // prettier-ignore
  { title: 'a status line, a byte now and then', begin: 'HTTP/1.1 ', then: '2', every: 1_000, reason: 'timeout', replied: false }, // prettier-ignore
  { title: 'header fields, a byte now and then', begin: `${ok}X: `, then: 'x', every: 20, reason: 'timeout', replied: false }, // prettier-ignore
  { title: '100 Continue', begin: '', then: 'HTTP/1.1 100 Continue\r\n\r\n', reason: 'too-large', replied: false },
  { title: '103 Early Hints', begin: '', then: 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', reason: 'too-large', replied: false }, // prettier-ignore
  { title: 'header fields', begin: ok, then: 'X-Field: value\r\n', reason: 'too-large', replied: false },
  { title: 'one header field', begin: `${ok}X: `, then: 'x', reason: 'too-large', replied: false },
  { title: 'blank lines', begin: '', then: '\r\n', reason: 'too-large', replied: false },
  { title: 'no HTTP', begin: '', then: '220 mail.example ESMTP\r\n', reason: 'bad-reply', replied: false },
  { title: 'a switch of protocols', begin: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', then: 'x', reason: 'bad-reply', replied: false }, // prettier-ignore
]
test('210: whatever never ends is ended', async (t) => {
  const sockets = new Map<string, Socket>()
  const siteOf = (title: string, begin: string, then: string, every?: number): Site => ({
    answer: ({ socket }) => {
      sockets.set(title, socket!)
      socket!.write(begin)
      if (every === undefined) flood(socket!, then)
      else trickle(socket!, then, every)
    },
  })
  const domains = endless.map(({ title, begin, then, every }, i) => [`d${i}.example`, { policy: siteOf(title, begin, then, every) }]) // prettier-ignore
  const world = await startWorld(t, Object.fromEntries(domains) as Record<string, WorldDomain>)
  const within = (checkFetchMs: number) => probesOf(world, { limits: { checkFetchMs } })
  const [soon, sometime] = [within(3_000), within(600_000)] // What is too much is, however long it takes to come.
  const seen = await Promise.all(endless.map(({ reason }, i) => (reason === 'timeout' ? soon : sometime).seePolicy(`d${i}.example`))) // prettier-ignore
  for (const [i, { title, reason, replied }] of endless.entries()) {
    await t.test(title, () => {
      const { reply, unseen } = seen[i]!
      assert.deepEqual([unseen?.reason, reply !== undefined], [reason, replied], unseen?.text)
      assert.ok(!reply || (reply.truncated && reply.body.length <= 65_536))
      const sent = sockets.get(title)!.bytesWritten
      assert.ok(sent < 20_000_000, `${sent} bytes were taken`)
    })
  }
})

test('an answer that breaks off is told as far as it came', async (t) => {
  const world = await startWorld(t, only({ answer: ({ socket }) => socket!.end(`${ok}Content-Length: 100\r\n\r\nmode: e`) })) // prettier-ignore
  const { reply, unseen } = await probesOf(world).seePolicy('it.example')
  assert.deepEqual([reply?.body.toString(), reply?.truncated, unseen?.reason], ['mode: e', true, 'reset'])
})

test('a handshake that never ends is ended', async (t) => {
  // The head of a record of 16 KiB.
  const begun = Buffer.from([0x16, 3, 3, 0x40, 0])
  const world = await startWorld(t, { 'it.example': { policy: (socket) => socket.write(begun) } })
  const { unseen } = await probesOf(world, { limits: { checkTlsMs: 300 } }).seePolicy('it.example')
  assert.deepEqual(unseen, { reason: 'timeout', text: 'the TLS handshake took longer than 0.3 s' })
})

test('211: whatever is wrong with a certificate is named, and what stands behind it is seen', async (t) => {
  const world = await startWorld(t, only({}))
  const { seePolicy } = probesOf(world)
  const cases: [CertificateSpec, string[]][] = [
    [certificates.good, []],
    [certificates.expired, ['expired']],
    [certificates['not-yet-valid'], ['not-yet-valid']],
    [certificates['wrong-name'], ['host-mismatch']],
    [certificates.untrusted, ['not-trusted']],
    [certificates['self-signed'], ['not-trusted']],
    [{ ...certificates.expired, ...certificates['wrong-name'] }, ['expired', 'host-mismatch']],
    [{ ...certificates.expired, ...certificates['self-signed'] }, ['expired', 'not-trusted']],
    [{ ...certificates.expired, ...certificates.untrusted }, ['expired', 'not-trusted']],
    [{ ...certificates['not-yet-valid'], signer: 'stranger', names: [] }, ['not-yet-valid', 'host-mismatch', 'not-trusted']], // prettier-ignore
    [{ names: ['*.it.example'] }, []],
    [{ names: ['MTA-STS.it.example'] }, []],
    [{ names: ['it.example'] }, ['host-mismatch']],
    [{ names: ['*.example'] }, ['host-mismatch']],
    [{ names: ['mta*.it.example'] }, ['host-mismatch']],
  ]
  for (const [spec, kinds] of cases) {
    world.sites.set('mta-sts.it.example', { certificate: spec, body: policy })
    const seen = await seePolicy('it.example')
    assert.deepEqual(problems(seen), kinds, JSON.stringify(spec))
    assert.equal(seen.unseen?.reason, kinds.length > 0 ? 'bad-certificate' : undefined)
    assert.equal(seen.reply?.body.toString(), policy)
  }
})

test('a certificate whose only name is its CN is for nobody', async (t) => {
  const world = await startWorld(t, only({ certificate: { names: [] } }))
  const { certificate } = await probesOf(world).seePolicy('it.example')
  assert.deepEqual(certificate?.problems, [{ kind: 'host-mismatch', text: 'it names no host, so not mta-sts.it.example' }]) // prettier-ignore
})

test('without CHECK_CA_FILE a private authority is nobody', async (t) => {
  const world = await startWorld(t, only({}))
  assert.deepEqual(problems(await probesOf(world, { trusted: false }).seePolicy('it.example')), ['not-trusted'])
})

test('dates are held against the clock that is passed in', async (t) => {
  const world = await startWorld(t, only({}))
  const at = (days: number) => () => new Date(Date.now() + days * 86_400_000)
  assert.deepEqual(problems(await probesOf(world, { now: at(100) }).seePolicy('it.example')), ['expired'])
  assert.deepEqual(problems(await probesOf(world, { now: at(-100) }).seePolicy('it.example')), ['not-yet-valid'])
})

test('211: a hundred certificates of 16 KB are no chain', async (t) => {
  const world = await startWorld(t, only({}))
  const names = Array.from({ length: 300 }, (_, i) => `${'n'.repeat(40)}${i}.it.example`)
  const { issue } = world.authority
  const { cert } = await issue('mta-sts.it.example', { names })
  const big = Array(100)
    .fill(cert.slice(0, cert.indexOf('-----END CERTIFICATE-----') + 25))
    .join('\n')
  world.authority.issue = async (host, spec) => ({ ...(await issue(host, spec)), cert: big })
  const { unseen } = await probesOf(world).seePolicy('it.example')
  assert.deepEqual(unseen, { reason: 'tls-failed', text: 'excessive message size' })
})

test('211: however often bad certificates are looked at, no connection is left', async (t) => {
  const world = await startWorld(t, only({ certificate: certificates['self-signed'] }))
  const { seePolicy } = probesOf(world)
  const connections = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length
  for (let i = 0; i < 100; i++) assert.equal((await seePolicy('it.example')).unseen?.reason, 'bad-certificate')
  const deadline = performance.now() + 60_000
  while (connections() > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(connections(), 0)
})
