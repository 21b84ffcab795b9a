/** GET /v1/causes: what goes wrong where, since when, who says so, and what to do about it (RFC 8460 §4.3). */
import { z } from 'zod'
import { becauseOf, hangsOnSurroundings, stateByCheck, stateByHistory } from '../checks/explain.ts'
import type { CauseFacts, Live, Surroundings } from '../checks/explain.ts'
import { causePolicies, causeSurroundings } from '../store/cause-context.ts'
import { domainsOf, nameOf } from '../store/cause-key.ts'
import { listCauses, type Cause } from '../store/causes.ts'
import { checkHistories, lastChecks } from '../store/checks.ts'
import type { Window } from '../store/question.ts'
import { causeHeadline, type CauseWords } from '../tlsrpt/headline.ts'
import { resultTypes } from '../tlsrpt/result-types.ts'
import { countSchema, toJson } from './json.ts'
import { listParameters, pageSchema, readPage } from './pages.ts'
import { problems } from './problem.ts'
import { filterParameters, readFilters, trustParameter, windowSchema } from './query.ts'
import type { Api, ApiDeps } from './route.ts'
import { byPolicyTypeSchema } from './summary.ts'

const causeSchema = z
  .strictObject({
    domain: z.string().describe('Domain of ours.'),
    result_type: z.string(),
    receiving_mx_hostname: z.string().nullable().describe('Null where the sender did not say.'),
    headline: z.string().describe('All of this in one sentence.'),
    because: z
      .string()
      .nullable()
      .describe(
        'What it comes of, by the policy that it failed under, the reason codes and the last check; null where they tell no more.',
      ),
    live: z
      .strictObject({
        state: z
          .enum(['still-broken', 'fixed', 'cannot-be-reproduced', 'suspicious', 'unknown'])
          .describe(
            '`suspicious`: it fails from one network alone, others succeed, and the check is clean. `unknown`: no check of the last two days could show it.',
          ),
        since: z.iso.date().nullable().describe('Of `fixed`: the day of the first check without it.'),
        sentence: z.string(),
        checked_at: z.iso.datetime(),
      })
      .nullable()
      .describe('What the last check of the domain says of it; null where there is none.'),
    ongoing: z.boolean().describe('It failed on the newest day of the window with a report on the domain, by `trust`.'),
    since: z.iso
      .date()
      .describe(
        'First day of the run of days that failed, up to the last one: it may lie up to a year before the window. Days without a report on the domain break no run.',
      ),
    until: z.iso.date().describe('Last day of that run.'),
    first_seen: z.iso.date().describe('In the window.'),
    last_seen: z.iso.date().describe('In the window.'),
    enforce_refuses: z
      .boolean()
      .nullable()
      .describe("Whether a sender that enforces then does not deliver to that MX; null for a sender's own word."),
    meaning: z.string().nullable().describe("Null for a sender's own word."),
    fix: z.string().nullable().describe("Null for a sender's own word."),
    failed: countSchema.describe('Sessions, by the primary policies.'),
    failed_by_policy_type: byPolicyTypeSchema,
    reports: countSchema,
    reporters: countSchema.describe('Verified ones.'),
    unverified: z
      .strictObject({ failed: countSchema.describe('Sessions, by the primary policies.'), reports: countSchema })
      .describe('The same over reports that nobody stands behind.'),
    trust: trustParameter.describe(
      'Whose word the headline, the days and the lists are: as asked for, or `unverified` where nobody else tells of it.',
    ),
    sessions: countSchema.describe(
      'Those of the headline, by `trust`: `failed`, or where only other policies than the primary ones fail, what the policy type with most says.',
    ),
    reporter_domains: z.array(z.string()).describe('At most ten, those with most failures first.'),
    organizations: z
      .array(z.string())
      .describe('What unverified reports call themselves; at most ten, those with most failures first.'),
    reason_codes: z
      .array(z.strictObject({ failure_reason_code: z.string(), failed: countSchema }))
      .describe('Untrusted text; at most five, those with most failures first.'),
    policy_types: z.array(z.string()).describe('Under which it failed; those seen last first.'),
    policy_modes: z.array(z.string()).describe('Likewise.'),
  })
  .meta({ id: 'Cause' })

const { domain, result_type, receiving_mx_hostname } = filterParameters

const parameters = z.strictObject({
  domain,
  result_type,
  receiving_mx_hostname,
  trust: trustParameter.default('verified').describe('As in `/v1/summary`.'),
  ...listParameters,
})

const decimal = z.string().regex(/^\d{1,40}$/)
const position = z.tuple([
  z.boolean(),
  z.boolean(),
  decimal,
  decimal,
  z.string().regex(/^[!-~]{1,255}$/),
  z.string().regex(/^[0-9a-f]{64}$/),
])

export function addCauses(app: Api, { db, now }: ApiDeps): void {
  app.get(
    '/v1/causes',
    {
      schema: {
        tags: ['numbers'],
        summary: 'What goes wrong where, since when, and what to do about it',
        description:
          'A row for each domain, result type and receiving MX with a failure in the window. What is going on comes first, then what enforce refuses, then by failed sessions. A page tells the rows of the moment: where reports arrive between two pages, a row may move.',
        querystring: parameters,
        response: {
          200: z.strictObject({ data: z.array(causeSchema), page: pageSchema, window: windowSchema }),
          ...problems(400, 401),
        },
      },
    },
    async ({ query, caller: { visible } }) => {
      const { trust, limit } = query
      const { window, after, cut } = readPage(query, position, now())
      const question = { window, trust, filters: readFilters(query), visible, limit: limit + 1 }
      const { rows, page } = cut(await listCauses(db, question, after), (last) => last.position)
      const causes = rows.map(({ cause }) => cause)
      const found = await explained(db, causes, window, now())
      return { data: causes.map((cause, i) => answer(cause, found[i]!)), page, window }
    },
  )
}

type Explained = { because: string | undefined; live: Live | undefined }

/** Each of them, in their order, by what stands around it and by the checks of its domain. */
async function explained(db: ApiDeps['db'], causes: readonly Cause[], window: Window, now: Date): Promise<Explained[]> {
  const policies = await causePolicies(db, causes, window)
  const checks = await lastChecks(db, domainsOf(causes))
  const stated = causes.map((cause) => {
    const facts = factsOf(cause, policies.get(nameOf(cause)) ?? [])
    const check = checks.get(cause.domain)
    return { cause, facts, check, live: check && stateByCheck(facts, check, now) }
  })
  const quiet = stated.flatMap(({ cause, check, live }) => (check && !live ? [cause] : []))
  const histories = await checkHistories(db, domainsOf(quiet))
  const hanging = quiet.filter(({ resultType }) => hangsOnSurroundings(resultType))
  const surroundings = await causeSurroundings(db, hanging, window)
  return stated.map(({ cause, facts, check, live }) => {
    const within = { ...facts, ...(surroundings.get(nameOf(cause)) ?? unknownSurroundings) }
    return {
      because: becauseOf(facts, check),
      live: live ?? (check && stateByHistory(within, check, histories.get(cause.domain) ?? [])),
    }
  })
}

function answer(cause: Cause, { because, live }: Explained): z.output<typeof causeSchema> {
  const known = resultTypes.find(({ name }) => name === cause.resultType)
  return {
    ...toJson(cause),
    headline: causeHeadline(wordsOf(cause)),
    because: because ?? null,
    live: live ? { state: live.state, since: live.since ?? null, sentence: live.sentence, checked_at: live.checkedAt } : null, // prettier-ignore
    enforce_refuses: known?.enforceRefuses ?? null,
    meaning: known?.meaning ?? null,
    fix: known?.fix ?? null,
  }
}

function factsOf(cause: Cause, policies: CauseFacts['policies']): CauseFacts {
  const { domain, resultType, receivingMxHostname, lastSeen, trust, organizations } = cause
  const senders = (trust === 'unverified' ? 0 : Number(cause.reporters)) + (trust === 'verified' ? 0 : organizations.length) // prettier-ignore
  const reasonCodes = cause.reasonCodes.map(({ failureReasonCode }) => failureReasonCode)
  return { domain, resultType, receivingMxHostname, lastSeen, senders, reasonCodes, policies }
}

/** Of what nobody asks them, or what is gone since the causes were read. */
const unknownSurroundings: Surroundings = { networks: 0, othersSucceed: 0 }

/** For a headline. */
export const wordsOf = (cause: Cause): CauseWords => ({
  ...cause,
  failureReasonCode: cause.reasonCodes[0]?.failureReasonCode ?? null,
  // Where nobody else tells of it, that is where the reports are.
  reports: cause.trust === 'unverified' ? cause.unverified.reports : cause.reports,
})
