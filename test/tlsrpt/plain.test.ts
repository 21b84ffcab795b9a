import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import type { z } from 'zod'
import type { JsonObject } from '../../src/tlsrpt/json.ts'
import type { Repairing } from '../../src/tlsrpt/members.ts'
import { isPlainFailureDetail, plainPolicy, plainReport } from '../../src/tlsrpt/plain.ts'
import { repairFailureDetail, repairPolicy, repairReport } from '../../src/tlsrpt/repairs.ts'
import { failureDetailSchema, policySchema, reportSchema } from '../../src/tlsrpt/schema.ts'
import { goodDetail, goodPolicy, goodReport, limits } from './good-report.ts'

const at = () => ''

/** Mends and checks a copy: what the schema makes of it, and the codes of what was noted; undefined where it is refused. */
function strictly(value: object, repair: (value: JsonObject, repairing: Repairing) => void, schema: z.ZodType) {
  const codes: string[] = []
  const copy = structuredClone(value) as JsonObject
  repair(copy, { note: (code) => codes.push(code), limits, escapes: false })
  const { success, data } = schema.safeParse(copy)
  return success ? { data, codes } : undefined
}

const repairing: Repairing = { note: () => assert.fail('who looks notes nothing'), limits, escapes: false }

const oddities: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom('', ' ', null, undefined, 'x'.repeat(limits.textBytes), [], {}, ['a', ''], [null], '5', -1, 1.5, 2 ** 53),
  fc.constantFrom('mx: a', 'a\nb', 'a;b', '["a"]', 'A.Example', 'a.example.', 'a..example', '1.2.3.4', 'localhost', '-a.example', `${'a'.repeat(64)}.example`, 'a@b@c.example', '@a.example', 'bücher.example'),
  fc.constantFrom('2026-02-30T00:00:00Z', '2026-03-31T00:00:00Z', '2026-03-01T00:00:00', '2026-03-01', '2026-03-01T24:00:00Z', '1999-12-31T23:59:59Z', '2026-03-01T00:00:00.5+01:00'),
  fc.string(),
  fc.jsonValue(),
) // prettier-ignore

/** `good`, as often as not with a member or two that are odd, missing, or under another name. */
const bent = (good: object, names: readonly string[]): Arbitrary<object> => {
  const change = fc.tuple(fc.constantFrom(...Object.keys(good), ...names, 'other'), oddities)
  return fc.oneof(fc.constant([]), fc.array(change, { maxLength: 2 })).map((changes) => {
    const members = Object.entries({ ...good, ...Object.fromEntries(changes) })
    return Object.fromEntries(members.filter(([, value]) => value !== undefined))
  })
}

/** Holds the quick way to the strict one, and sees to it that it is taken and not taken often enough to say something. */
function assertEqualRoads(
  values: Arbitrary<object>,
  quick: (value: object) => unknown,
  strict: (value: object) => { data: unknown; codes: string[] } | undefined,
): void {
  let plain = 0
  const runs = 3_000
  fc.assert(
    fc.property(values, (value) => {
      const before = structuredClone(value)
      const read = quick(value)
      assert.deepEqual(value, before)
      if (read === undefined) return
      plain++
      assert.deepEqual(strict(value), { data: read, codes: [] })
    }),
    { numRuns: runs },
  )
  assert.ok(plain > runs / 10 && plain < runs, `${plain} of ${runs} were plain`)
}

test('a plain report is read as repairs and schema would have it, who have nothing to say of it', () => {
  const range = bent(goodReport['date-range'], ['date-time', 'start_datetime'])
  const reports = fc
    .tuple(bent(goodReport, ['email-address', 'report_id', 'policy']), fc.option(range))
    .map(([report, dates]) => (dates === null ? report : { ...report, 'date-range': dates }))
  const strict = (value: object) => strictly(value, repairReport, reportSchema)
  assertEqualRoads(reports, (value) => plainReport(value, repairing), strict)
})

test('a plain policy is read as repairs and schema would have it, who have nothing to say of it', () => {
  const { policy, summary } = goodPolicy
  const entries = fc
    .tuple(
      bent(goodPolicy, ['failure_details', 'policy-type']),
      fc.option(bent(policy, ['domain', 'mx-host-pattern', 'policy_type'])),
      fc.option(bent(summary, ['total_successful_session_count'])),
    )
    .map(([entry, inPolicy, inSummary]) => ({
      ...entry,
      ...(inPolicy && { policy: inPolicy }),
      ...(inSummary && { summary: inSummary }),
    }))
  const strict = (value: object) => strictly(value, (entry, mending) => repairPolicy(entry, at, mending), policySchema)
  assertEqualRoads(entries, (value) => plainPolicy(value, repairing), strict)
})

test('a plain failure detail is read as repairs and schema would have it, who have nothing to say of it', () => {
  const details = bent({ ...goodDetail, 'failure-reason-code': 'x' }, ['ip-address', 'receiving_ip'])
  const strict = (value: object) =>
    strictly(value, (detail, mending) => repairFailureDetail(detail, at, mending), failureDetailSchema)
  assertEqualRoads(details, (value) => (isPlainFailureDetail(value, repairing) ? value : undefined), strict)
})

test('where there are escapes nothing is plain, since NUL and half a surrogate pair come in by them', () => {
  const escaped = { ...repairing, escapes: true }
  assert.ok(plainReport(goodReport, repairing) && plainPolicy(goodPolicy, repairing))
  assert.deepEqual([plainReport(goodReport, escaped), plainPolicy(goodPolicy, escaped)], [undefined, undefined])
})

test('whatever it is, a look at it throws nothing', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      plainReport(value, repairing)
      plainPolicy(value, repairing)
      isPlainFailureDetail(value, repairing)
    }),
  )
})
