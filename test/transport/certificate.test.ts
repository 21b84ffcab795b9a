/** The certificate of the listeners: made, kept, taken from files, and changed under way; and STARTTLS (RFC 3207). */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { openCertificate, type CertificateFiles } from '../../src/transport/certificate.ts'
import { connectHttp, head } from '../support/http-client.ts'
import { connectSmtp, greetSmtp, sendMail } from '../support/smtp-client.ts'
import { intakeListener, now, readableLog, smtpListener, temporaryFolder } from './fixtures.ts'

const rua = 'tlsrpt@ours.example'
const mail = 'Subject: outcome=accepted\r\n\r\nbody\r\n'

/** Two pairs of files, made once; the names tell them apart. */
const [before, after] = await Promise.all(
  ['before.example', 'after.example'].map(async (name): Promise<CertificateFiles> => {
    const folder = temporaryFolder()
    const source = await openCertificate(undefined, folder, [name], readableLog().log, now)
    source.close()
    const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
    writeFileSync(files.certFile, source.current().cert)
    writeFileSync(files.keyFile, source.current().key)
    return files
  }),
)

/** A copy of `before`, to be changed. */
function copyOfBefore(): CertificateFiles {
  const folder = temporaryFolder()
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  copy(before!, files)
  return files
}

function copy(from: CertificateFiles, to: CertificateFiles): void {
  writeFileSync(to.certFile, readFileSync(from.certFile))
  writeFileSync(to.keyFile, readFileSync(from.keyFile))
}

async function open(t: TestContext, files: CertificateFiles | undefined, folder = temporaryFolder(), at = now) {
  const { log, entries } = readableLog()
  const source = await openCertificate(files, folder, ['mx.ours.example', 'rua.ours.example'], log, at)
  t.after(source.close)
  return { source, folder, entries }
}

const subjectOf = (cert: string) => new X509Certificate(cert).subject

/** The next certificate in use, or a failure after the ten seconds that were promised. */
const nextOf = (source: Awaited<ReturnType<typeof open>>['source']) =>
  Promise.race([
    new Promise<string>((resolve) => {
      source.onChange(({ cert }) => {
        resolve(subjectOf(cert))
      })
    }),
    sleep(10_000, 'nothing', { ref: false }),
  ])

test('where there is no certificate one is made for our names, for ten years, and kept for us alone', async (t) => {
  const { source, folder } = await open(t, undefined)
  const certificate = new X509Certificate(source.current().cert)
  assert.equal(certificate.subject, 'CN=mx.ours.example')
  assert.equal(certificate.subjectAltName, 'DNS:mx.ours.example, DNS:rua.ours.example')
  assert.deepEqual(certificate.validToDate, new Date('2036-06-01T00:00:00Z'))
  assert.deepEqual(readdirSync(join(folder, 'tls')), ['self-signed.pem'])
  assert.equal(statSync(join(folder, 'tls', 'self-signed.pem')).mode & 0o777, 0o600)
  assert.doesNotMatch(source.current().cert, /PRIVATE KEY/)
  const again = await open(t, undefined, folder)
  assert.deepEqual(again.source.current(), source.current())
})

test('an expired certificate of our own is made anew', async (t) => {
  const { source, folder } = await open(t, undefined)
  const later = await open(t, undefined, folder, () => new Date('2036-06-02T00:00:00Z'))
  assert.notEqual(later.source.current().cert, source.current().cert)
  assert.deepEqual(new X509Certificate(later.source.current().cert).validToDate, new Date('2046-06-02T00:00:00Z'))
})

test('several that start at once with one folder come to show the same certificate', { timeout: 15_000 }, async (t) => {
  const folder = temporaryFolder()
  const sources = await Promise.all(Array.from({ length: 4 }, async () => (await open(t, undefined, folder)).source))
  const kept = readFileSync(join(folder, 'tls', 'self-signed.pem'), 'utf8')
  while (!sources.every((source) => kept.includes(source.current().cert))) await sleep(100) // The next look at the file.
  assert.deepEqual(readdirSync(join(folder, 'tls')), ['self-signed.pem'])
})

test('a pair of two files, as it was kept before, stays in use: a TLSA record may name it', async (t) => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'tls'))
  copy(before!, { certFile: join(folder, 'tls', 'cert.pem'), keyFile: join(folder, 'tls', 'key.pem') })
  const { source } = await open(t, undefined, folder)
  assert.equal(subjectOf(source.current().cert), 'CN=before.example')
  assert.deepEqual(readdirSync(join(folder, 'tls')).sort(), ['cert.pem', 'key.pem'])
})

test('a certificate under the label of old, in one file with its key, is taken, and the key is not shown', async (t) => {
  const folder = temporaryFolder()
  const both = join(folder, 'both.pem')
  const [cert, key] = [before!.certFile, before!.keyFile].map((file) => readFileSync(file, 'utf8'))
  writeFileSync(both, `${cert!.replaceAll(' CERTIFICATE-', ' X509 CERTIFICATE-')}\n${key!}`)
  const { source } = await open(t, { certFile: both, keyFile: both })
  assert.equal(subjectOf(source.current().cert), 'CN=before.example')
  assert.doesNotMatch(source.current().cert, /PRIVATE/)
})

test('a start without usable files says which', async () => {
  const { log } = readableLog()
  const mixed = { certFile: before!.certFile, keyFile: after!.keyFile }
  await assert.rejects(
    openCertificate(mixed, temporaryFolder(), [], log, now),
    /cert\.pem with the key .*key\.pem cannot be used/,
  )
  const missing = { certFile: '/nowhere/cert.pem', keyFile: after!.keyFile }
  await assert.rejects(openCertificate(missing, temporaryFolder(), [], log, now), /\/nowhere\/cert\.pem/)
})

/** Each waits for the next look at its files, so all of them wait at once. */
suite('files that change', { concurrency: true }, () => {
  test(
    'a bad pair leaves the one in use and is logged; the good one that follows is taken',
    { timeout: 15_000 },
    async (t) => {
      const files = copyOfBefore()
      const { source, entries } = await open(t, files)
      const next = nextOf(source)
      writeFileSync(files.certFile, readFileSync(after!.certFile)) // The key is still the old one's.
      await sleep(2500) // Two looks at it, and one complaint.
      assert.deepEqual(
        entries().map(({ level }) => level),
        [50],
      )
      assert.equal(subjectOf(source.current().cert), 'CN=before.example')
      writeFileSync(files.keyFile, readFileSync(after!.keyFile))
      assert.equal(await next, 'CN=after.example')
      assert.equal(subjectOf(source.current().cert), 'CN=after.example')
    },
  )

  test('files replaced by rename, and symbolic links that are turned, are seen', { timeout: 15_000 }, async (t) => {
    const renamed = copyOfBefore()
    const turned = { certFile: join(temporaryFolder(), 'cert.pem'), keyFile: join(temporaryFolder(), 'key.pem') }
    symlinkSync(before!.certFile, turned.certFile)
    symlinkSync(before!.keyFile, turned.keyFile)
    const changes = [nextOf((await open(t, renamed)).source), nextOf((await open(t, turned)).source)]
    const fresh = copyOfBefore()
    copy(after!, fresh)
    renameSync(fresh.certFile, renamed.certFile)
    renameSync(fresh.keyFile, renamed.keyFile)
    for (const file of ['certFile', 'keyFile'] as const) {
      rmSync(turned[file])
      symlinkSync(after![file], turned[file])
    }
    assert.deepEqual(await Promise.all(changes), ['CN=after.example', 'CN=after.example'])
  })

  const peerSubject = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN

  test(
    'both listeners show a new certificate to newcomers, and nobody loses a session',
    { timeout: 15_000 },
    async (t) => {
      const files = copyOfBefore()
      const { source } = await open(t, files)
      const smtp = await smtpListener(t, { certificate: source })
      const intake = await intakeListener(t, { certificate: source, tls: true })
      const openSmtp = async () => {
        const client = await greetSmtp(smtp.port)
        const socket = await client.startTls()
        await client.say('EHLO client.example')
        return { client, subject: peerSubject(socket) }
      }
      const openHttp = async () => {
        const client = await connectHttp({ port: intake.port, tls: true })
        return { client, subject: peerSubject(client.encrypted!) }
      }
      const sessions = { smtp: await openSmtp(), http: await openHttp() }
      assert.deepEqual([sessions.smtp.subject, sessions.http.subject], ['before.example', 'before.example'])
      await sessions.http.client.write(`${head('POST', '/v1/tlsrpt', { 'content-length': 4 })}ha`)
      const next = nextOf(source)
      copy(after!, files)
      await next
      assert.deepEqual([(await openSmtp()).subject, (await openHttp()).subject], ['after.example', 'after.example'])
      assert.match(await sendMail(sessions.smtp.client, rua, mail), /^250 /)
      await sessions.http.client.write('lf')
      assert.equal((await sessions.http.client.read())?.status, 200)
    },
  )
})

test('STARTTLS: the mail is taken as before, marked as encrypted, and what was said in the clear is forgotten', async (t) => {
  const { port, seen } = await smtpListener(t)
  const client = await greetSmtp(port)
  await client.say('MAIL FROM:<clear@sender.example>')
  await client.startTls()
  assert.match(await client.say('MAIL FROM:<>'), /^503 /, 'EHLO again')
  const offers = await client.say('EHLO tls.example')
  assert.doesNotMatch(offers, /STARTTLS|AUTH/)
  assert.match(await client.say(`RCPT TO:<${rua}>`), /^503 /)
  assert.match(await client.say('STARTTLS'), /^503 /)
  assert.match(await sendMail(client, rua, mail), /^250 /)
  const { tls, helo, mailFrom } = seen[0]!.provenance as { tls: boolean; helo: string; mailFrom: string }
  assert.deepEqual({ tls, helo, mailFrom }, { tls: true, helo: 'tls.example', mailFrom: 'reports@sender.example' })
})

test('what is sent in the clear behind STARTTLS is never heard', async (t) => {
  const { port } = await smtpListener(t)
  for (const lines of [1, 99, 100, 101, 250]) {
    const client = await greetSmtp(port)
    await client.write(`STARTTLS\r\nEHLO evil.example\r\n${'MAIL FROM:<evil@sender.example>\r\n'.repeat(lines)}`)
    assert.match(await client.read(), /^220 /)
    await client.shakeHands() // Answers in the clear would break it.
    assert.match(await client.say('MAIL FROM:<>'), /^503 /, 'no EHLO was heard')
    await client.say('EHLO client.example')
    assert.match(await client.say(`RCPT TO:<${rua}>`), /^503 /, 'no MAIL was heard')
    client.close()
  }
})

test('a handshake that is none, or does not come, ends; TLS 1.1 is refused; plain text goes on', async (t) => {
  const { port, seen } = await smtpListener(t, {
    limits: { smtpIdleSeconds: 3, smtpConnections: 3 },
    limitExempt: () => true,
  })
  const garbage = await greetSmtp(port)
  assert.match(await garbage.say('STARTTLS'), /^220 /)
  await garbage.write('GARBAGE'.repeat(100))
  assert.equal(await garbage.read(), 'closed')
  const old = await greetSmtp(port)
  await assert.rejects(old.startTls({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
  const silent = await greetSmtp(port)
  assert.match(await silent.say('STARTTLS'), /^220 /)
  const started = performance.now()
  assert.equal(await silent.read(), 'closed')
  assert.ok(performance.now() - started < 2900)
  const places = await Promise.all([greetSmtp(port), greetSmtp(port), greetSmtp(port)]) // None is lost.
  assert.match(await sendMail(places[0], rua, mail), /^250 /)
  assert.equal((seen[0]?.provenance as { tls: boolean }).tls, false)
})

test('resets during a handshake end nothing but themselves', async (t) => {
  const { port } = await smtpListener(t)
  for (let i = 0; i < 5; i++) {
    const client = await greetSmtp(port)
    await client.write('STARTTLS\r\n')
    if (i % 2 === 0) await client.read()
    client.reset()
  }
  const tls = await greetSmtp(port)
  await tls.startTls()
  await tls.say('EHLO client.example')
  await tls.say('MAIL FROM:<>')
  await tls.say(`RCPT TO:<${rua}>`)
  await tls.say('DATA')
  await tls.write('Subject: x\r\n')
  tls.reset()
  await sleep(50)
  assert.match(await sendMail(await greetSmtp(port), rua, mail), /^250 /)
})

test('a TLS client on the plain port of SMTP, and a plain one on the port of HTTPS, are told or dropped', async (t) => {
  const smtp = await smtpListener(t)
  const hello = await connectSmtp(smtp.port)
  await hello.read()
  await hello.write(Buffer.from('16030100700100006c0303', 'hex'))
  hello.close()
  const intake = await intakeListener(t, { tls: true })
  const plain = connect(intake.port, '127.0.0.1')
  plain.on('error', () => undefined)
  plain.write('POST /v1/tlsrpt HTTP/1.1\r\n\r\n')
  await once(plain, 'close')
  const client = await connectHttp({ port: intake.port, tls: true })
  await client.write(head('GET', '/healthz'))
  assert.equal((await client.read())?.status, 200)
})
