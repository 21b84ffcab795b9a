/** What lies around the road: stored bytes that went bad, and nobody to read what the process writes. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { runProgram } from '../support/program.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { request } from '../support/http-client.ts'
import { assertAlive, setStage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

const poisons: Record<string, Buffer> = {
  nothing: Buffer.alloc(0),
  'a bomb': gzipSync(Buffer.alloc(64 * 1024 * 1024)),
  'gzip that ends too early': gzipSync(Buffer.alloc(100_000, 'a')).subarray(0, 60),
  'a deep nesting': Buffer.from('['.repeat(1_000_000)),
  'a million objects': Buffer.from(`[${'{},'.repeat(1_000_000)}{}]`),
  'bytes of no kind': Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256)),
  'a NUL and half a character': Buffer.from('{"organization-name":"\\u0000\\ud800","report-id":"x"}'),
}

test('no single input stops the service: stored submissions went bad, and judging all of them again passes over them, twice', async (t) => {
  const stage = await setStage(t, postgres)
  const { service, db, dns, databaseUrl } = stage
  await service.start()
  const senders = stage.send()
  while (stage.ledger.counts().accepted < 60) await sleep(50)
  await senders.stop()
  // Refused once, and bad since: they stand among what the senders brought.
  const keys: string[] = []
  for (const poison of Object.values(poisons)) {
    const answer = await request({ port: service.ports.intake, tls: true }, 'POST', '/v1/tlsrpt', '{}', { 'content-type': 'application/tlsrpt+json' }) // prettier-ignore
    assert.equal(answer.status, 422, answer.body)
    const { submission_key: key } = JSON.parse(answer.body) as { submission_key: string }
    keys.push(key)
    await db.query(`update submission_raw set bytes = $2 where arrival_key = (select arrival_key from submission where key = $1)`, [key, poison]) // prettier-ignore
    await db.query(`update submission set verdict = 'quarantined', reason = 'defect' where key = $1`, [key])
  }
  const env = { DATABASE_URL: databaseUrl, DATA_DIR: service.dataDir, DNS_SERVERS: dns.address, POLICY_DOMAINS: 'example.org' } // prettier-ignore
  for (const round of ['first', 'second']) {
    const { code, stderr } = await runProgram(['reprocess'], env)
    assert.equal(code, 0, `${round} round: ${stderr}`)
  }
  const { rows } = await db.query<{ verdict: string }>('select verdict from submission where key = any($1)', [keys])
  assert.equal(rows.length, keys.length)
  assert.deepEqual(rows.filter(({ verdict }) => verdict === 'accepted'), []) // prettier-ignore
  await assertAlive(stage)
  await stage.judge('F28, F29 poisoned stored submissions', { notes: `${keys.length} of them, judged again twice` })
})

for (const [words, leave] of [
  ['has closed stdout and stderr', 'close'],
  ['holds stdout and stderr and does not read', 'pause'],
] as const) {
  test(`whoever started the service ${words}: it takes reports all the same`, async (t) => {
    const stage = await setStage(t, postgres, { LOG_LEVEL: 'trace' })
    await stage.service.start()
    stage.service.program()[leave]()
    const senders = stage.send()
    await stage.recovery()
    await sleep(10_000)
    await stage.recovery()
    await senders.stop()
    await assertAlive(stage)
    await stage.judge(`F32 log: its reader ${words}`)
  })
}
