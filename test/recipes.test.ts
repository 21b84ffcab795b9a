/** The recipes of README, as they stand there; only the ports are others. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from './support/http-client.ts'
import { startPostfix, whyNoPostfix } from './support/postfix.ts'
import { reportOn, signedMail, unsignedMail, zone, type Told } from './support/report-mail.ts'
import { runService, type RunningService } from './support/running-service.ts'
import { greetSmtp, sendMail } from './support/smtp-client.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const rua = 'tlsrpt@tlsrpt.example.org'
const now = () => new Date('2026-11-21T12:00:00Z')
const told: Told = { domain: 'example.com', day: '2026-11-20', reportId: 'r-1', failed: 2 }

/** The text of the first block of README that holds `mark`. */
function block(mark: string): string {
  const found = [...readme.matchAll(/^```\w*\n([\s\S]*?)^```/gm)]
    .map(([, text]) => text!)
    .find((text) => text.includes(mark))
  assert.ok(found, `no block of README holds ${mark}`)
  return found
}

/** The variables of the first `... npm start` in README that begins with `first`, less the ports. */
function environment(first: string): Record<string, string> {
  const line = block(`${first}=`).split('\n').find((each) => each.startsWith(`${first}=`) && each.endsWith('npm start')) // prettier-ignore
  assert.ok(line)
  const pairs = line.split(' ').filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]) // prettier-ignore
  return Object.fromEntries(pairs.filter(([name]) => !name.endsWith('_PORT')))
}

const start = (env: Record<string, string>, t: TestContext) =>
  runService({ zone, now, env: { POLICY_DOMAINS: 'example.com', ...env } }, t)

type Submissions = {
  data: { verdict: string; transport: string; provenance: { peer_address: string; tls?: boolean } }[]
}
const submissions = async (service: RunningService) => (await service.get<Submissions>('/v1/submissions')).data

test('recipe 1, an MX of its own: reports come in with STARTTLS and without', async (t) => {
  const service = await start(environment('SMTP_HOSTNAME'), t)
  const client = await greetSmtp(service.ports.smtp)
  assert.match(await sendMail(client, rua, signedMail(told).toString('latin1')), /^250 2\.6\.0 accepted/)
  const secured = await greetSmtp(service.ports.smtp)
  await secured.startTls()
  await secured.say('EHLO sender.example')
  assert.match(await sendMail(secured, rua, signedMail(told).toString('latin1')), /^250 2\.6\.0 duplicate/)
  assert.deepEqual((await submissions(service)).map(({ provenance }) => provenance.tls).sort(), [false, true]) // prettier-ignore
})

const missing = await whyNoPostfix()
test(
  'recipe 2, behind Postfix: signatures hold, and what is refused is kept and not bounced',
  { skip: missing ?? false },
  async (t) => {
    const service = await start(environment('SMTP_HOST'), t)
    const mainCf = block('# /etc/postfix/main.cf').replaceAll(':2525', `:${service.ports.smtp}`)
    const postfix = await startPostfix(`\nsmtpd_relay_restrictions = reject_unauth_destination\n${mainCf}`)
    t.after(postfix.stop)
    for (const mail of [signedMail(told), unsignedMail(told)]) {
      const client = await greetSmtp(postfix.port)
      assert.match(await sendMail(client, rua, mail.toString('latin1')), /^250 /)
      client.close()
    }
    const stranger = await greetSmtp(postfix.port)
    await stranger.say('MAIL FROM:<>')
    assert.match(await stranger.say('RCPT TO:<other@tlsrpt.example.org>'), /^550 /)
    stranger.close()
    for (let tries = 0; (await submissions(service)).length < 2; tries++) {
      assert.ok(tries < 100, 'the mails did not come through')
      await sleep(100)
    }
    assert.deepEqual((await submissions(service)).map(({ verdict }) => verdict).sort(), ['accepted', 'unauthenticated']) // prettier-ignore
  },
)

test('recipe 3, HTTPS behind a proxy: the peer is the one that the proxy names', async (t) => {
  const service = await start(environment('INTAKE_TLS'), t)
  assert.match(block('# Caddyfile'), /reverse_proxy 127\.0\.0\.1:8443/)
  // What Caddy does, as far as we see it: it puts the client's address behind what the client said itself.
  const proxy = createServer((from, to) => {
    const said = from.headers['x-forwarded-for']
    const headers = { ...from.headers, 'x-forwarded-for': [said, '203.0.113.9'].flat().filter(Boolean).join(', ') }
    const options = { host: '127.0.0.1', port: service.ports.intake, method: from.method, path: from.url, headers }
    from.pipe(forward(options, (answer) => answer.pipe(to.writeHead(answer.statusCode ?? 502, answer.headers))))
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => proxy.close())
  const { port } = proxy.address() as AddressInfo
  const spoof = { 'content-type': 'application/tlsrpt+json', 'x-forwarded-for': '198.51.100.1' }
  const answer = await request({ port }, 'POST', '/v1/tlsrpt', JSON.stringify(reportOn(told)), spoof)
  assert.equal(answer.status, 200)
  const [submission] = await submissions(service)
  assert.equal(submission!.provenance.peer_address, '203.0.113.9')
})
