import assert from 'node:assert/strict'
import { PassThrough, Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { v7 } from 'uuid'
import type { JudgedPart } from '../../src/store/arrivals.ts'
import type { Database } from '../../src/store/database.ts'
import { openDatabase } from '../../src/store/database.ts'
import { verifyDayTotals } from '../../src/store/day-totals.ts'
import { decideReport } from '../../src/store/decisions.ts'
import { recordCheck, takeDailyTurn } from '../../src/store/checks.ts'
import { setReporterStanding } from '../../src/store/reporters.ts'
import { migrate } from '../../src/store/migrate.ts'
import { putDomain } from '../../src/store/domains.ts'
import { exportStore } from '../../src/store/export.ts'
import { BadExport, endOfRows, readExport, sectionSchema } from '../../src/store/export-format.ts'
import { makeRecorder } from '../../src/store/recorder.ts'
import { restoreStore } from '../../src/store/restore.ts'
import { applyRetention } from '../../src/store/retention.ts'
import { tables } from '../../src/store/tables.ts'
import { createToken, findIntakeToken } from '../../src/store/tokens.ts'
import { startApi } from '../support/api.ts'
import { arrival, judgedArrival, later, newKey } from '../support/arrivals.ts'
import { emptyDatabase, freshDatabase, migrationsFolder, testDatabaseOptions } from '../support/database.ts'

const limits = { commitBatch: 300, commitQueue: 10_000, unverifiedReportsPerDomainAndDay: 1_000 }
const { db: source, url } = await freshDatabase()
const now = later(3_600)
const quiet = () => undefined
const refused: JudgedPart = {
  judgement: { kind: 'malformed', reason: 'not-gzip', problems: [] },
  dkim: [],
}

/** Some of everything: verdicts, contradictions, bytes that are hard on text, two months, an operator's word. */
async function fill(db: Database): Promise<void> {
  const recorder = makeRecorder(db, { limits, newKey })
  await putDomain(db, { domain: 'example.org', includeSubdomains: false, mx: ['mx.example.net'] })
  await createToken(db, { name: 'a "name"\n\\.', scopes: ['ingest'], domains: ['example.org'] }, v7(), 'secret')
  await db.query(`insert into reporter values ('c.example', 'known', 'admin', now())`)
  const awkward = Buffer.from([0, 1, 9, 10, 13, 92, 46, 10, 255, ...Buffer.from('\n\\.\n')])
  const outcomes = await Promise.all([
    recorder.record(arrival({ by: 'sender.example', contactInfo: 'tab\tline\nback\\slash \\. é 🙂' }, later(0), { raw: awkward })),
    recorder.record(arrival({ by: 'b.example', reportId: 'r2', domains: ['example.org', 'example.com'], day: '2026-02-27' }, later(1))),
    recorder.record(arrival({ by: 'c.example', reportId: 'r3', successful: Number.MAX_SAFE_INTEGER, implausible: true }, later(2))),
    recorder.record(arrival({ reportId: 'r4' }, later(3))),
    recorder.record(arrival({ reportId: 'r4', failed: 20 }, later(4))),
    recorder.record(arrival({ by: 'B.example', reportId: 'r5', domains: ['a-b.example', 'ab.example'] }, later(5))),
    recorder.record(judgedArrival([refused], later(6))),
    ...Array.from({ length: 50 }, (_, i) => recorder.record(arrival({ by: `s${i % 7}.example`, reportId: `m${i}`, failed: i }, later(10 + i)))),
  ]) // prettier-ignore
  const [first] = outcomes[2]
  assert.ok(first && 'reports' in first)
  await decideReport(
    db,
    first.reports[0]!.key,
    {
      word: 'include',
      by: 'admin',
      at: later(0),
      reason: 'they are that large',
    },
    undefined,
  )
  await setReporterStanding(db, { domain: 's3.example', standing: 'blocked', by: 'admin', at: later(1) })
  const at = later(0).toISOString()
  const check = { domain: 'example.org', startedAt: at, endedAt: at, severity: 'ok' as const, findings: [], observed: { policyHost: { host: 'mta-sts.example.org' } } } // prettier-ignore
  await recordCheck(db, { key: v7(), askedBy: 'a "name"', check })
  await takeDailyTurn(db, ['example.org'], later(0))
}
await fill(source)

async function exported(db: Database): Promise<Buffer> {
  const out = new PassThrough()
  const [bytes] = await Promise.all([buffer(out), exportStore(db, out, { program: '1.2.3', now, onRows: quiet })])
  return bytes
}
const restore = (db: Database, bytes: Buffer) => restoreStore(db, Readable.from([bytes], { objectMode: false }), quiet)

/** Every row of every table as text, in no particular order. */
async function everything(db: Database): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {}
  for (const table of tables) {
    const { rows } = await db.query<{ row: string }>(
      `select t::text as row from ${table} t order by t::text collate "C"`,
    )
    all[table] = rows.map(({ row }) => row)
  }
  return all
}
const nothing = Object.fromEntries(tables.map((table) => [table, []]))
const partitions = async (db: Database) =>
  (await db.query<{ name: string }>(`select inhrelid::regclass::text as name from pg_inherits order by 1`)).rows.map(({ name }) => name) // prettier-ignore

const bytes = await exported(source)

test('the list of tables names every table of the schema', async () => {
  const { rows } = await source.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`,
  )
  assert.deepEqual(rows.map(({ name }) => name).sort(), [...tables, 'schema_migration'].sort())
})

test('what is restored is every row, in partitions of their months', async (t) => {
  const { db } = await freshDatabase(t)
  const counts = await restore(db, bytes)
  const rows = await everything(source)
  assert.deepEqual(await everything(db), rows)
  assert.deepEqual(counts, Object.fromEntries(tables.map((table) => [table, rows[table]!.length])))
  for (const table of tables) assert.ok(counts[table] > 0, `the test has nothing in ${table}`)
  assert.deepEqual(
    await partitions(db),
    (await partitions(source)).filter((name) => !name.startsWith('pg_toast.')),
  )
  assert.deepEqual((await findIntakeToken(db, 'secret'))?.domains, ['example.org'])
  assert.deepEqual(await verifyDayTotals(db), [])
})

test('an export of what was restored has the same contents', async (t) => {
  const { db } = await freshDatabase(t)
  await restore(db, bytes)
  assert.equal(gunzipSync(await exported(db)).toString(), gunzipSync(bytes).toString())
})

test('every summary is byte-identical after the move, also to a Postgres that sorts words otherwise', async (t) => {
  const { db } = await emptyDatabase(t, ` template template0 locale_provider icu icu_locale 'en-US'`)
  await migrate(db, migrationsFolder, quiet)
  assert.equal((await db.query<{ before: boolean }>(`select 'b' < 'C' as before`)).rows[0]!.before, true)
  await restore(db, bytes)
  const [one, other] = await Promise.all([startApi({ db: source, now: () => now }), startApi({ db, now: () => now })])
  for (const path of [
    '/v1/summary',
    '/v1/summary?trust=any&group_by=domain,reporter',
    '/v1/summary?group_by=policy_type,organization&trust=any',
    '/v1/summary?group_by=result_type,receiving_mx_hostname,sending_mta_ip,day&trust=any',
    '/v1/summary?group_by=reporter&order_by=reporter&limit=3',
    '/v1/timeseries?split_by=reporter',
    '/v1/reports?limit=500',
    '/v1/submissions?limit=500',
    '/v1/failures?trust=any&limit=500',
    '/v1/domains',
  ]) {
    const [before, after] = [await one.get(path), await other.get(path)]
    assert.equal(before.status, 200)
    assert.equal(after.body, before.body, path)
  }
})

for (const table of tables) {
  test(`nothing is restored into a store with something in ${table}`, async (t) => {
    const { db } = await freshDatabase(t)
    const { rows } = await source.query<{ columns: string }>(
      `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      [table],
    )
    const row = await source.query<{ row: unknown }>(`select to_jsonb(t) as row from ${table} t limit 1`)
    const { columns } = rows[0]!
    await db.query(
      `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1::jsonb)`,
      [row.rows[0]!.row],
    )
    const before = await everything(db)
    await assert.rejects(restore(db, bytes), new BadExport(`the store is not empty: there are rows in ${table}`))
    assert.deepEqual(await everything(db), before)
  })
}

test('whatever byte an export is cut at, nothing of it is restored', async (t) => {
  const { db } = await freshDatabase(t)
  const before = await partitions(db)
  const places = [
    0,
    1,
    9,
    10,
    100,
    bytes.length >> 1,
    bytes.length - 30,
    bytes.length - 9,
    bytes.length - 8,
    bytes.length - 1,
  ]
  for (const length of places) {
    await assert.rejects(restore(db, bytes.subarray(0, length)), BadExport, `cut at ${length}`)
    assert.deepEqual(await everything(db), nothing)
  }
  assert.deepEqual(await partitions(db), before)
})

test('whatever byte of an export is damaged, nothing of it is restored', async (t) => {
  const { db } = await freshDatabase(t)
  for (let at = 10; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 0x10
    await assert.rejects(restore(db, damaged), BadExport, `damaged at ${at}`)
  }
  assert.deepEqual(await everything(db), nothing)
})

const text = gunzipSync(bytes).toString()
const packed = (changed: string) => gzipSync(changed)
const first = (pattern: RegExp, replacement: string) => {
  assert.match(text, pattern)
  return packed(text.replace(pattern, replacement))
}

for (const [what, changed, message] of [
  ['a changed number', first(/\t90\t10\t/, '\t91\t10\t'), /checksum does not agree/],
  ['a row too few', first(/(?<=\{"table":"policy"\}\n).*\n/, ''), /checksum does not agree/],
  ['a row twice', first(/(?<=\{"table":"report"\}\n)(.*\n)/, '$1$1'), /damaged: duplicate key .* \(COPY report/],
  [
    'a value that is none',
    first(/(?<=\{"table":"report"\}\n\S+\t)[\d-]+/, 'noon'),
    /invalid input syntax for type date.*COPY report, line 1, column day/,
  ],
  [
    'a row cut short',
    first(/(?<=\{"table":"report"\}\n\S+\t).*/, '2026-03-01'),
    /missing data for column.*COPY report, line 1/,
  ],
  ['tables in another order', first(/\{"table":"token"\}/, '{"table":"report"}'), /report stands where token should/],
  ['no end', packed(text.slice(0, text.trimEnd().lastIndexOf('\n') + 1)), /cut short/],
  ['more behind its end', packed(`${text}more`), /something behind its end/],
  ['another format', first(/"version":\d+/, '"version":99'), /its format is version 99, and this program reads 1/],
  ['other columns', first(/"columns":\["domain",/, '"columns":['), /tables are not those of its schema/],
  ['no export at all', packed('{"hello":"world"}\n'), /no export of this program: \{"hello":"world"\}/],
  ['no line at all', packed('x'.repeat(3_000_000)), /no export of this program/],
  ['no gzip', Buffer.from('hello, world'), /damaged or cut short: incorrect header check/],
  ['nothing', Buffer.alloc(0), /cut short/],
] as const) {
  test(`${what}: the export is refused, saying so, and nothing is restored`, async (t) => {
    const { db } = await freshDatabase(t)
    await assert.rejects(restore(db, changed), (error: Error) => {
      assert.ok(error instanceof BadExport, error.stack)
      assert.match(error.message, message)
      return true
    })
    assert.deepEqual(await everything(db), nothing)
  })
}

test('an export of another schema names what differs, and the release that can read it', async (t) => {
  const { db } = await freshDatabase(t)
  const newer = first(/("migrations":\[)/, '$1{"name":"9999_moon.sql","sha256":"00"},')
  await assert.rejects(restore(db, newer), new BadExport('it was made with another schema (it has 9999_moon.sql): restore it with release 1.2.3 of the program, then upgrade')) // prettier-ignore
  const older = first(/,\{"name":"0003_domain.sql","sha256":"\w+"\}/, '')
  await assert.rejects(
    restore(db, older),
    /another schema \(this program has 0003_domain\.sql\): restore it with release 1\.2\.3/,
  )
})

test('an export is of one instant, whatever is recorded meanwhile, and holds up nobody', async (t) => {
  const { db } = await freshDatabase(t)
  await fill(db)
  const recorder = makeRecorder(db, { limits, newKey })
  const before = await everything(db)
  const evening = new Date('2026-03-31T23:59:00Z')
  const pieces: Buffer[] = []
  let recorded: Promise<unknown> | undefined
  const recordLate = async () => {
    await recorder.record(arrival({ by: 'late.example', reportId: 'late', day: '2026-04-01' }, later(120, evening)))
    // No month goes while it is read.
    await assert.rejects(applyRetention(db, later(120, evening), { rawDays: 1, reportDays: 1, refusedDays: 1, refusedBytes: 0 }), { code: '55P03' }) // prettier-ignore
  }
  const slow = new Writable({
    write: (piece: Buffer, _, done) => {
      pieces.push(piece)
      done()
    },
    final: (done) => void recorded!.then(() => done(), done),
  })
  const counts = await exportStore(db, slow, {
    program: '1.2.3',
    now: evening,
    onRows: () => {
      recorded ??= recordLate()
    },
  })
  await recorded
  assert.equal((await everything(db))['report']!.length, counts.report + 1)
  const { db: target } = await freshDatabase(t)
  await restore(target, Buffer.concat(pieces))
  assert.deepEqual(await everything(target), before)
})

test('an export that cannot be written ends the transaction, and the pool goes on', async () => {
  const one = openDatabase(url, { ...testDatabaseOptions, max: 1 }, quiet)
  const full = new Writable({ write: (_piece, _, done) => done(new Error('disk full')) })
  await assert.rejects(exportStore(one, full, { program: '1.2.3', now, onRows: quiet }), /disk full/)
  assert.equal((await one.query('select')).rowCount, 1)
  await one.end()
})

test('who delivers while a store is being restored is told to come back, and nothing is mixed', async (t) => {
  const { db } = await freshDatabase(t)
  const half = Math.floor(bytes.length / 2)
  const hurried = openDatabase(db.options.connectionString!, { ...testDatabaseOptions, lockTimeoutMs: 300 }, quiet)
  t.after(() => hurried.end())
  const feed = new PassThrough()
  feed.write(bytes.subarray(0, half))
  const reading = Promise.withResolvers<undefined>()
  const restoring = restoreStore(db, feed, () => reading.resolve(undefined))
  await reading.promise
  const recorder = makeRecorder(hurried, { limits, newKey })
  await assert.rejects(recorder.record(arrival({ by: 'late.example', reportId: 'late' }, later(900))), {
    code: '55P03',
  })
  feed.end(bytes.subarray(half))
  await restoring
  assert.deepEqual(await everything(db), await everything(source))
})

test('rows are found wherever the pieces of an export happen to end', async () => {
  const rows = ['a\n', 'b\\\\.\n', '\\\\.\n', 'c\n']
  for (const some of [rows, rows.slice(0, 1), []]) {
    const whole = Buffer.concat([
      Buffer.from('{"table":"x"}\n'),
      Buffer.from(some.join('')),
      endOfRows,
      Buffer.from('{"table":"y"}\n'),
    ])
    for (let size = 1; size <= whole.length; size++) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
        whole.subarray(i * size, (i + 1) * size),
      )
      const reader = readExport(Readable.from(pieces))
      assert.deepEqual(await reader.json(sectionSchema), { table: 'x' })
      assert.equal((await buffer(reader.rows())).toString(), some.join(''))
      assert.deepEqual(await reader.json(sectionSchema), { table: 'y' })
      await reader.finish()
    }
  }
})
