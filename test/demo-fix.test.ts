/**
 * Signed reports and live checks together, on the demo's simulated world. "Can I enforce?" on its broken domain: what is
 * wrong is proven, mended, proven again, and only then yes. And causes that no check can show.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pino from 'pino'
import { runCheckCommand } from '../src/commands/check.ts'
import { makeKeys, openDelivery } from '../src/demo/deliver.ts'
import { demoConfig, demoReceiver, freePorts, zoneResolver } from '../src/demo/demo.ts'
import { domains, history, policyLines, senders } from '../src/demo/history.ts'
import { startDemoWorld } from '../src/demo/world.ts'
import { product } from '../src/product.ts'
import { startService } from '../src/service.ts'
import { takeDailyTurn } from '../src/store/checks.ts'
import { freshDatabase } from './support/database.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Whatever the time: no test is to go over midnight. */
const today = new Date(new Date().setUTCHours(12, 0, 0, 0))
let later = today.getTime() - Date.now()
/** It goes on: what comes later must have the later key. */
const now = () => new Date(Date.now() + later)

const { url, db } = await freshDatabase()
const folder = await mkdtemp(join(tmpdir(), 'demo-fix-'))
const ports = await freePorts({ smtp: 0, intake: 0, api: 0 }) // The usual ones are for `npm run demo`, which is tested beside.
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

type Live = { state: string; since: string | null; sentence: string }
type Cause = { result_type: string; receiving_mx_hostname: string; because: string | null; live: Live | null }
type Version = {
  policy_mode: string
  live: string
  last_day: string
  cache_until: string
  reporters: { reporter: string }[]
}

const liveOf = async (domain: string, resultType: string) =>
  (await api<{ data: Cause[] }>('GET', `/v1/causes?domain=${domain}&result_type=${resultType}`)).data[0]?.live
const dayOf = (at: Date) => at.toISOString().slice(0, 10)
const yesterday = () => dayOf(new Date(now().getTime() - dayMs))

const check = (domain = 'alpha.example') => api<Found>('POST', '/v1/checks', { domain })
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
  await takeDailyTurn(db, ['alpha.example'], now()) // No check is to come between those of this test.
  await api('PUT', '/v1/domains/alpha.example', {})
  for (const { domain } of senders) await api('PATCH', `/v1/reporters/${domain}`, { standing: 'known' })
  await reportsOf(12, false)
  const broken = await check()
  assert.deepEqual(errorsOf(broken), [['mx-certificate-expired', 'mx2.alpha.example'], ['mx-enforce-refuses', 'mx2.alpha.example']]) // prettier-ignore
  const live = await liveOf('alpha.example', 'certificate-expired')
  assert.equal(live?.state, 'still-broken')
  assert.match(
    live.sentence,
    /shows it: mx2\.alpha\.example \[127\.[\d.]+\]: The certificate is not valid for senders: it ended on/,
  )
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
  const live = await liveOf('alpha.example', 'certificate-expired')
  assert.deepEqual([live?.state, live?.since], ['fixed', dayOf(now())])
  const { verdict, blockers } = await readiness()
  assert.equal(verdict, 'not-ready')
  assert.ok(blockers.every(({ code }) => code !== 'mx-would-be-refused'))
  assert.ok(blockers.some(({ code }) => code === 'failing'))
  assert.equal((await checkInTerminal()).code, 0)
})

test("the next day's reports make it ready, with the two edits", async () => {
  later += dayMs
  await reportsOf(1, true)
  await check()
  const { verdict, blockers, edits } = await readiness()
  assert.deepEqual([verdict, blockers], ['ready', []])
  assert.match(edits.policy, /^mode: enforce\r?$/m)
})

/** Yesterday's report of one of the demo's senders on web.example, whose MX is as it should be. */
async function tellOfWeb(sender: string, details: object[], policyString = policyLines(web, 0)): Promise<void> {
  const failed = details.length * 5
  const day = yesterday()
  const policy = { 'policy-type': 'sts', 'policy-string': policyString, 'policy-domain': web.domain, 'mx-host': Object.keys(web.mx) } // prettier-ignore
  const json = JSON.stringify({
    'organization-name': sender,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': `tls-reports@${sender}`,
    'report-id': `${day}_web@${sender}`,
    policies: [{ policy, summary: { 'total-successful-session-count': 50, 'total-failure-session-count': failed }, 'failure-details': details }], // prettier-ignore
  })
  const by = senders.find(({ domain }) => domain === sender)!
  const { ok, text } = await delivery.sendReport({
    sender: by,
    domain: web.domain,
    reportId: `${day}_web@${sender}`,
    json,
  })
  assert.ok(ok, text)
}

const web = domains.find(({ domain }) => domain === 'web.example')!
const detail = (resultType: string, ip: string) => ({ 'result-type': resultType, 'sending-mta-ip': ip, 'receiving-mx-hostname': 'mail.web.example', 'failed-session-count': 5 }) // prettier-ignore

test('what one sender alone tells of, and STARTTLS that is gone from one network, are not blamed on a host that is well', async () => {
  await api('PUT', '/v1/domains/web.example', {})
  await tellOfWeb('officecloud.example', [detail('starttls-not-supported', '198.51.100.40'), detail('starttls-not-supported', '198.51.100.41')]) // prettier-ignore
  await tellOfWeb('searchgiant.example', [])
  await tellOfWeb('parcelpost.example', [detail('certificate-host-mismatch', '203.0.113.99')], policyLines(web, 60))
  await check('web.example')
  const stripped = await liveOf('web.example', 'starttls-not-supported')
  assert.equal(stripped?.state, 'suspicious')
  assert.match(
    stripped.sentence,
    /from one network alone, 2 other senders succeed, .* offered STARTTLS: somebody between/,
  )
  const alone = await liveOf('web.example', 'certificate-host-mismatch')
  assert.equal(alone?.state, 'cannot-be-reproduced')
  assert.match(alone.sentence, /does not show it\. One sender alone tells of it/)
})

test('each version of the policy that senders applied is held against the published one, with when its caches run out', async () => {
  const { data } = await api<{ data: Version[] }>('GET', '/v1/policy-versions?domain=web.example')
  const inAWeek = dayOf(new Date(Date.parse(yesterday()) + 7 * dayMs))
  assert.deepEqual(
    data.map(({ policy_mode, live, last_day, cache_until, reporters }) => [policy_mode, live, last_day, cache_until, reporters.map(({ reporter }) => reporter).sort()]),
    [
      ['enforce', 'same', yesterday(), inAWeek, ['officecloud.example', 'searchgiant.example']],
      ['testing', 'older', yesterday(), inAWeek, ['parcelpost.example']],
    ],
  ) // prettier-ignore
})
