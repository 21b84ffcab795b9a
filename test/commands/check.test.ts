/** `check DOMAIN`, as a person types it, over mail domains on loopback. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { describe } from '../../src/commands/check.ts'
import type { Check } from '../../src/checks/check.ts'
import { startMailWorld } from '../support/mail-world.ts'
import { runProgram, type Ended } from '../support/program.ts'

const policyOf = (mx: string) => `version: STSv1\r\nmode: enforce\r\nmx: ${mx}\r\nmax_age: 2419200\r\n`
const sts = 'v=STSv1; id=20261122;'
const tlsRpt = 'v=TLSRPTv1; rua=mailto:reports@receiver.test'

const world = await startMailWorld({
  'good.test': { sts, tlsRpt, policy: policyOf('mx.good.test'), mx: { 'mx.good.test': {} } }, // prettier-ignore
  'ends.test': {
    sts,
    tlsRpt,
    policy: policyOf('mx.ends.test'),
    mx: { 'mx.ends.test': { certificate: { days: [-80, 5] } } },
  },
  'receiver.test': { mx: { 'mx.receiver.test': {} } },
  'bad.test': { sts, policy: policyOf('mx.bad.test'), mx: { 'mx.bad.test': { certificate: { days: [-80, -5] } } } }, // prettier-ignore
})
after(world.close)

const us = { ...world.env, SMTP_HOSTNAME: 'checks.us.example', RUA_ADDRESSES: 'reports@receiver.test' }
const ran = new Map<string, Promise<Ended>>()

/** The same, asked again, is what it was: a start of the program takes a second. */
function check(...args: string[]): Promise<Ended> {
  const key = args.join(' ')
  const ended = ran.get(key) ?? runProgram(['check', ...args], us)
  ran.set(key, ended)
  return ended
}

test('all well or advice is 0, a warning 3, an error 4', async () => {
  for (const [domain, code, severity] of [
    ['good.test', 0, '(?:ok|advice)'],
    ['ends.test', 3, 'warning'],
    ['BAD.test.', 4, 'error'],
  ] as const) {
    const ended = await check(domain)
    assert.equal(ended.code, code, ended.stdout)
    assert.match(ended.stdout, new RegExp(`^${domain.toLowerCase().replace(/\.$/, '')}: ${severity} \\(`))
    assert.equal(ended.stderr, '')
  }
})

test('it says who is asking, to the policy host and to the MX', () => {
  assert.ok(world.headers.some((sent) => /^tlsrpt-receiver\/[\d.]+ \(.*checks\.us\.example\)$/.test(String(sent['user-agent'])))) // prettier-ignore
  assert.ok(world.heard.includes('mx.good.test EHLO checks.us.example'))
})

test('an error stands first, with what was seen and what to do; elsewhere than on a terminal nothing is broken or coloured', async () => {
  const { stdout } = await check('BAD.test.')
  const [, , first, sentence, ...rest] = stdout.split('\n')
  assert.match(first!, /^✕ error {3}mx\.bad\.test \[127\.[\d.]+\] {2}mx-certificate-expired$/)
  assert.match(sentence!, /^ {10}The certificate .* it ended on /)
  assert.ok(rest.some((line) => /^ {10}to do {2}\S/.test(line)))
  assert.equal(stdout, stripVTControlCharacters(stdout))
})

test('--json is the check as the API names it, and nothing else', async () => {
  const { code, stdout } = await check('bad.test', '--json')
  const told = JSON.parse(stdout) as Record<string, unknown>
  assert.deepEqual(Object.keys(told), ['domain', 'started_at', 'ended_at', 'severity', 'findings', 'observed'])
  assert.deepEqual([code, told['domain'], told['severity']], [4, 'bad.test', 'error'])
})

test('what is no domain is a usage error, and says why', async () => {
  const { code, stdout, stderr } = await check('localhost')
  assert.deepEqual([code, stdout], [2, ''])
  assert.equal(stderr, "'localhost' must be a full domain name, such as example.com\n")
})

test('on a terminal there is a line of what is looked at, which is gone at the end, and colour, unless NO_COLOR is set', async () => {
  const plain = (await check('BAD.test.')).stdout
  const onTerminal = (more: string) =>
    new Promise<string>((resolve) => {
      const command = `stty cols 60; ${more} ${process.execPath} src/main.ts check bad.test`
      const env = { ...us, PATH: process.env['PATH'], TERM: 'xterm' }
      execFile('script', ['-qec', command, '/dev/null'], { env, encoding: 'utf8' }, (_error, stdout) => resolve(stdout))
    })
  const coloured = await onTerminal('')
  assert.match(coloured, /\r\x1b\[K\d+ of \d+ looked at/)
  assert.match(coloured, /\x1b\[31m✕ error/)
  const afterProgress = coloured.slice(coloured.lastIndexOf('\x1b[K') + '\x1b[K'.length)
  const shown = stripVTControlCharacters(afterProgress).split('\r\n')
  const tooLong = shown.filter((line) => line.length > 60 && line.trim().includes(' ') && !line.includes('v=TLSRPTv1'))
  assert.deepEqual(tooLong, [])
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== '').sort() // prettier-ignore
  assert.deepEqual(words(shown.join('\n')), words(plain))
  assert.doesNotMatch(await onTerminal('NO_COLOR=1'), /\x1b\[31m/)
})

test('a value to copy is never broken, a code that has no room stands below, and a finding that is well takes a line', () => {
  const value = 'v=TLSRPTv1; rua=mailto:a-rather-long-address@example.com,https://example.com/v1/tlsrpt'
  const check = {
    ...{ domain: 'a.example', severity: 'warning', startedAt: '', endedAt: '' },
    findings: [
      { code: 'sts-record-good', severity: 'ok', subject: '_mta-sts.a.example', sentence: 'Fine.', evidence: ['x'] },
      { code: 'tlsrpt-missing', severity: 'warning', subject: '_smtp._tls.a.example', sentence: 'None.', evidence: [], value }, // prettier-ignore
    ],
  } as unknown as Check
  assert.deepEqual(describe(check, { width: 40, colour: false }), [
    'a.example: warning (1 warning, 1 ok)',
    '',
    '! warning _smtp._tls.a.example',
    '          tlsrpt-missing',
    '          None.',
    `                 ${value}`,
    '',
    '✓ ok      _mta-sts.a.example: Fine.',
  ])
})
