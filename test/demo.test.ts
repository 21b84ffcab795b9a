/** `npm run demo`, as a newcomer runs it: reports have come in and answers out, and mended, the broken domain is well. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { before, test } from 'node:test'
import { resultTypes } from '../src/tlsrpt/result-types.ts'
import { inherited, type Ended } from './support/program.ts'

let ended: Ended
before(async () => {
  const program = spawn(process.execPath, ['src/main.ts', 'demo'], { env: { ...inherited, TMPDIR: process.env['TMPDIR'] ?? '/tmp' } }) // prettier-ignore
  let [stdout, stderr] = ['', '']
  program.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  program.stdout.on('data', (data: Buffer) => {
    const before = stdout
    stdout += data.toString()
    const hasCome = (text: RegExp) => text.test(stdout) && !text.test(before)
    if (hasCome(/Up until/)) program.kill('SIGUSR2')
    if (hasCome(/^Can alpha\.example enforce[^]*^Can alpha\.example enforce.*\n/m)) program.kill('SIGINT') // Once: the second one ends it at once.
  })
  const [code] = (await once(program, 'close')) as [number | null]
  ended = { code, stdout, stderr }
})

test('it ends well, with nothing on stderr', () => {
  assert.deepEqual([ended.code, ended.stderr], [0, ''])
})

test('its broken domain may not enforce, and after the fix it may', () => {
  const [before, after] = ended.stdout.match(/^Can alpha\.example enforce MTA-STS\? \S+/gm)!
  assert.match(before, / not-ready:$/)
  assert.match(after!, / ready:$/)
  assert.match(
    ended.stdout,
    /^ {2}alpha\.example +error +mx2\.alpha\.example \[127\.0\.0\.\d\]: The certificate is not valid .* it ended/m,
  )
  const mended = ended.stdout.slice(ended.stdout.indexOf('mx2.alpha.example shows a new certificate'))
  assert.match(mended, /^ {2}alpha\.example +advice *$/m)
  assert.match(
    mended,
    /^ {2}None of them since 2\d{3}-\d\d-\d\d: \d{3,} sessions of [2-9] known reporters went well\.$/m,
  )
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
