/**
 * `node bench/null-server.ts http|smtp`: a server that does no more than it must with what it is sent. What a request, or a
 * mail and its report, costs in the libraries alone is part of every floor. Prints its port.
 */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { fastify } from 'fastify'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { openCertificate } from '../src/transport/certificate.ts'

if (process.argv[2] === 'http') await startHttp()
else await startSmtp()

async function startHttp(): Promise<void> {
  const server = fastify()
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.post('/v1/tlsrpt', () => ({ status: 'accepted' }))
  await server.listen({ host: '127.0.0.1', port: 0 })
  console.log((server.server.address() as AddressInfo).port)
}

/** One verification by a key that is ready, over as much as a header has that is signed. */
function makeVerification(): () => void {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const data = Buffer.alloc(600, 'a')
  const signature = sign('sha256', data, privateKey)
  const key = createPublicKey(privateKey)
  return () => void verify('sha256', data, key, signature)
}

async function startSmtp(): Promise<void> {
  const verifyOne = makeVerification()
  const read = async (stream: Readable) => {
    const { attachments } = await simpleParser(stream)
    verifyOne()
    JSON.parse(gunzipSync(attachments[0]!.content).toString())
  }
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const certificate = await openCertificate(undefined, folder, ['rua.example'], log, () => new Date())
  rmSync(folder, { recursive: true })
  const server = new SMTPServer({
    ...certificate.current(),
    authOptional: true,
    disableReverseLookup: true,
    onData: (stream, _session, done) => void read(stream).then(() => done(), done),
  })
  server.listen(0, '127.0.0.1', () => {
    console.log((server.server.address() as AddressInfo).port)
  })
}
