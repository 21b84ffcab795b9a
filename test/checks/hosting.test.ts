/** The texts that host a policy, run by the servers that they are for, and fetched as a sender fetches it (RFC 8461 §3.3). */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeTrust } from '../../src/checks/certificate-seen.ts'
import { hostingTexts, type HostingText } from '../../src/checks/hosting.ts'
import { makeOutgoing } from '../../src/checks/outgoing.ts'
import { makeSeePolicy } from '../../src/checks/policy-host.ts'
import { readConfig } from '../../src/config.ts'
import { makeAuthority } from '../../src/demo/simulators.ts'
import { formatPolicy, parsePolicy } from '../../src/mtasts/policy.ts'

const domain = 'good.example'
const host = `mta-sts.${domain}`
const policy = { mode: 'testing', maxAge: 604_800, mx: ['mx1.good.example', '*.mail.good.example'] } as const
const policyText = formatPolicy({ ...policy, mx: [...policy.mx] })
const texts = hostingTexts(domain, policyText)
const textOf = (name: HostingText['name']) => texts.find((text) => text.name === name)!.text
const address = '127.0.0.1'
const authority = await makeAuthority(new Date())
const { limits } = readConfig({ ADMIN_TOKEN: 'x'.repeat(32) })
const isHere = (command: string) => spawnSync(command, ['-h'], { stdio: 'ignore' }).error === undefined

test('nginx serves the policy by its text', { skip: !isHere('nginx') && 'no nginx on this machine' }, async (t) => {
  const { port } = await startServer(t, 'nginx', async (folder, port) => {
    const { key, cert } = await authority.issue(host, {})
    await writeFile(join(folder, 'fullchain.pem'), cert)
    await writeFile(join(folder, 'privkey.pem'), key)
    const server = textOf('nginx')
      .replace('listen 443 ssl;', `listen ${address}:${port} ssl;`)
      .replace('  listen [::]:443 ssl;\n', '')
      .replaceAll(`/etc/letsencrypt/live/${host}`, folder)
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`) // prettier-ignore
    const conf = `pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${temporary.join(' ')} ${server} }` // prettier-ignore
    await writeFile(join(folder, 'nginx.conf'), conf)
    return ['-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;']
  })
  await assertServed(port, authority.certificate, policyText)
})

test('Caddy serves the policy by its text', { skip: !isHere('caddy') && 'no caddy on this machine' }, async (t) => {
  const { folder, port } = await startServer(t, 'caddy', async (folder, port) => {
    const options = `{\n  admin off\n  https_port ${port}\n  auto_https disable_redirects\n  local_certs\n  skip_install_trust\n}\n`
    await writeFile(join(folder, 'Caddyfile'), options + textOf('caddy').replace(' {', ` {\n  bind ${address}`))
    return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile']
  })
  const root = await readFile(join(folder, 'caddy/pki/authorities/local/root.crt'), 'utf8')
  await assertServed(port, root, policyText.replaceAll('\r\n', '\n'))
})

test('the Worker serves the policy and nothing else', async () => {
  const code = `data:text/javascript,${encodeURIComponent(textOf('cloudflare-worker'))}`
  const { default: worker } = (await import(code)) as { default: { fetch: (request: Request) => Response } }
  const ask = (path: string) => worker.fetch(new Request(`https://${host}${path}`))
  const reply = ask('/.well-known/mta-sts.txt?x=1')
  assert.deepEqual([reply.status, reply.headers.get('content-type'), await reply.text()], [200, 'text/plain', policyText]) // prettier-ignore
  assert.equal(ask('/').status, 404)
})

test('the repository for GitHub Pages has the name of the host, and the policy as a file', () => {
  const files = new Map(textOf('github-pages').split(/^# (?=[\w.])/m).slice(1).map((file) => [file.split('\n', 1)[0]!.split(',')[0]!, file.slice(file.indexOf('\n') + 1).trim()])) // prettier-ignore
  assert.equal(files.get('CNAME'), host)
  assert.ok(files.has('.nojekyll'))
  assert.deepEqual(parsePolicy(`${files.get('.well-known/mta-sts.txt')!}\n`), { kind: 'valid', policy, warnings: [] })
})

/** Its configuration is written into a folder of its own; it has begun when it listens. */
async function startServer(
  t: TestContext,
  command: string,
  configure: (folder: string, port: number) => Promise<string[]>,
) {
  // prettier-ignore
  const folder = await mkdtemp(join(tmpdir(), `${command}-`))
  const port = await freePort()
  const args = await configure(folder, port)
  const server = spawn(command, args, { env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } }) // prettier-ignore
  const ended = once(server, 'exit')
  let said = ''
  server.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  t.after(async () => {
    server.kill()
    await ended
    await rm(folder, { recursive: true, force: true })
  })
  while (!(await listens(port))) {
    assert.equal(server.exitCode, null, said)
    await sleep(50)
  }
  return { folder, port }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, address)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Caddy makes its certificate after it listens. */
async function assertServed(port: number, authorityCertificate: string, body: string): Promise<void> {
  const outgoing = makeOutgoing({ allowCidrs: ['127.0.0.0/8'], ports: { https: port, smtp: port }, limits: { ...limits, checkConnectionsPerMinute: 1_000 }, nowMs: () => performance.now() }) // prettier-ignore
  const seePolicy = makeSeePolicy({
    ...{ outgoing, limits, userAgent: 'a-test/1.0', now: () => new Date(), trust: makeTrust(authorityCertificate) },
    resolveAddresses: () => Promise.resolve({ kind: 'found', addresses: [address] }),
  })
  let seen = await seePolicy(domain)
  for (let tries = 0; seen.unseen && tries < 100; tries++) {
    await sleep(100)
    seen = await seePolicy(domain)
  }
  assert.equal(seen.unseen, undefined)
  assert.deepEqual(seen.certificate?.problems, [])
  assert.deepEqual([seen.reply?.status, seen.reply?.mediaType], [200, 'text/plain'])
  assert.equal(seen.reply?.body.toString(), body)
  assert.deepEqual(parsePolicy(body), { kind: 'valid', policy, warnings: [] })
}
