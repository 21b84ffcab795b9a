/** What is as large as may be is no bomb: it is taken, and costs ten times as much. Twenty of those at once. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Stall } from '../support/stall-probe.ts'
import { watchService } from '../support/watched-service.ts'
import { detail, policy, report, withPolicy, zipped, type Json } from './report.ts'
import { mail, post, reportMail } from './run-rows.ts'

const maxRssBytes = 512 * 1024 * 1024
const maxStallMs = 500
const atOnce = 20
const betweenGoodMs = 50

const limits = { unverifiedReportsPerDomainAndDay: 1_000_000 }
const service = await watchService({ env: { LIMITS: JSON.stringify(limits) } })
const { ports } = service

/** 20 MiB of JSON with as many elements as may be. */
const ofElements = (): string => {
  const json = JSON.stringify(report()).replace(/}$/, `,"x":[${'{},'.repeat(490_000)}{}]}`)
  return json.padEnd(20 * 1024 * 1024 - 64) // The ids are longer than this one.
}

/** As many failure details as may be: these are stored. */
const ofDetails = (): string => {
  const summary = { 'total-successful-session-count': 0, 'total-failure-session-count': 50_000 }
  const each: Json = detail({ 'failed-session-count': 1 })
  return JSON.stringify(withPolicy({}, { summary, 'failure-details': Array<Json>(50_000).fill(each) }))
}

/** The same report under twenty ids. All that follows the id is zipped once, as a member of its own. */
function twentyOf(json: string): Buffer[] {
  const [first, rest] = json.split('"report-id":') as [string, string]
  const tail = gzipSync(rest.replace(/^"[^"]*"/, ''))
  return Array.from({ length: atOnce }, (_, i) => Buffer.concat([gzipSync(`${first}"report-id":"${process.pid}-${json.length}-${i}"`), tail])) // prettier-ignore
}

/** Half of them by mail, beside good ones, one after the other. */
async function sendTwenty(t: TestContext, json: string): Promise<Stall> {
  const bodies = twentyOf(json)
  await service.stall()
  let sending = true
  const goodMs: number[] = []
  const sendGood = async () => {
    while (sending) {
      const startedAt = performance.now()
      const body = zipped(report({ policies: [policy({ 'policy-domain': 'good.example' })] }))
      assert.match(await post(ports.intake, body), /^200 accepted/)
      goodMs.push(performance.now() - startedAt)
      await sleep(betweenGoodMs)
    }
  }
  const good = sendGood()
  const answers = await Promise.all(
    bodies.map((body, i) => (i % 2 === 0 ? post(ports.intake, body) : mail(ports.smtp, reportMail(body)))),
  )
  sending = false
  await good
  const stall = await service.stall()
  for (const answer of answers) assert.match(answer, /^(?:200|250 2\.6\.0) accepted|^(?:452|503) /)
  const taken = answers.filter((answer) => answer.startsWith('2')).length
  assert.ok(taken > 0)
  t.diagnostic(
    `${taken} of ${atOnce} taken: peak RSS ${(stall.peakRssBytes / 1024 / 1024).toFixed(0)} MiB, the event loop stood still for ${stall.cpuMs.toFixed(0)} ms at worst (${stall.wallMs.toFixed(0)} ms by the clock), ${goodMs.length} good reports accepted, the slowest in ${Math.max(...goodMs).toFixed(0)} ms`,
  )
  return stall
}

test('4: twenty reports of 20 MiB, with as many elements as may be, at once', async (t) => {
  const { cpuMs, peakRssBytes } = await sendTwenty(t, ofElements())
  assert.ok(cpuMs <= maxStallMs, `${cpuMs} ms`)
  assert.ok(peakRssBytes <= maxRssBytes, `${peakRssBytes} bytes`)
})

/** What is stored is in memory twice, as it was read and as it is written. */
test('4: twenty reports of as many failure details as may be, at once', async (t) => {
  const { cpuMs, peakRssBytes } = await sendTwenty(t, ofDetails())
  assert.ok(cpuMs <= maxStallMs, `${cpuMs} ms`)
  assert.ok(peakRssBytes <= maxRssBytes, `${peakRssBytes} bytes`)
})
