/** RFC 9457: the table from outcomes to answers. The sockets' view of it is in https.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpReply, wireText } from '../../src/transport/https-reply.ts'
import { outcomes } from './fixtures.ts'

test('temporary is 503 with Retry-After, a refusal 4xx, success plain 200, and nothing else', () => {
  for (const [name, outcome] of Object.entries(outcomes)) {
    const { status, headers } = httpReply(outcome, 'application/tlsrpt+gzip')
    if (outcome.kind === 'deferred') assert.deepEqual([status, headers['retry-after']], [503, '60'], name)
    else if ('problems' in outcome) assert.ok(status >= 400 && status < 500, name)
    else assert.equal(status, 200, name)
  }
})

test('an answer on the wire is a whole HTTP response that ends the connection', () => {
  const text = wireText(httpReply(outcomes['not-ours']!, undefined), 'request-1')
  const [head = '', body = ''] = text.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 422 Unprocessable Entity\r\n/)
  assert.match(head, /\r\nconnection: close(?:\r\n|$)/)
  assert.match(head, new RegExp(`\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`))
  assert.equal((JSON.parse(body) as { request_id: string }).request_id, 'request-1')
})
