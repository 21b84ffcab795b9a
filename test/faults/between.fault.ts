/** Time of check, time of use: what is ours, and who may read it, changes while somebody is at it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { adminToken } from '../support/faulted-service.ts'
import { connectHttp, head } from '../support/http-client.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { reportOn, signedMail } from '../support/report-mail.ts'
import { makeHttpsWay, nextTold, policyDomain, ruaAddress } from '../support/senders.ts'
import { codesOf, greetSmtp } from '../support/smtp-client.ts'
import { assertAlive, setStage, type Stage } from './stage.ts'

const postgres = await startPostgres()
after(postgres.close)

/** Asks the API, as the admin unless with another token. */
async function ask(
  { service }: Stage,
  method: string,
  path: string,
  { token = adminToken, body = undefined as object | undefined } = {},
): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) }
  const url = `http://127.0.0.1:${service.ports.api}${path}`
  const answer = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** In the midst of DATA; the function it answers sends the rest and reads the reply. */
async function beginMail({ service }: Stage, mail: Buffer): Promise<() => Promise<string>> {
  const client = await greetSmtp(service.ports.smtp)
  for (const command of ['MAIL FROM:<>', `RCPT TO:<${ruaAddress}>`, 'DATA']) await client.say(command)
  await client.write(mail.subarray(0, mail.length / 2))
  return async () => {
    await client.write(Buffer.concat([mail.subarray(mail.length / 2), Buffer.from('.\r\n')]))
    const reply = await client.read()
    client.close()
    return codesOf(reply)
  }
}

test('F34: a domain is removed while its report is in DATA: the report is not ours any more, nothing of it counts, and it may come again', async (t) => {
  const stage = await setStage(t, postgres)
  const { service, db } = stage
  await service.start()
  const domain = 'leaving.example'
  const told = { ...nextTold(), domain }
  const counted = async () => (await db.query('select from report where domain = $1', [domain])).rowCount
  for (const query of ['', '?purge=true']) {
    await ask(stage, 'PUT', `/v1/domains/${domain}`, { body: {} })
    const finish = await beginMail(stage, signedMail(told))
    assert.match(String((await ask(stage, 'DELETE', `/v1/domains/${domain}${query}`)).status), /^20[04]$/)
    await sleep(1_100) // What is ours is known for a second.
    assert.equal(await finish(), '550 5.7.1')
    assert.equal(await counted(), 0)
  }
  await ask(stage, 'PUT', `/v1/domains/${domain}`, { body: {} })
  assert.equal(await (await beginMail(stage, signedMail(told)))(), '250 2.6.0')
  assert.equal(await counted(), 1)
  await bringOne(stage)
  await assertAlive(stage)
  await stage.judge('F34 domain removed while its report is in DATA')
})

test('F34: a token is revoked while its holder reads page after page, and while a post to it is under way: no page more', async (t) => {
  const stage = await setStage(t, postgres)
  const { service } = stage
  await service.start()
  for (let n = 0; n < 6; n++) await bringOne(stage)
  type Made = { key: string; token: string }
  const make = async (scopes: string[]) =>
    (await ask(stage, 'POST', '/v1/tokens', { body: { name: scopes.join(), scopes, domains: [policyDomain] } }))
      .body as Made
  const [reader, sender] = [await make(['read']), await make(['ingest'])]

  type Page = { data: object[]; page: { next_cursor: string | null } }
  const page = (cursor: string) => ask(stage, 'GET', `/v1/reports?limit=2&trust=any${cursor}`, { token: reader.token })
  const first = (await page('')).body as Page
  assert.equal(first.data.length, 2)
  const next = `&cursor=${encodeURIComponent(first.page.next_cursor!)}`
  assert.equal((await page(next)).status, 200)
  assert.match(String((await ask(stage, 'DELETE', `/v1/tokens/${reader.key}`)).status), /^20[04]$/)
  const after = await page(next)
  assert.equal(after.status, 401)
  assert.deepEqual(Object.keys(after.body as object).sort(), ['detail', 'reason', 'request_id', 'status', 'title', 'type'], 'and nothing of the data') // prettier-ignore

  // Whoever was let in may finish; the next one is not let in.
  const told = nextTold()
  const body = gzipSync(JSON.stringify(reportOn(told)))
  const begin = async () => {
    const client = await connectHttp({ port: service.ports.intake, tls: true })
    await client.write(head('POST', `/v1/tlsrpt/${sender.token}`, { 'content-length': body.length, 'content-type': 'application/tlsrpt+gzip' })) // prettier-ignore
    await client.write(body.subarray(0, 50))
    return client
  }
  const underWay = await begin()
  await sleep(200)
  assert.match(String((await ask(stage, 'DELETE', `/v1/tokens/${sender.key}`)).status), /^20[04]$/)
  await underWay.write(body.subarray(50))
  assert.equal((await underWay.read())?.status, 200)
  const late = await begin()
  assert.equal((await late.read())?.status, 404)
  for (const client of [underWay, late]) client.close()
  await assertAlive(stage)
  await stage.judge('F34 token revoked between two pages')
})

/** By HTTPS, into the ledger. */
async function bringOne({ service, ledger }: Stage): Promise<void> {
  const told = nextTold()
  const way = makeHttpsWay(service.ports.intake)
  const reply = await way.send(told)
  way.close()
  assert.equal(reply.kind, 'accepted', reply.text)
  ledger.write(told.reportId, 'https', reply, 0)
}
