/**
 * `node bench/null-server.ts http|smtp`: a server that takes what it is sent and does nothing with it. What a request or
 * a session costs in the libraries alone is part of every floor. Prints its port.
 */
import { mkdtempSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fastify } from 'fastify'
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

async function startSmtp(): Promise<void> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }
  const folder = mkdtempSync(join(tmpdir(), 'tlsrpt-bench-'))
  const certificate = await openCertificate(undefined, folder, ['rua.example'], log, () => new Date())
  const server = new SMTPServer({
    ...certificate.current(),
    authOptional: true,
    disableReverseLookup: true,
    onData: (stream, _session, done) => {
      stream.resume()
      stream.on('end', () => done())
    },
  })
  server.listen(0, '127.0.0.1', () => {
    console.log((server.server.address() as AddressInfo).port)
  })
  process.on('SIGTERM', () => process.exit())
}
