/** P3: how bytes are cut on their way changes nothing. (SMTP: test/transport/smtp-data.test.ts.) */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { defaultLimits } from '../../src/limits.ts'
import { unzip } from '../../src/tlsrpt/gzip.ts'
import { connectHttp, head } from '../support/http-client.ts'
import { intakeListener } from '../transport/fixtures.ts'

const cuts = fc.array(fc.nat(), { maxLength: 6 })

function inPieces(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)
  return [...places, bytes.length].map((end, i) => bytes.subarray(places[i - 1] ?? 0, end))
}

test('P3: into whatever members gzip is cut, at whatever levels, the same comes out', async () => {
  const level = fc.integer({ min: 0, max: 9 })
  const content = fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.concat([Buffer.from('{'), bytes]))
  await fc.assert(
    fc.asyncProperty(content, cuts, fc.infiniteStream(level), fc.nat(9), async (bytes, at, levels, zeros) => {
      const members = inPieces(bytes, at).map((piece) => gzipSync(piece, { level: levels.next().value as number }))
      const unzipped = await unzip(Buffer.concat([...members, Buffer.alloc(zeros)]), defaultLimits)
      assert.deepEqual(unzipped, { kind: 'unzipped', bytes, layers: 1 })
    }),
    { numRuns: 200 },
  )
})

test('P3: in whatever segments and chunks a post comes, the road gets the same bytes', async (t) => {
  const { port, seen } = await intakeListener(t)
  const body = fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map((bytes) => Buffer.from(bytes))
  await fc.assert(
    fc.asyncProperty(body, cuts, cuts, fc.boolean(), async (bytes, at, chunkAt, isChunked) => {
      const chunks = inPieces(bytes, chunkAt).filter((chunk) => chunk.length > 0)
      const framed = isChunked
        ? chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
        : [bytes]
      const framing = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': bytes.length }
      const end = Buffer.from(isChunked ? '0\r\n\r\n' : '')
      const request = Buffer.concat([Buffer.from(head('POST', '/v1/tlsrpt', framing)), ...framed, end])
      const client = await connectHttp({ port })
      for (const segment of inPieces(request, at)) await client.write(segment)
      assert.equal((await client.read())?.status, 200)
      client.close()
      assert.deepEqual(seen.at(-1)?.raw, bytes)
    }),
    { numRuns: 100 },
  )
})
