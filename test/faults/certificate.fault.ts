/** The certificate is renewed while reports come in: no delivery fails for it, and new connections see the new one. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { connectHttp } from '../support/http-client.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { greetSmtp } from '../support/smtp-client.ts'
import { assertAlive, setStage, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-certificate-'))
after(() => {
  rmSync(folder, { recursive: true })
})
const files = { TLS_CERT_FILE: join(folder, 'cert.pem'), TLS_KEY_FILE: join(folder, 'key.pem') }

/** By rename, as programs that renew certificates do it. */
function put(file: string, text: string): void {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

const make = (name: string) => generate([{ name: 'commonName', value: name }], { keySize: 2048, algorithm: 'sha256' })

/** Who answers a new connection by HTTPS, and by STARTTLS. */
async function answering({ service: { ports } }: Stage): Promise<(string | undefined)[]> {
  const http = await connectHttp({ port: ports.intake, tls: true })
  const smtp = await greetSmtp(ports.smtp)
  const sockets = [http.encrypted!, await smtp.startTls()]
  const names = sockets.map((socket) => /CN=(.+)/.exec(new X509Certificate(socket.getPeerCertificate().raw).subject)?.[1]) // prettier-ignore
  http.close()
  smtp.close()
  return names
}

test('a certificate is replaced while sessions run: a bad pair leaves the old one, a good one is used by the next connection', async (t) => {
  const [first, second] = [await make('first.example'), await make('second.example')]
  put(files.TLS_CERT_FILE, first.cert)
  put(files.TLS_KEY_FILE, first.private)
  const stage = await setStage(t, postgres, files)
  await stage.service.start()
  const senders = stage.send()
  await stage.recovery()
  assert.deepEqual(await answering(stage), ['first.example', 'first.example'])
  const session = await greetSmtp(stage.service.ports.smtp)
  await session.startTls()

  put(files.TLS_CERT_FILE, 'not a certificate')
  await sleep(2_500)
  assert.deepEqual(await answering(stage), ['first.example', 'first.example'])

  put(files.TLS_KEY_FILE, second.private)
  put(files.TLS_CERT_FILE, second.cert)
  const from = performance.now()
  while ((await answering(stage)).some((name) => name !== 'second.example')) {
    assert.ok(performance.now() - from < 10_000, 'the new certificate is not in use after 10 s')
    await sleep(100)
  }
  const notes = `in use after ${((performance.now() - from) / 1000).toFixed(1)} s`
  assert.match(await session.say('EHLO client.example'), /^250/)
  session.close()
  await stage.recovery()
  await senders.stop()
  assert.equal(stage.ledger.counts().unheard, 0, 'a delivery was cut off')
  await assertAlive(stage)
  await stage.judge('F27 certificate replaced', { notes })
})
