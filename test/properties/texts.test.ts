/** P8: whatever a stranger writes comes out of the API as he wrote it, and never as anything but a text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { goodDetail, goodPolicy, goodReport } from '../tlsrpt/good-report.ts'
import { runService } from '../support/running-service.ts'

const service = await runService({
  now: () => new Date('2026-03-02T04:00:00Z'),
  env: { POLICY_DOMAINS: 'rcpt.example' },
})

/** NUL and half surrogate pairs, which Postgres has no place for, are repairs with tests of their own. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.constantFrom('<script>alert(1)</script>', '"><img src=x>', '=1+1', "'); drop table report; --", '\u202eevil', '\x1b[2J\r\nSet-Cookie: a=b', '{"a":1}', '%00', '\\u0000', '\ud83d\ude00'),
  )
  .filter((drawn) => drawn.isWellFormed() && !drawn.includes('\0') && drawn.trim() !== '') // prettier-ignore

let reports = 0

test('P8: a report’s texts come back from the API as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(text, text, text, text, async (organization, contact, information, reason) => {
      const detail = { ...goodDetail, 'additional-information': information, 'failure-reason-code': reason }
      const json = { ...goodReport, 'report-id': `${++reports} ${organization}`, 'organization-name': organization, 'contact-info': contact, policies: [{ ...goodPolicy, 'failure-details': [detail] }] } // prettier-ignore
      const { status, body } = await service.post(Buffer.from(JSON.stringify(json)), { 'content-type': 'application/json' }) // prettier-ignore
      assert.equal(status, 200)
      const [{ key }] = body['reports'] as [{ key: string }]
      type Told = { organization: string; contact_info: string; report_id: string; policies: [{ failure_details: [Record<string, string>] }] } // prettier-ignore
      const told = await service.get<Told>(`/v1/reports/${key}`)
      const [failure] = told.policies[0].failure_details
      assert.deepEqual(
        [told.report_id, told.organization, told.contact_info, failure['additional_information'], failure['failure_reason_code']],
        [json['report-id'], organization, contact, information, reason],
      ) // prettier-ignore
    }),
    { numRuns: 60 },
  )
})
