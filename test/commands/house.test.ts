/** Moving house and keeping it, as an operator types it: export, restore, verify, domain remove --purge. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { putDomain } from '../../src/store/domains.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { arrival, newKey } from '../support/arrivals.ts'
import { freshDatabase } from '../support/database.ts'
import { runProgram } from '../support/program.ts'

const limits = { commitBatch: 300, commitQueue: 10_000, unverifiedReportsPerDomainAndDay: 1_000 }
const { db, url } = await freshDatabase()
const { db: targetDb, url: target } = await freshDatabase()
const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-house-'))
after(() => rm(folder, { recursive: true }))

const run = (args: string[], databaseUrl = url) =>
  runProgram(args, { DATABASE_URL: databaseUrl, DATA_DIR: folder, LOG_LEVEL: 'silent' })

const recorder = makeRecorder(db, { limits, newKey })
await putDomain(db, { domain: 'example.org', includeSubdomains: true, mx: [] })
await recorder.record(arrival({ by: 'sender.example' }, undefined, { raw: Buffer.alloc(500) }))
await recorder.record(arrival({ by: 'sender.example', domains: ['example.com'], day: '2026-02-27' }))
const file = join(folder, 'store.gz')

test('export writes a file for its owner alone, says how many rows it has, and writes over nothing', async () => {
  const ended = await run(['export', file])
  assert.deepEqual([ended.code, ended.stdout], [0, ''], ended.stderr)
  assert.match(ended.stderr, /^Exported to .*store\.gz, in rows:\n/)
  assert.match(ended.stderr, /^ {2}report {2,}2$/m)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(folder), ['store.gz'])

  const bytes = await readFile(file)
  const again = await run(['export', file])
  assert.deepEqual([again.code, again.stderr], [1, `${file} is there already: give another name\n`])
  assert.deepEqual(await readFile(file), bytes)
})

test('an export that cannot be written says so, and leaves nothing', async () => {
  const away = join(folder, 'none', 'store.gz')
  const ended = await run(['export', away])
  assert.equal(ended.code, 1)
  assert.match(ended.stderr, /^.*none\/store\.gz cannot be written: ENOENT/)
})

test('what cannot be restored is named with the reason, and nothing is changed', async () => {
  const cut = join(folder, 'cut.gz')
  await writeFile(cut, (await readFile(file)).subarray(0, -20))
  for (const [path, reason] of [
    [cut, 'it is damaged or cut short: unexpected end of file'],
    [join(folder, 'none.gz'), 'ENOENT: no such file or directory.*'],
    [folder, 'EISDIR: .*'],
  ] as const) {
    const ended = await run(['restore', path], target)
    assert.deepEqual([ended.code, ended.stdout], [1, ''])
    assert.match(ended.stderr, new RegExp(`^${path} cannot be restored: ${reason}\\. Nothing was changed\\.\n$`))
  }
  assert.equal((await targetDb.query('select from domain')).rowCount, 0)
})

test('restore fills an empty store, and refuses one that is not, naming the table', async () => {
  const ended = await run(['restore', file], target)
  assert.deepEqual([ended.code, ended.stdout], [0, ''], ended.stderr)
  assert.match(ended.stderr, /^ {2}submission_raw {2,}2$/m)
  const again = await run(['restore', file], target)
  assert.deepEqual([again.code, again.stderr], [1, `${file} cannot be restored: the store is not empty: there are rows in domain. Nothing was changed.\n`]) // prettier-ignore
  assert.equal((await run(['verify'], target)).stdout, 'All is as it should be: 2 reports.\n')
})

test('verify names what is wrong by domain and day, ends with 1, and mends it when told to', async () => {
  await targetDb.query(`update day_total set failed = failed + 1 where domain = 'example.org' and policy_type = 'sts'`)
  await targetDb.query(`update policy set counted = false where domain = 'example.com' and seq = 0`)
  const found = await run(['verify'], target)
  assert.equal(found.code, 1)
  assert.deepEqual(found.stdout.split('\n'), [
    'example.com  2026-02-27  verified total of sts is 90 successful, 10 failed, 11 attributed, 1 reports, 10 failed of 1 policies, its facts are nothing',
    'example.com  2026-02-27  1 row of policy that do not say what the report says',
    'example.org  2026-03-01  verified total of sts is 90 successful, 11 failed, 11 attributed, 1 reports, 10 failed of 1 policies, its facts are 90 successful, 10 failed, 11 attributed, 1 reports, 10 failed of 1 policies',
    '3 found in 2 reports. verify --repair mends them.',
    '',
  ])
  const asJson = JSON.parse((await run(['verify', '--json'], target)).stdout) as { findings: unknown[] }
  assert.deepEqual(asJson.findings[2], {
    kind: 'day-total',
    domain: 'example.org',
    day: '2026-03-01',
    trust: 'verified',
    policyType: 'sts',
    recorded: { successful: 90, failed: 11, attributed: 11, reports: 1, failedOfType: 10, policies: 1 },
    folded: { successful: 90, failed: 10, attributed: 11, reports: 1, failedOfType: 10, policies: 1 },
  })
  const mended = await run(['verify', '--repair'], target)
  assert.deepEqual([mended.code, mended.stdout.split('\n').at(-2)], [0, '3 found in 2 reports, and mended.'])
  assert.deepEqual(JSON.parse((await run(['verify', '--json'], target)).stdout), { reports: 2, findings: [] })
})

test('domain remove --purge says how much it erased, also of a domain that was removed before', async () => {
  const purged = await run(['domain', 'remove', 'example.org', '--purge'], target)
  assert.deepEqual([purged.code, purged.stdout], [0, 'example.org is no longer ours. Erased: 1 reports, 1 submissions, 500 bytes.\n']) // prettier-ignore
  const other = await run(['domain', 'remove', 'example.com', '--purge'], target)
  assert.deepEqual([other.code, other.stdout], [0, 'example.com is no longer ours. Erased: 1 reports, 1 submissions, 40 bytes.\n']) // prettier-ignore
  const again = await run(['domain', 'remove', 'example.com', '--purge'], target)
  assert.deepEqual([again.code, again.stderr], [1, "'example.com' was none of our domains\n"])
})
