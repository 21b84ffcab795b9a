/** A process that may open 256 files, and more callers than that: some are turned away, and it goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectSmtp } from '../support/smtp-client.ts'
import { connectHttp } from '../support/http-client.ts'
import { watchService } from '../support/watched-service.ts'
import { mail, post, reportMail } from './run-rows.ts'
import { zipped } from './report.ts'

const service = await watchService({ openFiles: 256 })
const { ports } = service

test('222: with no file left it lives, and takes reports again as soon as there is one', async () => {
  const callers = await Promise.all(Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? connectSmtp(ports.smtp) : connectHttp({ port: ports.intake })))) // prettier-ignore
  assert.ok(service.isRunning())
  for (const caller of callers) caller.reset()
  assert.match(await post(ports.intake, zipped()), /^200 accepted/)
  assert.match(await mail(ports.smtp, reportMail(zipped())), /^250 2\.6\.0 accepted/)
  assert.ok(service.isRunning())
})
