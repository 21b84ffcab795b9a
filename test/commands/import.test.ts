import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import pino from 'pino'
import { runImport } from '../../src/commands/import.ts'
import { runReprocess, type ReprocessOptions } from '../../src/commands/reprocess.ts'
import { readConfig } from '../../src/config.ts'
import { freshDatabase } from '../support/database.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { runProgram } from '../support/program.ts'
import { reportOn, signedMail, unsignedMail, zone } from '../support/report-mail.ts'

const { db, url } = await freshDatabase()
const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-import-'))
after(() => rm(folder, { recursive: true, force: true }))
const dns = await startDnsServer(zone)
after(dns.close)
const env = {
  DATABASE_URL: url,
  ACCEPT_DATA_LOSS: 'yes', // The test server is not durable.
  DATA_DIR: folder,
  DNS_SERVERS: dns.address,
  POLICY_DOMAINS: 'ours.example',
  LOG_LEVEL: 'error',
}

const today = new Date().toISOString().slice(0, 10)
const told = (reportId: string, domain = 'ours.example') => ({ domain, day: today, reportId, failed: 2 })
const counts = (stdout: string) => Object.fromEntries(stdout.trim().split('\n').map((line) => line.split(/ +/))) as Record<string, string> // prettier-ignore

type Env = Record<string, string>

/** What the program would print; the program itself runs in the last test. */
async function run(
  command: (
    deps: Pick<Parameters<typeof runImport>[2], 'say' | 'now'>,
    config: ReturnType<typeof readConfig>,
  ) => Promise<number>,
  given: Env,
) {
  const printed = { stdout: '', stderr: '' }
  const say = {
    out: (line: string) => (printed.stdout += `${line}\n`),
    err: (line: string) => (printed.stderr += `${line}\n`),
  }
  const code = await command({ say, now: () => new Date() }, readConfig(given))
  return { code, ...printed }
}

const silent = pino({ level: 'silent' })

/** `columns`: on a terminal that is so wide; what it shows is in `shown`. */
async function runImporting(paths: string[], given: Env = env, columns?: number) {
  const terminal = Object.assign(new PassThrough(), columns !== undefined && { isTTY: true, columns })
  let shown = ''
  terminal.on('data', (data: Buffer) => (shown += data.toString()))
  const stream = terminal as unknown as NodeJS.WriteStream
  const ended = await run((deps, config) => runImport(config, silent, { ...deps, terminal: stream }, paths), given)
  return { ...ended, shown }
}

const runReprocessing = (options: ReprocessOptions, given: Env = env) =>
  run(({ say, now }, config) => runReprocess(config, silent, { say, progress: () => undefined, world: { now } }, options), given) // prettier-ignore

type Row = Record<string, unknown>

/** All that is asked of the store later: reports and totals. */
async function numbers() {
  const reports = await db.query<Row>('select domain, report_id, trust, standing, counted from report order by 1, 2')
  const totals = await db.query<Row>(
    'select domain, trust, successful, failed, reports from day_total where reports > 0 order by 1, 2',
  )
  return { reports: reports.rows, totals: totals.rows }
}

test('a folder of everything is imported once, what was not taken is named, and a second time changes nothing', async () => {
  const maildir = join(folder, 'mail', 'Maildir')
  for (const name of ['cur', 'new', 'tmp']) await mkdir(join(maildir, name), { recursive: true })
  await writeFile(join(maildir, 'cur', '1.host:2,S'), signedMail(told('r1')).toString('latin1').replaceAll('\r\n', '\n'), 'latin1') // prettier-ignore
  await writeFile(join(maildir, 'new', '2.host'), unsignedMail(told('r2')))
  await writeFile(join(folder, 'mail', 'report.json.gz'), gzipSync(JSON.stringify(reportOn(told('r3')))))
  await writeFile(join(folder, 'mail', 'report.json'), JSON.stringify(reportOn(told('r4', 'theirs.example'))))
  await writeFile(join(folder, 'mail', 'notes.txt'), 'no report')
  await writeFile(join(folder, 'mail', 'archive'), ['r5', 'r1'].map((id) => `From x Thu Jan  1 00:00:00 2026\n${signedMail(told(id)).toString('latin1')}\n`).join(''), 'latin1') // prettier-ignore

  const first = await runImporting([join(folder, 'mail')])
  assert.deepEqual(counts(first.stdout), { accepted: '4', duplicate: '1', malformed: '1', 'not-ours': '1' })
  assert.equal(first.code, 1)
  assert.match(first.stderr, /^Not taken:$/m)
  assert.match(first.stderr, /notes\.txt: malformed \(not-gzip-or-json\): /)
  assert.match(first.stderr, /report\.json: not-ours \(not-ours\): theirs\.example /)
  const known = await numbers()
  assert.deepEqual(
    known.reports.map(({ report_id, trust, standing }) => [report_id, trust, standing]),
    [['r1', 'verified', 'counted'], ['r2', 'unverified', 'counted'], ['r3', 'unverified', 'counted'], ['r5', 'verified', 'counted']],
  ) // prettier-ignore

  const second = await runImporting([join(folder, 'mail')])
  assert.deepEqual(counts(second.stdout), { duplicate: '5', malformed: '1', 'not-ours': '1' })
  assert.deepEqual(await numbers(), known)
})

test('on a terminal a bar shows how far it is', async () => {
  await writeFile(join(folder, 'one.eml'), signedMail(told('r1')))
  const { code, shown, stdout } = await runImporting([join(folder, 'one.eml')], env, 100)
  assert.equal(code, 0)
  assert.match(shown, /0%  0 submissions/)
  assert.equal(counts(stdout)['duplicate'], '1')
})

test('a path that is not there is named, and what stands beside it is imported', async () => {
  const { code, stdout, stderr } = await runImporting([join(folder, 'nowhere'), join(folder, 'one.eml')])
  assert.equal(code, 1)
  assert.deepEqual(counts(stdout), { duplicate: '1', failed: '1' })
  assert.match(stderr, /nowhere: cannot be read: ENOENT/)
})

test('of very many that were not taken some are named, and the rest is counted', async () => {
  await mkdir(join(folder, 'many'))
  for (let i = 0; i < 60; i++) await writeFile(join(folder, 'many', `${i}.txt`), 'no report')
  const { stderr } = await runImporting([join(folder, 'many')])
  assert.equal(stderr.match(/malformed/g)?.length, 50)
  assert.match(stderr, /and 10 more/)
})

test('where no domain is ours it says so', async () => {
  const { code, stderr } = await runImporting([join(folder, 'one.eml')], { ...env, POLICY_DOMAINS: '' })
  assert.equal(code, 1)
  assert.match(stderr, /No domain is ours yet/)
})

test('POLICY_DOMAINS=* takes what is about anybody', async () => {
  await writeFile(join(folder, 'any.json'), JSON.stringify(reportOn(told('r6', 'mail.theirs.example'))))
  const { code } = await runImporting([join(folder, 'any.json')], { ...env, POLICY_DOMAINS: '*' })
  assert.equal(code, 0)
  const { rows } = await db.query("select domain from report where report_id = 'r6'")
  assert.deepEqual(rows, [{ domain: 'theirs.example' }])
})

test('what was refused counts once its domain is ours and it is judged again, by its verdict of the day of arrival', async () => {
  await writeFile(join(folder, 'later.eml'), signedMail(told('r7', 'later.example')))
  assert.equal((await runImporting([join(folder, 'later.eml')])).code, 1)
  await db.query("insert into domain (domain) values ('later.example')")
  const deaf = { ...env, DNS_SERVERS: '127.0.0.1:1' } // Today nobody could verify it.
  const again = await runReprocessing({ verdict: ['not-ours'], since: today }, deaf)
  assert.match(again.stdout, /not-ours -> accepted +1$/m)
  assert.equal(again.code, 0)
  const { rows } = await db.query("select trust, counted from report where domain = 'later.example'")
  assert.deepEqual(rows, [{ trust: 'verified', counted: true }])
  const before = await numbers()
  assert.match((await runReprocessing({}, deaf)).stdout, /^Judged again: \d\d+, changed: 0$/m)
  assert.deepEqual(await numbers(), before)
})

test('a mail that could not be read was not verified, so it is when it is judged again', async () => {
  await writeFile(join(folder, 'deep.eml'), signedMail(told('r8')))
  const narrow = { ...env, LIMITS: '{"jsonDepth": 2}' }
  assert.deepEqual(counts((await runImporting([join(folder, 'deep.eml')], narrow)).stdout), { malformed: '1' })
  const again = await runReprocessing({ verdict: ['malformed', 'quarantined'] })
  assert.match(again.stdout, /^ {2}malformed -> accepted +1$/m)
  const { rows } = await db.query("select trust from report where report_id = 'r8'")
  assert.deepEqual(rows, [{ trust: 'verified' }])
})

test('a day or a verdict that is none stops reprocess before it begins', async () => {
  const bad = await runReprocessing({ since: '2026-02-30' })
  assert.deepEqual([bad.code, bad.stderr], [2, "--since: '2026-02-30' is no date; write YYYY-MM-DD\n"])
  assert.equal((await runProgram(['reprocess', '--verdict', 'fine'], env)).code, 2)
})

test('without a terminal there is nothing but the summary, and exit 0 where all was taken', async () => {
  const { code, stdout, stderr } = await runProgram(['import', join(folder, 'one.eml')], env)
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'duplicate               1\n', stderr: '' })
})
