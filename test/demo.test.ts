/** `npm run demo`, as a newcomer runs it: within a minute, reports have come in and answers out. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { before, test } from 'node:test'
import { resultTypes } from '../src/tlsrpt/result-types.ts'
import { runProgram, type Ended } from './support/program.ts'

let ended: Ended
before(async () => {
  ended = await runProgram(['demo', '--once'], { TMPDIR: process.env['TMPDIR'] ?? '/tmp' })
})

test('it ends well, with nothing on stderr', () => {
  assert.deepEqual([ended.code, ended.stderr], [0, ''])
})

test('every sample is sent by its transport, and gets the answer that stands beside it', () => {
  const expected = readdirSync('samples').filter((name) => name.endsWith('.expected.json'))
  assert.ok(expected.length > 20)
  for (const name of expected) {
    const { answer, verdict, reason } = JSON.parse(readFileSync(`samples/${name}`, 'utf8')) as Record<string, string>
    const line = ended.stdout.split('\n').find((each) => each.trim().startsWith(name.replace('.expected.json', '.')))
    const by = readdirSync('samples').includes(name.replace('.expected.json', '.eml')) ? 'mail' : 'https'
    assert.match(line ?? '', new RegExp(`${by} +${answer!.slice(0, 3)}`), name)
    assert.ok(line?.endsWith(reason ?? verdict!), `${line}, not ${reason ?? verdict}`)
  }
})

test('ninety days of history are accepted, from mail and from HTTPS', () => {
  assert.match(ended.stdout, /\b450 reports by signed mail, 180 by HTTPS; 0 not accepted\./)
})

test('the table has every result type there is, verified ones and unverified ones', () => {
  const table = ended.stdout.slice(ended.stdout.indexOf('What fails, where'))
  for (const { name } of resultTypes) assert.ok(table.includes(` ${name} `), name)
  assert.match(table, /alpha\.example +mx2\.alpha\.example +certificate-expired +[1-9]\d+ /)
  assert.match(table, /web\.example +mail\.web\.example +certificate-not-trusted +0 +[1-9]\d+ /)
})

test('it tells where to go on: the ports, the token, and what to try', () => {
  for (const what of [
    /^SMTP +127\.0\.0\.1:\d+/m,
    /^API +http:\/\/127\.0\.0\.1:\d+\/v1/m,
    /^Token +[\w-]{43}$/m,
    /^Try /m,
  ]) {
    assert.match(ended.stdout, what)
  }
})
