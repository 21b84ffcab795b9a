/** An archive of mails, from a Maildir into one store, out of it, into another: the same answers to the byte. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { freshDatabase } from './support/database.ts'
import { startDnsServer } from './support/dns-server.ts'
import { runProgram, startProgram } from './support/program.ts'
import { signedMail, unsignedMail, zone } from './support/report-mail.ts'

const mails = 120
const adminToken = 'a-token-for-tests-only'
const old = await freshDatabase()
const young = await freshDatabase()
const folder = await mkdtemp(join(tmpdir(), 'tlsrpt-house-'))
const dns = await startDnsServer(zone)
after(async () => {
  await dns.close()
  await rm(folder, { recursive: true, force: true })
})

const env = (url: string) => ({
  DATABASE_URL: url,
  ACCEPT_DATA_LOSS: 'yes', // The test server is not durable.
  DATA_DIR: folder,
  POLICY_DOMAINS: 'ours.example',
  ADMIN_TOKEN: adminToken,
  DNS_SERVERS: dns.address,
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: '0',
  INTAKE_HOST: '127.0.0.1',
  INTAKE_PORT: '0',
  API_PORT: '0',
})
const today = Date.parse(new Date().toISOString().slice(0, 10))
const day = (ago: number) => new Date(today - ago * 24 * 60 * 60 * 1000).toISOString().slice(0, 10)
const questions = [
  '/v1/summary?group_by=domain,result_type,receiving_mx_hostname&trust=any',
  '/v1/summary?group_by=policy_domain,day&limit=500',
  '/v1/timeseries?interval=week',
  '/v1/failures?limit=500',
  '/v1/reports?limit=500',
  '/v1/submissions?limit=500',
  '/v1/domains',
  '/v1/reporters',
]

/** What a service on that database answers, as text. */
async function answers(url: string): Promise<string[]> {
  const program = startProgram([], env(url))
  const { api_port: port } = JSON.parse(await program.line()) as { api_port: number }
  const headers = { authorization: `Bearer ${adminToken}` }
  const texts: string[] = []
  for (const path of questions) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    assert.equal(response.status, 200, path)
    texts.push(await response.text())
  }
  await program.stop('SIGTERM')
  return texts
}

const maildir = join(folder, 'Maildir')
for (const name of ['cur', 'new', 'tmp']) await mkdir(join(maildir, name), { recursive: true })
for (let i = 0; i < mails; i++) {
  const told = { domain: `d${i % 5}.ours.example`, day: day(1 + (i % 25)), reportId: `r-${i}`, failed: i % 4 }
  const mail = i % 10 === 0 ? unsignedMail(told) : signedMail(told)
  // Mails on disk end their lines with LF; signatures are over CRLF.
  await writeFile(join(maildir, i % 2 ? 'cur' : 'new', `${i}.host`), mail.toString('latin1').replaceAll('\r\n', '\n'))
}

test('a Maildir is imported, and a second time nothing but duplicates comes of it', async () => {
  const first = await runProgram(['import', maildir], env(old.url))
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, new RegExp(`accepted +${mails}`))
  const numbers = (await answers(old.url)).slice(0, 5)
  const second = await runProgram(['import', maildir], env(old.url))
  assert.equal(second.code, 0, second.stderr)
  assert.match(second.stdout, new RegExp(`duplicate +${mails}`))
  assert.deepEqual((await answers(old.url)).slice(0, 5), numbers)
})

test('exported, restored elsewhere and verified, it answers the same to the byte', async () => {
  const file = join(folder, 'store.gz')
  assert.equal((await runProgram(['export', file], env(old.url))).code, 0)
  const restored = await runProgram(['restore', file], env(young.url))
  assert.equal(restored.code, 0, restored.stderr)
  const verified = await runProgram(['verify'], env(young.url))
  assert.equal(verified.code, 0, verified.stdout)
  assert.deepEqual(await answers(young.url), await answers(old.url))
})
