/** "Can I enforce?" on the demo's broken domain: what is wrong is proven, mended, proven again, and only then yes. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pino from 'pino'
import { runCheckCommand } from '../src/commands/check.ts'
import { makeKeys, openDelivery } from '../src/demo/deliver.ts'
import { demoConfig, demoReceiver, freePorts, zoneResolver } from '../src/demo/demo.ts'
import { history, senders } from '../src/demo/history.ts'
import { startDemoWorld } from '../src/demo/world.ts'
import { product, startService } from '../src/service.ts'
import { freshDatabase } from './support/database.ts'

const dayMs = 24 * 60 * 60 * 1000
const today = new Date()
let later = 0
/** It goes on: what comes later must have the later key. */
const now = () => new Date(Date.now() + later)

const { url } = await freshDatabase()
const folder = await mkdtemp(join(tmpdir(), 'demo-fix-'))
const ports = await freePorts()
const world = await startDemoWorld({ now: today, folder, ports, ...demoReceiver })
const config = demoConfig(folder, ports, { ...world.env, DATABASE_URL: url, ACCEPT_DATA_LOSS: 'yes' })
const keys = makeKeys(senders)
const log = pino({ level: 'silent' })
const service = await startService(config, log, {
  ...{ now, resolveTxt: zoneResolver(keys.zone), lookUp: world.lookUp },
  dashboard: { page: Promise.resolve('/nonexistent'), close: () => Promise.resolve() },
})
const delivery = openDelivery(service.ports, demoReceiver.rua[0]!.replace('mailto:', ''), keys)
after(async () => {
  delivery.close()
  await service.close()
  await world.close()
  await rm(folder, { recursive: true, force: true })
})

async function api<T>(method: string, path: string, body?: object): Promise<T> {
  const headers = { authorization: `Bearer ${service.adminToken.token}`, ...(body && { 'content-type': 'application/json' }) } // prettier-ignore
  const response = await fetch(`http://127.0.0.1:${service.ports.api}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) }) // prettier-ignore
  assert.ok(response.ok, `${method} ${path}: ${response.status}`)
  return (await response.json()) as T
}

/** What the senders of signed mail tell of the days before. */
async function reportsOf(days: number, mended: boolean): Promise<void> {
  for (const report of history(now(), days, mended)) {
    if (report.domain !== 'alpha.example' || report.sender.by !== 'mail') continue
    const { ok, text } = await delivery.sendReport(report)
    assert.ok(ok, text)
  }
}

type Found = { severity: string; findings: { code: string; severity: string; subject: string }[]; changes: { sentence: string }[] } // prettier-ignore
type Readiness = { verdict: string; mode: string; blockers: { code: string; fix: string }[]; edits: { policy: string } }

const check = () => api<Found>('POST', '/v1/checks', { domain: 'alpha.example' })
const readiness = () => api<Readiness>('GET', '/v1/domains/alpha.example/readiness')
const errorsOf = ({ findings }: Found) =>
  findings.filter(({ severity }) => severity === 'error').map(({ code, subject }) => [code, subject.split(' ')[0]])

async function checkInTerminal(): Promise<{ code: number; said: string }> {
  let said = ''
  const say = { out: (line: string) => (said += `${line}\n`), err: (line: string) => (said += `${line}\n`) }
  const terminal = { progress: () => undefined, width: 80, colour: false }
  const deps = { say, ...terminal, now, nowMs: () => performance.now(), product, lookUp: world.lookUp }
  const code = await runCheckCommand(config, log, deps, 'alpha.example', { json: false })
  return { code, said }
}

test('the broken MX is proven by the check, and the domain is not ready', async () => {
  await api('PUT', '/v1/domains/alpha.example', {})
  for (const { domain } of senders) await api('PATCH', `/v1/reporters/${domain}`, { standing: 'known' })
  await reportsOf(12, false)
  const broken = await check()
  assert.deepEqual(errorsOf(broken), [['mx-certificate-expired', 'mx2.alpha.example'], ['mx-enforce-refuses', 'mx2.alpha.example']]) // prettier-ignore
  const { verdict, mode, blockers } = await readiness()
  assert.deepEqual([verdict, mode], ['not-ready', 'testing'])
  assert.deepEqual(new Set(blockers.map(({ code }) => code)), new Set(['mx-would-be-refused', 'failing', 'too-few-sessions', 'too-few-reporters'])) // prettier-ignore
  const inTerminal = await checkInTerminal()
  assert.equal(inTerminal.code, 4)
  assert.match(inTerminal.said, /mx2\.alpha\.example.*\n?.*ended on/)
})

test('after the fix the next check says so, and no hope makes the domain ready', async () => {
  await world.mend()
  const mended = await check()
  assert.deepEqual(errorsOf(mended), [])
  assert.match(JSON.stringify(mended.changes), /certificate/)
  const { verdict, blockers } = await readiness()
  assert.equal(verdict, 'not-ready')
  assert.ok(blockers.every(({ code }) => code !== 'mx-would-be-refused'))
  assert.ok(blockers.some(({ code }) => code === 'failing'))
  assert.equal((await checkInTerminal()).code, 0)
})

test("the next day's reports make it ready, with the two edits", async () => {
  later = dayMs
  await reportsOf(1, true)
  await check()
  const { verdict, blockers, edits } = await readiness()
  assert.deepEqual([verdict, blockers], ['ready', []])
  assert.match(edits.policy, /^mode: enforce\r?$/m)
})
