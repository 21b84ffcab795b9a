import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import pino from 'pino'
import { readConfig } from '../../src/config.ts'
import { defaultLimits } from '../../src/limits.ts'
import { makeRoad } from '../../src/road.ts'
import type { Submission } from '../../src/tlsrpt/submission.ts'
import type { Outcome } from '../../src/tlsrpt/verdict.ts'
import { importFiles, takeFile } from '../../src/transport/file.ts'
import { splitMbox } from '../../src/transport/mbox.ts'
import { freshDatabase } from '../support/database.ts'
import { reportOn, signedMail, unsignedMail, zone } from '../support/report-mail.ts'

const { db } = await freshDatabase()
const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-file-'))
after(() => rm(folder, { recursive: true, force: true }))

const now = () => new Date('2026-03-02T05:00:00Z')
const told = (reportId: string) => ({ domain: 'ours.example', day: '2026-03-01', reportId, failed: 2 })
const json = (reportId: string) => Buffer.from(JSON.stringify(reportOn(told(reportId))))
const mail = (reportId: string) => signedMail(told(reportId))
/** As a file system has it. */
const withLf = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
const mbox = (...mails: Buffer[]) =>
  Buffer.concat(mails.flatMap((each) => [Buffer.from('From MAILER-DAEMON Sun Mar  1 05:00:00 2026\n'), each, Buffer.from('\n')])) // prettier-ignore

/** Writes these files below a new folder and answers its path. */
let folders = 0
async function write(files: Record<string, Buffer>): Promise<string> {
  const root = join(folder, String(folders++))
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), bytes)
  }
  return root
}

/** Submissions by their names, less the folder's, as the road gets them. */
async function submissionsOf(root: string, limits = defaultLimits) {
  const found = new Map<string, Submission>()
  const failed = new Map<string, string>()
  const ingest = (submission: Submission): Promise<Outcome[]> => {
    const { provenance } = submission
    assert.ok(provenance.transport === 'file')
    found.set(provenance.fileName.slice(root.length + 1), submission)
    return Promise.resolve([])
  }
  let bytes = 0
  const hear = {
    outcomes: () => undefined,
    failed: (name: string, reason: string) => failed.set(name.slice(root.length + 1), reason),
    read: (count: number) => (bytes += count),
  }
  await importFiles([root], { ingest, limits, now }, hear)
  return { found, failed, bytes }
}

const formsOf = ({ found }: { found: Map<string, Submission> }) =>
  [...found].map(([name, { form }]) => `${name} ${form}`)

test('what a file is its content says, whatever its name, at any depth', async () => {
  const root = await write({
    'a.eml': json('r1'),
    'b/c.json': mail('r2'),
    'b/d/e.txt': gzipSync(json('r3')),
    'b/d/f.gz': gzipSync(withLf(mail('r4'))),
    'g.json.gz': mbox(mail('r5'), mail('r6')),
    h: gzipSync(mbox(withLf(mail('r7')))),
  })
  assert.deepEqual(formsOf(await submissionsOf(root)), ['a.eml report', 'b/c.json message', 'b/d/e.txt report', 'b/d/f.gz message', 'g.json.gz#1 message', 'g.json.gz#2 message', 'h#1 message']) // prettier-ignore
})

test('of a Maildir the mails are taken, in its folders, too, and neither what is in tmp nor what its server keeps there', async () => {
  const root = await write({
    'Maildir/cur/1.host:2,S': mail('r1'),
    'Maildir/new/2.host': mail('r2'),
    'Maildir/tmp/3.host': mail('r3'),
    'Maildir/dovecot-uidlist': Buffer.from('3 V1'),
    'Maildir/.Reports/cur/4.host:2,': mail('r4'),
    'Maildir/.Reports/new/.keep': Buffer.from(''),
    'Maildir/.Reports/maildirfolder': Buffer.from(''),
  })
  assert.deepEqual(formsOf(await submissionsOf(root)), ['Maildir/.Reports/cur/4.host:2, message', 'Maildir/cur/1.host:2,S message', 'Maildir/new/2.host message']) // prettier-ignore
})

test('links to files are followed, links to folders are not, and a path that is not there is named', async () => {
  const root = await write({ 'in/a.json': json('r1') })
  await symlink(join(root, 'in/a.json'), join(root, 'in/b.json'))
  await symlink(root, join(root, 'in/circle'))
  await symlink(join(root, 'nothing'), join(root, 'in/c.json'))
  assert.deepEqual(formsOf(await submissionsOf(root)), ['in/a.json report', 'in/b.json report'])
  const nowhere = join(root, 'nowhere')
  assert.deepEqual([...(await submissionsOf(nowhere)).failed.values()], ['ENOENT: no such file or directory'])
})

test('a mail with the line ends of a file system gets those of SMTP, and verifies; one with both gets one kind', async () => {
  const signed = mail('lf')
  const mixed = Buffer.concat([Buffer.from('Delivered-To: me@ours.example\n'), signed])
  const root = await write({ 'a.eml': withLf(signed), 'b.eml': mixed, 'c.eml': signed })
  const { found } = await submissionsOf(root)
  assert.deepEqual(found.get('a.eml')!.raw, signed)
  assert.deepEqual(found.get('b.eml')!.raw, Buffer.concat([Buffer.from('Delivered-To: me@ours.example\r\n'), signed]))
  assert.deepEqual(found.get('c.eml')!.raw, signed)
})

test('what is larger than we take is told as such, and the mails behind it are found', async () => {
  const large = Buffer.from(`Subject: x\n\n${'large '.repeat(20_000)}\n`)
  const limits = { ...defaultLimits, messageBytes: 10_000, jsonBytes: 10_000 }
  const root = await write({
    'a.mbox': mbox(withLf(mail('r1')), large, withLf(mail('r2'))),
    'b.eml': large,
    'c.json': Buffer.from(`{"x":"${'large '.repeat(20_000)}"}`),
  })
  const { found } = await submissionsOf(root, limits)
  const cut = [...found].map(([name, { cut: isCut, raw }]) => [name, isCut ?? false, raw.length > 0])
  assert.deepEqual(cut, [['a.mbox#1', false, true], ['a.mbox#2', true, false], ['a.mbox#3', false, true], ['b.eml', true, false], ['c.json', true, false]]) // prettier-ignore
})

test('a zipped mbox that ends too early gives the mails before that, and is named', async () => {
  const zipped = gzipSync(mbox(...Array.from({ length: 50 }, (_, i) => mail(`r${i}`))))
  const root = await write({ 'a.gz': zipped.subarray(0, zipped.length - 200), 'b.json': json('r') })
  const { found, failed } = await submissionsOf(root)
  assert.ok(found.has('a.gz#1'))
  assert.ok(found.has('b.json'))
  assert.deepEqual([...failed], [['a.gz', 'unexpected end of file']])
})

test('a database that goes away stops the import, once what is under way has ended', async () => {
  const root = await write(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.json`, json(`r${i}`)])))
  let underWay = 0
  let calls = 0
  const ingest = async (): Promise<Outcome[]> => {
    underWay++
    await turn()
    underWay--
    if (++calls === 3) throw new Error('away')
    return []
  }
  const hear = { outcomes: () => undefined, failed: () => undefined, read: () => undefined }
  const limits = { ...defaultLimits, commitBatch: 2 }
  await assert.rejects(importFiles([root], { ingest, limits, now }, hear), /away/)
  assert.equal(underWay, 0)
  assert.ok(calls < 20)
})

test('an mbox gives its mails back, whatever the chunks, with what was quoted unquoted', async () => {
  const line = fc.constantFrom('From me', '>From you', '>>From us', 'text', '', 'From: me@x.example', '>quoted')
  const mails = fc.array(fc.array(line, { maxLength: 6 }), { minLength: 1, maxLength: 5 })
  const lineEnd = fc.constantFrom('\n', '\r\n')
  await fc.assert(
    fc.asyncProperty(mails, lineEnd, fc.integer({ min: 1, max: 80 }), async (bodies, end, size) => {
      const plain = bodies.map((body) => ['Subject: x', '', ...body, ''].join(end))
      const quoted = plain.map((text) => text.replaceAll(/^(>*From )/gm, '>$1'))
      const text = quoted.map((each) => `From a@b.example Thu Jan  1 00:00:00 2026${end}${each}${end}`).join('')
      const bytes = Buffer.from(text)
      async function* chunks() {
        for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
      }
      const found: (string | undefined)[] = []
      for await (const each of splitMbox(chunks(), 1_000_000)) found.push(each?.toString())
      assert.deepEqual(found, plain)
    }),
  )
})

test('"From " in prose is no new mail, quoted or not', async () => {
  const prose = 'Hello.\n\nFrom here on: nothing\nbut prose.\nFrom b@c\nSubject: y\n'
  const root = await write({ inbox: mbox(Buffer.from(`Subject: x\n\n${prose}`)) })
  assert.deepEqual(formsOf(await submissionsOf(root)), ['inbox#1 message'])
})

const config = { ...readConfig({}), policyDomains: ['ours.example'] }
const resolveTxt = (name: string) =>
  Promise.resolve(zone[name] === undefined ? { kind: 'missing' as const } : { kind: 'found' as const, records: [zone[name]].flat() as string[] }) // prettier-ignore
const { ingest } = makeRoad(db, config, pino({ level: 'silent' }), { now, resolveTxt })
const take = async (bytes: Buffer, name = 'upload') =>
  (await takeFile(bytes, name, { ingest, limits: config.limits, now })).map((outcome) => `${outcome.kind}${'reason' in outcome ? ` ${outcome.reason}` : ''}`) // prettier-ignore

test('a file takes the whole road: verified by its signature, or unverified and noted; a second time it is a duplicate', async () => {
  assert.deepEqual(await take(withLf(mail('signed'))), ['accepted'])
  assert.deepEqual(await take(unsignedMail(told('unsigned'))), ['accepted'])
  assert.deepEqual(await take(json('bare')), ['accepted'])
  assert.deepEqual(await take(mbox(mail('signed'), mail('another'), json('no mail'))), [
    'duplicate',
    'accepted',
    'malformed no-report',
  ])
  assert.deepEqual(await take(Buffer.from('neither')), ['malformed not-gzip-or-json'])
  assert.deepEqual(await take(Buffer.alloc(0)), ['malformed empty'])
  const { rows } = await db.query<Record<string, unknown>>(
    `select report_id, trust, reporter, transport, anomalies from report order by 1`,
  )
  const noted = [{ code: 'imported-unverified', pointer: '' }]
  assert.deepEqual(rows, [
    { report_id: 'another', trust: 'verified', reporter: 'sender.example', transport: 'file', anomalies: [] },
    { report_id: 'bare', trust: 'unverified', reporter: null, transport: 'file', anomalies: noted },
    { report_id: 'signed', trust: 'verified', reporter: 'sender.example', transport: 'file', anomalies: [] },
    { report_id: 'unsigned', trust: 'unverified', reporter: null, transport: 'file', anomalies: noted },
  ])
})

test('the bound on what strangers post is none on what the operator imports', async () => {
  const limits = { ...config.limits, unverifiedReportsPerDomainAndDay: 1 }
  const road = makeRoad(db, { ...config, limits }, pino({ level: 'silent' }), { now, resolveTxt })
  const day = '2026-02-27'
  const bare = (reportId: string) => Buffer.from(JSON.stringify(reportOn({ ...told(reportId), day })))
  const kinds: string[] = []
  for (const reportId of ['q1', 'q2', 'q3']) {
    const [outcome] = await takeFile(bare(reportId), 'x', { ingest: road.ingest, limits, now })
    kinds.push(outcome!.kind)
  }
  const post = (reportId: string) => road.ingest({ raw: bare(reportId), form: 'report', arrivedAt: now(), provenance: { transport: 'https', peerAddress: '192.0.2.1' } }) // prettier-ignore
  kinds.push((await post('q4'))[0]!.kind, (await post('q5'))[0]!.kind)
  assert.deepEqual(kinds, ['accepted', 'accepted', 'accepted', 'accepted', 'deferred'])
})
