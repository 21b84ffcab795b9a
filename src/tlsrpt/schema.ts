/**
 * RFC 8460 §4.4 as a schema: strict, for what the repairs have left. Every rule's message is the code of the problem.
 */
import { z } from 'zod'
import { domainName } from './domain-name.ts'
import type { ProblemCode } from './problems.ts'

const rule = (code: ProblemCode) => code

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const text = z.string(rule('text-expected'))
const count = z.custom<number>(isCount, rule('count-expected'))
// Its elements are read one by one, so that thousands of bad ones cost no more than the first ten.
const list = z.custom<unknown[]>(Array.isArray, rule('list-expected'))
const dateTime = z.date(rule('date-time-expected'))
// A cleaned report-id could be another report's.
const isReportId = (value: unknown) =>
  typeof value === 'string' && value !== '' && !value.includes('\0') && value.isWellFormed()
const isPolicyDomain = (value: unknown) => typeof value === 'string' && domainName(value) === value

/** All of a report but what is inside `policies`. */
export const reportSchema = z.object(
  {
    'organization-name': text.optional(),
    'date-range': z.object({ 'start-datetime': dateTime, 'end-datetime': dateTime }, rule('object-expected')),
    'contact-info': text.optional(),
    'report-id': z.custom<string>(isReportId, rule('report-id-expected')),
    policies: list,
  },
  rule('not-an-object'),
)

/** All of an element of `policies` but what is inside `failure-details`. */
export const policySchema = z.object(
  {
    policy: z.object(
      {
        'policy-type': text,
        'policy-string': z.array(text, rule('list-expected')),
        'policy-domain': z.custom<string>(isPolicyDomain, rule('domain-expected')).optional(),
        'mx-host': z.array(text, rule('list-expected')),
      },
      rule('object-expected'),
    ),
    summary: z.object(
      { 'total-successful-session-count': count, 'total-failure-session-count': count },
      rule('object-expected'),
    ),
    'failure-details': list,
  },
  rule('object-expected'),
)

/** An element of `failure-details`. */
export const failureDetailSchema = z.object(
  {
    'result-type': text,
    'sending-mta-ip': text.optional(),
    'receiving-mx-hostname': text.optional(),
    'receiving-mx-helo': text.optional(),
    'receiving-ip': text.optional(),
    'failed-session-count': count,
    'additional-information': text.optional(),
    'failure-reason-code': text.optional(),
  },
  rule('object-expected'),
)

export type WireReport = z.infer<typeof reportSchema>
export type WirePolicy = z.infer<typeof policySchema>
export type WireFailureDetail = z.infer<typeof failureDetailSchema>
