/** The setup doctor, on a whole service that is reached by the names of a zone on loopback. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { after, test, type TestContext } from 'node:test'
import { linkNames } from '../../src/checks/selftest.ts'
import { makeAuthority } from '../../src/demo/simulators.ts'
import { loopbackNetwork, startConversation } from '../support/mail-world.ts'
import { startDnsServer, type Zone } from '../support/dns-server.ts'
import { runProgram } from '../support/program.ts'
import { adminToken, runService, type RunningService } from '../support/running-service.ts'

/** Others on this machine may have the same ports at other addresses. */
const network = loopbackNetwork()
const ours = `${network}.1`
const record = 'v=TLSRPTv1; rua=mailto:tlsrpt@rua.test,https://rua.test/v1/tlsrpt'
const at = (address: string) => ({ records: { A: [address] } })
const mx = (exchange: string) => ({ records: { MX: [{ preference: 10, exchange }] } })
const zone: Zone = {
  '_smtp._tls.ours.test': record,
  '_smtp._tls.second.ours.test': 'v=TLSRPTv1; rua=mailto:else@where.test,mailto:tlsrpt@rua.test',
  '_smtp._tls.elsewhere.test': 'v=TLSRPTv1; rua=mailto:else@where.test',
  '_smtp._tls.broken.test': 'v=TLSRPTv1; rua=tlsrpt@rua.test',
  '_smtp._tls.others.test': record,
  '_smtp._tls.away.test': { servfail: true },
  'rua.test': { records: { MX: [{ preference: 10, exchange: 'mx.rua.test' }], A: [ours] } },
  'mx.rua.test': at(ours),
}

async function freePort(): Promise<string> {
  const server: Server = createServer().listen(0, ours)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return String(port)
}

const [smtp, https] = [await freePort(), await freePort()]
const dns = await startDnsServer(zone)
const env = {
  DNS_SERVERS: dns.address,
  ...{
    SMTP_HOST: ours,
    INTAKE_HOST: ours,
    SMTP_PORT: smtp,
    INTAKE_PORT: https,
    CHECK_SMTP_PORT: smtp,
    CHECK_HTTPS_PORT: https,
  },
  ...{ RUA_ADDRESSES: 'tlsrpt@rua.test', INTAKE_URL: 'https://rua.test/v1/tlsrpt' },
  ...{ CHECK_ALLOW_CIDRS: '127.0.0.0/8', POLICY_DOMAINS: 'ours.test,elsewhere.test,broken.test,away.test' },
  LIMITS: '{"checksPerMinute":100,"checkConnectionsPerMinute":1000,"selfTestArrivalMs":1500}',
}
const service = await runService({ env, now: () => new Date() })
after(dns.close)

const seen = new Map(linkNames.map((link) => [link as string, new Set<boolean>()]))

type Told = { holds: boolean; first_broken: { link: string; sentence: string } | null; links: { link: string; holds: boolean; sentence: string }[] } // prettier-ignore

async function selfTest(domain: string, { ports }: Pick<RunningService, 'ports'> = service): Promise<Told> {
  const response = await fetch(`http://127.0.0.1:${ports.api}/v1/selftest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ domain }),
  })
  const told = (await response.json()) as Told
  assert.equal(response.status, 200, JSON.stringify(told))
  for (const { link, holds } of told.links) seen.get(link)!.add(holds)
  return told
}

/** For as long as the test runs. */
function replaced(t: TestContext, name: string, entry: Zone[string]): void {
  const before = zone[name]!
  zone[name] = entry
  t.after(() => {
    zone[name] = before
  })
}

test('all links hold: both reports arrive by the published names, whole, and count nowhere', async () => {
  const { holds, first_broken, links } = await selfTest('ours.test')
  assert.deepEqual([holds, first_broken], [true, null], JSON.stringify(links, undefined, 1))
  assert.deepEqual(links.map(({ link }) => link), linkNames) // prettier-ignore
  const { data } = await service.get<{ data: { verdict: string; reason: string }[] }>('/v1/submissions?trust=any')
  assert.deepEqual(data.map(({ verdict, reason }) => `${verdict} ${reason}`).sort(), ['not-ours not-ours', 'unauthenticated no-key']) // prettier-ignore
  const summary = await service.get<{ totals: { reports: number; unverified: { reports: number } } }>('/v1/summary?group_by=domain') // prettier-ignore
  assert.deepEqual([summary.totals.reports, summary.totals.unverified.reports], [0, 0])
})

for (const [domain, link, sentence] of [
  ['none.test', 'record', /no TLSRPT record/],
  ['broken.test', 'record', /counts for nothing: .*no mailto: or https: URI/],
  ['away.test', 'record', /cannot tell .*dns-servfail/],
  ['elsewhere.test', 'listed', /sends reports to mailto:else@where\.test, and not to this instance, which is mailto:tlsrpt@rua\.test and https:/], // prettier-ignore
  ['others.test', 'ours', /refused as not-ours: add the domain/],
] as const)
  test(`of ${domain} the link '${link}' is the first that is broken`, async () => {
    const told = await selfTest(domain)
    assert.equal(told.first_broken?.link, link)
    assert.match(told.first_broken.sentence, sentence)
    assert.equal(told.links.at(-1)?.link, link)
  })

test('that others stand before this instance is told, and is no broken link', async () => {
  const { holds, links } = await selfTest('second.ours.test')
  assert.ok(holds)
  assert.match(links.find(({ link }) => link === 'listed')!.sentence, /address number 2 .* only the first one/)
})

test('an address that is not public is not called', async (t) => {
  replaced(t, 'mx.rua.test', at('10.0.0.1'))
  const { first_broken, links } = await selfTest('ours.test')
  assert.equal(first_broken?.link, 'mail-connection')
  assert.match(first_broken.sentence, /10\.0\.0\.1 is not public; CHECK_ALLOW_CIDRS/)
  assert.ok(
    links.some(({ link, holds }) => link === 'https-arrived' && holds),
    'the other way is tried all the same',
  )
})

test('a mail that another server takes and keeps has not arrived', async (t) => {
  const keeper = await startConversation(`${network}.3`, Number(smtp), (socket) => {
    socket.write('220 keeper\r\n')
    let inData = false
    socket.on('data', (data) => {
      const text = data.toString('latin1')
      if (inData ? text.endsWith('\r\n.\r\n') : true) {
        inData = !inData && /^DATA/i.test(text)
        socket.write(inData ? '354 go on\r\n' : /^QUIT/i.test(text) ? '221 bye\r\n' : '250 queued\r\n')
      }
    })
  })
  t.after(keeper.close)
  replaced(t, 'mx.rua.test', at(`${network}.3`))
  const { first_broken } = await selfTest('ours.test')
  assert.equal(first_broken?.link, 'mail-arrived')
  assert.match(first_broken.sentence, /mx\.rua\.test took the mail, and it has not come/)
})

test('a server that does not want it is quoted', async (t) => {
  const refuser = await startConversation(`${network}.4`, Number(smtp), (socket) => {
    socket.write('220 refuser\r\n')
    socket.on('data', (data) =>
      socket.write(/^RCPT/i.test(data.toString()) ? '550 5.1.1 no such user\r\n' : '250 ok\r\n'),
    )
  })
  t.after(refuser.close)
  replaced(t, 'mx.rua.test', at(`${network}.4`))
  const { first_broken } = await selfTest('ours.test')
  assert.equal(first_broken?.link, 'mail-taken')
  assert.match(first_broken.sentence, /mx\.rua\.test answered: 550 5\.1\.1 no such user/)
})

for (const [name, entry] of [
  ['cannot be told', { servfail: true }],
  ['is a null MX', mx('.')],
] as const)
  test(`a mail domain whose MX ${name} is where the mail ends`, async (t) => {
    replaced(t, 'rua.test', entry)
    const broken = (await selfTest('ours.test')).links.find(({ link }) => link === 'mail-host')
    assert.equal(broken?.holds, false)
    assert.equal(broken.sentence, 'The MX of rua.test cannot be told, or there is none.')
  })

test('a server in between that changes mails is found out, though the mail arrives', async (t) => {
  const changer = await startConversation(`${network}.6`, Number(smtp), (client) => {
    const onward = connect(Number(smtp), ours)
    t.after(() => onward.destroy())
    for (const socket of [client, onward]) socket.on('error', () => undefined).setNoDelay()
    let answered = ''
    onward.on('data', (chunk: Buffer) => {
      answered += chunk.toString('latin1')
      const whole = answered.lastIndexOf('\n') + 1
      client.write(answered.slice(0, whole).replace('STARTTLS', 'X-NOTLS!'), 'latin1')
      answered = answered.slice(whole)
    })
    let said = ''
    client.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1')
      const whole = said.lastIndexOf('\n') + 1
      onward.write(said.slice(0, whole).replace('tlsrpt-receiver sent', 'AN IMPORTANT BANNER'), 'latin1')
      said = said.slice(whole)
    })
    client.on('close', () => onward.destroy())
  })
  t.after(changer.close)
  replaced(t, 'mx.rua.test', at(`${network}.6`))
  const { first_broken, links } = await selfTest('ours.test')
  assert.equal(first_broken?.link, 'mail-whole', JSON.stringify(links))
  assert.match(first_broken.sentence, /changes mails \(\S+\), so that no report of anybody can be verified/)
  assert.ok(links.some(({ link, holds }) => link === 'mail-arrived' && holds))
})

/** At `rua.test`, for as long as the test runs: a web server that is not this service, and answers with this. */
async function startWebServer(t: TestContext, status: number, body: string): Promise<void> {
  const address = `${network}.7`
  const pair = await (await makeAuthority(new Date())).issue('rua.test', {})
  const server = createHttpsServer(pair, (request, response) => {
    request.resume().on('end', () => response.writeHead(status, { connection: 'close' }).end(body))
  }).listen(Number(https), address)
  await once(server, 'listening')
  t.after(() => server.close())
  replaced(t, 'rua.test', { records: { ...mx('mx.rua.test').records, A: [address] } })
}

test('a web server that is not this service is not taken for it', async (t) => {
  await startWebServer(t, 200, '<html>')
  const { first_broken, links } = await selfTest('ours.test')
  assert.equal(first_broken?.link, 'https-answered')
  assert.equal(first_broken.sentence, 'rua.test answered 200, and not as this service does.')
  assert.match(links.find(({ link }) => link === 'https-connection')!.sentence, /talks TLS; senders may ignore that .*authority/) // prettier-ignore
})

test('an instance with another store is told from this one', async (t) => {
  await startWebServer(t, 422, JSON.stringify({ submission_key: randomUUID() }))
  const { first_broken } = await selfTest('ours.test')
  assert.equal(first_broken?.link, 'https-arrived')
  assert.equal(first_broken.sentence, 'Another instance answered, whose store is not this one.')
})

test('where nobody listens for HTTPS, mail is tried all the same', async (t) => {
  replaced(t, 'rua.test', { records: { ...mx('mx.rua.test').records, A: [`${network}.5`] } })
  const { first_broken, links } = await selfTest('ours.test')
  assert.equal(first_broken?.link, 'https-connection')
  assert.match(first_broken.sentence, /127\.[\d.]+\.5: the connection is refused/)
  assert.ok(links.some(({ link, holds }) => link === 'mail-whole' && holds))
})

test('what is no domain is a 400', async () => {
  await assert.rejects(selfTest('localhost'), /400/)
})

test('in a terminal it exits 0 where all links hold, and 4 with the first broken one in the last line', async () => {
  const run = (...args: string[]) =>
    runProgram(['selftest', ...args], { ...env, DATABASE_URL: service.database.url, ACCEPT_DATA_LOSS: 'yes' })
  const well = await run('ours.test')
  assert.deepEqual([well.code, well.stderr], [0, ''])
  assert.match(well.stdout, /^✓ mail-whole .*holds\.$/m)
  assert.match(well.stdout, /\n\nReports about ours\.test find their way here\.\n$/)
  const broken = await run('elsewhere.test', '--json')
  const told = JSON.parse(broken.stdout) as Told
  assert.deepEqual([broken.code, told.first_broken?.link], [4, 'listed'])
})

test('of each link one was seen that holds, and one that is broken', () => {
  assert.deepEqual([...seen].filter(([, ways]) => ways.size < 2).map(([link]) => link), []) // prettier-ignore
})
