/** What is as large as may be is no bomb: it is taken, and costs ten times as much. Twenty of those at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { watchService } from '../support/watched-service.ts'
import { bytes, detail, policy, report, withPolicy, zipped, type Json } from './report.ts'
import { mail, post, reportMail } from './run-rows.ts'

const maxRssBytes = 512 * 1024 * 1024
const maxStallMs = 500
const atOnce = 20

const limits = { unverifiedReportsPerDomainAndDay: 1_000_000 }
const service = await watchService({ env: { LIMITS: JSON.stringify(limits) } })
const { ports } = service

/** 20 MiB of JSON with as many elements as may be. */
const ofElements = (): Buffer => {
  const json = JSON.stringify(report()).replace(/}$/, `,"x":[${'{},'.repeat(490_000)}{}]}`)
  return gzipSync(json.padEnd(20 * 1024 * 1024))
}

/** As many failure details as may be: these are stored. */
const ofDetails = (): Buffer => {
  const summary = { 'total-successful-session-count': 0, 'total-failure-session-count': 50_000 }
  const each: Json = detail({ 'failed-session-count': 1 })
  return gzipSync(bytes(withPolicy({}, { summary, 'failure-details': Array<Json>(50_000).fill(each) })))
}

const large = Array.from({ length: atOnce }, (_, i) => ({
  body: i % 4 < 2 ? ofElements() : ofDetails(),
  send: i % 2 === 0 ? (body: Buffer) => post(ports.intake, body) : (body: Buffer) => mail(ports.smtp, reportMail(body)),
}))

test('4: twenty reports of the largest size at once hold up nobody', async (t) => {
  await service.stall()
  let sending = true
  const goodMs: number[] = []
  const sendGood = async () => {
    while (sending) {
      const startedAt = performance.now()
      const body = zipped(report({ policies: [policy({ 'policy-domain': 'good.example' })] }))
      assert.match(await post(ports.intake, body), /^200 accepted/)
      goodMs.push(performance.now() - startedAt)
    }
  }
  const good = sendGood()
  const answers = await Promise.all(large.map(({ body, send }) => send(body)))
  sending = false
  await good
  const { cpuMs, wallMs, peakRssBytes } = await service.stall()
  const taken = answers.filter((answer) => /^(?:200|250 2\.6\.0) accepted/.test(answer)).length
  t.diagnostic(
    `${taken} of ${atOnce} taken: peak RSS ${(peakRssBytes / 1024 / 1024).toFixed(0)} MiB, the event loop stood still for ${cpuMs.toFixed(0)} ms at worst (${wallMs.toFixed(0)} ms by the clock), ${goodMs.length} good reports accepted, the slowest in ${Math.max(...goodMs).toFixed(0)} ms`,
  )
  for (const answer of answers) assert.match(answer, /^(?:200|250 2\.6\.0) accepted|^(?:452|503) /)
  assert.ok(taken > 0)
  assert.ok(cpuMs <= maxStallMs, `${cpuMs} ms`)
  assert.ok(peakRssBytes <= maxRssBytes, `${peakRssBytes} bytes`)
})
